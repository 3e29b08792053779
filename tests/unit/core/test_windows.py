from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from samtta_app.core.types import Box, Click, Window
from samtta_app.core.windows import LEAST, SMALL, around, closer, detailed, first_window, surroundings, wider

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
    assert around(Box(500, 300, 500, 300), IMAGE).width == LEAST


def test_a_small_image_is_its_own_window() -> None:
    assert around(Box(2, 2, 4, 4), Window(0, 0, 30, 20)) == Window(0, 0, 30, 20)


def test_the_first_click_is_answered_in_the_view_on_the_screen() -> None:
    view = Window(100, 100, 300, 200)
    assert first_window(IMAGE, view, (Click(200, 150, True),), None) == view


def test_a_view_without_the_click_is_of_no_use() -> None:
    assert first_window(IMAGE, Window(100, 100, 300, 200), (Click(900, 500, True),), None) == IMAGE


def test_without_a_view_the_whole_image_answers() -> None:
    assert first_window(IMAGE, None, (Click(1, 1, True),), None) == IMAGE


def test_a_box_is_answered_in_its_surroundings() -> None:
    box = Box(400, 200, 499, 299)
    window = first_window(IMAGE, None, (), box)
    assert window.side == 250
    assert window.contains(box.x0, box.y0)


def test_a_small_object_is_looked_at_from_closer_by() -> None:
    found, click = Box(500, 300, 539, 329), Click(510, 310, True)
    near = closer(IMAGE, found, (click,), IMAGE)
    assert near is not None
    assert near.side == 200
    assert near.contains(click.x, click.y)


def test_a_large_object_nothing_and_a_lost_click_keep_the_window() -> None:
    side = int(IMAGE.side / SMALL) + 1
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


def test_what_was_mended_from_close_by_is_learned_in_its_surroundings() -> None:
    found, clicks = Box(450, 250, 549, 349), (Click(500, 300, True),)
    wide = surroundings(Window(375, 175, 250, 250), found, clicks, IMAGE)
    assert wide.side == 500
    assert surroundings(IMAGE, found, clicks, IMAGE) == IMAGE
    far = (*clicks, Click(200, 100, False))
    own = Window(150, 60, 450, 450)
    assert surroundings(own, found, far, IMAGE) == own


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
