"""Quality of a model before it adapts: IoU by click, candidates, predicted IoU, obedience to clicks.

The figures come from the same raw records as all others. Their sessions never accept and never learn. Each object is
also asked for by a box.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from samtta_app.bench.boxes import BoxRow, run_boxes
from samtta_app.bench.click_rows import ClickRow, known_rows, side_by_side, write_records
from samtta_app.bench.figure_files import write_figure_rows
from samtta_app.bench.protocol import MANY, Conditions, frozen
from samtta_app.core.messages import ReportProgress
from samtta_app.core.metrics import FALL, failure_rate, harmful
from samtta_app.core.names import displayable
from samtta_app.core.texts import plain_cells
from samtta_app.engine.dispatch import Engine
from samtta_app.simulation.annotator import EASY, Goal
from samtta_app.simulation.streams import Source

TO_THE_END = Goal(1.0, 20)
"""Twenty clicks, or until no pixel is wrong."""
_SHOWN = (1, 2, 3, 5, 10, 20)

THIN_WIDTH = 16.0
"""Objects of less mean width, in pixels, are thin: most failures of the first model were among them."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of one set (or of several as one), means over objects unless stated otherwise.

    `iou` is the IoU after click 1, 2, ..., held where nothing was left to click.

    `best` is the IoU of the best of three candidates after click 1. Compare it with `iou[0]`, chosen by predicted IoU.

    `quality_error` is the mean absolute error of the predicted IoU over all clicks.

    `included` and `excluded` are the shares of include and exclude clicks that the next mask obeys (nan without such
    clicks).

    `fr_20_85` is strict, `fr_thin` the same of objects with a mean width below `THIN_WIDTH` (nan without such objects).

    `harm` is the share of clicks after the first that lower their object's IoU by more than .02. `fall` is the largest
    loss of the mean IoU from one click to the next, 0 where it never falls.

    `box` is the IoU of the first answer to a box, nan where none was asked for.
    """

    model: str
    name: str
    objects: int
    iou: tuple[float, ...]
    best: float
    quality_error: float
    included: float
    excluded: float
    fr_20_85: float
    fr_thin: float
    harm: float
    fall: float
    box: float = float("nan")

    @property
    def rises(self) -> bool:
        """Whether no click lowers the mean by more than `FALL`."""
        return self.fall <= FALL


def run_quality(
    engine: Engine,
    sources: Sequence[Source],
    conditions: Conditions,
    telling: Callable[[str], ReportProgress],
    *,
    model: str,
    out: Path | None = None,
) -> tuple[Quality, ...]:
    """Measure sets with an engine that is frozen; the figures in `out` of other models and sets come along.

    Args:
        telling: gives the function that shows the progress of a set.
        model: `model_column` of what answers.
        out: folder of the raw records; written after each set, so that a later failure loses nothing.

    Raises:
        DatasetError: a set cannot be used, or the folder cannot be written or holds something else.
    """
    records = known_rows(out / "records.jsonl", ClickRow) if out else ()
    boxes = known_rows(out / "boxes.jsonl", BoxRow) if out else ()
    for source in sources:
        told = telling(source.name)
        found = frozen(engine, source, conditions, goals=(TO_THE_END,), orders=(conditions.seed,), told=told)
        new = [replace(row, model=model) for row in found]
        drawn = run_boxes(
            *(engine, source),
            objects=conditions.objects or MANY,
            seed=conditions.seed,
            split=conditions.split,
            told=told,
        )
        records = side_by_side(records, new, lambda row: (row.set, row.model))
        boxes = side_by_side(boxes, [replace(row, model=model) for row in drawn], lambda row: (row.set, row.model))
        if out is not None:
            write_records(records, out / "records.jsonl")
            write_records(boxes, out / "boxes.jsonl")
    figures = qualities(records, boxes)
    if out is not None:
        write_qualities(figures, out)
    return figures


def qualities(records: Iterable[ClickRow], boxes: Sequence[BoxRow] = ()) -> tuple[Quality, ...]:
    """For each model one per set, in the order of the records, then one of all its sets together if there are several."""
    models: dict[str, dict[str, list[ClickRow]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        models[record.model][record.set].append(record)
    asked: dict[tuple[str, str], list[float]] = defaultdict(list)
    for box in boxes:
        asked[box.model, box.set].append(box.iou)
    found = []
    for model, by_set in models.items():
        found += [measure_quality(name, rows, asked[model, name]) for name, rows in by_set.items()]
        if len(by_set) > 1:
            every = [value for name in by_set for value in asked[model, name]]
            found.append(measure_quality("all", [row for rows in by_set.values() for row in rows], every))
    return tuple(found)


def measure_quality(name: str, records: Sequence[ClickRow], boxes: Sequence[float] = ()) -> Quality:
    """The figures of some records (at least one) of one model; `boxes` are the IoUs of its answers to boxes."""
    objects: dict[tuple[str, int, int], list[ClickRow]] = defaultdict(list)
    for record in records:
        objects[record.set, record.order, record.position].append(record)
    curves: list[list[float]] = []
    thin: list[list[float]] = []
    harms: list[bool] = []
    for rows in objects.values():
        curve = [row.iou for row in sorted(rows, key=lambda row: row.click)][: TO_THE_END.limit]
        harms += harmful(curve)
        curves.append(curve + curve[-1:] * (TO_THE_END.limit - len(curve)))
        if rows[0].mask_width is not None and rows[0].mask_width < THIN_WIDTH:
            thin.append(curves[-1])
    mean = np.mean(curves, axis=0)
    return Quality(
        records[0].model,
        name,
        len(objects),
        tuple(float(v) for v in mean),
        best=float(np.mean([row.best_iou for row in records if row.click == 1])),
        quality_error=float(np.mean([abs(row.predicted_iou - row.iou) for row in records])),
        included=_share([row.obeyed for row in records if row.positive]),
        excluded=_share([row.obeyed for row in records if not row.positive]),
        fr_20_85=failure_rate(curves, EASY.target, EASY.limit),
        fr_thin=failure_rate(thin, EASY.target, EASY.limit),
        harm=_share(harms),
        fall=float(max(-np.diff(mean).min(initial=0.0), 0.0)),
        box=float(np.mean(boxes)) if boxes else float("nan"),
    )


def show_quality(console: Console, found: Sequence[Quality]) -> None:
    """Print a table of the figures, and the whole curves below it."""
    table = Table(title="Quality without adaptation", title_justify="left")
    table.add_column("model")
    table.add_column("set")
    for column in (
        "objects",
        *(f"IoU@{k}" for k in _SHOWN),
        "best of 3",
        "box",
        "FR_20@85 %",
        "thin %",
        "harm %",
        "fall",
        "|pIoU - IoU|",
        "in %",
        "out %",
    ):
        table.add_column(column, justify="right")
    for q in found:
        table.add_row(
            *plain_cells((q.model, q.name, str(q.objects), *(f"{q.iou[k - 1]:.3f}" for k in _SHOWN))),
            *(f"{q.best:.3f}", "-" if q.box != q.box else f"{q.box:.3f}"),
            *(_percent(q.fr_20_85), _percent(q.fr_thin), _percent(q.harm), f"{q.fall:.3f}", f"{q.quality_error:.3f}"),
            *(_percent(q.included), _percent(q.excluded)),
        )
    console.print(table)
    for q in found:
        rising = "rises with every click" if q.rises else "falls at some click"
        values = " ".join(f"{value:.3f}" for value in q.iou)
        console.print(
            Text(f"{displayable(' '.join(filter(None, (q.model, q.name))))}, IoU by click, {rising}: {values}"),
            soft_wrap=True,
        )
    console.print("box: IoU of the first answer to a box drawn around the object, with SAM's noise.")
    console.print(f"thin %: FR_20@85 of objects less than {THIN_WIDTH:.0f} pixels wide (2 area / perimeter).")
    console.print("harm %: clicks after the first that lower the IoU by more than .02.")
    console.print("fall: the largest loss of the mean IoU from one click to the next.")
    console.print("in/out %: include/exclude clicks whose pixel is inside/outside the mask right after.")


def write_qualities(found: Sequence[Quality], folder: Path) -> Path:
    """Write `folder`/quality.json; returns its path.

    Raises:
        DatasetError: the folder cannot be written.
    """
    return write_figure_rows((asdict(q) | {"rises": q.rises} for q in found), folder / "quality.json")


def _share(values: Sequence[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _percent(value: float) -> str:
    return "-" if value != value else f"{100 * value:.1f}"
