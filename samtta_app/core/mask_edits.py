"""What a hand does to a whole mask: join, cut, fill, drop, grow, shrink, smooth, move. Masks are cropped, arrays are new."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.masks import bounding_box, crop, holds, trimmed
from samtta_app.core.tidy import CRUMB_SHARE
from samtta_app.core.types import BoolArray, FloatArray, Logits, Mask, Window

ShapeChange = Literal["fill_holes", "drop_crumbs", "largest_part", "grow", "shrink", "smooth"]
"""What can be done to the shape of a mask as a whole."""

SURE_LOGIT = 7.0
"""Size of the logits of what a hand has drawn: a probability of 0.999, above nearly all that a decoder says."""

DRAWN_CELLS = 256
"""Side of the logits of a mask that no model has answered: SAM's own grid."""

MOST_SAMPLES = 2048
"""Pixels along a window that are looked at for its cells; of a larger window every second, third, ... one."""

_SMOOTH = 2
"""Half the side of the square over which a smoothed mask takes the majority, in pixels."""

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
"""A pixel and its four neighbours."""


def joined(one: Mask | None, other: Mask) -> Mask:
    """The pixels of either mask."""
    if one is None or not one.bits.any():
        return other
    frame = _frame(one, other)
    return trimmed(crop(one, frame) | crop(other, frame), frame.x, frame.y)


def taken_off(one: Mask, other: Mask) -> Mask:
    """The pixels of the first mask that are not in the other."""
    height, width = one.bits.shape
    frame = Window(one.x, one.y, width, height)
    return trimmed(one.bits & ~crop(other, frame), one.x, one.y)


def without_part(mask: Mask, x: float, y: float) -> Mask:
    """The mask without the connected part that holds an image point; the same mask where the point is on none."""
    if not holds(mask, x, y):
        return mask
    labels, _ = _sized_parts(mask.bits)
    return trimmed(mask.bits & (labels != labels[round(y) - mask.y, round(x) - mask.x]), mask.x, mask.y)


def reshaped(mask: Mask, change: ShapeChange, extent: Window) -> Mask:
    """The mask after one change of its shape, inside the image `extent`; what would leave no pixel changes nothing."""
    if not mask.bits.any():
        return mask
    found = _CHANGES[change](mask, extent)
    return found if found.bits.any() else mask


def _fill_holes(mask: Mask, extent: Window) -> Mask:
    """Every hole becomes object; what is open to the outside, also at the image's border, is none."""
    outside = np.pad(~mask.bits, 1, constant_values=True)
    _, labels = cv2.connectedComponents(outside.astype(np.uint8), connectivity=4)
    return trimmed((labels != labels[0, 0])[1:-1, 1:-1] | mask.bits, mask.x, mask.y)


def _drop_crumbs(mask: Mask, extent: Window) -> Mask:
    """Parts smaller than CRUMB_SHARE of the largest one go."""
    labels, sizes = _sized_parts(mask.bits)
    kept = sizes >= CRUMB_SHARE * sizes.max()
    kept[0] = False
    return trimmed(kept[labels], mask.x, mask.y)


def _largest_part(mask: Mask, extent: Window) -> Mask:
    labels, sizes = _sized_parts(mask.bits)
    return trimmed(labels == int(sizes.argmax()), mask.x, mask.y)


def _sized_parts(bits: BoolArray) -> tuple[NDArray[np.int32], FloatArray]:
    """Labels (h, w) of connected parts, corners included, and the pixels of each; the background, 0, has none."""
    _, labels, figures, _ = cv2.connectedComponentsWithStats(bits.astype(np.uint8), connectivity=8)
    sizes = figures[:, cv2.CC_STAT_AREA].astype(np.float32)
    sizes[0] = 0
    return np.asarray(labels, np.int32), sizes


def _grow(mask: Mask, extent: Window) -> Mask:
    frame = _cut(Window(mask.x - 1, mask.y - 1, mask.bits.shape[1] + 2, mask.bits.shape[0] + 2), extent)
    return trimmed(cv2.dilate(crop(mask, frame).astype(np.uint8), _CROSS) > 0, frame.x, frame.y)


def _shrink(mask: Mask, extent: Window) -> Mask:
    """The image's border does not shrink a mask: the object goes on beyond it."""
    frame = Window(mask.x - 1, mask.y - 1, mask.bits.shape[1] + 2, mask.bits.shape[0] + 2)
    bits = crop(mask, frame)
    inside = _cut(frame, extent)
    rows = slice(inside.y - frame.y, inside.y - frame.y + inside.height)
    columns = slice(inside.x - frame.x, inside.x - frame.x + inside.width)
    kept = cv2.erode(bits[rows, columns].astype(np.uint8), _CROSS, borderType=cv2.BORDER_REPLICATE) > 0
    return trimmed(kept, inside.x, inside.y)


