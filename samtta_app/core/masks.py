"""Masks as bitmaps placed in an image: place, crop, compare, compress, and turn into training targets."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from samtta_app.core.types import BoolArray, Box, FloatArray, Mask, Window

IGNORE = -1
"""Label of pixels and cells that do not count."""


def trimmed(bits: BoolArray, x: int = 0, y: int = 0) -> Mask:
    """The mask of `bits` (h, w) placed at (x, y), cut to its object pixels (1 x 1 of background when empty)."""
    rows, columns = np.flatnonzero(bits.any(axis=1)), np.flatnonzero(bits.any(axis=0))
    if not rows.size:
        return Mask(x, y, np.zeros((1, 1), dtype=np.bool_))
    top, left = int(rows[0]), int(columns[0])
    return Mask(x + left, y + top, np.ascontiguousarray(bits[top : rows[-1] + 1, left : columns[-1] + 1]))


def crop(mask: Mask, window: Window) -> BoolArray:
    """The part of `mask` inside `window`: (window.height, window.width) bool."""
    out = np.zeros((window.height, window.width), dtype=np.bool_)
    height, width = mask.bits.shape
    x0, y0 = max(mask.x, window.x), max(mask.y, window.y)
    x1, y1 = min(mask.x + width, window.x + window.width), min(mask.y + height, window.y + window.height)
    if x0 < x1 and y0 < y1:
        out[y0 - window.y : y1 - window.y, x0 - window.x : x1 - window.x] = mask.bits[
            y0 - mask.y : y1 - mask.y, x0 - mask.x : x1 - mask.x
        ]
    return out


def full(mask: Mask, height: int, width: int) -> BoolArray:
    """`mask` as a bitmap of the whole image (height, width)."""
    return crop(mask, Window(0, 0, width, height))


def distances(bits: BoolArray) -> FloatArray:
    """Distance of every object pixel to the nearest background pixel, (h, w) float32; the frame is no boundary.

    Squared distances are whole numbers. They are rounded, since OpenCV's last bits vary from call to call: of equal
    distances now one, now another would be the largest.
    """
    found = cv2.distanceTransform(bits.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.sqrt(np.rint(np.square(found))), dtype=np.float32)


def middle_of(mask: Mask) -> tuple[float, float]:
    """The pixel that lies deepest in a mask, as x, y in image pixels; nothing outside the image is background."""
    deep = distances(np.pad(mask.bits, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(deep.argmax()), deep.shape)
    return float(mask.x + int(column)), float(mask.y + int(row))


def bounding_box(mask: Mask) -> Box | None:
    """The smallest box that holds every object pixel, None for an empty mask."""
    if not mask.bits.any():
        return None
    tight = trimmed(mask.bits, mask.x, mask.y)
    height, width = tight.bits.shape
    return Box(tight.x, tight.y, tight.x + width - 1, tight.y + height - 1)


def holds(mask: Mask, x: float, y: float) -> bool:
    """Whether the image point lies on an object pixel."""
    column, row = round(x) - mask.x, round(y) - mask.y
    height, width = mask.bits.shape
    return 0 <= row < height and 0 <= column < width and bool(mask.bits[row, column])


def to_rle(mask: Mask, height: int, width: int) -> bytes:
    """COCO's compressed run lengths of the whole image's bitmap; the cost is that of the mask's own rectangle."""
    x0, y0 = max(mask.x, 0), max(mask.y, 0)
    x1, y1 = min(mask.x + mask.bits.shape[1], width), min(mask.y + mask.bits.shape[0], height)
    ends = np.zeros(0, dtype=np.int64)
    if x0 < x1 and y0 < y1:
        rows = y1 - y0 + 1
        line = np.zeros((x1 - x0) * rows + 1, dtype=np.bool_)  # one row of background begins and ends every column
        line[1:].reshape(-1, rows)[:, :-1] = mask.bits[y0 - mask.y : y1 - mask.y, x0 - mask.x : x1 - mask.x].T
        column, row = np.divmod(np.flatnonzero(line[1:] != line[:-1]), rows)
        ends = (x0 + column) * height + y0 + row
        joined = np.flatnonzero(ends[1:-1:2] == ends[2::2])  # a run that goes on at the top of the next column
        if joined.size:
            ends = np.delete(ends, np.concatenate([2 * joined + 1, 2 * joined + 2]))
    bounds = np.concatenate([(0,), ends, (height * width,)])
    runs = bounds[1:] - bounds[:-1]
    counts = runs[: runs.size - (runs[-1] == 0)].tolist()
    return bytes(coco.frPyObjects({"size": [height, width], "counts": counts}, height, width)["counts"])


