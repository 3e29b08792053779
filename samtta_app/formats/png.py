"""Index PNGs, one of instances and one of classes per annotated image; on overlaps the later accepted is on top.

    `instances/NAME.png`: 0 background, 1 .. n the image's objects in the order of their accept.
    `classes/NAME.png`: 0 background, 1 .. c the classes; an ignore region has the number that the legend calls `ignored`.
    `legend.json`: what every number means, the order, what is wrong with images, and the files' hashes.

The legend also names the images that are only listed: those in the folder that are not marked as empty.
PNGs of 8 bit with Pascal VOC's palette, so that viewers show colours. They are grey ones of 16 bit where a number above
255 occurs: a palette has 256 places. NAME is the image's name without its suffix; the
suffix stays where two images differ only in it. A name that is no file name everywhere is flattened; the legend has
both.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.files import staged
from samtta_app.core.masks import crop, trimmed
from samtta_app.core.messages import ReportProgress
from samtta_app.core.object_notes import ObjectNote
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.texts import json_text
from samtta_app.core.types import Annotation, Window
from samtta_app.errors import DatasetError, ExportError, ImageError
from samtta_app.formats.base import MOST_PIXELS, Format, LabelledMask, announced, unheard
from samtta_app.formats.written_files import content_hash, is_written_name, portable_stems, unchanged
from samtta_app.phrases import Phrase
from samtta_app.regular_files import RECORD_BYTES, read_bytes, read_json

ORDER = "where masks overlap, the later accepted object is on top"
LEGEND_FILE = "legend.json"
_PARTS = ("instances", "classes")

IGNORED_CLASS = 255
"""The class of ignore regions, as in Pascal VOC; 65535 where a project has so many classes."""


def write_png(project: Project, folder: Path, progress: ReportProgress = unheard) -> list[Path]:
    """Write the index PNGs of every annotated image, and legend.json; masks of an earlier export go.

    Raises:
        ExportError: the folder cannot be written, or a file of the user is in the way. It is also raised where an image has
            more than 65535 objects. No partial file stays.
    """
    names = portable_stems(image.name for image in project.annotated)
    hashes: dict[str, str] = {}
    try:
        with staged(folder, _earlier) as stage:
            for part in _PARTS:
                (stage / part).mkdir()
            with (stage / LEGEND_FILE).open("w", encoding="utf-8") as legend:
                legend.write(f'{json_text(_head(project))[:-1]}, "images": [')
                for k, image in enumerate(announced(project.annotated, progress)):
                    entry = _write_image(image, f"{names[image.name]}.png", project, stage, hashes)
                    legend.write(
                        f"{',' if k else ''}\n{json_text(entry)}"
                    )  # at once: entries of many objects are large
                legend.write(f'\n], "files": {json_text(hashes, indent=1)}}}\n')
    except OSError as error:
        raise ExportError(
            Phrase("PNG was not exported: {strerror}", strerror=error.strerror), folder, "Choose another folder"
        ) from error
    return [folder / path for path in sorted([*hashes, LEGEND_FILE])]


def read_png(folder: Path) -> Iterator[LabelledMask]:
    """The objects of an export in `folder`, image by image; an object that others cover completely is not in it.

    Raises:
        DatasetError: the folder holds no such export, or a file of it is missing or invalid.
    """
    try:
        legend = read_json(folder / LEGEND_FILE, RECORD_BYTES)
        classes = {int(number): str(name) for number, name in legend["classes"].items()}
        for entry in legend["images"]:
            index = _index(folder / _PARTS[0] / entry["file"]) if _is_name(str(entry["file"])) else None
            if index is None:
                raise ValueError(f"the masks of {entry['image']} are missing")
            for found in entry["objects"]:
                bits = index == int(found["value"])
                if bits.any():
                    note = ObjectNote(found.get("ignored") is True)
                    yield LabelledMask(str(entry["image"]), classes[int(found["class"])], trimmed(bits), note)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DatasetError(
            Phrase("There are no index PNGs with a legend here: {error}", error=error), folder, "Choose another"
        ) from error


def _index(path: Path) -> NDArray[np.generic] | None:
    """The numbers of a PNG with a palette or in grey; None where it is gone.

    Raises:
        ValueError: it is another file, or too large.
    """
    from samtta_app.images.read import read_ids  # imports the decoders, which the window's start does not need

    if not path.is_file():
        return None
    if claimed_pixels(read_bytes(path, RECORD_BYTES)) > MOST_PIXELS:
        raise ValueError(f"{path.name} is too large")
    try:
        return read_ids(path)
    except ImageError as error:
        raise ValueError(f"{path.name}: {error.what}") from error


def claimed_pixels(data: bytes) -> int:
    """The pixels that a PNG's header claims: decoders take the memory for them before they read on.

    Raises:
        ValueError: it is no PNG.
    """
    if data[:8] != b"\x89PNG\r\n\x1a\n" or len(data) < 24:
        raise ValueError("it is no PNG")
    return int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big")


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


def _head(project: Project) -> dict[str, object]:
    return {
        "order": ORDER,
        **({"ignored": _ignored_class(project)} if project.ignored else {}),
        "classes": {k: c.name for k, c in enumerate(project.classes, start=1)},
        "listed": [image.name for image in project.images if image.status == "listed"],
        "problems": {image.name: image.problem for image in project.images if image.problem},
    }


def _ignored_class(project: Project) -> int:
    return IGNORED_CLASS if len(project.classes) < IGNORED_CLASS else int(np.iinfo(np.uint16).max)


def _write_image(
    image: ProjectImage, file: str, project: Project, stage: Path, hashes: dict[str, str]
) -> dict[str, object]:
    """Write the image's two files; returns its entry in the legend, and adds the files' hashes to `hashes`."""
    if image.objects > np.iinfo(np.uint16).max:
        raise ExportError("The image has more than 65535 objects, too many for an index PNG", image.name, "Use COCO")
    objects = project.of_image(image.name)
    numbers = {c.id: k for k, c in enumerate(project.classes, start=1)}
    values = list(range(1, len(objects) + 1))
    classes = [_ignored_class(project) if a.note.ignore else numbers[a.class_id] for a in objects]
    for part, shades in zip(_PARTS, (values, classes), strict=True):
        index = painted(objects, shades, image)
        save = save_with_palette if index.max(initial=0) <= np.iinfo(np.uint8).max else save_index
        hashes[f"{part}/{file}"] = save(index, stage / part / file)
    found = [
        {"value": value, "annotation": a.id, "class": numbers[a.class_id]}
        | ({"ignored": True} if a.note.ignore else {})
        for value, a in zip(values, objects, strict=True)
    ]
    return {"image": image.name, "file": file, "objects": found}


def save_index(index: NDArray[np.uint16], path: Path) -> str:
    """Write an index map as a grey PNG of 8 bit, or of 16 where it needs them; returns the file's hash.

    Raises:
        OSError: it cannot be written.
    """
    pixels = index.astype(np.uint8) if index.max(initial=0) <= np.iinfo(np.uint8).max else index
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return content_hash(path)


def voc_palette() -> NDArray[np.uint8]:
    """Pascal VOC's colours (256, 3): the bits of a number, three at a time, from the highest bit of a colour down."""
    numbers = np.arange(256)
    colours = np.zeros((256, 3), dtype=np.int64)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= ((numbers >> channel) & 1) << (7 - bit)
        numbers = numbers >> 3
    return colours.astype(np.uint8)


