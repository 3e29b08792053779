"""Masks as polygons and back: rings of corners, filled odd-even, so that holes and parts are kept.

Coordinates are image pixels, (0, 0) is the centre of the top-left pixel. A ring is closed; its first corner is not
repeated. A pixel on a ring belongs to the object.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.masks import trimmed
from samtta_app.core.types import Mask, Window

Ring = tuple[tuple[float, float], ...]
Rings = tuple[Ring, ...]

TOLERANCE = 1.0
"""How far a ring may be from a mask's outline, in pixels; fewer corners are easier to drag."""

MOST_CORNERS = 100_000
"""A polygon with more corners is refused; no hand draws one."""

_SHIFT = 6
"""Corners are drawn to 1/64 of a pixel."""


def rings_of(mask: Mask, tolerance: float = TOLERANCE) -> Rings:
    """The outlines of a mask's parts and holes, with as many corners as the tolerance needs; () for an empty mask.

    With a tolerance of 0, `mask_of_rings` gives the same mask again. Source: Douglas and Peucker 1973, by OpenCV.
    """
    outlines, _ = cv2.findContours(np.pad(mask.bits, 1).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    rings: list[Ring] = []
    for outline in outlines:
        corners = cv2.approxPolyDP(outline, tolerance, True) if tolerance and len(outline) > 3 else outline
        kept = corners if len(corners) > 2 else outline
        rings.append(tuple((float(x + mask.x - 1), float(y + mask.y - 1)) for x, y in kept[:, 0].tolist()))
    return tuple(rings)


def mask_of_rings(rings: Rings, extent: Window) -> Mask:
    """The mask inside the rings, odd-even, cut to the image `extent`; a ring that crosses itself is filled the same way.

    Corners that are no numbers are left out. A ring of one or two corners is a pixel or a line.
    """
    found = [_finite(ring) for ring in rings]
    drawn = [ring for ring in found if len(ring)]
    if not drawn:
        return trimmed(np.zeros((1, 1), np.bool_), extent.x, extent.y)
    every = np.concatenate(drawn)
    x0, y0 = np.maximum(np.floor(every.min(axis=0)), (extent.x, extent.y)).astype(int)
    last = (extent.x + extent.width - 1, extent.y + extent.height - 1)
    x1, y1 = np.minimum(np.ceil(every.max(axis=0)), last).astype(int)
    if x0 > x1 or y0 > y1:
        return trimmed(np.zeros((1, 1), np.bool_), extent.x, extent.y)
    bits = np.zeros((int(y1 - y0) + 1, int(x1 - x0) + 1), np.uint8)
    corners = [np.rint((ring - (x0, y0)) * 2**_SHIFT).astype(np.int32) for ring in drawn]
    cv2.fillPoly(bits, corners, 1, lineType=cv2.LINE_8, shift=_SHIFT)
    return trimmed(bits > 0, int(x0), int(y0))


def crosses_itself(ring: Ring) -> bool:
    """Whether two sides of a ring cross, those that share a corner aside."""
    corners = _finite(ring)
    count = len(corners)
    if count < 4 or count > 2000:
        return False
    a, b = corners, np.roll(corners, -1, axis=0)
    for k in range(count - 2):
        others = slice(k + 2, count - (k == 0))
        if _crossing(a[k], b[k], a[others], b[others]):
            return True
    return False


def _crossing(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64], d: NDArray[np.float64]) -> bool:
    """Whether the side from `a` to `b` (2,) crosses one of those from `c` to `d` (n, 2)."""

    def side(p: NDArray[np.float64], q: NDArray[np.float64], r: NDArray[np.float64]) -> NDArray[np.float64]:
        along, to = q - p, r - p
        return np.asarray(np.sign(along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0]))

    return bool(np.any((side(a, b, c) * side(a, b, d) < 0) & (side(c, d, a) * side(c, d, b) < 0)))


def _finite(ring: Ring) -> NDArray[np.float64]:
    corners = np.array(ring, np.float64).reshape(-1, 2)
    return np.clip(corners[np.isfinite(corners).all(axis=1)], -1e6, 1e6)
