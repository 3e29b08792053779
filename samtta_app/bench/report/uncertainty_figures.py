"""Figures of `samtta bench uncertainty` from its records: relative areas, correlation, calibration, time, second clicks.

Relative area under the curve (Kaiser et al. 2025): the most uncertain objects are corrected first. 50 % is chance. 100 %
is the ideal order, by the true gains. The correction "model" replaces the best candidate with the larger model's best.
"task" replaces the shown candidate with the best. "prompt" replaces the best one with the best of the eight clicks at
once. Intervals are over objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from samtta_app.bench.report.calibration_figures import bench_calibration_error
from samtta_app.bench.report.figures import MEAN
from samtta_app.bench.report.intervals import (
    NO_ESTIMATE,
    Estimate,
    Floats,
    average,
    estimate_difference,
    means,
    quantiles,
    resampled,
)
from samtta_app.bench.report.table_formats import as_table, table_markdown
from samtta_app.bench.report.tables import Sheet, format_estimate, format_percent
from samtta_app.bench.uncertainty_run import UncertaintyRow
from samtta_app.core.files import marked, staged
from samtta_app.core.metrics import relative_auc
from samtta_app.core.names import storable
from samtta_app.core.texts import csv_text
from samtta_app.errors import DatasetError

RANKING = "Relative area under the curve, %, and correlation with the true IoU"
CALIBRATION = "Calibration of the expected IoU"
CORRECTION_TITLE = "True IoU of the answers"
TIME = "Time of each measure beside one pass of the decoder"
SECOND = "True IoU after a second click"
ABLATION = "Heads by what they were trained on, relative area under the curve, %"

_COLUMNS = ("table", "set", "of", "figure", "value", "low", "high")
_MARKS = {"uncertainty.md": b"# Uncertainty", "uncertainty.csv": b"table,set,of,figure"}
"""First bytes of the figures' files, which tell them from a user's own files of the same name."""

TRUTHS = {"iou": "best", "iou_chosen": "shown", "iou_larger": "larger", "iou_dense": "dense"}
"""The true value that each IoU head predicts."""

_GAPS = {"model": ("best", "larger"), "task": ("shown", "best"), "prompt": ("best", "dense")}
"""The correction of each gap: from, to."""


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """One cell: its table, data set, row, column, and value."""

    table: str
    set: str
    row: str
    column: str
    value: Estimate


class _Objects:
    """The rows of one set as columns of numbers, nan where missing, and how often each is drawn."""

    def __init__(self, rows: Sequence[UncertaintyRow]) -> None:
        self.rows = rows
        self.weights = resampled(np.zeros(len(rows), np.int64), rows[0].set)
        self.measures = tuple(dict.fromkeys(name for row in rows for name in row.measures))
        self.true = {
            "shown": self.column(lambda row: row.ious[row.chosen]),
            "best": self.column(lambda row: max(row.ious)),
            "larger": self.column(lambda row: max(row.larger, default=np.nan)),
            "dense": self.column(lambda row: max(row.dense)),
        }

    def column(self, value: Callable[[UncertaintyRow], float]) -> Floats:
        """One number per object."""
        return np.array([value(row) for row in self.rows], np.float64)

    def measure(self, name: str) -> Floats:
        """A measure by name."""
        return self.column(lambda row: row.measures.get(name, np.nan))

    def known(self, *columns: Floats) -> tuple[Floats, list[Floats]]:
        """The weights and columns of the objects that have all of the numbers."""
        there = np.isfinite(np.stack(columns)).all(0)
        return self.weights[:, there], [column[there] for column in columns]


def uncertainty_figures(rows: Sequence[UncertaintyRow]) -> tuple[Figure, ...]:
    """All figures of each set, and their means over several sets; times are of all objects together."""
    by_set: dict[str, list[UncertaintyRow]] = {}
    for row in rows:
        by_set.setdefault(row.set, []).append(row)
    found = [figure for own in by_set.values() for figure in _of_set(_Objects(own))]
    if len(by_set) > 1:
        cells: dict[tuple[str, str, str], list[Estimate]] = {}
        for f in (f for f in found if f.column != "objects"):
            cells.setdefault((f.table, f.row, f.column), []).append(f.value)
        found += [Figure(table, MEAN, row, column, average(own)) for (table, row, column), own in cells.items()]
    return (*found, *_times(_Objects(rows))) if rows else ()


def _of_set(objects: _Objects) -> Iterator[Figure]:
    name = objects.rows[0].set
    for measure in objects.measures:
        values = objects.measure(measure)
        doubt = 1 - values if measure.rpartition("/")[2] in TRUTHS else values
        for gap, (base, corrected) in _GAPS.items():
            weights, (said, old, new) = objects.known(doubt, objects.true[base], objects.true[corrected])
            yield Figure(RANKING, name, measure, gap, resampled_auc(said, old, new, weights))
        weights, (said, true) = objects.known(values, objects.true["shown"])
        yield Figure(RANKING, name, measure, "Pearson", pearson(said, true, weights))
    predicted = objects.column(lambda row: row.predicted[row.chosen])
    confidences = [("predicted IoU", predicted, "shown")]
    confidences += [
        (measure, objects.measure(measure), TRUTHS[measure.rpartition("/")[2]])
        for measure in objects.measures
        if measure.rpartition("/")[2] in TRUTHS
    ]
    for label, values, truth in confidences:
        weights, (said, true) = objects.known(values, objects.true[truth])
        error = bench_calibration_error(said, true, np.arange(len(true)), weights)
        yield Figure(CALIBRATION, name, label, "calibration error", error)
        for column, mean in zip(("expected", "true"), _means((said, true), weights), strict=True):
            yield Figure(CALIBRATION, name, label, column, mean)
    for truth, values in objects.true.items():
        weights, columns = objects.known(values)
        yield Figure(CORRECTION_TITLE, name, "IoU", truth, _means(columns, weights)[0])
    yield Figure(CORRECTION_TITLE, name, "IoU", "objects", _plain(len(objects.rows)))
    yield from _second_clicks(objects, name)


def _second_clicks(objects: _Objects, name: str) -> Iterator[Figure]:
    """Only objects with a click of every kind, so that all kinds are compared on the same objects."""
    ways = tuple(dict.fromkeys(way for row in objects.rows for way in row.after))
    after = [objects.column(lambda row, way=way: row.after.get(way, np.nan)) for way in ways]  # type: ignore[misc]
    weights, columns = objects.known(objects.true["shown"], *after)
    found = dict(zip(("first click alone", *ways), _means(columns, weights), strict=True))
    for way, mean in found.items():
        yield Figure(SECOND, name, way, "IoU", mean)
        if way != "random" and "random" in found:
            yield Figure(SECOND, name, way, "more than random", estimate_difference(found["random"], mean))
    yield Figure(SECOND, name, "first click alone", "objects", _plain(weights.shape[1]))


def _times(objects: _Objects) -> Iterator[Figure]:
    """Medians; a share is relative to the object's own decoder pass in the same requests."""
    names = dict.fromkeys(name for row in objects.rows for name in row.seconds if not name.endswith("/decoder"))
    for name in names:
        label = name.rpartition("/")[0]
        weights, (own, bare) = objects.known(_seconds(objects, name), _seconds(objects, f"{label}/decoder".lstrip("/")))
        for column, values in (("ms", 1000 * own), ("of the decoder", own / bare)):
            yield Figure(TIME, "all", name, column, quantiles(values, np.arange(len(values)), (0.5,), weights)[0])


