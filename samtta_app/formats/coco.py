"""COCO instances as run lengths: holes and several parts survive, and pycocotools gives back the identical masks.

Source: cocodataset.org, "Data format"; an object is `iscrowd` 0 whatever its segmentation's encoding. Three fields are
ours: an image's `status` and `problem`, and the `alternatives` of an object whose annotator kept several outlines. The
status is "annotated", or "listed": in the folder, but not marked as empty.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pycocotools.mask as coco_masks

from samtta_app.core.files import marked, staged
from samtta_app.core.masks import bounding_box, from_rle, to_rle
from samtta_app.core.messages import ReportProgress
from samtta_app.core.names import component, is_component, storable
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.texts import json_text
from samtta_app.core.types import Annotation, Mask
from samtta_app.errors import DatasetError, ExportError
from samtta_app.formats.base import Format, LabelledMask, announced, unheard
from samtta_app.regular_files import RECORD_BYTES, read_json

FILE = "annotations.json"
_MARK = "annotated with samtta"
"""Stands in the file's first bytes, and distinguishes an earlier export from a user's own file."""


def write_coco(project: Project, folder: Path, progress: ReportProgress = unheard) -> list[Path]:
    """Write annotations.json; the ids of images, annotations and categories are the project's own.

    Objects are read image by image and written in the order of their accept; in between they lie on the disk.

    Raises:
        ExportError: the folder cannot be written, or has an annotations.json of other origin; no partial file stays.
    """
    try:
        with staged(folder, marked({FILE: _MARK.encode()})) as stage, tempfile.TemporaryFile(dir=stage.parent) as spool:
            places: list[tuple[int, int, int]] = []  # id, first byte, bytes
            for image in announced(project.annotated, progress):
                for number, values in _annotations(project, image):
                    text = json_text(values).encode()
                    places.append((number, spool.tell(), spool.write(text)))
            with (stage / FILE).open("wb") as file:
                file.write(f'{json_text(_head(project))[:-1]}, "annotations": ['.encode())
                for k, (_, first, length) in enumerate(sorted(places)):
                    spool.seek(first)
                    file.write(b", " * (k > 0) + spool.read(length))
                file.write(b"]}")
    except OSError as error:
        raise ExportError(f"COCO was not exported: {error.strerror}", folder, "Choose another folder") from error
    return [folder / FILE]


def read_coco(path: Path) -> Iterator[LabelledMask]:
    """The objects of a COCO instances file (or of the export in a folder), image by image; any tool's, with polygons too.

    Raises:
        DatasetError: it is no such file, or an object in it is invalid.
    """
    file = path / FILE if path.is_dir() else path
    try:
        found = read_json(file, RECORD_BYTES)
        images = {image["id"]: image for image in found["images"]}
        classes = {category["id"]: str(category["name"]) for category in found["categories"]}
        of_image: dict[object, list[dict[str, Any]]] = {}
        for values in found["annotations"]:
            of_image.setdefault(values["image_id"], []).append(values)
        for key, objects in of_image.items():
            name, size = str(images[key]["file_name"]), (int(images[key]["height"]), int(images[key]["width"]))
            for values in objects:
                yield LabelledMask(name, classes[values["category_id"]], _mask(values["segmentation"], *size))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DatasetError(f"This is not a COCO file of instances: {error}", file, "Choose another file") from error


def _mask(segmentation: object, height: int, width: int) -> Mask:
    """The mask of run lengths, compressed or not, or of polygons."""
    if isinstance(segmentation, list):
        parts = coco_masks.frPyObjects(segmentation, height, width)
        segmentation = coco_masks.merge(parts)
    if not isinstance(segmentation, dict) or list(segmentation["size"]) != [height, width]:
        raise ValueError("a segmentation does not have the size of its image")
    counts = segmentation["counts"]
    if isinstance(counts, list):
        counts = coco_masks.frPyObjects(segmentation, height, width)["counts"]
    return from_rle(counts.encode("ascii") if isinstance(counts, str) else counts, height, width)


def _head(project: Project) -> dict[str, object]:
    return {
        "info": {"description": f"{storable(project.folder.name)}, {_MARK}", "version": "1.0"},
        "licenses": [],
        "images": [_image(image) for image in project.images],
        "categories": [{"id": c.id, "name": c.name, "supercategory": ""} for c in project.classes],
    }


def _image(image: ProjectImage) -> dict[str, object]:
    """An image's entry; a name that no file can have, from a damaged database, is flattened: readers append it to a path."""
    name = image.name if is_component(image.name) else component(image.name)
    values = {"id": image.id, "file_name": name, "width": image.width, "height": image.height, "status": image.status}
    return {**values, "problem": image.problem} if image.problem else values


def _annotations(project: Project, image: ProjectImage) -> Iterator[tuple[int, dict[str, object]]]:
    for annotation in project.of_image(image.name):
        yield annotation.id, _annotation(annotation, image)


def _annotation(annotation: Annotation, image: ProjectImage) -> dict[str, object]:
    box = bounding_box(annotation.mask)
    counts = to_rle(annotation.mask, image.height, image.width).decode("ascii")
    values: dict[str, object] = {
        "id": annotation.id,
        "image_id": image.id,
        "category_id": annotation.class_id,
        "segmentation": {"size": [image.height, image.width], "counts": counts},
        "bbox": [box.x0, box.y0, box.x1 - box.x0 + 1, box.y1 - box.y0 + 1] if box else [0, 0, 0, 0],
        "area": annotation.mask.area,
        "iscrowd": 0,
    }
    if annotation.alternatives:
        size = [image.height, image.width]
        runs = [to_rle(mask, *size).decode("ascii") for mask in annotation.alternatives]
        values["alternatives"] = [{"size": size, "counts": counts} for counts in runs]
    return values


COCO = Format(
    "coco",
    "COCO: one JSON file with run lengths",
    (".json",),
    ("clicks, boxes and uncertainty",),
    write_coco,
    read_coco,
)
