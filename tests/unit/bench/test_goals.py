"""The goals: met, missed, or not measured, each from records that were worked out by hand."""

from __future__ import annotations

import pytest

from samtta_app.bench.click_rows import ClickRow
from samtta_app.bench.report.goals import GoalCheck, goals
from tests.unit.bench.recorded import clicks, solved, stream

EASY, STRICT = "20@85", "30@90"
LOST = [0.5] * 20


def checks(records: list[ClickRow], goal: str = EASY) -> dict[str, GoalCheck]:
    return {check.kind: check for check in goals(records) if check.goal == goal}


def failing(count: int, of: int = 10, **what: str) -> list[ClickRow]:
    """A stream in which the first `count` objects fail."""
    return stream([LOST] * count + [solved(2)] * (of - count), **{"goal": EASY, **what})


def test_every_goal_is_there_for_both_runs_and_unmeasured_without_a_twin() -> None:
    found = goals(failing(2))
    assert [(c.goal, c.kind) for c in found if c.kind == "noc"] == [(STRICT, "noc")]
    assert len(found) == 15
    assert {c.verdict for c in found} == {"not measured"}
    assert all(c.reached is None and c.note for c in found)


@pytest.mark.parametrize(("after", "reached", "met"), [(2, 0.5, "yes"), (3, 0.25, "no"), (5, -0.25, "no")])
def test_the_reduction_of_failures_is_met_from_one_half_on(after: int, reached: float, met: str) -> None:
    check = checks([*failing(4, strategy="frozen"), *failing(after)])["fr"]
    assert check.reached
    assert check.reached.value == pytest.approx(reached)
    assert check.verdict == met


def test_the_mean_reduction_gives_every_set_the_same_weight_and_names_them() -> None:
    records = [*failing(4, strategy="frozen"), *failing(0)]
    records += [*failing(5, strategy="frozen", name="wounds"), *failing(4, name="wounds")]
    check = checks(records)["fr"]
    assert check.reached
    assert check.reached.value == pytest.approx((1.0 + 0.2) / 2)
    assert "cells, wounds" in check.note
    assert "+55.6 %" in check.note  # (9 - 4) / 9


def test_chains_and_mixtures_do_not_enter_the_goals_of_sets() -> None:
    records = [*failing(4, strategy="frozen"), *failing(0)]
    records += [*failing(4, strategy="frozen", name="a+b"), *failing(9, name="a+b")]
    records += [*failing(4, strategy="frozen", name="a>b"), *failing(9, name="a>b")]
    found = checks(records)
    assert found["fr"].met
    assert found["worst"].met


def test_each_model_has_goals_of_its_own() -> None:
    records = [*failing(4, strategy="frozen", model="a"), *failing(2, model="a")]
    records += [*failing(4, strategy="frozen", model="b"), *failing(3, model="b")]
    found = {c.model: c for c in goals(records) if (c.goal, c.kind) == (EASY, "fr")}
    assert {model: c.verdict for model, c in found.items()} == {"a": "yes", "b": "no"}
    assert found["a"].reached
    assert found["a"].reached.value == pytest.approx(0.5)


def test_frozen_that_never_fails_leaves_nothing_to_measure() -> None:
    check = checks([*failing(0, strategy="frozen"), *failing(0)])["fr"]
    assert check.verdict == "not measured"
    assert "never failed" in check.note


def test_the_worst_set_is_judged_by_the_upper_end_of_its_interval() -> None:
    good = [*failing(5, strategy="frozen"), *failing(0)]
    check = checks([*good, *failing(0, strategy="frozen", name="w"), *failing(0, name="w")])["worst"]
    assert (check.note, check.verdict, check.unit) == ("w", "yes", "points")
    check = checks([*good, *failing(0, strategy="frozen", name="w"), *failing(1, name="w")])["worst"]
    assert check.reached
    assert check.reached.value == pytest.approx(0.1)
    assert check.verdict == "no"


