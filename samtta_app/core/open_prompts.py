"""First prompts that leave open which of several outlines is meant: a loose box, and a click in what they share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samtta_app.core.clicks import next_click
from samtta_app.core.masks import bounding_box, full, trimmed
from samtta_app.core.types import Box, Click, Mask, Window

BOX_WINDOW = 2.5
"""Side of the window in which a box is answered, in sides of the box."""


def loose_box(
    outlines: Sequence[Mask], extent: Window, scale: tuple[float, float], shift: float, rng: np.random.Generator
) -> Box:
    """The smallest box that holds all outlines, scaled and moved at random, cut to the image.

    Args:
        scale: lowest and highest factor of both sides.
        shift: largest move along each axis, in sides of the box's window.
    """
    boxes = [box for box in map(bounding_box, outlines) if box is not None]
    around = Box(
        min(box.x0 for box in boxes),
        min(box.y0 for box in boxes),
        max(box.x1 for box in boxes),
        max(box.y1 for box in boxes),
    )
    most = shift * BOX_WINDOW * (max(around.x1 - around.x0, around.y1 - around.y0) + 1)
    return moved_box(around, float(rng.uniform(*scale)), rng.uniform(-most, most, 2).tolist(), extent)


def moved_box(box: Box, factor: float, by: Sequence[float], extent: Window) -> Box:
    """A box whose sides are scaled and whose middle is moved `by` (x, y) pixels, cut to the image; never less than a pixel."""
    ends = []
    for low, high, move, length in ((box.x0, box.x1, by[0], extent.width), (box.y0, box.y1, by[1], extent.height)):
        middle, half = (low + high) / 2 + move, (high - low) / 2 * factor
        start = min(max(middle - half, 0.0), length - 2.0)
        ends.append((start, min(max(middle + half, start + 1), length - 1.0)))
    return Box(ends[0][0], ends[1][0], ends[0][1], ends[1][1])


def common_click(
    outlines: Sequence[Mask], extent: Window, rng: np.random.Generator, *, off_middle: float = 0.0
) -> Click | None:
    """A click in what all outlines share, in its middle or anywhere; in the smallest outline where they share nothing."""
    bits = np.logical_and.reduce([full(mask, extent.height, extent.width) for mask in outlines])
    shared = trimmed(bits)
    if not shared.area:
        shared = min(outlines, key=lambda mask: mask.area)
    if rng.random() < off_middle:
        rows, columns = np.nonzero(shared.bits)
        k = int(rng.integers(rows.size))
        return Click(float(columns[k] + shared.x), float(rows[k] + shared.y), True)
    return next_click(shared, None, (), extent)
