"""Images of every size are shown, smooth when small and crisp when large."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication, QGraphicsScene
from pytestqt.qtbot import QtBot

from samtta_app.core.types import Image, Window
from samtta_app.gui.canvas.tiles import TILE_SIDE, TILES_KEPT, ImageItem, level_for
from samtta_app.gui.canvas.zoom import ZoomView
from samtta_app.images.image_source import WholeSource


def image(pixels: NDArray[np.uint8]) -> Image:
    return Image("key", Path("a.png"), pixels, pixels)


def drawn(shown: Image, part: QRectF, width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3): `part` of the image (its own coordinates) as it is drawn on so many pixels."""
    scene, item = QGraphicsScene(), ImageItem()
    scene.addItem(item)
    item.set_image(shown)
    picture = QImage(width, height, QImage.Format.Format_RGB888)
    picture.fill(0)
    painter = QPainter(picture)
    scene.render(painter, QRectF(picture.rect()), part)
    painter.end()
    rows = np.frombuffer(picture.constBits(), dtype=np.uint8).reshape(height, picture.bytesPerLine())
    return rows[:, : 3 * width].reshape(height, width, 3).copy()


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_at_full_size_every_pixel_is_drawn_as_it_is_across_tile_borders(qapp: QApplication) -> None:
    pixels = noise(2 * TILE_SIDE + 37, TILE_SIDE + 53)
    found = drawn(
        image(pixels), QRectF(-0.5, -0.5, TILE_SIDE + 53, 2 * TILE_SIDE + 37), TILE_SIDE + 53, 2 * TILE_SIDE + 37
    )
    assert np.array_equal(found, pixels)


def test_tiles_of_a_file_are_fetched_on_a_thread_and_a_blurred_one_stands_in(qtbot: QtBot) -> None:
    pixels, gate = noise(2 * TILE_SIDE, 2 * TILE_SIDE), threading.Event()

    class Slow(WholeSource):
        def value_at(self, x: int, y: int) -> None:
            return None

        def read(self, window: Window, level: int = 0) -> NDArray[np.uint8]:
            assert threading.current_thread() is not threading.main_thread()
            if level == 0:
                assert gate.wait(10)
            return super().read(window, level)

    nothing = np.zeros((0, 0, 3), np.uint8)
    item, scene = ImageItem(), QGraphicsScene()
    scene.addItem(item)
    item.set_image(Image("key", Path("a.tif"), nothing, nothing, tiles=Slow(pixels)))

    def seen() -> NDArray[np.uint8]:
        picture = QImage(2 * TILE_SIDE, 2 * TILE_SIDE, QImage.Format.Format_RGB888)
        picture.fill(0)
        painter = QPainter(picture)
        scene.render(painter, QRectF(picture.rect()), item.boundingRect())
        painter.end()
        return np.frombuffer(picture.constBits(), np.uint8).reshape(2 * TILE_SIDE, 2 * TILE_SIDE, 3).copy()

    qtbot.waitUntil(lambda: abs(seen().mean() - pixels.mean()) < 2)  # the coarsest tile is there, and nothing finer
    gate.set()
    qtbot.waitUntil(lambda: np.array_equal(seen(), pixels))
    item.set_image(None)


def test_zoomed_in_pixels_are_squares_of_one_colour(qapp: QApplication) -> None:
    pixels = noise(6, 8)
    found = drawn(image(pixels), QRectF(-0.5, -0.5, 8, 6), 80, 60)
    assert np.array_equal(found, np.repeat(np.repeat(pixels, 10, axis=0), 10, axis=1))


def test_zoomed_out_the_mean_brightness_stays(qapp: QApplication) -> None:
    pixels = noise(1600, 1600)
    found = drawn(image(pixels), QRectF(-0.5, -0.5, 1600, 1600), 100, 100)
    assert abs(found.mean() - pixels.mean()) < 2
    assert found.std() < pixels.std() / 4, "pixels are averaged, not picked"


def test_no_seam_shows_between_tiles_at_odd_zooms(qapp: QApplication) -> None:
    pixels = np.full((1500, 1700, 3), 200, dtype=np.uint8)
    for width in (313, 777, 1111, 1699):
        found = drawn(image(pixels), QRectF(-0.5, -0.5, 1700, 1500), width, round(width * 1500 / 1700))
        assert found[2:-2, 2:-2].min() >= 199


@pytest.mark.parametrize("shape", [(3, 60_000), (60_000, 3), (1, 1)])
def test_images_of_extreme_shapes_are_shown_to_their_last_pixel(qapp: QApplication, shape: tuple[int, int]) -> None:
    pixels = np.zeros((*shape, 3), dtype=np.uint8)
    pixels[-1, -1] = 255
    last = QRectF(shape[1] - 1.5, shape[0] - 1.5, 1, 1)
    assert drawn(image(pixels), last, 10, 10).min() == 255
    whole = drawn(image(pixels), QRectF(-0.5, -0.5, shape[1], shape[0]), 60, 60)
    assert whole.shape == (60, 60, 3)


def test_only_the_tiles_that_are_seen_are_made_and_few_are_kept(qtbot: QtBot) -> None:
    pixels = np.zeros((8, TILE_SIDE * (TILES_KEPT + 40), 3), dtype=np.uint8)
    scene, item = QGraphicsScene(), ImageItem()
    view = ZoomView(scene)
    scene.setParent(view)
    scene.addItem(item)
    qtbot.addWidget(view)
    view.resize(100, 50)
    item.set_image(image(pixels))
    view.set_extent(item.boundingRect())
    view.actual_size()
    for step in range(2 * TILES_KEPT):
        view.grab()
        assert len(item._tiles) <= min(step + 2, TILES_KEPT)
        view.pan(QPoint(TILE_SIDE * (-1 if step < TILES_KEPT else 1), 0))
    item.set_image(None)
    assert item.boundingRect().isEmpty()
    assert not item._tiles


@pytest.mark.parametrize(
    ("zoom", "level"), [(64.0, 0), (1.0, 0), (0.51, 0), (0.5, 1), (0.26, 1), (0.25, 2), (0.001, 4)]
)
def test_the_level_has_a_pixel_for_each_pixel_of_the_screen(zoom: float, level: int) -> None:
    assert level_for(Window(0, 0, 16 * TILE_SIDE, 100), zoom) == level
