"""What a hand does to a mask keeps to its pixels: nothing is lost at the image's border, and nothing vanishes unasked."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samtta_app.core.mask_edits import (
    MOST_SAMPLES,
    SURE_LOGIT,
    ShapeChange,
    drawn_logits,
    halves,
    holds_mask,
    joined,
    moved_mask,
    reshaped,
    taken_off,
    without_part,
)
from samtta_app.core.masks import full, trimmed
from samtta_app.core.types import Logits, Mask, Window
from tests.unit.values import disc

HEIGHT, WIDTH = 96, 128
EXTENT = Window(0, 0, WIDTH, HEIGHT)
TINY = Window(0, 0, 2, 2)


def bits_of(mask: Mask) -> np.ndarray:
    return full(mask, HEIGHT, WIDTH)


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    bits = rng.random((rng.integers(1, 20), rng.integers(1, 20))) < draw(st.floats(0.1, 0.9))
    return trimmed(bits, int(rng.integers(0, WIDTH - 20)), int(rng.integers(0, HEIGHT - 20)))


@given(masks(), masks())
def test_joining_and_taking_off_are_those_of_sets(one: Mask, other: Mask) -> None:
    assert (bits_of(joined(one, other)) == (bits_of(one) | bits_of(other))).all()
    assert (bits_of(taken_off(one, other)) == (bits_of(one) & ~bits_of(other))).all()
    assert joined(None, one) is one


@given(masks(), st.sampled_from(get_args(ShapeChange)))
@settings(max_examples=150)
def test_no_change_of_shape_leaves_the_image_or_nothing(mask: Mask, change: ShapeChange) -> None:
    found = reshaped(mask, change, EXTENT)
    assert holds_mask(EXTENT, found)
    assert (found.area > 0) == (mask.area > 0)
    before, after = bits_of(mask), bits_of(found)
    if change in ("fill_holes", "grow"):
        assert after[before].all()
    elif change in ("drop_crumbs", "largest_part", "shrink"):
        assert before[after].all()


def test_holes_are_filled_and_bays_are_not() -> None:
    mask = taken_off(taken_off(disc(60, 50, 30), disc(60, 50, 10)), disc(90, 50, 8))
    found = reshaped(mask, "fill_holes", EXTENT)
    assert (bits_of(found) == (bits_of(disc(60, 50, 30)) & ~bits_of(disc(90, 50, 8)))).all()


def test_crumbs_go_and_the_largest_part_stays() -> None:
    second, crumb = disc(100, 40, 12), disc(10, 10, 2)
    mask = joined(joined(disc(50, 50, 20), second), crumb)
    assert reshaped(mask, "drop_crumbs", EXTENT).area == mask.area - crumb.area
    assert reshaped(mask, "largest_part", EXTENT).area == disc(50, 50, 20).area


def test_growing_and_shrinking_move_the_outline_by_a_pixel() -> None:
    square = Mask(20, 30, np.ones((10, 12), np.bool_))
    grown = reshaped(square, "grow", EXTENT)
    assert (grown.x, grown.y, grown.bits.shape) == (19, 29, (12, 14))
    assert grown.area == 120 + 2 * (10 + 12)
    shrunk = reshaped(square, "shrink", EXTENT)
    assert (shrunk.x, shrunk.y, shrunk.bits.shape) == (21, 31, (8, 10))


def test_the_border_of_the_image_shrinks_nothing() -> None:
    corner = Mask(0, 0, np.ones((10, 10), np.bool_))
    shrunk = reshaped(corner, "shrink", EXTENT)
    assert (shrunk.x, shrunk.y, shrunk.bits.shape) == (0, 0, (9, 9))
    everything = Mask(0, 0, np.ones((2, 2), np.bool_))
    for change in get_args(ShapeChange):
        assert reshaped(everything, change, TINY).area == 4


@pytest.mark.parametrize("change", ["shrink", "smooth"])
def test_what_would_vanish_stays(change: ShapeChange) -> None:
    pixel = Mask(5, 5, np.ones((1, 1), np.bool_))
    assert reshaped(pixel, change, EXTENT) is pixel


def test_smoothing_takes_a_spike_off_and_fills_a_notch() -> None:
    bits = np.zeros((40, 40), np.bool_)
    bits[10:30, 10:30] = True
    bits[20, 30:38] = True
    bits[20, 10:14] = False
    found = full(reshaped(Mask(0, 0, bits), "smooth", EXTENT), 40, 40)
    assert not found[20, 32:].any()
    assert found[20, 11:29].all()


@given(masks(), st.tuples(*[st.floats(0, 130, width=16)] * 4))
def test_a_cut_loses_no_pixel(mask: Mask, line: tuple[float, float, float, float]) -> None:
    one, other = halves(mask, line[:2], line[2:])
    assert one.area + other.area == mask.area
    assert (bits_of(joined(one, other)) == bits_of(mask)).all()


def test_a_cut_through_the_middle_gives_equal_sides_but_for_the_line() -> None:
    one, other = halves(disc(60, 50, 20), (60, 0), (60, 90))
    assert other.area + one.area == disc(60, 50, 20).area
    assert abs(one.area - other.area) == 41


def test_a_moved_mask_is_cut_at_the_border() -> None:
    assert moved_mask(disc(60, 50, 10), 5, -3, EXTENT).area == disc(60, 50, 10).area
    assert 0 < moved_mask(disc(5, 5, 4), -5, 0, EXTENT).area < disc(5, 5, 4).area
    assert moved_mask(disc(60, 50, 10), 500, 0, EXTENT).area == 0


def test_the_part_under_a_point_goes() -> None:
    both = joined(disc(30, 30, 8), disc(90, 60, 8))
    assert bits_of(without_part(both, 30, 30)).sum() == disc(90, 60, 8).area
    assert without_part(both, 1, 1) is both


def test_drawn_logits_speak_of_what_was_changed_and_leave_the_rest() -> None:
    before, window = disc(40, 50, 16), EXTENT
    said = Logits(window, np.full((64, 64), -1.25, np.float32))
    after = joined(before, Mask(90, 40, np.ones((20, 20), np.bool_)))
    found = drawn_logits(after, window, said, before)
    assert found.values.shape == (64, 64)
    assert found.values[50 // 2, 100 // 2] == SURE_LOGIT
    assert found.values[5, 5] == -1.25
    assert found.values[50 // 2, 40 // 2] == -1.25


def test_logits_of_a_mask_from_nothing_are_the_mask() -> None:
    found = drawn_logits(disc(60, 50, 20), EXTENT)
    assert found.values.shape == (256, 256)
    assert (found.values[100, 120], found.values[2, 2]) == (SURE_LOGIT, -SURE_LOGIT)


def test_logits_over_a_huge_window_cost_no_more_memory() -> None:
    window = Window(0, 0, 40 * MOST_SAMPLES, 3 * MOST_SAMPLES)
    found = drawn_logits(Mask(20 * MOST_SAMPLES, 0, np.ones((3 * MOST_SAMPLES, MOST_SAMPLES), np.bool_)), window)
    assert found.values[5, 130] == SURE_LOGIT
    assert found.values[5, 100] == -SURE_LOGIT
