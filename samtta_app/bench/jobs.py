"""A run of the bench as independent jobs, each with its own file, in one process or in several.

A file is written whole when its job has ended. A job with a file is not run again. A stopped run therefore continues
with the same command.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

from samtta_app.bench.click_rows import SETTINGS_FILE, ClickRow, model_column, read_click_rows, write_records
from samtta_app.bench.protocol import Conditions, adapted, after, frozen
from samtta_app.core.files import write_whole
from samtta_app.core.messages import ReportProgress
from samtta_app.core.names import component
from samtta_app.engine.dispatch import Engine
from samtta_app.errors import DatasetError, UserError
from samtta_app.parallel.sent_files import sent_place
from samtta_app.parallel.worker_pool import THIS_PROCESS, WorkerPool
from samtta_app.parallel.workers import Failed, WorkerTask
from samtta_app.regular_files import read_json
from samtta_app.simulation.annotator import EASY, STRICT, Goal
from samtta_app.simulation.engines import FROZEN, Engines, engine_of
from samtta_app.simulation.streams import Source

LEARNING_COST = 40
"""Learning from one object takes about as long as this many clicks."""

ALL_OBJECTS = 500
"""Typical number of objects where a stream holds all of its class; only the order of the jobs depends on it."""

TYPICAL = 0.5
"""Typical share of the maximum number of clicks that an object takes."""


@dataclass(frozen=True, slots=True)
class Job:
    """One unit of measurement: all streams of the frozen decoder, or one stream of one strategy to one goal.

    `then` are annotated after an adapted stream without learning any more. A frozen job with `learned` has its records
    beside those, under their name.
    """

    source: Source
    conditions: Conditions
    strategy: str
    goals: tuple[Goal, ...]
    orders: tuple[int, ...]
    model: str
    then: tuple[Source, ...] = ()
    learned: Source | None = None

    @property
    def name(self) -> str:
        """A readable name that is a valid file name everywhere: "nuclei samtta 20@85 order 0" with dashes."""
        label = after(self.source, self.learned) if self.learned else self.source.name
        place = label.replace(">", "-then-")
        if self.strategy == FROZEN:
            return component(f"{place}_{FROZEN}")
        strategy = self.strategy.replace(":", "~")
        return component(f"{place}_{strategy}_{self.goals[0].name}_order{self.orders[0]}")

    @property
    def cost(self) -> float:
        """Estimated duration in clicks, used to order the jobs and to estimate the time left."""
        clicks = TYPICAL * max(goal.limit for goal in self.goals)
        learning = 0 if self.strategy == FROZEN else LEARNING_COST
        objects = self.conditions.objects or ALL_OBJECTS
        return objects * len(self.orders) * (clicks + learning)

    def run(self, engines: Engines, told: ReportProgress) -> tuple[ClickRow, ...]:
        """Measure.

        Raises:
            UserError: a set cannot be used, or the engine did not answer.
        """
        engine = engines(self.conditions.answering(self.strategy))
        if self.strategy == FROZEN:
            found = frozen(engine, self.source, self.conditions, goals=self.goals, orders=self.orders, told=told)
            if self.learned is not None:
                label = after(self.source, self.learned)
                found = (replace(row, set=label) for row in found)
        else:
            (goal,), (order,) = self.goals, self.orders
            found = adapted(
                *(engine, self.source, self.conditions),
                strategy=self.strategy,
                goal=goal,
                order=order,
                told=told,
                then=self.then,
            )
        return tuple(replace(row, model=model_column(self.model)) for row in found)


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """A whole run: every source with the frozen decoder and with every strategy, to every goal, in every order.

    Args:
        sources: what is annotated.
        strategies: names; the frozen decoder is always measured beside them.
        goals: an adapting strategy is run for each by itself.
        orders: number of streams; their seeds are those of `conditions` and the next ones.
        model: name or path.
        then: what is annotated by the learned weights after each stream, to measure forgetting.
    """

    sources: tuple[Source, ...]
    conditions: Conditions
    strategies: tuple[str, ...] = ("samtta",)
    goals: tuple[Goal, ...] = (EASY, STRICT)
    orders: int = 1
    model: str = "samtta-small"
    then: tuple[Source, ...] = ()

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs, the heaviest first."""
        orders = tuple(range(self.conditions.seed, self.conditions.seed + self.orders))
        learning = dict.fromkeys(name for name in self.strategies if name != FROZEN)
        found = [Job(source, self.conditions, FROZEN, self.goals, orders, self.model) for source in self.sources]
        found += [
            Job(other, self.conditions, FROZEN, self.goals, orders, self.model, learned=source)
            for source, other in product(self.sources, self.then)
        ]
        found += [
            Job(source, self.conditions, name, (goal,), (order,), self.model, self.then)
            for source, name, goal, order in product(self.sources, learning, self.goals, orders)
        ]
        return tuple(sorted(found, key=lambda job: -job.cost))

    @property
    def settings(self) -> dict[str, object]:
        """Settings that must be equal for records in one folder; sets, strategies and models may be added."""
        goals = [goal.name for goal in self.goals]
        then = {"then": [source.name for source in self.then]} if self.then else {}
        return {**asdict(self.conditions), "orders": self.orders, "goals": goals, "model": self.model, **then}

    def check(self) -> None:
        """Read the objects of every stream, so that an unusable set is reported before the measurement starts.

        Raises:
            DatasetError: a set cannot be used.
        """
        for job in self.jobs:
            if job.strategy == FROZEN:
                for order in job.orders:
                    job.conditions.stream(job.source, order)


