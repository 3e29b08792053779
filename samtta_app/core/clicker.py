"""RITM's simulated annotator: the next click goes to the middle of the largest error.

Source: Sofiiuk et al. 2022 (RITM), evaluation protocol; the distance transform is taken over all errors of one sign, with
the frame of the bitmap as a boundary; a pixel is never clicked twice; on a tie the click is negative; of equal maxima the
first in row-major order is taken, so that the clicker is deterministic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from samtta_app.core.masks import crop
from samtta_app.core.types import BoolArray, Click, FloatArray, Mask, Window


def depth(bits: BoolArray) -> FloatArray:
    """Distance of every object pixel to the nearest other pixel or to the frame (h, w) float32, 0 elsewhere."""
    padded = np.pad(bits, 1).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1], dtype=np.float32)


def next_click(target: Mask, shown: Mask | None, clicks: Sequence[Click], extent: Window) -> Click | None:
    """The click that RITM's annotator would make next, None when nothing is wrong any more.

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
    """What is wrong in `frame`, the only part of the image where anything is: both (h, w) bool.

    `missed` is object that is not shown (false negative), `wrong` is shown and no object (false positive).
    """

    frame: Window
    missed: BoolArray
    wrong: BoolArray

    def click(self, row: int, column: int, positive: bool) -> Click:
        """The click on a pixel of the frame."""
        return Click(float(column + self.frame.x), float(row + self.frame.y), positive)


def errors(target: Mask, shown: Mask | None, extent: Window) -> Errors:
    """Where the mask on the screen (None: nothing is shown) differs from the one that the annotator has in mind."""
    frame = _errors_frame(target, shown, extent)
    wanted = crop(target, frame)
    got = crop(shown, frame) if shown else np.zeros_like(wanted)
    return Errors(frame, wanted & ~got, got & ~wanted)


def clicked(clicks: Sequence[Click], frame: Window) -> BoolArray:
    """Which pixels of the frame were clicked (h, w) bool."""
    found = np.zeros((frame.height, frame.width), dtype=np.bool_)
    for click in clicks:
        row, column = round(click.y) - frame.y, round(click.x) - frame.x
        if 0 <= row < frame.height and 0 <= column < frame.width:
            found[row, column] = True
    return found


def _errors_frame(target: Mask, shown: Mask | None, extent: Window) -> Window:
    """The smallest window that holds both masks, with a ring of background where the image has one: exact and fast."""
    masks = [target] if shown is None else [target, shown]
    x0 = max(min(m.x for m in masks) - 1, extent.x)
    y0 = max(min(m.y for m in masks) - 1, extent.y)
    x1 = min(max(m.x + m.bits.shape[1] for m in masks) + 1, extent.x + extent.width)
    y1 = min(max(m.y + m.bits.shape[0] for m in masks) + 1, extent.y + extent.height)
    return Window(x0, y0, max(x1 - x0, 1), max(y1 - y0, 1))
