"""Quality of a model before it adapts: IoU by click, candidates, predicted IoU, obedience to clicks.

The figures come from the same raw records as all others. Their sessions never accept and never learn.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from samtta_app.bench.click_rows import ClickRow
from samtta_app.core.files import write_whole
from samtta_app.core.metrics import failure_rate
from samtta_app.core.names import displayable
from samtta_app.core.texts import plain_cells
from samtta_app.errors import DatasetError
from samtta_app.simulation.annotator import EASY, Goal

TO_THE_END = Goal(1.0, 20)
"""Twenty clicks, or until no pixel is wrong."""
_SHOWN = (1, 2, 3, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of one set (or of several as one), means over objects unless stated otherwise.

    `iou` is the IoU after click 1, 2, ..., held where nothing was left to click.

    `best` is the IoU of the best of three candidates after click 1. Compare it with `iou[0]`, chosen by predicted IoU.

    `quality_error` is the mean absolute error of the predicted IoU over all clicks.

    `included` and `excluded` are the shares of include and exclude clicks that the next mask obeys (nan without such
    clicks).

    `fr_20_85` is strict.
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

    @property
    def rises(self) -> bool:
        """Whether no click lowers the mean."""
        return all(a <= b for a, b in zip(self.iou, self.iou[1:], strict=False))


def qualities(records: Iterable[ClickRow]) -> tuple[Quality, ...]:
    """For each model one per set, in the order of the records, then one of all its sets together if there are several."""
    models: dict[str, dict[str, list[ClickRow]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        models[record.model][record.set].append(record)
    found = []
    for by_set in models.values():
        found += [measure_quality(name, rows) for name, rows in by_set.items()]
        if len(by_set) > 1:
            found.append(measure_quality("all", [row for rows in by_set.values() for row in rows]))
    return tuple(found)


def measure_quality(name: str, records: Sequence[ClickRow]) -> Quality:
    """The figures of some records (at least one) of one model."""
    objects: dict[tuple[str, int, int], list[ClickRow]] = defaultdict(list)
    for record in records:
        objects[record.set, record.order, record.position].append(record)
    curves = []
    for rows in objects.values():
        curve = [row.iou for row in sorted(rows, key=lambda row: row.click)][: TO_THE_END.limit]
        curves.append(curve + curve[-1:] * (TO_THE_END.limit - len(curve)))
    return Quality(
        records[0].model,
        name,
        len(objects),
        tuple(float(v) for v in np.mean(curves, axis=0)),
        best=float(np.mean([row.best_iou for row in records if row.click == 1])),
        quality_error=float(np.mean([abs(row.predicted_iou - row.iou) for row in records])),
        included=_share([row.obeyed for row in records if row.positive]),
        excluded=_share([row.obeyed for row in records if not row.positive]),
        fr_20_85=failure_rate(curves, EASY.target, EASY.limit),
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
        "FR_20@85 %",
        "|pIoU - IoU|",
        "in %",
        "out %",
    ):
        table.add_column(column, justify="right")
    for q in found:
        table.add_row(
            *plain_cells((q.model, q.name, str(q.objects), *(f"{q.iou[k - 1]:.3f}" for k in _SHOWN), f"{q.best:.3f}")),
            *(_percent(q.fr_20_85), f"{q.quality_error:.3f}", _percent(q.included), _percent(q.excluded)),
        )
    console.print(table)
    for q in found:
        rising = "rises with every click" if q.rises else "falls at some click"
        values = " ".join(f"{value:.3f}" for value in q.iou)
        console.print(
            Text(f"{displayable(' '.join(filter(None, (q.model, q.name))))}, IoU by click, {rising}: {values}"),
            soft_wrap=True,
        )
    console.print("in/out %: include/exclude clicks whose pixel is inside/outside the mask right after.")


def write_qualities(found: Sequence[Quality], folder: Path) -> Path:
    """Write `folder`/quality.json; returns its path.

    Raises:
        DatasetError: the folder cannot be written.
    """
    rows = [asdict(q) | {"rises": q.rises} for q in found]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps([{k: None if v != v else v for k, v in row.items()} for row in rows], indent=1)
        write_whole(folder / "quality.json", text.encode())
    except OSError as e:
        raise DatasetError(f"The figures cannot be written: {e.strerror}", folder, "Choose another folder") from e
    return folder / "quality.json"


def _share(values: Sequence[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _percent(value: float) -> str:
    return "-" if value != value else f"{100 * value:.1f}"
