"""From low-resolution logits to masks in image pixels: only the mask's own box is interpolated, not the whole window."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.masks import trimmed
from samtta_app.core.types import BoolArray, Mask
from samtta_app.model.backbone import SamModel
from samtta_app.model.predictor import ImageFeatures

Cells = np.ndarray[tuple[int, ...], np.dtype[np.intp]]
"""Numbers of rows or columns."""

STRIP = 2**19
"""Values that are interpolated at a time: they fit a processor's cache."""

ROWS = 64
"""Rows of pixels at a time at most: those of a large image need few rows of logits then."""


def placed(model: SamModel, logits: Tensor, features: ImageFeatures) -> tuple[Mask, ...]:
    """The masks of low-resolution logits (m, G, G), as `upscaled(...) > 0` gives them.

    Bilinear interpolation is linear along one axis after the other, and SAM's two interpolations are one after the other
    along each. This gives the same but for rounding (some 1e-6 of a logit).
    """
    return _placed(logits.float(), features, model.size)


def placed_fine(logits: Tensor, features: ImageFeatures) -> tuple[Mask, ...]:
    """The masks of logits (m, S, S) at the input's resolution."""
    return _placed(logits, features, logits.shape[-1])


def _placed(logits: Tensor, features: ImageFeatures, size: int) -> tuple[Mask, ...]:
    """The masks of logits (m, c, c) of an input of `size` pixels."""
    window, (height, width) = features.window, features.valid
    with torch.no_grad():
        rows = _rows(logits, (size, height, window.height))
        return tuple(_mask(layer, rows, (size, width, window.width), features) for layer in logits)


_Sizes = tuple[int, int, int]
"""Along one axis: input pixels, those of them that show the window, and the window's own pixels."""


def _stretched(values: Tensor, sizes: _Sizes) -> Tensor:
    """Values (r, cells) interpolated along their second axis, (r, pixels): to the input, and from there to the window."""
    size, valid, pixels = sizes
    fine = F.interpolate(values[None], size, mode="linear", align_corners=False)[..., :valid]
    return F.interpolate(fine, pixels, mode="linear", align_corners=False)[0]


class _Rows(NamedTuple):
    """How rows of pixels come from rows of cells: the `shares` (pixels, cells) of each, and the `first` and `last` cell."""

    shares: Tensor
    first: Cells
    last: Cells

    def reach(self, cells: Cells) -> tuple[int, int]:
        """The pixels (from, up to) that have a share in the rising `cells`, or in one between them."""
        if not cells.size:
            return 0, 0
        return int(np.searchsorted(self.last, cells[0])), int(np.searchsorted(self.first, cells[-1], "right"))


def _rows(logits: Tensor, sizes: _Sizes) -> _Rows:
    """The rows of logits (m, cells, c): interpolation of unit vectors tells the shares."""
    cells = logits.shape[1]
    shares = _stretched(torch.eye(cells, dtype=logits.dtype, device=logits.device), sizes).T
    used = (shares > 0).contiguous().cpu().numpy()
    return _Rows(shares, used.argmax(axis=1), cells - 1 - used[:, ::-1].argmax(axis=1))


def _mask(layer: Tensor, rows: _Rows, across: _Sizes, features: ImageFeatures) -> Mask:
    """The mask of logits (c, c): a pixel is of the object only where it has a share in a cell that is."""
    window = features.window
    top, bottom = rows.reach(np.flatnonzero(_inside(layer).any(axis=1)))
    if top == bottom:
        return trimmed(np.zeros((1, 1), dtype=np.bool_), window.x, window.y)
    above = rows.first[top]
    wide = _stretched(layer[above : rows.last[bottom - 1] + 1], across)
    columns = np.flatnonzero(_inside(wide).any(axis=0))
    left, right = (int(columns[0]), int(columns[-1]) + 1) if columns.size else (0, 1)
    bits = np.empty((bottom - top, right - left), dtype=np.bool_)
    step = min(max(STRIP // (right - left), 1), ROWS)
    for at in range(top, bottom, step):
        end = min(at + step, bottom)
        first, last = rows.first[at], rows.last[end - 1] + 1
        tall = rows.shares[at:end, first:last] @ wide[first - above : last - above, left:right]
        bits[at - top : end - top] = _inside(tall)
    return trimmed(bits, window.x + left, window.y + top)


def _inside(logits: Tensor) -> BoolArray:
    """Where logits are above 0. On a processor, numpy compares ten times as fast as torch does (AVX2)."""
    return logits.numpy() > 0 if logits.device.type == "cpu" else (logits > 0).cpu().numpy()
