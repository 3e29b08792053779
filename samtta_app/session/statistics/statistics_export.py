"""The session's figures, from its raw records only; a figure that the records do not carry is nan, never a guess.

Definitions are the field's (RITM): NoC_20@85, NoC_30@90 (failures count as the limit), FR_20@85, FR_30@90 (strict).
The user's clicks of an object are its prompt steps until the shown mask reached IoU .85 with the accepted one. A box
counts as one click, and so does each step by hand. Both twins are replayed by the same simulated clicker, so only they
are compared with each other.
Objects that were given up stand in files of their own, and figures with and without them are both written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from samtta_app.core.files import marked, staged
from samtta_app.core.mask_shape import MaskShape
from samtta_app.core.metrics import clicks_to
from samtta_app.core.names import to_text
from samtta_app.core.rating_scale import MeanRating
from samtta_app.core.texts import csv_text, json_text
from samtta_app.core.types import ClickRecord
from samtta_app.errors import ExportError
from samtta_app.phrases import Phrase
from samtta_app.session.object_records import GivenUpObject, ObjectRecord
from samtta_app.session.project.store import Store
from samtta_app.session.state import Ratings, Statistics
from samtta_app.session.statistics.figure_notes import ATTEMPTS_NOTE, BY_HAND_NOTE, CONTROLS_NOTE, TWINS_NOTE
from samtta_app.session.statistics.grouped_figures import GROUP_COLUMNS, GroupedFigures, grouped_figures
from samtta_app.session.statistics.mask_histograms import HistogramBin, histograms, mask_shapes
from samtta_app.session.statistics.statistics_page import PAGE_MARK, Say, statistics_page
from samtta_app.session.statistics.tally import STRICT_LIMIT, STRICT_TARGET, Tally, clicks, stream_point

OBJECT_COLUMNS = (
    "object_id",
    "image",
    "class",
    "created",
    "seconds",
    "weights_version",
    "steps",
    "person_clicks_85",
    "replayed_version",
    "adapted_clicks_85",
    "frozen_clicks_85",
    "adapted_clicks_90",
    "frozen_clicks_90",
    "relative_size",
    "parts",
    "concavity",
    "rating",
    "control",
    "by_hand",
)
CLICK_COLUMNS = (
    "object_id",
    "step",
    "kind",
    "x",
    "y",
    "positive",
    "seconds",
    "latency",
    "window_x",
    "window_y",
    "window_width",
    "window_height",
    "weights_version",
    "predicted_iou",
    "uncertainty",
    "iou",
    "model_gap",
    "task_gap",
    "prompt_gap",
    "expected_iou",
)

ATTEMPT_COLUMNS = ("attempt_id", "image", "class", "created", "why", "object_id", "seconds", "steps", "control")
RATING_COLUMNS = ("masks_of", "ratings", "mean", "low", "high")
HISTOGRAM_COLUMNS = ("measure", "low", "high", "masks")

_MARKS = {
    "attempts.csv": b"attempt_id,image,",
    "attempt_clicks.csv": b"attempt_id,step,",
    "clicks.csv": b"object_id,step,",
    "groups.csv": b"by,name,objects,",
    "histograms.csv": b"measure,low,high,",
    "objects.csv": b"object_id,image,",
    "ratings.csv": b"masks_of,ratings,",
    "statistics.html": PAGE_MARK.encode(),
    "statistics.json": b'"person_clicks"',
}
"""The first bytes of the files in every version: they distinguish them from a user's own files of the same name."""


def statistics(records: Sequence[ObjectRecord], attempts: Sequence[GivenUpObject] = ()) -> Statistics:
    """The figures of a session whose objects are `records`, and in which `attempts` were given up."""
    return Tally(records, attempts).figures()


def write_statistics(store: Store, folder: Path, say: Say = str) -> list[Path]:
    """Write objects, attempts, and the prompt steps of both as CSV, and statistics.json (figures and raw records).

    `histograms.csv` says how masks are formed, and `ratings.csv` how they were rated. Figures per class and per day are in
    `groups.csv`, and `statistics.html` is a page to read, in the language that `say` speaks.

    Raises:
        ExportError: the folder cannot be written, or a file of the user is in the way; no partial file stays.
    """
    records, attempts, shapes = store.records(), store.attempts(), mask_shapes(store)
    bins = histograms(shapes)
    steps = (row for record in records for row in _click_rows(record.object_id, record.steps))
    vain = (row for attempt in attempts for row in _click_rows(attempt.id, attempt.steps))
    every = statistics(records, attempts)
    rated, groups = _rated_groups(every.ratings), grouped_figures(records, attempts)
    files = {
        "attempt_clicks.csv": csv_text(("attempt_id", *CLICK_COLUMNS[1:]), vain),
        "attempts.csv": csv_text(ATTEMPT_COLUMNS, map(_attempt_row, attempts)),
        "clicks.csv": csv_text(CLICK_COLUMNS, steps),
        "groups.csv": csv_text(GROUP_COLUMNS, ([*map(_shown, each.cells)] for each in groups)),
        "histograms.csv": csv_text(HISTOGRAM_COLUMNS, (_bin_row(each) for each in bins)),
        "objects.csv": csv_text(OBJECT_COLUMNS, (_object_row(each, shapes.get(each.object_id)) for each in records)),
        "ratings.csv": csv_text(RATING_COLUMNS, map(_rating_row, *rated)),
        "statistics.json": json_text(_plain(_everything(store, records, attempts, shapes, bins, groups)), indent=1),
        "statistics.html": statistics_page(every, groups, store.folder.name, say),
    }
    try:
        with staged(folder, marked(_MARKS)) as stage:
            for name, text in files.items():
                (stage / name).write_bytes(text.encode())
    except OSError as error:
        raise ExportError(
            Phrase("Statistics were not written: {strerror}", strerror=error.strerror), folder, "Choose another folder"
        ) from error
    return [folder / name for name in files]