def test_a_difference_around_nothing_misses_the_worst_set_for_want_of_objects() -> None:
    """One object better and one worse in ten: the mean is 0, its interval reaches far beyond one point."""
    swapped = stream([solved(2), LOST] + [solved(2)] * 8, goal=EASY)
    check = checks([*failing(1, strategy="frozen"), *swapped])["worst"]
    assert check.reached
    assert check.reached.value == pytest.approx(0)
    assert check.verdict == "no"


@pytest.mark.parametrize(
    ("theirs", "beyond", "met"), [(8, 0.2, "yes"), (7, 0.0, "yes"), (6, -0.2, "no"), (12, 1.0, "yes")]
)
def test_twice_the_reduction_of_the_seed(theirs: int, beyond: float, met: str) -> None:
    """Ours reduces 10 failures of 20 to 4, by .6."""
    records = [*failing(10, 20, strategy="frozen"), *failing(4, 20), *failing(theirs, 20, strategy="schoen2024")]
    check = checks(records)["seed"]
    assert check.reached
    assert check.reached.value == pytest.approx(beyond, abs=1e-9)
    assert check.verdict == met


def test_worse_than_frozen_does_not_beat_an_even_worse_seed() -> None:
    records = [*failing(4, strategy="frozen"), *failing(5), *failing(9, strategy="schoen2024")]
    assert checks(records)["seed"].verdict == "no"


def test_the_first_twenty_objects_are_judged_by_their_clicks_alone() -> None:
    before = stream([solved(4)] * 30, goal=EASY, strategy="frozen")
    late = stream([solved(4)] * 20 + [solved(1)] * 10, goal=EASY)
    early = stream([solved(3)] * 20 + [solved(4)] * 10, goal=EASY)
    assert checks([*before, *late])["first"].verdict == "no"
    check = checks([*before, *early])["first"]
    assert check.reached
    assert (check.reached.value, check.verdict) == (0.25, "yes")


def test_clicks_to_ninety_come_from_the_strict_run() -> None:
    before = stream([solved(8)] * 3, goal=STRICT, strategy="frozen")
    check = checks([*before, *stream([solved(6)] * 3, goal=STRICT)], STRICT)["noc"]
    assert check.reached
    assert (check.reached.value, check.verdict) == (0.25, "yes")


@pytest.mark.parametrize(("clicker", "kind", "after"), [("realistic", "realistic", 6), ("careless10", "careless", 7)])
def test_other_clickers_have_limits_of_their_own(clicker: str, kind: str, after: int) -> None:
    before = failing(10, 20, strategy="frozen", clicker=clicker)
    assert checks([*before, *failing(after, 20, clicker=clicker)])[kind].verdict == "yes"
    found = checks([*before, *failing(after + 1, 20, clicker=clicker)])
    assert found[kind].verdict == "no"
    assert found["fr"].verdict == "not measured"


def test_a_chain_is_met_when_it_takes_no_more_clicks_than_a_fresh_start() -> None:
    fresh = stream([solved(3), solved(3)], name="b", goal=EASY)
    for at, verdict in ((3, "yes"), (2, "yes"), (4, "no")):
        chain = stream([solved(1)] * 2, name="a>b", goal=EASY, image="other")
        chain += [r for k in (0, 1) for r in clicks(solved(at), 2 + k, name="a>b", goal=EASY, number=k)]
        check = checks([*fresh, *chain])["chain"]
        assert check.reached
        assert (check.reached.value, check.unit, check.verdict) == (at - 3, "clicks", verdict)


def test_another_strategy_and_binary_feedback_are_not_ours() -> None:
    records = [*failing(4, strategy="frozen"), *failing(0, strategy="lit-lora")]
    records += [*failing(4, strategy="frozen", feedback="binary"), *failing(0, feedback="binary")]
    assert checks(records)["fr"].verdict == "not measured"
    (check,) = (c for c in goals(records, "lit-lora") if (c.goal, c.kind) == (EASY, "fr"))
    assert check.met
