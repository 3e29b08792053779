"""Comparisons object by object: with the frozen twin, between strategies, and of chains with a fresh start."""

from __future__ import annotations

import math

import pytest

from samtta_app.bench.click_rows import ClickRow
from samtta_app.bench.report.comparisons import beside, chains, compare, comparisons, mean_comparisons, unfinished
from samtta_app.bench.report.figures import MEAN, PARTS, runs
from tests.unit.bench.recorded import FAILED, clicks, key, only, solved, stream


def both(before: list[list[float]], after: list[list[float]], **what: str) -> list[ClickRow]:
    strategy = what.pop("strategy", "samtta")
    return [*stream(before, strategy="frozen", **what), *stream(after, strategy=strategy, **what)]


def test_reductions_and_outcomes_by_hand() -> None:
    (found,) = comparisons(
        runs(both([FAILED, solved(4), solved(2), FAILED], [solved(2), solved(4), solved(3), FAILED]))
    )
    noc, fr = found.whole["noc"], found.whole["fr"]
    assert (noc.before.value, noc.after.value) == (4.0, 3.5)
    assert noc.reduction.value == pytest.approx(0.125)
    assert (fr.before.value, fr.after.value, fr.reduction.value, fr.difference.value) == (0.5, 0.25, 0.5, -0.25)
    assert [found.outcomes[name].value for name in ("fewer", "equal", "more")] == [0.25, 0.5, 0.25]
    assert (found.objects, found.unpaired) == (4, 0)


def test_nothing_to_reduce_is_no_reduction_but_a_difference() -> None:
    (found,) = comparisons(runs(both([solved(1)], [FAILED])))
    assert math.isnan(found.whole["fr"].reduction.value)
    assert found.whole["fr"].difference.value == 1.0
    assert found.whole["noc"].reduction.value == -4


def test_only_objects_at_the_same_place_of_the_same_order_are_pairs() -> None:
    frozen = [*clicks(solved(5), 0), *clicks(solved(5), 1), *clicks(solved(5), 2, image="other"), *clicks(solved(5), 3)]
    adapted = [
        *clicks(solved(1), 0),
        *clicks(solved(1), 1, order=1),
        *clicks(solved(1), 2),
        *clicks(solved(1), 3, number=9),
    ]
    found = compare(only(frozen), only(adapted))
    assert found
    assert (found.objects, found.unpaired) == (1, 6)
    assert found.whole["noc"].before.value == 5


def test_runs_without_a_common_object_are_not_compared_and_are_listed() -> None:
    every = runs([*clicks(solved(1), 0, strategy="frozen"), *clicks(solved(1), 1)])
    assert comparisons(every) == ()
    assert set(unfinished(every, ())) == {key(), key(strategy="frozen")}


def test_a_twin_is_of_the_same_goal_clicker_and_feedback() -> None:
    every = runs(
        [
            *stream([solved(1)], strategy="frozen", goal="5@90"),
            *stream([solved(1)], strategy="frozen", clicker="schoen"),
            *stream([solved(1)], strategy="frozen", feedback="binary"),
            *stream([solved(1)]),
        ]
    )
    assert comparisons(every) == ()
    assert len(unfinished(every, ())) == 4


def test_what_is_compared_is_not_listed_as_unfinished() -> None:
    every = runs([*both([solved(2)], [solved(1)]), *stream([solved(1)], name="wounds")])
    assert unfinished(every, comparisons(every)) == (key("wounds"),)


def test_parts_of_the_stream_are_compared_by_themselves() -> None:
    before = [solved(4)] * 6
    after = [solved(4)] * 2 + [solved(2)] * 2 + [solved(1)] * 2
    (found,) = comparisons(runs(both(before, after)))
    assert [found.parts[name]["noc"].reduction.value for name in PARTS[1:4]] == [0, 0.5, 0.75]
    assert found.parts["first 20"]["noc"].after.value == pytest.approx(14 / 6)


