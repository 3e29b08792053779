"""The measurement: the same stream of objects with the frozen and with the adapting decoder, one raw record per click.

What is measured is what people use: Workflow, Engine and Store as in the window. The frozen side is a session that never
learns, run to the strict goal; its trajectories do not depend on what is accepted, so they serve both goals. The adapting
side is run once per goal, since what is accepted decides what is learned.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from samtta_app.bench.annotator import EASY, STRICT, Goal, Step
from samtta_app.bench.driver import Driver
from samtta_app.core.files import write_whole
from samtta_app.datasets.folder import FolderDataset, TargetObject, open_dataset, read_objects
from samtta_app.engine import Engine, open_engine
from samtta_app.errors import DatasetError

SideName = Literal["frozen", "adapted"]
Told = Callable[[float, str], None]
"""Called with the share that is done, 0 .. 1, and a few words."""


@dataclass(frozen=True, slots=True)
class Record:
    """One click of one object of one session; `seconds` from the click to its mask, `window` as x, y, width, height.

    `version` is the weights version that answered (0 is the original); `position` counts the objects of the stream from 0;
    `best_iou` is the IoU of the best candidate offered, `obeyed` whether the clicked pixel is on the asked side.
    """

    set: str
    goal: str
    side: SideName
    order: int
    position: int
    image: str
    object: int
    click: int
    x: float
    y: float
    positive: bool
    iou: float
    predicted_iou: float
    uncertainty: float
    seconds: float
    version: int
    window: tuple[int, int, int, int]
    best_iou: float
    obeyed: bool


def stream(
    dataset: FolderDataset, *, split: str | None, objects: int, seed: int, per_image: int, min_area: int
) -> tuple[TargetObject, ...]:
    """Up to `objects` objects in the seeded order of a person: image after image, up to `per_image` of each.

    Raises:
        DatasetError: there is no such split, or no object in it.
    """
    rng = np.random.default_rng(seed)
    images = dataset.part(split)
    found: list[TargetObject] = []
    for place in rng.permutation(len(images)):
        here = read_objects(images[place], min_area)
        found += [here[k] for k in rng.permutation(len(here))[:per_image]]
        if len(found) >= objects:
            break
    if not found:
        raise DatasetError(f"There is no object of {min_area} pixels or more", dataset.folder, "Choose another split")
    return tuple(found[:objects])


def run_bench(
    dataset: FolderDataset | Path,
    *,
    objects: int = 60,
    orders: int = 1,
    seed: int = 0,
    split: str | None = None,
    targets: Sequence[Goal] = (EASY, STRICT),
    out: Path | None = None,
    model: str | Path | Engine = "samtta-small",
    progress: Told | None = None,
    per_image: int = 4,
    min_area: int = 16,
    learn: bool = True,
) -> tuple[Record, ...]:
    """Measure a data set; with `out`, the records are also written to `out`/records.jsonl.

    Args:
        dataset: a folder of images/ and masks/, or one that is open already.
        objects: length of the stream, the same for both sides.
        orders: streams with the seeds `seed`, `seed` + 1, ...: each is a new session that has learned nothing.
        split: its name, "all", or None for "test" where the set has one.
        targets: goals that the adapting side is run for.
        learn: False leaves the adapting side out.

    Raises:
        DatasetError: the set cannot be used.
        UserError: the model cannot be loaded or did not answer.
    """
    data = dataset if isinstance(dataset, FolderDataset) else open_dataset(dataset)
    engine = model if isinstance(model, Engine) else open_engine(model)
    part = ("test" if "test" in data.splits else None) if split is None else (None if split == "all" else split)
    records: list[Record] = []
    for order in range(seed, seed + orders):
        targets_seen = stream(data, split=part, objects=objects, seed=order, per_image=per_image, min_area=min_area)
        for position, found in enumerate(_measured(data, targets_seen, tuple(targets), order, engine, learn)):
            records += found
            if progress:
                done = (order - seed + (position + 1) / len(targets_seen)) / orders
                progress(done, f"{data.name}: object {position + 1} of {len(targets_seen)}, order {order}")
    if out is not None:
        write_records(records, out)
    return tuple(records)


def write_records(records: Iterable[Record], folder: Path) -> Path:
    """Write `folder`/records.jsonl, one JSON object per click; returns its path.

    Raises:
        DatasetError: the folder cannot be written.
    """
    text = "".join(json.dumps(asdict(record)) + "\n" for record in records)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "records.jsonl", text.encode())
    except OSError as e:
        raise DatasetError(f"The records cannot be written: {e.strerror}", folder, "Choose another folder") from e
    return folder / "records.jsonl"


def read_records(path: Path) -> tuple[Record, ...]:
    """The records of a file that `write_records` made.

    Raises:
        DatasetError: it is not such a file.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return tuple(Record(**{**line, "window": tuple(line["window"])}) for line in lines)
    except (OSError, ValueError, TypeError, KeyError) as e:
        raise DatasetError(f"This is no file of bench records: {e}", path, "Give a records.jsonl") from e


def cut(steps: tuple[Step, ...], goal: Goal) -> tuple[Step, ...]:
    """The steps up to the goal: what a run that stops there would have recorded."""
    for k, step in enumerate(steps[: goal.limit], start=1):
        if step.iou >= goal.target:
            return steps[:k]
    return steps[: goal.limit]


def _measured(
    data: FolderDataset,
    targets: Sequence[TargetObject],
    goals: tuple[Goal, ...],
    order: int,
    engine: Engine,
    learn: bool,
) -> Iterator[list[Record]]:
    """Per object the records of all sides; the sides take turns, so that they share encoded images and circumstances."""
    hardest = Goal(max(goal.target for goal in goals), max(goal.limit for goal in goals))
    with ExitStack() as closing:
        home = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="samtta-bench-")))
        folder = data.folder / "images"
        frozen = closing.enter_context(Driver(folder, home / "frozen", engine.fresh(order), learn=False))
        adapted = {
            goal: closing.enter_context(Driver(folder, home / goal.name, engine.fresh(order), learn=True))
            for goal in goals
            if learn
        }
        for position, target in enumerate(targets):
            name = target.image.path.name
            still = frozen.annotate(name, target.mask, hardest).steps
            found: list[Record] = []
            for goal in goals:
                sides: dict[SideName, tuple[Step, ...]] = {"frozen": cut(still, goal)}
                if learn:
                    sides["adapted"] = adapted[goal].annotate(name, target.mask, goal).steps
                for side, steps in sides.items():
                    found += _rows(data.name, goal, side, order, position, target, steps)
            yield found


def _rows(
    name: str, goal: Goal, side: SideName, order: int, position: int, target: TargetObject, steps: Sequence[Step]
) -> list[Record]:
    found = []
    for k, step in enumerate(steps, start=1):
        place, click, window = (order, position, target.image.name, target.instance, k), step.click, step.window
        offered = (step.best_iou, step.obeyed)
        seen = (step.iou, step.predicted_iou, step.uncertainty, step.seconds, step.version)
        corners = (window.x, window.y, window.width, window.height)
        found.append(Record(name, goal.name, side, *place, click.x, click.y, click.positive, *seen, corners, *offered))
    return found
