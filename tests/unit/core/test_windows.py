from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samtta_app.core.types import Box, Click, Window
from samtta_app.core.windows import (
    LARGEST,
    MIN_WINDOW_SIDE,
    SETTLED_FROM,
    SMALL_SHARE,
    VARIED,
    around,
    closer,
    detailed,
    first_window,
    refining,
    to_be_shown,
    varied,
    wider,
)

IMAGE = Window(0, 0, 1000, 600)


def inside(window: Window, extent: Window) -> bool:
    return (
        window.x >= extent.x
        and window.y >= extent.y
        and window.x + window.width <= extent.x + extent.width
        and window.y + window.height <= extent.y + extent.height
    )


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    xs = sorted(draw(st.lists(st.integers(0, 999), min_size=2, max_size=2)))
    ys = sorted(draw(st.lists(st.integers(0, 599), min_size=2, max_size=2)))
    return Box(xs[0], ys[0], xs[1], ys[1])


@given(boxes(), st.floats(1, 8))
def test_a_window_around_a_box_lies_in_the_image_and_holds_the_box(box: Box, factor: float) -> None:
    window = around(box, IMAGE, factor)
    assert inside(window, IMAGE)
    assert window.contains(box.x0, box.y0)
    assert window.contains(box.x1, box.y1)


def test_a_window_around_a_box_in_the_middle_is_square_and_centred() -> None:
    assert around(Box(480, 290, 519, 309), IMAGE) == Window(400, 200, 200, 200)


def test_no_window_is_narrower_than_the_least() -> None:
    assert around(Box(500, 300, 500, 300), IMAGE).width == MIN_WINDOW_SIDE


def test_a_small_image_is_its_own_window() -> None:
    assert around(Box(2, 2, 4, 4), Window(0, 0, 30, 20)) == Window(0, 0, 30, 20)


def test_the_first_click_is_answered_in_the_view_on_the_screen() -> None:
    view = Window(100, 100, 300, 200)
    assert first_window(IMAGE, view, (Click(200, 150, True),), None) == view


def test_a_view_without_the_click_is_of_no_use() -> None:
    assert first_window(IMAGE, Window(100, 100, 300, 200), (Click(900, 500, True),), None) == IMAGE


def test_without_a_view_the_whole_image_answers() -> None:
    assert first_window(IMAGE, None, (Click(1, 1, True),), None) == IMAGE


def test_where_small_objects_are_expected_their_surroundings_answer() -> None:
    window = first_window(IMAGE, None, (Click(500, 300, True),), None, side=30)
    assert window == around(Box(485.5, 285.5, 514.5, 314.5), IMAGE)
    assert window.side == 150


def test_objects_that_fill_the_image_or_the_view_leave_the_window_as_it_is() -> None:
    click, view = Click(200, 150, True), Window(100, 100, 300, 200)
    assert first_window(IMAGE, None, (click,), None, side=IMAGE.side / SMALL_SHARE) == IMAGE
    assert first_window(IMAGE, view, (click,), None, side=view.side / SMALL_SHARE) == view
    assert first_window(IMAGE, view, (click,), None, side=30).side == 150


def test_a_click_outside_the_expected_size_or_a_box_says_more_than_sizes() -> None:
    clicks = (Click(500, 300, True), Click(700, 300, True))
    assert first_window(IMAGE, None, clicks, None, side=30) == IMAGE
    box = Box(400, 200, 499, 299)
    assert first_window(IMAGE, None, clicks[:1], box, side=30) == first_window(IMAGE, None, (), box)


def test_a_box_is_answered_in_its_surroundings() -> None:
    box = Box(400, 200, 499, 299)
    window = first_window(IMAGE, None, (), box)
    assert window.side == 500
    assert window.contains(box.x0, box.y0)


def test_a_small_object_is_looked_at_from_closer_by() -> None:
    found, click = Box(500, 300, 539, 329), Click(510, 310, True)
    near = closer(IMAGE, found, (click,), IMAGE)
    assert near is not None
    assert near.side == 200
    assert near.contains(click.x, click.y)


def test_a_large_object_nothing_and_a_lost_click_keep_the_window() -> None:
    side = int(IMAGE.side / SMALL_SHARE) + 1
    assert closer(IMAGE, Box(100, 100, 100 + side, 150), (), IMAGE) is None
    assert closer(IMAGE, None, (), IMAGE) is None
    assert closer(IMAGE, Box(500, 300, 510, 310), (Click(5, 5, True),), IMAGE) is None


def test_an_outline_is_mended_from_close_by_from_the_third_click_on() -> None:
    found, window = Box(450, 250, 549, 349), Window(250, 50, 500, 500)
    near = (Click(500, 300, True), Click(460, 260, True), Click(445, 300, False))
    assert detailed(window, found, near[:2], IMAGE) is None
    closer_by = detailed(window, found, near, IMAGE)
    assert closer_by is not None
    assert closer_by.side == 250
    assert detailed(closer_by, found, near, IMAGE) is None
    assert detailed(window, None, near, IMAGE) is None
    assert detailed(window, found, (*near, Click(700, 500, False)), IMAGE) is None


@given(boxes(), st.integers(0, 10_000))
def test_objects_are_learned_whole_at_any_size_and_place_in_a_window(box: Box, seed: int) -> None:
    window = varied(box, (), IMAGE, np.random.default_rng(seed))
    assert window is not None
    assert inside(window, IMAGE)
    assert window.x <= box.x0
    assert window.y <= box.y0
    assert window.x + window.width > box.x1
    assert window.y + window.height > box.y1
    longest = max(box.x1 - box.x0, box.y1 - box.y0) + 1
    assert window.side <= max(VARIED[1] * longest, MIN_WINDOW_SIDE) + 1
    assert window.side >= min(VARIED[0] * longest, IMAGE.side) - 1


