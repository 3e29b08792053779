"""Means of ratings and their intervals, against numbers worked out by hand and against simulated groups."""

from __future__ import annotations

import math

import numpy as np
import pytest

from samtta_app.core.rating_scale import FEWEST_RATINGS, NO_RATINGS, counts_of, mean_rating, rating_difference


def test_the_mean_and_number_are_those_of_the_values() -> None:
    found = mean_rating(counts_of([1, 10, 10, 7]))
    assert (found.ratings, found.mean) == (4, 7.0)


def test_nothing_is_known_of_no_ratings() -> None:
    assert mean_rating(NO_RATINGS).ratings == 0
    assert math.isnan(mean_rating(NO_RATINGS).mean)
    assert math.isnan(rating_difference(NO_RATINGS, counts_of([5] * 20)).mean)


def test_few_ratings_have_a_mean_and_no_interval() -> None:
    assert math.isnan(mean_rating(counts_of([5, 6] * 4)).low)
    assert math.isfinite(mean_rating(counts_of([5, 6] * (FEWEST_RATINGS // 2))).low)
    few, many = counts_of([5, 6]), counts_of([5, 6] * 10)
    assert math.isnan(rating_difference(few, many).high)
    assert rating_difference(few, many).mean == 0.0


def test_the_interval_is_as_wide_as_the_standard_error_says() -> None:
    found = mean_rating(counts_of([4, 8] * 50))
    assert found.low < 6.0 < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * 2.0 / 10, rel=0.1)


def test_a_difference_is_after_less_before_and_wider_than_either_mean() -> None:
    worse, better = counts_of([4, 6] * 25), counts_of([7, 9] * 25)
    found = rating_difference(worse, better)
    assert found.mean == 3.0
    assert found.low < 3.0 < found.high
    assert found.high - found.low > mean_rating(better).high - mean_rating(better).low
    assert rating_difference(better, worse).mean == -3.0


def test_equal_groups_of_chance_differ_by_chance() -> None:
    one = counts_of([3, 8] * 20)
    found = rating_difference(one, one)
    assert found.low < 0 < found.high


def test_the_interval_holds_the_true_mean_about_as_often_as_it_claims() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        found = mean_rating(counts_of(rng.integers(1, 11, 40).tolist()))
        held += found.low <= 5.5 <= found.high
    assert 0.9 <= held / 200 <= 0.99