def _everything(
    store: Store,
    records: Sequence[ObjectRecord],
    attempts: Sequence[GivenUpObject],
    shapes: Mapping[int, MaskShape],
    bins: Sequence[HistogramBin],
    groups: Sequence[GroupedFigures],
) -> dict[str, object]:
    adaptations = [asdict(report) for report in store.adaptations()]
    for report in adaptations:
        del report["weights"], report["request_id"]
    return {
        "notes": [TWINS_NOTE, ATTEMPTS_NOTE, CONTROLS_NOTE, BY_HAND_NOTE],
        "figures": asdict(statistics(records, attempts)),
        "groups": [dict(zip(GROUP_COLUMNS, each.cells, strict=True)) for each in groups],
        "objects": [
            asdict(r) | {"shape": asdict(shapes[r.object_id]) if r.object_id in shapes else None} for r in records
        ],
        "attempts": [asdict(attempt) for attempt in attempts],
        "histograms": [asdict(each) | {"high": each.high if math.isfinite(each.high) else None} for each in bins],
        "adaptations": adaptations,
    }


def _object_row(record: ObjectRecord, shape: MaskShape | None) -> list[object]:
    point = stream_point(record)
    strict = [
        "" if t is None else clicks_to(t, STRICT_TARGET, STRICT_LIMIT) or STRICT_LIMIT
        for t in (record.adapted, record.frozen)
    ]
    return [
        *(record.object_id, to_text(record.image_name), record.class_name, record.created, f"{record.seconds:.3f}"),
        *(record.weights_version, len(record.steps), point.person),
        "" if record.frozen is None else record.replayed_version,
        *("" if side is None else clicks(side) for side in (record.adapted, record.frozen)),
        *strict,
        *_shape_cells(shape),
        "" if record.rating is None else record.rating,
        _yes_no(record.control),
        sum(step.hand is not None for step in record.steps),
    ]


def _attempt_row(attempt: GivenUpObject) -> list[object]:
    return [
        *(attempt.id, to_text(attempt.image_name), attempt.class_name, attempt.created, attempt.why),
        *(attempt.object_id or "", f"{attempt.seconds:.3f}", len(attempt.steps)),
        _yes_no(attempt.control),
    ]


def _shape_cells(shape: MaskShape | None) -> tuple[object, ...]:
    return ("", "", "") if shape is None else (_figure(shape.size), shape.parts, _figure(shape.concavity))


def _rated_groups(found: Ratings | None) -> tuple[tuple[str, ...], tuple[MeanRating, ...]]:
    """The groups of masks that were rated, by name, and the mean of each."""
    if found is None:
        return (), ()
    named = {"frozen": found.frozen, "adapted": found.adapted, "adapted - frozen": found.difference}
    named |= {f"version {version}": mean for version, mean in found.versions}
    return tuple(named), tuple(named.values())


def _rating_row(name: str, mean: MeanRating) -> tuple[object, ...]:
    return name, mean.ratings, *map(_figure, (mean.mean, mean.low, mean.high))


def _bin_row(found: HistogramBin) -> tuple[object, ...]:
    return found.measure, _figure(found.low), _figure(found.high) if math.isfinite(found.high) else "", found.masks


def _click_rows(owner: int, steps: Sequence[ClickRecord]) -> list[list[object]]:
    rows: list[list[object]] = []
    for number, step in enumerate(steps, start=1):
        click, window = step.click, step.window
        place = [step.kind, *(["", "", ""] if click is None else [click.x, click.y, int(click.positive)])]
        figures = (step.seconds, step.latency)
        gaps = step.gaps
        gains = (gaps.model, gaps.task, gaps.prompt) if gaps else (math.nan,) * 3
        answers = (step.predicted_iou, step.uncertainty, step.iou, *gains, step.expected_iou)
        area = (window.x, window.y, window.width, window.height)
        given = [owner, number, *place, *map(_figure, figures)]
        rows.append([*given, *area, step.weights_version, *map(_figure, answers)])
    return rows


def _shown(value: object) -> object:
    return _figure(value) if isinstance(value, float) else value


def _yes_no(value: bool | None) -> object:
    return "" if value is None else int(value)


def _figure(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def _plain(value: object) -> object:
    """`value` as strict JSON: nan becomes null."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value
