"""Maps of an answer rounded to what can be seen and used of them, so that the undo history can keep them in few bytes."""

from __future__ import annotations

import numpy as np

from samtta_app.core.types import FloatArray

_MOST = float(np.finfo(np.float16).max)
"""The largest number of half precision."""

SHARE_STEPS = np.float32(255)
"""A map of shares has as many steps as the colours that show it."""


def in_half_precision(values: FloatArray) -> FloatArray:
    """Values (...) float32, rounded to half precision (11 bits); those that it cannot hold stay as they are."""
    held = np.abs(values) <= _MOST
    return np.where(held, np.where(held, values, 0).astype(np.float16).astype(np.float32), values)


def in_steps(shares: FloatArray) -> FloatArray:
    """Shares (...) float32, 0 .. 1, rounded to whole 255ths."""
    return np.asarray(np.rint(shares * SHARE_STEPS) / SHARE_STEPS, np.float32)
