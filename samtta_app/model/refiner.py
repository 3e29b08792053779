"""Where in a mask the model is unsure: the difference between its answer and the same answer refined.

Source: Liu et al. 2024, "Uncertainty-aware Fine-tuning of Segmentation Foundation Models" (SUM), sections 3.2.1 and 3.2.3.
The refiner has its own mask decoder and prompt encoder, tuned to improve masks; the image encoder is the model's. It gets
the answer's logits, the box around the answer's mask and the clicks, all together. Added here: a model that takes a closer
look also refines there, where more detail is visible.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from samtta_app.core.masks import bounding_box
from samtta_app.core.messages import RefineRequest
from samtta_app.core.replies import Refined
from samtta_app.core.types import Box, Candidate, Mask, Prompt, Window
from samtta_app.core.windows import refining
from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import SamModel
from samtta_app.model.compact_limits import FLOATS
from samtta_app.model.fingerprint import fingerprint
from samtta_app.model.placing import placed
from samtta_app.model.predictor import ImageFeatures, decode, logits_in_window, seen_clicks, to_input
from samtta_app.model.weights import Tensors, all_finite, write_half
from samtta_app.phrases import Phrase
from samtta_app.settings import model_folder, resource

_FORMAT = "samtta-refiner-1"
DECODER, PROMPTS = "decoder.", "prompts."


@dataclass(frozen=True, slots=True, eq=False)
class Refiner:
    """Parameters by name: `decoder` of the mask decoder, `prompts` of the prompt encoder; `facts` of the training."""

    decoder: Tensors
    prompts: Tensors
    facts: Mapping[str, str]

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All parameters, their names beginning with the part that they belong to."""
        parts = ((DECODER, self.decoder), (PROMPTS, self.prompts))
        return {f"{part}{name}": tensor for part, tensors in parts for name, tensor in tensors.items()}


def of_tensors(tensors: Tensors, facts: Mapping[str, str]) -> Refiner:
    """The refiner with these `Refiner.tensors`."""
    decoder, prompts = (
        {name.removeprefix(part): tensor for name, tensor in tensors.items() if name.startswith(part)}
        for part in (DECODER, PROMPTS)
    )
    return Refiner(decoder, prompts, facts)


def untrained(model: SamModel) -> Refiner:
    """The model's own decoder and prompt encoder: where training begins."""
    return Refiner(model.frozen.tensors, model.backbone.prompt_weights, {})


def refining_window(model: SamModel, window: Window, mask: Mask, prompt: Prompt, extent: Window) -> Window:
    """Where the refiner looks at a mask that was answered in `window`."""
    box = bounding_box(mask)
    return refining(window, box, prompt.clicks, extent) if model.policy.closer_look and box else window


# --- maps -----------------------------------------------------------------------------------------------------------


def refined(
    model: SamModel, refiner: Refiner, features: ImageFeatures, prompt: Prompt, logits: Tensor, mask_box: Box
) -> tuple[Tensor, Tensor]:
    """The refined logits (G, G) of an answer and their predicted IoU (); differentiable in the refiner's tensors.

    Args:
        prompt: its clicks in the window are used, in image pixels; its box and its earlier logits are not.
        logits: (G, G) of the answer, as seen in the window of `features`.
        mask_box: around the answer's mask, in image pixels.
    """
    device = model.device
    window, valid = features.window, features.valid
    points = None
    (clicks,) = seen_clicks([prompt.clicks], window)
    if clicks:
        xy = torch.tensor([[click.x, click.y] for click in clicks], dtype=torch.float32, device=device)
        labels = torch.tensor([[int(click.positive) for click in clicks]], device=device)
        points = (to_input(model, window, valid, xy)[None], labels)
    corners = [[mask_box.x0, mask_box.y0], [mask_box.x1, mask_box.y1]]
    boxes = to_input(model, window, valid, torch.tensor(corners, dtype=torch.float32, device=device)).reshape(1, 4)
    earlier = logits[None, None].float()
    embedded = model.backbone.embed(
        points, boxes, earlier, model.size, refiner.prompts, (features.embedding, *features.skips)
    )
    decoded = decode(model, refiner.decoder, features, embedded)
    return decoded.logits[0], decoded.iou[0]


def refinement_difference(answer: Tensor, other: Tensor) -> Tensor:
    """Uncertainty |sigmoid(s) - sigmoid(r)|, 0 .. 1, of the logits of an answer and of the refined one (SUM, equation 3)."""
    return (torch.sigmoid(answer) - torch.sigmoid(other)).abs()


@dataclass(frozen=True, slots=True, eq=False)
class Refinement:
    """What the refiner makes of an answer: `logits` (G, G), predicted `iou`, and the `uncertainty` map (G, G), 0 .. 1.

    Both are in the window in which it looked.
    """

    logits: Tensor
    iou: float
    uncertainty: Tensor


