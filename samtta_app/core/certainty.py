"""How reliable an uncertainty map is: the share of right pixels among those that it calls certain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from samtta_app.core.types import BoolArray, FloatArray, Window


@dataclass(frozen=True, slots=True)
class Reliability:
    """Shares of pixels, 0 .. 1, of one window or of several with equal weight; certainty is 1 - uncertainty.

    `right`: share of all pixels that the answer has right.

    `pixels_60`, `pixels_80`: share of all pixels with a certainty above 0.6 and 0.8.

    `right_60`, `right_80`: share of right pixels among these (nan where there are none).
    """

    right: float
    right_60: float
    pixels_60: float
    right_80: float
    pixels_80: float

    @property
    def rest_right(self) -> float:
        """Share of right pixels among those of a certainty of at most 0.6; nan where there are none."""
        if self.pixels_60 >= 1:
            return float("nan")
        above = self.right_60 * self.pixels_60 if self.pixels_60 else 0.0
        return (self.right - above) / (1 - self.pixels_60)


def certainty_reliability(uncertainty: FloatArray, right: BoolArray) -> Reliability:
    """The shares of one window, from its uncertainty 0 .. 1 and which pixels are right, both (h, w), not empty.

    Source: Liu et al. 2024, "Uncertainty-aware Fine-tuning of Segmentation Foundation Models" (SUM), section 3.2.3.
    """
    shares = [float(right.mean())]
    for threshold in (0.6, 0.8):
        certain = 1 - uncertainty > threshold
        shares += [float(right[certain].mean()) if certain.any() else float("nan"), float(certain.mean())]
    return Reliability(*shares)


def pooled(windows: Sequence[Reliability]) -> Reliability:
    """Shares over the pixels of several windows with equal weight; nan without any."""
    if not windows:
        return Reliability(*[float("nan")] * 5)
    right, right_60, pixels_60, right_80, pixels_80 = np.array(
        [(one.right, one.right_60, one.pixels_60, one.right_80, one.pixels_80) for one in windows]
    ).T
    return Reliability(
        float(right.mean()),
        _share_of(right_60, pixels_60),
        float(pixels_60.mean()),
        _share_of(right_80, pixels_80),
        float(pixels_80.mean()),
    )


def _share_of(right: np.ndarray, pixels: np.ndarray) -> float:
    total = float(pixels.sum())
    return float((np.nan_to_num(right) * pixels).sum() / total) if total else float("nan")


def certainty_in_window(values: FloatArray, window: Window, seen: Window | None = None) -> FloatArray:
    """A map (g, g) over `window`, padded to a square, read bilinearly at the pixels of `seen` (None: of `window` itself).

    Returns (seen.height, seen.width) values; they are 0 outside of `window`.
    """
    whole = cv2.resize(values, (window.side, window.side), interpolation=cv2.INTER_LINEAR)
    read = np.asarray(whole[: window.height, : window.width], np.float32)
    if seen is None or seen == window:
        return read
    placed = np.zeros((seen.height, seen.width), np.float32)
    x0, y0 = max(window.x, seen.x), max(window.y, seen.y)
    x1 = min(window.x + window.width, seen.x + seen.width)
    y1 = min(window.y + window.height, seen.y + seen.height)
    if x0 < x1 and y0 < y1:
        part = read[y0 - window.y : y1 - window.y, x0 - window.x : x1 - window.x]
        placed[y0 - seen.y : y1 - seen.y, x0 - seen.x : x1 - seen.x] = part
    return placed
