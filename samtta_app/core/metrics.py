"""The field's figures: IoU, number of clicks, failure rate.

A trajectory is the IoU after click 1, 2, ...; a run that stopped early has reached its target.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samtta_app.core.masks import crop
from samtta_app.core.types import Mask, Window


def iou(a: Mask, b: Mask) -> float:
    """Intersection over union of two masks of one image, 0 .. 1; two empty masks agree (1.0)."""
    (ah, aw), (bh, bw) = a.bits.shape, b.bits.shape
    x0, y0 = max(a.x, b.x), max(a.y, b.y)
    width, height = min(a.x + aw, b.x + bw) - x0, min(a.y + ah, b.y + bh) - y0
    both = 0
    if width > 0 and height > 0:
        overlap = Window(x0, y0, width, height)
        both = int(np.count_nonzero(crop(a, overlap) & crop(b, overlap)))
    either = a.area + b.area - both
    return both / either if either else 1.0


def clicks_to(trajectory: Sequence[float], target: float, limit: int) -> int | None:
    """The first click (1, 2, ...) within `limit` whose IoU reaches `target`, None when none does."""
    return next((k for k, value in enumerate(trajectory[:limit], start=1) if value >= target), None)


def number_of_clicks(trajectories: Sequence[Sequence[float]], target: float, limit: int) -> float:
    """NoC_limit@target: mean clicks to the target, failures count as `limit` (RITM); nan without objects."""
    if not trajectories:
        return float("nan")
    return float(np.mean([clicks_to(t, target, limit) or limit for t in trajectories]))


def failure_rate(trajectories: Sequence[Sequence[float]], target: float, limit: int) -> float:
    """FR_limit@target, strict: share of objects that do not reach the target within `limit` clicks; nan without objects.

    RITM's own count also calls an object failed that is solved exactly at the last click.
    """
    if not trajectories:
        return float("nan")
    return float(np.mean([clicks_to(t, target, limit) is None for t in trajectories]))
