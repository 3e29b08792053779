"""COCO instances: as run lengths, of which pycocotools gives back the identical masks, or as polygons.

Source: cocodataset.org, "Data format"; an object is `iscrowd` 0 whatever its segmentation's encoding. An ignore region
is `iscrowd` 1, always as run lengths.

What is ours stands under one key, `samtta`. Of an image it is `status` and `problem`: "annotated", "empty" where a user
said so, or "listed". Of an object it is `alternatives`, `predicted_iou`, `reviewed`, `attributes`,
`comment`, the `annotator`, and the `source` of imported ones.
"""

from __future__ import annotations

import math
import tempfile
from array import array
from pathlib import Path

import numpy as np

from samtta_app.core.files import marked, staged
from samtta_app.core.masks import bounding_box, to_rle
from samtta_app.core.messages import ReportProgress
from samtta_app.core.names import component, is_inside, storable
from samtta_app.core.object_notes import note_values
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.texts import json_text
from samtta_app.core.types import Annotation, Mask
from samtta_app.errors import ExportError
from samtta_app.formats.base import Format, FormatWriter, announced, unheard
from samtta_app.formats.coco_reading import COCO_FILE, OLDER_FILE, strict_coco
from samtta_app.formats.outlines import parts_of
from samtta_app.phrases import Phrase

FILE, POLYGON_FILE = COCO_FILE, "annotations/instances_polygons.json"
_OLDER = {FILE: (OLDER_FILE,)}
"""Names that earlier versions gave to a file; an export removes it."""

UPRIGHT = "masks are upright: the orientation that EXIF names is applied"
STORED = "masks are in the rows and columns of the files: the orientation that EXIF names is not applied"
OWN = "samtta"
"""The key of our own fields."""

_MARK = "annotated with samtta"
"""Stands in the file's first bytes, and distinguishes an earlier export from a user's own file."""


def _writer(file_name: str, *, polygons: bool) -> FormatWriter:
    """A writer of one COCO file; the ids of images, annotations and categories are the project's own.

    Objects are read image by image and written in the order of their accept; in between they lie on the disk.
    """

    def write(project: Project, folder: Path, progress: ReportProgress = unheard) -> list[Path]:
        earlier = marked({name: _MARK.encode() for name in (file_name, *_OLDER.get(file_name, ()))})
        try:
            with staged(folder, earlier) as stage, tempfile.TemporaryFile(dir=stage.parent) as spool:
                places = array("q")  # of each object its id, first byte and bytes
                for image in announced(project.annotated, progress):
                    for annotation in project.of_image(image.name):
                        text = json_text(_annotation(annotation, image, project, polygons=polygons)).encode()
                        places.extend((annotation.id, spool.tell(), spool.write(text)))
                (stage / file_name).parent.mkdir()
                with (stage / file_name).open("wb") as file:
                    file.write(f'{json_text(_head(project))[:-1]}, "annotations": ['.encode())
                    table = np.frombuffer(places, dtype=np.int64).reshape(-1, 3)
                    for k, row in enumerate(np.argsort(table[:, 0], kind="stable")):
                        spool.seek(table[row, 1])
                        file.write(b", " * (k > 0) + spool.read(table[row, 2]))
                    file.write(b"]}")
        except OSError as error:
            raise ExportError(
                Phrase("COCO was not exported: {strerror}", strerror=error.strerror), folder, "Choose another folder"
            ) from error
        return [folder / file_name]

    return write


def _head(project: Project) -> dict[str, object]:
    return {
        "info": {
            "description": f"{storable(project.folder.name)}, {_MARK}",
            "version": "1.0",
            OWN: {"rows": STORED} if project.stored_rows else {"upright": UPRIGHT},
        },
        "licenses": [],
        "images": [_image(image) for image in project.images],
        "categories": [{"id": c.id, "name": c.name, "supercategory": ""} for c in project.classes],
    }


def _image(image: ProjectImage) -> dict[str, object]:
    """An image's entry; a name that no file can have, from a damaged database, is flattened: readers append it to a path."""
    name = image.name if is_inside(image.name) else component(image.name)
    own = {"status": image.status, **({"problem": image.problem} if image.problem else {})}
    return {"id": image.id, "file_name": name, "width": image.width, "height": image.height, OWN: own}


def _annotation(annotation: Annotation, image: ProjectImage, project: Project, *, polygons: bool) -> dict[str, object]:
    box, size = bounding_box(annotation.mask), (image.height, image.width)
    as_polygons = polygons and not annotation.note.ignore
    values: dict[str, object] = {
        "id": annotation.id,
        "image_id": image.id,
        "category_id": annotation.class_id,
        "segmentation": _polygons(annotation.mask) if as_polygons else _run_lengths(annotation.mask, size),
        "bbox": [box.x0, box.y0, box.x1 - box.x0 + 1, box.y1 - box.y0 + 1] if box else [0, 0, 0, 0],
        "area": annotation.mask.area,
        "iscrowd": int(annotation.note.ignore),
    }
    own: dict[str, object] = {"reviewed": annotation.id in project.reviewed, **note_values(annotation.note)}
    if not math.isnan(annotation.predicted_iou):
        own["predicted_iou"] = round(annotation.predicted_iou, 4)
    if annotation.annotator:
        own["annotator"] = storable(annotation.annotator)
    if annotation.source:
        own["source"] = annotation.source
    if annotation.alternatives:
        own["alternatives"] = [_run_lengths(mask, size) for mask in annotation.alternatives]
    return {**values, OWN: own}


def _run_lengths(mask: Mask, size: tuple[int, int]) -> dict[str, object]:
    return {"size": list(size), "counts": to_rle(mask, *size).decode("ascii")}


def _polygons(mask: Mask) -> list[list[int]]:
    """The outer rings of the mask's parts; pycocotools draws each of them as the very pixels, with its holes filled."""
    return [part.outer.astype(np.int64).ravel().tolist() for part in parts_of(mask)]


COCO = Format(
    "coco",
    "COCO: one JSON file with run lengths",
    (".json",),
    ("clicks, boxes and uncertainty",),
    _writer(FILE, polygons=False),
    strict_coco(FILE),
    holds_ignored=True,
    holds_notes=True,
)
COCO_POLYGONS = Format(
    "coco-polygons",
    "COCO: one JSON file with polygons",
    (".json",),
    ("holes: they are filled", "clicks, boxes and uncertainty"),
    _writer(POLYGON_FILE, polygons=True),
    strict_coco(POLYGON_FILE),
    holds_ignored=True,
    holds_notes=True,
)
