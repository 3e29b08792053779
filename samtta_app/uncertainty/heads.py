"""Heads that predict how much a mask would gain: from a larger model, from another candidate, from more clicks.

Source: Kaiser et al. 2025, "UncertainSAM" (USAM): small networks on the decoder's output tokens. The published code
pairs mask token k with candidate k + 1. Here the token is the one that made the mask.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.types import Gaps
from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import SamModel
from samtta_app.model.backbones.checkpoint_states import check_names, read_weights, single
from samtta_app.model.cache import Larger
from samtta_app.model.compact_limits import check_slices
from samtta_app.model.fingerprint import fingerprint
from samtta_app.model.loading import open_model_alone
from samtta_app.model.model_registry import OFFICIAL_CHECKPOINTS, SHIPPED, model_file
from samtta_app.model.weights import all_finite, write_half
from samtta_app.phrases import Phrase
from samtta_app.settings import model_folder, resource

_FORMAT = "samtta-heads-1"

IOU_NAMES = ("iou", "iou_larger", "iou_dense", "iou_chosen")
"""What the IoU heads predict, in this order.

The best candidate's IoU (USAM_theta), and the larger model's (USAM_L). Then the best candidate's after the dense prompt of
eight clicks (USAM_xP*). Last, that of the candidate which predicted IoU picks (USAM_SAM).
"""

GAP_NAMES = ("model_gap", "task_gap", "prompt_gap")
"""What the gap heads predict (the starred form): iou_larger - iou, iou - iou_chosen, iou_dense - iou."""

HEAD_NAMES = (*IOU_NAMES, *GAP_NAMES)

SHOWN_GAPS = (*GAP_NAMES, "iou_chosen")
"""The heads that are evaluated at every click, in the order of `Gaps`."""

SAM_TWO_SIZES = ("tiny", "small", "base_plus", "large")
"""Sizes of SAM 2, each with a published head `iou_SIZE` for the best candidate's IoU with that size."""

SIZE_NAMES = tuple(f"iou_{size}" for size in SAM_TWO_SIZES)

LAYERS = ("w1", "b1", "w2", "b2", "w3", "b3")


@dataclass(frozen=True, slots=True, eq=False)
class GapHeads:
    """One network per name, evaluated side by side.

    Each is Linear(2C, 2C), ReLU, Linear(2C, 2C), ReLU, Linear(2C, 1), sigmoid.

    `layers`: w1, w2 (H, 2C, 2C), w3 (H, 2C, 1), and biases (H, 1, ...), in the order of `names`. `model` and `larger`
    name the models that they were trained for. `facts` are the training's own words and figures.
    """

    names: tuple[str, ...]
    layers: Mapping[str, Tensor]
    model: str
    larger: str
    facts: Mapping[str, str]

    @property
    def width(self) -> int:
        """2C: length of [IoU token, mask token]."""
        return int(self.layers["w1"].shape[1])

    def __call__(self, tokens: Tensor) -> Tensor:
        """Raw predictions (H, N) for `tokens` (N, 2C): IoUs as they are, gaps as 0.5 + gap."""
        w = self.layers
        x = tokens.to(w["w1"].dtype).expand(len(self.names), -1, -1)
        x = F.relu(torch.baddbmm(w["b1"], x, w["w1"]))
        x = F.relu(torch.baddbmm(w["b2"], x, w["w2"]))
        return torch.sigmoid(torch.baddbmm(w["b3"], x, w["w3"]))[..., 0]

    def only(self, *names: str) -> GapHeads:
        """The heads of these names, in this order."""
        places = [self.names.index(name) for name in names]
        return GapHeads(names, {k: v[places] for k, v in self.layers.items()}, self.model, self.larger, self.facts)

    def predicted(self, tokens: Tensor) -> dict[str, Tensor]:
        """Name -> IoU in 0 .. 1 or gap in -0.5 .. 0.5, (N,) each; unstarred gaps are named NAME_difference.

        A difference is taken between two IoU heads on the same tokens (section A.3), where both exist.
        """
        raw = dict(zip(self.names, self(tokens), strict=True))
        found = {name: value - 0.5 if name in GAP_NAMES else value for name, value in raw.items()}
        pairs = (("iou_larger", "iou"), ("iou", "iou_chosen"), ("iou_dense", "iou"))
        for gap, (more, less) in zip(GAP_NAMES, pairs, strict=True):
            if more in found and less in found:
                found[f"{gap}_difference"] = found[more] - found[less]
        return found