def _smooth(mask: Mask, extent: Window) -> Mask:
    """Each pixel takes the side of most pixels about it; the image's border is repeated outwards."""
    pad, side = 2 * _SMOOTH, 2 * _SMOOTH + 1
    frame = _cut(Window(mask.x - pad, mask.y - pad, mask.bits.shape[1] + 2 * pad, mask.bits.shape[0] + 2 * pad), extent)
    bits = crop(mask, frame).astype(np.float32)
    mean = cv2.blur(bits, (side, side), borderType=cv2.BORDER_REPLICATE)
    return trimmed(mean > 0.5, frame.x, frame.y)


_CHANGES: dict[ShapeChange, Callable[[Mask, Window], Mask]] = {
    "fill_holes": _fill_holes,
    "drop_crumbs": _drop_crumbs,
    "largest_part": _largest_part,
    "grow": _grow,
    "shrink": _shrink,
    "smooth": _smooth,
}


def halves(mask: Mask, start: tuple[float, float], end: tuple[float, float]) -> tuple[Mask, Mask]:
    """Both sides of a mask along a straight line through two points (x, y), which goes on beyond them.

    No pixel is lost: the second mask holds those on the line. A side without a pixel is an empty mask.
    """
    height, width = mask.bits.shape
    rows, columns = np.mgrid[:height, :width]
    (x, y), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
    across = dx * (rows + mask.y - y) - dy * (columns + mask.x - x)
    one = mask.bits & (across < 0)
    return trimmed(one, mask.x, mask.y), trimmed(mask.bits & ~one, mask.x, mask.y)


def moved_mask(mask: Mask, dx: int, dy: int, extent: Window) -> Mask:
    """The mask moved by whole pixels, cut to the image."""
    moved = Mask(mask.x + dx, mask.y + dy, mask.bits)
    frame = _cut(Window(moved.x, moved.y, mask.bits.shape[1], mask.bits.shape[0]), extent)
    return trimmed(crop(moved, frame), frame.x, frame.y)


def drawn_logits(mask: Mask, window: Window, before: Logits | None = None, shown: Mask | None = None) -> Logits:
    """Logits that say what a hand has drawn, to be given back to a decoder with the next click.

    Cells that the drawing changed get SURE_LOGIT, with the sign of most of their pixels. All others keep what the decoder said.

    Args:
        mask: as it is drawn now.
        window: over which the logits are.
        before: the decoder's logits of `shown`; used where they are of the same window.
        shown: the mask before it was drawn on.
    """
    kept = before if before is not None and before.window == window and shown is not None else None
    cells = len(kept.values) if kept is not None else DRAWN_CELLS
    share = _share(mask, window, cells)
    values = ((2 * share - 1) * SURE_LOGIT).astype(np.float32)
    if kept is not None and shown is not None:
        changed = np.abs(share - _share(shown, window, cells)) > 0
        values = np.where(changed, values, kept.values).astype(np.float32)
    return Logits(window, values)


def _share(mask: Mask, window: Window, cells: int) -> FloatArray:
    """Share of object in each cell (cells, cells) of the window, padded to a square."""
    step = max(window.side // MOST_SAMPLES, 1)
    side = -(-window.side // step)
    places = np.arange(side) * step + step // 2
    rows, columns = (
        places[places < window.height] + window.y - mask.y,
        places[places < window.width] + window.x - mask.x,
    )
    height, width = mask.bits.shape
    tall, wide = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    square = np.zeros((side, side), np.float32)
    square[np.ix_(np.flatnonzero(tall), np.flatnonzero(wide))] = mask.bits[np.ix_(rows[tall], columns[wide])]
    found = cv2.resize(square, (cells, cells), interpolation=cv2.INTER_AREA if cells < side else cv2.INTER_NEAREST)
    return np.asarray(found, np.float32)


def holds_mask(window: Window, mask: Mask) -> bool:
    """Whether every object pixel lies in the window."""
    box = bounding_box(mask)
    return box is None or (window.contains(box.x0, box.y0) and window.contains(box.x1, box.y1))


def _frame(one: Mask, other: Mask) -> Window:
    """The smallest window that holds both."""
    x, y = min(one.x, other.x), min(one.y, other.y)
    right = max(m.x + m.bits.shape[1] for m in (one, other))
    bottom = max(m.y + m.bits.shape[0] for m in (one, other))
    return Window(x, y, right - x, bottom - y)


def _cut(window: Window, extent: Window) -> Window:
    """The part of a window inside the image; one pixel of the image where there is none."""
    x0, y0 = max(window.x, extent.x), max(window.y, extent.y)
    x1 = min(window.x + window.width, extent.x + extent.width)
    y1 = min(window.y + window.height, extent.y + extent.height)
    if x0 >= x1 or y0 >= y1:
        return Window(extent.x, extent.y, 1, 1)
    return Window(x0, y0, x1 - x0, y1 - y0)
