"""Estimates and their bootstrap intervals, against hand-worked cases and known distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samtta_app.bench.report.intervals import (
    NO_ESTIMATE,
    RESAMPLES,
    Estimate,
    average,
    combined,
    estimate_difference,
    means,
    quantiles,
    reduction,
    resampled,
)

ORDERS = np.array([3, 3, 3, 8, 8])


def constant(value: float) -> Estimate:
    return Estimate(value, np.full(RESAMPLES, value))


def test_a_resample_draws_whole_numbers_of_orders_and_in_each_as_many_objects_as_it_has() -> None:
    weights = resampled(ORDERS, "cells")
    assert weights.shape == (RESAMPLES, 5)
    threes, eights = weights[:, :3].sum(1), weights[:, 3:].sum(1)
    assert set(zip(threes, eights, strict=True)) == {(6, 0), (3, 2), (0, 4)}
    assert np.isclose((threes == 3).mean(), 0.5, atol=0.05)


def test_the_same_words_give_the_same_resamples_and_others_give_others() -> None:
    assert np.array_equal(resampled(ORDERS, "cells"), resampled(ORDERS, "cells"))
    assert not np.array_equal(resampled(ORDERS, "cells"), resampled(ORDERS, "wounds"))


def test_weights_that_runs_share_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        resampled(ORDERS, "cells")[0, 0] = 7


def test_a_mean_without_spread_has_an_interval_without_width() -> None:
    (found,) = means(np.full((5, 1), 0.4), resampled(ORDERS, "s"))
    assert found.value == pytest.approx(0.4)
    assert found.interval == (pytest.approx(0.4), pytest.approx(0.4))


def test_the_interval_of_a_rate_in_one_order_is_that_of_the_binomial() -> None:
    """100 objects, 30 failures: 1.96 standard errors are 9.0 points."""
    values = np.array([1.0] * 30 + [0.0] * 70)[:, None]
    (found,) = means(values, resampled(np.zeros(100, np.int64), "s"))
    low, high = found.interval
    assert found.value == pytest.approx(0.3)
    assert low == pytest.approx(0.21, abs=0.015)
    assert high == pytest.approx(0.39, abs=0.015)


def test_orders_that_differ_as_a_whole_widen_the_interval() -> None:
    """Four orders, two all failed and two all solved: resampling objects alone would give about .40 to .60."""
    values = np.repeat([1.0, 1.0, 0.0, 0.0], 25)[:, None]
    (found,) = means(values, resampled(np.repeat(np.arange(4), 25), "s"))
    low, high = found.interval
    assert (low, high) == (pytest.approx(0.0, abs=0.01), pytest.approx(1.0, abs=0.01))


def test_a_mean_of_no_objects_is_nothing() -> None:
    assert means(np.zeros((0, 2)), np.zeros((RESAMPLES, 0))) == [NO_ESTIMATE, NO_ESTIMATE]
    assert all(math.isnan(bound) for bound in NO_ESTIMATE.interval)


def test_resamples_that_miss_a_part_of_the_stream_are_left_out_of_its_interval() -> None:
    weights = resampled(np.array([0, 1]), "s")
    (found,) = means(np.array([[0.2]]), weights[:, :1])
    assert np.isnan(found.draws).any()
    assert found.interval == (pytest.approx(0.2), pytest.approx(0.2))


def test_quantiles_take_the_nearest_rank_and_draw_a_value_with_its_object() -> None:
    values, owners = np.array([30.0, 10.0, 20.0, 40.0]), np.array([1, 0, 0, 1])
    weights = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    median, high = quantiles(values, owners, (0.5, 0.95), weights)
    assert (median.value, high.value) == (20.0, 40.0)
    assert median.draws[:3].tolist() == [20.0, 10.0, 30.0]
    assert high.draws[:3].tolist() == [40.0, 20.0, 40.0]
    assert math.isnan(median.draws[3])


def test_quantiles_of_many_values_have_intervals_around_the_value() -> None:
    values = np.random.default_rng(1).permutation(np.arange(5000.0))
    owners = np.arange(5000) // 10
    median, high = quantiles(values, owners, (0.5, 0.95), resampled(np.arange(500) // 100, "s"))
    for found, true in ((median, 2500), (high, 4750)):
        low, top = found.interval
        assert found.value == pytest.approx(true, abs=1)
        assert true - 200 < low < true < top < true + 200


def test_quantiles_of_nothing_are_nothing() -> None:
    assert quantiles(np.zeros(0), np.zeros(0, np.int64), (0.5,), np.ones((RESAMPLES, 3))) == [NO_ESTIMATE]


@pytest.mark.parametrize(("before", "after", "value"), [(0.5, 0.25, 0.5), (0.5, 0.75, -0.5), (0.2, 0.2, 0.0)])
def test_a_reduction_is_relative_and_negative_when_it_got_worse(before: float, after: float, value: float) -> None:
    assert reduction(constant(before), constant(after)).value == pytest.approx(value)
    assert estimate_difference(constant(before), constant(after)).value == pytest.approx(after - before)


def test_there_is_no_reduction_of_nothing() -> None:
    found = reduction(constant(0.0), constant(0.1))
    assert math.isnan(found.value)
    assert math.isnan(found.interval[0])


def test_paired_sides_share_their_resamples_so_that_an_equal_gain_has_no_width() -> None:
    values = np.random.default_rng(0).integers(3, 9, 60).astype(float)
    before, after = means(np.stack([values, values - 2], 1), resampled(np.arange(60) // 20, "s"))
    assert before.interval[1] - before.interval[0] > 0.5
    assert estimate_difference(before, after).interval == (pytest.approx(-2), pytest.approx(-2))


def test_an_average_leaves_out_what_is_not_defined() -> None:
    found = average([constant(0.2), constant(0.4), NO_ESTIMATE])
    assert found.value == pytest.approx(0.3)
    assert found.interval == (pytest.approx(0.3), pytest.approx(0.3))
    assert math.isnan(average([NO_ESTIMATE, NO_ESTIMATE]).value)
    assert average([]) is NO_ESTIMATE


def test_a_combination_is_of_the_values_and_of_each_resample() -> None:
    one = Estimate(1.0, np.arange(RESAMPLES, dtype=float))
    found = combined(lambda a, b: a - 2 * b, one, constant(3.0))
    assert found.value == -5
    assert np.array_equal(found.draws, np.arange(RESAMPLES) - 6)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1)), min_size=1, max_size=12))
def test_every_resampled_mean_lies_among_the_values(objects: list[tuple[int, float]]) -> None:
    orders, values = np.array([o for o, _ in objects]), np.array([v for _, v in objects])
    (found,) = means(values[:, None], resampled(orders, "s"))
    assert np.nanmin(found.draws) >= values.min() - 1e-9
    assert np.nanmax(found.draws) <= values.max() + 1e-9
