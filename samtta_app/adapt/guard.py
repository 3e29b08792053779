"""The guard compares learned weights with the frozen ones, on objects that they were not learned from.

Every accepted object is a test before it is a lesson. The original weights, half of the careful learning, all of it and
what was learned boldly answer the same simulated clicks. The one that is most surely better so far answers from then on:
"follow the leader" among experts (Cesa-Bianchi and Lugosi 2006, chapter 2), by the lower end of each one's gain. Half-way
weights are an interpolation (Wortsman et al. 2022, WiSE-FT). No object is lost to a held-out set.
"""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from samtta_app.adapt.memory import Remembered
from samtta_app.adapt.rounds import trajectory
from samtta_app.model.backbone import Look, SamModel
from samtta_app.model.weights import TASK, Tensors
from samtta_app.phrases import Phrase


@dataclass(frozen=True, slots=True)
class Expert:
    """Weights that may answer: `share` of the way from the original to what was learned, carefully or boldly."""

    share: float
    bold: bool = False


EXPERTS = (Expert(0.0), Expert(0.5), Expert(1.0), Expert(1.0, bold=True))
"""The experts in the order in which ties are decided, so that unproven weights are not used.

Objects that are alike are learned faster than objects that differ, and no rate serves both.
"""

ORIGINAL, ALL_LEARNED = EXPERTS[0], EXPERTS[2]
"""The original weights, and all that was learned carefully."""

GUARD_CLICKS, LATER_FROM = 6, 2
"""A test takes GUARD_CLICKS clicks and gives two scores: IoU after click 1, and mean IoU from click LATER_FROM on.

Two scores, because the clicks differ: the first decides which object is meant, later ones where its outline runs. What
helps one of them may hurt the other.
"""

SCORES_KEPT = 24
"""Objects whose scores are kept; the oldest of them weighs 8 % of the newest."""

DECAY, PRIOR, PRIOR_SPREAD = 0.9, 2.0, 0.05
"""DECAY is the weight of an object relative to the next one.

PRIOR is the weight, in objects, of the belief that learning changes nothing. PRIOR_SPREAD is the standard deviation of
such objects, about what a lesson changes at an object. So one or two objects that are alike do not seem sure.
"""

DOUBT = 1.0
"""Standard errors that a mean gain must exceed. A leader by mean alone is often one by chance.

In 17 streams of changed looks its later clicks lost .002 in the mean and .020 in the worst stream. With this they gained
.001, and lost .003 in the worst. First clicks gained .011 both ways.
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether new weights are published, the reason for users, and mean IoU over the first simulated clicks.

    `candidate` is the IoU of what was learned, `published` of what answered, `frozen` of the original weights. All
    three are means over the last `objects` accepted objects, each measured before it was learned from. They are nan
    where a strategy measures nothing.
    """

    kept: bool
    reason: str
    candidate: float = math.nan
    published: float = math.nan
    frozen: float = math.nan
    objects: int = 0


Scores = tuple[float, ...]
"""An object's score, 0 .. 1, for each of EXPERTS, or for the first of them where there is no bold learner."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The scores of the last objects, each made before the object was learned from."""

    scores: tuple[Scores, ...] = ()

    def add(self, scores: Scores) -> Evidence:
        """The evidence with one more object; scores that are not finite are ignored, and those of other experts go."""
        if not all(map(math.isfinite, scores)):
            return self
        alike = [one for one in self.scores if len(one) == len(scores)]
        return Evidence((*alike, scores)[-SCORES_KEPT:])

    @property
    def _weights(self) -> list[float]:
        return [DECAY**age for age in range(len(self.scores))][::-1]

    @property
    def gains(self) -> tuple[float, ...]:
        """Mean gain of each expert over the original. Newer objects weigh more; few objects pull the gain towards 0."""
        weights = self._weights
        total = sum(weights) + PRIOR
        return tuple(
            sum(w * (one[k] - one[0]) for w, one in zip(weights, self.scores, strict=True)) / total
            for k in range(len(self.scores[-1]) if self.scores else 1)
        )

    @property
    def sure_gains(self) -> tuple[float, ...]:
        """Each expert's mean gain less DOUBT standard errors of it; that of the original is 0."""
        weights = self._weights
        total = sum(weights) + PRIOR
        found = [0.0]
        for k, mean in enumerate(self.gains[1:], start=1):
            squares = PRIOR * (PRIOR_SPREAD**2 + mean**2)
            squares += sum(w * (one[k] - one[0] - mean) ** 2 for w, one in zip(weights, self.scores, strict=True))
            found.append(mean - DOUBT * math.sqrt(squares) / total)
        return tuple(found)

    @property
    def leader(self) -> Expert:
        """The expert that answers; ties go to the earlier one."""
        found = self.sure_gains
        return EXPERTS[found.index(max(found))]

    @property
    def share(self) -> float:
        """Share of the leading expert."""
        return self.leader.share

    def mean(self, expert: Expert) -> float:
        """Plain mean score of an expert; nan without objects."""
        k = EXPERTS.index(expert)
        return sum(one[k] for one in self.scores) / len(self.scores) if self.scores else math.nan

    def text(self) -> str:
        """Text to store beside the weights; `Evidence.read` restores it exactly."""
        return json.dumps(self.scores)

    @staticmethod
    def read(text: str) -> Evidence:
        """The evidence stored in `text`. Other text gives no evidence; the weights then answer at full share."""
        try:
            rows = [tuple(float(value) for value in row) for row in json.loads(text)]
        except (ValueError, TypeError, OverflowError):
            return Evidence()
        found = Evidence()
        for row in rows:
            if len(row) in (len(EXPERTS) - 1, len(EXPERTS)):
                found = found.add(row)
        return found


