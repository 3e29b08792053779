"""The field's figures: IoU, boundary IoU, number of clicks, failure rate.

A trajectory is the IoU after click 1, 2, ...; a run that stopped early has reached its target.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.masks import crop
from samtta_app.core.types import Mask, Window

HARM = 0.02
"""A click does harm where the IoU after it is lower by more than this; smaller losses come with any change of window."""

FALL = 0.005
"""A mean IoU that falls by no more than this from click to click is not called a fall: so much is chance."""

DILATION_RATIO = 0.02
"""Width of the boundary band in image diagonals (Cheng et al. 2021)."""


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


def boundary_iou(a: Mask, b: Mask, extent: Window) -> float:
    """IoU of the two masks' inner boundary bands, 0 .. 1; two empty masks agree (1.0).

    A mask's band is what an erosion by a square of 2 d + 1 pixels removes. d is DILATION_RATIO of the image's diagonal,
    at least 1 pixel. The frame of the image `extent` is a boundary, too.

    Source: Cheng et al. 2021, "Boundary IoU: Improving Object-Centric Image Segmentation Evaluation", equation 3.
    """
    width = max(round(DILATION_RATIO * float(np.hypot(extent.width, extent.height))), 1)
    return iou(_band(a, width), _band(b, width))


def _band(mask: Mask, width: int) -> Mask:
    """The object pixels with a background pixel within `width` rows and columns."""
    padded = np.pad(mask.bits, 1).astype(np.uint8)
    core = cv2.erode(padded, np.ones((2 * width + 1, 2 * width + 1), np.uint8))[1:-1, 1:-1]
    return Mask(mask.x, mask.y, mask.bits & (core == 0))


def clicks_to(trajectory: Sequence[float], target: float, limit: int) -> int | None:
    """The first click (1, 2, ...) within `limit` whose IoU reaches `target`, None when no click does."""
    return next((k for k, value in enumerate(trajectory[:limit], start=1) if value >= target), None)


def number_of_clicks(trajectories: Sequence[Sequence[float]], target: float, limit: int) -> float:
    """NoC_limit@target: mean clicks to the target, failures count as `limit` (RITM); nan without objects."""
    if not trajectories:
        return float("nan")
    return float(np.mean([clicks_to(t, target, limit) or limit for t in trajectories]))


def failure_rate(trajectories: Sequence[Sequence[float]], target: float, limit: int) -> float:
    """FR_limit@target, strict: share of objects that miss the target within `limit` clicks; nan without objects.

    RITM's own count also calls an object failed that is solved exactly at the last click.
    """
    if not trajectories:
        return float("nan")
    return float(np.mean([clicks_to(t, target, limit) is None for t in trajectories]))


def harmful(trajectory: Sequence[float]) -> tuple[bool, ...]:
    """For every click after the first, whether it did harm (`HARM`)."""
    return tuple(after < before - HARM for before, after in pairwise(trajectory))


def relative_auc(
    uncertainty: NDArray[np.floating], base: NDArray[np.floating], corrected: NDArray[np.floating]
) -> float:
    """How well an uncertainty ranks objects for correction: 0.5 is chance, 1 is ideal, 0 is the reverse.

    Objects are corrected in falling order of `uncertainty`. A is the area under their mean IoU over the corrected
    share. The result is (A - A_worst) / (A_best - A_worst). It is nan where correcting changes nothing. All arrays are
    (N,).

    Source: Kaiser et al. 2025, "UncertainSAM"; the definition is inferred from its figure and tables.
    """
    gain = np.asarray(corrected, np.float64) - np.asarray(base, np.float64)

    def area(order: NDArray[np.floating]) -> float:
        so_far = np.concatenate([[0.0], np.cumsum(gain[np.argsort(-order, kind="stable")])])
        return float((so_far[1:] + so_far[:-1]).sum() / 2)

    worst, best = area(-gain), area(gain)
    return (area(np.asarray(uncertainty, np.float64)) - worst) / (best - worst) if best > worst else float("nan")
