"""Control objects beside the others: clicks and seconds per object of both groups, and the interval of their difference.

A draw decides which model answers an object, so the groups differ by learning alone. No mask is judged, so no side is
favoured. A given-up object counts with FAILED_CLICKS clicks and its own seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from samtta_app.phrases import Phrase
from samtta_app.session.object_records import GivenUpObject, ObjectRecord
from samtta_app.session.state import ControlFigures, GroupFigures, MeanDifference

_Values = npt.NDArray[np.float64]

FEWEST_FOR_CLICKS, FEWEST_FOR_SECONDS = 15, 30
"""With fewer objects in a group no interval is given.

Simulated 95 % intervals held the truth in 93 of 100 sessions with 10 objects for clicks, and in 92 with 20 for seconds,
which are more skewed. `python -m tests.stress.control_sessions` checks that from here on they hold what they claim.
"""

RESAMPLES_OF_GROUPS = 1000
"""The ends of an interval then vary by 2 to 4 percent of its length between seeds."""

INTERVAL_LEVEL = 0.95

FAILED_CLICKS = 20
"""As in NoC_20: an object is never counted with more clicks."""

_SEED = 20
"""The same records always give the same interval."""

_BLOCK = 2**20
"""Drawn values held at once: 8 MB."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What one object cost: clicks and boxes until its accept, and working seconds; `control` is its group."""

    control: bool
    clicks: float
    seconds: float


def effort_of(record: ObjectRecord | GivenUpObject) -> Effort | None:
    """What an object cost, None where no draw was made for it or its time is unknown."""
    if record.control is None or not math.isfinite(record.seconds):
        return None
    clicks = FAILED_CLICKS if isinstance(record, GivenUpObject) else min(len(record.steps), FAILED_CLICKS)
    return Effort(record.control, float(clicks), record.seconds)


NOT_ENOUGH = "Not enough objects yet: {control} control objects, {others} others; each group needs {fewest}"


def compare_groups(efforts: Iterable[Effort]) -> ControlFigures:
    """The figures of both groups, and what may be concluded; they do not depend on the order of the efforts."""
    every = sorted((e.control, e.clicks, e.seconds) for e in efforts)
    if not every:
        return ControlFigures()
    learned, control = (np.array([e[1:] for e in every if e[0] is side]).reshape(-1, 2) for side in (False, True))
    groups = _group(learned), _group(control)
    smaller = min(len(learned), len(control))
    if smaller < FEWEST_FOR_CLICKS:
        words = Phrase(NOT_ENOUGH, control=len(control), others=len(learned), fewest=FEWEST_FOR_CLICKS)
        return ControlFigures(*groups, sentence=words)
    clicks, seconds = mean_difference(learned[:, 0], control[:, 0]), MeanDifference()
    if smaller >= FEWEST_FOR_SECONDS:
        seconds = mean_difference(learned[:, 1], control[:, 1])
    return ControlFigures(
        *groups,
        clicks,
        seconds,
        Phrase("{verdict}, by {number} control objects", verdict=Phrase(_verdict(clicks)), number=len(control)),
    )


def mean_difference(one: _Values, other: _Values) -> MeanDifference:
    """Mean of `one` minus mean of `other`, with a studentized bootstrap interval of INTERVAL_LEVEL.

    Source: Efron and Tibshirani 1993, section 12.5. Its interval holds the truth more often than the percentiles of
    the differences, where groups are small and skewed. A group without any spread has no interval.
    """
    value = float(one.mean() - other.mean())
    rng = np.random.default_rng(_SEED)
    (means, errors), (others, other_errors) = _resampled(one, rng), _resampled(other, rng)
    error = math.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
    spread = np.sqrt(errors + other_errors)
    if error == 0.0 or not (spread > 0).all():
        return MeanDifference(value, math.nan, math.nan)
    scaled = (means - others - value) / spread
    low, high = np.quantile(scaled, [(1 - INTERVAL_LEVEL) / 2, (1 + INTERVAL_LEVEL) / 2])
    return MeanDifference(value, value - float(high) * error, value - float(low) * error)


def _resampled(values: _Values, rng: np.random.Generator) -> tuple[_Values, _Values]:
    """Mean, and squared standard error of the mean, of each resample."""
    rows = max(_BLOCK // len(values), 1)
    parts = []
    for start in range(0, RESAMPLES_OF_GROUPS, rows):
        count = min(rows, RESAMPLES_OF_GROUPS - start)
        drawn = values[rng.integers(0, len(values), (count, len(values)))]
        parts.append((drawn.mean(1), drawn.var(1, ddof=1) / len(values)))
    means, errors = zip(*parts, strict=True)
    return np.concatenate(means), np.concatenate(errors)


def _group(efforts: _Values) -> GroupFigures:
    if not len(efforts):
        return GroupFigures()
    clicks, seconds = efforts.mean(0)
    return GroupFigures(len(efforts), float(clicks), float(seconds))


def _verdict(clicks: MeanDifference) -> str:
    if math.isnan(clicks.low):
        return "Too little spread to tell"
    if clicks.low <= 0 <= clicks.high:
        return "No clear difference in clicks"
    return "Learning saves clicks" if clicks.value < 0 else "Learning costs clicks"
