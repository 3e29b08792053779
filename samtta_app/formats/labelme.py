"""labelme JSON, one file for each image: masks as PNGs of their boxes, exact with holes and parts.

Source: labelme's own files. A shape of the type "mask" has its box's corners, both included, and the box's bitmap as a
PNG in base64. A polygon runs through pixel centres and includes its border, as PIL draws it.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from samtta_app.core.masks import trimmed
from samtta_app.core.names import component, is_inside
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.texts import json_text
from samtta_app.core.types import Annotation, BoolArray, Mask
from samtta_app.formats.base import (
    INVALID,
    Format,
    Found,
    LabelledMask,
    Reading,
    Refused,
    checked_size,
    strictly,
)
from samtta_app.formats.image_files import file_by_image, files_of_images
from samtta_app.formats.outlines import checked_ring
from samtta_app.formats.png import claimed_pixels
from samtta_app.regular_files import RECORD_BYTES, read_json

_VERSION = "5.5.0"
"""The first version of labelme's files with masks that its later versions read without a note."""


def _write_image(project: Project, image: ProjectImage, file: Path, home: Path) -> None:
    named = {c.id: c.name for c in project.classes}
    head: dict[str, object] = {
        "version": _VERSION,
        "flags": {},
        "imagePath": _way(project.folder, image.name, home),
        "imageData": None,
    }
    size = {"imageHeight": image.height, "imageWidth": image.width}
    with file.open("w", encoding="utf-8", errors="backslashreplace") as out:
        out.write(f'{json_text({**head, **size})[:-1]}, "shapes": [')
        for k, annotation in enumerate(project.of_image(image.name)):
            out.write(f"{',' * (k > 0)}\n{json_text(_shape(annotation, named[annotation.class_id]))}")
        out.write("\n]}\n")


def _way(folder: Path, name: str, home: Path) -> str:
    """How labelme finds the image from the JSON file: a relative path; the bare name where there is none."""
    if not is_inside(name):
        return component(name)
    try:
        return f"{Path(os.path.relpath(folder.resolve(), home.resolve())).as_posix()}/{name}"
    except ValueError:  # another drive
        return name


def _shape(annotation: Annotation, label: str) -> dict[str, object]:
    mask = trimmed(annotation.mask.bits, annotation.mask.x, annotation.mask.y)
    height, width = mask.bits.shape
    png = cv2.imencode(".png", mask.bits.astype(np.uint8) * 255)[1].tobytes()
    return {
        "label": label,
        "points": [[float(mask.x), float(mask.y)], [float(mask.x + width - 1), float(mask.y + height - 1)]],
        "group_id": None,
        "description": "",
        "shape_type": "mask",
        "flags": {},
        "mask": base64.b64encode(png).decode("ascii"),
    }


def _read_image(file: Path, name: str, reading: Reading) -> Iterator[Found]:
    found = read_json(file, RECORD_BYTES)
    if "shapes" not in found or "imagePath" not in found:
        raise ValueError("it is no labelme file")
    own = os.path.basename(str(found["imagePath"]).replace("\\", "/")) or name
    for number, shape in enumerate(found["shapes"], start=1):
        try:
            size = checked_size(own, found.get("imageHeight"), found.get("imageWidth"), reading)
            yield LabelledMask(own, str(shape["label"]), trimmed(_bits(shape, *size)))
        except INVALID as error:
            yield Refused(f"{file.name}, shape {number}", str(error))


def _bits(shape: dict[str, Any], height: int, width: int) -> BoolArray:
    """The bitmap (height, width) of a shape.

    Raises:
        ValueError, LookupError, TypeError: it is invalid, or of a type that has no area.
    """
    kind = shape.get("shape_type") or "polygon"
    if kind == "mask":
        return _placed(shape, height, width)
    if kind not in ("polygon", "rectangle", "circle"):
        raise ValueError(f"a shape of the type {kind!s:.20} has no area")
    corners = np.asarray(shape["points"], dtype=np.float64) if kind != "polygon" else checked_ring(shape["points"])
    if kind != "polygon" and (corners.shape != (2, 2) or not np.isfinite(corners).all()):
        raise ValueError(f"a {kind} needs two points")
    import PIL.Image  # the window's start does not need it
    import PIL.ImageDraw

    canvas = PIL.Image.new("L", (width, height))
    draw, points = PIL.ImageDraw.Draw(canvas), [(float(x), float(y)) for x, y in corners]
    if kind == "polygon":
        draw.polygon(points, outline=1, fill=1)
    elif kind == "rectangle":
        low, high = corners.min(axis=0), corners.max(axis=0)
        draw.rectangle((*low, *high), outline=1, fill=1)
    else:
        (x, y), radius = points[0], float(np.hypot(*(corners[1] - corners[0])))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=1, fill=1)
    return np.asarray(np.asarray(canvas) > 0)


def _placed(shape: dict[str, Any], height: int, width: int) -> BoolArray:
    data = base64.b64decode(shape["mask"], validate=True)
    small = claimed_pixels(data) <= height * width
    part = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED) if small else None
    if part is None or part.ndim != 2:
        raise ValueError("a mask is no grey PNG of its image's size or less")
    x, y = (round(value) for value in checked_corner(shape["points"][0]))
    mask = Mask(x, y, part > 0)
    rows, columns = part.shape
    if x < 0 or y < 0 or x + columns > width or y + rows > height:
        raise ValueError("a mask does not lie in its image")
    bits = np.zeros((height, width), dtype=np.bool_)
    bits[y : y + rows, x : x + columns] = mask.bits
    return bits


def checked_corner(point: object) -> tuple[float, float]:
    """A point as two finite numbers.

    Raises:
        ValueError: it is none.
    """
    found = np.asarray(point, dtype=np.float64)
    if found.shape != (2,) or not np.isfinite(found).all():
        raise ValueError("a point is no pair of numbers")
    return float(found[0]), float(found[1])


read_labelme = files_of_images("labelme", ".json", _read_image)
LABELME = Format(
    "labelme",
    "labelme: one JSON file per image, with masks",
    (".json",),
    ("clicks, boxes and uncertainty", "alternative outlines"),
    file_by_image("labelme", ".json", _write_image),
    strictly(read_labelme),
)
