"""Label maps: images whose pixels are the objects' numbers, as 16-bit TIFF, as PNG, or as masks of 0 and 255.

The TIFFs are read by Cellpose and micro-sam as they are: `tiff/NAME_masks.tif`, 0 background, 1 .. n the objects in the
order of their accept. The record beside them names each object's class, which the pixels cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.masks import trimmed
from samtta_app.core.messages import ReportProgress
from samtta_app.core.project import Project
from samtta_app.errors import DatasetError, ExportError, ImageError
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
from samtta_app.formats.png import LEGEND_FILE, painted, read_png
from samtta_app.formats.recorded_files import read_record, recorded, written_paths
from samtta_app.formats.written_files import portable_stems
from samtta_app.phrases import Phrase

MOST_OBJECTS = int(np.iinfo(np.uint16).max)
_ENDING = "_masks.tif"
_STEM_ENDINGS = ("_cp_masks", "_masks", "_mask", "_labels", "_label", "_instances", "_seg")
"""Ends of file names that tools add to the image's name."""

_SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".gif")


def _write(project: Project, folder: Path, progress: ReportProgress = unheard) -> list[Path]:
    import tifffile

    stems, named = portable_stems(image.name for image in project.annotated), {c.id: c.name for c in project.classes}
    listed: dict[str, object] = {}
    with recorded(folder, "tiff", {"images": listed}) as stage:
        (stage / "tiff").mkdir()
        for image in announced(project.annotated, progress):
            if image.objects > MOST_OBJECTS:
                text = Phrase(
                    "The image has more than {most_objects} objects, too many for a label TIFF",
                    most_objects=MOST_OBJECTS,
                )
                raise ExportError(text, image.name, "Use COCO")
            objects = project.of_image(image.name)
            file = f"tiff/{stems[image.name]}{_ENDING}"
            index = painted(objects, list(range(1, len(objects) + 1)), image)
            tifffile.imwrite(stage / file, index, compression="zlib")
            listed[file] = {"image": image.name, "classes": [named[a.class_id] for a in objects]}
    return written_paths(folder, "tiff")


def numbered_objects(index: NDArray[np.generic], name: str, reading: Reading) -> Iterator[LabelledMask]:
    """Each number of a map (height, width) of whole numbers as an object; 0 is background.

    Raises:
        ValueError: there is a number below 0, or one that is too high to count.
    """
    from scipy.ndimage import find_objects  # the window's start does not need it

    numbers = index.astype(np.int64)
    if numbers.min(initial=0) < 0 or numbers.max(initial=0) > np.iinfo(np.int32).max:
        raise ValueError(f"it holds the numbers {numbers.min()} to {numbers.max()}")
    present, places = np.unique(numbers, return_inverse=True)
    dense = places.reshape(numbers.shape).astype(np.int32) + int(present[0] != 0)
    for value, place in enumerate(find_objects(dense), start=1):
        rows, columns = place
        yield LabelledMask(name, reading.class_name, trimmed(dense[place] == value, columns.start, rows.start))


def _files(path: Path, own: str) -> list[Path]:
    """The mask files at `path`: one, or those in a folder or in its subfolder `own`.

    Raises:
        DatasetError: there is none.
    """
    if path.is_file():
        return [path]
    home = path / own if own and (path / own).is_dir() else path
    found = (
        sorted(p for p in home.iterdir() if p.suffix.lower() in _SUFFIXES and is_plain_file(p)) if home.is_dir() else []
    )
    if not found and not (path / f"samtta-{own}.json").is_file():
        raise DatasetError(
            "There are no mask files here", path, Phrase("Choose files that end in {names}", names=", ".join(_SUFFIXES))
        )
    return found


def _stem(file: Path) -> str:
    for ending in _STEM_ENDINGS:
        if file.stem.endswith(ending) and file.stem != ending:
            return file.stem.removesuffix(ending)
    return file.stem


def _map(file: Path, name: str, reading: Reading) -> NDArray[np.uint16]:
    """The numbers of a mask file, whose size is checked before it is decoded.

    Raises:
        ImageError, ValueError: it is no map of numbers of the right size.
    """
    from samtta_app.images.read import image_size, read_ids

    width, height = image_size(file)
    checked_size(name, height, width, reading)
    return read_ids(file)


def read_label_maps(path: Path, reading: Reading) -> Iterator[Found]:
    """The objects of label maps, TIFF or PNG: every number is one; classes come from our own record.

    Raises:
        DatasetError: there is no such file.
    """
    home = path.parent.parent if path.is_file() else path
    images = read_record(home, "tiff").get("images")
    for file in _files(path, "tiff"):
        known = images.get(f"tiff/{file.name}") if isinstance(images, dict) else None
        name = str(known["image"]) if known else _stem(file)
        classes = known["classes"] if known else []
        try:
            index = _map(file, name, reading)
            values = iter(np.unique(index[index > 0]).tolist())
            for found, value in zip(numbered_objects(index, name, reading), values, strict=True):
                label = str(classes[value - 1]) if value <= len(classes) else found.class_name
                yield LabelledMask(name, label, found.mask)
        except ImageError as error:
            yield Refused(file.name, error.what)
        except INVALID as error:
            yield Refused(file.name, str(error))


def read_index_pngs(path: Path, reading: Reading) -> Iterator[Found]:
    """The objects of index PNGs: of our own export with its legend, or of any PNGs, where every number is one.

    Raises:
        DatasetError: there is no such file, or the legend makes no sense.
    """
    if (path / LEGEND_FILE).is_file():
        yield from read_png(path)
    else:
        yield from read_label_maps(path, reading)


def read_binary_masks(path: Path, reading: Reading) -> Iterator[Found]:
    """The objects of masks of two values, such as 0 and 255: the whole mask, or each of its parts, by `split_parts`.

    Parts that touch at a corner are one.

    Raises:
        DatasetError: there is no such file.
    """
    for file in _files(path, "masks"):
        name = _stem(file)
        try:
            index = _map(file, name, reading)
            values = np.unique(index)
            if len(values) > 2 or (len(values) == 2 and values[0] != 0):
                raise ValueError(f"it holds {len(values)} values and not two: import it as png or tiff")
            bits = index > 0
            if reading.split_parts:
                yield from numbered_objects(
                    cv2.connectedComponents(bits.astype(np.uint8), connectivity=8)[1], name, reading
                )
            elif bits.any():
                yield LabelledMask(name, reading.class_name, trimmed(bits))
        except ImageError as error:
            yield Refused(file.name, error.what)
        except INVALID as error:
            yield Refused(file.name, str(error))


LABEL_TIFF = Format(
    "tiff",
    "Label TIFF of 16 bit, one per image, for Cellpose and micro-sam",
    (".tif", ".json"),
    (
        "clicks, boxes and uncertainty",
        "alternative outlines",
        "what lies under another object",
        "more than 65535 objects on an image",
        "classes, which only samtta-tiff.json names",
    ),
    _write,
    strictly(read_label_maps),
)
