"""Points given at once, 1 to 9 of them, answered by the original weights: the raw records of SAM's evaluation.

Source: Kirillov et al. 2023, "Segment Anything", section 7.1 and appendix D.1. The next point is chosen from the error
of the mask for the earlier points. All points form one prompt, without a mask. For one point the model offers three
masks: "confident" has the highest predicted IoU, "oracle" is the best one. From two points on there is one mask, so
both figures are the same. SAM was evaluated on whole images (`whole`); without it the windows are those of the app.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samtta_app.bench.click_rows import known_rows, write_records
from samtta_app.core.clicks import errors
from samtta_app.core.messages import LoadRequest, PredictRequest, ReportProgress
from samtta_app.core.metrics import iou
from samtta_app.core.replies import Answer, Failure, Loaded
from samtta_app.core.types import Click, Image, Mask, Prompt, Window
from samtta_app.datasets.folder import TargetObject
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import UserError
from samtta_app.simulation.clickers import Clicker, ritm, with_luck
from samtta_app.simulation.streams import Source, objects_of

COUNTS = (1, 2, 3, 5, 9)
"""Numbers of points that are evaluated, as for Segment Anything (section 7.1)."""

POINTS_FILE = "points.jsonl"


@dataclass(frozen=True, slots=True)
class Point:
    """One object after `points` points chosen in one way ("centre" or "random").

    `x`, `y` of the newest point are in image pixels. `iou` is that of the most confident mask, `oracle_iou` that of the
    best one offered. `class_name` and `area` (pixels) are the object's, `model` is `model_column` of what answered, and
    `whole` says that it saw the whole image. Older records lack these four.
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
    class_name: str = ""
    area: int | None = None
    model: str = ""
    whole: bool = False

    @property
    def run(self) -> tuple[str, str, bool]:
        """What was measured at once: a set, with one model, in one way to look."""
        return self.set, self.model, self.whole


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
    engine: Engine,
    source: Source,
    *,
    objects: int,
    seed: int,
    split: str | None,
    told: ReportProgress,
    whole: bool = False,
) -> tuple[Point, ...]:
    """Up to nine points on every object, both ways, with the original weights; `whole` keeps closer windows away.

    Raises:
        DatasetError: the set cannot be used.
        UserError: an image cannot be read.
    """
    found: list[Point] = []
    for image, target, numbers in seen_objects(engine, source, objects=objects, seed=seed, split=split, told=told):
        for way in WAYS:
            found += _pointed(engine, image, source.name, way, target, seed, numbers, whole=whole)
    return tuple(found)


def seen_objects(
    engine: Engine, source: Source, *, objects: int, seed: int, split: str | None, told: ReportProgress
) -> Iterator[tuple[Image, TargetObject, Iterator[int]]]:
    """The objects of a set, image by image, each with its image as the engine read it, and numbers for requests.

    Raises:
        DatasetError: the set cannot be used.
        UserError: an image cannot be read.
    """
    targets = sorted(objects_of(source, objects=objects, seed=seed, split=split), key=lambda target: target.image.name)
    numbers = itertools.count(1)
    for done, target in enumerate(targets, start=1):
        loaded = run(engine, LoadRequest(next(numbers), target.image.path))
        if isinstance(loaded, Failure):
            raise UserError(loaded.text)
        if isinstance(loaded, Loaded):
            yield loaded.image, target, numbers
        told(done / len(targets), f"{source.name}: object {done} of {len(targets)}")


def known_points(folder: Path) -> tuple[Point, ...]:
    """The rows of `folder`/points.jsonl, none without the file.

    Raises:
        DatasetError: the file holds something else.
    """
    return known_rows(folder / POINTS_FILE, Point)


def write_points(rows: Iterable[Point], folder: Path) -> Path:
    """Write `folder`/points.jsonl, one JSON object per point; returns its path.

    Raises:
        DatasetError: it cannot be written.
    """
    return write_records(rows, folder / POINTS_FILE)


def _pointed(
    engine: Engine,
    image: Image,
    name: str,
    way: str,
    target: TargetObject,
    seed: int,
    numbers: Iterator[int],
    *,
    whole: bool,
) -> Iterator[Point]:
    choose = with_luck(WAYS[way], seed, target.image.name, target.instance)
    clicks: tuple[Click, ...] = ()
    shown: Mask | None = None
    while len(clicks) < COUNTS[-1]:
        click = choose(target.mask, shown, clicks, image.whole)
        if click is None:
            return
        clicks = (*clicks, click)
        reply = run(engine, PredictRequest(next(numbers), image, Prompt(clicks), twin=True, whole=whole))
        if not isinstance(reply, Answer):
            raise UserError(f"The engine could not answer: {getattr(reply, 'text', '')}", target.image.path)
        best = reply.candidates[reply.chosen]
        shown = best.mask
        offered = max(iou(candidate.mask, target.mask) for candidate in reply.candidates)
        yield Point(
            *(name, way, target.image.name, target.instance, len(clicks), click.x, click.y, click.positive),
            *(iou(shown, target.mask), offered, best.predicted_iou, target.class_name, target.mask.area),
            whole=whole,
        )
