"""Encode a window of an image, and decode a prompt: functions of values, with no state between calls.

As in SAM, the window is resized so that its longer side is the model's input size. It is padded on the right and at the
bottom. Coordinates: image pixels outside, input pixels (scaled, window-relative) only inside this module.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.types import Click, Image, Logits, Prompt, Window
from samtta_app.images.image_source import read_reduced
from samtta_app.model.backbone import Embedded, Look, SamModel
from samtta_app.model.stored_tasks import taken_tasks
from samtta_app.model.weights import TASK, Tensors

_Size = tuple[int, int]

REDUCED_FROM = 8192
"""Windows of a longer side are first shrunk by whole numbers: much faster, and there is no official result to match."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageFeatures:
    """The encoder's output for one window of one image: `embedding` (1, C, S/16, S/16) and the compact model's skips.

    `valid` is the (height, width) of the input that shows the window; the rest of the square is padding. `picture`
    (height, width, 3) uint8 is that part of the input; None where the features were not made of an image.

    Features of a part of the window begin at `origin` (x, y) in input pixels, and show `side` of them; 0 means all.
    """

    image_key: str
    window: Window
    embedding: Tensor
    skips: tuple[Tensor, ...]
    valid: _Size
    picture: NDArray[np.uint8] | None = None
    origin: _Size = (0, 0)
    side: int = 0

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        tensors = sum(t.numel() * t.element_size() for t in (self.embedding, *self.skips))
        return tensors + (self.picture.nbytes if self.picture is not None else 0)

    def to(self, dtype: torch.dtype) -> ImageFeatures:
        """The same features in another precision, without the picture (memory keeps them in half)."""
        skips = tuple(s.to(dtype) for s in self.skips)
        return replace(self, embedding=self.embedding.to(dtype), skips=skips, picture=None)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """All four masks of one pass: `logits` (4, G, G) and predicted `iou` (4,); 0 is the single mask, 1-3 the candidates.

    `tokens` (5, C) are the transformer's output tokens: the IoU token, then the four mask tokens.
    """

    logits: Tensor
    iou: Tensor
    tokens: Tensor


def encode(model: SamModel, image: Image, window: Window) -> Generator[None, None, ImageFeatures]:
    """Encode `window` of `image`; yields between the backbone's steps."""
    valid = _valid(window, model.size)
    stretched = model.policy.stretched
    picture = None if stretched and model.outline is None else _picture(image, window, valid)
    x = _input(model, picture, valid) if picture is not None and not stretched else _square(model, image, window)
    yield
    embedding, skips = yield from (model.encoder or model.backbone.encode)(x)
    if stretched:
        skips = (*skips, torch.tensor(valid, dtype=torch.float32, device=model.device).view(1, 2, 1, 1))
    kept = picture if model.outline is not None else None
    return ImageFeatures(image.key, window, embedding.contiguous(), tuple(s.contiguous() for s in skips), valid, kept)


def _valid(window: Window, size: int) -> _Size:
    """(height, width) of the resized window, rounded as SAM does."""
    scale = size / window.side
    return max(int(window.height * scale + 0.5), 1), max(int(window.width * scale + 0.5), 1)


def _picture(image: Image, window: Window, valid: _Size) -> NDArray[np.uint8]:
    """A window of an image, resized (height, width, 3)."""
    pixels = read_reduced(image, window, 2 * max(valid))
    gap = 2.0 if window.side > REDUCED_FROM else None
    resized = Pillow.fromarray(pixels).resize((valid[1], valid[0]), Pillow.Resampling.BILINEAR, reducing_gap=gap)
    return np.array(resized)


def _input(model: SamModel, picture: NDArray[np.uint8], valid: _Size) -> Tensor:
    """The normalised, padded input (1, 3, S, S)."""
    x = torch.from_numpy(picture).permute(2, 0, 1).to(model.device, torch.float32)
    return F.pad(model.backbone.normalise(x), (0, model.size - valid[1], 0, model.size - valid[0])).unsqueeze(0)


def _square(model: SamModel, image: Image, window: Window) -> Tensor:
    """The normalised input (1, 3, S, S) of a window stretched to a square, as SAM 2's predictor resizes it."""
    size = (model.size, model.size)
    if window.side > REDUCED_FROM:
        return _input(model, _picture(image, window, size), size)
    pixels, x = read_reduced(image, window, 2 * model.size), torch.empty(3, *size)
    for channel, values in enumerate(x):  # a window of 8,192 pixels takes 270 MB for each as floating point
        given = torch.from_numpy(np.array(pixels[..., channel], dtype=np.float32))[None, None]
        values.copy_(F.interpolate(given, size, mode="bilinear", antialias=True)[0, 0])
    return model.backbone.normalise(x.to(model.device)).unsqueeze(0)


