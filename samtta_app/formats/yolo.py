"""YOLO segmentation: a folder with data.yaml, `images/PART` and `labels/PART`, as ultralytics trains on it.

A line of a label file is a class number and an outline, x before y, as shares of the image's width and height. Tools of
this format draw outlines with OpenCV, which includes the border, so an outline runs through the border pixels' centres.
The images are PNGs of the shown pixels. PART is "train" without a split.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from samtta_app.core.masks import trimmed
from samtta_app.core.messages import ReportProgress
from samtta_app.core.names import storable
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.texts import json_text
from samtta_app.core.types import Mask
from samtta_app.errors import DatasetError, ImageError
from samtta_app.formats.base import (
    INVALID,
    Format,
    Found,
    LabelledMask,
    Reading,
    Refused,
    announced,
    checked_size,
    is_plain_file,
    strictly,
    unheard,
)
from samtta_app.formats.outlines import borders_of, checked_ring, drawn
from samtta_app.formats.recorded_files import read_record, recorded, written_paths
from samtta_app.formats.shown_images import save_png, shown_pixels
from samtta_app.formats.written_files import portable_stems
from samtta_app.phrases import Phrase
from samtta_app.regular_files import LIST_BYTES, RECORD_BYTES, read_text

_YAML = "data.yaml"
_WITHIN = 0.25
"""Share of a pixel that is added to a coordinate: tools that round and tools that cut off then find the same pixel."""

_BELOW = 0.1
"""Share of a pixel by which a coordinate may lie below its pixel: tools write few decimals."""

_IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def _write(project: Project, folder: Path, progress: ReportProgress = unheard) -> list[Path]:
    stems = portable_stems(image.name for image in project.annotated)
    places = {c.id: k for k, c in enumerate(project.classes)}
    parts = sorted({image.part or "train" for image in project.annotated} | {"train"})
    listed: dict[str, object] = {}
    left_out: dict[str, str] = {}
    with recorded(folder, "yolo", {"images": listed, "without_picture": left_out}) as stage:
        for part in parts:
            (stage / "images" / part).mkdir(parents=True)
            (stage / "labels" / part).mkdir(parents=True)
        for image in announced(project.annotated, progress):
            file = f"{image.part or 'train'}/{stems[image.name]}"
            listed[f"labels/{file}.txt"] = {"image": image.name, "size": [image.height, image.width]}
            with (stage / "labels" / f"{file}.txt").open("w", encoding="ascii") as out:
                for annotation in project.of_image(image.name):
                    out.writelines(_lines(annotation.mask, places[annotation.class_id], image))
            pixels = shown_pixels(project, image)
            if isinstance(pixels, str):
                left_out[image.name] = pixels
            else:
                save_png(pixels, stage / "images" / f"{file}.png")
        names = "".join(f"  {k}: {json_text(storable(c.name))}\n" for k, c in enumerate(project.classes))
        text = "".join(f"{part}: images/{part}\n" for part in parts) + ("" if "val" in parts else "val: images/train\n")
        (stage / _YAML).write_text(f"{text}nc: {len(places)}\nnames:\n{names}", encoding="utf-8")
    return written_paths(folder, "yolo")


def _lines(mask: Mask, place: int, image: ProjectImage) -> Iterator[str]:
    """A line for each part; a border of fewer than three corners is given more, since readers refuse it."""
    for border in borders_of(mask):
        corners = np.concatenate([border] * (1 if len(border) > 2 else 3))
        shares = (np.maximum(corners, 0) + _WITHIN) / (image.width, image.height)
        yield f"{place} {' '.join(f'{value:.9f}' for value in shares.ravel())}\n"


def read_yolo(path: Path, reading: Reading) -> Iterator[Found]:
    """The objects of the label files below a folder, or beside a data.yaml, or of one label file.

    Raises:
        DatasetError: there is no label file, or data.yaml makes no sense.
    """
    root = path.parent if path.suffix.lower() in (".yaml", ".yml", ".txt") else path
    home = root / "labels" if (root / "labels").is_dir() else root
    files = [path] if path.suffix.lower() == ".txt" else sorted(home.rglob("*.txt"))
    files = [file for file in files if is_plain_file(file) and file.name != "classes.txt"]
    names = _class_names(path if path.suffix.lower() in (".yaml", ".yml") else root / _YAML)
    if not files and not (root / _YAML).is_file():
        raise DatasetError("There are no label files of YOLO here", path, "Choose the folder with data.yaml")
    record = read_record(root, "yolo").get("images")
    for file in files:
        inside = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name
        known = record.get(inside) if isinstance(record, dict) else None
        try:
            name, size = _image_of(file, root, known, reading)
            lines = read_text(file, RECORD_BYTES).splitlines()
        except (OSError, *INVALID) as error:
            yield Refused(inside, str(error))
            continue
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield _object(line.split(), name, size, names, reading)
                except INVALID as error:
                    yield Refused(f"{inside}, line {number}", str(error))


def _class_names(file: Path) -> dict[int, str]:
    """The class names of a data.yaml by number; none where there is no such file.

    Raises:
        DatasetError: the file makes no sense.
    """
    import yaml  # the window's first paint does without it

    if not file.is_file():
        return {}
    try:
        names: Any = yaml.safe_load(read_text(file, LIST_BYTES))["names"]
        pairs = names.items() if isinstance(names, dict) else enumerate(names)
        return {int(number): str(name) for number, name in pairs}
    except (OSError, yaml.YAMLError, RecursionError, *INVALID) as error:
        text = Phrase("The classes cannot be read: {value}", value=str(error).splitlines()[0] if str(error) else error)
        raise DatasetError(text, file, "Choose another file") from error


def _image_of(file: Path, root: Path, known: Mapping[str, Any] | None, reading: Reading) -> tuple[str, tuple[int, int]]:
    """Name and size of a label file's image: as noted, of the project, or of the picture beside it.

    Raises:
        ValueError: the size is not known.
    """
    from samtta_app.images.read import image_size

    if known:
        height, width = known["size"]
        return str(known["image"]), checked_size(str(known["image"]), height, width, reading)
    size = reading.size_of(file.stem)
    if size is not None:
        return file.stem, size
    beside = [file.parent]
    if file.is_relative_to(root / "labels"):
        beside.append(root / "images" / file.parent.relative_to(root / "labels"))
    for place in [home / f"{file.stem}{ending}" for home in beside for ending in _IMAGE_ENDINGS]:
        if place.is_file():
            try:
                width, height = image_size(place)
            except ImageError as error:
                raise ValueError(f"its image cannot be read: {error.what}") from error
            return place.name, checked_size(place.name, height, width, reading)
    raise ValueError("its image is not there, so its size is not known")


def _object(
    words: list[str], name: str, size: tuple[int, int], names: Mapping[int, str], reading: Reading
) -> LabelledMask:
    number, values = int(words[0]), [float(word) for word in words[1:]]
    if len(values) == 4:
        raise ValueError("the line is a box without an outline")
    ring = checked_ring(values)
    if ring.min() < 0 or ring.max() > 1:
        raise ValueError("a coordinate lies outside the image")
    if names and number not in names:
        raise ValueError(f"class {number} is not in {_YAML}")
    height, width = size
    pixels = np.minimum(np.floor(ring * (width, height) + _BELOW), (width - 1, height - 1))
    return LabelledMask(name, names.get(number, f"class {number}"), trimmed(drawn(pixels, height, width)))


YOLO = Format(
    "yolo",
    "YOLO segmentation: images, outlines and data.yaml",
    (".txt", ".png", ".yaml", ".json"),
    (
        "holes: they are filled",
        "several parts: each becomes an object",
        "clicks, boxes and uncertainty",
        "alternative outlines",
        "pictures that are gone or unreadable",
    ),
    _write,
    strictly(read_yolo),
    splits=True,
    copies_pixels=True,
)
