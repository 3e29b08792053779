"""SAM's evaluation with points: mean IoU after 1, 2, 3, 5 and 9 points given at once, original weights.

Source: Kirillov et al. 2023, "Segment Anything", section 7.1 and appendix D.1. The next point is chosen from the error
of the mask for the earlier points. All points form one prompt, without a mask. For one point the model offers three
masks: "confident" has the highest predicted IoU, "oracle" is the best one. From two points on there is one mask, so
both figures are the same.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from samtta_app.core.clicks import errors
from samtta_app.core.files import write_whole
from samtta_app.core.messages import Answer, Failure, Loaded, LoadRequest, PredictRequest, ReportProgress
from samtta_app.core.metrics import iou
from samtta_app.core.texts import plain_cells
from samtta_app.core.types import Click, Image, Mask, Prompt, Window
from samtta_app.datasets.folder import TargetObject
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import DatasetError, UserError
from samtta_app.simulation.clickers import Clicker, ritm, with_luck
from samtta_app.simulation.streams import Source, objects_of

COUNTS = (1, 2, 3, 5, 9)
"""Numbers of points that are evaluated, as for Segment Anything (section 7.1)."""


@dataclass(frozen=True, slots=True)
class Point:
    """One object after `points` points chosen in one way ("centre" or "random").

    `x`, `y` of the newest point are in image pixels. `iou` is that of the most confident mask, `oracle_iou` that of the
    best one offered.
    """

    set: str
    way: str
    image: str
    object: int
    points: int
    x: float
    y: float
    positive: bool
    iou: float
    oracle_iou: float
    predicted_iou: float


def uniform(
    target: Mask, shown: Mask | None, clicks: Sequence[Click], extent: Window, rng: np.random.Generator
) -> Click | None:
    """A point drawn uniformly from the wrong pixels, with the sign that corrects the pixel."""
    found = errors(target, shown, extent)
    places = np.flatnonzero(found.missed | found.wrong)
    if not places.size:
        return None
    row, column = divmod(int(rng.choice(places)), found.frame.width)
    return found.click(row, column, bool(found.missed[row, column]))


WAYS: Mapping[str, Clicker] = {"centre": ritm, "random": uniform}


def run_points(
    engine: Engine, source: Source, *, objects: int, seed: int, split: str | None, told: ReportProgress
) -> tuple[Point, ...]:
    """Up to nine points on every object, both ways, with the original weights.

    Raises:
        DatasetError: the set cannot be used.
        UserError: an image cannot be read.
    """
    targets = sorted(objects_of(source, objects=objects, seed=seed, split=split), key=lambda target: target.image.name)
    found: list[Point] = []
    numbers = itertools.count(1)
    for done, target in enumerate(targets, start=1):
        loaded = run(engine, LoadRequest(next(numbers), target.image.path))
        if isinstance(loaded, Failure):
            raise UserError(loaded.text)
        if isinstance(loaded, Loaded):
            for way in WAYS:
                found += _pointed(engine, loaded.image, source.name, way, target, seed, numbers)
        told(done / len(targets), f"{source.name}: object {done} of {len(targets)}")
    return tuple(found)


def mean_ious(rows: Iterable[Point]) -> dict[tuple[str, str], dict[int, tuple[float, float]]]:
    """(set, way) -> number of points -> mean IoU of the most confident mask, and of the best one.

    An object without an error left keeps its last mask.
    """
    objects: dict[tuple[str, str], dict[tuple[str, int], list[Point]]] = {}
    for row in rows:
        objects.setdefault((row.set, row.way), {}).setdefault((row.image, row.object), []).append(row)
    return {
        key: {count: tuple(np.mean([_at(own, count) for own in every.values()], axis=0).tolist()) for count in COUNTS}
        for key, every in objects.items()
    }


def show_points(console: Console, rows: Sequence[Point]) -> None:
    """Print the mean IoU by number of points."""
    table = Table(title="Mean IoU by points given at once, without adaptation", title_justify="left")
    for column in ("set", "points", "mask"):
        table.add_column(column)
    for count in COUNTS:
        table.add_column(str(count), justify="right")
    for (name, way), figures in mean_ious(rows).items():
        for place, mask in enumerate(("most confident", "oracle")):
            table.add_row(*plain_cells((name, way, mask)), *(f"{figures[count][place]:.3f}" for count in COUNTS))
    console.print(table)


def write_points(rows: Iterable[Point], folder: Path) -> Path:
    """Write `folder`/points.jsonl, one JSON object per point; returns its path.

    Raises:
        DatasetError: it cannot be written.
    """
    text = "".join(json.dumps(asdict(row)) + "\n" for row in rows)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "points.jsonl", text.encode())
    except OSError as e:
        raise DatasetError(f"The records cannot be written: {e.strerror}", folder, "Choose another folder") from e
    return folder / "points.jsonl"


def _at(rows: Sequence[Point], count: int) -> tuple[float, float]:
    newest = max((row for row in rows if row.points <= count), key=lambda row: row.points)
    return newest.iou, newest.oracle_iou


def _pointed(
    engine: Engine, image: Image, name: str, way: str, target: TargetObject, seed: int, numbers: Iterator[int]
) -> Iterator[Point]:
    choose = with_luck(WAYS[way], seed, target.image.name, target.instance)
    clicks: tuple[Click, ...] = ()
    shown: Mask | None = None
    while len(clicks) < COUNTS[-1]:
        click = choose(target.mask, shown, clicks, image.whole)
        if click is None:
            return
        clicks = (*clicks, click)
        reply = run(engine, PredictRequest(next(numbers), image, Prompt(clicks), twin=True))
        if not isinstance(reply, Answer):
            raise UserError(f"The engine could not answer: {getattr(reply, 'text', '')}", target.image.path)
        best = reply.candidates[reply.chosen]
        shown = best.mask
        offered = max(iou(candidate.mask, target.mask) for candidate in reply.candidates)
        yield Point(
            *(name, way, target.image.name, target.instance, len(clicks), click.x, click.y, click.positive),
            *(iou(shown, target.mask), offered, best.predicted_iou),
        )
