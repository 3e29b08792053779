"""CVAT for images 1.1: one XML file, with masks as run lengths or with polygons.

Source: CVAT's manual, "CVAT for images". A mask's run lengths go along the rows of its box, background first. A
polygon's coordinates are pixel corners.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from samtta_app.core.masks import trimmed
from samtta_app.core.messages import ReportProgress
from samtta_app.core.names import displayable
from samtta_app.core.project import Project
from samtta_app.core.types import Annotation, BoolArray
from samtta_app.errors import DatasetError
from samtta_app.formats.base import (
    INVALID,
    Format,
    FormatWriter,
    Found,
    LabelledMask,
    Reading,
    Refused,
    announced,
    checked_size,
    strictly,
    unheard,
)
from samtta_app.formats.outlines import parts_of, within
from samtta_app.formats.recorded_files import recorded, written_paths
from samtta_app.phrases import Phrase

_FILES = {"cvat": "cvat.xml", "cvat-polygons": "cvat_polygons.xml"}


def _writer(format_name: str) -> FormatWriter:
    """A writer of one XML file."""

    def write(project: Project, folder: Path, progress: ReportProgress = unheard) -> list[Path]:
        named = {c.id: c.name for c in project.classes}
        with (
            recorded(folder, format_name, {}) as stage,
            (stage / _FILES[format_name]).open("w", encoding="utf-8") as out,
        ):
            labels = "".join(f"<label><name>{_text(c.name)}</name></label>" for c in project.classes)
            out.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n')
            out.write(f"<meta><task><labels>{labels}</labels></task></meta>\n")
            for image in announced(project.annotated, progress):
                size = f'width="{image.width}" height="{image.height}"'
                out.write(f'<image id="{image.id}" name={_quoted(image.name)} {size}>\n')
                for annotation in project.of_image(image.name):
                    label = f'label={_quoted(named[annotation.class_id])} source="manual" occluded="0"'
                    out.write(_polygons(annotation, label) if "polygons" in format_name else _mask(annotation, label))
                out.write("</image>\n")
            out.write("</annotations>\n")
        return written_paths(folder, format_name)

    return write


def _mask(annotation: Annotation, label: str) -> str:
    mask = trimmed(annotation.mask.bits, annotation.mask.x, annotation.mask.y)
    height, width = mask.bits.shape
    turns = np.flatnonzero(np.diff(mask.bits.ravel().astype(np.int8), prepend=0))
    runs = np.diff(turns, prepend=0, append=height * width)
    counts = ", ".join(map(str, runs[: runs.size - (runs[-1] == 0)]))
    place = f'left="{mask.x}" top="{mask.y}" width="{width}" height="{height}"'
    return f'  <mask {label} rle="{counts}" {place} z_order="0"></mask>\n'


def _polygons(annotation: Annotation, label: str) -> str:
    """One polygon for each part; parts of one object share a group."""
    lines = []
    for part in parts_of(annotation.mask):
        points = ";".join(f"{x:.0f},{y:.0f}" for x, y in part.outer)
        lines.append(f'  <polygon {label} points="{points}" z_order="0" group_id="{annotation.id}"></polygon>\n')
    return "".join(lines)


def _text(value: str) -> str:
    return displayable(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quoted(value: str) -> str:
    from xml.sax.saxutils import quoteattr  # brings HTTP, which the window's first paint does without

    return quoteattr(displayable(value))


def read_cvat(path: Path, reading: Reading) -> Iterator[Found]:
    """The masks, polygons and boxes of an XML file (or of the export in a folder), image by image.

    Polygons of one image and one group are one object.

    Raises:
        DatasetError: it is no such file, or it is cut off; then what came before was given.
    """
    file = next((path / name for name in _FILES.values() if (path / name).is_file()), path) if path.is_dir() else path
    seen = False
    try:
        with file.open("rb") as stream:
            for event, element in ET.iterparse(stream, events=("start", "end")):
                if not seen and element.tag != "annotations":
                    raise ValueError(f"it begins with {element.tag!r:.40}")
                seen = True
                if event == "end" and element.tag == "image":
                    yield from _image(element, reading)
                    element.clear()
    except (OSError, ET.ParseError, ValueError) as error:
        raise DatasetError(
            Phrase("This is not a CVAT file of images: {error}", error=error), file, "Choose another file"
        ) from error


def _image(element: ET.Element, reading: Reading) -> Iterator[Found]:
    name = element.get("name", "")
    groups: dict[str, list[ET.Element]] = {}
    for number, shape in enumerate(element):
        group = shape.get("group_id", "0") if shape.tag == "polygon" else "0"
        groups.setdefault(group if group not in ("", "0") else f"shape {number}", []).append(shape)
    for shapes in groups.values():
        try:
            height, width = (int(element.get(side, "")) for side in ("height", "width"))
            checked_size(name, height, width, reading)
            bits = np.zeros((height, width), dtype=np.bool_)
            for shape in shapes:
                bits |= _bits(shape, height, width)
            yield LabelledMask(name, shapes[0].get("label") or reading.class_name, trimmed(bits))
        except INVALID as error:
            yield Refused(f"{name:.80}, {shapes[0].tag}", str(error))


def _bits(shape: ET.Element, height: int, width: int) -> BoolArray:
    if shape.tag == "polygon":
        corners = [[float(v) for v in point.split(",")] for point in shape.get("points", "").split(";")]
        return within([np.asarray(corners)], height, width)
    if shape.tag != "mask":
        raise ValueError(f"a shape of the kind {shape.tag:.20} has no outline")
    x, y, columns, rows = (int(shape.get(key, "")) for key in ("left", "top", "width", "height"))
    if min(x, y) < 0 or min(columns, rows) < 1 or x + columns > width or y + rows > height:
        raise ValueError("a mask does not lie in its image")
    runs = np.array([int(run) for run in shape.get("rle", "").split(",")], dtype=np.int64)
    if runs.min() < 0 or runs.sum() != rows * columns:
        raise ValueError("run lengths do not add up to the mask's box")
    bits = np.zeros((height, width), dtype=np.bool_)
    bits[y : y + rows, x : x + columns] = np.repeat(np.arange(runs.size) % 2 == 1, runs).reshape(rows, columns)
    return bits


CVAT = Format(
    "cvat",
    "CVAT for images: one XML file with masks",
    (".xml", ".json"),
    ("clicks, boxes and uncertainty", "alternative outlines"),
    _writer("cvat"),
    strictly(read_cvat),
)
CVAT_POLYGONS = Format(
    "cvat-polygons",
    "CVAT for images: one XML file with polygons",
    (".xml", ".json"),
    ("holes: they are filled", "clicks, boxes and uncertainty", "alternative outlines"),
    _writer("cvat-polygons"),
    strictly(lambda path, reading: read_cvat(path / _FILES["cvat-polygons"] if path.is_dir() else path, reading)),
)