def interpolated(original: Tensors, learned: Tensors, share: float) -> Tensors:
    """Weights that lie `share` of the way from the original to the learned ones; the original's task prompt is zero."""
    if share in (0.0, 1.0):
        return learned if share else original
    between = {name: tensor.lerp(learned[name], share) for name, tensor in original.items()}
    return {**between, TASK: learned[TASK] * share} if TASK in learned else between


def expert_weights(original: Tensors, careful: Tensors, bold: Tensors | None, expert: Expert) -> Tensors:
    """The decoder weights of an expert; without a bold learner the careful one takes its place."""
    if expert.bold and bold is not None:
        return bold
    return interpolated(original, careful, expert.share)


def scored(
    model: SamModel,
    learned: Tensors,
    item: Remembered,
    *,
    bold: Tensors | None = None,
    fits: bool = True,
    looks: Sequence[Look] = (),
) -> Generator[float, None, tuple[Scores, Scores]]:
    """The experts' scores on an object that was not learned from: after the first click, and after later ones.

    Answers are those that a user would get. With `fits`, errors move the threshold. Experts that learned are also shown
    `looks`. The generator yields 0 after each expert, because a test is no share of the learning.
    """
    first, later = [], []
    for expert in EXPERTS:
        if expert.bold and bold is None:
            continue
        tensors, shown = expert_weights(model.frozen.tensors, learned, bold, expert), looks if expert.share else ()
        values = trajectory(model, tensors, item, GUARD_CLICKS, fits=fits, looks=shown)
        rest = values[LATER_FROM - 1 :]
        first.append(values[0] if values else math.nan)
        later.append(sum(rest) / len(rest) if rest else math.nan)
        yield 0.0
    return tuple(first), tuple(later)


ON_LAST_ONE = "{fit:.1f} % fit on the last 1 object, the original {original:.1f} %"
ON_LAST = "{fit:.1f} % fit on the last {number} objects, the original {original:.1f} %"
SHARE_WORDS = {0.0: "the original", 0.5: "half of it", 1.0: "all of it"}
"""What answers, by its share of what was learned."""


def verdict(first: Evidence, later: Evidence) -> Verdict:
    """The verdict in words and figures (means of first and later clicks).

    What was learned is published at the leaders' shares.
    """
    count, leaders = len(first.scores), (first.leader, later.leader)
    if not count:
        return Verdict(True, "Held back: the next object is the first test", math.nan, math.nan, math.nan)
    learned, frozen = ((first.mean(expert) + later.mean(expert)) / 2 for expert in (ALL_LEARNED, ORIGINAL))
    answers = (first.mean(leaders[0]) + later.mean(leaders[1])) / 2
    on = Phrase(ON_LAST_ONE if count == 1 else ON_LAST, fit=100 * answers, number=count, original=100 * frozen)
    if leaders == (ORIGINAL, ORIGINAL):
        reason = Phrase("Held back: the original answers ({on}, learned {learned:.1f} %)", on=on, learned=100 * learned)
    elif all(leader.share == 1 for leader in leaders):
        reason = Phrase("Kept: {on}", on=on)
    else:
        shares = Phrase(SHARE_WORDS[first.share]), Phrase(SHARE_WORDS[later.share])
        reason = Phrase(
            "Kept in part: {first} answers first clicks, {later} later ones ({on})",
            first=shares[0],
            later=shares[1],
            on=on,
        )
    return Verdict(True, reason, learned, answers, frozen, count)
