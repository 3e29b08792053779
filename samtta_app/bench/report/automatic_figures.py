"""Figures of automatic masks from raw records alone: average recall, precision, recall, mask AP, clicks and seconds.

Matching and precision are COCO's: masks in the order of their scores, each takes the free object of the highest IoU.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from samtta_app.bench.automatic_run import ADAPTED_WAY, FROZEN_WAY, AutomaticRow
from samtta_app.core.texts import plain_cells

OVERLAP_LEVELS = tuple(round(0.5 + 0.05 * k, 2) for k in range(10))
"""IoU from .5 to .95, over which AR and AP are averaged."""

RECALLS = np.linspace(0, 1, 101)
"""Recalls at which COCO reads the precision."""


@dataclass(frozen=True, slots=True)
class AutomaticFigures:
    """One set in one way; `second_half` is the recall at .75 over the second half of the stream.

    `accepted` is the share of annotated objects that were among the masks. `clicks` and `seconds` are an image's, and the
    seconds are those of finding masks, waiting for answers, and learning.
    """

    model: str
    set: str
    way: str
    images: int
    objects: int
    masks: float
    ar: float
    ap: float
    precision_50: float
    recall_50: float
    precision_75: float
    recall_75: float
    second_half: float
    accepted: float
    clicks: float
    failed: int
    finding: float
    waiting: float
    learning: float


def automatic_figures(rows: Iterable[AutomaticRow]) -> list[AutomaticFigures]:
    """For each model, set and way."""
    groups: dict[tuple[str, str, str], list[AutomaticRow]] = defaultdict(list)
    for row in rows:
        groups[row.model, row.set, row.way].append(row)
    return [_figures(*key, sorted(of_key, key=lambda row: row.position)) for key, of_key in groups.items()]


def _figures(model: str, name: str, way: str, rows: Sequence[AutomaticRow]) -> AutomaticFigures:
    images, masks = len(rows), sum(len(row.scores) for row in rows)
    recalls = {level: recall(rows, level) for level in OVERLAP_LEVELS}
    annotated = sum(row.annotated for row in rows)
    found = {level: sum(sum(hits(row, level)) for row in rows) for level in (0.5, 0.75)}

    def mean(field: str) -> float:
        return float(np.mean([getattr(row, field) for row in rows]))

    return AutomaticFigures(
        *(model, name, way, images, sum(row.objects for row in rows), masks / images),
        ar=float(np.mean(list(recalls.values()))),
        ap=float(np.mean([average_precision(rows, level) for level in OVERLAP_LEVELS])),
        precision_50=_share(found[0.5], masks),
        recall_50=recalls[0.5],
        precision_75=_share(found[0.75], masks),
        recall_75=recalls[0.75],
        second_half=recall(rows[images // 2 :], 0.75),
        accepted=_share(sum(row.accepted for row in rows), annotated),
        clicks=mean("clicks"),
        failed=sum(row.failed for row in rows),
        finding=mean("seconds"),
        waiting=mean("waited"),
        learning=mean("learning"),
    )


def hits(row: AutomaticRow, level: float) -> list[bool]:
    """Whether each mask, best first, takes an object at this IoU that no better mask has taken."""
    of_mask: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for place, target, value in row.pairs:
        if value >= level:
            of_mask[place].append((value, target))
    taken: set[int] = set()
    found = []
    for place in range(len(row.scores)):
        free = [(value, target) for value, target in of_mask[place] if target not in taken]
        if free:
            taken.add(max(free)[1])
        found.append(bool(free))
    return found


def recall(rows: Sequence[AutomaticRow], level: float) -> float:
    """Share of objects that a mask takes at this IoU; nan without objects."""
    return _share(sum(sum(hits(row, level)) for row in rows), sum(row.objects for row in rows))


def average_precision(rows: Sequence[AutomaticRow], level: float) -> float:
    """COCO's average precision at one IoU, over all images; nan without objects."""
    objects = sum(row.objects for row in rows)
    if not objects:
        return float("nan")
    pairs = [(score, hit) for row in rows for score, hit in zip(row.scores, hits(row, level), strict=True)]
    right = np.array([hit for _, hit in sorted(pairs, key=lambda pair: -pair[0])], dtype=np.float64)
    if not right.size:
        return 0.0
    so_far = np.cumsum(right)
    precision = np.maximum.accumulate((so_far / np.arange(1, right.size + 1))[::-1])[::-1]
    places = np.searchsorted(so_far / objects, RECALLS)
    return float(np.append(precision, 0.0)[np.minimum(places, right.size)].mean())


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def show_automatic(console: Console, figures: Sequence[AutomaticFigures]) -> None:
    """Print the figures, and how many fewer objects are missed with learning."""
    table = Table(title="Automatic masks over a stream", title_justify="left")
    for column in ("model", "set", "way"):
        table.add_column(column)
    numbers = ("images", "masks", "AR@1000", "AP", "P .5", "R .5", "P .75", "R .75", "R .75 late", "accepted %")
    for column in (*numbers, "clicks", "find s", "wait s", "learn s"):
        table.add_column(column, justify="right")
    for one in figures:
        shares = (one.ar, one.ap, one.precision_50, one.recall_50, one.precision_75, one.recall_75, one.second_half)
        costs = (one.clicks, one.finding, one.waiting, one.learning)
        cells = [str(one.images), _cell(one.masks, 1), *map(_cell, shares), _cell(100 * one.accepted, 1)]
        table.add_row(*plain_cells((one.model, one.set, one.way)), *cells, *(_cell(value, 1) for value in costs))
    console.print(table)
    for line in fewer_misses(figures):
        console.print(line, highlight=False, markup=False)
    console.print(
        "Means of an image. late: the second half of the stream. accepted: annotated objects that masks held."
    )


def fewer_misses(figures: Sequence[AutomaticFigures]) -> list[str]:
    """For each model and set, a sentence on how many objects are missed at IoU .75 late in the stream, by both sides."""
    known = {(one.model, one.set, one.way): one.second_half for one in figures}
    lines = []
    for (model, name, way), frozen in known.items():
        adapted = known.get((model, name, ADAPTED_WAY))
        if way != FROZEN_WAY or adapted is None or frozen >= 1 or frozen != frozen:
            continue
        change = 1 - (1 - adapted) / (1 - frozen)
        lines.append(
            f"{name}: {1 - frozen:.3f} of objects missed late, with learning {1 - adapted:.3f} ({change:+.0%} fewer)"
        )
    return lines


def _cell(value: float, digits: int = 3) -> str:
    return "-" if value != value else f"{value:.{digits}f}"
