"""Between the database's rows and the values of the core; nan is NULL, windows and boxes are JSON."""

from __future__ import annotations

import json
import math
import sqlite3
from dataclasses import astuple
from typing import cast, get_args

from samtta_app.core.masks import covers, from_rle, to_rle, trimmed
from samtta_app.core.names import storable, to_text
from samtta_app.core.project import ProjectImage
from samtta_app.core.replies import AdaptReport
from samtta_app.core.types import Annotation, Box, Click, ClickRecord, Gaps, HandKind, Mask, Window
from samtta_app.session.project.alternative_outlines import alternatives_of, check_alternatives, packed_alternatives
from samtta_app.session.project.cells import (
    LARGEST_NUMBER,
    LONGEST_SIDE,
    PIXELS,
    BadValueError,
    Value,
    flag,
    flag_or_none,
    listed,
    moment,
    name,
    number_or_nan,
    numbers,
    real,
    text,
    whole,
    wholes,
)
from samtta_app.session.project.note_rows import note_of, note_row
from samtta_app.session.state import LabelClass

ANNOTATION = (
    "image, class_id, x, y, width, height, rle, box, window, weights_version, predicted_iou, uncertainty, "
    "seconds, created, gaps, picture, control, alternatives, replaces, source, ignore, note, annotator"
)
STEP_COLUMNS = (
    "kind, x, y, positive, box, seconds, latency, window, weights_version, predicted_iou, uncertainty, iou, gaps"
)
REPORT = (
    "object_id, kept, reason, version, losses, guard_candidate, guard_published, guard_frozen, guard_objects, "
    "memory_objects, seconds"
)


def placeholders(columns: str, *, more: int = 0) -> str:
    """As many question marks as there are columns, and `more`."""
    return ", ".join("?" * (columns.count(",") + 1 + more))


def annotation_row(annotation: Annotation) -> tuple[Value, ...]:
    """The values of ANNOTATION; the run lengths are of the mask's own rectangle, so that reading costs its size only."""
    mask = trimmed(annotation.mask.bits, annotation.mask.x, annotation.mask.y)
    height, width = mask.bits.shape
    return (
        to_text(annotation.image_name),
        annotation.class_id,
        *(mask.x, mask.y, width, height, to_rle(Mask(0, 0, mask.bits), height, width)),
        _packed(annotation.box),
        _packed(annotation.window),
        annotation.weights_version,
        _null(annotation.predicted_iou),
        _null(annotation.uncertainty),
        annotation.seconds,
        annotation.created,
        _packed_gaps(annotation.gaps),
        annotation.picture or None,
        annotation.control,
        packed_alternatives(annotation.alternatives),
        json.dumps(annotation.replaces) if annotation.replaces else None,
        storable(annotation.source) or None,
        *note_row(annotation.note),
        storable(annotation.annotator) or None,
    )


def annotation_of(row: sqlite3.Row, history: tuple[ClickRecord, ...]) -> Annotation:
    """The annotation of a row with the columns of ANNOTATION, its id and its marks.

    Raises:
        BadValueError: a column holds what was never written there.
    """
    check_annotation(row)
    try:
        part = from_rle(row["rle"], row["height"], row["width"])
    except ValueError as e:
        raise BadValueError("rle", row["rle"], str(e)) from e
    return Annotation(
        id=row["id"],
        image_name=name(row, "image"),
        class_id=row["class_id"],
        mask=Mask(row["x"] + part.x, row["y"] + part.y, part.bits),
        box=_box(row, "box"),
        history=history,
        window=_window(row),
        weights_version=row["weights_version"],
        predicted_iou=number_or_nan(row, "predicted_iou"),
        uncertainty=number_or_nan(row, "uncertainty"),
        seconds=float(row["seconds"]),
        created=row["created"],
        gaps=_gaps(row),
        picture=row["picture"] or "",
        control=flag_or_none(row, "control"),
        alternatives=alternatives_of(row),
        replaces=_replaces(row),
        source=row["source"] or "",
        note=note_of(row),
        annotator=row["annotator"] or "",
    )


def check_annotation(row: sqlite3.Row) -> None:
    """Check every column of an annotation without decoding its mask.

    Raises:
        BadValueError: a column holds what was never written there.
    """
    whole(row, "id", least=1)
    name(row, "image")
    for column in ("class_id", "weights_version"):
        whole(row, column)
    for column in ("x", "y"):
        whole(row, column, most=LONGEST_SIDE)
    width, height = (whole(row, column, least=1, most=LONGEST_SIDE) for column in ("width", "height"))
    counts = row["rle"]
    if width * height > PIXELS or not isinstance(counts, bytes) or not covers(counts, width * height):
        raise BadValueError("rle", counts, f"not the run lengths of a {height} x {width} bitmap")
    _box(row, "box")
    _window(row)
    _gaps(row)
    for column in ("predicted_iou", "uncertainty"):
        number_or_nan(row, column)
    real(row, "seconds", least=0.0)
    moment(row, "created")
    for column in ("picture", "source", "annotator"):
        if row[column] is not None:
            text(row, column)
    flag(row, "deleted")
    flag(row, "reviewed")
    flag_or_none(row, "control")
    check_alternatives(row)
    _replaces(row)
    note_of(row)


