"""Figures and tables from raw records, and from nothing else."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from samtta_app.bench.protocol import Record, SideName
from samtta_app.core.files import write_whole
from samtta_app.core.metrics import failure_rate, number_of_clicks
from samtta_app.errors import DatasetError

IOU_AT = (1, 3, 5, 10, 20)

Trajectory = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """One side of one goal on one set; `noc` and `fr` are of that goal, strict; halves are of the stream.

    `noc_20_90` is nan where the run stops before IoU .90. `fr_spread` is the deviation of the failure rate over the orders
    (nan for one order). `iou_at` is the mean IoU after click k, held from the click that reached the goal. `late` counts
    objects solved exactly at the last click, which RITM's own count calls failures.
    """

    set: str
    goal: str
    side: SideName
    objects: int
    orders: int
    noc: float
    fr: float
    noc_20_90: float
    iou_at: dict[int, float]
    noc_halves: tuple[float, float]
    fr_halves: tuple[float, float]
    fr_spread: float
    late: int
    seconds_p50: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Adapted against frozen on one set for one goal; reductions are relative, positive is better, nan for 0 / 0."""

    frozen: Figures
    adapted: Figures
    noc_reduction: float
    fr_reduction: float


def goal_of(name: str) -> tuple[int, float]:
    """Limit and target of a goal's name: "20@85" is (20, 0.85)."""
    limit, target = name.split("@")
    return int(limit), int(target) / 100


def trajectories(records: Iterable[Record]) -> dict[tuple[int, int], Trajectory]:
    """(order, position) -> IoU after click 1, 2, ...; for the records of one set, goal and side."""
    found: dict[tuple[int, int], dict[int, float]] = defaultdict(dict)
    for record in records:
        found[record.order, record.position][record.click] = record.iou
    return {key: tuple(values[k] for k in sorted(values)) for key, values in sorted(found.items())}


def figures(records: Sequence[Record]) -> Figures:
    """The figures of the records of one set, goal and side (at least one)."""
    first = records[0]
    limit, target = goal_of(first.goal)
    by_place = trajectories(records)
    every = list(by_place.values())
    orders = sorted({order for order, _ in by_place})
    rates = [failure_rate([t for (o, _), t in by_place.items() if o == order], target, limit) for order in orders]
    middle = (max(position for _, position in by_place) + 1) / 2
    halves = (
        [t for (_, position), t in by_place.items() if position < middle],
        [t for (_, position), t in by_place.items() if position >= middle],
    )
    return Figures(
        *(first.set, first.goal, first.side, len(every), len(orders)),
        noc=number_of_clicks(every, target, limit),
        fr=failure_rate(every, target, limit),
        noc_20_90=number_of_clicks(every, 0.9, 20) if target >= 0.9 and limit >= 20 else math.nan,
        iou_at={k: float(np.mean([t[min(k, len(t)) - 1] for t in every])) for k in IOU_AT if k <= limit},
        noc_halves=(number_of_clicks(halves[0], target, limit), number_of_clicks(halves[1], target, limit)),
        fr_halves=(failure_rate(halves[0], target, limit), failure_rate(halves[1], target, limit)),
        fr_spread=float(np.std(rates, ddof=1)) if len(rates) > 1 else math.nan,
        late=sum(len(t) == limit and t[-1] >= target for t in every),
        seconds_p50=float(np.median([record.seconds for record in records])),
    )


def compare(records: Iterable[Record]) -> tuple[Comparison, ...]:
    """Both sides per set and goal, in the order in which they come in the records."""
    groups: dict[tuple[str, str], dict[SideName, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        groups[record.set, record.goal][record.side].append(record)
    found = []
    for sides in groups.values():
        if sides["frozen"] and sides["adapted"]:
            frozen, adapted = figures(sides["frozen"]), figures(sides["adapted"])
            found.append(
                Comparison(frozen, adapted, reduction(frozen.noc, adapted.noc), reduction(frozen.fr, adapted.fr))
            )
    return tuple(found)


def reduction(before: float, after: float) -> float:
    """By what share `after` is less than `before`; nan when there was nothing to reduce."""
    return (before - after) / before if before > 0 else math.nan


def show(console: Console, comparisons: Sequence[Comparison]) -> None:
    """Print one table of the figures and one of the IoU after given clicks."""
    console.print(figures_table(comparisons))
    console.print(iou_table(comparisons))
    orders = max((c.adapted.orders for c in comparisons), default=0)
    if orders:
        console.print(
            f"NoC counts a failure as the limit. FR is strict: not reached within the limit. {orders} order(s) of the stream; "
            "± is the deviation over orders. Less is better for both, and a positive reduction is better."
        )


def figures_table(comparisons: Sequence[Comparison]) -> Table:
    """Clicks and failures, frozen and adapted, whole stream and halves."""
    table = Table(title="Clicks and failures", title_justify="left")
    for column in ("set", "goal", "side"):
        table.add_column(column)
    for column in ("objects", "NoC", "1st half", "2nd half", "FR %", "1st half", "2nd half", "NoC_20@90", "ms"):
        table.add_column(column, justify="right")
    for comparison in comparisons:
        for f in (comparison.frozen, comparison.adapted):
            table.add_row(
                *(f.set, f.goal, f.side, str(f.objects)),
                *(_number(f.noc), *map(_number, f.noc_halves)),
                *(_percent(f.fr) + _spread(f.fr_spread), *map(_percent, f.fr_halves)),
                *(_number(f.noc_20_90), _number(1000 * f.seconds_p50, 0)),
            )
        table.add_row(
            *(comparison.frozen.set, comparison.frozen.goal, "reduction", ""),
            *(_percent(comparison.noc_reduction, sign=True), *_halves(comparison, "noc_halves")),
            *(_percent(comparison.fr_reduction, sign=True), *_halves(comparison, "fr_halves"), "", ""),
            end_section=True,
            style="bold",
        )
    return table


def iou_table(comparisons: Sequence[Comparison]) -> Table:
    """Mean IoU after some numbers of clicks."""
    table = Table(title="Mean IoU after clicks", title_justify="left")
    for column in ("set", "goal", "side"):
        table.add_column(column)
    for k in IOU_AT:
        table.add_column(f"IoU@{k}", justify="right")
    for comparison in comparisons:
        for f in (comparison.frozen, comparison.adapted):
            cells = [_number(f.iou_at.get(k, math.nan), 3) for k in IOU_AT]
            table.add_row(f.set, f.goal, f.side, *cells, end_section=f is comparison.adapted)
    return table


def write_summary(comparisons: Sequence[Comparison], folder: Path) -> Path:
    """Write `folder`/summary.json with every figure (nan as null); returns its path.

    Raises:
        DatasetError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps([_plain(asdict(c)) for c in comparisons], indent=1, allow_nan=False)
        write_whole(folder / "summary.json", text.encode())
    except OSError as e:
        raise DatasetError(f"The summary cannot be written: {e.strerror}", folder, "Choose another folder") from e
    return folder / "summary.json"


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value


def _halves(comparison: Comparison, name: str) -> list[str]:
    pairs = zip(getattr(comparison.frozen, name), getattr(comparison.adapted, name), strict=True)
    return [_percent(reduction(before, after), sign=True) for before, after in pairs]


def _number(value: float, digits: int = 2) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _percent(value: float, *, sign: bool = False) -> str:
    if math.isnan(value):
        return "-"
    return f"{100 * value:+.1f} %" if sign else f"{100 * value:.1f}"


def _spread(value: float) -> str:
    return "" if math.isnan(value) else f" ±{100 * value:.1f}"