def to_input(model: SamModel, window: Window, valid: _Size, xy: Tensor) -> Tensor:
    """Image pixels (..., 2) to input pixels, both counted from the centre of the first pixel."""
    scale = torch.tensor([valid[1] / window.width, valid[0] / window.height], dtype=xy.dtype, device=xy.device)
    moved = (xy - torch.tensor([window.x, window.y], device=xy.device)) * scale
    return moved + (scale - 1) / 2 if model.policy.pixel_centres else moved


def embed(model: SamModel, features: ImageFeatures, prompt: Prompt, looks: Sequence[Look] = ()) -> Embedded:
    """The prompt encoder's answer to `prompt`, given in image pixels; `looks` are those of accepted objects."""
    return _embedded(model, features, (prompt,), looks)


def told_clicks(prompt: Prompt, *, box_middle: bool) -> tuple[Click, ...]:
    """The clicks that the decoder is told; with `box_middle`, a box alone also says that its middle is inside."""
    box = prompt.box
    if prompt.clicks or prompt.logits is not None or box is None or not box_middle:
        return prompt.clicks
    return (Click((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, True),)


def seen_clicks(clicks: Sequence[tuple[Click, ...]], window: Window) -> list[tuple[Click, ...]]:
    """Of the clicks of B prompts, as many each, those that at least one of them has in `window`; all where none has."""
    seen = [of_place for of_place in zip(*clicks, strict=True) if any(window.contains(c.x, c.y) for c in of_place)]
    return list(zip(*seen, strict=True)) or list(clicks)


def _embedded(
    model: SamModel, features: ImageFeatures, prompts: Sequence[Prompt], looks: Sequence[Look] = ()
) -> Embedded:
    """The same of B prompts that have the same parts and as many clicks each."""
    points = boxes = masks = None
    first, window, device = prompts[0], features.window, model.device
    origin = torch.tensor(features.origin, dtype=torch.float32, device=device)
    opens = first.logits is None and len(first.clicks) + (first.box is not None) == 1
    clicks = seen_clicks([told_clicks(p, box_middle=model.policy.box_middle) for p in prompts], window)
    if clicks[0]:
        xy = torch.tensor([[[c.x, c.y] for c in each] for each in clicks], dtype=torch.float32, device=device)
        labels = torch.tensor([[int(c.positive) for c in each] for each in clicks], device=device)
        points = (to_input(model, window, features.valid, xy) - origin, labels)
    if first.box is not None:
        boxed = [p.box for p in prompts if p.box is not None]
        corners = torch.tensor([[[b.x0, b.y0], [b.x1, b.y1]] for b in boxed], dtype=torch.float32, device=device)
        boxes = (to_input(model, window, features.valid, corners) - origin).reshape(-1, 4)
    if first.logits is not None:
        earlier = [logits_in_window(p.logits, window, model.grid) for p in prompts if p.logits is not None]
        masks = _in_part(torch.cat(earlier).to(device), model, features)
    with torch.no_grad():
        seen = (features.embedding, *features.skips)
        given = (points, boxes, masks, features.side or model.size)
        embedded = replace(model.backbone.embed(*given, features=seen, looks=looks), opens=opens)
        task = taken_tasks(model.backbone.tasks, prompts, embedded.dense) if opens else None
        return embedded if task is None else replace(embedded, dense=embedded.dense + task)


def _in_part(values: Tensor, model: SamModel, features: ImageFeatures) -> Tensor:
    """The cells of maps (..., G, G) of the window that its features show."""
    cell = model.size // model.grid
    (x, y), side = (start // cell for start in features.origin), (features.side or model.size) // cell
    return values[..., y : y + side, x : x + side]


def logits_in_window(logits: Logits, window: Window, grid: int) -> Tensor:
    """Earlier logits (1, 1, grid, grid) as seen in `window`; far outside means background."""
    values = torch.from_numpy(logits.values)[None, None]
    if logits.window == window and values.shape[-1] == grid:
        return values
    steps = (torch.arange(grid, dtype=torch.float32) + 0.5) / grid * window.side
    x = (steps + window.x - logits.window.x) / logits.window.side * 2 - 1
    y = (steps + window.y - logits.window.y) / logits.window.side * 2 - 1
    where = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)[None]
    sampled = F.grid_sample(values, where, mode="bilinear", padding_mode="border", align_corners=False)
    outside = (where.abs() > 1).any(dim=-1)[None]
    return torch.where(outside, torch.full_like(sampled, float(values.min())), sampled)


def decode(model: SamModel, tensors: Tensors, features: ImageFeatures, embedded: Embedded) -> Decoded:
    """All four masks for a prompt, under the decoder weights `tensors`; differentiable when grad mode is on."""
    return _decoded(model, tensors, features, embedded)[0]


def decode_prompt(
    model: SamModel, tensors: Tensors, features: ImageFeatures, prompt: Prompt, looks: Sequence[Look] = ()
) -> Decoded:
    """Decode a prompt; gradients flow into `tensors` when grad mode is on."""
    return decode(model, tensors, features, embed(model, features, prompt, looks))


def chosen(decoded: Decoded, prompt: Prompt) -> int:
    """Which of the four masks is shown: the best candidate by predicted IoU for one click, else the single mask."""
    return 1 + int(decoded.iou[1:].argmax()) if prompt.ambiguous else 0


def decode_many(
    model: SamModel, tensors: Tensors, features: ImageFeatures, prompts: Sequence[Prompt]
) -> tuple[Decoded, ...]:
    """The same for several prompts in one pass of the decoder.

    Raises:
        ValueError: the prompts differ in how many clicks they have, or in whether they have a box or earlier logits.
    """
    if len({(len(p.clicks), p.box is None, p.logits is None) for p in prompts}) != 1:
        raise ValueError("prompts of one pass must have the same parts")
    return _decoded(model, tensors, features, _embedded(model, features, prompts))


def decoded_points(
    model: SamModel, tensors: Tensors, features: ImageFeatures, xy: Tensor, prompt: Prompt, looks: Sequence[Look] = ()
) -> Decoded:
    """The answers to single include clicks in one pass: logits (B, 4, G, G), predicted IoU (B, 4), tokens (B, 5, C).

    Args:
        xy: B places (B, 2) float64, as SAM's generator has them: image pixels from the corner of the first pixel.
        prompt: names the class, for its task prompt.
        looks: those of accepted objects.
    """
    with torch.no_grad():
        # in double precision, as in SAM's generator; MPS has none, and rounds at once
        places = xy.to(model.device, torch.float32 if model.device.type == "mps" else torch.float64)
        places = to_input(model, features.window, features.valid, places - (0.5 if model.policy.pixel_centres else 0.0))
        points = places[:, None], torch.ones(len(places), 1, dtype=torch.int64, device=model.device)
        seen = (features.embedding, *features.skips)
        embedded = replace(model.backbone.embed(points, None, None, model.size, features=seen, looks=looks), opens=True)
        task = taken_tasks(model.backbone.tasks, [prompt] * len(places), embedded.dense)
        embedded = embedded if task is None else replace(embedded, dense=embedded.dense + task)
        weights, embedded = with_task_prompt(tensors, embedded)
        found = model.backbone.decode(weights, features.embedding, features.skips, embedded, model.size)
        return Decoded(*found)


def with_task_prompt(tensors: Tensors, embedded: Embedded) -> tuple[Tensors, Embedded]:
    """The decoder's own tensors, and the prompt with the learned task prompt, where it is an object's first one."""
    task = tensors.get(TASK) if embedded.opens else None
    if task is not None:
        embedded = replace(embedded, dense=embedded.dense + task.view(1, -1, 1, 1))
    return {name: tensor for name, tensor in tensors.items() if name != TASK}, embedded


def _decoded(model: SamModel, tensors: Tensors, features: ImageFeatures, embedded: Embedded) -> tuple[Decoded, ...]:
    weights, embedded = with_task_prompt(tensors, embedded)
    size = features.side or model.size
    found = model.backbone.decode(weights, features.embedding, features.skips, embedded, size)
    return tuple(Decoded(*each) for each in zip(*found, strict=True))


def upscaled(model: SamModel, logits: Tensor, features: ImageFeatures) -> Tensor:
    """Low-resolution logits (m, G, G) in window pixels (m, window.height, window.width), as SAM's post-processing does."""
    window, (height, width) = features.window, features.valid
    x = F.interpolate(logits[None].float(), (model.size, model.size), mode="bilinear", align_corners=False)
    x = x[..., :height, :width]
    return F.interpolate(x, (window.height, window.width), mode="bilinear", align_corners=False)[0]
