"""Whether the interval of the comparison with control objects holds the true difference as often as it claims.

Sessions are simulated: a real draw divides the objects, and clicks and seconds come from known distributions, so the true
difference is known. No model is run. An interval that claims 95 % must hold the truth in about 95 of 100 sessions: more
often would mean that it is too wide.

The short form in the tests runs 200 sessions of each kind. A long one: `python -m tests.stress.control_sessions --count
4000`. With `--records DIR`, the clicks are those of a bench: each session draws its objects from a run of a real model, so
that the truth is the difference between its adapted and its frozen side.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import binom

from samtta_app.bench.click_rows import read_click_rows
from samtta_app.bench.report.figures import runs
from samtta_app.core.types import Click, ClickRecord, Window
from samtta_app.session.object_records import GivenUpObject, ObjectRecord
from samtta_app.session.project.control_draws import is_control
from samtta_app.session.state import ControlFigures
from samtta_app.session.statistics.control_groups import FAILED_CLICKS, INTERVAL_LEVEL, compare_groups, effort_of
from samtta_app.simulation.engines import FROZEN
from tests.stress.figures import Broken, counting, named, numbers, show

CHANCE = 0.01
"""So seldom may a check fail although all is well."""

STEP = ClickRecord(Click(1, 1, True), 0.0, 0.1, Window(0, 0, 9, 9), 0, math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Group:
    """What the objects of one group cost: mean of the clicks beyond the first, median seconds, and the share given up."""

    more_clicks: float
    seconds: float
    given_up: float

    def clicks(self) -> np.ndarray:
        """Probability of 1, 2, ... clicks until the accept: skewed, as in real sessions (negative binomial, cut off)."""
        shape = 1.5
        k = np.arange(FAILED_CLICKS)
        weights = np.array([math.gamma(shape + j) / math.factorial(j) for j in k])
        weights *= (self.more_clicks / (self.more_clicks + shape)) ** k
        return weights / weights.sum()

    @property
    def true_clicks(self) -> float:
        """Mean clicks per object, given-up ones counted as FAILED_CLICKS."""
        accepted = float(self.clicks() @ np.arange(1, FAILED_CLICKS + 1))
        return (1 - self.given_up) * accepted + self.given_up * FAILED_CLICKS

    @property
    def true_seconds(self) -> float:
        """Mean seconds per object (lognormal)."""
        return self.seconds * math.exp(SPREAD**2 / 2)


SPREAD = 0.7
"""Standard deviation of the logarithm of seconds: the slowest of ten objects takes six times as long as the fastest."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of session: so many objects, a share of control objects, and what both groups cost."""

    objects: int
    share: float
    learned: Group
    control: Group


KINDS: Mapping[str, Kind] = {
    "fewest": Kind(200, 0.1, Group(2.0, 6.0, 0.0), Group(4.0, 9.0, 0.0)),
    "study": Kind(400, 0.1, Group(2.0, 6.0, 0.02), Group(3.0, 8.0, 0.06)),
    "halves": Kind(120, 0.5, Group(2.0, 6.0, 0.0), Group(2.0, 6.0, 0.0)),
}
"""Learning saves much in a short session, saves little in a long one, and does nothing where both halves are alike."""


SECONDS_A_CLICK = 2.0
"""Median seconds that a click takes where clicks were recorded; a bench knows no seconds of users."""


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """Sessions of a bench's objects: clicks of the same objects on both sides, FAILED_CLICKS where they failed."""

    objects: int
    share: float
    learned: np.ndarray
    control: np.ndarray


def recorded(place: Path) -> dict[str, Recorded]:
    """One kind for every run that learned, by its name: 200 objects a session, a fifth of them control objects."""
    found = runs(read_click_rows([place]))
    kinds = {}
    for key, run in found.items():
        twin = found.get(key._replace(strategy=FROZEN))
        if key.strategy == FROZEN or twin is None:
            continue
        frozen = dict(zip(twin.places, _counted(twin.clicks), strict=True))
        sides = zip(run.places, _counted(run.clicks), strict=True)
        clicks = np.array([(mine, frozen[at]) for at, mine in sides if at in frozen])
        kinds[f"{key.set} {key.strategy} {key.goal}"] = Recorded(200, 0.2, clicks[:, 0], clicks[:, 1])
    return kinds


def _counted(clicks: np.ndarray) -> np.ndarray:
    """Clicks as the comparison counts them; 0 stands for an object that failed."""
    return np.where(clicks == 0, FAILED_CLICKS, np.minimum(clicks, FAILED_CLICKS))


