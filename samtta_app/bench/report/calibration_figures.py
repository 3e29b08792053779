"""Whether the IoU that is expected of a stream's answers comes true: as it was said, and calibrated along the stream.

Two truths are kept apart. Calibrated is by what a session knows: the IoU of an answer with the mask that was accepted in
the end, of the objects accepted before. The error is measured against what only a bench knows: the IoU with the true mask,
of every answer, those of objects that were given up among them.
"""

from __future__ import annotations

import numpy as np

from samtta_app.bench.report.intervals import NO_ESTIMATE, Estimate, Floats, Integers
from samtta_app.core.calibration import BINS, Calibration
from samtta_app.session.statistics.review import NEWEST


def calibrated(expected: Floats, accepted: Floats, owners: Integers, orders: Integers) -> Floats:
    """What each answer's expected IoU meant, by the accepted objects before its own in the same order: (answers,).

    The calibration is that of the session (isotonic, from its newest answers, the identity until there are enough; without
    each object's last answer, the accepted mask itself). No answer of the object at hand is in it: what is accepted of it is
    not known yet.

    Args:
        expected: IoU that was expected, (answers,); what is nan stays so.
        accepted: IoU with the accepted mask, (answers,); nan where none was accepted.
        owners: the object of each answer, (answers,), never falling.
        orders: the order of each object, (objects,); those of one order are in the order of the stream.
    """
    found = expected.copy()
    starts = np.searchsorted(owners, np.arange(len(orders) + 1))
    for order in np.unique(orders):
        known = Calibration()
        seen: list[tuple[float, float]] = []
        for row in np.flatnonzero(orders == order):
            mine = slice(starts[row], starts[row + 1])
            found[mine] = [known(value) for value in expected[mine].tolist()]
            earlier = slice(mine.start, mine.stop - 1)
            if np.isfinite(accepted[earlier]).any():
                seen += zip(expected[earlier].tolist(), accepted[earlier].tolist(), strict=True)
                known = Calibration.of(seen[-NEWEST:])
    return found


def bench_calibration_error(expected: Floats, true: Floats, owners: Integers, weights: Floats) -> Estimate:
    """Expected calibration error, 0 .. 1, of answers that are drawn with their objects; without any, nothing.

    It is that of `core.calibration.calibration_error`, the bins' |mean expected - mean true| weighted by their answers
    (Guo et al. 2017, equation 3, with the IoU for the accuracy). Answers with a nan are left out. It is never negative: in
    few answers chance alone makes it larger.

    Args:
        expected: (answers,).
        true: IoU with the true mask, (answers,).
        owners: the object of each answer, (answers,), a column of `weights`.
        weights: how often each object is drawn, (RESAMPLES, objects).
    """
    known = np.isfinite(expected) & np.isfinite(true)
    if not known.any():
        return NO_ESTIMATE
    objects = weights.shape[1]
    places = np.clip((expected[known] * BINS).astype(np.int64), 0, BINS - 1)
    apart = np.zeros((objects, BINS))
    np.add.at(apart, (owners[known], places), (expected - true)[known])
    answers = np.bincount(owners[known], minlength=objects)
    drawn = weights @ answers
    draws = np.where(drawn > 0, np.abs(weights @ apart).sum(1) / np.maximum(drawn, 1), np.nan)
    return Estimate(float(np.abs(apart.sum(0)).sum() / answers.sum()), draws)
