"""ODS, OIS, AP and R50 of edges, from raw counts alone (BSDS)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from samtta_app.bench.edges_run import EdgeRow
from samtta_app.core.texts import plain_cells


@dataclass(frozen=True, slots=True)
class EdgeFigures:
    """One set: the best F at one threshold for all images (`ods`) and at one for each (`ois`).

    `ap` is the area under precision by recall, `r50` the recall at a precision of one half. `seconds` are an image's.
    """

    model: str
    set: str
    images: int
    ods: float
    ois: float
    ap: float
    r50: float
    threshold: float
    masks: float
    seconds: float


def edge_figures(rows: Iterable[EdgeRow]) -> list[EdgeFigures]:
    """For each model and set."""
    groups: dict[tuple[str, str], list[EdgeRow]] = defaultdict(list)
    for row in rows:
        groups[row.model, row.set].append(row)
    return [_figures(*key, of_key) for key, of_key in groups.items()]


def _figures(model: str, name: str, rows: Sequence[EdgeRow]) -> EdgeFigures:
    matched, found = (np.array([getattr(row, field) for row in rows], np.float64) for field in ("matched", "found"))
    true = np.array([row.true for row in rows], np.float64)[:, None]
    together = f_of(matched.sum(0), found.sum(0), true.sum(0))
    best = f_of(matched, found, true).argmax(axis=1)
    each = np.arange(len(rows)), best
    own = f_of(matched[each].sum(), found[each].sum(), true.sum())
    precision, recall = _precision(matched.sum(0), found.sum(0)), _share(matched.sum(0), true.sum())
    return EdgeFigures(
        *(model, name, len(rows), float(together.max()), float(own), area_under(precision, recall)),
        r50=recall_at_half(precision, recall),
        threshold=rows[0].thresholds[int(together.argmax())],
        masks=float(np.mean([row.masks for row in rows])),
        seconds=float(np.mean([row.seconds for row in rows])),
    )


Numbers = NDArray[np.float64]


def f_of(matched: Numbers, found: Numbers, true: Numbers) -> Numbers:
    """The harmonic mean of precision and recall, 0 where both are."""
    precision, recall = _precision(matched, found), _share(matched, true)
    return np.asarray(2 * precision * recall / np.maximum(precision + recall, 1e-12))


def area_under(precision: Numbers, recall: Numbers) -> float:
    """Mean precision at recalls 0, .01, ... 1, 0 beyond what was reached (BSDS)."""
    places, first = np.unique(recall, return_index=True)
    at = np.linspace(0, 1, 101)
    return float(np.interp(at, places, precision[first], left=0.0, right=0.0).sum() / 100)


def recall_at_half(precision: Numbers, recall: Numbers) -> float:
    """The recall at a precision of .5, or at the lowest precision above it."""
    places, first = np.unique(precision, return_index=True)
    return float(np.interp(max(0.5, places[0]), places, recall[first]))


def _precision(matched: Numbers, found: Numbers) -> Numbers:
    """Share of edge pixels that match; without edges nothing is wrong."""
    return np.asarray(np.where(found > 0, matched / np.maximum(found, 1), 1.0))


def _share(part: Numbers, whole: Numbers) -> Numbers:
    return np.asarray(part / np.maximum(whole, 1))


def show_edges(console: Console, figures: Sequence[EdgeFigures]) -> None:
    """Print the figures."""
    table = Table(title="Edges of everything against borders of label maps", title_justify="left")
    for column in ("model", "set"):
        table.add_column(column)
    for column in ("images", "ODS", "OIS", "AP", "R50", "threshold", "masks", "seconds"):
        table.add_column(column, justify="right")
    for one in figures:
        shares = [f"{value:.3f}" for value in (one.ods, one.ois, one.ap, one.r50, one.threshold)]
        cells = [str(one.images), *shares, f"{one.masks:.0f}", f"{one.seconds:.1f}"]
        table.add_row(*plain_cells((one.model, one.set)), *cells)
    console.print(table)
    console.print("Borders of objects only: edges inside objects and of what has no label count as wrong.")
