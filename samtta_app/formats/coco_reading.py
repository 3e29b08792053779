"""Reads COCO instances of any tool: run lengths, compressed or not, and polygons; each object stands for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pycocotools.mask as coco_masks

from samtta_app.core.masks import from_rle, from_runs
from samtta_app.core.object_notes import note_in
from samtta_app.core.types import Mask
from samtta_app.errors import DatasetError
from samtta_app.formats.base import INVALID, Found, LabelledMask, Reading, Refused, checked_size
from samtta_app.formats.json_entries import json_members
from samtta_app.formats.outlines import checked_ring
from samtta_app.phrases import Phrase

COCO_FILE = "annotations/instances_default.json"
"""Where datumaro looks for the instances of a data set without parts."""

OLDER_FILE = "annotations.json"

_Entries = Mapping[Any, Mapping[str, Any]]
_NEEDED = ("file_name", "width", "height", "name")
"""What is kept of an image or a category."""

_LISTS = {"images": "image", "categories": "category"}


def read_coco(path: Path, reading: Reading) -> Iterator[Found]:
    """The objects of a COCO instances file (or of the export in a folder), in the file's order.

    The file is gone through twice, since its images and categories may come last: first for them, then for the objects.
    Memory grows with the images, and by some bytes for the id of an object.

    Raises:
        DatasetError: it is no such file, or it is cut off; then what came before was given.
    """
    file = next((path / name for name in (COCO_FILE, OLDER_FILE) if (path / name).is_file()), path)
    try:
        images, classes, refused = _heads(file, reading)
        yield from refused
        members = json_members(file, lambda share: reading.told(0.5 + share / 2))
        yield from _objects((found for key, found in members if key == "annotations"), images, classes, reading)
    except (OSError, *INVALID) as error:
        raise DatasetError(
            Phrase("This is not a COCO file of instances: {error}", error=_reason(error)), file, "Choose another file"
        ) from error


def _heads(file: Path, reading: Reading) -> tuple[_Entries, _Entries, list[Refused]]:
    """Images and categories by their ids, and those that cannot be taken.

    Raises:
        OSError, ValueError, LookupError, TypeError: the file has none, or no objects.
    """
    found: dict[str, _Entries] = {}
    refused: list[Refused] = []
    objects = False
    for key, value in json_members(file, lambda share: reading.told(share / 2)):
        objects |= key == "annotations"
        if key in _LISTS:
            found[key] = _by_id(value, _LISTS[key], refused)
        if objects and len(found) == 2:
            break
    if not objects:
        raise KeyError("annotations")
    return found["images"], found["categories"], refused


def _objects(
    lists: Iterable[Iterable[Any]], images: _Entries, classes: _Entries, reading: Reading
) -> Iterator[LabelledMask | Refused]:
    used: set[Any] = set()
    for values in chain.from_iterable(lists):
        try:
            yield _object(values, images, classes, used, reading)
        except INVALID as error:
            number = values.get("id", "without id") if isinstance(values, dict) else "without id"
            yield Refused(f"object {number!s:.40}", _reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {error}"
    return str(error) if isinstance(error, ValueError | OSError) else "a value in it is of another kind than COCO's"


def _by_id(listed: Iterable[Mapping[str, Any]], kind: str, refused: list[Refused]) -> _Entries:
    """What is needed of entries by their ids, the first where several have one; the others are refused."""
    found: dict[Any, Mapping[str, Any]] = {}
    for place, entry in enumerate(listed, start=1):
        number = entry.get("id")
        if not isinstance(number, str | int):
            refused.append(Refused(f"{kind} {place} of the list", "it has no id"))
        elif number in found:
            refused.append(Refused(f"{kind} {number!s:.40}", "its id is used twice"))
        else:
            found[number] = {key: entry[key] for key in _NEEDED if key in entry}
    return found


def _object(
    values: Mapping[str, Any],
    images: _Entries,
    classes: _Entries,
    used: set[Any],
    reading: Reading,
) -> LabelledMask:
    """One object.

    Raises:
        ValueError, LookupError, TypeError, AttributeError: it is invalid, which the text says.
    """
    if values.get("id") in used:
        raise ValueError("its id is used twice")
    if values["image_id"] not in images:
        raise ValueError(f"its image {values['image_id']!s:.40} is not in the file")
    if values["category_id"] not in classes:
        raise ValueError(f"its category {values['category_id']!s:.40} is not in the file")
    image = images[values["image_id"]]
    name = str(image["file_name"])
    height, width = checked_size(name, image.get("height"), image.get("width"), reading)
    mask = _mask(values["segmentation"], height, width)
    if values.get("id") is not None:
        used.add(values["id"])
    note = note_in(values.get("samtta"), ignore=values.get("iscrowd") == 1)
    return LabelledMask(name, str(classes[values["category_id"]]["name"]), mask, note)


def _mask(segmentation: object, height: int, width: int) -> Mask:
    """The mask of run lengths, compressed or not, or of polygons."""
    if isinstance(segmentation, list):
        if not segmentation:
            raise ValueError("it has no outline")
        rings = [checked_ring(ring).ravel().tolist() for ring in segmentation]
        drawn = coco_masks.frPyObjects(rings, height, width)
        encoded = drawn[0] if len(drawn) == 1 else coco_masks.merge(drawn)
        return from_rle(bytes(encoded["counts"]), height, width)
    if not isinstance(segmentation, dict) or list(segmentation["size"]) != [height, width]:
        raise ValueError("a segmentation does not have the size of its image")
    counts = segmentation["counts"]
    if isinstance(counts, list):
        runs = np.asarray(counts)
        whole = runs.ndim == 1 and runs.dtype.kind == "i" and runs.size > 0
        if not whole or runs.min() < 0 or runs.sum() != height * width:
            raise ValueError("run lengths do not add up to the image")
        return from_runs(runs.astype(np.int64), height)
    return from_rle(counts.encode("ascii") if isinstance(counts, str) else counts, height, width)


def strict_coco(file_name: str) -> Callable[[Path], Iterator[LabelledMask]]:
    """A reader of COCO files that ends at the first object that is invalid; in a folder it reads `file_name`.

    Raises:
        DatasetError: it is no such file, or an object in it is invalid.
    """

    def read(path: Path) -> Iterator[LabelledMask]:
        file = path / file_name if path.is_dir() else path
        for found in read_coco(file, Reading()):
            if isinstance(found, Refused):
                what = Phrase(
                    "This is not a COCO file of instances: {where}: {reason}", where=found.where, reason=found.reason
                )
                raise DatasetError(what, file, "Choose another file")
            yield found

    return read