def test_neither_size_nor_place_in_the_window_is_always_the_same_and_a_seed_gives_it_again() -> None:
    box = Box(480, 280, 519, 319)
    windows = [varied(box, (), IMAGE, np.random.default_rng(seed)) for seed in range(200)]
    assert windows[7] == varied(box, (), IMAGE, np.random.default_rng(7))
    sides = np.array([w.side for w in windows if w])
    assert sides.min() < 40 * 2.7
    assert sides.max() > 40 * 7.5
    places = np.array([(500 - w.x) / w.width for w in windows if w])
    assert places.min() < 0.3
    assert places.max() > 0.7
    assert abs(places.mean() - 0.5) < 0.05


def test_an_object_whose_clicks_would_be_lost_is_learned_where_it_was_answered() -> None:
    box, far = Box(480, 280, 489, 289), (Click(485, 285, True), Click(10, 10, False))
    assert varied(box, far, IMAGE, np.random.default_rng(0)) is None
    assert varied(box, far[:1], IMAGE, np.random.default_rng(0)) is not None


def test_an_object_cut_by_an_inner_edge_gets_a_wider_window() -> None:
    window = Window(300, 200, 200, 200)
    grown = wider(window, Box(300, 250, 350, 300), (), IMAGE)
    assert grown is not None
    assert grown.side > window.side
    assert inside(grown, IMAGE)


def test_an_object_cut_by_the_image_itself_does_not() -> None:
    window = Window(0, 0, 200, 200)
    assert wider(window, Box(0, 50, 100, 100), (), IMAGE) is None


def test_a_click_outside_the_window_is_brought_in() -> None:
    window, click = Window(300, 200, 200, 200), Click(700, 300, False)
    grown = wider(window, Box(350, 250, 400, 300), (click,), IMAGE)
    assert grown is not None
    assert grown.contains(click.x, click.y)
    assert grown.contains(350, 250)


def test_the_whole_image_cannot_grow() -> None:
    assert wider(IMAGE, Box(0, 0, 999, 599), (), IMAGE) is None


@given(boxes(), st.tuples(st.integers(0, 999), st.integers(0, 599)))
def test_widening_comes_to_an_end_and_never_loses_what_it_saw(box: Box, place: tuple[int, int]) -> None:
    window, click = around(box, IMAGE, 1.0), Click(*place, True)
    for _ in range(20):
        grown = wider(window, box, (click,), IMAGE)
        if grown is None:
            break
        assert inside(grown, IMAGE)
        window = grown
    assert wider(window, box, (click,), IMAGE) is None
    assert window.contains(click.x, click.y) or window == IMAGE


def test_a_mask_is_refined_from_close_by_unless_that_loses_a_click_or_gains_nothing() -> None:
    found, click = Box(480, 290, 519, 309), Click(500, 300, True)
    assert refining(IMAGE, found, (click,), IMAGE) == Window(460, 260, 80, 80)
    assert refining(IMAGE, found, (click, Click(100, 100, False)), IMAGE) == IMAGE
    narrow = Window(465, 265, 70, 70)
    assert refining(narrow, found, (click,), IMAGE) == narrow
    assert refining(IMAGE, Box(0, 0, 999, 599), (click,), IMAGE) == IMAGE


def test_an_exclude_click_far_away_keeps_a_window_wide_only_at_first() -> None:
    found, near, far = Box(480, 290, 519, 309), Click(500, 300, True), Click(100, 100, False)
    early, later = (near, far, near), (near, far, near, near)
    assert len(later) == SETTLED_FROM
    assert closer(IMAGE, found, early, IMAGE) is detailed(IMAGE, found, early, IMAGE) is None
    assert refining(IMAGE, found, early, IMAGE) == IMAGE
    window = detailed(IMAGE, found, later, IMAGE)
    assert window == Window(450, 250, 100, 100)
    assert closer(IMAGE, found, later, IMAGE) == Window(400, 200, 200, 200)
    assert refining(IMAGE, found, later, IMAGE) == Window(460, 260, 80, 80)
    assert wider(window, found, early, IMAGE) is not None
    assert wider(window, found, later, IMAGE) is None


@pytest.mark.parametrize("there", [Click(100, 100, True), Click(100, 100, False)])
def test_an_include_click_and_the_newest_are_always_shown(there: Click) -> None:
    near = Click(500, 300, True)
    assert to_be_shown((there, near, near, near)) == ((there, near, near, near) if there.positive else (near,) * 3)
    assert to_be_shown((near, near, near, there)) == (near, near, near, there)
    assert to_be_shown((there, near, near)) == (there, near, near)


@given(boxes())
def test_a_mask_lies_in_the_window_in_which_it_is_refined(box: Box) -> None:
    window = refining(IMAGE, box, (), IMAGE)
    assert inside(window, IMAGE)
    assert window.contains(box.x0, box.y0)
    assert window.contains(box.x1, box.y1)


def test_a_click_on_a_huge_image_is_answered_in_a_window_that_fits_in_memory() -> None:
    extent, click = Window(0, 0, 20_000, 20_000), Click(19_990.0, 10.0, True)
    here = first_window(extent, None, (click,), None)
    assert here.side == LARGEST
    assert here.contains(click.x, click.y)
    far = Click(100.0, 100.0, True)
    assert first_window(extent, None, (far, click), None) == extent, "no click is left out"
    edge = Box(here.x, here.y, here.x + 900, here.y + 900)
    assert wider(here, edge, (click,), extent) is None
    view = Window(500, 500, 3000, 2000)
    assert first_window(extent, view, (Click(900.0, 900.0, True),), None) == view
