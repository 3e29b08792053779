"""Index PNGs, one of instances and one of classes per annotated image; on overlaps the later accepted is on top.

    instances/NAME.png   0 background, 1 .. n the image's objects in the order of their accept
    classes/NAME.png     0 background, 1 .. c the classes
    legend.json          what every number means, and the order

Grey PNGs of 8 bit, or of 16 bit where a number above 255 occurs. NAME is the image's name without its suffix; with it
where two images differ in nothing else.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.files import staged
from samtta_app.core.masks import crop
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.types import Annotation, Window
from samtta_app.errors import ExportError

ORDER = "where masks overlap, the later accepted object is on top"


def write(project: Project, folder: Path) -> list[Path]:
    """Write the index PNGs of every annotated image, and legend.json.

    Raises:
        ExportError: the folder cannot be written, or an image has more than 65535 objects; no partial file stays.
    """
    names = _file_names(project.images)
    try:
        with staged(folder) as stage:
            (stage / "instances").mkdir()
            (stage / "classes").mkdir()
            legend = [
                _write_image(image, objects, names[image.name], project, stage)
                for image in project.images
                if (objects := project.of_image(image.name))
            ]
            text = json.dumps({"order": ORDER, "classes": _classes(project), "images": legend}, indent=1)
            (stage / "legend.json").write_text(text, encoding="utf-8")
            made = sorted(path.relative_to(stage) for path in stage.rglob("*") if path.is_file())
    except OSError as error:
        raise ExportError(f"PNG was not exported: {error.strerror}", folder, "Choose another folder") from error
    return [folder / path for path in made]


def painted(objects: tuple[Annotation, ...], values: list[int], image: ProjectImage) -> NDArray[np.uint16]:
    """The image's index map (height, width) uint16: each object's value, later ones over earlier ones."""
    index = np.zeros((image.height, image.width), dtype=np.uint16)
    for annotation, value in zip(objects, values, strict=True):
        mask = annotation.mask
        x0, y0 = max(mask.x, 0), max(mask.y, 0)
        x1 = min(mask.x + mask.bits.shape[1], image.width)
        y1 = min(mask.y + mask.bits.shape[0], image.height)
        if x0 < x1 and y0 < y1:
            index[y0:y1, x0:x1][crop(mask, Window(x0, y0, x1 - x0, y1 - y0))] = value
    return index


def _write_image(
    image: ProjectImage, objects: tuple[Annotation, ...], file: str, project: Project, stage: Path
) -> dict[str, object]:
    if len(objects) > np.iinfo(np.uint16).max:
        raise ExportError("The image has more than 65535 objects, too many for an index PNG", image.name, "Use COCO")
    numbers = {c.id: k for k, c in enumerate(project.classes, start=1)}
    values = list(range(1, len(objects) + 1))
    _save(painted(objects, values, image), stage / "instances" / file)
    _save(painted(objects, [numbers[a.class_id] for a in objects], image), stage / "classes" / file)
    return {
        "image": image.name,
        "file": file,
        "objects": [
            {"value": value, "annotation": a.id, "class": numbers[a.class_id]}
            for value, a in zip(values, objects, strict=True)
        ],
    }


def _save(index: NDArray[np.uint16], path: Path) -> None:
    pixels = index.astype(np.uint8) if index.max() <= np.iinfo(np.uint8).max else index
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


def _classes(project: Project) -> dict[int, str]:
    return {k: c.name for k, c in enumerate(project.classes, start=1)}


def _file_names(images: tuple[ProjectImage, ...]) -> dict[str, str]:
    """The PNG's name for each image; stems are compared without case, since some file systems ignore it."""
    stems = Counter(Path(image.name).stem.casefold() for image in images)
    return {i.name: f"{Path(i.name).stem if stems[Path(i.name).stem.casefold()] == 1 else i.name}.png" for i in images}
