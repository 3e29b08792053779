"""One click near the middle, seven anywhere in the object; and clicks that might as well have been made."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from samtta_app.core.clicks import DENSE_CLICKS, clicks_near, usam_clicks
from samtta_app.core.masks import holds, trimmed
from samtta_app.core.types import Click, Mask, Window
from tests.unit.values import disc

EXTENT = Window(0, 0, 128, 96)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_first_click_is_the_middle_and_all_lie_two_pixels_inside() -> None:
    bits = np.zeros((96, 128), np.bool_)
    bits[20:41, 30:71] = True  # rows 20 to 40, columns 30 to 70: the middle is (50, 30)
    clicks = usam_clicks(trimmed(bits), EXTENT, rng())
    assert clicks[0] == Click(50, 30, True)
    assert len(clicks) == DENSE_CLICKS == 8
    assert all(32 <= c.x <= 68 and 22 <= c.y <= 38 and c.positive for c in clicks)
    assert len({(c.x, c.y) for c in clicks[1:]}) == 7


def test_clicks_are_those_of_the_whole_bitmap_eroded() -> None:
    """The cropped erosion is the plain one: the same pixels in the same order, so the same draws."""
    mask = disc(60, 50, 14)
    whole = np.zeros((96, 128), np.uint8)
    h, w = mask.bits.shape
    whole[mask.y : mask.y + h, mask.x : mask.x + w] = mask.bits
    rows, columns = np.nonzero(cv2.erode(whole, np.ones((5, 5), np.uint8)))
    places = rng().choice(len(rows), 7, replace=False)
    expected = [(float(columns[i]), float(rows[i])) for i in places]
    assert [(c.x, c.y) for c in usam_clicks(mask, EXTENT, rng())[1:]] == expected


def test_the_frame_of_the_image_erodes_nothing() -> None:
    bits = np.zeros((96, 128), np.bool_)
    bits[:, :5] = True  # at the left edge: columns 0 to 2 stay
    clicks = usam_clicks(trimmed(bits), EXTENT, rng())
    assert {c.x for c in clicks} <= {0, 1, 2}
    assert clicks[0].x == 1


def test_a_mask_that_vanishes_is_taken_as_it_is_and_pixels_repeat_where_there_are_too_few() -> None:
    mask = Mask(7, 9, np.ones((1, 2), np.bool_))
    clicks = usam_clicks(mask, EXTENT, rng())
    assert len(clicks) == 8
    assert {(c.x, c.y) for c in clicks} <= {(7, 9), (8, 9)}


def test_an_empty_mask_has_no_clicks() -> None:
    assert usam_clicks(Mask(3, 3, np.zeros((1, 1), np.bool_)), EXTENT, rng()) == ()


@pytest.mark.parametrize("positive", [True, False])
def test_near_clicks_keep_sign_and_side_and_stay_within_reach(positive: bool) -> None:
    mask = disc(60, 50, 18)
    x = 76 if positive else 80  # two pixels inside or outside of the outline at x = 78
    window = Window(0, 0, 500, 400)  # a reach of 5 pixels
    found = clicks_near(Click(x, 50, positive), mask, window)
    assert len(found) == 8
    assert len({(c.x, c.y) for c in found}) == 8
    for c in found:
        assert c.positive is positive
        assert holds(mask, c.x, c.y) is positive
        assert (c.x - x) ** 2 + (c.y - 50) ** 2 <= 25


def test_where_the_mask_does_not_obey_the_click_the_side_does_not_count() -> None:
    found = clicks_near(Click(10, 10, True), disc(60, 50, 18), EXTENT)  # a reach of two pixels
    assert all((c.x - 10) ** 2 + (c.y - 10) ** 2 <= 4 for c in found)
    assert len({(c.x, c.y) for c in found}) == 8


def test_near_clicks_repeat_and_stay_in_a_window_of_one_pixel() -> None:
    one = Mask(4, 5, np.ones((1, 1), np.bool_))
    assert clicks_near(Click(4, 5, True), one, Window(4, 5, 1, 1)) == (Click(4, 5, True),) * 8
    first, again = (clicks_near(Click(60, 50, True), disc(60, 50, 9), EXTENT) for _ in range(2))
    assert first == again