def test_the_mean_of_reductions_is_not_the_reduction_of_the_mean() -> None:
    records = [*both([solved(5)], [solved(1)]), *both([solved(2)], [solved(2)], name="wounds")]
    (mean,) = mean_comparisons(comparisons(runs(records)))
    assert mean.key == key(MEAN)
    assert mean.whole["noc"].reduction.value == pytest.approx((0.8 + 0) / 2)
    assert (mean.whole["noc"].before.value, mean.whole["noc"].after.value) == (3.5, 1.5)


def test_a_set_in_which_frozen_never_fails_is_left_out_of_the_mean_reduction_only() -> None:
    records = [*both([FAILED, FAILED], [FAILED, solved(1)]), *both([solved(1)], [solved(1)], name="wounds")]
    (mean,) = mean_comparisons(comparisons(runs(records)))
    assert mean.whole["fr"].reduction.value == 0.5
    assert mean.whole["fr"].difference.value == -0.25


def test_strategies_stand_beside_each_other_on_the_sets_that_both_ran() -> None:
    records = [
        *both([solved(4)], [solved(1)]),
        *stream([solved(3)], strategy="schoen2024"),
        *both([solved(4)], [solved(4)], name="wounds"),
    ]
    compared = comparisons(runs(records))
    (own, theirs), (self_own, self_theirs) = beside(compared, "schoen2024")
    assert own.sets == ("cells",)
    assert own.whole["noc"].reduction.value == 0.75
    assert theirs
    assert theirs.whole["noc"].reduction.value == 0.25
    assert self_theirs
    assert self_own.key == self_theirs.key


def test_without_the_other_strategy_a_mean_stands_alone_over_all_sets() -> None:
    records = [*both([solved(4)], [solved(1)]), *both([solved(4)], [solved(4)], name="wounds")]
    ((own, theirs),) = beside(comparisons(runs(records)), "schoen2024")
    assert theirs is None
    assert own.sets == ("cells", "wounds")


def test_the_second_half_of_a_chain_is_paired_with_a_fresh_run_by_object_not_by_position() -> None:
    chain = [
        *clicks(solved(1), 0, name="a>b", image="x", number=1),
        *clicks(solved(1), 1, name="a>b", image="y", number=1),
        *clicks(solved(2), 2, name="a>b", image="im", number=7),
        *clicks(solved(3), 3, name="a>b", image="im", number=8),
    ]
    fresh = [
        *clicks(solved(5), 0, name="b", number=8),
        *clicks(solved(4), 1, name="b", number=7),
        *clicks(solved(5), 2, name="b", image="x", number=1),
    ]
    (found,) = chains(runs([*chain, *fresh]))
    assert (found.key, found.objects) == (key("a>b"), 2)
    assert (found.figures["noc"].before.value, found.figures["noc"].after.value) == (4.5, 2.5)


def test_a_chain_of_three_is_measured_in_its_last_third() -> None:
    chain = [record for k in range(6) for record in clicks(solved(1), k, name="a>b>c")]
    (found,) = chains(runs([*chain, *stream([solved(2)] * 6, name="c")]))
    assert found.objects == 2


@pytest.mark.parametrize("what", [{"strategy": "lit-lora"}, {"goal": "5@90"}, {"order": 3}, {"name": "a"}])
def test_a_chain_without_the_same_run_of_its_last_set_is_not_measured(what: dict[str, object]) -> None:
    fresh = clicks(solved(1), 1, **{"name": "b", **what})  # type: ignore[arg-type]
    assert chains(runs([*stream([solved(1)] * 2, name="a>b"), *fresh])) == ()


def test_the_frozen_twin_of_a_chain_needs_no_fresh_start() -> None:
    records = [
        *stream([solved(1)] * 2, name="a>b", strategy="frozen"),
        *clicks(solved(1), 1, name="b", strategy="frozen"),
    ]
    assert chains(runs(records)) == ()
