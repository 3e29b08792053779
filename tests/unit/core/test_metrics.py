from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from samtta_app.core.masks import trimmed
from samtta_app.core.metrics import boundary_iou, clicks_to, failure_rate, iou, number_of_clicks
from samtta_app.core.types import Mask, Window

bitmaps = arrays(np.bool_, (9, 11))


def square(x: int, y: int, side: int) -> Mask:
    return Mask(x, y, np.ones((side, side), np.bool_))


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [
        (square(0, 0, 4), square(0, 0, 4), 1.0),
        (square(0, 0, 4), square(4, 0, 4), 0.0),
        (square(0, 0, 4), square(10, 10, 4), 0.0),
        (square(0, 0, 4), square(2, 0, 4), 8 / 24),
        (square(0, 0, 4), square(1, 1, 2), 4 / 16),
    ],
)
def test_iou_of_squares(a: Mask, b: Mask, value: float) -> None:
    assert iou(a, b) == pytest.approx(value)


def test_two_empty_masks_agree_and_an_empty_one_agrees_with_nothing_else() -> None:
    empty = Mask(3, 3, np.zeros((1, 1), np.bool_))
    assert iou(empty, Mask(0, 0, np.zeros((2, 2), np.bool_))) == 1.0
    assert iou(empty, square(0, 0, 4)) == 0.0


@given(bitmaps, bitmaps)
def test_iou_is_that_of_the_whole_bitmaps_and_symmetric(a: np.ndarray, b: np.ndarray) -> None:
    union = np.count_nonzero(a | b)
    expected = np.count_nonzero(a & b) / union if union else 1.0
    assert iou(trimmed(a), trimmed(b)) == pytest.approx(expected)
    assert iou(trimmed(a), trimmed(b)) == iou(trimmed(b), trimmed(a))


# --- boundary IoU -----------------------------------------------------------------------------------------------------

SMALL = Window(0, 0, 30, 40)  # diagonal 50, band 1
LARGE = Window(0, 0, 90, 120)  # diagonal 150, band 3


def test_the_boundary_iou_of_shifted_squares_by_hand() -> None:
    # bands of 1 pixel of 6 x 6 squares have 20 pixels each; moved by one column they share 2 x 5 in the rows at top and
    # bottom, and no column
    assert boundary_iou(square(10, 10, 6), square(11, 10, 6), SMALL) == pytest.approx(10 / 30)
    assert iou(square(10, 10, 6), square(11, 10, 6)) == pytest.approx(30 / 42)


def test_the_band_is_two_per_cent_of_the_diagonal() -> None:
    # band 3: the 10 x 10 square keeps a core of 4 x 4, so 84 pixels are its band; all of the ring of 36 is in it
    ring = np.ones((10, 10), np.bool_)
    ring[1:-1, 1:-1] = False
    assert boundary_iou(square(20, 20, 10), Mask(20, 20, ring), LARGE) == pytest.approx(36 / 84)
    assert boundary_iou(square(20, 20, 10), Mask(20, 20, ring), SMALL) == 1.0


def test_the_band_is_at_least_a_pixel_and_the_frame_is_a_boundary() -> None:
    tiny = Window(0, 0, 6, 6)  # 2 % of the diagonal is 0.17 pixels
    whole = square(0, 0, 6)
    hole = np.ones((6, 6), np.bool_)
    hole[2:4, 2:4] = False
    # the whole image's band is its outer ring of 20; with the hole, the 12 pixels around it belong to the band, too
    assert boundary_iou(whole, Mask(0, 0, hole), tiny) == pytest.approx(20 / 32)


def test_empty_masks_agree_with_each_other_only() -> None:
    empty = Mask(3, 3, np.zeros((1, 1), np.bool_))
    assert boundary_iou(empty, empty, SMALL) == 1.0
    assert boundary_iou(empty, square(3, 3, 4), SMALL) == 0.0


@given(bitmaps, bitmaps)
def test_cropped_masks_have_the_boundary_iou_of_the_whole_bitmaps(a: np.ndarray, b: np.ndarray) -> None:
    def band(bits: np.ndarray) -> np.ndarray:  # as published: a frame of zeros, then repeated 3 x 3 erosions
        padded = cv2.copyMakeBorder(bits.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        return bits & (cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=3)[1:-1, 1:-1] == 0)

    union = np.count_nonzero(band(a) | band(b))
    expected = np.count_nonzero(band(a) & band(b)) / union if union else 1.0
    assert boundary_iou(trimmed(a), trimmed(b), LARGE) == pytest.approx(expected)


# --- clicks and failures ----------------------------------------------------------------------------------------------


def test_the_first_click_that_reaches_the_target_counts() -> None:
    assert clicks_to((0.2, 0.85, 0.7, 0.9), 0.85, 20) == 2


def test_a_target_reached_after_the_limit_is_not_reached() -> None:
    assert clicks_to((0.2, 0.3, 0.9), 0.85, 2) is None


def test_a_target_reached_at_the_last_click_is_reached() -> None:
    assert clicks_to((0.2, 0.9), 0.85, 2) == 2
    assert failure_rate([(0.2, 0.9)], 0.85, 2) == 0.0


def test_failures_count_as_the_limit() -> None:
    assert number_of_clicks([(0.9,), (0.1,) * 30], 0.85, 20) == pytest.approx((1 + 20) / 2)


def test_the_failure_rate_is_the_share_that_did_not_arrive() -> None:
    assert failure_rate([(0.9,), (0.1,) * 20, (0.84,) * 20, (0.1, 0.86)], 0.85, 20) == 0.5


def test_figures_of_no_objects_are_not_numbers() -> None:
    assert math.isnan(number_of_clicks([], 0.85, 20))
    assert math.isnan(failure_rate([], 0.85, 20))


@given(st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=30), min_size=1, max_size=9))
def test_a_harder_target_never_takes_fewer_clicks_nor_fails_less(trajectories: list[list[float]]) -> None:
    assert number_of_clicks(trajectories, 0.9, 20) >= number_of_clicks(trajectories, 0.85, 20)
    assert failure_rate(trajectories, 0.9, 20) >= failure_rate(trajectories, 0.85, 20)
