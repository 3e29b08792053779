"""Figures of `samtta bench points` by group, each with its interval: all objects, by size, and by class.

The form is that of "Segment Anything", table 2 (Kirillov et al. 2023). It has each group's mean IoU after one point and
after three, with a 95 % interval. The sizes are those of COCO's evaluation (Lin et al. 2014). A resample draws images,
then objects in them: masks of one image are alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from samtta_app.bench.points import COUNTS, Point
from samtta_app.bench.report.intervals import LEVEL, Estimate, means, resampled
from samtta_app.bench.report.table_formats import as_table, table_markdown
from samtta_app.bench.report.tables import Sheet, format_estimate
from samtta_app.core.files import marked, staged
from samtta_app.core.names import storable
from samtta_app.core.texts import csv_text
from samtta_app.errors import DatasetError

SIZES = (("small", 32**2), ("medium", 96**2))
"""Each size with the area in pixels that it stays below, as in COCO; what is larger is "large"."""

GROUPED_AT = (1, 3)
"""Numbers of points in the tables by group, as in SAM's table 2."""

FEWEST_OBJECTS = 10
"""A bootstrap of fewer objects is much too narrow, so no interval is shown."""

_COLUMNS = ("model", "look", "set", "way", "by", "group", "objects", "points", "mask", "iou", "low", "high")
_MARKS = {"points.md": b"# Points", "points.csv": b"model,look,set,way,by,"}
"""First bytes of the figures' files, which tell them from a user's own files of the same name."""


@dataclass(frozen=True, slots=True, eq=False)
class PointGroup:
    """Some objects of one set, asked of one model in one way.

    `look` is "windows" or "whole image". `by` is "all", "size" or "class", and `group` is the size or the class. By number
    of points: `confident` and `oracle` are the mean IoU of the most confident and of the best mask.
    """

    model: str
    look: str
    set: str
    way: str
    by: str
    group: str
    objects: int
    confident: Mapping[int, Estimate]
    oracle: Mapping[int, Estimate]


def size_of(area: int) -> str:
    """COCO's word for an area in pixels."""
    return next((name for name, below in SIZES if area < below), "large")


def point_groups(rows: Iterable[Point]) -> tuple[PointGroup, ...]:
    """Every group of every model, look, set and way, in the order of the rows; the sets of one model also together.

    Records without an area or a class are in no such group. An object without an error left keeps its last mask.
    """
    runs: dict[tuple[str, bool, str], dict[str, list[list[Point]]]] = {}
    for own in _objects(rows):
        first = own[0]
        runs.setdefault((first.model, first.whole, first.way), {}).setdefault(first.set, []).append(own)
    return tuple(group for (_, _, way), sets in runs.items() for group in _of_run(way, sets))


def _objects(rows: Iterable[Point]) -> Iterable[list[Point]]:
    found: dict[tuple[object, ...], list[Point]] = {}
    for row in rows:
        found.setdefault((*row.run, row.way, row.image, row.object), []).append(row)
    return (sorted(own, key=lambda row: row.points) for own in found.values())


def _of_run(way: str, sets: Mapping[str, list[list[Point]]]) -> Iterator[PointGroup]:
    for name, objects in sets.items():
        yield from _of_set(name, way, objects, by_class=True)
    if len(sets) > 1:  # one class of several sets is seldom one thing
        yield from _of_set("all", way, [own for objects in sets.values() for own in objects], by_class=False)


def _of_set(name: str, way: str, objects: Sequence[list[Point]], *, by_class: bool) -> Iterator[PointGroup]:
    yield _group(name, way, "all", "", objects)
    sized: dict[str, list[list[Point]]] = {size: [] for size in (*(size for size, _ in SIZES), "large")}
    classes: dict[str, list[list[Point]]] = {}
    for own in objects:
        if own[0].area is not None:
            sized[size_of(own[0].area)].append(own)
        if own[0].class_name and by_class:
            classes.setdefault(own[0].class_name, []).append(own)
    for by, groups in (("size", sized), ("class", dict(sorted(classes.items())))):
        yield from (_group(name, way, by, group, members) for group, members in groups.items() if members)


