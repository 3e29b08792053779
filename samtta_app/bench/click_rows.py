"""The raw records of a bench: one JSON line per click; every table and plot is computed from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from msgspec import ValidationError, convert

from samtta_app.core.files import write_whole
from samtta_app.errors import DatasetError
from samtta_app.regular_files import RECORD_BYTES, read_json, read_text

_T = TypeVar("_T")


class Record(Protocol):
    """A frozen dataclass of plain values."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


SETTINGS_FILE = "bench.json"
"""Holds the settings of a run, in its folder."""


@dataclass(frozen=True, slots=True)
class ClickRow:
    """One click of one object of one simulated session.

    What was run:

    `set`: name of the data set, or of the mixture. `goal`: "20@85", for example. `strategy`: "frozen" is the twin that
    never learns. `clicker`: "ritm", ... `feedback`: "logits" or "binary", what is returned with the next click.
    `order`: seed of the stream. `position`: number of the object in the stream, from 0. `image`; `object`: instance id;
    `class_name`.

    What happened:

    `click` counts from 1. `x`, `y` are in image pixels. `iou` and `boundary_iou` compare the shown mask with the true
    one. `predicted_iou`, `uncertainty`: as shown. `seconds`: from the click to its mask. `learning_seconds`: time of
    learning from the object (on its last click, else 0). `version`: of the weights that answered (0 is the original).
    `window`: x, y, width, height. `best_iou`: IoU of the best candidate offered. `obeyed`: the clicked pixel is on the
    asked side.

    `expected_iou`: as shown, from the heads, or from the decoder where the model has none. `accepted_iou`: IoU of the
    shown mask with the finally accepted one, None where the object was given up. Older records lack these two.

    `model`: `model_column` of what was measured. Older records lack it: they get that of their folder's settings, else "".

    `mask_width`: `mean_width` of the true mask in pixels. Older records lack it.
    """

    set: str
    goal: str
    strategy: str
    clicker: str
    feedback: str
    order: int
    position: int
    image: str
    object: int
    class_name: str
    click: int
    x: float
    y: float
    positive: bool
    iou: float
    boundary_iou: float
    predicted_iou: float
    uncertainty: float
    seconds: float
    learning_seconds: float
    version: int
    window: tuple[int, int, int, int]
    best_iou: float
    obeyed: bool
    expected_iou: float | None = None
    accepted_iou: float | None = None
    model: str = ""
    mask_width: float | None = None


def model_column(model: str, input_size: int | None = None) -> str:
    """What records call their model: its name or file as given, and the side of its input where that was given."""
    return f"{model} at {input_size}" if input_size else model


def side_by_side(known: Iterable[_T], rows: Sequence[_T], run_of: Callable[[_T], object]) -> tuple[_T, ...]:
    """`known` rows and the new ones; a run that is among the new ones is replaced.

    Args:
        known: what a file holds.
        rows: what was measured now.
        run_of: the run that a row belongs to, for instance its model and set.
    """
    measured = {run_of(row) for row in rows}
    return (*(row for row in known if run_of(row) not in measured), *rows)


def write_records(records: Iterable[Record], path: Path) -> Path:
    """Write the file `path`, one JSON object per record, whole or not at all; folders are made. Returns the path.

    Raises:
        DatasetError: it cannot be written.
    """
    text = "".join(json.dumps(asdict(record)) + "\n" for record in records)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    except OSError as e:
        raise DatasetError(f"The records cannot be written: {e.strerror}", path, "Choose another folder") from e
    return path


def read_click_rows(places: Sequence[Path]) -> tuple[ClickRow, ...]:
    """The records of the given files, and of all *.jsonl files below the given folders, in the order of their names.

    Raises:
        DatasetError: a file holds something else, or there is none.
    """
    files = [f for place in places for f in (sorted(place.rglob("*.jsonl")) if place.is_dir() else [place])]
    if not files:
        raise DatasetError("There are no bench records", ", ".join(map(str, places)), "Give a folder of `samtta bench`")
    return tuple(record for file in files for record in _read(file))


def known_rows(path: Path, kind: type[_T], made: Callable[[object], object] = lambda values: values) -> tuple[_T, ...]:
    """The records of the dataclass `kind` that a file holds, none without the file; `made` prepares their JSON values.

    Raises:
        DatasetError: it holds something else.
    """
    try:
        return tuple(from_lines(read_text(path, RECORD_BYTES).splitlines(), kind, made)) if path.exists() else ()
    except (OSError, ValueError) as e:
        raise DatasetError(f"The file holds other records: {e}", path, "Choose another folder") from e


def from_lines(
    lines: Iterable[str], kind: type[_T], made: Callable[[object], object] = lambda values: values
) -> list[_T]:
    """One value of the dataclass `kind` for each line of JSON, as `made` prepares it; every field must have its type.

    Raises:
        ValueError: a line is not JSON, or holds something else.
    """
    try:
        return [convert(made(json.loads(line)), kind) for line in lines]
    except (ValidationError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _read(path: Path) -> list[ClickRow]:
    try:
        rows = from_lines(read_text(path, RECORD_BYTES).splitlines(), ClickRow)
    except (OSError, ValueError) as e:
        raise DatasetError(f"This is not a file of bench records: {e}", path, "Give a .jsonl of `samtta bench`") from e
    if all(row.model for row in rows):
        return rows
    model = _model_of_folder(path.parent.parent) if path.parent.name == "records" else ""
    return [row if row.model else replace(row, model=model) for row in rows]


def _model_of_folder(folder: Path) -> str:
    """The model of the settings of an older run, "" where none can be read."""
    try:
        return str(dict(read_json(folder / SETTINGS_FILE))["model"])
    except (OSError, ValueError, TypeError, KeyError):
        return ""
