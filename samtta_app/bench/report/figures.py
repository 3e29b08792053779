"""Figures of one run: its records as arrays, one row per object, and what is computed from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from samtta_app.bench.click_rows import ClickRow
from samtta_app.bench.report.calibration_figures import bench_calibration_error, calibrated
from samtta_app.bench.report.intervals import (
    Estimate,
    Floats,
    Integers,
    average,
    combined,
    estimate_difference,
    means,
    quantiles,
    resampled,
)
from samtta_app.core.metrics import clicks_to, harmful
from samtta_app.errors import DatasetError
from samtta_app.simulation.annotator import goal_named
from samtta_app.simulation.streams import AFTER

Booleans = npt.NDArray[np.bool_]

CHAIN, MIXTURE = ">", "+"
"""CHAIN joins the names of sets that follow each other in a stream; MIXTURE joins those that are mixed."""

IOU_AT = (1, 3, 5, 10, 20)
FIRST = 20
"""Objects at the start of a stream that also have figures of their own."""

PARTS = ("all", "first third", "middle third", "last third", f"first {FIRST}")


class RunKey(NamedTuple):
    """Identifies a run; a comparison is between two strategies with otherwise the same key."""

    set: str
    goal: str
    strategy: str
    clicker: str
    feedback: str
    model: str = ""

    def __str__(self) -> str:
        return ", ".join(filter(None, self))


class _Place(NamedTuple):
    """One object of one stream."""

    order: int
    position: int
    image: str
    object: int


@dataclass(frozen=True, slots=True, eq=False)
class BenchRun:
    """The records of one key; row k of every array is the object at `places`[k].

    `iou` and `boundary_iou` are (objects, limit), after click 1, 2, ... They are held from the click that reached the
    goal, or from the last one. `clicks` is the click that reached the goal, 0 where none did. `learning` is the seconds
    of each object's adaptation, 0 for none.

    Arrays (answers,) have one value per click: `owners` its row, `seconds` its time, and the IoU of its answer. That is
    `true`, `expected` (nan where it was not recorded), and `calibrated`: the expected one, calibrated along the stream.
    """

    key: RunKey
    places: tuple[_Place, ...]
    iou: Floats
    boundary_iou: Floats
    clicks: Integers
    learning: Floats
    owners: Integers
    seconds: Floats
    true: Floats
    expected: Floats
    calibrated: Floats

    @property
    def orders(self) -> Integers:
        """The order of each object."""
        return np.array([place.order for place in self.places], np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class RunFigures:
    """Every figure of one run by name (defined in `tables.LEGEND`), or the mean over several `sets`."""

    key: RunKey
    sets: tuple[str, ...]
    objects: int
    orders: int
    named: Mapping[str, Estimate]


def is_single(name: str) -> bool:
    """Whether it names one data set, and no chain "a>b", mixture "a+b" or "b after a".

    Only single sets enter means over sets.
    """
    return all(mark not in name for mark in (CHAIN, MIXTURE, AFTER))


def runs(records: Iterable[ClickRow]) -> dict[RunKey, BenchRun]:
    """The records grouped by what was run, in their own order.

    Raises:
        DatasetError: one click appears twice with different outcomes, or a click is missing.
        UserError: a goal's name is not valid.
    """
    found: dict[RunKey, dict[_Place, dict[int, ClickRow]]] = defaultdict(lambda: defaultdict(dict))
    for r in records:
        key = RunKey(r.set, r.goal, r.strategy, r.clicker, r.feedback, r.model)
        place = _Place(r.order, r.position, r.image, r.object)
        known = found[key][place].setdefault(r.click, r)
        if known is not r and (known.x, known.y, known.iou) != (r.x, r.y, r.iou):
            raise DatasetError(f"Two different runs of {key} are mixed", r.image, "Give the records of one run only")
    return {key: _run(key, places) for key, places in found.items()}


def _run(key: RunKey, clicks: Mapping[_Place, Mapping[int, ClickRow]]) -> BenchRun:
    goal = goal_named(key.goal)
    places = tuple(sorted(clicks))
    rows: list[list[ClickRow]] = []
    for place in places:
        by_click = clicks[place]
        if sorted(by_click) != list(range(1, len(by_click) + 1)):
            raise DatasetError(f"A click of {key} is missing", place.image, "Run the bench again")
        rows.append([by_click[k] for k in range(1, len(by_click) + 1)])
    solved = [clicks_to([r.iou for r in row], goal.target, goal.limit) or 0 for row in rows]
    kept = [row[: at or goal.limit] for row, at in zip(rows, solved, strict=True)]
    owners = np.repeat(np.arange(len(kept)), [len(row) for row in kept])
    answers = [r for row in kept for r in row]
    expected = np.array([r.expected_iou for r in answers], np.float64)
    accepted = np.array([r.accepted_iou for r in answers], np.float64)
    orders = np.array([place.order for place in places], np.int64)
    return BenchRun(
        *(key, places),
        iou=np.array([_held([r.iou for r in row], goal.limit) for row in kept]),
        boundary_iou=np.array([_held([r.boundary_iou for r in row], goal.limit) for row in kept]),
        clicks=np.array(solved, np.int64),
        learning=np.array([sum(r.learning_seconds for r in row) for row in rows]),
        owners=owners,
        seconds=np.array([r.seconds for r in answers]),
        true=np.array([r.iou for r in answers]),
        expected=expected,
        calibrated=calibrated(expected, accepted, owners, orders),
    )


def _held(values: Sequence[float], limit: int) -> list[float]:
    return [*values, *[values[-1]] * (limit - len(values))]


def rows_by_key(run: BenchRun, rows: Sequence[int]) -> BenchRun:
    """The run with only these rows, in the given order."""
    chosen = np.array(rows, np.int64)
    mine = [np.flatnonzero(run.owners == row) for row in rows]
    clicks = np.concatenate(mine) if mine else np.zeros(0, np.int64)
    return BenchRun(
        *(run.key, tuple(run.places[row] for row in rows)),
        iou=run.iou[chosen],
        boundary_iou=run.boundary_iou[chosen],
        clicks=run.clicks[chosen],
        learning=run.learning[chosen],
        owners=np.repeat(np.arange(len(mine)), [len(each) for each in mine]),
        seconds=run.seconds[clicks],
        true=run.true[clicks],
        expected=run.expected[clicks],
        calibrated=run.calibrated[clicks],
    )


def per_object(run: BenchRun) -> dict[str, Floats]:
    """Figures that are means over objects, by name: their value for each object, (objects,).

    "fr" and "fr_ritm" are 0 or 1. "noc" is of the run's own goal. "noc_20@90" exists where the run continued to IoU
    .90.
    """
    goal = goal_named(run.key.goal)
    limit = goal.limit
    solved = run.clicks > 0
    noc = np.where(solved, run.clicks, limit).astype(float)
    found = {"noc": noc, "fr": (~solved).astype(float), "fr_ritm": (noc >= limit).astype(float)}
    if limit >= 20 and goal.target >= 0.9:
        reached = run.iou[:, :20] >= 0.9
        found["noc_20@90"] = np.where(reached.any(1), reached.argmax(1) + 1.0, 20.0)
    found |= {f"iou@{k}": run.iou[:, k - 1] for k in IOU_AT if k <= limit}
    return found | {f"boundary_iou@{k}": run.boundary_iou[:, k - 1] for k in IOU_AT if k <= limit}


def part(run: BenchRun, name: str) -> Booleans:
    """Which objects lie in a part of the stream (one of `PARTS`), (objects,); thirds are by position."""
    positions = np.array([place.position for place in run.places], np.int64)
    if name == PARTS[0]:
        return np.ones(len(positions), np.bool_)
    if name == PARTS[-1]:
        return positions < FIRST
    third = positions * 3 // (positions.max(initial=0) + 1)
    return np.isin(third, PARTS.index(name) - 1)


def weights_of(run: BenchRun) -> Floats:
    """The resamples of the run's objects; all strategies on one set and its objects share them."""
    return resampled(run.orders, run.key.set)


