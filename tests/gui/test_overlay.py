"""Outlines follow pixels exactly, and arrays become the pictures that they describe."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from samtta_app.core.types import Mask, Window
from samtta_app.gui.canvas.overlay import (
    coarse_outline,
    outline,
    padded_rect,
    pixel_rect,
    rgb_image,
    rgba_image,
    tinted,
    uncertainty_image,
)
from samtta_app.gui.widgets.theme import uncertainty_map
from tests.unit.values import disc

BITMAPS = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(lambda shape: arrays(np.bool_, shape))


def colours(image: QImage) -> NDArray[np.uint8]:
    """(H, W, 4) RGBA with straight alpha."""
    straight = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(straight.constBits(), dtype=np.uint8).reshape(straight.height(), straight.bytesPerLine())
    return rows[:, : 4 * straight.width()].reshape(straight.height(), straight.width(), 4).copy()


@settings(max_examples=200, deadline=None)
@given(bits=BITMAPS, x=st.integers(-5, 5), y=st.integers(-5, 5))
def test_an_outline_holds_exactly_the_middles_of_the_object_pixels(bits: NDArray[np.bool_], x: int, y: int) -> None:
    path = outline(Mask(x, y, bits))
    found = [[path.contains(QPointF(x + c, y + r)) for c in range(bits.shape[1])] for r in range(bits.shape[0])]
    assert np.array_equal(np.array(found), bits)


def test_the_outline_of_one_pixel_is_its_square() -> None:
    path = outline(Mask(3, 4, np.ones((1, 1), dtype=np.bool_)))
    assert path.boundingRect() == QRectF(2.5, 3.5, 1, 1)


def test_an_empty_mask_has_no_outline() -> None:
    assert outline(Mask(3, 4, np.zeros((2, 2), dtype=np.bool_))).isEmpty()


def test_a_hole_and_a_second_part_have_outlines_of_their_own() -> None:
    bits = np.zeros((9, 16), dtype=np.bool_)
    bits[1:8, 1:8] = True
    bits[3:6, 3:6] = False
    bits[2:5, 11:14] = True
    path = outline(Mask(0, 0, bits))
    assert len(path.toSubpathPolygons()) == 3
    assert not path.contains(QPointF(4, 4))
    assert path.contains(QPointF(12, 3))


@pytest.mark.parametrize("tolerance", [0.7, 2.0])
def test_a_coarse_outline_has_fewer_corners_and_stays_within_its_tolerance(tolerance: float) -> None:
    mask = disc(60, 50, 30)
    exact, coarse = outline(mask), outline(mask, tolerance)
    assert coarse.elementCount() < exact.elementCount() / 2
    rows, columns = np.mgrid[15:85, 25:95]
    away = np.abs(np.hypot(rows - 50, columns - 60) - 30)
    for x, y in zip(columns[away > tolerance + 1], rows[away > tolerance + 1], strict=True):
        assert coarse.contains(QPointF(x, y)) == exact.contains(QPointF(x, y))


def test_a_filled_outline_gives_the_bitmap_back() -> None:
    bits = np.random.default_rng(0).random((200, 300)) < 0.5
    shown = QImage(300, 200, QImage.Format.Format_Grayscale8)
    shown.fill(0)
    painter = QPainter(shown)
    painter.translate(0.5, 0.5)
    painter.fillPath(outline(Mask(0, 0, bits)), QColor("white"))
    painter.end()
    rows = np.frombuffer(shown.constBits(), dtype=np.uint8).reshape(200, shown.bytesPerLine())[:, :300]
    assert np.array_equal(rows > 127, bits)


def test_a_tinted_mask_is_clear_outside_and_has_the_colour_inside() -> None:
    bits = np.array([[True, False], [False, True]])
    found = colours(tinted(Mask(0, 0, bits), QColor("#e69f00"), 1.0))
    assert found[..., 3].tolist() == [[255, 0], [0, 255]]
    assert found[0, 0, :3].tolist() == [0xE6, 0x9F, 0x00]


def test_the_uncertainty_picture_is_clear_where_the_model_is_sure_and_uses_the_whole_map() -> None:
    found = colours(uncertainty_image(np.array([[0.0, 1.0, np.nan, 7.0]], dtype=np.float32)))
    assert found[0, :, 3].tolist() == [0, uncertainty_map()[255, 3], 0, uncertainty_map()[255, 3]]
    assert np.abs(found[0, 1].astype(int) - uncertainty_map()[255]).max() <= 1


def test_pictures_keep_their_own_memory_and_every_pixel() -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    wanted, shown = rgb.copy(), rgb_image(rgb[:, ::-1])
    rgb[:] = 0
    assert np.array_equal(colours(shown)[..., :3], wanted[:, ::-1])
    rgba = np.full((2, 3, 4), 255, dtype=np.uint8)
    assert colours(rgba_image(rgba)).tolist() == rgba.tolist()


def test_a_window_covers_its_pixels_to_their_edges_and_a_map_its_padding_too() -> None:
    window = Window(10, 20, 30, 50)
    assert pixel_rect(window) == QRectF(9.5, 19.5, 30, 50)
    assert padded_rect(window) == QRectF(9.5, 19.5, 50, 50)


def test_a_quick_outline_keeps_parts_and_holes() -> None:
    bits = np.zeros((80, 80), np.bool_)
    bits[10:70, 10:70] = True
    bits[30:50, 30:50] = False
    bits[2:6, 2:6] = True
    path = coarse_outline(Mask(100, 200, bits), 1.4)
    assert path.elementCount() <= 15
    for x, y, inside in ((20, 20, True), (40, 40, False), (4, 4, True), (75, 75, False)):
        assert path.contains(QPointF(100 + x, 200 + y)) == inside
