"""Every clicker on errors small enough to work out on paper; chance is that of real seeds."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from samtta_app.core.clicks import next_click
from samtta_app.core.types import Click, Mask, Window
from samtta_app.errors import UserError
from samtta_app.simulation.clickers import (
    CLICKERS,
    SLIP_LEAST,
    SLIP_MOST,
    Careless,
    clickability,
    clicker,
    realistic,
    ritm,
    schoen,
    with_luck,
)

EXTENT = Window(0, 0, 40, 30)


def rectangle(x0: int, y0: int, x1: int, y1: int) -> Mask:
    return Mask(x0, y0, np.ones((y1 - y0 + 1, x1 - x0 + 1), np.bool_))


def both(a: Mask, b: Mask) -> Mask:
    bits = np.zeros((EXTENT.height, EXTENT.width), np.bool_)
    for mask in (a, b):
        height, width = mask.bits.shape
        bits[mask.y : mask.y + height, mask.x : mask.x + width] |= mask.bits
    return Mask(0, 0, bits)


def draws(
    name: str, target: Mask, shown: Mask | None, clicks: tuple[Click, ...] = (), number: int = 300
) -> list[Click]:
    found = [CLICKERS[name](target, shown, clicks, EXTENT, np.random.default_rng(k)) for k in range(number)]
    return [click for click in found if click is not None]


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLICKERS)
def test_nothing_is_clicked_when_nothing_is_wrong(name: str) -> None:
    assert draws(name, rectangle(5, 5, 9, 9), rectangle(5, 5, 9, 9), number=5) == []


@pytest.mark.parametrize("name", CLICKERS)
def test_every_click_lies_in_the_image(name: str) -> None:
    for target in (rectangle(0, 0, 39, 29), rectangle(0, 0, 1, 1), rectangle(37, 28, 39, 29)):
        assert all(EXTENT.contains(c.x, c.y) for c in draws(name, target, None, number=100))


@pytest.mark.parametrize("name", CLICKERS)
def test_the_same_seed_image_object_and_number_give_the_same_click(name: str) -> None:
    target, earlier = rectangle(5, 5, 20, 18), (Click(12, 11, True),)
    found = [with_luck(clicker(name), 3, "im0", 2)(target, None, earlier, EXTENT) for _ in range(2)]
    assert found[0] == found[1]


@pytest.mark.parametrize("changed", [(4, "im0", 2, 1), (3, "im1", 2, 1), (3, "im0", 3, 1), (3, "im0", 2, 2)])
def test_another_seed_image_object_or_number_has_other_luck(changed: tuple[int, str, int, int]) -> None:
    def drawn(seed: int, image: str, instance: int, number: int) -> Click | None:
        clicks = tuple(Click(1, k, True) for k in range(number))
        return with_luck(realistic, seed, image, instance)(rectangle(5, 5, 34, 24), None, clicks, EXTENT)

    assert drawn(*changed) != drawn(3, "im0", 2, 1)


def test_luck_does_not_depend_on_where_the_earlier_clicks_were() -> None:
    chosen = with_luck(realistic, 0, "im", 1)
    target = rectangle(5, 5, 34, 24)
    assert chosen(target, None, (Click(1, 1, True),), EXTENT) == chosen(target, None, (Click(2, 2, False),), EXTENT)


def test_an_unknown_clicker_is_refused_with_a_near_name() -> None:
    with pytest.raises(UserError, match="Did you mean realistic"):
        clicker("realistik")
    with pytest.raises(UserError, match="careless10"):
        clicker("mouse")


# --- RITM's -----------------------------------------------------------------------------------------------------------


def test_ritms_click_is_the_engines_own() -> None:
    target, shown = rectangle(2, 2, 16, 6), rectangle(2, 2, 6, 6)
    assert {*draws("ritm", target, shown, number=3)} == {Click(9, 4, True)}
    assert ritm(target, shown, (Click(9, 4, True),), EXTENT, np.random.default_rng(0)) == next_click(
        target, shown, (Click(9, 4, True),), EXTENT
    )


# --- Schoen's ---------------------------------------------------------------------------------------------------------


def test_schoens_frame_is_no_boundary_so_that_it_is_clicked() -> None:
    # 5 rows at the left frame: column 0 is 3 pixels from the background on the right, column 1 and 2 are closer
    assert {*draws("schoen", rectangle(0, 2, 2, 6), None)} == {Click(0, 4, True)}
    assert next_click(rectangle(0, 2, 2, 6), None, (), EXTENT) == Click(1, 3, True)


def test_schoens_corner_is_deepest() -> None:
    assert {*draws("schoen", rectangle(0, 0, 4, 4), None)} == {Click(0, 0, True)}


def test_schoen_clicks_a_pixel_again() -> None:
    target = rectangle(5, 5, 9, 9)
    assert {*draws("schoen", target, None, (Click(7, 7, True),))} == {Click(7, 7, True)}


def test_schoens_ties_are_broken_at_random() -> None:
    # rows 2..5, columns 4..9: the depth is 2 on rows 3..4, columns 5..8
    found = Counter((c.x, c.y) for c in draws("schoen", rectangle(4, 2, 9, 5), None, number=800))
    assert set(found) == {(x, y) for x in (5, 6, 7, 8) for y in (3, 4)}
    assert min(found.values()) > 60  # of 100 expected each


def test_as_released_row_and_column_are_drawn_apart_so_that_a_click_can_miss_all_maxima() -> None:
    two = both(rectangle(2, 2, 4, 4), rectangle(10, 12, 12, 14))
    middles = {Click(3, 3, True), Click(11, 13, True)}
    assert {*draws("schoen", two, None)} == middles
    assert {*draws("schoen-released", two, None)} == middles | {Click(3, 13, True), Click(11, 3, True)}


def test_schoens_sign_is_that_of_the_deeper_error_and_negative_on_a_tie() -> None:
    target, shown = rectangle(4, 4, 6, 6), rectangle(10, 4, 12, 6)
    assert {*draws("schoen", target, shown)} == {Click(11, 5, False)}
    assert {*draws("schoen", rectangle(4, 4, 8, 8), shown)} == {Click(6, 6, True)}


def test_schoen_clicks_anywhere_in_an_object_that_fills_the_image() -> None:
    found = draws("schoen", rectangle(0, 0, 39, 29), None)
    assert len({(c.x, c.y) for c in found}) > 150
    assert all(c.positive for c in found)


# --- realistic --------------------------------------------------------------------------------------------------------


def test_the_density_is_the_square_of_the_depth_and_nothing_at_the_edge() -> None:
    # a 5 x 5 part: depths 1 on the ring, 2 on the next one, 3 in the middle
    expected = np.zeros((7, 7))
    expected[2:5, 2:5] = 4 / 9
    expected[3, 3] = 1
    part = np.zeros((7, 7), np.bool_)
    part[1:6, 1:6] = True
    assert clickability(part) == pytest.approx(expected)


def test_a_part_without_an_inside_is_clicked_at_its_edge() -> None:
    part = np.array([[False, True, True, False]])
    assert clickability(part).tolist() == [[0, 1, 1, 0]]


def test_realistic_clicks_follow_the_density() -> None:
    # 5 x 5 object: the middle has weight 9, its 8 neighbours 4 each
    found = Counter((c.x, c.y) for c in draws("realistic", rectangle(5, 5, 9, 9), None, number=1000))
    assert set(found) == {(x, y) for x in (6, 7, 8) for y in (6, 7, 8)}
    assert found[7, 7] / 1000 == pytest.approx(9 / 41, abs=0.04)


def test_a_part_is_chosen_by_its_area_and_decides_the_sign() -> None:
    # 25 pixels missed, 75 wrongly shown
    target, shown = rectangle(2, 2, 6, 6), rectangle(15, 5, 29, 9)
    found = draws("realistic", target, shown, number=1000)
    assert sum(c.positive for c in found) / 1000 == pytest.approx(0.25, abs=0.045)
    assert all((c.x < 10) == c.positive for c in found)


def test_parts_that_touch_at_a_corner_are_one() -> None:
    # two 3 x 3 squares that meet at a corner: both middles have depth 2, and the density has nothing else
    target = both(rectangle(5, 5, 7, 7), rectangle(8, 8, 10, 10))
    found = Counter((c.x, c.y) for c in draws("realistic", target, None))
    assert set(found) == {(6, 6), (9, 9)}


def test_realistic_clicks_leave_out_clicked_pixels_until_none_is_left() -> None:
    clicks: tuple[Click, ...] = ()
    for k in range(9):
        click = realistic(rectangle(5, 5, 7, 7), None, clicks, EXTENT, np.random.default_rng(k))
        assert click is not None
        assert (click.x, click.y) not in {(c.x, c.y) for c in clicks}
        assert k > 0 or click == Click(6, 6, True)
        clicks = (*clicks, click)
    assert realistic(rectangle(5, 5, 7, 7), None, clicks, EXTENT, np.random.default_rng(9)) is None


def test_realistic_clicks_stay_away_from_the_frame_of_the_image() -> None:
    found = draws("realistic", rectangle(0, 0, 9, 9), None)
    assert min(min(c.x, c.y) for c in found) == 1


# --- careless ---------------------------------------------------------------------------------------------------------


def test_careless_clicks_slip_as_often_as_they_say() -> None:
    target = rectangle(10, 8, 30, 22)
    meant = next_click(target, None, (), EXTENT)
    for name, share in (("careless5", 0.05), ("careless10", 0.10)):
        slips = [c for c in draws(name, target, None, number=3000) if c != meant]
        assert len(slips) / 3000 == pytest.approx(share, abs=0.015)


def test_half_of_the_slips_have_the_wrong_sign_and_half_land_beside() -> None:
    target = rectangle(10, 8, 30, 22)
    meant = next_click(target, None, (), EXTENT)
    assert meant is not None
    found = [Careless(1.0)(target, None, (), EXTENT, np.random.default_rng(k)) for k in range(1000)]
    wrong = [c for c in found if c is not None and not c.positive]
    beside = [c for c in found if c is not None and c.positive]
    assert len(wrong) / 1000 == pytest.approx(0.5, abs=0.05)
    assert {(c.x, c.y) for c in wrong} == {(meant.x, meant.y)}
    distances = [math.hypot(c.x - meant.x, c.y - meant.y) for c in beside]
    assert min(distances) >= SLIP_LEAST - 1e-9
    assert max(distances) <= SLIP_MOST + 1e-9
    assert {(c.x > meant.x, c.y > meant.y) for c in beside} == {(a, b) for a in (True, False) for b in (True, False)}


def test_a_slip_out_of_the_image_ends_at_its_frame() -> None:
    target = rectangle(0, 0, 2, 2)
    found = [Careless(1.0)(target, None, (), EXTENT, np.random.default_rng(k)) for k in range(200)]
    places = {(c.x, c.y) for c in found if c is not None}
    assert (0, 0) in places
    assert min(min(place) for place in places) == 0


def test_who_never_slips_clicks_like_ritm() -> None:
    target, shown = rectangle(2, 2, 16, 6), rectangle(2, 2, 6, 6)
    found = {Careless(0.0)(target, shown, (), EXTENT, np.random.default_rng(k)) for k in range(50)}
    assert found == {Click(9, 4, True)}


def test_schoen_is_a_clicker_of_the_seam() -> None:
    assert clicker("schoen") is schoen
