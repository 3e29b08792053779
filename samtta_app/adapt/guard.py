"""The guard: a trained copy is published only if it is finite and no worse where it was not trained."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from samtta_app.adapt.memory import Remembered
from samtta_app.adapt.rounds import trajectory
from samtta_app.model.sam import SamModel
from samtta_app.model.weights import Tensors

CLICKS = 3
"""The guard asks for the mean IoU over this many clicks: the first ones decide how many are needed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the copy may be published, why in plain words, and the three figures that decided."""

    kept: bool
    reason: str
    candidate: float
    published: float
    frozen: float


def score(model: SamModel, tensors: Tensors, item: Remembered) -> float:
    """Mean IoU with the accepted mask over the first CLICKS simulated clicks, 0 .. 1."""
    values = trajectory(model, tensors, item, CLICKS)
    return sum(values) / len(values) if values else math.nan


def scores(
    model: SamModel, tensors: Tensors, items: Sequence[Remembered], known: dict[int, float]
) -> Generator[None, None, float]:
    """Mean score over `items`; `known` scores by object are used and filled in. Yields after every object."""
    for item in items:
        if item.object_id not in known:
            known[item.object_id] = score(model, tensors, item)
            yield
    values = [known[item.object_id] for item in items]
    return sum(values) / len(values) if values else math.nan


def judge(candidate: float, published: float, frozen: float, objects: int) -> Verdict:
    """Keep the copy when it is no worse than both the published weights and the frozen twin."""
    figures = (candidate, published, frozen)
    checked = f"{objects} held-back object{'s' if objects != 1 else ''}"
    if not all(math.isfinite(value) for value in figures):
        return Verdict(False, "Dropped: the check gave no finite figure", *figures)
    if candidate < published:
        return Verdict(False, f"Dropped: worse than before on {checked} ({candidate:.3f} < {published:.3f})", *figures)
    if candidate < frozen:
        return Verdict(
            False, f"Dropped: worse than the original on {checked} ({candidate:.3f} < {frozen:.3f})", *figures
        )
    return Verdict(True, f"Kept: no worse on {checked} ({candidate:.3f}, before {published:.3f})", *figures)
