"""Many low-resolution masks in image pixels, with their stability, as cheaply as exact equality with SAM's own allows.

SAM scales every mask up to the whole image before it looks at it. Bilinear interpolation lies between its neighbours, so
no pixel far from a cell above the lower threshold can be above it. Only what is near is scaled up. Along one axis after
the other the numbers are the same, bit by bit, on a processor.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.masks import trimmed
from samtta_app.core.types import Mask
from samtta_app.model.placing import STRIP
from samtta_app.model.predictor import ImageFeatures

BELOW = -1.0
"""How far below the lower threshold pixels are set that cannot reach it."""

_CELL = 4
"""Input pixels along a cell of the logits."""


class JudgedMask(NamedTuple):
    """A mask in image pixels, and its stability: pixels above the higher in pixels above the lower threshold.

    The stability of a mask without a pixel above the lower threshold is NaN.
    """

    mask: Mask
    stability: float


def judged_masks(features: ImageFeatures, logits: Tensor, offset: float) -> list[JudgedMask]:
    """The masks of low-resolution logits (M, G, G), and their stability at thresholds `offset` above and below 0."""
    spans = [reach_of(inside.cpu().numpy()) for inside in ((logits > -offset).any(2), (logits > -offset).any(1))]
    found = []
    for layer, rows, columns in zip(logits, *spans, strict=True):
        if rows is None or columns is None:
            found.append(JudgedMask(trimmed(np.zeros((1, 1), dtype=np.bool_)), float("nan")))
        else:
            found.append(_judged(features, layer.float(), rows, columns, offset))
    return found


def reach_of(inside: NDArray[np.bool_]) -> list[tuple[int, int] | None]:
    """The first true place of each row (M, N) and the one after its last, None where there is none."""
    first, last = inside.argmax(axis=1).tolist(), inside.shape[1] - inside[:, ::-1].argmax(axis=1)
    held = [bool(each.any()) for each in inside]
    return [(start, end) if any_ else None for start, end, any_ in zip(first, last.tolist(), held, strict=True)]


def _judged(
    features: ImageFeatures, layer: Tensor, rows: tuple[int, int], columns: tuple[int, int], offset: float
) -> JudgedMask:
    """One mask, whose cells above the lower threshold lie within these rows and columns."""
    (height, width), window, low = features.valid, features.window, -offset + BELOW
    (top, bottom), (left, right) = _around(rows, height), _around(columns, width)
    if top >= bottom or left >= right:  # only the padding is above
        return JudgedMask(trimmed(np.zeros((1, 1), dtype=np.bool_)), float("nan"))
    part = input_part(layer, (top, bottom), (left, right))
    first, last = _spread((left, right), width, window.width)
    wide = torch.full((bottom - top, width), low, device=part.device)
    wide[:, left:right] = part
    wide = F.interpolate(wide[None], window.width, mode="linear", align_corners=False)[0, :, first:last]
    upper, lower = _spread((top, bottom), height, window.height)
    bits = np.empty((lower - upper, last - first), dtype=np.bool_)
    counts = torch.zeros(2, dtype=torch.int64, device=part.device)
    step = max(STRIP // window.height, 1)
    for at in range(0, last - first, step):
        strip = wide[:, at : at + step].T
        tall = torch.full((len(strip), height), low, device=part.device)
        tall[:, top:bottom] = strip
        tall = F.interpolate(tall[None], window.height, mode="linear", align_corners=False)[0, :, upper:lower]
        counts += torch.stack([(tall > offset).sum(), (tall > -offset).sum()])
        bits[:, at : at + step] = (tall > 0).T.cpu().numpy()
    inner, outer = counts.tolist()
    mask = trimmed(bits, window.x + first, window.y + upper)
    return JudgedMask(mask, float(np.float32(inner) / np.float32(outer)) if outer else float("nan"))


def input_part(layer: Tensor, rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
    """Rows and columns of logits (G, G) at the input's resolution; the ratio is a power of two, so that no place is rounded."""
    cells = [(max(first // _CELL - 1, 0), min(-(-last // _CELL) + 1, len(layer))) for first, last in (rows, columns)]
    (y0, y1), (x0, x1) = cells
    size = ((y1 - y0) * _CELL, (x1 - x0) * _CELL)
    part = F.interpolate(layer[None, None, y0:y1, x0:x1], size, mode="bilinear", align_corners=False)[0, 0]
    (top, bottom), (left, right) = rows, columns
    return part[top - y0 * _CELL : bottom - y0 * _CELL, left - x0 * _CELL : right - x0 * _CELL]


def _around(cells: tuple[int, int], length: int) -> tuple[int, int]:
    """The input pixels that cells have a share in, within the first `length`."""
    return max((cells[0] - 1) * _CELL, 0), min((cells[1] + 1) * _CELL, length)


def _spread(inside: tuple[int, int], length: int, side: int) -> tuple[int, int]:
    """The image pixels, of `side`, that input pixels, of `length`, have a share in."""
    ratio = side / length
    return max(int((inside[0] - 1) * ratio) - 1, 0), min(int((inside[1] + 1) * ratio) + 2, side)
