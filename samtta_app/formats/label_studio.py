"""Label Studio JSON: one file of tasks, with masks as its brush's run lengths.

Source: thi.ng/rle-pack, which Label Studio's brush uses. A stream of bits begins with 32 for the number of values and
5 for the bits of a value less 1. Four times 4 follow for the bits of a length less 1. Then come blocks: 1 bit that says
"one value, repeated", 2 that choose the length's bits, the length less 1, and the value or the values. A pixel is four
values: RGBA.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from samtta_app.core.masks import full, trimmed
from samtta_app.core.messages import ReportProgress
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.texts import json_text
from samtta_app.core.types import Annotation, BoolArray
from samtta_app.errors import DatasetError
from samtta_app.formats.base import (
    INVALID,
    Format,
    Found,
    LabelledMask,
    Reading,
    Refused,
    announced,
    checked_size,
    strictly,
    unheard,
)
from samtta_app.formats.json_entries import json_members
from samtta_app.formats.recorded_files import recorded, written_paths
from samtta_app.phrases import Phrase

_FILE = "label_studio.json"
_LENGTH_BITS = (3, 4, 8, 16)
"""Bits of the four kinds of lengths, as Label Studio's own converter chooses them."""

_OPAQUE = 255


def brush_runs(bits: BoolArray) -> list[int]:
    """The brush's run lengths of a bitmap (height, width), as a list of bytes; object pixels are opaque."""
    flat = bits.ravel()
    turns = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    lengths = 4 * np.diff(turns, prepend=0, append=flat.size)
    values = np.where(flat[np.concatenate([[0], turns])], _OPAQUE, 0)
    longest = 1 << _LENGTH_BITS[-1]
    pieces = (lengths + longest - 1) // longest
    values, ends = np.repeat(values, pieces), np.cumsum(pieces)
    sizes = np.full(values.size, longest, dtype=np.int64)
    sizes[ends - 1] = lengths - (pieces - 1) * longest
    kinds = np.searchsorted([1 << b for b in _LENGTH_BITS], sizes)
    widths = np.array(_LENGTH_BITS)[kinds]
    head = [(4 * flat.size, 32), (7, 5), *((b - 1, 4) for b in _LENGTH_BITS)]
    numbers = np.stack([np.ones_like(sizes), kinds, sizes - 1, values], axis=1).ravel()
    bit_counts = np.stack([np.ones_like(sizes), np.full_like(sizes, 2), widths, np.full_like(sizes, 8)], axis=1).ravel()
    numbers = np.concatenate([[n for n, _ in head], numbers])
    bit_counts = np.concatenate([[b for _, b in head], bit_counts])
    starts = np.cumsum(bit_counts) - bit_counts
    place = np.arange(bit_counts.sum()) - np.repeat(starts, bit_counts)
    stream = (np.repeat(numbers, bit_counts) >> (np.repeat(bit_counts, bit_counts) - 1 - place)) & 1
    return list(np.packbits(stream.astype(np.uint8)).tolist())


def brush_bitmap(rle: object, height: int, width: int) -> BoolArray:
    """The bitmap (height, width) of a brush's run lengths: pixels that are not transparent.

    Raises:
        ValueError: they are none, or are of another size.
    """
    data = np.asarray(rle)
    if data.ndim != 1 or data.dtype.kind != "i" or data.size < 7 or data.min() < 0 or data.max() > 255:
        raise ValueError("the brush's run lengths are no list of bytes")
    stream = np.unpackbits(data.astype(np.uint8))

    def number(at: int, bits: int) -> int:
        if at + bits > stream.size:
            raise ValueError("the brush's run lengths are cut off")
        return int.from_bytes(np.packbits(stream[at : at + bits]).tobytes(), "big") >> (-bits % 8)

    word, lengths = number(32, 5) + 1, [number(37 + 4 * k, 4) + 1 for k in range(4)]
    if number(0, 32) != 4 * height * width or word != 8:
        raise ValueError("the brush's run lengths are not of the image's size")
    values, done, at = np.zeros(4 * height * width, dtype=np.uint8), 0, 53
    while done < values.size:
        bits = lengths[number(at + 1, 2)]
        repeated, count = number(at, 1), 1 + number(at + 3, bits)
        at += 3 + bits
        if done + count > values.size or at + (8 if repeated else 8 * count) > stream.size:
            raise ValueError("the brush's run lengths do not add up to the image")
        values[done : done + count] = number(at, 8) if repeated else np.packbits(stream[at : at + 8 * count])
        at += 8 if repeated else 8 * count
        done += count
    return np.asarray(values.reshape(height, width, 4)[:, :, 3] > 0)


