"""Crumbs and pinholes go; what is large enough, or what a click points at, stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samtta_app.core.masks import full, holds
from samtta_app.core.tidy import obeyed, tidied
from samtta_app.core.types import Click, Mask, Window


def body(*, crumb: int = 0, hole: int = 0, second: int = 0) -> Mask:
    """A square of 40 x 40 pixels at (10, 10), with a crumb, a hole or a second part of so many pixels a side."""
    bits = np.zeros((60, 120), np.bool_)
    bits[10:50, 10:50] = True
    bits[20 : 20 + crumb, 60 : 60 + crumb] = True
    bits[20 : 20 + second, 80 : 80 + second] = True
    bits[30 : 30 + hole, 30 : 30 + hole] = False
    return Mask(5, 7, bits)


INSIDE = Click(20 + 5, 20 + 7, True)


def test_a_crumb_goes_and_the_object_stays() -> None:
    found = tidied(body(crumb=5), [INSIDE])
    assert found.area == 1600
    assert (found.x, found.y) == (15, 17)


def test_a_crumb_with_an_include_click_stays() -> None:
    mask = body(crumb=5)
    assert tidied(mask, [INSIDE, Click(62 + 5, 22 + 7, True)]).area == mask.area
    assert tidied(mask, [INSIDE, Click(62 + 5, 22 + 7, False)]).area == 1600


def test_a_second_part_that_is_no_crumb_stays() -> None:
    mask = body(second=20)
    assert tidied(mask, [INSIDE]).area == mask.area == 2000


def test_the_largest_part_stays_where_only_a_crumb_is_clicked() -> None:
    mask = body(crumb=5)
    assert tidied(mask, [Click(62 + 5, 22 + 7, True)]).area == mask.area


def test_a_pinhole_is_filled_unless_an_exclude_click_lies_in_it() -> None:
    mask = body(hole=1)
    assert tidied(mask, [INSIDE]).area == 1600
    assert tidied(mask, [INSIDE, Click(30 + 5, 30 + 7, False)]).area == 1599


def test_a_hole_that_is_no_pinhole_stays() -> None:
    assert tidied(body(hole=6), [INSIDE]).area == 1564


def test_a_bay_at_the_frame_is_no_hole() -> None:
    bits = np.ones((40, 40), np.bool_)
    bits[0, 5] = False
    assert tidied(Mask(0, 0, bits), []).area == 1599


def test_an_empty_mask_stays_empty() -> None:
    empty = Mask(3, 4, np.zeros((1, 1), np.bool_))
    assert tidied(empty, [INSIDE]) is empty


@pytest.mark.parametrize("positive", [True, False])
def test_clicks_outside_the_masks_own_bitmap_change_nothing(positive: bool) -> None:
    assert tidied(body(), [Click(500, -30, positive)]).area == 1600


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(0.05, 0.95),
    st.lists(st.tuples(st.integers(0, 29), st.integers(0, 39), st.booleans()), max_size=5),
)
def test_no_click_that_was_obeyed_is_disobeyed_afterwards(
    seed: int, share: float, places: list[tuple[int, int, bool]]
) -> None:
    bits = np.random.default_rng(seed).random((30, 40)) < share
    clicks = [Click(x, y, positive) for y, x, positive in places]
    before, after = Mask(0, 0, bits), tidied(Mask(0, 0, bits), clicks)
    for click in clicks:
        if holds(before, click.x, click.y) == click.positive:
            assert holds(after, click.x, click.y) == click.positive
    again = tidied(after, clicks)
    assert np.array_equal(full(again, 30, 40), full(after, 30, 40))


EXTENT = Window(5, 7, 120, 60)
"""About `body`."""

PLACES = st.tuples(st.integers(5, 124), st.integers(7, 66), st.booleans())


@given(st.lists(PLACES, min_size=1, max_size=12), st.floats(0.5, 9.0))
@settings(max_examples=150, deadline=None)
def test_every_click_is_obeyed_and_what_is_far_stays(places: list[tuple[int, int, bool]], reach: float) -> None:
    mask = body()
    found = obeyed(mask, [Click(x, y, positive) for x, y, positive in places], reach, EXTENT)
    held = {(x, y): positive for x, y, positive in places}  # of one pixel the last
    assert all(holds(found, *place) is positive for place, positive in held.items())
    rows, columns = np.nonzero(full(found, 80, 140) != full(mask, 80, 140))
    wrong = [place for place, positive in held.items() if holds(mask, *place) is not positive]
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        assert min(np.hypot(column - x, row - y) for x, y in wrong) <= reach


def test_a_click_changes_no_more_than_half_the_way_to_one_of_the_other_sign() -> None:
    free = obeyed(body(), [Click(60, 30, True)], 4.0, EXTENT)
    assert free.area == 1600 + 49  # pixels of a disc of radius 4
    held = obeyed(body(), [Click(60, 30, True), Click(63, 30, False)], 4.0, EXTENT)
    assert held.area == 1600 + 9  # of radius 1.5
    assert holds(held, 61, 30)
    assert not holds(held, 62, 30)


def test_what_is_obeyed_already_empty_or_outside_stays_the_same() -> None:
    mask, nothing = body(), Mask(9, 9, np.zeros((1, 1), np.bool_))
    assert obeyed(mask, [INSIDE], 4.0, EXTENT) is mask
    assert obeyed(mask, [Click(200, 30, True)], 4.0, EXTENT) is mask
    assert obeyed(nothing, [INSIDE], 4.0, EXTENT) is nothing
