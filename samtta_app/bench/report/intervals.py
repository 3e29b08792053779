"""Estimates with 95 % bootstrap intervals over the orders of a stream and the objects in them.

Source: Davison and Hinkley 1997, section 3.8 (cluster bootstrap, two stages). Orders are drawn with replacement, then
objects within each drawn order. A draw is a weight per object: how often it was drawn. One set of weights serves every
figure of a run and both sides of a comparison.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

RESAMPLES = 2000
LEVEL = 0.95
_RANKS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A figure and its value in every resample, shape (RESAMPLES,); nan where it is not defined."""

    value: float
    draws: Floats

    @property
    def interval(self) -> tuple[float, float]:
        """Percentile interval of `LEVEL`; resamples without a value are left out; nan without any."""
        known = self.draws[np.isfinite(self.draws)]
        if not known.size or not np.isfinite(self.value):
            return float("nan"), float("nan")
        low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return float(low), float(high)


NO_ESTIMATE = Estimate(float("nan"), np.full(RESAMPLES, np.nan))
"""The estimate of what was not measured."""


def resampled(orders: Integers, seed: str) -> Floats:
    """How often each object is drawn, (RESAMPLES, objects): orders first, then as many objects as the order has.

    Args:
        orders: of each object, the order that it belongs to, (objects,).
        seed: any words; the same words and orders give the same weights.
    """
    return _drawn(tuple(orders.tolist()), zlib.crc32(seed.encode("utf-8", "surrogatepass")))


@lru_cache(maxsize=4)
def _drawn(orders: tuple[int, ...], seed: int) -> Floats:
    """Read-only, because the runs of one set share them."""
    rng = np.random.default_rng(seed)
    every, owner = np.unique(np.array(orders, np.int64), return_inverse=True)
    drawn = rng.multinomial(len(every), np.full(len(every), 1 / len(every)), size=RESAMPLES)
    weights = np.zeros((RESAMPLES, len(orders)))
    for column in range(len(every)):
        (members,) = np.nonzero(owner == column)
        share = np.full(len(members), 1 / len(members))
        weights[:, members] = rng.multinomial(drawn[:, column] * len(members), share)
    weights.setflags(write=False)
    return weights


def means(values: Floats, weights: Floats) -> list[Estimate]:
    """Mean over the objects of each column of `values`, (objects, figures); nan without objects."""
    if not len(values):
        return [NO_ESTIMATE] * values.shape[1]
    sums = weights.sum(1, keepdims=True)
    draws = _ratio(weights @ values, np.broadcast_to(sums, (len(weights), values.shape[1])))
    return [Estimate(float(column.mean()), draws[:, k]) for k, column in enumerate(values.T)]


def quantiles(values: Floats, owners: Integers, shares: Sequence[float], weights: Floats) -> list[Estimate]:
    """For each share, the smallest value that at least this share of the values does not exceed (nearest rank).

    A value is drawn with its object. The draws use `_RANKS` evenly spaced values.

    Args:
        values: for instance seconds of each click, (values,).
        owners: the object of each value, (values,), a column of `weights`.
        shares: each 0 .. 1; 0.5 is the median.
        weights: (RESAMPLES, objects).
    """
    if not len(values):
        return [NO_ESTIMATE] * len(shares)
    ranks = np.argsort(values, kind="stable")
    ordered, bins = values[ranks], min(_RANKS, len(values))
    ends = np.linspace(0, len(values), bins + 1).round().astype(np.int64)[1:]
    counts = np.zeros((weights.shape[1], bins))
    np.add.at(counts, (owners[ranks], np.searchsorted(ends, np.arange(len(values)), side="right")), 1)
    below = weights @ counts.cumsum(1)  # drawn values up to the end of each bin, (RESAMPLES, bins)
    found = []
    for share in shares:
        places = np.argmax(below >= share * below[:, -1:], axis=1)
        draws = np.where(below[:, -1] > 0, ordered[ends[places] - 1], np.nan)
        found.append(Estimate(float(np.quantile(values, share, method="inverted_cdf")), draws))
    return found


def combined(function: Callable[..., Floats], *estimates: Estimate) -> Estimate:
    """`function` of the values, and of the draws, resample by resample."""
    value = function(*(np.array([each.value]) for each in estimates))
    return Estimate(float(value[0]), function(*(each.draws for each in estimates)))


def average(estimates: Sequence[Estimate]) -> Estimate:
    """Mean over, for instance, data sets; nan values are left out; nan where all are nan."""

    def known(*values: Floats) -> Floats:
        stacked = np.stack(values)
        there = np.isfinite(stacked)
        count = there.sum(0)
        total = np.where(there, stacked, 0).sum(0)
        return _ratio(total, count.astype(float))

    return combined(known, *estimates) if estimates else NO_ESTIMATE


def reduction(before: Estimate, after: Estimate) -> Estimate:
    """Share by which `after` is less than `before`; nan where there was nothing to reduce."""
    return combined(lambda old, new: _ratio(old - new, old), before, after)


def estimate_difference(before: Estimate, after: Estimate) -> Estimate:
    """`after` minus `before`."""
    return combined(lambda old, new: new - old, before, after)


def _ratio(above: Floats, below: Floats) -> Floats:
    """`above` / `below`, nan where `below` is not positive."""
    found = np.full(above.shape, np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found
