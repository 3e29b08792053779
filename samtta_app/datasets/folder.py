"""Folder data sets: images, instance masks, a split and classes in one layout.

<set>/images/<name>.<suffix>   any image that the tool reads
<set>/masks/<name>.png         instance ids 1 .. n, 0 = background, one channel, 8 or 16 bit
<set>/split.json               {"train": [names], "test": [names]}      (optional)
<set>/classes.json             {name: {"id": "class"}}                  (optional)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from samtta_app.core.masks import trimmed
from samtta_app.core.types import Mask
from samtta_app.errors import DatasetError, ImageError
from samtta_app.images.read import image_size, read_ids
from samtta_app.regular_files import read_json

DATASET_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
UNNAMED = "object"
"""The class of objects in a set without classes.json."""


@dataclass(frozen=True, slots=True)
class DataImage:
    """One image of a data set; `masks` is None where the set has no objects for it."""

    name: str
    path: Path
    masks: Path | None
    classes: Mapping[int, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, eq=False)
class TargetObject:
    """One object with its true mask; only the simulated annotator and the figures may see it."""

    image: DataImage
    instance: int
    class_name: str
    mask: Mask


@dataclass(frozen=True, slots=True)
class FolderDataset:
    """A data set folder that was checked; pixels and masks are read on request."""

    name: str
    folder: Path
    images: tuple[DataImage, ...]
    splits: Mapping[str, tuple[str, ...]] = field(hash=False)

    def part(self, split: str | None) -> tuple[DataImage, ...]:
        """The images of one split, all of them for None.

        Raises:
            DatasetError: the set has no such split.
        """
        if split is None:
            return self.images
        if split not in self.splits:
            known = ", ".join(self.splits) or "none"
            raise DatasetError(f'There is no split "{split}"', self.folder, f"Choose one of those it has: {known}")
        wanted = set(self.splits[split])
        return tuple(image for image in self.images if image.name in wanted)


def open_dataset(folder: Path) -> FolderDataset:
    """Check the layout of `folder` without reading pixels.

    Raises:
        DatasetError: a folder or file is missing, or names do not match.
    """
    layout = "Give a folder with images/ and masks/ in it, one mask file per image"
    for part in (folder, folder / "images", folder / "masks"):
        if not part.is_dir():
            raise DatasetError("The data set has no such folder", part, layout)
    classes = _read_json(folder / "classes.json")
    masks = {path.stem: path for path in (folder / "masks").iterdir() if path.suffix.lower() == ".png"}
    found: dict[str, DataImage] = {}
    for name, (path, *others) in dataset_images(folder, layout).items():
        if others:
            raise DatasetError(f'Two images are named "{name}"', path.parent, "Rename one of them")
        found[name] = DataImage(name, path, masks.get(name), _class_names(classes, name))
    if not any(image.masks for image in found.values()):
        raise DatasetError("No image of the data set has a mask file of its name", folder, layout)
    return FolderDataset(folder.resolve().name, folder, tuple(found.values()), _splits(folder, found))


def dataset_images(folder: Path, layout: str) -> dict[str, list[Path]]:
    """The image files of a data set by their name without suffix, in the order of their names.

    Raises:
        DatasetError: there is no readable folder of images; `layout` says what a data set looks like.
    """
    found: dict[str, list[Path]] = {}
    images = folder / "images"
    try:
        for path in sorted(images.iterdir()):
            if path.suffix.lower() in DATASET_SUFFIXES and not path.name.startswith("."):
                found.setdefault(path.stem, []).append(path)
    except OSError as e:
        raise DatasetError(f"There is no readable images folder: {e.strerror}", images, layout) from e
    return found


def split_names(file: Path, split: str, layout: str) -> list[str]:
    """The names that `split.json` lists for a split.

    Raises:
        DatasetError: the file cannot be read, has no such split, or the split is no list of names.
    """
    try:
        names = read_json(file)[split]
    except (OSError, LookupError, TypeError, ValueError) as e:
        raise DatasetError(f"There is no readable split.json with {split!r} in it: {e}", file, layout) from e
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DatasetError(f"The split {split!r} is not a list of names", file, layout)
    return names


def read_objects(image: DataImage, min_area: int = 1) -> tuple[TargetObject, ...]:
    """The objects of one image in the order of their ids; those below `min_area` pixels are left out.

    Raises:
        DatasetError: the mask file cannot be read, has several channels, ids beyond 65,535, or another size than the
            image.
    """
    if image.masks is None:
        return ()
    labels = read_labels(image)
    objects = []
    for instance, place in enumerate(scipy.ndimage.find_objects(labels), start=1):
        if place is None:
            continue
        rows, columns = place
        mask = trimmed(labels[place] == instance, columns.start, rows.start)
        if mask.area >= min_area:
            objects.append(TargetObject(image, instance, image.classes.get(instance, UNNAMED), mask))
    return tuple(objects)


def read_labels(image: DataImage) -> NDArray[np.int32]:
    """The instance ids (H, W) of one image's mask file.

    Raises:
        DatasetError: as in `read_objects`.
    """
    if image.masks is None:
        raise DatasetError("The image has no mask file", image.path, "Add one, or leave the image out")
    try:
        labels = read_ids(image.masks)
        width, height = image_size(image.path)
    except ImageError as e:
        raise DatasetError(f"A file of the data set cannot be read: {e.what}", e.where, e.do) from e
    if labels.shape != (height, width):
        size = f"The mask is {labels.shape[1]} x {labels.shape[0]}, its image {width} x {height}"
        raise DatasetError(size, image.masks, "Save it in the image's size")
    return labels.astype(np.int32)


def _read_json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        values = read_json(path)
    except (OSError, ValueError) as e:
        raise DatasetError(f"The file is not valid JSON: {e}", path, "Repair or remove it") from e
    if not isinstance(values, dict):
        raise DatasetError("The file holds no JSON object", path, "Repair or remove it")
    return values


def _class_names(classes: Mapping[str, Any], name: str) -> dict[int, str]:
    try:
        return {int(instance): str(label) for instance, label in classes.get(name, {}).items()}
    except (AttributeError, ValueError) as e:
        raise DatasetError(f'The classes of "{name}" are not {{id: class}}', "classes.json", "Repair it") from e


def _splits(folder: Path, images: Mapping[str, DataImage]) -> dict[str, tuple[str, ...]]:
    path = folder / "split.json"
    splits = {}
    for split, names in _read_json(path).items():
        if not isinstance(names, list):
            raise DatasetError(f'The split "{split}" is not a list of names', path, "Repair or remove it")
        missing = [name for name in names if str(name) not in images]
        if missing:
            raise DatasetError(f'The split "{split}" names an image that is not there: {missing[0]}', path, "Repair it")
        splits[split] = tuple(str(name) for name in names)
    return splits
