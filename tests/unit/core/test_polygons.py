"""A mask becomes a polygon and back without losing holes or parts, and a polygon that crosses itself is a mask as well."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samtta_app.core.mask_edits import joined, taken_off
from samtta_app.core.masks import full, trimmed
from samtta_app.core.metrics import iou
from samtta_app.core.polygons import crosses_itself, mask_of_rings, rings_of
from samtta_app.core.types import Mask, Window
from tests.unit.values import disc

EXTENT = Window(0, 0, 128, 96)
SQUARE = ((10.0, 10.0), (50.0, 10.0), (50.0, 40.0), (10.0, 40.0))
BOW_TIE = ((10.0, 10.0), (50.0, 50.0), (50.0, 10.0), (10.0, 50.0))


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.floats(0.2, 0.9))
def test_exact_rings_give_the_same_mask_again(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    mask = trimmed(rng.random((rng.integers(1, 25), rng.integers(1, 25))) < share, 20, 30)
    back = mask_of_rings(rings_of(mask, 0.0), EXTENT)
    wanted = full(mask, 96, 128)
    assert (full(back, 96, 128) == wanted).all()


def test_a_ring_about_a_hole_and_a_second_part_are_kept() -> None:
    mask = joined(taken_off(disc(50, 50, 30), disc(50, 50, 12)), disc(105, 40, 10))
    rings = rings_of(mask)
    assert len(rings) == 3
    back = mask_of_rings(rings, EXTENT)
    assert iou(back, mask) > 0.95
    assert not full(back, 96, 128)[50, 50]
    assert full(back, 96, 128)[40, 105]


def test_few_corners_are_enough_for_a_square() -> None:
    assert [len(ring) for ring in rings_of(mask_of_rings((SQUARE,), EXTENT))] == [4]
    assert mask_of_rings((SQUARE,), EXTENT).area == 41 * 31


def test_a_polygon_that_crosses_itself_is_both_its_lobes() -> None:
    assert crosses_itself(BOW_TIE)
    found = full(mask_of_rings((BOW_TIE,), EXTENT), 96, 128)
    assert found[30, 12]
    assert found[30, 48]
    assert not found[12, 30]
    assert not found[48, 30]


@pytest.mark.parametrize("ring", [SQUARE, SQUARE[:3], SQUARE[:1], ()])
def test_a_plain_ring_does_not_cross_itself(ring: tuple[tuple[float, float], ...]) -> None:
    assert not crosses_itself(ring)


def test_what_lies_outside_the_image_is_cut() -> None:
    wide = ((-500.0, -500.0), (900.0, -500.0), (900.0, 900.0), (-500.0, 900.0))
    assert mask_of_rings((wide,), EXTENT).area == 128 * 96
    assert mask_of_rings((tuple((x + 5000, y) for x, y in SQUARE),), EXTENT).area == 0
    assert mask_of_rings((wide,), Window(0, 0, 2, 2)).area == 4


def test_corners_that_are_no_numbers_are_left_out() -> None:
    assert mask_of_rings((((math.nan, 1.0), *SQUARE),), EXTENT).area == 41 * 31
    assert mask_of_rings((), EXTENT).area == 0
    assert mask_of_rings((((math.inf, 1.0),),), EXTENT).area == 0


def test_single_pixels_and_lines_survive() -> None:
    line = Mask(3, 4, np.ones((1, 7), np.bool_))
    assert mask_of_rings(rings_of(line), EXTENT).area == 7
    assert mask_of_rings(rings_of(Mask(9, 9, np.ones((1, 1), np.bool_))), EXTENT).area == 1
    assert rings_of(Mask(0, 0, np.zeros((1, 1), np.bool_))) == ()
