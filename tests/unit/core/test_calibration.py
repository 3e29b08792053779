"""Reliability and calibration against hand-worked cases."""

from __future__ import annotations

import math

import numpy as np
import pytest

from samtta_app.core.calibration import FEWEST, Bin, Calibration, calibration_error, online, reliability_bins


def test_a_reliability_diagram_by_hand() -> None:
    pairs = [(0.05, 0.2), (0.08, 0.4), (0.95, 0.9), (1.0, 0.7)]
    first, last = reliability_bins(pairs)
    assert first == Bin(0.0, 0.1, 2, pytest.approx(0.065), pytest.approx(0.3))  # type: ignore[arg-type]
    assert (last.low, last.high, last.count) == (0.9, 1.0, 2)
    assert (last.expected, last.true) == (pytest.approx(0.975), pytest.approx(0.8))


def test_the_calibration_error_by_hand() -> None:
    pairs = [(0.05, 0.2), (0.08, 0.4), (0.95, 0.9), (1.0, 0.7)]
    assert calibration_error(pairs) == pytest.approx((2 * 0.235 + 2 * 0.175) / 4)
    assert calibration_error([(0.3, 0.3), (0.7, 0.7)]) == pytest.approx(0)
    assert math.isnan(calibration_error([]))


def test_unknown_values_do_not_count() -> None:
    assert reliability_bins([(float("nan"), 0.5), (0.5, float("nan"))]) == ()
    assert calibration_error([(float("nan"), 0.5), (0.55, 0.65)]) == pytest.approx(0.1)


def test_with_few_answers_nothing_is_changed() -> None:
    known = Calibration.of([(0.9, 0.1)] * (FEWEST - 1))
    assert known(0.9) == 0.9
    assert Calibration.of([(0.9, 0.1)] * FEWEST)(0.9) == pytest.approx(0.1)


def test_violators_are_pooled() -> None:
    """Three steps of ten answers each, the middle one above the last: both become their mean."""
    pairs = [(0.2, 0.1)] * 10 + [(0.5, 0.8)] * 10 + [(0.8, 0.6)] * 10
    known = Calibration.of(pairs)
    assert known(0.2) == pytest.approx(0.1)
    assert known(0.5) == pytest.approx(0.7)
    assert known(0.8) == pytest.approx(0.7)
    assert known(0.35) == pytest.approx(0.4)  # half-way
    assert known(0.0) == pytest.approx(0.1)
    assert known(1.0) == pytest.approx(0.7)
    assert math.isnan(known(float("nan")))
    one_step = Calibration((0.5,), (0.7,))
    assert (one_step(0.9), math.isnan(one_step(float("nan")))) == (0.7, True)


def test_a_calibration_never_falls() -> None:
    rng = np.random.default_rng(0)
    expected = rng.random(200)
    known = Calibration.of(list(zip(expected, np.clip(expected**2 + rng.normal(0, 0.2, 200), 0, 1), strict=True)))
    values = [known(x) for x in np.linspace(0, 1, 50)]
    assert values == sorted(values)


def test_online_uses_only_what_came_before() -> None:
    """Always .9 expected and .5 true: the first FEWEST stay, later ones are told right."""
    found = online(((0.9, 0.5),) * 60)
    assert [value for value, _ in found[:FEWEST]] == [0.9] * FEWEST
    assert [value for value, _ in found[FEWEST:]] == pytest.approx([0.5] * 30)
    assert [true for _, true in found] == [0.5] * 60
    changed = online((*((0.9, 0.5),) * 59, (0.9, 0.0)))
    assert changed[:-1] == found[:-1]


def test_online_calibration_lowers_the_error_of_one_that_is_too_sure() -> None:
    rng = np.random.default_rng(1)
    true = rng.uniform(0.3, 0.9, 300)
    pairs = tuple((float(min(t + 0.15 + e, 1)), float(t)) for t, e in zip(true, rng.normal(0, 0.05, 300), strict=True))
    assert calibration_error(pairs) > 0.12
    assert calibration_error(online(pairs)) < 0.05