def _seconds(objects: _Objects, name: str) -> Floats:
    return objects.column(lambda row: row.seconds.get(name, np.nan))


# --- estimates ------------------------------------------------------------------------------------------------------


def resampled_auc(doubt: Floats, base: Floats, corrected: Floats, weights: Floats) -> Estimate:
    """`relative_auc` of the objects (N,), and of every resample by `weights` (RESAMPLES, N): how often each is drawn."""
    if not len(doubt):
        return NO_ESTIMATE
    gain = corrected - base

    def of_order(keys: Floats) -> Floats:
        order = np.argsort(-keys, kind="stable")
        drawn, gains = weights[:, order], gain[order]
        before = np.cumsum(drawn * gains, axis=1) - drawn * gains
        return np.asarray((drawn * before + gains * drawn**2 / 2).sum(1), np.float64)

    worst, best = of_order(-gain), of_order(gain)
    spread = np.where(best - worst > 1e-12, best - worst, np.nan)
    return Estimate(relative_auc(doubt, base, corrected), (of_order(doubt) - worst) / spread)


def pearson(a: Floats, b: Floats, weights: Floats) -> Estimate:
    """Pearson's correlation of two columns (N,); nan where one does not vary."""

    def correlation(w: Floats) -> Floats:
        total = w.sum(1)
        with np.errstate(invalid="ignore", divide="ignore"):
            ma, mb = w @ a / total, w @ b / total
            product = w @ (a * b) / total - ma * mb
            spread = np.maximum(w @ (a * a) / total - ma**2, 0) * np.maximum(w @ (b * b) / total - mb**2, 0)
            return np.asarray(np.where(spread > 1e-18, product / np.sqrt(spread), np.nan), np.float64)

    return _weighted(correlation, weights) if len(a) else NO_ESTIMATE