def _group(name: str, way: str, by: str, group: str, objects: Sequence[list[Point]]) -> PointGroup:
    images = {place: k for k, place in enumerate(dict.fromkeys((own[0].set, own[0].image) for own in objects))}
    owners = np.array([images[own[0].set, own[0].image] for own in objects], np.int64)
    weights = resampled(owners, f"{name} {by} {group}")
    newest = [[_at(own, count) for count in COUNTS] for own in objects]
    sides = [
        means(np.array([[getattr(row, figure) for row in own] for own in newest], np.float64), weights)
        for figure in ("iou", "oracle_iou")
    ]
    confident, oracle = (dict(zip(COUNTS, side, strict=True)) for side in sides)
    first = objects[0][0]
    look = "whole image" if first.whole else "windows"
    return PointGroup(first.model, look, name, way, by, group, len(objects), confident, oracle)


def _at(rows: Sequence[Point], count: int) -> Point:
    return [row for row in rows if row.points <= count][-1]


# --- tables -----------------------------------------------------------------------------------------------------------


def point_tables(groups: Sequence[PointGroup]) -> tuple[Sheet, ...]:
    """The mean IoU by number of points, then by size and by class; a table without rows is left out."""
    found = (
        _by_points([group for group in groups if group.by == "all"]),
        _by_group("Mean IoU by size of the object", "size", groups),
        _by_group("Mean IoU by class", "class", groups),
    )
    return tuple(sheet for sheet in found if sheet.rows)


def _by_points(groups: Sequence[PointGroup]) -> Sheet:
    rows = tuple(
        (*_words(group), mask, str(group.objects), *(f"{figures[count].value:.3f}" for count in COUNTS))
        for group in groups
        for mask, figures in (("most confident", group.confident), ("oracle", group.oracle))
    )
    heads = ("model", "look", "set", "points", "mask", "objects", *map(str, COUNTS))
    return Sheet("Mean IoU by points given at once, without adaptation", heads, rows, 5, brief=True)


def _by_group(title: str, by: str, groups: Sequence[PointGroup]) -> Sheet:
    """Like SAM's table 2; the first row of each run is of all its objects."""
    runs = {_words(group) for group in groups if group.by == by}
    rows = tuple(
        (*_words(group), group.group or "all", str(group.objects), *(_cell(group, count) for count in GROUPED_AT))
        for group in groups
        if group.by in ("all", by) and _words(group) in runs
    )
    counts = (f"{count} point{'s' if count > 1 else ''}" for count in GROUPED_AT)
    return Sheet(title, ("model", "look", "set", "points", by, "objects", *counts), rows, 5, brief=True)


def _words(group: PointGroup) -> tuple[str, ...]:
    return group.model, group.look, group.set, group.way


def _cell(group: PointGroup, count: int) -> str:
    estimate = group.confident[count]
    return f"{estimate.value:.3f}" if group.objects < FEWEST_OBJECTS else format_estimate(estimate, 3)


def _legend() -> str:
    bounds = " and ".join(f"{round(area**0.5)}²" for _, area in SIZES)
    return (
        f"By group: the most confident mask. [low, high] is the {LEVEL:.0%} bootstrap interval over images and their objects, "
        f"from {FEWEST_OBJECTS} objects on. Small, medium and large end at {bounds} pixels, as in COCO."
    )


def show_points(console: Console, groups: Sequence[PointGroup]) -> None:
    """Print all tables."""
    for sheet in point_tables(groups):
        console.print(as_table(sheet))
    console.print(_legend(), markup=False, soft_wrap=True)


def write_point_tables(groups: Sequence[PointGroup], folder: Path) -> tuple[Path, ...]:
    """Write points.md and points.csv (every group and number of points) into `folder`; returns their paths.

    Raises:
        DatasetError: the folder cannot be written.
        ExportError: a file of the user is in the way.
    """
    texts = {
        "points.md": "\n".join(["# Points", "", *map(table_markdown, point_tables(groups)), _legend(), ""]),
        "points.csv": csv_text(_COLUMNS, (row for group in groups for row in _csv_rows(group))),
    }
    try:
        with staged(folder, marked(_MARKS)) as stage:
            for name, text in texts.items():
                (stage / name).write_text(storable(text), encoding="utf-8", newline="")
    except OSError as e:
        raise DatasetError(f"The figures cannot be written: {e.strerror}", folder, "Choose another folder") from e
    return tuple(folder / name for name in texts)


def _csv_rows(group: PointGroup) -> Iterator[tuple[object, ...]]:
    told = group.objects >= FEWEST_OBJECTS
    for mask, figures in (("most confident", group.confident), ("oracle", group.oracle)):
        for count, estimate in figures.items():
            bounds = [f"{bound:.6g}" if told else "" for bound in estimate.interval]
            yield (*_words(group), group.by, group.group, group.objects, count, mask, f"{estimate.value:.6g}", *bounds)