def new_heads(width: int, model: str, larger: str, seed: int, names: tuple[str, ...] = HEAD_NAMES) -> GapHeads:
    """Untrained heads, initialised like torch's linear layers."""
    generator, layers, bound = torch.Generator().manual_seed(seed), {}, width**-0.5
    sizes = _shapes(width)
    for name in LAYERS:
        layers[name] = (torch.rand(len(names), *sizes[name], generator=generator) * 2 - 1) * bound
    return GapHeads(names, layers, model, larger, {})


def save_heads(heads: GapHeads, path: Path, facts: Mapping[str, str]) -> None:
    """Write heads as float16 safetensors, whole or not at all.

    Raises:
        ValueError: a weight is not finite in float16; an older file stays.
        OSError: the file cannot be written; an older file stays.
    """
    known = {"format": _FORMAT, "names": json.dumps(heads.names), "model": heads.model, "larger": heads.larger}
    write_half(path, heads.layers, {**facts, **known})


def load_heads(path: Path, model: SamModel) -> GapHeads:
    """Read heads that were trained for `model`; a folder holds published ones.

    Raises:
        CheckpointError: the file is damaged or of another kind, or its heads were trained for another model.
    """
    if path.is_dir():
        return load_published_heads(path, model)
    try:
        with safe_open(path, framework="pt") as file:
            facts = dict(file.metadata() or {})
            names, width = _names(facts), 2 * model.backbone.width
            shapes = {layer: (len(names), *shape) for layer, shape in _shapes(width).items()}
            check_slices({name: file.get_slice(name) for name in file.keys()}, shapes)  # noqa: SIM118 (not a dict)
            layers = {name: file.get_tensor(name).float().to(model.device) for name in shapes}
        heads = GapHeads(names, layers, facts["model"], facts["larger"], facts)
        _thresholds(heads)
        fits = facts["format"] == _FORMAT and all_finite(layers)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, RecursionError) as e:
        raise CheckpointError("The uncertainty heads cannot be read", path, "Train or copy them again") from e
    if not fits:
        raise CheckpointError("The file holds no uncertainty heads", path, "Train them with `samtta train heads`")
    if facts.get("fingerprint") != fingerprint(model):
        raise CheckpointError(
            Phrase(
                "The uncertainty heads were trained for the model {model!r}, not for this {name!r}",
                model=heads.model,
                name=model.name,
            ),
            path,
            "Train heads for it with `samtta train heads`",
        )
    return heads


def load_published_heads(folder: Path, model: SamModel) -> GapHeads:
    """Read the heads that were published with UncertainSAM for SAM 2: those of nine that are there.

    Each lies in a folder of its name as `model.pth`: Linear(512, 512), ReLU, Linear(512, 512), ReLU, Linear(512, 1). All
    sizes of SAM 2 share them. "iou" is the head of the model's own size, and "iou_larger" that of the large one. Nothing
    in the files says which version of SAM 2 they were trained for.

    Raises:
        CheckpointError: the model is no SAM 2, the head of its size is missing, or a file does not fit.
    """
    version, _, size = model.name.partition("_")
    if version not in ("sam2", "sam2.1") or size not in SAM_TWO_SIZES:
        do = "Open a model of SAM 2, or train heads with `samtta train heads`"
        raise CheckpointError(Phrase("Published heads are for SAM 2, not for {name!r}", name=model.name), folder, do)
    places = {"iou": f"iou_{size}", "iou_larger": "iou_large", "iou_dense": "iou_dense_prompt"}
    places |= {"iou_chosen": "iou_unsupervised", **{name: name for name in (*GAP_NAMES, *SIZE_NAMES)}}
    there = {name: folder / place / "model.pth" for name, place in places.items()}
    there = {name: path for name, path in there.items() if path.is_file()}
    if "iou" not in there:
        raise CheckpointError(
            Phrase("The folder holds no head iou_{size}", size=size), folder, "Copy the published folders again"
        )
    read = {path: _published(path, 2 * model.backbone.width) for path in there.values()}
    layers = {name: torch.stack([read[path][name] for path in there.values()]).to(model.device) for name in LAYERS}
    return GapHeads(tuple(there), layers, model.name, "" if size == "large" else f"{version}_large", {})


