"""A session with a simulated annotator over images that carry their truth: what `samtta demo --simulate` does.

Without a window, `run_simulation` annotates the same objects with the frozen and with the adapting decoder and writes the
adapting session's exports. In a window, a timer calls a `Stepper`, which does one thing at a time with the controller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import cv2
from rich.console import Console
from rich.table import Table
from rich.text import Text

from samtta_app.core.files import write_whole
from samtta_app.core.messages import ReportProgress
from samtta_app.core.metrics import clicks_to, failure_rate, number_of_clicks
from samtta_app.core.names import displayable
from samtta_app.core.texts import plain_cells
from samtta_app.datasets.folder import FolderDataset, TargetObject, open_dataset
from samtta_app.errors import ExportError
from samtta_app.formats import FORMATS
from samtta_app.session.acts import UserAct
from samtta_app.session.state import State
from samtta_app.session.statistics.statistics_export import write_statistics
from samtta_app.simulation.annotator import (
    EASY,
    STRICT,
    AnnotatedObject,
    Goal,
    annotate,
    settled,
)
from samtta_app.simulation.contact_sheet import Pixels, contact_sheet, strip
from samtta_app.simulation.driver import Driver
from samtta_app.simulation.engines import FROZEN, Engines, engine_of
from samtta_app.simulation.streams import stream


@dataclass(frozen=True, slots=True)
class ObjectComparison:
    """One object: its IoU after each click with the frozen and with the adapting decoder."""

    image: str
    instance: int
    class_name: str
    frozen: tuple[float, ...]
    adapted: tuple[float, ...]
    version: int

    @property
    def words(self) -> str:
        """How it went, in one line."""
        sides = f"frozen {_went(self.frozen)} · adapted {_went(self.adapted)}, weights v{self.version}"
        return f"{self.class_name} in {self.image} · {sides}"


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a simulated session gave: its objects in order, and the files that it wrote below `folder`.

    `pictures` is the contact sheet of the adapting side; None where no object got an answer.
    """

    folder: Path
    pairs: tuple[ObjectComparison, ...]
    files: tuple[Path, ...]
    pictures: Path | None = None

    def failure_rates(self, goal: Goal) -> tuple[float, float]:
        """Frozen and adapted share of objects that missed the goal."""
        sides = [p.frozen for p in self.pairs], [p.adapted for p in self.pairs]
        return failure_rate(sides[0], goal.target, goal.limit), failure_rate(sides[1], goal.target, goal.limit)


def run_simulation(
    dataset: FolderDataset | Path,
    *,
    out: Path,
    objects: int = 30,
    seed: int = 0,
    model: str | Path | Engines = "samtta-small",
    strategy: str = "samtta",
    progress: ReportProgress | None = None,
    goal: Goal = STRICT,
) -> Simulation:
    """Annotate `objects` objects on both sides; exports, statistics and the project are written below a new folder.

    Args:
        out: the folder to write to; when it holds something, one beside it with a number is taken.
        model: name or path, or what makes the engines.
        strategy: how the adapting side learns.
        progress: told the share that is done, and how each object went.
        goal: when the simulated annotator accepts.

    Raises:
        DatasetError: the set cannot be used.
        ExportError: the folder cannot be written.
        UserError: there is no such strategy, or the model cannot be loaded or did not answer.
    """
    data = dataset if isinstance(dataset, FolderDataset) else open_dataset(dataset)
    engines = partial(engine_of, str(model)) if isinstance(model, str | Path) else model
    sides = {"frozen": engines(FROZEN), "adapted": engines(strategy)}
    folder = new_folder(out)
    targets = stream(data, split=None, objects=objects, seed=seed, per_image=6, min_area=16)
    pairs: list[ObjectComparison] = []
    strips: list[Pixels] = []
    with ExitStack() as closing:
        images = data.folder / "images"
        frozen, adapted = (
            closing.enter_context(
                Driver(
                    images,
                    folder / f"project_{name}",
                    engine.fresh(seed),
                    learn=name == "adapted",
                    twin=name == "adapted",
                )
            )
            for name, engine in sides.items()
        )
        for done, target in enumerate(targets, start=1):
            name = target.image.path.name
            still, moving = (side.annotate(name, target.mask, goal, target.class_name) for side in (frozen, adapted))
            pairs.append(_pair(target, still, moving))
            image, answer = adapted.state.image, adapted.answer
            if image and answer and moving.steps:
                strips.append(strip(image, target.mask, answer, f"{done}. {pairs[-1].words}"))
            if progress:
                progress(done / len(targets), f"object {done} of {len(targets)}: {pairs[-1].words}")
        files = _export(adapted, folder)
    pictures = _draw(strips, folder / "pictures.png") if strips else None
    return Simulation(folder, tuple(pairs), tuple(files), pictures)


def show_simulation(console: Console, simulation: Simulation) -> None:
    """Print clicks per object on both sides, then the figures, then where the exports lie."""
    console.print(_objects_table(simulation.pairs))
    console.print(_figures_table(simulation))
    console.print(Text(f"Exports and statistics: {displayable(str(simulation.folder))}"), soft_wrap=True)
    by_folder = Counter(path.relative_to(simulation.folder).parts[0] for path in simulation.files)
    for name, count in by_folder.items():
        console.print(f"  {name}: {count} file{'s' if count > 1 else ''}")
    if simulation.pictures:
        words = "Pictures of each object (image, truth, mask, uncertainty)"
        console.print(f"{words}: {simulation.pictures}", soft_wrap=True, highlight=False, markup=False)


