"""Hand-written records: an object is the list of its IoU by click."""

from __future__ import annotations

from collections.abc import Sequence

from samtta_app.bench.click_rows import ClickRow
from samtta_app.bench.report.figures import BenchRun, RunKey, runs

FAILED = [0.5] * 5


def clicks(
    ious: Sequence[float],
    position: int = 0,
    *,
    name: str = "cells",
    goal: str = "5@85",
    strategy: str = "samtta",
    clicker: str = "ritm",
    feedback: str = "logits",
    order: int = 0,
    image: str = "im",
    number: int | None = None,
    seconds: float = 0.02,
    learning: float = 0.0,
    model: str = "",
) -> list[ClickRow]:
    """One object; its number is its position unless given; its boundary IoU is half of its IoU."""
    last = len(ious)
    return [
        ClickRow(
            *(name, goal, strategy, clicker, feedback, order, position, image),
            *(position if number is None else number, "thing", k, 10.0 + k, 20.0, True),
            *(value, value / 2, 0.5, 0.1, seconds * k, learning if k == last else 0.0),
            *(0, (0, 0, 90, 90), value, True),
            model=model,
        )
        for k, value in enumerate(ious, start=1)
    ]


def stream(objects: Sequence[Sequence[float]], **what: object) -> list[ClickRow]:
    """Objects one after the other from position 0."""
    return [record for k, ious in enumerate(objects) for record in clicks(ious, k, **what)]  # type: ignore[arg-type]


def solved(at: int) -> list[float]:
    """An object that reaches IoU .9 at this click and is at .5 before."""
    return [0.5] * (at - 1) + [0.9]


def only(records: Sequence[ClickRow]) -> BenchRun:
    """The run of records of one key."""
    (run,) = runs(records).values()
    return run


def key(name: str = "cells", goal: str = "5@85", strategy: str = "samtta", clicker: str = "ritm") -> RunKey:
    """As `clicks` makes it."""
    return RunKey(name, goal, strategy, clicker, "logits")
