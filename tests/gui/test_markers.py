"""What lies over the image keeps its size on the screen and shows on every ground."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QGraphicsItem, QGraphicsScene, QWidget
from pytestqt.qtbot import QtBot

from samtta_app.core.types import Click, Window
from samtta_app.gui.canvas.captions import Caption
from samtta_app.gui.canvas.markers import (
    ACCEPTED,
    COARSE,
    DISC,
    FROZEN_STYLE,
    PREVIEW,
    SELECTED,
    ClickItem,
    FrameItem,
    MapItem,
    MaskItem,
    crosshair,
)
from samtta_app.gui.canvas.overlay import outline, uncertainty_image
from samtta_app.gui.canvas.zoom import ZoomView
from tests.unit.values import disc


def drawn(item: QGraphicsItem, ground: str, side: int = 100, scale: float = 1.0) -> QImage:
    """The item over one colour, image point (0, 0) at the middle of pixel (0, 0)."""
    scene = QGraphicsScene()
    scene.setSceneRect(0, 0, side / scale, side / scale)
    scene.addItem(item)
    picture = QImage(side, side, QImage.Format.Format_RGB32)
    picture.fill(QColor(ground))
    painter = QPainter(picture)
    scene.render(painter, QRectF(0, 0, side, side), QRectF(-0.5, -0.5, side / scale, side / scale))
    painter.end()
    scene.removeItem(item)
    return picture


def test_accepted_masks_are_filled_at_35_percent_with_a_line_of_one_and_a_half_pixels() -> None:
    assert (ACCEPTED.fill, ACCEPTED.line, ACCEPTED.halo) == (0.35, 1.5, 0.0)


def test_selection_preview_and_twin_differ_in_more_than_colour() -> None:
    looks = {
        (style.line, style.halo, style.dashed, style.lighter) for style in (ACCEPTED, SELECTED, PREVIEW, FROZEN_STYLE)
    }
    assert len(looks) == 4
    assert PREVIEW.fill > ACCEPTED.fill


def test_no_line_reaches_farther_than_what_qt_repaints_around_an_item() -> None:
    assert max(max(style.line, style.halo) / 2 for style in (ACCEPTED, SELECTED, PREVIEW, FROZEN_STYLE)) < 2


def test_a_mask_that_is_small_on_the_screen_is_drawn_coarsely_but_in_the_same_place(qapp: QApplication) -> None:
    item = MaskItem(disc(50, 50, 30, 100, 100), QColor("red"), ACCEPTED)
    small, large = drawn(item, "white", 50, 0.5), drawn(item, "white", 200, 2.0)
    assert set(item._paths) == {0.0, 2 * COARSE}
    assert small.pixelColor(25, 25) == large.pixelColor(100, 100) == QColor(255, 166, 166)
    assert small.pixelColor(25, 5) == large.pixelColor(100, 20) == QColor("white")


def test_changing_a_look_does_not_trace_again(qapp: QApplication) -> None:
    item = MaskItem(disc(50, 50, 30, 100, 100), QColor("red"), ACCEPTED)
    drawn(item, "white")
    path = next(iter(item._paths.values()))
    item.set_look(QColor("blue"), SELECTED)
    assert drawn(item, "white").pixelColor(50, 50).blue() == 255
    assert next(iter(item._paths.values())) is path


def test_a_masks_rectangle_is_that_of_its_pixels() -> None:
    mask = disc(50, 50, 30, 100, 100)
    item = MaskItem(mask, QColor("red"), ACCEPTED)
    assert item.boundingRect() == outline(mask).boundingRect() == QRectF(19.5, 19.5, 61, 61)


@pytest.mark.parametrize("ground", ["white", "black", "#808080"])
def test_a_frame_shows_on_every_ground(qapp: QApplication, ground: str) -> None:
    frame = FrameItem(1.0)
    assert not frame.isVisible()
    frame.show_rect(QRectF(20, 20, 50, 50))
    picture = drawn(frame, ground)
    line = {picture.pixelColor(x, 20).name() for x in range(25, 65)}
    assert line == {"#000000", "#ffffff"}
    assert picture.pixelColor(40, 40) == QColor(ground)
    frame.show_rect(None)
    assert not frame.isVisible()


def test_a_click_is_sharp_wherever_it_lies(qtbot: QtBot) -> None:
    pictures = []
    for offset in (0.0, 0.3, 0.49):
        scene = QGraphicsScene(0, 0, 60, 60)
        view = ZoomView(scene)
        scene.setParent(view)
        qtbot.addWidget(view)
        view.resize(60, 60)
        scene.addItem(ClickItem(Click(30 + offset, 30 + offset, True)))
        view.set_extent(QRectF(0, 0, 60, 60))
        view.actual_size()
        pictures.append(view.grab().toImage())
    assert pictures[0] == pictures[1] == pictures[2]


def test_a_click_is_twelve_pixels_wide_with_its_halo_around(qapp: QApplication) -> None:
    item = ClickItem(Click(50, 50, False))
    picture = drawn(item, "#808080", 100)
    row = [picture.pixelColor(x, 52).name() for x in range(100)]
    coloured = [x for x, name in enumerate(row) if name == "#d55e00"]
    assert DISC - 3 <= len(coloured) <= DISC
    assert item.boundingRect().width() > DISC + 4


def test_the_uncertainty_map_leaves_the_padding_out(qapp: QApplication) -> None:
    item = MapItem(Window(10, 20, 60, 30), uncertainty_image(np.ones((16, 16), dtype=np.float32)))
    assert item.boundingRect() == QRectF(9.5, 19.5, 60, 30)
    picture = drawn(item, "white")
    assert picture.pixelColor(40, 30) != QColor("white")
    assert picture.pixelColor(40, 60) == QColor("white")
    assert picture.pixelColor(5, 30) == QColor("white")


def test_a_small_mask_is_kept_as_a_picture_and_traced_coarsely(qapp: QApplication) -> None:
    item = MaskItem(disc(60, 60, 50), QColor("#0072b2"), ACCEPTED)
    plain, kept = QGraphicsItem.CacheMode.NoCache, QGraphicsItem.CacheMode.DeviceCoordinateCache
    for zoom, mode in ((5.0, plain), (0.1, kept), (1.0, kept), (4.0, plain)):
        item.note_zoom(zoom)
        assert item.cacheMode() == mode
    corners = [item._path(zoom).elementCount() for zoom in (2.0, 1.0, 0.4, 0.05)]
    assert corners == sorted(corners, reverse=True)
    assert corners[-1] <= 10
    item.note_zoom(1.0)
    for style, mode in ((SELECTED, plain), (ACCEPTED, kept)):  # a picture would cut the halo
        item.set_look(QColor("#0072b2"), style)
        assert item.cacheMode() == mode


def test_a_picture_is_the_same_wherever_it_was_moved(qtbot: QtBot) -> None:
    scene = QGraphicsScene()
    view = ZoomView(scene)
    qtbot.addWidget(view)
    view.resize(200, 160)
    view.set_extent(QRectF(0, 0, 400, 300))
    item = MaskItem(disc(60, 60, 40), QColor("#0072b2"), ACCEPTED)
    item.note_zoom(0.7)
    scene.addItem(item)
    view.look_at(QPointF(60, 60), 0.7)
    shown = view.grab().toImage()
    assert shown.pixelColor(100, 80) != shown.pixelColor(5, 5)
    view.pan(QPoint(13, -7))
    moved = view.grab().toImage()
    assert moved.copy(13, 0, 187, 153) == shown.copy(0, 7, 187, 153)


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_the_pointer_is_sharp_and_marks_its_pixel(qapp: QApplication, ratio: float) -> None:
    cursor = crosshair(ratio)
    picture = cursor.pixmap().toImage()
    assert picture.width() == round(31 * ratio)
    middle = int(15.5 * ratio)
    assert picture.pixelColor(middle, middle).alpha() == 255
    assert picture.pixelColor(round(17.5 * ratio), middle).alpha() == 0, "the middle is open"
    assert QPointF(cursor.hotSpot()) == QPointF(15, 15)


def test_a_caption_is_hidden_while_it_says_nothing(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    caption = Caption(parent)
    assert caption.isHidden()
    caption.say("Original weights", "instead of version 3")
    assert not caption.isHidden()
    assert caption.text == "Original weights"
    wide = caption.width()
    caption.say("No")
    assert caption.width() < wide
    caption.say("")
    assert caption.isHidden()
