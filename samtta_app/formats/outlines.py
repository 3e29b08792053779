"""Between bitmaps and polygons: outlines along the pixels' edges that keep holes and parts, and OpenCV's borders.

Two conventions exist. In the first, pixel (0, 0) covers 0 .. 1, and a polygon runs along edges: COCO, CVAT, GeoJSON.
In the second, a polygon runs through the centres of the border pixels, which belong to the object: YOLO, labelme.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.types import BoolArray, Mask

OutlineRing = NDArray[np.float64]
"""Corners (n, 2) of a closed line, x before y; the first is not repeated at the end."""

LONGEST_RING = 1_000_000
"""Corners of a polygon that is read; the longest border of an image of 60 megapixels has fewer."""

LONGEST_WAY = 1e7
"""Pixels along a polygon that is read: pycocotools takes 40 bytes for each."""

FARTHEST = 1e6
"""Pixels that a polygon's corner may lie outside the image; what lies outside is cut off."""


@dataclass(frozen=True, slots=True, eq=False)
class OutlinePart:
    """A connected part of a mask: its outer ring and the rings of its holes, in pixel corners of the image."""

    outer: OutlineRing
    holes: tuple[OutlineRing, ...]


def parts_of(mask: Mask) -> tuple[OutlinePart, ...]:
    """The parts of a mask (pixels that share an edge belong together), with outlines along the pixels' edges.

    Every outline is exact: `within` gives the bitmap back. Outer rings run clockwise on the screen.
    """
    bits = np.ascontiguousarray(mask.bits)
    labels = cv2.connectedComponents(bits.astype(np.uint8), connectivity=4)[1]
    outers: dict[int, OutlineRing] = {}
    holes: dict[int, list[OutlineRing]] = {}
    for ring in _rings(bits):
        x, y = ring[0]
        placed = np.asarray(ring + np.array([mask.x, mask.y]), dtype=np.float64)
        if y < bits.shape[0] and x < bits.shape[1] and bits[y, x]:
            outers[int(labels[y, x])] = placed
        else:
            holes.setdefault(int(labels[y - 1, x]), []).append(placed)
    return tuple(OutlinePart(outer, tuple(holes.get(label, ()))) for label, outer in outers.items())


def _rings(bits: BoolArray) -> Iterator[NDArray[np.int64]]:
    """The outlines of a bitmap, each from its top-left corner to the right.

    A corner is a place where the border turns. Of the corners of one row, the first and the second bound a horizontal
    edge, the third and the fourth the next. The same holds for columns, so a ring alternates between both pairings.
    """
    padded = np.pad(bits, 1).astype(np.int8)
    tl, tr, bl, br = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    left, right, up, down = tl != bl, tr != br, tl != tr, bl != br
    twice = left & right & up & down
    y, x = np.nonzero(((left != right) & (up != down)) | twice)
    times = np.where(twice[y, x], 2, 1)
    second = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    y, x = np.repeat(y, times), np.repeat(x, times)
    double = twice[y, x]
    goes_right = np.where(double, second == 1, right[y, x])
    goes_down = np.where(double, (second == 1) == (tl[y, x] == 1), down[y, x])
    across = _paired(np.lexsort((goes_right, x, y)))
    along = _paired(np.lexsort((goes_down, y, x)))
    seen = np.zeros(len(y), dtype=np.bool_)
    for start in range(len(y)):
        if seen[start]:
            continue
        corners, at = [], start
        while not seen[at]:
            other = across[at]
            seen[at] = seen[other] = True
            corners += [at, other]
            at = along[other]
        yield np.stack([x[corners], y[corners]], axis=1)


def _paired(order: NDArray[np.intp]) -> list[int]:
    """For each corner its partner, where `order` lists partners one after the other."""
    partners = np.empty(len(order), dtype=np.intp)
    partners[order[0::2]], partners[order[1::2]] = order[1::2], order[0::2]
    found: list[int] = partners.tolist()
    return found


def within(rings: Iterable[OutlineRing], height: int, width: int) -> BoolArray:
    """The pixels (height, width) whose centres lie within an odd number of rings in pixel corners: holes stay open.

    Raises:
        ValueError: a ring is not valid (see `checked_ring`).
    """
    from skimage.draw import polygon as polygon_pixels  # the window's start does not need it

    bits = np.zeros((height, width), dtype=np.bool_)
    for ring in rings:
        x, y = checked_ring(ring).T
        rows, columns = polygon_pixels(y - 0.5, x - 0.5, (height, width))  # type: ignore[no-untyped-call]
        bits[rows, columns] ^= True
    return bits


def checked_ring(ring: object) -> OutlineRing:
    """Corners as an array (n, 2), from pairs or from a flat list.

    Raises:
        ValueError: there are fewer than three, too many, one that is no number, or one that lies far outside.
    """
    try:
        corners = np.asarray(ring, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError("a polygon holds something that is no number") from error
    if corners.ndim == 1 and corners.size % 2 == 0:
        corners = corners.reshape(-1, 2)
    if corners.ndim != 2 or corners.shape[1] != 2:
        raise ValueError("a polygon's corners are not pairs of numbers")
    if not 3 <= len(corners) <= LONGEST_RING:
        raise ValueError(f"a polygon has {len(corners)} corners")
    if not np.isfinite(corners).all():
        raise ValueError("a polygon has a corner that is not finite")
    if np.abs(corners).max() > FARTHEST:
        raise ValueError("a polygon has a corner far outside the image")
    if np.abs(np.diff(corners, axis=0)).sum() > LONGEST_WAY:
        raise ValueError("a polygon is too long for any image")
    return corners


def borders_of(mask: Mask) -> tuple[NDArray[np.int64], ...]:
    """The outer borders of a mask's parts (pixels that share a corner belong together), in pixel centres.

    `cv2.fillPoly` of a border gives its part back, with its holes filled.
    """
    bits = np.ascontiguousarray(mask.bits).astype(np.uint8)
    found = cv2.findContours(bits, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    borders = [border.reshape(-1, 2).astype(np.int64) + np.array([mask.x, mask.y]) for border in found]
    return tuple(sorted(borders, key=lambda border: (border[:, 1].min(), border[:, 0].min())))


def drawn(border: OutlineRing, height: int, width: int) -> BoolArray:
    """The pixels of a border in pixel centres, the border included, as OpenCV fills it."""
    bits = np.zeros((height, width), dtype=np.uint8)
    cv2.fillPoly(bits, [np.asarray(border, dtype=np.int32).reshape(-1, 1, 2)], 1)
    return bits.astype(np.bool_)