def refinement(
    model: SamModel, refiner: Refiner, features: ImageFeatures, prompt: Prompt, logits: Tensor, mask: Mask
) -> tuple[Refinement | None, str]:
    """Refine an answer, without gradient; where that is not possible, None and the reason as a text for the user.

    Args:
        logits: (G, G) of the answer, as seen in the window of `features`; `mask` is the answer's own.
    """
    box = bounding_box(mask)
    if not torch.isfinite(logits).all():
        return None, "The answer is not finite, so no map can show where it is unsure"
    if box is None:
        return None, "The answer is empty: there is no mask to be unsure about"
    with torch.no_grad():
        found, iou = refined(model, refiner, features, prompt, logits, box)
    if not torch.isfinite(found).all():
        return None, "The refined mask is not finite, so no map can show where the answer is unsure"
    return Refinement(found, float(iou), refinement_difference(logits, found)), ""


def refined_reply(
    model: SamModel, refiner: Refiner, features: ImageFeatures, request: RefineRequest, shown: Candidate
) -> Refined:
    """The reply to a request whose answer is `shown`, in the window of `features`; `seconds` are those of refining alone."""
    started, window = time.perf_counter(), features.window
    logits = logits_in_window(shown.logits, window, model.grid)[0, 0].to(model.device)
    found, reason = refinement(model, refiner, features, request.prompt, logits, shown.mask)
    if found is None:
        return Refined(request.id, None, float("nan"), None, window, time.perf_counter() - started, reason)
    mask = mask_of(model, features, found.logits)
    uncertainty = found.uncertainty.float().cpu().numpy()
    return Refined(request.id, mask, found.iou, uncertainty, window, time.perf_counter() - started)


def mask_of(model: SamModel, features: ImageFeatures, logits: Tensor) -> Mask:
    """The mask of logits (G, G) in image pixels."""
    return placed(model, logits[None], features)[0]


# --- files ----------------------------------------------------------------------------------------------------------


def refiner_bytes(refiner: Refiner) -> Refiner:
    """A copy with the precision of the file, float16: what is measured is what is written."""
    kept = {name: tensor.detach().half().float().clone() for name, tensor in refiner.tensors.items()}
    return of_tensors(kept, refiner.facts)


def save_refiner(refiner: Refiner, model: SamModel, path: Path, facts: Mapping[str, str]) -> None:
    """Write a refiner of `model` as float16 safetensors, whole or not at all.

    Raises:
        ValueError: a value is not finite in float16; an older file stays.
        OSError: the file cannot be written; an older file stays.
    """
    known = {"format": _FORMAT, "model": model.name, "fingerprint": fingerprint(model)}
    write_half(path, refiner.tensors, {**facts, **known})


def load_refiner(path: Path, model: SamModel) -> Refiner:
    """Read the refiner that was trained for `model`.

    Raises:
        CheckpointError: the file is damaged or of another kind, or its refiner was trained for another model.
    """
    try:
        with safe_open(path, framework="pt") as file:
            facts = dict(file.metadata() or {})
            kinds = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118 (not a dict)
            tensors = {name: file.get_tensor(name).float().to(model.device) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as e:
        raise CheckpointError("The refiner cannot be read", path, "Train or copy it again") from e
    if facts.get("format") != _FORMAT:
        raise CheckpointError("The file holds no refiner", path, "Train one with `samtta train refiner`")
    if facts.get("fingerprint") != fingerprint(model):
        raise CheckpointError(
            Phrase(
                "The refiner was trained for the model {get!r}, not for this {name!r}",
                get=facts.get("model", "unknown"),
                name=model.name,
            ),
            path,
            "Train one for it with `samtta train refiner`",
        )
    like = untrained(model).tensors
    fits = tensors.keys() == like.keys() and all(tensor.shape == like[name].shape for name, tensor in tensors.items())
    if not fits or not kinds <= set(FLOATS) or not all_finite(tensors):
        raise CheckpointError("The refiner in the file is damaged", path, "Train or copy it again")
    return of_tensors({name: tensors[name] for name in like}, facts)


def refiner_for(model: SamModel) -> tuple[Refiner | None, str]:
    """The refiner that is shipped or kept in the model folder for `model`, or None and the reason in words."""
    name = f"{model.name}.refiner.safetensors"
    path = next((p for p in (resource(f"models/{name}"), model_folder() / name) if p.is_file()), None)
    if path is None:
        return None, Phrase("The model {name!r} has no refiner: train one with `samtta train refiner`", name=model.name)
    try:
        return load_refiner(path, model), ""
    except CheckpointError as e:
        return None, str(e)
