"""Regions of a photo that a user could point at, of several granularities: part, whole, group."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import felzenszwalb

GRANULARITIES = ((40, 60), (200, 150), (900, 400))
"""Felzenszwalb scale and minimum region in pixels, fine to coarse."""
_MIN_AREA = 60
_MAX_SHARE = 0.5
MIN_CONTRAST = 9.0
RING = 4
"""Width of the examined ring around an outline, in pixels."""
_STEP = 9.0
"""Minimum CIELAB distance at which one pixel beyond the outline counts as another thing."""
MIN_CLOSED = 0.8
MIN_COMPACTNESS = 0.05
MIN_DEPTH = 2.0
MAX_BORDER_SHARE = 0.3
MIN_FILLED = 0.05
"""A region whose holes are smaller than this share of it counts as filled already."""


@dataclass(frozen=True, slots=True)
class Region:
    """Features of a region that decide whether it is an object a user could point at."""

    area: int
    contrast: float
    """CIELAB distance between the mean colours inside and outside of the outline."""
    closed: float
    """The share of the outline with another colour beyond it; slivers of a soft edge have little."""
    compactness: float
    """4 pi A / P^2: 1 for a disc."""
    depth: float
    """The distance of the innermost pixel from the outline."""
    border_share: float
    """The share of the outline that lies on the image's border."""


def measure(mask: NDArray[np.uint8], lab: NDArray[np.float32]) -> Region:
    """Features of a region (H, W) of 0 and 1 in an image's colours (H, W, 3) in CIELAB."""
    area = int(mask.sum())
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    perimeter = sum(cv2.arcLength(c, True) for c in outlines)
    near, far = np.ones((5, 5), np.uint8), np.ones((2 * RING + 1, 2 * RING + 1), np.uint8)
    inner = (mask - cv2.erode(mask, near, borderValue=0)).astype(bool)
    outer = (cv2.dilate(mask, far) - cv2.dilate(mask, near)).astype(bool)  # beyond the blur of the edge itself
    if not outer.any() or perimeter == 0:
        return Region(area, 0.0, 0.0, 0.0, 0.0, 1.0)
    own = lab[inner].mean(0)
    contrast = float(np.linalg.norm(own - lab[outer].mean(0)))
    closed = float((np.linalg.norm(lab[outer] - own, axis=1) >= _STEP).mean())
    depth = float(cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3).max())
    on_border = int(mask[0].sum() + mask[-1].sum() + mask[:, 0].sum() + mask[:, -1].sum())
    return Region(area, contrast, closed, float(4 * np.pi * area / perimeter**2), depth, on_border / perimeter)


def is_object(region: Region, pixels: int) -> bool:
    """Whether a region is distinct all round and thick enough, and neither dust nor the whole scene."""
    return (
        _MIN_AREA <= region.area <= _MAX_SHARE * pixels
        and region.contrast >= MIN_CONTRAST
        and region.closed >= MIN_CLOSED
        and region.compactness >= MIN_COMPACTNESS
        and region.depth >= MIN_DEPTH
        and region.border_share <= MAX_BORDER_SHARE
    )


def keep_objects(labels: NDArray[np.int32], lab: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The labels (H, W) of regions that are objects, renumbered."""
    kept = np.zeros(labels.shape, np.uint16)
    count = 0
    for value, place in enumerate(ndimage.find_objects(labels), start=1):
        if place is None:
            continue
        # The margin shows what lies around a region, so that only the image's border counts as one.
        around = tuple(slice(max(side.start - RING - 1, 0), side.stop + RING + 1) for side in place)
        part = (labels[around] == value).astype(np.uint8)
        if part.sum() >= _MIN_AREA and is_object(measure(part, lab[around]), labels.size):
            count += 1
            kept[around][part > 0] = count
    return kept


def grown(labels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Regions grown by one pixel where there is room: segments end at the start of an edge's blur, objects inside it."""
    return np.where(labels > 0, labels, cv2.dilate(labels, np.ones((3, 3), np.uint8))).astype(np.uint16)


def with_holes_filled(labels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Regions together with what lies in their holes (a shirt and its print); only regions with such holes."""
    whole = np.zeros_like(labels)
    for value, place in enumerate(ndimage.find_objects(labels.astype(np.int32)), start=1):
        if place is None:
            continue
        own = labels[place] == value
        filled = ndimage.binary_fill_holes(own)
        if filled.sum() > (1 + MIN_FILLED) * own.sum():
            whole[place][filled] = value
    return whole


def garment(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """1 on the one large thing in the middle, by GrabCut from a central rectangle; 0 where it does not separate."""
    height, width = pixels.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    margin_y, margin_x = max(1, height // 12), max(1, width // 12)
    rectangle = (margin_x, margin_y, width - 2 * margin_x, height - 2 * margin_y)
    cv2.setRNGSeed(0)
    cv2.grabCut(pixels, mask, rectangle, np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_RECT)
    found = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(found)
    if count < 2:
        return np.zeros((height, width), np.int32)
    return np.asarray(parts == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()), np.int32)


def pseudo_masks(pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Label maps (5, H, W) of an RGB photo (H, W, 3) of 16 pixels a side or more.

    Fine, middle and coarse regions (Felzenszwalb and Huttenlocher 2004); coarse ones with their holes filled. Last comes
    the thing in the middle (Rother et al. 2004, GrabCut).
    """
    lab = np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    smooth = cv2.bilateralFilter(pixels, 5, 30, 3)
    layers = [
        grown(keep_objects(felzenszwalb(smooth, scale=scale, sigma=0.6, min_size=least).astype(np.int32) + 1, lab))
        for scale, least in GRANULARITIES
    ]
    return np.stack([*layers, with_holes_filled(layers[-1]), keep_objects(garment(pixels), lab)])
