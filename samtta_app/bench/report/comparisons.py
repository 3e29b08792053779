"""Comparisons: adapted with frozen, object by object; strategies with each other; chains with a fresh start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from samtta_app.bench.report.figures import (
    CHAIN,
    MEAN,
    PARTS,
    BenchRun,
    Booleans,
    RunKey,
    is_single,
    part,
    per_object,
    rows_by_key,
    weights_of,
)
from samtta_app.bench.report.intervals import Estimate, Floats, average, estimate_difference, means, reduction
from samtta_app.simulation.engines import FROZEN

COMPARED = ("noc", "fr", "fr_ritm", "noc_20@90", "iou@1")


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """One figure on the same objects before (frozen, or fresh) and after (adapted, or chained).

    `reduction` is the relative decrease of `before`, nan for 0 / 0. `estimate_difference` is after minus before.
    """

    before: Estimate
    after: Estimate
    reduction: Estimate
    difference: Estimate

    @classmethod
    def of(cls, before: Estimate, after: Estimate) -> Paired:
        """Both sides from the same resamples."""
        return cls(before, after, reduction(before, after), estimate_difference(before, after))

    @classmethod
    def mean(cls, members: Sequence[Paired]) -> Paired:
        """Each field averaged; `reduction` is the mean of the sets' reductions, not the reduction of the means."""
        return cls(
            average([m.before for m in members]),
            average([m.after for m in members]),
            average([m.reduction for m in members]),
            average([m.difference for m in members]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A strategy against its twin on their common objects, or the mean over several `sets`.

    `parts` has, for each part of the stream, figures by name (`COMPARED`). `outcomes` are the shares of objects that
    take "fewer", "equal" or "more" clicks; a failure counts as the limit. `unpaired` counts objects found on one side
    only.
    """

    key: RunKey
    sets: tuple[str, ...]
    objects: int
    unpaired: int
    parts: Mapping[str, Mapping[str, Paired]]
    outcomes: Mapping[str, Estimate]

    @property
    def whole(self) -> Mapping[str, Paired]:
        """The figures of the whole stream."""
        return self.parts[PARTS[0]]


@dataclass(frozen=True, slots=True, eq=False)
class Chained:
    """The second half of a chain "a>b" beside a fresh run of "b", on the same objects and orders."""

    key: RunKey
    objects: int
    figures: Mapping[str, Paired]


def compare(frozen: BenchRun, adapted: BenchRun) -> Comparison | None:
    """Both runs paired by order, position, image and object; None when they share no object."""
    rows = {place: row for row, place in enumerate(frozen.places)}
    shared = [(rows[place], row) for row, place in enumerate(adapted.places) if place in rows]
    if not shared:
        return None
    before, after = (
        rows_by_key(run, chosen) for run, chosen in zip((frozen, adapted), zip(*shared, strict=True), strict=True)
    )
    weights = weights_of(after)
    parts = {name: _paired(before, after, weights, part(after, name)) for name in PARTS}
    less = per_object(before)["noc"] - per_object(after)["noc"]
    shares = np.stack([less > 0, less == 0, less < 0], 1).astype(float)
    unpaired = len(frozen.places) + len(adapted.places) - 2 * len(shared)
    outcomes = dict(zip(("fewer", "equal", "more"), means(shares, weights), strict=True))
    return Comparison(adapted.key, (adapted.key.set,), len(shared), unpaired, parts, outcomes)


def _paired(before: BenchRun, after: BenchRun, weights: Floats, chosen: Booleans) -> dict[str, Paired]:
    sides = []
    for run in (before, after):
        values = {name: each for name, each in per_object(run).items() if name in COMPARED}
        estimates = means(np.stack(list(values.values()), 1)[chosen], weights[:, chosen])
        sides.append(dict(zip(values, estimates, strict=True)))
    return {name: Paired.of(sides[0][name], sides[1][name]) for name in sides[0]}


def comparisons(every: Mapping[RunKey, BenchRun]) -> tuple[Comparison, ...]:
    """Every strategy with a frozen twin, against that twin."""
    found = (
        compare(every[key._replace(strategy=FROZEN)], run)
        for key, run in every.items()
        if key.strategy != FROZEN and key._replace(strategy=FROZEN) in every
    )
    return tuple(each for each in found if each)


def unfinished(every: Iterable[RunKey], compared: Iterable[Comparison]) -> tuple[RunKey, ...]:
    """Strategies without a twin, and twins without a strategy."""
    done = {c.key for c in compared}
    done |= {key._replace(strategy=FROZEN) for key in done}
    return tuple(key for key in every if key not in done)


def mean_comparisons(every: Sequence[Comparison], within: set[str] | None = None) -> tuple[Comparison, ...]:
    """Unweighted means over the sets (those in `within`) with otherwise the same key; chains and mixtures have none.

    With a single set, the mean is that set's own comparison under the name of the mean.
    """
    groups: dict[RunKey, list[Comparison]] = defaultdict(list)
    for each in every:
        if is_single(each.key.set) and (within is None or each.key.set in within):
            groups[each.key._replace(set=MEAN)].append(each)
    return tuple(_mean(key, members) for key, members in groups.items())


def _mean(key: RunKey, members: Sequence[Comparison]) -> Comparison:
    return Comparison(
        *(key, tuple(m.key.set for m in members), sum(m.objects for m in members), sum(m.unpaired for m in members)),
        parts={
            name: {f: Paired.mean([m.parts[name][f] for m in members]) for f in members[0].parts[name]}
            for name in PARTS
        },
        outcomes={name: average([m.outcomes[name] for m in members]) for name in members[0].outcomes},
    )


def beside(every: Sequence[Comparison], strategy: str) -> tuple[tuple[Comparison, Comparison | None], ...]:
    """Every strategy's mean over sets, beside that of `strategy` in the same runs, over their common sets.

    If `strategy` was not run, or only on other sets, the second value is None and the mean is over all sets.
    """
    found: list[tuple[Comparison, Comparison | None]] = []
    for own in mean_comparisons(every):
        theirs = own.key._replace(strategy=strategy)
        common = {c.key.set for c in every if c.key._replace(set=MEAN) == theirs} & set(own.sets)
        by_key = {c.key: c for c in mean_comparisons(every, common)}
        found.append((by_key[own.key], by_key[theirs]) if common else (own, None))
    return tuple(found)


def chains(every: Mapping[RunKey, BenchRun]) -> tuple[Chained, ...]:
    """The second halves of the chains "a>b" whose strategy also ran "b" alone, paired by order, image, object."""
    found = []
    for key, run in every.items():
        fresh = every.get(key._replace(set=key.set.rpartition(CHAIN)[2])) if CHAIN in key.set else None
        if fresh is None or key.strategy == FROZEN:
            continue
        rows = {(p.order, p.image, p.object): row for row, p in enumerate(fresh.places)}
        sets = key.set.count(CHAIN) + 1
        start = (max(p.position for p in run.places) + 1) * (sets - 1) / sets
        shared = [
            (rows[p.order, p.image, p.object], row)
            for row, p in enumerate(run.places)
            if p.position >= start and (p.order, p.image, p.object) in rows
        ]
        if shared:
            before, after = (rows_by_key(r, c) for r, c in zip((fresh, run), zip(*shared, strict=True), strict=True))
            whole = np.ones(len(shared), bool)
            found.append(Chained(key, len(shared), _paired(before, after, weights_of(after), whole)))
    return tuple(found)
