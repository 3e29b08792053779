"""What the loader keeps in memory: decoded images, label maps and the boxes of their objects."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from scipy import ndimage

from samtta_app.core.images import display

log = logging.getLogger(__name__)

MIN_OBJECT_AREA = 20
MIN_OBJECT_SIDE = 5


@dataclass(frozen=True, slots=True)
class ObjectBox:
    """One object of a record: its layer, its id there and its box in pixels (x1 and y1 exclusive)."""

    layer: int
    value: int
    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def side(self) -> int:
        """The longer side of the box."""
        return max(self.x1 - self.x0, self.y1 - self.y0)


@dataclass(frozen=True, slots=True)
class Record:
    """One image: pixels (H, W) or (H, W, 3) uint8, label layers (L, H, W) and the objects in them."""

    name: str
    pixels: NDArray[np.uint8]
    layers: NDArray[np.uint16]
    objects: tuple[ObjectBox, ...]


def with_boxes(name: str, pixels: NDArray[np.uint8], layers: NDArray[np.uint16]) -> Record:
    """A record with the boxes of all objects that are not mere specks."""
    objects = []
    for layer, labels in enumerate(layers):
        areas = np.bincount(labels.ravel())
        for value, place in enumerate(ndimage.find_objects(labels.astype(np.int32)), start=1):
            if place is None or areas[value] < MIN_OBJECT_AREA:
                continue
            rows, columns = place
            box = ObjectBox(layer, value, columns.start, rows.start, columns.stop, rows.stop)
            if min(box.x1 - box.x0, box.y1 - box.y0) >= MIN_OBJECT_SIDE:
                objects.append(box)
    return Record(name, pixels, layers, tuple(objects))


def _read_pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        if image.mode.startswith(("I", "F")):  # more than 8 bits: Pillow would cut them off at white
            return display(np.asarray(image))
        return np.asarray(image if image.mode == "L" else image.convert("RGB"))


def _read_labels(path: Path) -> NDArray[np.uint16]:
    # Pillow keeps palette indices as they are; OpenCV 5 turns them all into background.
    with Image.open(path) as image:
        labels = np.asarray(image)
    if labels.ndim != 2:
        raise ValueError(f"{path}: a mask must hold one instance id per pixel, not {labels.ndim} channels")
    return labels.astype(np.uint16)


def image_paths(folder: Path, split: str) -> list[Path]:
    """The images of a split, in the order of `split.json`.

    Raises `ValueError` where the folder is no dataset.
    """
    try:
        names = json.loads((folder / "split.json").read_text())[split]
    except (OSError, KeyError, TypeError, ValueError) as e:
        raise ValueError(f"{folder}: no readable split.json with {split!r} in it: {e}") from e
    try:
        found = {path.stem: path for path in sorted((folder / "images").iterdir())}
    except OSError as e:
        raise ValueError(f"{folder}: no readable images folder in it: {e}") from e
    return [found[name] for name in names if name in found]


def has_masks(folder: Path) -> bool:
    """Whether a dataset comes with masks; without them it is a set of photos."""
    return (folder / "masks").is_dir()


def read_records(paths: Sequence[Path]) -> list[Record]:
    """Records of images with masks; unreadable or ill-fitting files are named in the log and skipped."""
    records = []
    for path in paths:
        mask = path.parent.parent / "masks" / f"{path.stem}.png"
        try:
            pixels, labels = _read_pixels(path), _read_labels(mask)
        except (OSError, ValueError, UnidentifiedImageError) as e:
            log.warning("skipped %s: %s", path, e)
            continue
        if labels.shape != pixels.shape[:2]:
            log.warning("skipped %s: image %s and mask %s differ in size", path, pixels.shape[:2], labels.shape)
            continue
        record = with_boxes(path.stem, pixels, labels[None])
        if record.objects:
            records.append(record)
    return records
