"""Shares of right pixels by certainty, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from samtta_app.core.certainty import Reliability, certainty_in_window, certainty_reliability, pooled
from samtta_app.core.types import Window


def grid(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_shares_of_four_pixels_by_hand() -> None:
    # certainties .9 (right), .7 (wrong), .5 (right), .1 (wrong)
    found = certainty_reliability(grid([0.1, 0.3], [0.5, 0.9]), np.array([[True, False], [True, False]]))
    assert found == Reliability(right=0.5, right_60=0.5, pixels_60=0.5, right_80=1.0, pixels_80=0.25)
    assert found.rest_right == 0.5  # one of the two below


def test_the_rest_is_what_lies_below_the_threshold() -> None:
    # certain: three of four right; the rest: none of one
    found = certainty_reliability(grid([0.0, 0.0, 0.0, 0.0, 1.0]), np.array([[True, True, True, False, False]]))
    assert found.right_60 == found.right_80 == 0.75
    assert found.pixels_60 == pytest.approx(0.8)
    assert found.rest_right == pytest.approx(0.0)


def test_without_a_certain_pixel_there_is_no_share_of_them() -> None:
    found = certainty_reliability(grid([0.5, 0.9]), np.array([[True, False]]))
    assert math.isnan(found.right_60)
    assert math.isnan(found.right_80)
    assert (found.pixels_60, found.pixels_80, found.right) == (0.0, 0.0, 0.5)
    assert found.rest_right == 0.5


def test_where_all_is_certain_there_is_no_rest() -> None:
    found = certainty_reliability(grid([0.0, 0.0]), np.array([[True, False]]))
    assert (found.right_60, found.pixels_60) == (0.5, 1.0)
    assert math.isnan(found.rest_right)


def test_windows_weigh_the_same_and_their_pixels_are_pooled() -> None:
    one = Reliability(right=0.9, right_60=1.0, pixels_60=0.5, right_80=float("nan"), pixels_80=0.0)
    other = Reliability(right=0.7, right_60=0.8, pixels_60=1.0, right_80=0.9, pixels_80=0.5)
    both = pooled([one, other])
    assert both.right == pytest.approx(0.8)
    assert both.pixels_60 == pytest.approx(0.75)
    assert both.right_60 == pytest.approx((0.5 + 0.8) / 1.5)
    assert both.pixels_80 == pytest.approx(0.25)
    assert both.right_80 == pytest.approx(0.9)  # the first has none there


def test_one_window_is_itself_and_none_is_nothing() -> None:
    one = Reliability(0.9, 0.95, 0.8, 1.0, 0.5)
    assert pooled([one]) == one
    assert all(math.isnan(value) for value in (pooled([]).right, pooled([]).right_60, pooled([]).pixels_80))


def test_a_map_is_enlarged_and_its_padding_left_out() -> None:
    # 2 x 2 cells over a square of 8: the lower half is padding
    found = certainty_in_window(grid([0.0, 1.0], [5.0, 5.0]), Window(10, 20, 8, 4))
    assert found.shape == (4, 8)
    assert found[0].tolist() == pytest.approx([0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1])  # half-pixel centres
    assert found[3, 0] == pytest.approx(5 * 0.375)  # 3.5 / 8 * 2 - .5 = .375 of the way to the row below


@pytest.mark.parametrize("window", [Window(0, 0, 3, 5), Window(0, 0, 32, 32), Window(0, 0, 1, 1), Window(4, 4, 100, 7)])
def test_a_flat_map_stays_flat_in_every_window(window: Window) -> None:
    found = certainty_in_window(np.full((16, 16), 0.25, np.float32), window)
    assert found.shape == (window.height, window.width)
    assert (found == 0.25).all()


def test_a_map_is_placed_in_another_window_with_nothing_around_it() -> None:
    values = np.full((16, 16), 0.5, np.float32)
    found = certainty_in_window(values, Window(10, 20, 8, 4), Window(6, 22, 8, 6))  # shifted by 4 columns and -2 rows
    assert found.shape == (6, 8)
    assert (found[:2, 4:] == 0.5).all()
    assert found.sum() == pytest.approx(2 * 4 * 0.5)
    assert not certainty_in_window(values, Window(0, 0, 8, 8), Window(20, 0, 8, 8)).any()
    inner = certainty_in_window(values, Window(0, 0, 30, 30), Window(5, 6, 7, 8))
    assert inner.shape == (8, 7)
    assert (inner == 0.5).all()
