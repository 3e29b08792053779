"""The simulated user: clicks as a clicker chooses, accepts what is good enough, gives up at a limit.

It does what a user does and sees what a user sees, one act at a time. So the same acts run without a window
(`simulation.driver`) and in one (a timer in the window passes them to the controller). Only its eye, the choice of the next
click and the decision to accept, knows the true mask.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from samtta_app.core.clicks import next_click
from samtta_app.core.masks import holds, trimmed
from samtta_app.core.metrics import boundary_iou, iou
from samtta_app.core.types import Click, Mask, Window
from samtta_app.errors import UserError
from samtta_app.session import acts
from samtta_app.session.acts import UserAct
from samtta_app.session.state import Preview, State
from samtta_app.simulation.clickers import Choice


@dataclass(frozen=True, slots=True)
class Goal:
    """When an object is accepted, and after how many clicks it is given up: "20@85" is IoU .85 within 20 clicks."""

    target: float
    limit: int

    @property
    def name(self) -> str:
        """As in FR_20@85."""
        return f"{self.limit}@{round(100 * self.target)}"


EASY, STRICT = Goal(0.85, 20), Goal(0.90, 30)


def goal_named(name: str) -> Goal:
    """The goal that a name like "20@85" stands for.

    Raises:
        UserError: it is no such name, or its limit or target is out of range.
    """
    found = re.fullmatch(r"(\d{1,4})@(\d{1,3})", name)
    if found is None or not (int(found[1]) >= 1 and 1 <= int(found[2]) <= 100):
        raise UserError(f"{name!r} is no goal", "", "Write the most clicks and the IoU in per cent: 20@85 or 30@90")
    return Goal(int(found[2]) / 100, int(found[1]))


@dataclass(frozen=True, slots=True)
class Step:
    """What one click led to; `seconds` is the time from the click to its mask.

    `best_iou` is the IoU of the best candidate offered, `obeyed` whether the clicked pixel is on the asked side. The session
    expected `expected_iou` of the `mask` that was shown.
    """

    click: Click
    iou: float
    boundary_iou: float
    predicted_iou: float
    uncertainty: float
    seconds: float
    version: int
    window: Window
    best_iou: float
    obeyed: bool
    expected_iou: float
    mask: Mask


@dataclass(frozen=True, slots=True)
class AnnotatedObject:
    """How an object ended: its steps, whether it was accepted, and the seconds that learning from it took."""

    steps: tuple[Step, ...]
    accepted: bool
    learning_seconds: float = 0.0

    @property
    def agreements(self) -> tuple[float | None, ...]:
        """IoU of each shown mask with the one that was accepted, the last; None where none was."""
        accepted = self.steps[-1].mask if self.accepted else None
        return tuple(iou(step.mask, accepted) if accepted else None for step in self.steps)


Person = Generator[UserAct, State, AnnotatedObject]
"""Yields the next act and is sent the state that it led to, once that state is `settled`."""


def annotate(
    state: State,
    target: Mask,
    index: int,
    goal: Goal,
    class_name: str | None = None,
    choose: Choice = next_click,
    *,
    last_counts: bool = True,
) -> Person:
    """Annotate one object of image `index`, from `state` on; start the generator with `next`, then send it states.

    `choose` decides on each click (default: RITM's clicker). Without `last_counts`, an object that only the last
    click solves is given up: the released code of Schön et al. does not learn from it.
    """
    if state.index != index or state.image is None:
        state = yield acts.OpenImage(index)
    if class_name is not None:
        state = yield from _choose_class(state, class_name)
    steps: tuple[Step, ...] = ()
    extent = state.image.whole if state.image else None
    while extent is not None:
        preview = state.preview
        if preview is not None and not preview.waiting and len(preview.clicks) > len(steps):
            steps = (*steps, _step(preview, target, extent))
        if steps and steps[-1].iou >= goal.target:
            if len(steps) == goal.limit and not last_counts:
                break
            before = len(state.annotations)
            state = yield acts.Accept()
            if len(state.annotations) > before:
                return AnnotatedObject(steps, True)
            break
        shown = preview.candidate.mask if preview and preview.candidate else None
        click = choose(target, shown, [step.click for step in steps], extent)
        if click is None or len(steps) == goal.limit:
            break
        state = yield acts.PlaceClick(click)
        if state.preview is None or len(state.preview.history) <= len(steps):
            break  # the click got no answer
    if state.preview is not None:
        yield acts.Cancel()
    return AnnotatedObject(steps, False)


def settled(act: UserAct, state: State) -> bool:
    """Whether `state` shows what `act` led to: a window's timer waits for it before it sends the state."""
    if isinstance(act, acts.OpenImage):
        unreadable = state.images[state.index].status == "unreadable"
        return state.index == act.index and (state.image is not None or unreadable)
    return state.preview is None or not state.preview.waiting


def _choose_class(state: State, name: str) -> Generator[UserAct, State, State]:
    for _ in range(2):  # a class that is new is added first
        if any(c.id == state.current_class and c.name == name for c in state.classes):
            break
        known = next((c.id for c in state.classes if c.name == name), None)
        state = yield acts.AddClass(name) if known is None else acts.SetClass(known)
    return state


def _step(preview: Preview, target: Mask, extent: Window) -> Step:
    candidate, record = preview.candidate, preview.history[-1]
    click = preview.clicks[-1]
    if candidate is None:  # nothing was found: an empty mask, of which nothing is expected
        found, empty = (
            (record.latency, record.weights_version, record.window),
            trimmed(np.zeros((1, 1), dtype=np.bool_)),
        )
        return Step(click, 0.0, 0.0, 0.0, 1.0, *found, 0.0, not click.positive, 0.0, empty)
    return Step(
        click,
        iou(candidate.mask, target),
        boundary_iou(candidate.mask, target, extent),
        candidate.predicted_iou,
        candidate.uncertainty,
        record.latency,
        record.weights_version,
        record.window,
        max(iou(offered.mask, target) for offered in preview.candidates),
        holds(candidate.mask, click.x, click.y) == click.positive,
        record.expected_iou,
        candidate.mask,
    )