def _write(project: Project, folder: Path, progress: ReportProgress = unheard) -> list[Path]:
    named = {c.id: c.name for c in project.classes}
    with recorded(folder, "label-studio", {}) as stage, (stage / _FILE).open("w", encoding="utf-8") as out:
        out.write("[")
        for k, image in enumerate(announced(project.annotated, progress)):
            head = {"id": image.id, "data": {"image": image.name}}
            out.write(f'{"," * (k > 0)}\n{json_text(head)[:-1]}, "annotations": [{{"result": [')
            for place, annotation in enumerate(project.of_image(image.name)):
                out.write(f"{',' * (place > 0)}\n{json_text(_result(annotation, image, named[annotation.class_id]))}")
            out.write("]}]}")
        out.write("\n]\n")
    return written_paths(folder, "label-studio")


def _result(annotation: Annotation, image: ProjectImage, label: str) -> dict[str, object]:
    runs = brush_runs(full(annotation.mask, image.height, image.width))
    return {
        "id": str(annotation.id),
        "type": "brushlabels",
        "from_name": "tag",
        "to_name": "image",
        "original_width": image.width,
        "original_height": image.height,
        "image_rotation": 0,
        "value": {"format": "rle", "rle": runs, "brushlabels": [label]},
    }


def read_label_studio(path: Path, reading: Reading) -> Iterator[Found]:
    """The brush masks of a file of tasks (or of the export in a folder), task by task; other results are refused.

    Raises:
        DatasetError: it is no such file.
    """
    file = path / _FILE if path.is_dir() else path
    try:
        for key, tasks in json_members(file, reading.told):
            if key:
                raise ValueError("it is no list")
            for number, task in enumerate(tasks, start=1):
                yield from _task(task, number, reading)
    except (OSError, *INVALID) as error:
        raise DatasetError(
            Phrase("This is not a Label Studio file of tasks: {error}", error=error), file, "Choose another file"
        ) from error


def _task(task: dict[str, Any], place: int, reading: Reading) -> Iterator[Found]:
    try:
        data, results = task["data"], [r for a in task["annotations"] for r in a["result"]]
    except INVALID:
        yield Refused(f"task {place}", "it has no data or no annotations of Label Studio")
        return
    name = str(next(iter(data.values()), "")) if isinstance(data, dict) else ""
    for result in results:
        try:
            yield _object(result, name, reading)
        except INVALID as error:
            number = result.get("id", "") if isinstance(result, dict) else ""
            yield Refused(f"{name:.80}, result {number!s:.40}", str(error))


def _object(result: dict[str, Any], name: str, reading: Reading) -> LabelledMask:
    value = result["value"]
    if value.get("format") != "rle":
        raise ValueError(f"a result of the type {result.get('type')!s:.30} is no brush mask")
    size = checked_size(name, result["original_height"], result["original_width"], reading)
    label = str(next(iter(value.get("brushlabels") or [reading.class_name])))
    return LabelledMask(name, label, trimmed(brush_bitmap(value["rle"], *size)))


LABEL_STUDIO = Format(
    "label-studio",
    "Label Studio: one JSON file of brush masks",
    (".json",),
    ("clicks, boxes and uncertainty", "alternative outlines"),
    _write,
    strictly(read_label_studio),
)