def simulated(kind: Kind | Recorded, seed: int) -> ControlFigures:
    """The figures of one simulated session."""
    rng = np.random.default_rng([7, seed])
    if isinstance(kind, Recorded):
        chosen = rng.integers(0, len(kind.learned), kind.objects)
        clicks = [side[chosen] for side in (kind.learned, kind.control)]
        seconds = [SECONDS_A_CLICK * side for side in clicks]
        given_up = [side >= FAILED_CLICKS for side in clicks]
        slowness = np.exp(SPREAD * rng.standard_normal(kind.objects))
    else:
        groups = (kind.learned, kind.control)
        clicks = [1 + rng.choice(FAILED_CLICKS, kind.objects, p=group.clicks()) for group in groups]
        slowness = np.exp(SPREAD * rng.standard_normal(kind.objects))
        fate = rng.random(kind.objects)
        seconds = [np.full(kind.objects, group.seconds) for group in groups]
        given_up = [fate < group.given_up for group in groups]
    found: list[ObjectRecord | GivenUpObject] = []
    for k in range(kind.objects):
        control = is_control(seed, k + 1, kind.share)
        what, took = (k + 1, "a.png", "object"), float(seconds[control][k] * slowness[k])
        if given_up[control][k]:
            found.append(GivenUpObject(*what, "left", took, "", (STEP,), control=control))
        else:
            found.append(ObjectRecord(*what, "", took, 0, (STEP,) * int(clicks[control][k]), control=control))
    return compare_groups(effort for one in found if (effort := effort_of(one)) is not None)


def truth_of(kind: Kind | Recorded) -> dict[str, float]:
    """The true difference of clicks and of seconds."""
    if isinstance(kind, Recorded):
        clicks = float(kind.learned.mean() - kind.control.mean())
        return {"clicks": clicks, "seconds": clicks * SECONDS_A_CLICK * math.exp(SPREAD**2 / 2)}
    return {
        "clicks": kind.learned.true_clicks - kind.control.true_clicks,
        "seconds": kind.learned.true_seconds - kind.control.true_seconds,
    }


def held(figures: ControlFigures, kind: Kind | Recorded) -> dict[str, bool]:
    """Whether each interval that the session has holds the truth."""
    truth = truth_of(kind)
    found = {name: getattr(figures, name) for name in truth}
    return {name: one.low <= truth[name] <= one.high for name, one in found.items() if math.isfinite(one.low)}


def allowed(sessions: int) -> tuple[int, int]:
    """The fewest and the most sessions whose interval may hold the truth, if it does so with its own level."""
    low = binom.ppf(CHANCE, sessions, INTERVAL_LEVEL - SMALL_SAMPLES)
    return int(low), int(binom.ppf(1 - CHANCE, sessions, INTERVAL_LEVEL + SMALL_SAMPLES))


SMALL_SAMPLES = 0.01
"""What a bootstrap may miss with groups of a few dozen skewed values; FEWEST_FOR_CLICKS and FEWEST_FOR_SECONDS follow it."""


def main(words: list[str] | None = None) -> int:
    """Simulate, count, print; returns the exit code."""
    parser = counting(__doc__, "control_sessions", list(KINDS), 200 * len(KINDS))
    parser.add_argument("--records", type=Path, help="a folder of a bench, in place of the kinds")
    asked = parser.parse_args(words)
    kinds: Mapping[str, Kind | Recorded] = recorded(asked.records) if asked.records else KINDS
    names = asked.kind or list(kinds)
    outcomes: dict[tuple[str, str], list[bool]] = {(n, of): [] for n in names for of in ("clicks", "seconds")}
    for number in numbers(asked):
        name = names[number % len(names)]
        for of, holds in held(simulated(kinds[name], 1000 * asked.seed + number), kinds[name]).items():
            outcomes[name, of].append(holds)
    rows, broken = [], []
    for (name, of), found in outcomes.items():
        low, high = allowed(len(found)) if found else (0, 0)
        rows.append({"kind": name, "of": of, "sessions": len(found), "held": sum(found), "from": low, "to": high})
        if not low <= sum(found) <= high:
            what = f"{of}: the truth was held in {sum(found)} of {len(found)} sessions, not in {low} to {high}"
            broken.append(Broken(name, what, f"--seed {asked.seed} --count {asked.count}{named(asked.kind)}"))
    return show(f"Simulated sessions, seed {asked.seed}", rows, broken, asked.report)


if __name__ == "__main__":
    sys.exit(main())