def run_figures(run: BenchRun) -> RunFigures:
    """Every figure of a run with its interval."""
    weights = weights_of(run)
    values = per_object(run)
    named = dict(zip(values, means(np.stack(list(values.values()), 1), weights), strict=True))
    learned = np.flatnonzero(run.learning > 0)
    for name, seconds, owners in (
        ("seconds", run.seconds, run.owners),
        ("learning_seconds", run.learning[learned], learned),
    ):
        median, high = quantiles(seconds, owners, (0.5, 0.95), weights)
        named |= {f"{name}_p50": median, f"{name}_p95": high}
    said, told = (
        bench_calibration_error(each, run.true, run.owners, weights) for each in (run.expected, run.calibrated)
    )
    named["harm"] = _harm(run, weights)
    named |= {"ece": said, "ece_calibrated": told, "ece_change": estimate_difference(said, told)}
    return RunFigures(run.key, (run.key.set,), len(run.places), len(set(run.orders.tolist())), named)


def _harm(run: BenchRun, weights: Floats) -> Estimate:
    """Share of the clicks after an object's first that did harm."""
    ends = np.flatnonzero(np.diff(run.owners, append=len(run.places))) + 1
    harms = [harmful(answers.tolist()) for answers in np.split(run.true, ends)[: len(run.places)]]
    counts = np.array([(sum(each), len(each)) for each in harms], np.float64)
    done, of = means(counts, weights)
    return combined(lambda a, b: np.where(b > 0, a / np.where(b > 0, b, 1), np.nan), done, of)


MEAN = "mean of sets"


def mean_of_sets(every: Sequence[RunFigures]) -> tuple[RunFigures, ...]:
    """Unweighted means over the sets with otherwise the same key; keys with a single set have none."""
    groups: dict[RunKey, list[RunFigures]] = defaultdict(list)
    for each in every:
        if is_single(each.key.set):
            groups[each.key._replace(set=MEAN)].append(each)
    return tuple(
        RunFigures(
            *(key, tuple(f.key.set for f in members), sum(f.objects for f in members), min(f.orders for f in members)),
            {name: average([f.named[name] for f in members]) for name in members[0].named},
        )
        for key, members in groups.items()
        if len(members) > 1
    )
