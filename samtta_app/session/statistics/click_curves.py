"""Clicks per object over the stream as a rolling mean, and how far chance alone may have moved it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SPAN = 10
"""Objects in the rolling mean."""

_SURE = 1.96
"""Standard errors to each side of a mean that hold 95 % of means (normal distribution)."""


def rolling_mean(values: Sequence[float], span: int = SPAN) -> NDArray[np.float64]:
    """Mean of the last `span` values at every place (of all so far, at the start): (n,)."""
    sums = np.concatenate([[0.0], np.cumsum(np.asarray(values, dtype=np.float64))])
    ends = np.arange(1, len(sums))
    starts = np.maximum(ends - span, 0)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts), dtype=np.float64)


def rolling_band(values: Sequence[float], span: int = SPAN) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end of the 95 % band about the rolling mean, at least 0: (n,) each; of one value it has no width."""
    mean = rolling_mean(values, span)
    counts = np.minimum(np.arange(1, len(mean) + 1), span)
    spread = np.maximum(rolling_mean(np.square(np.asarray(values, dtype=np.float64)).tolist(), span) - mean**2, 0.0)
    width = _SURE * np.sqrt(spread / np.maximum(counts - 1, 1))
    return np.maximum(mean - width, 0.0), mean + width
