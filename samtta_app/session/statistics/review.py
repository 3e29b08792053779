"""Whether the IoUs that the model expects come true in this session, and which accepted masks need a review."""

from __future__ import annotations

import math
from collections.abc import Iterable

from samtta_app.core.calibration import Calibration, calibration_error, online, reliability_bins
from samtta_app.session.object_records import ObjectRecord
from samtta_app.session.state import Trust

REVIEW_BELOW = 0.8
"""Masks with a lower expected IoU, calibrated on this session, are reviewed."""

NEWEST = 500
"""Answers that the calibration is taken from, at most."""

Answers = tuple[tuple[float, float], ...]
"""(expected IoU, IoU with the accepted mask) of answers, in their order."""


def confirmed_answers(records: Iterable[ObjectRecord]) -> Answers:
    """(expected IoU, IoU with the accepted mask) of the newest answers that clicks improved on, in their order.

    An object's last answer is no evidence: it is the accepted mask, so its IoU is always 1.
    """
    return tuple((step.expected_iou, step.iou) for record in records for step in record.steps[:-1])[-NEWEST:]


def to_review(records: Iterable[ObjectRecord]) -> tuple[ObjectRecord, ...]:
    """The objects not reviewed yet whose calibrated expected IoU is below REVIEW_BELOW, lowest first."""
    every = tuple(records)
    known = Calibration.of(confirmed_answers(every))
    unseen = [r for r in every if r.steps and not r.reviewed]
    open_ones = [(known(r.steps[-1].expected_iou), r) for r in unseen if math.isfinite(r.steps[-1].expected_iou)]
    worst_first = sorted(open_ones, key=lambda pair: pair[1].steps[-1].expected_iou)  # calibration keeps this order
    return tuple(r for value, r in worst_first if value < REVIEW_BELOW)


def trust(records: Iterable[ObjectRecord]) -> Trust:
    """How well expected IoUs agree with the true ones, before and after calibration."""
    return trust_in(confirmed_answers(records))


def trust_in(raw: Answers) -> Trust:
    """`trust`, from the answers."""
    known = tuple((expected, true) for expected, true in raw if math.isfinite(expected) and math.isfinite(true))
    told = online(known)
    return Trust(
        len(known),
        reliability_bins(known),
        reliability_bins(told),
        calibration_error(known),
        calibration_error(told),
    )
