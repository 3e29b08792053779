from __future__ import annotations

import numpy as np
import pytest

from samtta_app.core.clicks import clicked, depth, errors, next_click
from samtta_app.core.masks import trimmed
from samtta_app.core.types import Click, Mask, Window

EXTENT = Window(0, 0, 20, 10)
NOTHING = Mask(0, 0, np.zeros((1, 1), np.bool_))


def rectangle(x0: int, y0: int, x1: int, y1: int) -> Mask:
    return Mask(x0, y0, np.ones((y1 - y0 + 1, x1 - x0 + 1), np.bool_))


def test_the_first_click_is_positive_and_in_the_middle() -> None:
    assert next_click(rectangle(5, 3, 9, 7), None, (), EXTENT) == Click(7, 5, True)


def test_of_equal_maxima_the_first_in_reading_order_is_clicked() -> None:
    # rows 2..5, columns 4..9: the depth is 2 on rows 3..4, columns 5..8
    assert next_click(rectangle(4, 2, 9, 5), None, (), EXTENT) == Click(5, 3, True)


def test_a_mask_that_spills_over_gets_a_negative_click_there() -> None:
    click = next_click(rectangle(2, 2, 6, 6), rectangle(2, 2, 16, 6), (), EXTENT)
    assert click is not None
    assert not click.positive
    assert click == Click(9, 4, False)


def test_a_mask_that_misses_a_part_gets_a_positive_click_there() -> None:
    assert next_click(rectangle(2, 2, 16, 6), rectangle(2, 2, 6, 6), (), EXTENT) == Click(9, 4, True)


def test_on_a_tie_the_click_is_negative() -> None:
    target, shown = rectangle(2, 2, 4, 4), rectangle(10, 2, 12, 4)
    assert next_click(target, shown, (), EXTENT) == Click(11, 3, False)


def test_the_larger_error_wins() -> None:
    target, shown = rectangle(2, 2, 6, 6), rectangle(10, 2, 12, 4)
    assert next_click(target, shown, (), EXTENT) == Click(4, 4, True)


def test_the_frame_of_the_image_is_a_boundary() -> None:
    # 5 rows high at the left frame: without padding the deepest pixel would be on column 0
    assert next_click(rectangle(0, 2, 2, 6), None, (), EXTENT) == Click(1, 3, True)


def test_an_object_that_fills_the_image_is_clicked_in_its_middle() -> None:
    whole = Window(0, 0, 5, 5)
    assert next_click(rectangle(0, 0, 4, 4), None, (), whole) == Click(2, 2, True)


def test_no_pixel_is_clicked_twice() -> None:
    target, clicks = rectangle(5, 3, 6, 4), ()
    for _ in range(4):
        click = next_click(target, None, clicks, EXTENT)
        assert click is not None
        assert click not in clicks
        clicks = (*clicks, click)
    assert next_click(target, None, clicks, EXTENT) is None


def test_clicks_between_pixels_count_for_the_nearest_one() -> None:
    assert next_click(rectangle(5, 3, 9, 7), None, (Click(7.4, 4.6, True),), EXTENT) != Click(7, 5, True)


def test_nothing_is_clicked_when_nothing_is_wrong() -> None:
    assert next_click(rectangle(2, 2, 5, 5), rectangle(2, 2, 5, 5), (), EXTENT) is None


def test_a_wrong_mask_of_an_empty_target_gets_a_negative_click() -> None:
    assert next_click(NOTHING, rectangle(2, 2, 4, 4), (), EXTENT) == Click(3, 3, False)


def test_depth_counts_from_the_nearest_background_pixel() -> None:
    assert depth(np.ones((3, 3), np.bool_)).tolist() == [[1, 1, 1], [1, 2, 1], [1, 1, 1]]


@pytest.mark.parametrize("seed", range(8))
def test_looking_only_around_the_masks_gives_the_click_of_the_whole_image(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target, shown = (rng.random((40, 50)) < p for p in (0.7, 0.6))
    target[:8], target[:, 30:], shown[20:] = False, False, False
    missed, wrong = depth(target & ~shown), depth(shown & ~target)
    positive = missed.max() > wrong.max()
    row, column = np.unravel_index(int(np.argmax(missed if positive else wrong)), target.shape)
    found = next_click(trimmed(target), trimmed(shown), (), Window(0, 0, 50, 40))
    assert found == Click(float(column), float(row), bool(positive))


def test_errors_are_told_apart_and_lie_in_a_frame_around_both_masks() -> None:
    found = errors(rectangle(2, 2, 4, 4), rectangle(4, 2, 6, 4), EXTENT)
    assert found.frame == Window(1, 1, 7, 5)
    assert sorted({int(c) + found.frame.x for c in np.nonzero(found.missed)[1]}) == [2, 3]
    assert sorted({int(c) + found.frame.x for c in np.nonzero(found.wrong)[1]}) == [5, 6]
    assert found.missed.sum() == found.wrong.sum() == 6
    assert found.click(1, 2, True) == Click(3, 2, True)


def test_before_anything_is_shown_the_whole_object_is_missed() -> None:
    found = errors(rectangle(0, 0, 2, 1), None, EXTENT)
    assert found.frame == Window(0, 0, 4, 3)
    assert (found.missed.sum(), found.wrong.sum()) == (6, 0)


def test_clicked_pixels_are_those_of_the_frame() -> None:
    clicks = (Click(3.4, 2.6, True), Click(0, 0, False), Click(19, 9, True))
    found = clicked(clicks, Window(2, 1, 3, 4))
    assert np.argwhere(found).tolist() == [[2, 1]]


def test_equal_depths_are_equal_numbers_in_every_call() -> None:
    """OpenCV's last bits vary from call to call, so one of two equal middles would win by chance."""
    bits = np.random.default_rng(3).random((64, 80)) < 0.97
    for _ in range(20):
        found = depth(bits)
        squares = np.square(found.astype(np.float64))
        assert np.abs(squares - np.rint(squares)).max() < 1e-3
        assert len(np.unique(found)) == len(np.unique(np.rint(squares)))