# --- in a window ----------------------------------------------------------------------------------------------------


class Hand(Protocol):
    """A controller or workflow: acts go in, and its state shows the result."""

    @property
    def state(self) -> State:
        """What the window shows."""

    def do(self, act: UserAct) -> object:
        """Do what a user asked for."""


class Stepper:
    """The simulated annotator at a window: call `step` repeatedly; it never waits.

    Args:
        targets: what to annotate, in this order; their images must be in the session's image list.
        goal: when it accepts.
    """

    def __init__(self, targets: Sequence[TargetObject], goal: Goal = STRICT) -> None:
        self._targets, self._goal = tuple(targets), goal
        self._work: Generator[UserAct, State, None] | None = None
        self._act: UserAct | None = None

    def step(self, hand: Hand) -> bool:
        """Do the next thing if what came before has shown; False once all objects are done."""
        try:
            if self._work is None:
                self._work = _rounds(hand.state, self._targets, self._goal)
                self._act = next(self._work)
            elif self._act is None:
                return False
            elif settled(self._act, hand.state):
                self._act = self._work.send(hand.state)
            else:
                return True
        except StopIteration:
            self._act = None
            return False
        hand.do(self._act)
        return True


def stepper(dataset: FolderDataset | Path, *, objects: int = 30, seed: int = 0, goal: Goal = STRICT) -> Stepper:
    """The simulated annotator for the objects that `run_simulation` would annotate.

    Raises:
        DatasetError: the set cannot be used.
    """
    data = dataset if isinstance(dataset, FolderDataset) else open_dataset(dataset)
    return Stepper(stream(data, split=None, objects=objects, seed=seed, per_image=6, min_area=16), goal)


def _rounds(state: State, targets: Sequence[TargetObject], goal: Goal) -> Generator[UserAct, State, None]:
    places = {entry.path.name: index for index, entry in enumerate(state.images)}
    for target in targets:
        name = target.image.path.name
        if name not in places:
            continue
        person = annotate(state, target.mask, places[name], goal, target.class_name)
        try:
            act = next(person)
            while True:
                state = yield act
                act = person.send(state)
        except StopIteration:
            continue


# --- exports and tables ---------------------------------------------------------------------------------------------


def new_folder(out: Path) -> Path:
    """Make `out`, or, when it holds something, a folder beside it with a number; returns its path.

    Raises:
        ExportError: it cannot be made.
    """
    folder, number = out, 1
    try:
        while folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            number += 1
            folder = out.with_name(f"{out.name}-{number}")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise ExportError(f"The folder cannot be made: {e.strerror}", folder, "Name another one") from e
    return folder


def _export(driver: Driver, folder: Path) -> list[Path]:
    project = driver.store.project()
    forms = FORMATS.items() if project.annotated else ()
    files = [path for name, form in forms for path in form.write(project, folder / name)]
    return [*files, *write_statistics(driver.store, folder / "statistics")]


def _draw(strips: Sequence[Pixels], file: Path) -> Path:
    _, data = cv2.imencode(".png", contact_sheet(strips)[..., ::-1])
    try:
        write_whole(file, data.tobytes())
    except OSError as e:
        raise ExportError(f"The pictures cannot be written: {e.strerror}", file, "Free some space there") from e
    return file


def _went(trajectory: Sequence[float]) -> str:
    """Clicks and the IoU that they led to."""
    if not trajectory:
        return "no click"
    return f"{len(trajectory)} click{'s' if len(trajectory) > 1 else ''}, IoU {trajectory[-1]:.2f}"


def _pair(target: TargetObject, frozen: AnnotatedObject, adapted: AnnotatedObject) -> ObjectComparison:
    return ObjectComparison(
        *(target.image.name, target.instance, target.class_name),
        *(tuple(step.iou for step in frozen.steps), tuple(step.iou for step in adapted.steps)),
        version=adapted.steps[0].version if adapted.steps else 0,
    )


def _objects_table(pairs: Sequence[ObjectComparison]) -> Table:
    table = Table(title="Clicks per object, in the order of the session", title_justify="left")
    for column in ("image", "object", "class"):
        table.add_column(column)
    for column in ("weights", "to .85 frozen", "adapted", "to .90 frozen", "adapted"):
        table.add_column(column, justify="right")
    for pair in pairs:
        cells = [_clicks(t, goal) for goal in (EASY, STRICT) for t in (pair.frozen, pair.adapted)]
        table.add_row(*plain_cells((pair.image, str(pair.instance), pair.class_name, f"v{pair.version}", *cells)))
    return table


def _clicks(trajectory: Sequence[float], goal: Goal) -> str:
    clicks = clicks_to(trajectory, goal.target, goal.limit)
    return f">{goal.limit}" if clicks is None else str(clicks)


def _figures_table(simulation: Simulation) -> Table:
    table = Table(title=f"{len(simulation.pairs)} objects, accepted against their true masks", title_justify="left")
    table.add_column("")
    for goal in (EASY, STRICT):
        table.add_column(f"NoC_{goal.name}", justify="right")
        table.add_column(f"FR_{goal.name}", justify="right")
    for side, trajectories in (
        ("frozen", [p.frozen for p in simulation.pairs]),
        ("adapted", [p.adapted for p in simulation.pairs]),
    ):
        cells = []
        for goal in (EASY, STRICT):
            cells.append(f"{number_of_clicks(trajectories, goal.target, goal.limit):.2f}")
            cells.append(f"{100 * failure_rate(trajectories, goal.target, goal.limit):.1f} %")
        table.add_row(side, *cells)
    return table
