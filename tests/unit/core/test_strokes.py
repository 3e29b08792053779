"""A stroke paints the pixels whose centre the brush covers, and nothing outside the image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from samtta_app.core.masks import full
from samtta_app.core.strokes import LARGEST_BRUSH, stroke_mask
from samtta_app.core.types import Window

HEIGHT, WIDTH = 40, 60
EXTENT = Window(0, 0, WIDTH, HEIGHT)


def distance_to_line(points: list[tuple[float, float]]) -> NDArray[np.float64]:
    """Distance of every pixel's centre to the line through the points, one piece at a time."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    nearest = np.full((HEIGHT, WIDTH), math.inf)
    for (ax, ay), (bx, by) in zip(points, points[1:] or points, strict=False):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        share = np.clip(((columns - ax) * (bx - ax) + (rows - ay) * (by - ay)) / (length or 1.0), 0, 1)
        nearest = np.minimum(nearest, np.hypot(columns - ax - share * (bx - ax), rows - ay - share * (by - ay)))
    return nearest


places = st.tuples(st.floats(-20, 80, width=16), st.floats(-20, 60, width=16))


@settings(max_examples=60)
@given(st.lists(places, min_size=1, max_size=5), st.floats(2, 30, width=16))
def test_a_stroke_is_every_pixel_within_the_radius_and_no_other(points, size: float) -> None:
    found = full(stroke_mask(points, size, EXTENT), HEIGHT, WIDTH)
    away = distance_to_line(points)
    assert found[away <= size / 2 - 1e-6].all()
    assert not found[away > size / 2 + 1e-6].any() or size < 2


@pytest.mark.parametrize(("x", "y"), [(10, 10), (10.4, 9.6), (0, 0), (59, 39)])
def test_a_brush_of_one_pixel_paints_the_pixel_under_the_pointer(x: float, y: float) -> None:
    found = stroke_mask([(x, y)], 1.0, EXTENT)
    assert (found.area, found.x, found.y) == (1, round(x), round(y))


def test_a_fine_line_has_no_gap() -> None:
    found = full(stroke_mask([(5.0, 7.0), (40.0, 7.0)], 1.0, EXTENT), HEIGHT, WIDTH)
    assert found[7, 5:41].all()
    assert found.sum() == 36


@pytest.mark.parametrize("points", [[(-50.0, -50.0)], [(200.0, 5.0), (300.0, 5.0)], [], [(math.nan, 3.0)]])
def test_a_stroke_outside_the_image_is_empty(points: list[tuple[float, float]]) -> None:
    assert stroke_mask(points, 9.0, EXTENT).area == 0


def test_a_stroke_across_the_border_is_cut() -> None:
    found = stroke_mask([(-5.0, 20.0), (1e30, 20.0)], 5.0, EXTENT)
    assert (found.x, found.y) == (0, 18)
    assert found.bits.shape == (5, WIDTH)


def test_no_number_is_too_large_and_no_brush_either() -> None:
    assert stroke_mask([(3.0, 3.0)], 1e9, Window(0, 0, 2000, 4)).bits.shape == (4, round(LARGEST_BRUSH / 2) + 4)
    assert stroke_mask([(3.0, math.inf), (2.0, 2.0)], 1.0, EXTENT).area == 1


def test_an_image_of_four_pixels_can_be_painted() -> None:
    assert stroke_mask([(0.4, 0.6)], 1.0, Window(0, 0, 2, 2)).area == 1
    assert stroke_mask([(0.0, 0.0), (5.0, 5.0)], 40.0, Window(0, 0, 2, 2)).area == 4
