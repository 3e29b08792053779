"""Photos as training data: several processes make their pseudo-masks once and keep them in a folder."""

import hashlib
import io
import logging
import zipfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.files import write_whole
from samtta_app.core.names import component
from samtta_app.errors import DatasetError, ImageError
from samtta_app.images.file_formats import opened_image
from samtta_app.images.read import DAMAGED, read_image
from samtta_app.train.data.labelled_images import LabelledImage, with_boxes
from samtta_app.train.data.regions import pseudo_masks

log = logging.getLogger(__name__)

METHOD = b"regions 2"
"""Must change whenever the same photo would get other pseudo-masks."""
STEM = 60
"""Characters of a photo's name in its pseudo-masks' name; at four bytes each, both fit into a file name."""
MIN_SIDE, MAX_SIDE = 32, 1024
"""Photos are reduced to at most MAX_SIDE pixels a side; those below MIN_SIDE show no objects."""


def read_photo(path: Path) -> NDArray[np.uint8]:
    """Upright RGB pixels (H, W, 3), at most MAX_SIDE a side.

    Raises:
        ImageError: the file cannot be read, or the photo is too small.
    """
    pixels = read_image(path).pixels  # dark files stretched, as the window shows them
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise ImageError(f"The photo has {width} x {height} pixels, too few", path, f"Use {MIN_SIDE} a side or more")
    scale = MAX_SIDE / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(MIN_SIDE, round(width * scale)), max(MIN_SIDE, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _place(path: Path, cache: Path) -> Path:
    """Path of a photo's pseudo-masks, from the file's content, because names are neither unique nor permanent."""
    try:
        with opened_image(path) as source:
            source.file.seek(0)
            content = hashlib.file_digest(source.file, lambda: hashlib.blake2b(METHOD, digest_size=8)).hexdigest()
    except (OSError, ImageError):
        content = "unreadable"
    return cache / f"{component(path.stem)[:STEM]}-{content}.npz"


def _stored(place: Path) -> NDArray[np.uint16] | None:
    """The stored label maps (L, H, W); None where the file is missing, incomplete or something else."""
    try:
        with place.open("rb") as file, np.load(file) as arrays:
            layers = arrays["layers"]
    except (*DAMAGED, AttributeError, zipfile.BadZipFile):
        return None
    return np.asarray(layers) if layers.ndim == 3 and layers.dtype == np.uint16 else None


def _make(path: Path, cache: Path) -> None:
    """Make and keep the pseudo-masks of a photo; nothing where it cannot be read."""
    try:
        pixels = read_photo(path)
    except ImageError:
        return
    stored = io.BytesIO()
    np.savez_compressed(stored, layers=pseudo_masks(pixels))
    write_whole(_place(path, cache), stored.getvalue())  # an interrupted run leaves no partial file


def _make_all(paths: Sequence[Path], cache: Path, workers: int) -> None:
    if len(paths) < 2 or workers < 2:
        for path in paths:
            _make(path, cache)
        return
    # spawned, because a forked copy of a process with threads may wait for one of them for ever
    with ProcessPoolExecutor(workers, get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
        list(pool.map(partial(_make, cache=cache), paths, chunksize=8))


def pseudo_records(paths: Sequence[Path], cache: Path, workers: int = 2) -> list[LabelledImage]:
    """Records of photos with pseudo-masks, made once and kept in `cache`; unreadable photos are named in the log.

    Raises:
        DatasetError: the cache cannot be written.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        missing = [path for path in paths if _stored(_place(path, cache)) is None]
        _make_all(missing, cache, workers)
    except OSError as e:
        text = f"The pseudo-masks cannot be kept: {e.strerror or e}"
        raise DatasetError(text, cache, "Free space there, or choose another folder") from e
    records = []
    for path in paths:
        try:
            pixels = read_photo(path)
        except ImageError as e:
            log.warning("skipped %s: %s", path, e)
            continue
        layers = _stored(_place(path, cache))
        if layers is None:
            log.warning("skipped %s: its pseudo-masks cannot be read", path)
            continue
        records.append(with_boxes(path.stem, pixels, layers))
    return [record for record in records if record.objects]
