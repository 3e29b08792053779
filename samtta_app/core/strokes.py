"""The pixels of a brush stroke: those whose centre lies within the brush's radius of the line that the pointer drew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from samtta_app.core.masks import trimmed
from samtta_app.core.types import BoolArray, Mask, Window

LEAST_BRUSH, LARGEST_BRUSH = 1.0, 500.0
"""Diameters of a brush in image pixels: one pixel, and half of an image of usual size."""

FAR = 1e6
"""Points farther away than this many pixels are moved here, so that no number overflows."""

AT_ONCE = 4_000_000
"""Cells of a table of line pieces and rows that are computed together: 32 MB an array."""

_Values = NDArray[np.float64]


def stroke_mask(points: Sequence[tuple[float, float]], size: float, extent: Window) -> Mask:
    """The pixels that a round brush covers on its way through `points` (x, y), cut to the image `extent`.

    A brush of one pixel paints at least the pixel under each point. Points that are no numbers are left out. The mask is
    empty where the stroke lies outside the image.

    Args:
        size: the brush's diameter in image pixels; it is brought into LEAST_BRUSH .. LARGEST_BRUSH.
    """
    way = np.array(points, np.float64).reshape(-1, 2)
    way = np.clip(way[np.isfinite(way).all(axis=1)], -FAR, FAR)
    radius = min(max(size, LEAST_BRUSH), LARGEST_BRUSH) / 2
    if not len(way):
        return trimmed(np.zeros((1, 1), np.bool_), extent.x, extent.y)
    low, high = np.floor(way.min(axis=0) - radius), np.ceil(way.max(axis=0) + radius)
    left, right = max(int(low[0]), extent.x), min(int(high[0]), extent.x + extent.width - 1)
    top, bottom = max(int(low[1]), extent.y), min(int(high[1]), extent.y + extent.height - 1)
    if left > right or top > bottom:
        return trimmed(np.zeros((1, 1), np.bool_), extent.x, extent.y)
    bits = _swept(way - (left, top), radius, bottom - top + 1, right - left + 1)
    columns, rows = np.rint(way - (left, top)).astype(np.int64).T
    inside = (rows >= 0) & (rows <= bottom - top) & (columns >= 0) & (columns <= right - left)
    bits[rows[inside], columns[inside]] = True
    return trimmed(bits, left, top)


def _swept(way: _Values, radius: float, height: int, width: int) -> BoolArray:
    """The pixels (height, width) within `radius` of a line through the points (n, 2).

    Each piece of the line covers one run of pixels in each row. The runs are added as their ends, and summed once.
    """
    starts, ends = (way[:1], way[:1]) if len(way) == 1 else (way[:-1], way[1:])
    change = np.zeros((height, width + 1), np.int32)
    first = np.clip(np.ceil(np.minimum(starts[:, 1], ends[:, 1]) - radius), 0, height).astype(np.int64)
    last = np.clip(np.floor(np.maximum(starts[:, 1], ends[:, 1]) + radius), -1, height - 1).astype(np.int64)
    block = max(AT_ONCE // max(int((last - first).max()) + 1, 1), 1)
    for k in range(0, len(starts), block):
        some = slice(k, k + block)
        rows = first[some, None] + np.arange(max(int((last[some] - first[some]).max()) + 1, 0))
        low, high = _runs(starts[some], ends[some], radius, rows)
        begin = np.clip(np.ceil(low - 1e-9), 0, width)
        stop = np.clip(np.floor(high + 1e-9) + 1, 0, width)
        there = (rows <= last[some, None]) & (begin < stop)
        np.add.at(change, (rows[there], begin[there].astype(np.int64)), 1)
        np.add.at(change, (rows[there], stop[there].astype(np.int64)), -1)
    return np.asarray(np.cumsum(change, axis=1)[:, :-1] > 0)


def _runs(a: _Values, b: _Values, radius: float, rows: NDArray[np.int64]) -> tuple[_Values, _Values]:
    """Where each piece (n) from `a` to `b`, with round ends, begins and ends in each row (n, r); +-inf where it is not."""
    low, high = np.full(rows.shape, np.inf), np.full(rows.shape, -np.inf)
    for centre in (a, b):
        off = rows - centre[:, 1, None]
        half = np.sqrt(np.maximum(radius**2 - off**2, 0.0))
        near = np.abs(off) <= radius
        low = np.where(near, np.minimum(low, centre[:, 0, None] - half), low)
        high = np.where(near, np.maximum(high, centre[:, 0, None] + half), high)
    along = b - a
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-12)[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / length * radius
    corners = (a + across, b + across, b - across, a - across)
    for one, other in zip(corners, (*corners[1:], corners[0]), strict=True):
        rise = other[:, 1] - one[:, 1]
        share = (rows - one[:, 1, None]) / np.where(rise == 0, 1.0, rise)[:, None]
        x = one[:, 0, None] + share * (other[:, 0] - one[:, 0])[:, None]
        crossed = (share >= 0) & (share <= 1) & (rise != 0)[:, None]
        low = np.where(crossed, np.minimum(low, x), low)
        high = np.where(crossed, np.maximum(high, x), high)
    return low, high