def save_with_palette(index: NDArray[np.uint16], path: Path) -> str:
    """Write an index map of numbers up to 255 as a PNG with Pascal VOC's palette; returns the file's hash.

    Raises:
        OSError: it cannot be written.
    """
    import PIL.Image  # the window's start does not need it

    canvas = PIL.Image.fromarray(index.astype(np.uint8))
    canvas.putpalette(voc_palette().tobytes())
    canvas.save(path)
    return content_hash(path)


# --- the earlier export ---------------------------------------------------------------------------------------------


def _earlier(folder: Path) -> list[str]:
    """The files that an export wrote according to the folder's legend and that are unchanged, and the legend itself."""
    try:
        legend = read_json(folder / LEGEND_FILE, RECORD_BYTES)
        if legend["order"] != ORDER or (folder / LEGEND_FILE).is_symlink():
            return []
        return [LEGEND_FILE, *(name for name, known in _listed(legend).items() if _is_ours(folder, name, known))]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []


def _listed(legend: dict[str, Any]) -> dict[str, str]:
    """The masks and their hashes; "" in legends that were written before there were hashes."""
    if "files" in legend:
        return {str(name): str(known) for name, known in legend["files"].items()}
    return {f"{part}/{image['file']}": "" for image in legend["images"] for part in _PARTS}


def _is_name(file: str) -> bool:
    return is_written_name(file, (".png",))


def _is_ours(folder: Path, name: str, known: str) -> bool:
    part, _, file = name.partition("/")
    return part in _PARTS and _is_name(file) and unchanged(folder, name, known)


INDEX_PNG = Format(
    "png",
    "Index PNG: objects and classes, one pair per image",
    (".png", ".json"),
    (
        "clicks, boxes and uncertainty",
        "alternative outlines",
        "what lies under another object",
        "more than 65535 objects on an image",
    ),
    write_png,
    read_png,
    holds_ignored=True,
)
