"""What the loader keeps in memory: decoded images, label maps and the boxes of their objects."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from samtta_app.datasets.folder import dataset_images, split_names
from samtta_app.errors import DatasetError, ImageError, UserError
from samtta_app.images.read import read_ids, read_image
from samtta_app.session.project.location import HOME, exists

log = logging.getLogger(__name__)

MIN_OBJECT_AREA = 20
MIN_OBJECT_SIDE = 5
_LAYOUT = 'A data set has images/, split.json with {"train": [names], "test": [names]}, and masks/ unless it is photos'


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
class LabelledImage:
    """One image: pixels (H, W) or (H, W, 3) uint8, label layers (L, H, W) and the objects in them."""

    name: str
    pixels: NDArray[np.uint8]
    layers: NDArray[np.uint16]
    objects: tuple[ObjectBox, ...]


def with_boxes(name: str, pixels: NDArray[np.uint8], layers: NDArray[np.uint16]) -> LabelledImage:
    """A record with the boxes of all objects larger than specks."""
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
    return LabelledImage(name, pixels, layers, tuple(objects))


def _read_pixels(path: Path) -> NDArray[np.uint8]:
    """Upright pixels, (H, W) where all is grey, else (H, W, 3)."""
    pixels = read_image(path).pixels  # dark files stretched, as the window shows them
    grey = bool((pixels == pixels[..., :1]).all())
    return np.ascontiguousarray(pixels[..., 0]) if grey else pixels


def _read_labels(path: Path) -> NDArray[np.uint16]:
    """Instance ids (H, W).

    Raises:
        DatasetError: it cannot be read, has several channels (colours are no ids), or ids that do not fit.
    """
    try:
        return read_ids(path)
    except ImageError as e:
        raise DatasetError(e.what, e.where, e.do) from e


def image_paths(folder: Path, split: str) -> list[Path]:
    """The images of a split, in the order of `split.json`; missing images are named in the log.

    Photos (a set without masks) may share a name and differ in their suffix; all of them are used.

    Raises:
        DatasetError: `folder` is no data set, none of the split's images exists, or two images share one mask.
    """
    names, images = split_names(folder / "split.json", split, _LAYOUT), folder / "images"
    found = dataset_images(folder, _LAYOUT)
    missing = [name for name in names if name not in found]
    if missing and len(missing) == len(names):
        raise DatasetError(f"None of the {len(names)} images of the split {split!r} is there", images, _LAYOUT)
    if missing:
        some = ", ".join(missing[:5])
        log.warning("%s: %d of the %d images of %r are not there: %s", images, len(missing), len(names), split, some)
    shared = [name for name in names if len(found.get(name, [])) > 1]
    if shared and has_masks(folder):
        raise DatasetError(f'Two images are named "{shared[0]}" and share one mask', images, "Rename one of them")
    return [path for name in names for path in found.get(name, [])]


def is_project(folder: Path) -> bool:
    """Whether a folder is read as a project: one lies in it or is it. With a split.json it is a data set."""
    return not (folder / "split.json").exists() and any(exists(home) for home in (folder, folder / HOME))


def has_masks(folder: Path) -> bool:
    """Whether a data set comes with masks, as projects do; without them it is a set of photos."""
    return (folder / "masks").is_dir() or is_project(folder)


def read_labelled(paths: Sequence[Path]) -> list[LabelledImage]:
    """Records of images with masks; unreadable or unsuitable files are named in the log and skipped."""

    def read(path: Path) -> LabelledImage:
        mask = path.parent.parent / "masks" / f"{path.stem}.png"
        return with_layers(path, _read_labels(mask)[None], mask)

    return usable(paths, read)


def with_layers(path: Path, layers: NDArray[np.uint16], masks: object) -> LabelledImage:
    """The record of an image and its label layers (L, H, W), which were read from `masks`.

    Raises:
        ImageError: the image cannot be read.
        DatasetError: the layers have another size.
    """
    pixels = _read_pixels(path)
    if layers.shape[1:] != pixels.shape[:2]:
        (height, width), (rows, columns) = pixels.shape[:2], layers.shape[1:]
        text = f"The mask is {columns} x {rows}, its image {width} x {height} (upright)"
        raise DatasetError(text, masks, "Save it in the image's size")
    return with_boxes(path.stem, pixels, layers)


def usable(paths: Sequence[Path], read: Callable[[Path], LabelledImage]) -> list[LabelledImage]:
    """The records that have objects; images that cannot be read are named in the log and skipped."""
    records = []
    for path in paths:
        try:
            record = read(path)
        except UserError as e:
            log.warning("skipped %s: %s", path, e)
            continue
        if record.objects:
            records.append(record)
    return records
