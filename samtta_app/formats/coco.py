"""COCO instances as run lengths: holes and several parts survive, and pycocotools gives back the identical masks.

Source: cocodataset.org, "Data format"; an object is `iscrowd` 0 whatever its segmentation's encoding. Two fields are
ours: an image's `status` ("annotated", or "listed": in the folder, and nobody has said that it is empty), and `problem`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from samtta_app.core.files import marked, staged
from samtta_app.core.masks import bounding_box, to_rle
from samtta_app.core.names import component, is_component, storable
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.texts import json_text
from samtta_app.core.types import Annotation
from samtta_app.errors import ExportError

FILE = "annotations.json"
_MARK = "annotated with samtta"
"""Stands in the file's first bytes, and tells an earlier export from a user's own file."""


def write_coco(project: Project, folder: Path) -> list[Path]:
    """Write annotations.json; the ids of images, annotations and categories are the project's own.

    Raises:
        ExportError: the folder cannot be written, or has an annotations.json of somebody else; no partial file stays.
    """
    try:
        with staged(folder, marked({FILE: _MARK.encode()})) as stage:
            (stage / FILE).write_text(json_text(content(project)), encoding="utf-8")
    except OSError as error:
        raise ExportError(f"COCO was not exported: {error.strerror}", folder, "Choose another folder") from error
    return [folder / FILE]


def content(project: Project) -> dict[str, object]:
    """The whole file as JSON values; objects are read image by image, and put in the order of their accept."""
    objects = sorted((pair for image in project.annotated for pair in _annotations(project, image)), key=lambda p: p[0])
    return {
        "info": {"description": f"{storable(project.folder.name)}, {_MARK}", "version": "1.0"},
        "licenses": [],
        "images": [_image(image) for image in project.images],
        "categories": [{"id": c.id, "name": c.name, "supercategory": ""} for c in project.classes],
        "annotations": [values for _, values in objects],
    }


def _image(image: ProjectImage) -> dict[str, object]:
    """A name that no file of a folder can have, from a damaged database, is flattened: readers put it behind a path."""
    name = image.name if is_component(image.name) else component(image.name)
    values = {"id": image.id, "file_name": name, "width": image.width, "height": image.height, "status": image.status}
    return {**values, "problem": image.problem} if image.problem else values


def _annotations(project: Project, image: ProjectImage) -> Iterator[tuple[int, dict[str, object]]]:
    for annotation in project.of_image(image.name):
        yield annotation.id, _annotation(annotation, image)


def _annotation(annotation: Annotation, image: ProjectImage) -> dict[str, object]:
    box = bounding_box(annotation.mask)
    counts = to_rle(annotation.mask, image.height, image.width).decode("ascii")
    return {
        "id": annotation.id,
        "image_id": image.id,
        "category_id": annotation.class_id,
        "segmentation": {"size": [image.height, image.width], "counts": counts},
        "bbox": [box.x0, box.y0, box.x1 - box.x0 + 1, box.y1 - box.y0 + 1] if box else [0, 0, 0, 0],
        "area": annotation.mask.area,
        "iscrowd": 0,
    }
