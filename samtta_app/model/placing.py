"""From low-resolution logits to masks in image pixels: only the mask's own box is interpolated, not the whole window."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.masks import trimmed
from samtta_app.core.types import Mask
from samtta_app.model.backbone import SamModel
from samtta_app.model.predictor import ImageFeatures

Cells = np.ndarray[tuple[int, ...], np.dtype[np.intp]]
"""Numbers of rows or columns, rising."""

STRIP = 2**21
"""Values that are interpolated at a time: a mask over a window of 6,000 pixels would take 144 MB at once."""


def placed(model: SamModel, logits: Tensor, features: ImageFeatures) -> tuple[Mask, ...]:
    """The masks of low-resolution logits (m, G, G), as `upscaled(...) > 0` gives them.

    Bilinear interpolation lies between its four neighbours: a pixel is of the object only near a cell that is. Along one
    axis after the other it gives the same but for rounding (some 1e-6 of a logit).
    """
    factor = model.size // model.grid
    with torch.no_grad():
        return tuple(_placed(_finer(layer, factor), features) for layer in logits.float())


def placed_fine(logits: Tensor, features: ImageFeatures) -> tuple[Mask, ...]:
    """The masks of logits (m, S, S) at the input's resolution."""
    with torch.no_grad():
        return tuple(_placed(_Part(layer, 0, 0), features) for layer in logits)


class _Part(NamedTuple):
    """Logits (h, w) of a part of the input whose first row is `top` and first column `left`; beyond it there is no object."""

    logits: Tensor
    top: int
    left: int


def _finer(layer: Tensor, factor: int) -> _Part:
    """The part of logits (G, G) that may be an object, at `factor` times the resolution, with two cells about it."""
    (top, bottom), (left, right) = (_around(cells) for cells in _occupied(layer))
    part = layer[top:bottom, left:right]
    size = (factor * part.shape[0], factor * part.shape[1])
    fine = F.interpolate(part[None, None], size, mode="bilinear", align_corners=False)[0, 0]
    return _Part(fine, factor * top, factor * left)


def _around(cells: Cells) -> tuple[int, int]:
    """From two cells before the first to two after the last; one cell where there is none."""
    return (max(int(cells[0]) - 2, 0), int(cells[-1]) + 3) if cells.size else (0, 1)


def _occupied(logits: Tensor) -> tuple[Cells, Cells]:
    """The rows and the columns that hold a logit above 0."""
    inside = (logits > 0).cpu().numpy()
    return np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))


def _placed(part: _Part, features: ImageFeatures) -> Mask:
    """The mask of a part of the logits that show the features' window."""
    window, (height, width) = features.window, features.valid
    layer = part.logits[: max(height - part.top, 0), : max(width - part.left, 0)]
    rows, columns = _occupied(layer)
    if not rows.size:
        return trimmed(np.zeros((1, 1), dtype=np.bool_), window.x, window.y)
    vertical = _Axis(height, window.height, part.top)
    across = _Axis(width, window.width, part.left)
    top, bottom = vertical.reach(rows)
    left, right = across.reach(columns)
    wide = across.stretched(layer, left, right).T
    bits = np.empty((bottom - top, right - left), dtype=np.bool_)
    step = max(STRIP // (bottom - top), 1)
    for at in range(0, right - left, step):
        tall = vertical.stretched(wide[at : at + step], top, bottom)
        bits[:, at : at + step] = (tall > 0).T.cpu().numpy()
    return trimmed(bits, window.x + left, window.y + top)


class _Axis(NamedTuple):
    """One axis on which `before` cells are interpolated to `after` pixels; values begin at the cell `start`."""

    before: int
    after: int
    start: int

    def reach(self, cells: Cells) -> tuple[int, int]:
        """The pixels (from, up to) that the interpolation makes from any of `cells`, counted from `start`."""
        ratio = self.after / self.before
        first = math.floor((int(cells[0]) + self.start - 0.5) * ratio - 0.5)
        last = math.ceil((int(cells[-1]) + self.start + 1.5) * ratio - 0.5)
        return max(first, 0), min(last + 1, self.after)

    def stretched(self, values: Tensor, first: int, last: int) -> Tensor:
        """The pixels from `first` to before `last`, (r, last - first), linearly from values (r, cells)."""
        pixels = torch.arange(first, last, device=values.device, dtype=torch.float32)
        at = ((pixels + 0.5) * (self.before / self.after) - 0.5).clamp(min=0)
        lower = at.floor()
        ends = ((lower + step - self.start).long().clamp(0, values.shape[1] - 1) for step in (0, 1))
        before, beyond = (values.index_select(1, end) for end in ends)
        return torch.lerp(before, beyond, (at - lower).to(values))
