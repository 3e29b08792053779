"""Whether an expected IoU comes true, and how to correct it: reliability diagram and isotonic calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10
"""Bins of the reliability diagram and of the calibration error."""

FEWEST = 30
"""Minimum number of answers for a calibration; with fewer, the expected IoU stays unchanged."""

_Pairs = tuple[tuple[float, float], ...]
"""(expected IoU, true IoU) of answers, in the order of the answers."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose expected IoU lies between `low` and `high`: their number, mean expected and mean true IoU."""

    low: float
    high: float
    count: int
    expected: float
    true: float


def reliability_bins(pairs: Sequence[tuple[float, float]], bins: int = BINS) -> tuple[Bin, ...]:
    """The reliability diagram: equal bins of 0 .. 1; empty bins are left out.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", with IoU in place of accuracy.
    """
    expected, true = _columns(pairs)
    places = np.clip((expected * bins).astype(int), 0, bins - 1)
    found = []
    for k in range(bins):
        mine = places == k
        if mine.any():
            means = float(expected[mine].mean()), float(true[mine].mean())
            found.append(Bin(k / bins, (k + 1) / bins, int(mine.sum()), *means))
    return tuple(found)


def calibration_error(pairs: Sequence[tuple[float, float]], bins: int = BINS) -> float:
    """Expected calibration error, 0 .. 1: |expected - true| of each bin, weighted by its answers; nan without any."""
    found = reliability_bins(pairs, bins)
    total = sum(entry.count for entry in found)
    return sum(entry.count * abs(entry.expected - entry.true) for entry in found) / total if total else math.nan


@dataclass(frozen=True, slots=True)
class Calibration:
    """A rising step function, linear between its steps: from `expected` IoU to the IoU that came true."""

    expected: tuple[float, ...] = ()
    true: tuple[float, ...] = ()

    @staticmethod
    def of(pairs: Sequence[tuple[float, float]] | NDArray[np.float64]) -> Calibration:
        """Isotonic regression (pool adjacent violators); the identity with fewer than FEWEST answers."""
        expected, true = _columns(pairs)
        if len(expected) < FEWEST:
            return UNCALIBRATED
        from scipy.optimize import isotonic_regression  # half a second, saved at the start

        order = np.argsort(expected, kind="stable")
        fitted = np.asarray(isotonic_regression(true[order]).x)
        steps, first, counts = np.unique(expected[order], return_index=True, return_counts=True)
        means = np.add.reduceat(fitted, first) / counts
        return Calibration(tuple(steps.tolist()), tuple(means.tolist()))

    def __call__(self, expected: float) -> float:
        """The calibrated value of an expected IoU; nan stays nan."""
        return self.each((expected,))[0]

    def each(self, expected: Sequence[float] | NDArray[np.float64]) -> list[float]:
        """The calibrated values of expected IoUs; nan stays nan."""
        values = np.array(expected, np.float64)
        if self.expected:
            finite = np.isfinite(values)  # np.interp may map nan to a number
            values[finite] = np.interp(values[finite], self.expected, self.true)
        return [float(value) for value in values]


UNCALIBRATED = Calibration()
"""What is expected stands, as long as too little is known."""


def online(pairs: _Pairs, block: int = 10) -> _Pairs:
    """Every answer, calibrated with what was known when it was given: all answers of earlier blocks."""
    every = np.array(pairs, np.float64).reshape(-1, 2)
    said = every[:, 0].copy()
    for start in range(0, len(pairs), block):
        known, part = Calibration.of(every[:start]), said[start : start + block]
        part[:] = known.each(part)
    return tuple(zip(said.tolist(), every[:, 1].tolist(), strict=True))


def _columns(
    pairs: Sequence[tuple[float, float]] | NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both columns; answers with an unknown value are left out."""
    values = np.array(pairs, np.float64).reshape(-1, 2)
    values = values[np.isfinite(values).all(axis=1)]
    return values[:, 0], values[:, 1]
