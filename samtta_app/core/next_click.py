"""Where one more click would help most, judged only by the mask's uncertainty."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from samtta_app.core.clicks import depth
from samtta_app.core.masks import holds
from samtta_app.core.types import BoolArray, Click, Logits, Mask

UNCERTAIN = 0.5
"""Minimum entropy, in bits, of an uncertain cell: p between .11 and .89."""


def suggested_click(uncertainty: Logits, shown: Mask, clicks: Sequence[Click] = ()) -> Click | None:
    """The deepest point of the most uncertain region, with the sign that flips its pixel; None where there is none.

    A region is a connected part (8 neighbours) of the cells of UNCERTAIN bits or more. The region with the largest sum
    of entropy is taken. In it, the cell farthest from any other cell is taken, and on a tie the most uncertain one. The
    user decides whether the sign is right.

    Args:
        uncertainty: a map of entropy in bits (g, g) over a window; values that are not finite count as certain.
        shown: the mask on the screen.
        clicks: the clicks so far; their cells are not suggested.
    """
    cells = uncertain_cells(uncertainty, clicks)
    count, labels = cv2.connectedComponents(cells.astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    sums = np.bincount(labels[cells], weights=uncertainty.values[cells], minlength=count)
    inside = depth(np.asarray(labels == int(np.argmax(sums)), np.bool_))
    deepest = np.where(inside == inside.max(), uncertainty.values, -np.inf)
    row, column = np.unravel_index(int(np.argmax(deepest)), deepest.shape)
    return click_at(uncertainty, shown, int(row), int(column))


def random_click(uncertainty: Logits, shown: Mask, clicks: Sequence[Click], rng: np.random.Generator) -> Click | None:
    """A click on a uniformly drawn uncertain cell, as a baseline for `suggested_click`; None where there is none."""
    places = np.argwhere(uncertain_cells(uncertainty, clicks))
    if not len(places):
        return None
    row, column = places[int(rng.integers(len(places)))]
    return click_at(uncertainty, shown, int(row), int(column))


def uncertain_cells(uncertainty: Logits, clicks: Sequence[Click]) -> BoolArray:
    """Cells (g, g) that show the image, are uncertain and hold no click."""
    window, values = uncertainty.window, uncertainty.values
    size = window.side / len(values)
    starts = np.arange(len(values)) * size
    found = np.asarray(np.nan_to_num(values, nan=0.0, posinf=0.0) >= UNCERTAIN, np.bool_)
    found &= (starts < window.height)[:, None] & (starts < window.width)
    for click in clicks:
        column, row = int((click.x - window.x + 0.5) // size), int((click.y - window.y + 0.5) // size)
        if 0 <= row < len(values) and 0 <= column < len(values):
            found[row, column] = False
    return found


def click_at(uncertainty: Logits, shown: Mask, row: int, column: int) -> Click:
    """The click in the middle of a cell, on a whole pixel: negative inside the shown mask, positive outside."""
    window = uncertainty.window
    size = window.side / len(uncertainty.values)
    x = window.x + min(max(round((column + 0.5) * size - 0.5), 0), window.width - 1)
    y = window.y + min(max(round((row + 0.5) * size - 0.5), 0), window.height - 1)
    return Click(float(x), float(y), not holds(shown, x, y))
