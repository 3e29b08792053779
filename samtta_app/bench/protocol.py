"""The measurement: a stream of objects annotated by a simulated user, one raw record per click.

It measures what users run: Workflow, Engine and Store as in the window. The frozen decoder's trajectories depend
neither on the order nor on what is accepted. Every object is therefore annotated once, to the hardest goal, for all
orders and goals. An adapting strategy runs once per order and goal, since the accepted objects decide what is learned.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal

from samtta_app.bench.click_rows import ClickRow
from samtta_app.core.mask_shape import mean_width
from samtta_app.core.messages import ReportProgress
from samtta_app.datasets.folder import TargetObject
from samtta_app.engine.dispatch import Engine
from samtta_app.simulation.annotator import AnnotatedObject, Goal
from samtta_app.simulation.clickers import clicker, with_luck
from samtta_app.simulation.driver import Driver, Feedback
from samtta_app.simulation.engines import FROZEN
from samtta_app.simulation.streams import AFTER, Source, distinct_objects, identity, objects_of, permuted, session_files

Protocol = Literal["samtta", "schoen"]

MANY = 1_000_000
"""More objects than any set has: a stream without a length."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is the same for every session of a run.

    Args:
        objects: length of each stream.
        seed: of the simulated clicks; orders have their own seeds.
        split: a split's name, "all", or None for "test" where a set has one.
        clicker: a name of `clickers.CLICKERS`.
        feedback: what is returned to the model with the next click.
        protocol: "samtta" annotates as in the window. "schoen" is that of the released code of Schön et al. All samples
            come in one random permutation. The whole image and the single mask answer every click. An object solved
            only with the last click is not learned from.
    """

    objects: int | None = 60
    seed: int = 0
    split: str | None = None
    clicker: str = "ritm"
    feedback: Feedback = "logits"
    protocol: Protocol = "samtta"

    def stream(self, source: Source, order: int) -> tuple[TargetObject, ...]:
        """The objects of one session, in order.

        Raises:
            DatasetError: a set cannot be used.
        """
        if self.protocol == "schoen":
            return permuted(source, objects=self.objects, seed=order, split=self.split)
        return objects_of(source, objects=self.objects or MANY, seed=order, split=self.split)

    def answering(self, strategy: str) -> str:
        """The name of the strategy that the engine has: under the protocol "schoen" the single mask answers."""
        if self.protocol == "samtta":
            return strategy
        return f"{strategy}{',' if ':' in strategy else ':'}single=1"


def adapted(
    engine: Engine,
    source: Source,
    conditions: Conditions,
    *,
    strategy: str,
    goal: Goal,
    order: int,
    told: ReportProgress,
    then: Sequence[Source] = (),
) -> Iterator[ClickRow]:
    """One stream with a strategy that learns, in a session that has learned nothing.

    Afterwards the learned weights rest, and annotate the streams of `then` without learning any more.

    Args:
        engine: answers with this strategy; what it learns goes into a fresh engine.
        strategy: its name, for the records.
        order: seed of the stream, and of the learner's draws.

    Raises:
        DatasetError: a set cannot be used.
        UserError: the engine did not answer.
    """
    targets = conditions.stream(source, order)
    learner = engine.fresh(order)
    with _session(learner, source, conditions, targets, learn=True) as annotated:
        for position, target in enumerate(targets):
            outcome = annotated(target, goal)
            row = _row(source, conditions, strategy, goal, order, position, target)
            yield from records_of(row, outcome)
            told((position + 1) / len(targets), f"object {position + 1} of {len(targets)}")
    for other in then:
        later = conditions.stream(other, order)
        with _session(learner.rested(), other, conditions, later, learn=False) as annotated:
            for position, target in enumerate(later):
                row = _row(other, conditions, strategy, goal, order, position, target)
                label = after(other, source)
                yield from (replace(found, set=label) for found in records_of(row, annotated(target, goal)))
                told(1.0, f"{label}: object {position + 1} of {len(later)}")


def after(other: Source, learned: Source) -> str:
    """Name of the set `other`, annotated by what was learned on another one."""
    return f"{other.name}{AFTER}{learned.name}"


def frozen(
    engine: Engine,
    source: Source,
    conditions: Conditions,
    *,
    goals: Sequence[Goal],
    orders: Sequence[int],
    told: ReportProgress,
) -> Iterator[ClickRow]:
    """The streams of all orders with the original weights; `engine` answers with the strategy FROZEN.

    Raises:
        DatasetError: a set cannot be used.
        UserError: the engine did not answer.
    """
    streams = {order: conditions.stream(source, order) for order in orders}
    every = distinct_objects(chain.from_iterable(streams.values()))
    hardest = Goal(max(goal.target for goal in goals), max(goal.limit for goal in goals))
    found: dict[tuple[tuple[Path, int], Goal], list[ClickRow]] = {}
    with _session(engine.fresh(0), source, conditions, every, learn=False) as annotated:
        for done, target in enumerate(every, start=1):
            outcome = annotated(target, hardest)
            for goal in goals:  # records of any place, in any order; the masks are released
                row = _row(source, conditions, FROZEN, goal, 0, 0, target)
                found[identity(target), goal] = list(records_of(row, cut(outcome, goal)))
            told(done / len(every), f"object {done} of {len(every)}")
    for goal in goals:
        for order, targets in streams.items():
            for position, target in enumerate(targets):
                records = found[identity(target), goal]
                yield from (replace(record, order=order, position=position) for record in records)


def cut(outcome: AnnotatedObject, goal: Goal) -> AnnotatedObject:
    """The outcome up to the goal, as a run that stops there would record it."""
    for k, step in enumerate(outcome.steps[: goal.limit], start=1):
        if step.iou >= goal.target:
            return AnnotatedObject(outcome.steps[:k], True)
    return AnnotatedObject(outcome.steps[: goal.limit], False)


def records_of(row: Callable[..., ClickRow], outcome: AnnotatedObject) -> Iterator[ClickRow]:
    """One record per click: `row` with what happened. The last one has the time of learning."""
    for k, (step, agreement) in enumerate(zip(outcome.steps, outcome.agreements, strict=True), start=1):
        click, window = step.click, step.window
        yield row(
            click=k,
            x=click.x,
            y=click.y,
            positive=click.positive,
            iou=step.iou,
            boundary_iou=step.boundary_iou,
            predicted_iou=step.predicted_iou,
            uncertainty=step.uncertainty,
            seconds=step.seconds,
            learning_seconds=outcome.learning_seconds if k == len(outcome.steps) else 0.0,
            version=step.version,
            window=(window.x, window.y, window.width, window.height),
            best_iou=step.best_iou,
            obeyed=step.obeyed,
            expected_iou=step.expected_iou,
            accepted_iou=agreement,
        )


def _row(
    source: Source,
    conditions: Conditions,
    strategy: str,
    goal: Goal,
    order: int,
    position: int,
    target: TargetObject,
) -> Callable[..., ClickRow]:
    """Makes the records of one object of one stream; the arguments add what happened."""
    return partial(
        ClickRow,
        set=source.name,
        goal=goal.name,
        strategy=strategy,
        clicker=conditions.clicker,
        feedback=conditions.feedback,
        order=order,
        position=position,
        image=target.image.name,
        object=target.instance,
        class_name=target.class_name,
        mask_width=mean_width(target.mask),
    )


@contextmanager
def _session(
    engine: Engine, source: Source, conditions: Conditions, targets: Sequence[TargetObject], *, learn: bool
) -> Iterator[Callable[[TargetObject, Goal], AnnotatedObject]]:
    """A new session over the images of `targets`; yields a function that annotates one of them."""
    chosen = clicker(conditions.clicker)
    with tempfile.TemporaryDirectory(prefix="samtta-bench-") as place:
        folder, names = session_files(source, targets, Path(place) / "images")
        released = conditions.protocol == "schoen"
        with Driver(
            folder, Path(place) / "project", engine, learn=learn, feedback=conditions.feedback, whole=released
        ) as driver:

            def annotated(target: TargetObject, goal: Goal) -> AnnotatedObject:
                choose = with_luck(chosen, conditions.seed, target.image.name, target.instance)
                name = names[target.image.path]
                return driver.annotate(name, target.mask, goal, target.class_name, choose, last_counts=not released)

            yield annotated
