"""Simulated annotators that differ in where they click, behind one seam, by name.

Random draws depend only on the bench's seed, the image, the object and the number of the click. The frozen and the
adapting decoder get the same draws. So does an object that comes at another place of the stream.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.clicks import Errors, clicked, depth, errors, next_click
from samtta_app.core.masks import distances
from samtta_app.core.types import BoolArray, Click, FloatArray, Mask, Window
from samtta_app.errors import UserError

Clicker = Callable[[Mask, Mask | None, Sequence[Click], Window, np.random.Generator], Click | None]
"""(target, shown mask or None, clicks so far, the image's window, random numbers) -> the next click; None without error."""

Choice = Callable[[Mask, Mask | None, Sequence[Click], Window], Click | None]
"""A clicker whose random draws are fixed."""

STEEPNESS = 2.0
"""Exponent of the realistic clicker's density."""

SLIP_LEAST, SLIP_MOST = 3.0, 10.0
"""How far a careless click lands from where it was meant, in pixels."""


def ritm(
    target: Mask, shown: Mask | None, clicks: Sequence[Click], extent: Window, rng: np.random.Generator
) -> Click | None:
    """RITM's click (Sofiiuk et al. 2022), the engine's own; nothing is random."""
    return next_click(target, shown, clicks, extent)


def schoen(
    target: Mask, shown: Mask | None, clicks: Sequence[Click], extent: Window, rng: np.random.Generator
) -> Click | None:
    """The click of the released code that follows Schoen et al. 2024 (WSESeg, 2024).

    It differs from RITM's in three points. The frame of the image is no boundary, so that clicks may land on it. A pixel
    may be clicked again. Of equal maxima one is drawn. The sign is chosen as RITM does (a tie is negative).
    """
    found = errors(target, shown, extent)
    deepest, positive = _unpadded_deepest(found)
    return _at(found, int(rng.choice(np.flatnonzero(deepest))), positive) if deepest.any() else None


def schoen_released(
    target: Mask, shown: Mask | None, clicks: Sequence[Click], extent: Window, rng: np.random.Generator
) -> Click | None:
    """As `schoen`, but row and column are drawn apart from those of all maxima, as in the released code.

    Where there are several maxima the click can miss them all.
    """
    found = errors(target, shown, extent)
    deepest, positive = _unpadded_deepest(found)
    rows, columns = np.nonzero(deepest)
    return found.click(int(rng.choice(rows)), int(rng.choice(columns)), positive) if rows.size else None


def realistic(
    target: Mask, shown: Mask | None, clicks: Sequence[Click], extent: Window, rng: np.random.Generator
) -> Click | None:
    """A click drawn from a clickability density over the errors, after RClicks (Antonov et al. 2024).

    RClicks learned its density from real users; here a simple formula replaces it. The connected parts (8 neighbours) of
    the missed and of the wrongly shown pixels form one list. A part is drawn from it with a probability proportional to its
    area (without pixels that were clicked). Its kind, missed or wrongly shown, decides the sign. In the part, the density
    is (d / largest d) ** STEEPNESS. Here d is the distance to the next pixel outside the part or to the frame of the image.
    Clicks thus fall near the middle, not exactly on it. The outermost pixels (d <= 1) are never clicked where deeper ones
    are left in the part.
    """
    found = errors(target, shown, extent)
    fresh = ~clicked(clicks, found.frame)
    missed, wrong = _labelled(found.missed), _labelled(found.wrong)
    sizes = [np.bincount(labels[fresh], minlength=labels.max() + 1)[1:] for labels in (missed, wrong)]
    areas = np.concatenate(sizes).astype(np.float64)
    if not areas.any():
        return None
    drawn = int(rng.choice(areas.size, p=areas / areas.sum()))
    positive = drawn < sizes[0].size
    part = missed == drawn + 1 if positive else wrong == drawn + 1 - sizes[0].size
    density = clickability(part) * fresh
    if not density.any():  # only the outermost pixels are left
        density = (part & fresh).astype(np.float32)
    weights = density.ravel().astype(np.float64)
    return _at(found, int(rng.choice(weights.size, p=weights / weights.sum())), positive)


def clickability(part: BoolArray) -> FloatArray:
    """The realistic clicker's density over one connected part (h, w) float32, 1 at its deepest pixels, 0 outside."""
    inside = depth(part)
    most = float(inside.max())
    if most > 1:
        inside[inside <= 1] = 0
    return np.asarray((inside / most) ** STEEPNESS, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Careless:
    """RITM's click, but with probability `share` it slips.

    Half of the slips have the wrong sign. The others land SLIP_LEAST to SLIP_MOST pixels away in a random direction (both
    uniform). A click that would leave the image is moved into it.
    """

    share: float

    def __call__(
        self, target: Mask, shown: Mask | None, clicks: Sequence[Click], extent: Window, rng: np.random.Generator
    ) -> Click | None:
        """The next click."""
        meant = next_click(target, shown, clicks, extent)
        chance, angle, distance = rng.random(), rng.uniform(0, 2 * np.pi), rng.uniform(SLIP_LEAST, SLIP_MOST)
        if meant is None or chance >= self.share:
            return meant
        if chance < self.share / 2:
            return replace(meant, positive=not meant.positive)
        x = float(np.clip(meant.x + distance * np.cos(angle), extent.x, extent.x + extent.width - 1))
        y = float(np.clip(meant.y + distance * np.sin(angle), extent.y, extent.y + extent.height - 1))
        return Click(x, y, meant.positive)


CLICKERS: Mapping[str, Clicker] = {
    "ritm": ritm,
    "schoen": schoen,
    "schoen-released": schoen_released,
    "realistic": realistic,
    "careless5": Careless(0.05),
    "careless10": Careless(0.10),
}
"""Every clicker, the default first."""


def clicker(name: str) -> Clicker:
    """The clicker of this name.

    Raises:
        UserError: there is none.
    """
    if name not in CLICKERS:
        near = difflib.get_close_matches(name, CLICKERS, n=1)
        advice = f"Did you mean {near[0]}?" if near else f"There are {', '.join(CLICKERS)}"
        raise UserError(f"There is no clicker named {name!r}", "", advice)
    return CLICKERS[name]


def with_luck(chosen: Clicker, seed: int, image: str, instance: int) -> Choice:
    """The clicker with one object's random draws: the k-th click gets the same numbers whatever came before."""

    def choose(target: Mask, shown: Mask | None, clicks: Sequence[Click], extent: Window) -> Click | None:
        rng = np.random.default_rng([seed, instance, len(clicks), *os.fsencode(image)])
        return chosen(target, shown, clicks, extent, rng)

    return choose


def _unpadded_deepest(found: Errors) -> tuple[BoolArray, bool]:
    """The deepest pixels of the larger kind of error (h, w), none without errors; whether they are missed object."""
    missed, wrong = _unpadded_depth(found.missed), _unpadded_depth(found.wrong)
    positive = bool(missed.max() > wrong.max())
    chosen = missed if positive else wrong
    return np.asarray((chosen == chosen.max()) & (chosen > 0)), positive


def _unpadded_depth(bits: BoolArray) -> FloatArray:
    """Distance of every object pixel to the nearest other pixel (h, w) float32; the frame is no boundary."""
    if bits.all():
        return np.full(bits.shape, np.inf, dtype=np.float32)
    return distances(bits)


def _labelled(region: BoolArray) -> NDArray[np.int32]:
    """The connected parts of a region (8 neighbours), numbered from 1 (h, w) int32."""
    return np.asarray(cv2.connectedComponents(region.astype(np.uint8), connectivity=8)[1], dtype=np.int32)


def _at(found: Errors, place: int, positive: bool) -> Click:
    row, column = divmod(place, found.frame.width)
    return found.click(row, column, positive)
