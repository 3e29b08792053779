"""The goals of adaptation, and whether records show that they are met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from samtta_app.bench.click_rows import ClickRow
from samtta_app.bench.report.comparisons import (
    Chained,
    Comparison,
    Paired,
    beside,
    chains,
    comparisons,
    mean_comparisons,
)
from samtta_app.bench.report.figures import FIRST, PARTS, RunKey, is_single, runs
from samtta_app.bench.report.intervals import Estimate, average, combined, reduction

OURS = "samtta"
SEED = "schoen2024"
"""The strategy that samtta is compared with."""

GOALS = ("20@85", "30@90")
_USUAL, _REALISTIC, _CARELESS = "ritm", "realistic", "careless10"
_FEEDBACK = "logits"
_ROUNDING = 1e-9

_Kind = Literal["fr", "worst", "seed", "first", "noc", "realistic", "careless", "chain"]

LIMITS: Mapping[_Kind, tuple[str, float]] = {
    "fr": ("Relative reduction of FR, mean of sets", 0.50),
    "worst": ("Worst set: upper end of FR adapted - FR frozen", 0.01),
    "seed": (f"Relative reduction of FR beyond {{factor:g}} times that of {SEED}", 2.0),
    "first": (f"Relative reduction of NoC in the first {FIRST} objects", 0.0),
    "noc": ("Relative reduction of NoC_20@90, mean of sets", 0.25),
    "realistic": ("Relative reduction of FR with realistic clicks", 0.40),
    "careless": ("Relative reduction of FR with 10 % careless clicks", 0.30),
    "chain": ("Second half of a chain: NoC - NoC of a fresh start", 0.0),
}
"""Every goal in words, and its limit: shares are 0 .. 1, NoC in clicks, "seed" a factor."""


@dataclass(frozen=True, slots=True, eq=False)
class GoalCheck:
    """One goal for one goal of the run ("20@85"): the value reached, and whether it is enough.

    `reached` and `met` are None where nothing was measured. `unit` is the unit of the text; a share (0 .. 1) is shown
    in percent or points. `needed` is the limit in words. `note` names the sets and adds remarks. `model` is that of the
    records.
    """

    kind: _Kind
    goal: str
    words: str
    needed: str
    reached: Estimate | None
    met: bool | None
    note: str
    unit: Literal["%", "points", "clicks"] = "%"
    model: str = ""

    @property
    def verdict(self) -> str:
        """Met or not, in words."""
        return "not measured" if self.met is None else "yes" if self.met else "no"


def goals(records: Iterable[ClickRow], strategy: str = OURS) -> tuple[GoalCheck, ...]:
    """Every goal as far as the records show it; means are over all single sets of the records (see `is_single`).

    Raises:
        DatasetError: the records do not fit together.
    """
    every = runs(records)
    return check_goals(comparisons(every), chains(every), strategy)


def check_goals(
    compared: Sequence[Comparison], chained: Sequence[Chained], strategy: str = OURS
) -> tuple[GoalCheck, ...]:
    """Every goal for every model, from comparisons that are computed already."""
    models = dict.fromkeys([*(c.key.model for c in compared), *(c.key.model for c in chained)]) or {"": None}
    return tuple(
        replace(check, model=model)
        for model in models
        for goal in GOALS
        for check in _of_goal(
            *(goal, [c for c in compared if _counts(c.key) and c.key.model == model]),
            *([c for c in chained if c.key.model == model], strategy),
        )
    )


def _counts(key: RunKey) -> bool:
    return key.feedback == _FEEDBACK and is_single(key.set)


def _of_goal(
    goal: str, compared: Sequence[Comparison], chained: Sequence[Chained], strategy: str
) -> Iterator[GoalCheck]:
    here = [c for c in compared if c.key.goal == goal]
    usual = [c for c in here if c.key.clicker == _USUAL]
    ours = _mean(usual, strategy)
    yield _at_least("fr", goal, ours, "fr")
    yield _worst(goal, [c for c in usual if c.key.strategy == strategy])
    yield _beyond_seed(goal, usual, strategy)
    yield _at_least("first", goal, ours, "noc", PARTS[-1])
    if goal == GOALS[-1]:
        yield _at_least("noc", goal, ours, "noc_20@90")
    yield _at_least("realistic", goal, _mean([c for c in here if c.key.clicker == _REALISTIC], strategy), "fr")
    yield _at_least("careless", goal, _mean([c for c in here if c.key.clicker == _CARELESS], strategy), "fr")
    yield _chain(goal, [c for c in chained if c.key.strategy == strategy and c.key.goal == goal])


def _mean(compared: Sequence[Comparison], strategy: str) -> Comparison | None:
    return next((c for c in mean_comparisons(compared) if c.key.strategy == strategy), None)


def _unmeasured(kind: _Kind, goal: str, needed: str, why: str) -> GoalCheck:
    return GoalCheck(kind, goal, LIMITS[kind][0].format(factor=LIMITS[kind][1]), needed, None, None, why)


def _at_least(kind: _Kind, goal: str, mean: Comparison | None, figure: str, part: str = PARTS[0]) -> GoalCheck:
    """A mean relative reduction; a limit of 0 must be exceeded."""
    words, limit = LIMITS[kind]
    needed = f">= {100 * limit:.0f} %" if limit else "> 0 %"
    paired = mean.parts[part].get(figure) if mean else None
    if mean is None or paired is None:
        return _unmeasured(kind, goal, needed, "no such run with its frozen twin")
    value = paired.reduction.value
    if np.isnan(value):
        return _unmeasured(kind, goal, needed, "frozen never failed: nothing to reduce")
    met = value >= limit - _ROUNDING if limit else value > 0
    return GoalCheck(kind, goal, words, needed, paired.reduction, met, f"{_of_means(paired)}; {', '.join(mean.sets)}")


def _of_means(paired: Paired) -> str:
    whole = reduction(paired.before, paired.after).value
    return f"of the mean over sets: {100 * whole:+.1f} %"


def _worst(goal: str, members: Sequence[Comparison]) -> GoalCheck:
    words, limit = LIMITS["worst"]
    needed = f"<= {100 * limit:+.0f} point"
    if not members:
        return _unmeasured("worst", goal, needed, "no such run with its frozen twin")
    worst = max(members, key=lambda c: c.whole["fr"].difference.interval[1])
    reached = worst.whole["fr"].difference
    return GoalCheck(
        "worst", goal, words, needed, reached, reached.interval[1] <= limit + _ROUNDING, worst.key.set, "points"
    )


def _beyond_seed(goal: str, usual: Sequence[Comparison], strategy: str) -> GoalCheck:
    """Ours minus the factor times theirs, which is defined even where their reduction is zero or negative."""
    words, factor = LIMITS["seed"]
    needed = ">= 0 points, and better than frozen"
    both = next((pair for pair in beside(usual, SEED) if pair[0].key.strategy == strategy), None)
    if both is None or both[1] is None:
        return _unmeasured("seed", goal, needed, f"{SEED} was not run on the same sets")
    own, theirs = (each.whole["fr"].reduction for each in (both[0], both[1]))
    beyond = combined(lambda a, b: a - factor * b, own, theirs)
    if np.isnan(beyond.value):
        return _unmeasured("seed", goal, needed, "frozen never failed: nothing to reduce")
    note = f"{strategy} {100 * own.value:+.1f} %, {SEED} {100 * theirs.value:+.1f} %; {', '.join(both[0].sets)}"
    met = beyond.value >= -_ROUNDING and own.value > 0
    return GoalCheck("seed", goal, words.format(factor=factor), needed, beyond, met, note, "points")


def _chain(goal: str, members: Sequence[Chained]) -> GoalCheck:
    words, limit = LIMITS["chain"]
    needed = f"<= {limit:g} clicks"
    if not members:
        return _unmeasured("chain", goal, needed, "no chain with a fresh run of its second set")
    reached = average([m.figures["noc"].difference for m in members])
    note = ", ".join(m.key.set for m in members)
    return GoalCheck("chain", goal, words, needed, reached, reached.value <= limit + _ROUNDING, note, "clicks")
