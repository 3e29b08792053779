"""Whether the expected IoU of a stream's answers comes true: as shown, and calibrated along the stream.

Two truths are kept separate. The calibration uses what a session knows: the IoU of an answer with the accepted mask,
for objects accepted before. The error uses what only a bench knows: the IoU with the true mask. It counts every answer,
also those of objects that were given up.
"""

from __future__ import annotations

import numpy as np

from samtta_app.bench.report.intervals import NO_ESTIMATE, Estimate, Floats, Integers
from samtta_app.core.calibration import BINS, Calibration
from samtta_app.session.statistics.review import NEWEST


def calibrated(expected: Floats, accepted: Floats, owners: Integers, orders: Integers) -> Floats:
    """The calibrated expected IoU of each answer (answers,), from objects accepted earlier in the same order.

    The calibration is that of the session: isotonic, from its newest answers, the identity until there are enough. Each
    object's last answer is left out, since it is the accepted mask itself. No answer of the current object is used: its
    accepted mask is not known yet.

    Args:
        expected: expected IoU, (answers,); nan stays nan.
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
    """Expected calibration error, 0 .. 1, of answers that are drawn with their objects; no estimate without answers.

    It is `core.calibration.calibration_error`: the bins' |mean expected - mean true| weighted by their answers (Guo et
    al. 2017, equation 3, with IoU in place of accuracy). Answers with a nan are left out. It is never negative, so
    chance alone makes it larger for few answers.

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