@dataclass(frozen=True, slots=True)
class Results:
    """The records of the successful jobs, and the failures of the others (job name, words)."""

    records: tuple[ClickRow, ...]
    failures: tuple[Failed, ...] = ()


class Stopped(KeyboardInterrupt):
    """Ctrl+C during a run; its text says what is finished and how to continue."""


def run_bench(
    plan: BenchPlan,
    *,
    out: Path | None = None,
    pool: WorkerPool = THIS_PROCESS,
    progress: ReportProgress | None = None,
    engines: Engines | None = None,
) -> Results:
    """Measure everything that is not in `out` yet.

    Args:
        plan: what to measure.
        out: the folder for the records (below `records`). Without it they are only kept in memory until the end.
        pool: what works on the jobs. With several processes, each has one thread.
        progress: called with the completed share and a few words.
        engines: makes the engines (default: opens the plan's model); must be picklable for several processes.

    Raises:
        DatasetError: a set cannot be used, or `out` has records of other settings or cannot be written.
        Stopped: Ctrl+C; the records of finished jobs stay in `out`.
    """
    plan.check()
    with _folder(out) as folder:
        first = _same_settings(folder, plan)
        place = folder / "records" / ("" if plan.model == first else component(plan.model))
        files = {job: place / f"{job.name}.jsonl" for job in plan.jobs}
        waiting = {job: file for job, file in files.items() if not file.exists()}
        tell = progress or (lambda share, words: None)
        failures: tuple[Failed, ...] = ()
        engines = engines or partial(engine_of, plan.model)
        tasks = [
            WorkerTask(
                *(job.name, job.cost, partial(job.run, engines)),
                keep=partial(finish, file, folder=folder, settings=plan.settings),
            )
            for job, file in waiting.items()
        ]
        try:
            failures = pool.run(tasks, tell)
        except KeyboardInterrupt:
            raise Stopped(_standing(files, out)) from None
        finished = [file for file in files.values() if file.exists()]
        return Results(read_click_rows(finished) if finished else (), failures)


def finish(file: Path, rows: Sequence[ClickRow], *, folder: Path, settings: Mapping[str, object]) -> None:
    """Write the records of a job into `file` and, once, the settings into `folder`.

    Raises:
        UserError: the records cannot be written.
    """
    write_records(rows, file)
    place = folder / SETTINGS_FILE
    if not place.exists():
        write_whole(place, json.dumps(settings, indent=1).encode())


def engine_here(file: str, strategy: str) -> Engine:
    """An engine on a model's file that was sent to this machine."""
    return engine_of(sent_place(file), strategy)


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    if out is not None:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="samtta-bench-") as place:
        yield Path(place)


def _same_settings(folder: Path, plan: BenchPlan) -> object:
    """The model of the folder's first run; each other model has its records in a folder named after it."""
    path = folder / SETTINGS_FILE
    if not path.exists():
        return plan.model
    try:
        before = dict(read_json(path))
    except (OSError, ValueError, TypeError) as e:
        raise DatasetError(f"The settings of the earlier run cannot be read: {e}", path, "Name another folder") from e
    changed = [name for name, value in plan.settings.items() if name != "model" and before.get(name) != value]
    if changed:
        words = ", ".join(f"{name} was {before.get(name)}, now {plan.settings[name]}" for name in changed)
        raise DatasetError(f"The folder holds a run with other settings: {words}", folder, "Name another folder")
    return before.get("model", plan.model)


def _standing(files: dict[Job, Path], out: Path | None) -> str:
    finished = sum(file.exists() for file in files.values())
    if out is None:
        return "stopped; nothing was kept. With --out DIR, finished parts stay and the same command goes on"
    return f"stopped; {finished} of {len(files)} parts are finished and kept in {out}. The same command goes on"


def failed(failures: Sequence[Failed]) -> UserError:
    """One error for all failed jobs; each reason appears once."""
    reasons = dict.fromkeys(text for _, text in failures)
    return UserError(
        f"{len(failures)} of the parts could not be measured: {' '.join(reasons)}",
        ", ".join(name for name, _ in failures),
        "The same command tries them again; the others are kept where --out was given",
    )
