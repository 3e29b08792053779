"""Ratings of masks from 1 to 10: their mean, its interval, and how two groups of masks differ.

Source: Kirillov et al. 2023, "Segment Anything", section 7.1 and appendix E (human study). Masks are rated one at a time,
without their origin, from 1 (nonsense) to 10 (pixel-perfect). Differences of means get a bootstrap interval. There every
object is rated once for each model. Here two groups hold different objects.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LOWEST, HIGHEST = 1, 10

FEWEST_RATINGS = 10
"""A bootstrap of fewer ratings is much too narrow, so no interval is given."""

_RESAMPLES, _LEVEL, _SEED = 2000, 0.95, 0
_VALUES = np.arange(LOWEST, HIGHEST + 1, dtype=np.float64)

Counts = tuple[int, ...]
"""How often each value from LOWEST to HIGHEST was given."""

NO_RATINGS: Counts = (0,) * (HIGHEST - LOWEST + 1)


@dataclass(frozen=True, slots=True)
class MeanRating:
    """The mean of some ratings (or a difference of means) and its 95 % interval, nan where nothing is known of it."""

    ratings: int
    mean: float
    low: float
    high: float


def counts_of(values: Sequence[int]) -> Counts:
    """How often each value occurs."""
    return tuple(sum(value == at for value in values) for at in range(LOWEST, HIGHEST + 1))


@lru_cache(maxsize=64)
def mean_rating(counts: Counts) -> MeanRating:
    """The mean of the ratings with its percentile interval; no interval with fewer than FEWEST_RATINGS."""
    number = sum(counts)
    if not number:
        return MeanRating(0, math.nan, math.nan, math.nan)
    return MeanRating(number, _mean(counts), *_bounds(_resampled(counts, _SEED)))


@lru_cache(maxsize=64)
def rating_difference(before: Counts, after: Counts) -> MeanRating:
    """Mean of `after` less mean of `before`; both groups are drawn by themselves, since their objects differ."""
    if not (sum(before) and sum(after)):
        return MeanRating(0, math.nan, math.nan, math.nan)
    draws = _resampled(after, _SEED) - _resampled(before, _SEED + 1)
    return MeanRating(sum(before) + sum(after), _mean(after) - _mean(before), *_bounds(draws))


def _mean(counts: Counts) -> float:
    return float(np.dot(counts, _VALUES) / sum(counts))


def _resampled(counts: Counts, seed: int) -> NDArray[np.float64]:
    """The mean in every resample, nan with too few ratings."""
    number = sum(counts)
    if number < FEWEST_RATINGS:
        return np.full(_RESAMPLES, np.nan)
    drawn = np.random.default_rng(seed).multinomial(number, np.array(counts) / number, size=_RESAMPLES)
    return np.asarray(drawn @ _VALUES / number, np.float64)


def _bounds(draws: NDArray[np.float64]) -> tuple[float, float]:
    if not np.isfinite(draws).all():
        return math.nan, math.nan
    low, high = np.quantile(draws, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)
