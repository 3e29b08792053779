"""The frozen twin as a guard: how much of what was learned answers is decided by objects that it was not learned from.

Every accepted object is first a test. The original, half of what was learned, and all of it answer the same simulated
clicks, and the best of the three so far answers from then on (follow the leader among experts, Cesa-Bianchi and Lugosi 2006,
chapter 2; half-way is the interpolation of weights of Wortsman et al. 2022, WiSE-FT). No object is lost to a held-out set.
"""

from __future__ import annotations

import json
import math
from collections.abc import Generator
from dataclasses import dataclass

from samtta_app.adapt.memory import Remembered
from samtta_app.adapt.rounds import trajectory
from samtta_app.model.backbone import SamModel
from samtta_app.model.weights import TASK, Tensors

BLEND_SHARES = (0.0, 0.5, 1.0)
"""The experts: what part of the way from the original to the learned weights answers."""

GUARD_CLICKS, LATER_FROM = 6, 2
"""A test asks for this many clicks: the first is one score, the mean IoU from click LATER_FROM on the other.

What helps a first click (which object is meant) may hurt later ones (where its outline runs), and the other way round.
"""

SCORES_KEPT = 24
"""Objects whose scores are kept; an older one counts 8 % of the newest."""

DECAY, PRIOR = 0.9, 2.0
"""Weight of an object against the next one, and of the belief that learning changes nothing, in objects."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether new weights are published, why in plain words, and mean IoU over the first simulated clicks.

    The three figures are those of what was learned, of what answered, and of the original weights on the last `objects`
    accepted objects, each measured before it was learned from; nan where a strategy measures nothing.
    """

    kept: bool
    reason: str
    candidate: float = math.nan
    published: float = math.nan
    frozen: float = math.nan
    objects: int = 0


Scores = tuple[float, float, float]
"""An object's score, 0 .. 1, for each of SHARES."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The scores of the last objects, each made before the object was learned from."""

    scores: tuple[Scores, ...] = ()

    def add(self, scores: Scores) -> Evidence:
        """With one object more; scores that are not finite are not evidence."""
        return Evidence((*self.scores, scores)[-SCORES_KEPT:]) if all(map(math.isfinite, scores)) else self

    @property
    def gains(self) -> tuple[float, ...]:
        """Mean gain of each expert over the original, newer objects weighing more; drawn to 0 while there are few."""
        weights = [DECAY**age for age in range(len(self.scores))][::-1]
        total = sum(weights) + PRIOR
        return tuple(
            sum(w * (one[k] - one[0]) for w, one in zip(weights, self.scores, strict=True)) / total
            for k in range(len(BLEND_SHARES))
        )

    @property
    def share(self) -> float:
        """The leader's share; of equal ones the smallest: what has not been better for any object does not answer."""
        return BLEND_SHARES[self.gains.index(max(self.gains))]

    def mean(self, share: float) -> float:
        """Plain mean score of an expert; nan without objects."""
        k = BLEND_SHARES.index(share)
        return sum(one[k] for one in self.scores) / len(self.scores) if self.scores else math.nan

    def text(self) -> str:
        """For storing beside the weights; `Evidence.read` gives it back exactly."""
        return json.dumps(self.scores)

    @staticmethod
    def read(text: str) -> Evidence:
        """What `text` stored; nothing where it is not such a text (the weights still answer, at full share)."""
        try:
            rows = [tuple(float(value) for value in row) for row in json.loads(text)]
        except (ValueError, TypeError, OverflowError):
            return Evidence()
        found = Evidence()
        for row in rows:
            if len(row) == len(BLEND_SHARES):
                found = found.add((row[0], row[1], row[2]))
        return found


def interpolated(original: Tensors, learned: Tensors, share: float) -> Tensors:
    """Weights `share` of the way from the original to the learned ones; the original's task prompt is zero."""
    if share in (0.0, 1.0):
        return learned if share else original
    between = {name: tensor.lerp(learned[name], share) for name, tensor in original.items()}
    return {**between, TASK: learned[TASK] * share} if TASK in learned else between


def scored(
    model: SamModel, learned: Tensors, item: Remembered, *, fits: bool = True
) -> Generator[float, None, tuple[Scores, Scores]]:
    """The experts' scores on an object that was not learned from, after the first click and after later ones.

    Answers are those that a person would get; with `fits` errors move the threshold. Yields 0, no share of the learning,
    after each expert.
    """
    first, later = [], []
    for share in BLEND_SHARES:
        values = trajectory(model, interpolated(model.frozen.tensors, learned, share), item, GUARD_CLICKS, fits=fits)
        rest = values[LATER_FROM - 1 :]
        first.append(values[0] if values else math.nan)
        later.append(sum(rest) / len(rest) if rest else math.nan)
        yield 0.0
    return (first[0], first[1], first[2]), (later[0], later[1], later[2])


def verdict(first: Evidence, later: Evidence) -> Verdict:
    """In words and figures (means of first and later clicks); what is learned is published at the leaders' shares."""
    count, shares = len(first.scores), (first.share, later.share)
    if not count:
        return Verdict(True, "Held back: the next object is the first test", math.nan, math.nan, math.nan)
    learned, frozen = ((first.mean(share) + later.mean(share)) / 2 for share in (BLEND_SHARES[-1], BLEND_SHARES[0]))
    answers = (first.mean(shares[0]) + later.mean(shares[1])) / 2
    on = f"IoU {answers:.3f} on the last {count} object{'s' if count != 1 else ''}, the original {frozen:.3f}"
    if shares == (0.0, 0.0):
        reason = f"Held back: the original answers ({on}, learned {learned:.3f})"
    elif shares == (1.0, 1.0):
        reason = f"Kept: {on}"
    else:
        words = {0.0: "the original", 0.5: "half of it", 1.0: "all of it"}
        reason = f"Kept in part: {words[shares[0]]} answers first clicks, {words[shares[1]]} later ones ({on})"
    return Verdict(True, reason, learned, answers, frozen, count)
