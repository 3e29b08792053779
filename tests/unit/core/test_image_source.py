"""Pixels are asked for by window and level; an image in memory is the first to answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from samtta_app.core.types import Window
from samtta_app.images.image_source import WholeSource, source_of
from samtta_app.images.read import from_array


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_the_whole_of_level_nought_is_the_image() -> None:
    image = from_array(noise(30, 41))
    source = source_of(image)
    assert source.extent() == image.whole
    assert np.array_equal(source.read(image.whole), image.pixels)


@given(st.integers(0, 40), st.integers(0, 29), st.integers(1, 41), st.integers(1, 30))
def test_a_window_is_that_part_of_the_image(x: int, y: int, width: int, height: int) -> None:
    pixels = noise(30, 41)
    window = Window(x, y, min(width, 41 - x), min(height, 30 - y))
    found = WholeSource(pixels).read(window)
    assert found.shape == (window.height, window.width, 3)
    assert np.array_equal(found, pixels[y : y + window.height, x : x + window.width])


def test_a_window_is_read_without_a_copy() -> None:
    pixels = noise(30, 41)
    assert np.shares_memory(WholeSource(pixels).read(Window(3, 4, 5, 6)), pixels)


def test_each_level_is_half_the_one_before_with_odd_sides_rounded_up() -> None:
    source = WholeSource(noise(101, 77))
    extents = [source.extent(level) for level in range(4)]
    assert [(e.height, e.width) for e in extents] == [(101, 77), (51, 39), (26, 20), (13, 10)]
    assert [source.read(e, level).shape[:2] for level, e in enumerate(extents)] == [
        (101, 77),
        (51, 39),
        (26, 20),
        (13, 10),
    ]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (7, 1)])
def test_the_smallest_level_has_one_pixel_at_least(height: int, width: int) -> None:
    source = WholeSource(noise(height, width))
    assert source.extent(6) == Window(0, 0, 1, 1)
    assert source.read(Window(0, 0, 1, 1), 6).shape == (1, 1, 3)


def test_smaller_levels_are_averages_and_each_is_made_once() -> None:
    source = WholeSource(noise(64, 64))
    mean = source.read(source.extent(3), 3)
    assert mean.std() < 20
    assert abs(float(mean.mean()) - 127.5) < 5
    assert np.shares_memory(mean, source.read(Window(0, 0, 2, 2), 3))


def test_a_window_of_a_level_is_in_pixels_of_the_level() -> None:
    pixels = np.zeros((64, 64, 3), dtype=np.uint8)
    pixels[:, 32:] = 200
    source = WholeSource(pixels)
    assert source.read(Window(15, 0, 2, 1), 1)[0, :, 0].tolist() == [0, 200]
