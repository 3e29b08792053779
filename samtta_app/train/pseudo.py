"""Pseudo-masks on photos: regions of several granularities, so that candidates can mean part, whole and group."""

import io
import logging
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.segmentation import felzenszwalb

from samtta_app.core.files import write_whole
from samtta_app.train.records import Record, with_boxes

log = logging.getLogger(__name__)

GRANULARITIES = ((40, 60), (200, 150), (900, 400))
"""Felzenszwalb scale and least region in pixels, fine to coarse."""
MIN_AREA = 60
MAX_SHARE = 0.5
MIN_CONTRAST = 9.0
MIN_COMPACTNESS = 0.1
MAX_BORDER_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Region:
    """How a region looks: whether it is an object somebody could point at."""

    area: int
    contrast: float
    compactness: float
    border_share: float


def measure(mask: NDArray[np.uint8], lab: NDArray[np.float32]) -> Region:
    """Area, colour difference across the outline, 4 pi A / P^2, and the share of the outline on the border."""
    area = int(mask.sum())
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    perimeter = sum(cv2.arcLength(c, True) for c in outlines)
    kernel = np.ones((5, 5), np.uint8)
    inner = (mask - cv2.erode(mask, kernel, borderValue=0)).astype(bool)
    outer = (cv2.dilate(mask, kernel) - mask).astype(bool)
    if not outer.any() or perimeter == 0:
        return Region(area, 0.0, 0.0, 1.0)
    contrast = float(np.linalg.norm(lab[inner].mean(0) - lab[outer].mean(0)))
    on_border = int(mask[0].sum() + mask[-1].sum() + mask[:, 0].sum() + mask[:, -1].sum())
    return Region(area, contrast, float(4 * np.pi * area / perimeter**2), on_border / perimeter)


def is_object(region: Region, pixels: int) -> bool:
    """Whether a region is distinct and round enough, and neither dust nor the scene itself."""
    return (
        MIN_AREA <= region.area <= MAX_SHARE * pixels
        and region.contrast >= MIN_CONTRAST
        and region.compactness >= MIN_COMPACTNESS
        and region.border_share <= MAX_BORDER_SHARE
    )


def _keep_objects(labels: NDArray[np.int32], lab: NDArray[np.float32]) -> NDArray[np.uint16]:
    kept = np.zeros(labels.shape, np.uint16)
    count = 0
    height, width = labels.shape
    for value in range(1, int(labels.max()) + 1):
        rows, columns = np.nonzero(labels == value)
        if rows.size < MIN_AREA:
            continue
        top, left = max(rows.min() - 4, 0), max(columns.min() - 4, 0)
        bottom, right = min(rows.max() + 5, height), min(columns.max() + 5, width)
        part = (labels[top:bottom, left:right] == value).astype(np.uint8)
        if is_object(measure(part, lab[top:bottom, left:right]), labels.size):
            count += 1
            kept[top:bottom, left:right][part > 0] = count
    return kept


def _garment(pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The one large thing in the middle, by GrabCut from a central rectangle; empty where it does not separate."""
    height, width = pixels.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    margin_y, margin_x = height // 12, width // 12
    rectangle = (margin_x, margin_y, width - 2 * margin_x, height - 2 * margin_y)
    cv2.grabCut(pixels, mask, rectangle, np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_RECT)
    found = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(found)
    if count < 2:
        return np.zeros((height, width), np.uint16)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return np.asarray(parts == largest, np.uint16)


def pseudo_masks(pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Label maps (4, H, W) of an RGB photo: fine, middle and coarse regions, and the garment in the middle."""
    lab = np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    smooth = cv2.bilateralFilter(pixels, 5, 30, 3)
    layers = [
        _keep_objects(felzenszwalb(smooth, scale=scale, sigma=0.6, min_size=least).astype(np.int32) + 1, lab)
        for scale, least in GRANULARITIES
    ]
    garment = _garment(pixels)
    layers.append(_keep_objects(garment.astype(np.int32), lab) if garment.any() else garment)
    return np.stack(layers)


def _cached(path: Path, cache: Path) -> Path | None:
    """The stored pseudo-masks of a photo, made now if need be; none where the photo cannot be read."""
    target = cache / f"{path.stem}.npz"
    if not target.exists():
        cv2.setNumThreads(1)
        cv2.setRNGSeed(0)
        try:
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
        except OSError:
            return None
        stored = io.BytesIO()
        np.savez_compressed(stored, layers=pseudo_masks(pixels))
        write_whole(target, stored.getvalue())  # an interrupted run leaves no half file behind
    return target


def pseudo_records(paths: Sequence[Path], cache: Path, workers: int = 2) -> list[Record]:
    """Records of photos with their pseudo-masks, made once and kept in `cache`."""
    cache.mkdir(parents=True, exist_ok=True)
    # spawned, not forked: a copy of a process whose libraries have threads may wait for one of them for ever
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        files = list(pool.map(partial(_cached, cache=cache), paths, chunksize=8))
    records = []
    for path, file in zip(paths, files, strict=True):
        if file is None:
            log.warning("skipped %s: it cannot be read as an image", path)
            continue
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        with np.load(file) as stored:
            records.append(with_boxes(path.stem, pixels, stored["layers"]))
    return [record for record in records if record.objects]
