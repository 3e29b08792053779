"""Relative size, connected parts and concavity of masks whose numbers are known."""

from __future__ import annotations

import numpy as np
import pytest

from samtta_app.core.mask_shape import MaskShape, mask_shape, mean_width
from samtta_app.core.types import Mask
from tests.unit.values import disc


def drawn(*rows: str) -> Mask:
    """A mask from its pixels, "#" for the object; it lies somewhere in the image."""
    return Mask(3, 2, np.array([[pixel == "#" for pixel in row] for row in rows]))


def test_a_rectangle_is_its_own_hull_and_one_part() -> None:
    assert mask_shape(drawn("####", "####"), 16, 8) == MaskShape(0.25, 1, 0.0)


def test_the_whole_image_has_size_one() -> None:
    assert mask_shape(Mask(0, 0, np.ones((8, 16), np.bool_)), 16, 8) == MaskShape(1.0, 1, 0.0)


def test_what_is_missing_to_the_hull_is_the_concavity() -> None:
    # the hull of the L is the square of nine pixels less the triangle beyond the line from (1, 0) to (3, 2)
    found = mask_shape(drawn("#..", "#..", "###"), 10, 10)
    assert found.parts == 1
    assert found.concavity == pytest.approx(1 - 5 / 7)


def test_a_hole_counts_as_concavity() -> None:
    assert mask_shape(drawn("###", "#.#", "###"), 10, 10).concavity == pytest.approx(1 / 9)


def test_parts_that_touch_at_a_corner_are_one() -> None:
    assert mask_shape(drawn("#..", ".#.", "..."), 10, 10).parts == 1
    assert mask_shape(drawn("#.#", "...", "#.."), 10, 10).parts == 3


def test_a_disc_is_convex_but_for_its_pixels() -> None:
    assert mask_shape(disc(50, 50, 40, 100, 100), 100, 100).concavity < 0.03


def test_a_single_pixel_and_nothing_at_all() -> None:
    assert mask_shape(drawn("#"), 10, 10) == MaskShape(pytest.approx(0.1), 1, 0.0)  # type: ignore[arg-type]
    assert mask_shape(drawn("."), 10, 10) == MaskShape(0.0, 0, 0.0)


def test_an_image_without_a_size_has_no_relative_size() -> None:
    assert mask_shape(drawn("#"), 0, 0) == MaskShape(0.0, 0, 0.0)


def test_where_the_mask_lies_changes_nothing() -> None:
    bits = np.random.default_rng(0).random((9, 9)) > 0.5
    assert mask_shape(Mask(0, 0, bits), 50, 50) == mask_shape(Mask(20, 30, bits), 50, 50)


def test_the_mean_width_is_that_of_a_stripe_and_half_a_discs_diameter() -> None:
    stripe = np.ones((6, 600), np.bool_)
    assert mean_width(Mask(0, 0, stripe)) == pytest.approx(6, rel=0.02)
    assert mean_width(Mask(0, 0, stripe.T)) == pytest.approx(6, rel=0.02)
    assert mean_width(disc(60, 60, 50, 128, 128)) == pytest.approx(50, rel=0.1)  # outlines in steps are a little longer
    ring = np.ones((40, 40), np.bool_)
    ring[4:-4, 4:-4] = False
    assert mean_width(Mask(0, 0, ring)) == pytest.approx(4, rel=0.2)


def test_one_pixel_is_one_wide_and_nothing_has_no_width() -> None:
    assert mean_width(drawn("#")) == 1.0
    assert mean_width(drawn("######")) == pytest.approx(1.2)
    assert mean_width(drawn("..")) == 0.0
