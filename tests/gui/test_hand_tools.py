"""Brush, eraser and polygon in the real window: real strokes, real keys, the image's own pixels at any zoom."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from samtta_app.core.masks import full, holds
from samtta_app.core.types import Mask
from samtta_app.gui.canvas.hand_tools import next_size
from samtta_app.gui.panels.candidates import CandidatesStrip
from samtta_app.session.workflow import handwork
from tests.gui.pointer import hovers
from tests.gui.sessions import Sitting

Key = Qt.Key
LEFT, RIGHT, NO_BUTTON = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.NoButton
NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
HEIGHT, WIDTH = 96, 128


def folder_with(folder: Path, height: int = HEIGHT, width: int = WIDTH) -> Path:
    folder.mkdir()
    for name in ("a.png", "b.png"):
        pixels = np.full((height, width, 3), 90, np.uint8)
        (folder / name).write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return folder


@pytest.fixture
def sitting(qtbot: QtBot, tmp_path: Path) -> Iterator[Sitting]:
    made = Sitting(qtbot, learn=False)
    made.opens(folder_with(tmp_path / "images"))
    yield made
    made.leaves()


def send(sitting: Sitting, kind: QEvent.Type, at: QPoint, button: Qt.MouseButton, held: Qt.MouseButton) -> None:
    """A mouse event as Qt reports it, with the button that is held in a move."""
    viewport = sitting.window.canvas.viewport()
    event = QMouseEvent(kind, QPointF(at), QPointF(viewport.mapToGlobal(at)), button, held, NONE)
    QApplication.sendEvent(viewport, event)


def strokes(sitting: Sitting, *points: tuple[float, float], button: Qt.MouseButton = LEFT) -> None:
    """Drag from point to point of the image, in four moves each."""
    begins(sitting, *points, button=button)
    send(sitting, QEvent.Type.MouseButtonRelease, sitting.place(*points[-1]), button, NO_BUTTON)
    sitting.wait(lambda: True)


def begins(sitting: Sitting, *points: tuple[float, float], button: Qt.MouseButton = LEFT) -> None:
    send(sitting, QEvent.Type.MouseButtonPress, sitting.place(*points[0]), button, button)
    for (ax, ay), (bx, by) in pairwise(points):
        for share in (0.25, 0.5, 0.75, 1.0):
            at = sitting.place(ax + share * (bx - ax), ay + share * (by - ay))
            send(sitting, QEvent.Type.MouseMove, at, NO_BUTTON, button)


def shown(sitting: Sitting) -> Mask:
    preview = sitting.state.preview
    assert preview is not None
    assert preview.candidate is not None
    return preview.candidate.mask


def turn(sitting: Sitting, notches: int) -> None:
    """Turn the wheel with Ctrl over the middle of the canvas."""
    viewport = sitting.window.canvas.viewport()
    at = QPointF(viewport.rect().center())
    event = QWheelEvent(
        at,
        QPointF(viewport.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        NO_BUTTON,
        CTRL,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)
    sitting.wait(lambda: True)


# --- brush and eraser ---------------------------------------------------------------------------------------------------


def test_a_mask_is_painted_erased_and_accepted_by_hand(sitting: Sitting) -> None:
    sitting.presses(Key.Key_B)
    strokes(sitting, (30, 40), (90, 40))
    assert holds(shown(sitting), 60, 40)
    strokes(sitting, (60, 40), (60, 40), button=RIGHT)
    assert not holds(shown(sitting), 60, 40)
    sitting.presses(Key.Key_B, SHIFT)
    strokes(sitting, (80, 30), (80, 50))
    assert not holds(shown(sitting), 80, 40)
    sitting.presses(Key.Key_Return)
    (found,) = sitting.state.annotations
    assert [record.kind for record in found.history] == ["brush", "erase", "erase"]
    sitting.presses(Key.Key_Z, CTRL)
    sitting.presses(Key.Key_Z, CTRL)
    assert holds(shown(sitting), 80, 40)


def test_a_stroke_is_seen_before_it_ends_and_is_gone_from_the_layer_afterwards(sitting: Sitting) -> None:
    canvas = sitting.window.canvas
    sitting.presses(Key.Key_B)
    before = canvas.viewport().grab().toImage().pixelColor(sitting.place(60, 40))
    begins(sitting, (30, 40), (90, 40))
    assert len(canvas.work.layer.strokes) == 1
    assert canvas.viewport().grab().toImage().pixelColor(sitting.place(60, 40)) != before
    assert sitting.state.preview is None
    send(sitting, QEvent.Type.MouseButtonRelease, sitting.place(90, 40), LEFT, NO_BUTTON)
    sitting.wait(lambda: sitting.state.preview is not None)
    assert canvas.work.layer.strokes == []


@pytest.mark.parametrize("zoom", [0.5, 12.0])
def test_a_brush_of_one_pixel_paints_one_pixel_at_any_zoom(sitting: Sitting, zoom: float) -> None:
    canvas = sitting.window.canvas
    canvas.zoom_at(QPointF(sitting.place(50, 40)), zoom)
    sitting.presses(Key.Key_B)
    for _ in range(20):
        sitting.presses(Key.Key_BracketLeft)
    assert sitting.state.display.size == 1.0
    strokes(sitting, (50, 40), (50, 40))
    found = shown(sitting)
    assert found.area == 1
    assert (found.x, found.y) == (50, 40)


def test_the_size_changes_with_brackets_and_with_ctrl_and_the_wheel(sitting: Sitting) -> None:
    zoom, size = sitting.window.canvas.zoom, sitting.state.display.size
    turn(sitting, 1)
    assert sitting.window.canvas.zoom == zoom  # the bare wheel zooms, so Ctrl scrolls
    assert sitting.state.display.size == size
    sitting.presses(Key.Key_B)
    turn(sitting, 2)
    assert sitting.state.display.size == pytest.approx(next_size(size, 2))
    turn(sitting, -2)
    sitting.presses(Key.Key_BracketRight)
    assert sitting.state.display.size > size
    assert sitting.window.canvas.zoom == zoom


def test_the_ring_is_as_large_as_the_brush(sitting: Sitting) -> None:
    sitting.presses(Key.Key_B)
    ring = sitting.window.canvas.work.layer.ring
    hovers(sitting.window.canvas.viewport(), sitting.place(50, 40))
    assert ring.isVisible()
    assert ring.radius == sitting.state.display.size / 2
    assert (ring.pos() - QPointF(50, 40)).manhattanLength() < 0.3
    sitting.presses(Key.Key_BracketRight)
    assert ring.radius == sitting.state.display.size / 2
    QApplication.sendEvent(sitting.window.canvas, QEvent(QEvent.Type.Leave))
    assert not ring.isVisible()


def test_a_stroke_outside_the_image_says_so_and_loses_nothing(sitting: Sitting) -> None:
    sitting.presses(Key.Key_B)
    strokes(sitting, (30, 40), (90, 40))
    area = shown(sitting).area
    strokes(sitting, (-19, 10), (-19, 60))
    assert handwork.OUTSIDE_STROKE in sitting.said
    assert shown(sitting).area == area
    assert sitting.window.canvas.work.layer.strokes == []


def test_clicks_and_strokes_are_mixed_on_one_object(sitting: Sitting) -> None:
    mask = sitting.previews((40, 40), (60, 50), (30, 60))
    sitting.presses(Key.Key_B)
    strokes(sitting, (110, 20), (118, 20))
    sitting.presses(Key.Key_B)
    assert sitting.state.display.tool == "prompt"
    assert shown(sitting).area > mask.area
    sitting.clicks(64, 48)
    sitting.wait(lambda: sitting.answered)
    assert holds(shown(sitting), 114, 20)
    assert [record.kind for record in sitting.state.preview.history][-2:] == ["brush", "click"]


def test_esc_drops_the_mask_and_then_the_tool(sitting: Sitting) -> None:
    sitting.presses(Key.Key_B)
    strokes(sitting, (30, 40), (90, 40))
    sitting.presses(Key.Key_Escape)
    assert sitting.state.preview is None
    assert sitting.state.display.tool == "brush"
    sitting.presses(Key.Key_Escape)
    assert sitting.state.display.tool == "prompt"


def test_two_hundred_strokes_in_a_row_are_all_painted(sitting: Sitting) -> None:
    sitting.presses(Key.Key_B)
    for k in range(200):
        place = sitting.place(10 + k % 100, 20 + 3 * (k // 10))
        send(sitting, QEvent.Type.MouseButtonPress, place, LEFT, LEFT)
        send(sitting, QEvent.Type.MouseButtonRelease, place, LEFT, NO_BUTTON)
    sitting.wait(lambda: sitting.state.preview is not None and len(sitting.state.preview.history) > 100)
    assert holds(shown(sitting), 109, 77)


def test_an_image_of_four_pixels_is_painted(qtbot: QtBot, tmp_path: Path) -> None:
    sitting = Sitting(qtbot, learn=False)
    sitting.opens(folder_with(tmp_path / "tiny", 2, 2))
    sitting.presses(Key.Key_B)
    strokes(sitting, (0, 0), (1, 1))
    assert shown(sitting).area == 4
    sitting.presses(Key.Key_P)
    sitting.presses(Key.Key_Return)
    assert len(sitting.state.annotations) == 1
    sitting.leaves()


def test_a_stroke_right_after_the_key_is_the_brush_s_although_nothing_was_drawn_in_between(sitting: Sitting) -> None:
    sitting.presses(Key.Key_B)
    sitting.presses(Key.Key_B)
    sitting.window.canvas.setFocus()
    QTest.keyClick(sitting.window.canvas, Key.Key_B)
    strokes(sitting, (30, 40), (90, 40))
    assert [record.kind for record in sitting.state.preview.history] == ["brush"]


def test_no_card_stands_over_a_drawn_mask(sitting: Sitting) -> None:
    sitting.presses(Key.Key_B)
    strokes(sitting, (30, 40), (90, 40))
    assert not sitting.window.findChild(CandidatesStrip).isVisible()


# --- shape --------------------------------------------------------------------------------------------------------------


def test_keys_change_the_shape(sitting: Sitting) -> None:
    sitting.presses(Key.Key_B)
    strokes(sitting, (30, 30), (90, 30), (90, 70), (30, 70), (30, 30))
    assert not holds(shown(sitting), 60, 50)
    sitting.presses(Key.Key_F, SHIFT)
    assert holds(shown(sitting), 60, 50)
    area = shown(sitting).area
    sitting.presses(Key.Key_BracketRight, Qt.KeyboardModifier.AltModifier)
    assert shown(sitting).area > area
    sitting.presses(Key.Key_BracketLeft, Qt.KeyboardModifier.AltModifier)
    sitting.presses(Key.Key_BracketLeft, Qt.KeyboardModifier.AltModifier)
    assert shown(sitting).area < area
    strokes(sitting, (110, 10), (110, 10))
    sitting.presses(Key.Key_L, SHIFT)
    assert not holds(shown(sitting), 110, 10)
    assert [record.kind for record in sitting.state.preview.history] == ["brush", *["shape"] * 4, "brush", "shape"]


# --- polygon ------------------------------------------------------------------------------------------------------------


def corner(sitting: Sitting, x: float, y: float, button: Qt.MouseButton = LEFT) -> None:
    QTest.mouseClick(sitting.window.canvas.viewport(), button, NONE, sitting.place(x, y))
    sitting.wait(lambda: True)


def square(sitting: Sitting) -> None:
    sitting.presses(Key.Key_P)
    for x, y in ((20, 20), (80, 20), (80, 70), (20, 70), (20, 20)):
        corner(sitting, x, y)


def test_a_polygon_is_clicked_dragged_and_its_corners_added_and_taken_away(sitting: Sitting) -> None:
    square(sitting)
    assert holds(shown(sitting), 50, 45)
    assert not holds(shown(sitting), 100, 45)
    (ring,) = sitting.state.preview.polygon
    assert len(ring) == 4
    strokes(sitting, (80, 45), (110, 45))
    assert holds(shown(sitting), 100, 45)
    assert len(sitting.state.preview.polygon[0]) == 5
    strokes(sitting, (110, 45), (95, 45))
    assert not holds(shown(sitting), 100, 45)
    corner(sitting, 95, 45, RIGHT)
    assert len(sitting.state.preview.polygon[0]) == 4
    for _ in range(3):
        sitting.presses(Key.Key_Z, CTRL)
    assert len(sitting.state.preview.polygon[0]) == 4
    sitting.presses(Key.Key_Return)
    assert [record.kind for record in sitting.state.annotations[0].history] == ["polygon"]


def test_enter_closes_a_ring_before_it_accepts_and_backspace_takes_its_last_corner(sitting: Sitting) -> None:
    sitting.presses(Key.Key_P)
    for x, y in ((20, 20), (80, 20), (80, 70), (40, 90)):
        corner(sitting, x, y)
    sitting.presses(Key.Key_Backspace)
    sitting.presses(Key.Key_Return)
    assert len(sitting.state.preview.polygon[0]) == 3
    assert sitting.state.annotations == ()
    sitting.presses(Key.Key_Return)
    assert len(sitting.state.annotations) == 1


def test_a_mask_becomes_a_polygon_and_a_ring_inside_is_a_hole(sitting: Sitting) -> None:
    sitting.presses(Key.Key_B)
    for _ in range(9):
        sitting.presses(Key.Key_BracketRight)
    strokes(sitting, (60, 50), (62, 50))
    area = shown(sitting).area
    sitting.presses(Key.Key_P)
    assert len(sitting.window.canvas.work.layer.polygon.corners) > 6
    for x, y in ((52, 45), (66, 45), (60, 58), (52, 45)):
        corner(sitting, x, y)
    assert len(sitting.state.preview.polygon) == 2
    assert not holds(shown(sitting), 59, 49)
    assert 0.75 * area < shown(sitting).area < area


def test_a_polygon_that_crosses_itself_is_kept_and_said(sitting: Sitting) -> None:
    sitting.presses(Key.Key_P)
    for x, y in ((20, 20), (80, 70), (80, 20), (20, 70), (20, 20)):
        corner(sitting, x, y)
    assert handwork.CROSSED in sitting.said
    assert full(shown(sitting), HEIGHT, WIDTH)[45, 30]


def test_an_open_ring_is_not_lost_to_another_tool_and_not_kept_on_another_image(sitting: Sitting) -> None:
    sitting.presses(Key.Key_P)
    for x, y in ((20, 20), (80, 20), (80, 70)):
        corner(sitting, x, y)
    sitting.presses(Key.Key_B)
    assert len(sitting.state.preview.polygon[0]) == 3
    sitting.presses(Key.Key_Escape)
    sitting.presses(Key.Key_P)
    corner(sitting, 20, 20)
    sitting.presses(Key.Key_D)
    sitting.wait(lambda: sitting.state.index == 1 and sitting.state.image is not None)
    assert sitting.window.canvas.work.layer.polygon.corners == []


def test_ctrl_and_a_click_select_whatever_the_tool(sitting: Sitting) -> None:
    sitting.presses(Key.Key_B)
    strokes(sitting, (30, 40), (90, 40))
    sitting.presses(Key.Key_Return)
    for tool in (Key.Key_P, Key.Key_B):
        sitting.presses(tool)
        sitting.clicks(60, 40, CTRL)
        assert sitting.state.selected == sitting.state.annotations[0].id
        sitting.clicks(2, 2, CTRL)
        assert sitting.state.selected is None
