"""Proposals: masks that were found without a click, to be accepted or rejected. Nothing of them is applied unseen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from samtta_app.core.calibration import Calibration
from samtta_app.core.metrics import iou
from samtta_app.core.types import Box, Click, Mask, Window

Origin = Literal["grid", "boxes", "alike"]
"""How a proposal was found: by a grid of clicks, in a detector's box, or because it looks like a chosen object."""

ORIGINS: tuple[Origin, ...] = get_args(Origin)

SAME_PROPOSAL = 0.7
"""A proposal of this IoU with an object or a rejected mask is known already; SAM drops duplicates from the same overlap."""


@dataclass(frozen=True, slots=True, eq=False)
class ProposedMask:
    """One proposed mask.

    Args:
        number: tells it from the others of its image.
        box: about the mask's pixels.
        expected: what its confidence is made of: predicted IoU, a detector's score, or likeness; nan where unknown.
        stability: IoU of its masks at a higher and a lower threshold, 0 .. 1; nan where it was not measured.
        click: what it answers, None for a box.
        class_id: the class that accepted objects or a detector say, None for the current one.
    """

    number: int
    origin: Origin
    mask: Mask
    box: Box
    expected: float
    predicted_iou: float
    stability: float
    click: Click | None
    window: Window
    weights_version: int = 0
    class_id: int | None = None

    @property
    def side(self) -> float:
        """The longer side of its box in pixels."""
        return float(max(self.mask.bits.shape))

    def at_border(self, extent: Window) -> bool:
        """Whether it ends at the image's border, where part of the object may be missing."""
        right, bottom = extent.width - 1, extent.height - 1
        return self.box.x0 <= 0 or self.box.y0 <= 0 or self.box.x1 >= right or self.box.y1 >= bottom


@dataclass(frozen=True, slots=True)
class ProposalLimits:
    """Which proposals are shown: least predicted IoU and stability, the longer side in pixels, and whether at the border.

    What is not known of a proposal hides none.
    """

    pred_iou: float = 0.0
    stability: float = 0.0
    least_side: float = 0.0
    most_side: float = math.inf
    border: bool = True

    def show(self, proposal: ProposedMask, extent: Window) -> bool:
        """Whether a proposal is within the limits."""
        return (
            not proposal.predicted_iou < self.pred_iou
            and not proposal.stability < self.stability
            and self.least_side <= proposal.side <= self.most_side
            and (self.border or not proposal.at_border(extent))
        )


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """The proposals of one image, as the window shows them.

    Args:
        image: its name.
        found: those that wait for a verdict.
        shown: those within the limits, highest confidence first; `confidences` are theirs, 0 .. 1.
        current: the number of the one that keys accept or reject.
        share: of the search that is under way, 0 .. 1; None while there is none.
        searched: whether there was a search on this image.
        known: how many were left out, because they were accepted or rejected before.
    """

    image: str = ""
    found: tuple[ProposedMask, ...] = ()
    shown: tuple[ProposedMask, ...] = ()
    confidences: tuple[float, ...] = ()
    limits: ProposalLimits = ProposalLimits()
    current: int | None = None
    share: float | None = None
    searched: bool = False
    known: int = 0

    @property
    def chosen(self) -> ProposedMask | None:
        """The one that keys accept or reject."""
        return next((each for each in self.shown if each.number == self.current), None)

    def place(self) -> int:
        """Where the chosen one stands in `shown`, -1 where there is none."""
        return next((k for k, each in enumerate(self.shown) if each.number == self.current), -1)

    def above(self, confidence: float) -> tuple[ProposedMask, ...]:
        """The shown ones of at least this confidence."""
        return tuple(each for each, value in zip(self.shown, self.confidences, strict=True) if value >= confidence)


@dataclass(frozen=True, slots=True)
class ProposalVerdict:
    """What became of a proposal of this expectation."""

    origin: Origin
    expected: float
    accepted: bool


@dataclass(frozen=True, slots=True, eq=False)
class Judgements:
    """Proposals that are accepted together, and the places of those that teach; None for all of them."""

    proposals: tuple[ProposedMask, ...] = ()
    lessons: frozenset[int] | None = None

    def teaches(self, place: int) -> bool:
        """Whether the one at a place teaches."""
        return self.lessons is None or place in self.lessons


ALL_TEACH = Judgements()
"""Masks that were no proposals: each of them teaches."""


def arranged(proposals: Proposals, calibrations: dict[Origin, Calibration], extent: Window) -> Proposals:
    """The proposals filtered, and sorted by calibrated confidence; of equal ones, that of the higher expectation first."""
    inside = [each for each in proposals.found if proposals.limits.show(each, extent)]
    values = [math.nan] * len(inside)
    for origin in {each.origin for each in inside}:
        places = [k for k, each in enumerate(inside) if each.origin == origin]
        calibrated = calibrations[origin].each([inside[k].expected for k in places])
        for k, value in zip(places, calibrated, strict=True):
            values[k] = value
    sure = [value if math.isfinite(value) else -math.inf for value in values]
    order = sorted(range(len(inside)), key=lambda k: (-sure[k], -_known(inside[k].expected), inside[k].number))
    shown = tuple(inside[k] for k in order)
    current = proposals.current
    if all(each.number != current for each in shown):
        current = shown[0].number if shown else None
    return replace(proposals, shown=shown, confidences=tuple(values[k] for k in order), current=current)


def _known(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def corners_of(masks: Sequence[Mask]) -> NDArray[np.int64]:
    """First and last column and row of each mask's rectangle (N, 4)."""
    rows = [(m.x, m.y, m.x + m.bits.shape[1] - 1, m.y + m.bits.shape[0] - 1) for m in masks]
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def is_known(mask: Mask, others: Sequence[Mask], corners: NDArray[np.int64]) -> bool:
    """Whether one of the others, whose rectangles are `corners`, is the same object."""
    if not len(others):
        return False
    x0, y0, x1, y1 = corners_of((mask,))[0].tolist()
    near = (corners[:, 0] <= x1) & (corners[:, 2] >= x0) & (corners[:, 1] <= y1) & (corners[:, 3] >= y0)
    return any(iou(mask, others[k]) >= SAME_PROPOSAL for k in np.flatnonzero(near).tolist())