def step_row(record: ClickRecord, box: Box | None) -> tuple[Value, ...]:
    """The values of STEP; `box` is stored with the step that is no click."""
    click = record.click
    place = (None, None, None) if click is None else (click.x, click.y, int(click.positive))
    return (
        *(record.kind, *place),
        _packed(box) if record.kind == "box" else None,
        record.seconds,
        _null(record.latency),
        _packed(record.window),
        record.weights_version,
        *(_null(record.predicted_iou), _null(record.uncertainty), _null(record.iou)),
        _packed_gaps(record.gaps),
    )


def step_of(row: sqlite3.Row) -> ClickRecord:
    """The prompt step of a row with the columns of STEP.

    Raises:
        BadValueError: a column holds what was never written there.
    """
    kind, click, hand = text(row, "kind"), None, None
    if kind == "click":
        x, y = (real(row, column, -LONGEST_SIDE, LONGEST_SIDE) for column in ("x", "y"))
        click = Click(x, y, flag(row, "positive"))
    elif kind == "box":
        _box(row, "box")
    elif kind in get_args(HandKind):
        hand = cast(HandKind, kind)
    else:
        raise BadValueError("kind", kind, "neither click nor box, nor done by hand")
    return ClickRecord(
        click=click,
        seconds=real(row, "seconds", least=0.0),
        latency=number_or_nan(row, "latency", least=0.0),
        window=_window(row),
        weights_version=whole(row, "weights_version"),
        predicted_iou=number_or_nan(row, "predicted_iou"),
        uncertainty=number_or_nan(row, "uncertainty"),
        iou=number_or_nan(row, "iou", 0.0, 1.0),
        gaps=_gaps(row),
        hand=hand,
    )


def report_row(report: AdaptReport) -> tuple[Value, ...]:
    """The values of REPORT; the weights themselves lie in a file."""
    return (
        *(report.object_id, int(report.kept), report.reason, report.version, packed_floats(report.losses)),
        *(_null(report.guard_candidate), _null(report.guard_published), _null(report.guard_frozen)),
        *(report.guard_objects, report.memory_objects, report.seconds),
    )


def report_of(row: sqlite3.Row) -> AdaptReport:
    """The report of a row with the columns of REPORT and its id; its request was answered earlier (id 0).

    Raises:
        BadValueError: a column holds what was never written there.
    """
    return AdaptReport(
        request_id=0,
        object_id=whole(row, "object_id"),
        kept=flag(row, "kept"),
        reason=text(row, "reason"),
        version=whole(row, "version"),
        losses=numbers(row, "losses", most=math.inf),
        guard_candidate=number_or_nan(row, "guard_candidate"),
        guard_published=number_or_nan(row, "guard_published"),
        guard_frozen=number_or_nan(row, "guard_frozen"),
        guard_objects=whole(row, "guard_objects"),
        memory_objects=whole(row, "memory_objects"),
        seconds=real(row, "seconds", least=0.0),
    )


def class_of(row: sqlite3.Row) -> LabelClass:
    """The class of a row with its id, name, colour and whether its masks are tidied.

    Raises:
        BadValueError: a column holds what was never written there.
    """
    return LabelClass(whole(row, "id"), text(row, "name"), whole(row, "colour"), flag(row, "tidy"))


def image_of(row: sqlite3.Row) -> ProjectImage:
    """The image of a row with its name, width and height.

    Raises:
        BadValueError: a column holds what was never written there.
    """
    width, height = (whole(row, column, least=1, most=LONGEST_SIDE) for column in ("width", "height"))
    return ProjectImage(name(row, "name"), width, height)


def twin_of(row: sqlite3.Row) -> tuple[int, int, tuple[float, ...], tuple[float, ...]]:
    """Object, version, and both trajectories (original, adapted) of a replay.

    Raises:
        BadValueError: a column holds what was never written there.
    """
    return whole(row, "object_id"), whole(row, "weights_version"), numbers(row, "frozen"), numbers(row, "adapted")


def packed_floats(values: tuple[float, ...]) -> str:
    """Figures as JSON; nan is null."""
    return json.dumps([_null(value) for value in values])


def _replaces(row: sqlite3.Row) -> tuple[int, ...]:
    """The earlier masks that an annotation took the place of."""
    found = () if row["replaces"] is None else listed(row, "replaces")
    if not all(type(number) is int and 0 < number <= LARGEST_NUMBER for number in found):
        raise BadValueError("replaces", row["replaces"], "not the numbers of objects")
    return tuple(found)


def _packed_gaps(gaps: Gaps | None) -> str | None:
    return None if gaps is None else packed_floats(astuple(gaps))


def _gaps(row: sqlite3.Row) -> Gaps | None:
    return None if row["gaps"] is None else Gaps(*numbers(row, "gaps", 4))


def _packed(value: Box | Window | None) -> str | None:
    return None if value is None else json.dumps(astuple(value))


def _box(row: sqlite3.Row, column: str) -> Box | None:
    if row[column] is None:
        return None
    corners = numbers(row, column, 4)
    if not all(abs(corner) <= LONGEST_SIDE for corner in corners):  # a nan is not
        raise BadValueError(column, row[column], "not the corners of a box")
    return Box(*corners)


def _window(row: sqlite3.Row) -> Window:
    return Window(*wholes(row, "window", 4))


def _null(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
