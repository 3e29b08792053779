"""Edges of masks as maps: the strength of one mask's outline, thin lines, and the borders of a label map.

Source: Kirillov et al. 2023, "Segment Anything", section 7.2 and appendix D.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.types import BoolArray, FloatArray

_OUTWARDS = np.ones((3, 3), np.uint8)


@dataclass(slots=True, eq=False)
class EdgeMap:
    """The strongest edge so far at each pixel (H, W) float32, and the gradient (H, W) across and down that made it."""

    strength: FloatArray
    across: FloatArray
    down: FloatArray

    @staticmethod
    def empty(height: int, width: int) -> EdgeMap:
        """A map without edges."""
        return EdgeMap(*(np.zeros((height, width), np.float32) for _ in range(3)))

    def add(self, probability: FloatArray, x: int = 0, y: int = 0) -> None:
        """Take in the outline of one mask, given by its probability (h, w) with its top-left pixel at (x, y).

        Its strength is the gradient (Sobel), zero but at the outer border pixels of the mask.
        """
        inside = (probability > 0.5).astype(np.uint8)
        border = (cv2.dilate(inside, _OUTWARDS) > 0) & (inside == 0)
        across, down = (cv2.Sobel(probability, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
        strength = np.where(border, np.hypot(across, down), 0)
        part = np.s_[y : y + probability.shape[0], x : x + probability.shape[1]]
        stronger = strength > self.strength[part]
        for whole, new in ((self.strength, strength), (self.across, across), (self.down, down)):
            whole[part][stronger] = new[stronger]

    def thinned(self) -> FloatArray:
        """Strengths from 0 to 1, zero where a neighbour across the edge is stronger (Canny)."""
        highest = float(self.strength.max(initial=0.0))
        if highest <= 0:
            return np.zeros_like(self.strength)
        length = np.maximum(np.hypot(self.across, self.down), 1e-12)
        step_x, step_y = (part / length for part in (self.across, self.down))
        rows, columns = np.indices(self.strength.shape, dtype=np.float32)
        beside = [
            cv2.remap(
                self.strength,
                (columns + sign * step_x).astype(np.float32),
                (rows + sign * step_y).astype(np.float32),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
            )
            for sign in (-1, 1)
        ]
        kept = (self.strength >= beside[0]) & (self.strength >= beside[1])
        return np.asarray(np.where(kept, self.strength / highest, 0), np.float32)


def label_borders(labels: NDArray[np.integer]) -> BoolArray:
    """The pixels (H, W) of a label map that differ from the pixel to the right, below, or between both (BSDS)."""
    found = np.zeros(labels.shape, np.bool_)
    found[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    found[:-1] |= labels[:-1] != labels[1:]
    found[:-1, :-1] |= labels[:-1, :-1] != labels[1:, 1:]
    return found
