"""Simulated clicks: RITM's annotator, UncertainSAM's prompts, and SUM's draws by certainty.

Source: Sofiiuk et al. 2022 (RITM), evaluation protocol: the next click goes to the middle of the largest error. The
distance transform runs over all errors of one sign, with the frame of the bitmap as a boundary. A pixel is never
clicked twice. On a tie the click is negative. Of equal maxima the first in row-major order is taken, so that the
annotator is deterministic.

Source: Kaiser et al. 2025 (UncertainSAM): the prompts of its data. Source: Liu et al. 2024 (SUM), section 3.2.2: clicks
by certainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.masks import crop, distances
from samtta_app.core.types import BoolArray, Click, FloatArray, Mask, Window

DENSE_CLICKS = 8
"""Clicks of the dense prompt."""

BOX_NOISE, BOX_NOISE_LIMIT = 0.1, 20 / 1024
"""Error of a drawn box: standard deviation in sides of the box, and its limit in sides of the input (20 of SAM's 1024)."""

_REACH = 0.01
"""Radius in which another click would have been equally likely: a share of the window's side, at least 2 pixels."""


# --- RITM ------------------------------------------------------------------------------------------------------------


def depth(bits: BoolArray) -> FloatArray:
    """Distance of every object pixel to the nearest background pixel or to the frame, (h, w) float32; 0 elsewhere."""
    return distances(np.pad(bits, 1))[1:-1, 1:-1]


def next_click(target: Mask, shown: Mask | None, clicks: Sequence[Click], extent: Window) -> Click | None:
    """The next click of RITM's annotator, None when nothing is wrong.

    Args:
        target: the mask that the annotator has in mind.
        shown: the mask on the screen, None before the first click.
        clicks: the clicks so far (never repeated).
        extent: the image's whole window.
    """
    found = errors(target, shown, extent)
    fresh = ~clicked(clicks, found.frame)
    missed, wrong = depth(found.missed) * fresh, depth(found.wrong) * fresh
    positive = bool(missed.max() > wrong.max())
    chosen = missed if positive else wrong
    if chosen.max() <= 0:
        return None
    row, column = np.unravel_index(int(np.argmax(chosen)), chosen.shape)
    return found.click(int(row), int(column), positive)


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """The errors in `frame`, outside of which there are none: both (h, w) bool.

    `missed` is object that is not shown (false negative). `wrong` is shown, but background (false positive).
    """

    frame: Window
    missed: BoolArray
    wrong: BoolArray

    def click(self, row: int, column: int, positive: bool) -> Click:
        """The click on a pixel of the frame."""
        return Click(float(column + self.frame.x), float(row + self.frame.y), positive)


def errors(target: Mask, shown: Mask | None, extent: Window) -> Errors:
    """The difference between the mask on the screen (None: empty) and the one that the annotator has in mind."""
    frame = _errors_frame(target, shown, extent)
    wanted = crop(target, frame)
    got = crop(shown, frame) if shown else np.zeros_like(wanted)
    return Errors(frame, wanted & ~got, got & ~wanted)


def clicked(clicks: Sequence[Click], frame: Window) -> BoolArray:
    """The clicked pixels of the frame, (h, w) bool."""
    found = np.zeros((frame.height, frame.width), dtype=np.bool_)
    for click in clicks:
        row, column = round(click.y) - frame.y, round(click.x) - frame.x
        if 0 <= row < frame.height and 0 <= column < frame.width:
            found[row, column] = True
    return found


def _errors_frame(target: Mask, shown: Mask | None, extent: Window) -> Window:
    """The smallest window that holds both masks, with a ring of background where the image has one.

    The result is exact, and faster than on the whole image.
    """
    masks = [target] if shown is None else [target, shown]
    x0 = max(min(m.x for m in masks) - 1, extent.x)
    y0 = max(min(m.y for m in masks) - 1, extent.y)
    x1 = min(max(m.x + m.bits.shape[1] for m in masks) + 1, extent.x + extent.width)
    y1 = min(max(m.y + m.bits.shape[0] for m in masks) + 1, extent.y + extent.height)
    return Window(x0, y0, max(x1 - x0, 1), max(y1 - y0, 1))


# --- UncertainSAM ----------------------------------------------------------------------------------------------------


def usam_clicks(mask: Mask, extent: Window, rng: np.random.Generator, count: int = DENSE_CLICKS) -> tuple[Click, ...]:
    """One click nearest the eroded mask's centroid, then `count` - 1 random clicks in the eroded mask, all positive.

    The erosion uses a 5 x 5 square. A mask that vanishes by it is used unchanged. A pixel is drawn twice only where
    there are too few. The frame of the image `extent` does not erode. An empty mask gets no click.
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
    """Clicks that a user could equally well have made: same sign, within _REACH, on the same side of the outline.

    Where no pixel in reach is on the click's side (the mask does not obey it), the side does not count.
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


# --- SUM -------------------------------------------------------------------------------------------------------------


def sampled_pixel(
    region: BoolArray, certainty: NDArray[np.floating], rng: np.random.Generator
) -> tuple[int, int] | None:
    """A pixel (column, row) of `region` (h, w), drawn with a probability proportional to its certainty (h, w).

    None where the region is empty or has no certainty above 0. Values that are not finite count as 0. Source: SUM,
    section 3.2.2.
    """
    rows, columns = np.nonzero(region)
    weights = np.nan_to_num(certainty[rows, columns].astype(np.float64), posinf=0.0, neginf=0.0).clip(min=0)
    if not weights.sum() > 0:
        return None
    drawn = int(rng.choice(len(rows), p=weights / weights.sum()))
    return int(columns[drawn]), int(rows[drawn])


def sampled_click(
    target: BoolArray,
    shown: BoolArray | None,
    certainty: NDArray[np.floating],
    rng: np.random.Generator,
    backup: Click | None = None,
) -> Click | None:
    """The next simulated click on a mask of limited certainty, in pixels of the arrays (h, w).

    The first click (`shown` None) lies in `target`. A later click lies where `shown` is wrong: it includes what is
    missed or excludes what is too much. `backup` is used where no pixel can be drawn.
    """
    place = sampled_pixel(target if shown is None else target != shown, certainty, rng)
    if place is None:
        return backup
    x, y = place
    return Click(float(x), float(y), bool(target[y, x]))
