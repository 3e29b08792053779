"""The clicks that UncertainSAM asks with: one near the middle of an object, the others anywhere in it.

Source: Kaiser et al. 2025, "UncertainSAM", the prompts of its data: one alone is the prompt, all together are the dense one.
"""

from __future__ import annotations

import cv2
import numpy as np

from samtta_app.core.masks import crop
from samtta_app.core.types import Click, Mask, Window

DENSE_CLICKS = 8
"""Clicks of the dense prompt."""

_REACH = 0.01
"""How far from where it was a click may as well have been, in sides of the window, but 2 pixels at least."""


def usam_clicks(mask: Mask, extent: Window, rng: np.random.Generator, count: int = DENSE_CLICKS) -> tuple[Click, ...]:
    """One click nearest the centroid of the mask eroded with a 5 x 5 square, then `count` - 1 random ones in it, all positive.

    A mask that vanishes by the erosion is taken as it is. A pixel is drawn twice only where there are too few. The frame of
    the image `extent` erodes nothing. No click for an empty mask.
    """
    if not mask.bits.any():
        return ()
    height, width = mask.bits.shape
    x0, y0 = max(mask.x - 2, extent.x), max(mask.y - 2, extent.y)
    x1, y1 = min(mask.x + width + 2, extent.x + extent.width), min(mask.y + height + 2, extent.y + extent.height)
    bits = crop(mask, Window(x0, y0, x1 - x0, y1 - y0))
    core = cv2.erode(bits.astype(np.uint8), np.ones((5, 5), np.uint8))
    rows, columns = np.nonzero(core if core.any() else bits)
    middle = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
    others = rng.choice(len(rows), count - 1, replace=len(rows) < count - 1)
    return tuple(Click(float(x0 + columns[i]), float(y0 + rows[i]), True) for i in (middle, *others))


def clicks_near(
    click: Click, shown: Mask, window: Window, count: int = DENSE_CLICKS, seed: int = 0
) -> tuple[Click, ...]:
    """Clicks of the same sign that a person might as well have made: within REACH of it, on the same side of the outline.

    Where no pixel of the reach is on the click's side (the mask does not obey it), the side does not count.
    """
    reach = max(_REACH * window.side, 2.0)
    r, x, y = int(reach), round(click.x), round(click.y)
    x0, y0 = max(x - r, window.x), max(y - r, window.y)
    x1, y1 = min(x + r + 1, window.x + window.width), min(y + r + 1, window.y + window.height)
    frame = Window(x0, y0, max(x1 - x0, 1), max(y1 - y0, 1))
    rows, columns = np.mgrid[: frame.height, : frame.width]
    near = (rows + frame.y - y) ** 2 + (columns + frame.x - x) ** 2 <= reach**2
    same = near & (crop(shown, frame) == click.positive)
    places = np.argwhere(same if same.any() else near)
    if not len(places):
        return (click,) * count
    drawn = places[np.random.default_rng(seed).choice(len(places), count, replace=len(places) < count)]
    return tuple(Click(float(column + frame.x), float(row + frame.y), click.positive) for row, column in drawn)