def _weighted(function: Callable[[Floats], Floats], weights: Floats) -> Estimate:
    """`function` with equal weights, and with the weights of every resample."""
    return Estimate(float(function(np.ones((1, weights.shape[1])))[0]), function(weights))


def _means(columns: Sequence[Floats], weights: Floats) -> list[Estimate]:
    return means(np.stack(columns, axis=1), weights)


def _plain(value: float) -> Estimate:
    return Estimate(value, np.full(len(NO_ESTIMATE.draws), value))


# --- tables ---------------------------------------------------------------------------------------------------------


def uncertainty_tables(found: Sequence[Figure]) -> tuple[Sheet, ...]:
    """One table for each kind of figure; with several files of heads, a second one by label."""
    every = (*found, *_ablation(found))
    return tuple(
        _sheet(table, [f for f in every if f.table == table])
        for table in (RANKING, ABLATION, CALIBRATION, CORRECTION_TITLE, SECOND, TIME)
        if any(f.table == table for f in every)
    )


def _ablation(found: Sequence[Figure]) -> Iterator[Figure]:
    """The directly trained gaps of each file of heads, beside each other."""
    own = [f for f in found if f.table == RANKING and f.row.endswith(f"/{f.column}_gap")]
    labels = dict.fromkeys(f.row.rpartition("/")[0] for f in own)
    if len(labels) > 1:
        yield from (Figure(ABLATION, f.set, f.row.rpartition("/")[0], f.column, f.value) for f in own)


def _sheet(table: str, own: Sequence[Figure]) -> Sheet:
    cells = {(f.set, f.row, f.column): f.value for f in own}
    columns = tuple(dict.fromkeys(f.column for f in own))
    lines = dict.fromkeys((f.set, f.row) for f in own)
    rows = tuple((*line, *(_cell(table, c, cells.get((*line, c), NO_ESTIMATE)) for c in columns)) for line in lines)
    return Sheet(table, ("set", "of", *columns), rows, 2, brief=True)


def _cell(table: str, column: str, value: Estimate) -> str:
    if column == "objects":
        return f"{value.value:.0f}" if np.isfinite(value.value) else "-"
    if column == "of the decoder" or (table in (RANKING, ABLATION) and column in _GAPS):
        return format_percent(value)
    return format_estimate(
        value, 2 if table in (TIME, RANKING) else 3, sign="+" if column == "more than random" else ""
    )


def show_uncertainty(console: Console, found: Sequence[Figure]) -> None:
    """Print all tables."""
    for sheet in uncertainty_tables(found):
        console.print(as_table(sheet))
    console.print(
        "Area: 50 % is chance, 100 % is the ideal order. [low, high] is the 95 % bootstrap interval "
        "over objects. Candidates are not put in order by the true masks. A second click has the sign that a user would give.",
        markup=False,
    )


def write_figures(found: Sequence[Figure], folder: Path) -> tuple[Path, ...]:
    """Write uncertainty.md and uncertainty.csv into `folder`; returns their paths.

    Raises:
        DatasetError: the folder cannot be written.
        ExportError: a file of the user is in the way.
    """
    texts = {
        "uncertainty.md": "\n".join(["# Uncertainty", "", *map(table_markdown, uncertainty_tables(found))]),
        "uncertainty.csv": _csv(found),
    }
    try:
        with staged(folder, marked(_MARKS)) as stage:
            for name, text in texts.items():
                (stage / name).write_text(storable(text), encoding="utf-8", newline="")
    except OSError as e:
        raise DatasetError(f"The figures cannot be written: {e.strerror}", folder, "Choose another folder") from e
    return tuple(folder / name for name in texts)


def _csv(found: Iterable[Figure]) -> str:
    rows = ((f.table, f.set, f.row, f.column, *map(_figure, (f.value.value, *f.value.interval))) for f in found)
    return csv_text(_COLUMNS, rows)


def _figure(value: float) -> str:
    return f"{value:.6g}" if np.isfinite(value) else ""
