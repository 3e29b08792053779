"""Between the database's rows and the values of the core; nan is NULL, windows and boxes are JSON."""

from __future__ import annotations

import json
import math
import sqlite3
from dataclasses import astuple

from samtta_app.core.masks import from_rle, to_rle, trimmed
from samtta_app.core.messages import AdaptReport
from samtta_app.core.names import from_text, to_text
from samtta_app.core.types import Annotation, Box, Click, ClickRecord, Gaps, Mask, Window

ANNOTATION = (
    "image, class_id, x, y, width, height, rle, box, window, weights_version, predicted_iou, uncertainty, "
    "seconds, created, gaps"
)
STEP = "kind, x, y, positive, box, seconds, latency, window, weights_version, predicted_iou, uncertainty, iou, gaps"
REPORT = (
    "object_id, kept, reason, version, losses, guard_candidate, guard_published, guard_frozen, guard_objects, "
    "memory_objects, seconds"
)

Value = str | int | float | bytes | None


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
    )


def annotation_of(row: sqlite3.Row, history: tuple[ClickRecord, ...]) -> Annotation:
    """The annotation of a row with the columns of ANNOTATION and its id."""
    part = from_rle(row["rle"], row["height"], row["width"])
    return Annotation(
        id=row["id"],
        image_name=from_text(row["image"]),
        class_id=row["class_id"],
        mask=Mask(row["x"] + part.x, row["y"] + part.y, part.bits),
        box=_box(row["box"]),
        history=history,
        window=_window(row["window"]),
        weights_version=row["weights_version"],
        predicted_iou=_nan(row["predicted_iou"]),
        uncertainty=_nan(row["uncertainty"]),
        seconds=row["seconds"],
        created=row["created"],
        gaps=_gaps(row["gaps"]),
    )


def step_row(record: ClickRecord, box: Box | None) -> tuple[Value, ...]:
    """The values of STEP; `box` is stored with the step that is no click."""
    click = record.click
    place = ("box", None, None, None) if click is None else ("click", click.x, click.y, int(click.positive))
    return (
        *place,
        _packed(box) if click is None else None,
        record.seconds,
        _null(record.latency),
        _packed(record.window),
        record.weights_version,
        *(_null(record.predicted_iou), _null(record.uncertainty), _null(record.iou)),
        _packed_gaps(record.gaps),
    )


def step_of(row: sqlite3.Row) -> ClickRecord:
    """The prompt step of a row with the columns of STEP."""
    return ClickRecord(
        click=Click(row["x"], row["y"], bool(row["positive"])) if row["kind"] == "click" else None,
        seconds=row["seconds"],
        latency=_nan(row["latency"]),
        window=_window(row["window"]),
        weights_version=row["weights_version"],
        predicted_iou=_nan(row["predicted_iou"]),
        uncertainty=_nan(row["uncertainty"]),
        iou=_nan(row["iou"]),
        gaps=_gaps(row["gaps"]),
    )


def report_row(report: AdaptReport) -> tuple[Value, ...]:
    """The values of REPORT; the weights themselves lie in a file."""
    return (
        *(report.object_id, int(report.kept), report.reason, report.version, packed_floats(report.losses)),
        *(_null(report.guard_candidate), _null(report.guard_published), _null(report.guard_frozen)),
        *(report.guard_objects, report.memory_objects, report.seconds),
    )


def report_of(row: sqlite3.Row) -> AdaptReport:
    """The report of a row with the columns of REPORT and its id; its request is long answered (id 0)."""
    return AdaptReport(
        request_id=0,
        object_id=row["object_id"],
        kept=bool(row["kept"]),
        reason=row["reason"],
        version=row["version"],
        losses=floats(row["losses"]),
        guard_candidate=_nan(row["guard_candidate"]),
        guard_published=_nan(row["guard_published"]),
        guard_frozen=_nan(row["guard_frozen"]),
        guard_objects=row["guard_objects"],
        memory_objects=row["memory_objects"],
        seconds=row["seconds"],
    )


def packed_floats(values: tuple[float, ...]) -> str:
    """Figures as JSON; nan is null."""
    return json.dumps([_null(value) for value in values])


def floats(text: str) -> tuple[float, ...]:
    """Figures from JSON; null is nan."""
    return tuple(_nan(value) for value in json.loads(text))


def _packed_gaps(gaps: Gaps | None) -> str | None:
    return None if gaps is None else packed_floats(astuple(gaps))


def _gaps(text: str | None) -> Gaps | None:
    return None if text is None else Gaps(*floats(text))


def _packed(value: Box | Window | None) -> str | None:
    return None if value is None else json.dumps(astuple(value))


def _box(text: str | None) -> Box | None:
    return None if text is None else Box(*json.loads(text))


def _window(text: str) -> Window:
    return Window(*json.loads(text))


def _null(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)
