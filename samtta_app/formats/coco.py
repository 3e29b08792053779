"""COCO instances as run lengths: holes and several parts survive, and pycocotools gives back the identical masks.

Source: cocodataset.org, "Data format"; an object is `iscrowd` 0 whatever its segmentation's encoding.
"""

from __future__ import annotations

import json
from pathlib import Path

from samtta_app.core.files import staged
from samtta_app.core.masks import bounding_box, to_rle
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.types import Annotation
from samtta_app.errors import ExportError

FILE = "annotations.json"


def write(project: Project, folder: Path) -> list[Path]:
    """Write annotations.json; ids of images count from 1, ids of annotations and categories are the project's own.

    Raises:
        ExportError: the folder cannot be written; no partial file stays.
    """
    try:
        with staged(folder) as stage:
            (stage / FILE).write_text(json.dumps(content(project), ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        raise ExportError(f"COCO was not exported: {error.strerror}", folder, "Choose another folder") from error
    return [folder / FILE]


def content(project: Project) -> dict[str, object]:
    """The whole file as JSON values."""
    numbers = {image.name: k for k, image in enumerate(project.images, start=1)}
    sizes = {image.name: image for image in project.images}
    return {
        "info": {"description": f"{project.folder.name}, annotated with samtta", "version": "1.0"},
        "licenses": [],
        "images": [
            {"id": numbers[i.name], "file_name": i.name, "width": i.width, "height": i.height} for i in project.images
        ],
        "categories": [{"id": c.id, "name": c.name, "supercategory": ""} for c in project.classes],
        "annotations": [_annotation(a, sizes[a.image_name], numbers[a.image_name]) for a in project.annotations],
    }


def _annotation(annotation: Annotation, image: ProjectImage, number: int) -> dict[str, object]:
    box = bounding_box(annotation.mask)
    counts = to_rle(annotation.mask, image.height, image.width).decode("ascii")
    return {
        "id": annotation.id,
        "image_id": number,
        "category_id": annotation.class_id,
        "segmentation": {"size": [image.height, image.width], "counts": counts},
        "bbox": [box.x0, box.y0, box.x1 - box.x0 + 1, box.y1 - box.y0 + 1] if box else [0, 0, 0, 0],
        "area": annotation.mask.area,
        "iscrowd": 0,
    }
