"""The form of a mask in three numbers: its relative size, its connected parts, and its concavity.

Source: Kirillov et al. 2023, "Segment Anything", figure 6 (image-relative mask size and mask concavity). Parts are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from samtta_app.core.types import BoolArray, Mask


@dataclass(frozen=True, slots=True)
class MaskShape:
    """The form of one mask.

    `size` is the square root of mask area over image area, 0 .. 1. `parts` counts connected parts; pixels that touch at
    a corner are connected. `concavity` is 1 - mask area / area of its convex hull, 0 .. 1.
    """

    size: float
    parts: int
    concavity: float


def mask_shape(mask: Mask, width: int, height: int) -> MaskShape:
    """The form of a mask in an image of `width` x `height` pixels; an empty mask has no part and no concavity."""
    area = mask.area
    if not area or width * height <= 0:
        return MaskShape(0.0, 0, 0.0)
    labels, _ = cv2.connectedComponents(mask.bits.astype(np.uint8), connectivity=8)  # as SAM's own post-processing
    size = math.sqrt(area / (width * height))
    return MaskShape(min(size, 1.0), labels - 1, max(0.0, 1.0 - area / _hull_area(mask.bits)))


def mean_width(mask: Mask) -> float:
    """Mean width of a mask in pixels, 2 area / perimeter: that of a long stripe, half the diameter of a disc; 0 if empty.

    The perimeter runs through the centres of the pixels along the outline, holes included.
    """
    if not mask.area:
        return 0.0
    outlines, _ = cv2.findContours(np.pad(mask.bits, 1).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    perimeter = sum(cv2.arcLength(outline, closed=True) for outline in outlines)
    return 2 * mask.area / max(perimeter, 2.0)  # a single pixel has no perimeter, and is one pixel wide


def _hull_area(bits: BoolArray) -> float:
    """Area of the convex hull of the pixels as unit squares, so that a rectangle is its own hull."""
    rows = np.flatnonzero(bits.any(axis=1))
    left = bits[rows].argmax(axis=1)
    right = bits.shape[1] - bits[rows][:, ::-1].argmax(axis=1)
    corners = [np.column_stack([x, y]) for x in (left, right) for y in (rows, rows + 1)]
    return float(cv2.contourArea(cv2.convexHull(np.concatenate(corners).astype(np.int32))))