def from_rle(counts: bytes, height: int, width: int) -> Mask:
    """The mask whose whole-image bitmap has these COCO run lengths.

    Raises:
        ValueError: `counts` do not describe a height x width bitmap.
    """
    runs = _runs(counts)
    if runs is None or runs.sum() != height * width:
        raise ValueError(f"run lengths are not of a {height} x {width} bitmap")
    return from_runs(runs, height)


def from_runs(runs: NDArray[np.int64], height: int) -> Mask:
    """The mask of run lengths down the columns of an image of this height, background first; none is negative."""
    ends = np.cumsum(runs)
    starts, ends = ends[0::2][: ends.size // 2], ends[1::2]
    starts, ends = starts[starts < ends], ends[starts < ends]
    if not starts.size:
        return Mask(0, 0, np.zeros((1, 1), dtype=np.bool_))
    left, right = int(starts[0] // height), int((ends[-1] - 1) // height)
    turns = np.zeros((right - left + 1) * height + 1, dtype=np.int8)
    turns[starts - left * height] += 1  # no two runs start or end together
    turns[ends - left * height] -= 1
    return trimmed(np.cumsum(turns[:-1], dtype=np.int8).astype(np.bool_).reshape(-1, height).T, left, 0)


def covers(counts: bytes, pixels: int) -> bool:
    """Whether these are well-formed COCO run lengths of a bitmap with exactly `pixels` pixels."""
    runs = _runs(counts)
    return runs is not None and bool(runs.sum() == pixels)


def _runs(counts: bytes) -> NDArray[np.int64] | None:
    """The run lengths that COCO compressed; None where they are not well-formed.

    A run is one or more characters (value + 48) of five bits each, lowest bits first. The sixth bit means that more
    follow. The last character's fifth bit is the sign. From the fourth run on, each value is the difference to the run
    two places before (pycocotools).
    """
    codes = np.frombuffer(counts, dtype=np.uint8).astype(np.int64) - ord("0")
    if not codes.size or codes.min() < 0 or codes.max() > 63 or codes[-1] & 32:
        return None
    ends = np.flatnonzero(codes & 32 == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 7:  # 35 bits: more than any image has pixels
        return None
    shifts = 5 * (np.arange(codes.size) - np.repeat(starts, lengths))
    runs = np.add.reduceat((codes & 31) << shifts, starts)
    runs -= np.where(codes[ends] & 16, 1 << (5 * lengths), 0)
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    return np.asarray(runs) if runs.min() >= 0 else None


def trimap(bits: BoolArray, band: int) -> NDArray[np.int8]:
    """Training target with an undecided boundary: 1 object, 0 background, IGNORE within `band` pixels of the boundary.

    Object and background are eroded separately, and each keeps at least one pixel where it had one. The frame of the
    bitmap is no boundary, since a mask that leaves the window continues outside.
    """
    target = np.full(bits.shape, IGNORE, dtype=np.int8)
    target[_core(bits, band)] = 1
    target[_core(~bits, band)] = 0
    return target


def _core(bits: BoolArray, band: int) -> BoolArray:
    if not bits.any() or bits.all():
        return bits
    distance = distances(bits)
    return np.asarray(distance > min(float(band), float(distance.max()) - 1e-3), dtype=np.bool_)
