"""One more click goes to the deepest point of the most uncertain region."""

from __future__ import annotations

import numpy as np
import pytest

from samtta_app.core.next_click import UNCERTAIN, random_click, suggested_click, uncertain_cells
from samtta_app.core.types import Click, Logits, Mask, Window

NOTHING = Mask(0, 0, np.zeros((1, 1), np.bool_))


def uncertainty(window: Window, *regions: tuple[slice, slice, float], g: int = 16) -> Logits:
    values = np.full((g, g), 0.1, np.float32)
    for rows, columns, bits in regions:
        values[rows, columns] = bits
    return Logits(window, values)


def test_the_middle_of_the_region_is_marked_in_image_pixels() -> None:
    # cells of 4 pixels; rows 4 to 8, columns 6 to 10: the deepest cell is (6, 8), its middle 4 * 8.5 - .5 = 33.5
    where = uncertainty(Window(100, 50, 64, 64), (slice(4, 9), slice(6, 11), 0.9))
    click = suggested_click(where, NOTHING)
    assert click == Click(100 + 34, 50 + 26, True)


def test_the_sign_flips_the_pixel() -> None:
    where = uncertainty(Window(0, 0, 64, 64), (slice(4, 9), slice(6, 11), 0.9))
    assert suggested_click(where, Mask(0, 0, np.ones((64, 64), np.bool_))) == Click(34, 26, False)
    beside = Mask(0, 0, np.ones((64, 34), np.bool_))  # its last column is 33
    assert suggested_click(where, beside) == Click(34, 26, True)


def test_the_region_of_the_largest_sum_wins() -> None:
    window = Window(0, 0, 64, 64)
    # 9 cells of .6 (5.4) against 4 of .9 (3.6); then 4 of 1.0 against 3 of .6 (1.8)
    first = suggested_click(
        uncertainty(window, (slice(1, 4), slice(1, 4), 0.6), (slice(9, 11), slice(9, 11), 0.9)), NOTHING
    )
    assert first == Click(10, 10, True)
    second = suggested_click(
        uncertainty(window, (slice(1, 2), slice(1, 4), 0.6), (slice(9, 11), slice(9, 11), 1.0)), NOTHING
    )
    assert second is not None
    assert second.x >= 36
    assert second.y >= 36


def test_of_equally_deep_cells_the_most_uncertain_is_marked() -> None:
    where = uncertainty(Window(0, 0, 16, 16), (slice(5, 6), slice(3, 9), 0.6), (slice(5, 6), slice(7, 8), 0.95))
    assert suggested_click(where, NOTHING) == Click(7, 5, True)


def test_the_padding_of_a_window_is_no_place_to_click() -> None:
    window = Window(0, 0, 64, 32)  # the lower half of the map shows no image
    where = uncertainty(window, (slice(9, 15), slice(2, 14), 1.0), (slice(2, 3), slice(2, 3), 0.7))
    assert suggested_click(where, NOTHING) == Click(10, 10, True)
    assert not uncertain_cells(where, ())[8:].any()


def test_a_cell_that_was_clicked_is_not_suggested_again() -> None:
    where = uncertainty(Window(0, 0, 16, 16), (slice(5, 6), slice(7, 8), 0.9))
    assert suggested_click(where, NOTHING, (Click(7, 5, True),)) is None
    assert suggested_click(where, NOTHING, (Click(8, 5, True),)) == Click(7, 5, True)
    assert suggested_click(where, NOTHING, (Click(-5, 500, True),)) == Click(7, 5, True)


@pytest.mark.parametrize("bits", [0.0, UNCERTAIN - 0.01, np.nan, np.inf])
def test_where_nothing_is_uncertain_there_is_no_suggestion(bits: float) -> None:
    where = uncertainty(Window(0, 0, 64, 64), (slice(None), slice(None), bits))
    assert suggested_click(where, NOTHING) is None
    assert random_click(where, NOTHING, (), np.random.default_rng(0)) is None


def test_a_whole_map_of_uncertainty_is_marked_inside_the_image() -> None:
    for window in (Window(0, 0, 3, 2), Window(10, 20, 1, 1), Window(0, 0, 900, 7)):
        click = suggested_click(uncertainty(window, (slice(None), slice(None), 1.0)), NOTHING)
        assert click is not None
        assert window.contains(click.x, click.y)


def test_random_clicks_fall_on_every_uncertain_cell_and_no_other() -> None:
    where = uncertainty(Window(0, 0, 16, 16), (slice(5, 6), slice(3, 6), 0.6))
    rng = np.random.default_rng(0)
    found = [random_click(where, Mask(3, 5, np.ones((1, 1), np.bool_)), (), rng) for _ in range(60)]
    assert set(found) == {Click(3, 5, False), Click(4, 5, True), Click(5, 5, True)}