def _published(path: Path, width: int) -> dict[str, Tensor]:
    """The layers of one published head, as `GapHeads` has them."""
    state = read_weights(path)
    shapes: dict[str, tuple[int, ...]] = {}
    for number, out in enumerate((width, width, 1)):
        shapes |= {f"layers.{number}.weight": (out, width), f"layers.{number}.bias": (out,)}
    check_names(path, "an uncertainty head", shapes, state)
    rows = [single(path, name, state[name]) for name in shapes]
    return {name: row.T if row.ndim > 1 else row[None] for name, row in zip(LAYERS, rows, strict=True)}


def heads_for(model: SamModel) -> tuple[GapHeads | None, str]:
    """The heads shipped or kept in the model folder for `model`; or None and the reason in words.

    For SAM 2 without heads of its own, these are the published ones in the folder `usam` of the model folder.
    """
    name = f"{model.name}.heads.safetensors"
    published = model_folder() / "usam" / ("sam2.1" if model.name.startswith("sam2.1_") else "sam2.0")
    path = next((p for p in (resource(f"models/{name}"), model_folder() / name) if p.is_file()), None)
    if path is None and model.name.startswith("sam2") and published.is_dir():
        path = published
    if path is None:
        return None, Phrase(
            "The model {name!r} has no uncertainty heads: train them with `samtta train heads`", name=model.name
        )
    try:
        return load_heads(path, model), ""
    except CheckpointError as e:
        return None, str(e)


def for_clicks(heads: GapHeads) -> GapHeads:
    """The heads that are evaluated at every click."""
    return heads.only(*(name for name in SHOWN_GAPS if name in heads.names))


def gaps_of(heads: GapHeads, tokens: Tensor) -> tuple[Gaps, ...] | None:
    """Predicted gains of each mask, from its tokens (m, 2C) and heads `for_clicks`; None where a value is not finite."""
    with torch.no_grad():
        found = heads.predicted(tokens)
    values = {name: value.tolist() for name, value in found.items()}
    if not all(math.isfinite(number) for row in values.values() for number in row):
        return None
    unknown = [math.nan] * len(tokens)
    rows = zip(*(values.get(name, unknown) for name in SHOWN_GAPS), strict=True)
    return tuple(Gaps(*row) for row in rows)


def larger_for(heads: GapHeads, device: torch.device) -> Larger | None:
    """The larger model that the heads were trained with, if it can be loaded."""
    if heads.larger not in (*SHIPPED, *OFFICIAL_CHECKPOINTS):  # no path that a file may choose
        return None
    try:
        return Larger(partial(open_model_alone, model_file(heads.larger), str(device)))
    except CheckpointError:
        return None


def advice_from(heads: GapHeads, *, larger: bool) -> Gaps:
    """Minimum gaps for showing advice, as the training found them; infinite where no advice is given.

    Without a `larger` model, asking it is never advised.
    """
    model, task, prompt = _thresholds(heads)
    return Gaps(model if larger else math.inf, task, prompt, math.nan)


def _thresholds(heads: GapHeads) -> tuple[float, float, float]:
    """Minimum gaps for showing advice, as the training found them.

    Raises:
        ValueError: they are not such numbers.
    """
    found = json.loads(heads.facts.get("thresholds", "{}"))
    if not isinstance(found, dict):
        raise ValueError("the thresholds are no table")
    model, task, prompt = (float(found.get(name, math.inf)) for name in GAP_NAMES)
    return model, task, prompt


def _names(facts: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the heads in a file.

    Raises:
        ValueError: a name is unknown or appears twice.
    """
    names = json.loads(facts["names"])
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError("the names are no list of texts")
    if len(set(names)) != len(names) or not set(names) <= set(HEAD_NAMES):
        raise ValueError(f"the names {names} are not those of heads")
    return tuple(names)


def _shapes(width: int) -> dict[str, tuple[int, int]]:
    """Rows and columns of each layer."""
    square, row = (width, width), (1, width)
    return {"w1": square, "b1": row, "w2": square, "b2": row, "w3": (width, 1), "b3": (1, 1)}
