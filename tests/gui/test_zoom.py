"""Zooming keeps what is under the pointer, nothing drifts, and the picture cannot be lost."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QGraphicsScene
from pytestqt.qtbot import QtBot

from samtta_app.gui.canvas.zoom import CLOSEST, FIT_MARGIN, ZOOM_STEP, ZoomView

NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


@pytest.fixture
def view(qtbot: QtBot) -> ZoomView:
    scene = QGraphicsScene()
    made = ZoomView(scene)
    scene.setParent(made)
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    made.set_extent(QRectF(-0.5, -0.5, 1000, 500))
    return made


def wheel(
    view: ZoomView, at: QPointF, turned: QPoint, modifiers: Qt.KeyboardModifier = NONE, pixels: QPoint | None = None
) -> None:
    event = QWheelEvent(
        at, view.viewport().mapToGlobal(at), pixels or QPoint(), turned, Qt.MouseButton.NoButton, modifiers,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view.viewport(), event)


def under(view: ZoomView, at: QPointF) -> QPointF:
    return view.viewportTransform().inverted()[0].map(at)


def distance(a: QPointF, b: QPointF) -> float:
    return max(abs(a.x() - b.x()), abs(a.y() - b.y()))


def test_fit_shows_the_whole_image_with_a_margin_and_follows_the_size(view: ZoomView) -> None:
    for width, height in ((400, 300), (200, 300), (800, 200)):
        view.resize(width, height)
        assert view.visible_rect().contains(QRectF(-0.5, -0.5, 1000, 500))
        limit = min((width - 2 * FIT_MARGIN) / 1000, (height - 2 * FIT_MARGIN) / 500)
        assert view.zoom == pytest.approx(limit * view.devicePixelRatioF())


def test_the_wheel_zooms_and_leaves_the_point_under_the_pointer(view: ZoomView) -> None:
    at = QPointF(310, 190)
    before, zoom, pixel = under(view, at), view.zoom, 1 / view.transform().m11()
    for _ in range(9):
        wheel(view, at, QPoint(0, 120))
    assert view.zoom == pytest.approx(zoom * ZOOM_STEP**9)
    assert distance(under(view, at), before) < pixel


def test_zooming_in_and_out_again_comes_back_without_drift(view: ZoomView) -> None:
    view.actual_size()
    before, zoom = view.visible_rect(), view.zoom
    for _ in range(30):
        wheel(view, QPointF(311, 97), QPoint(0, 40))
    for _ in range(30):
        wheel(view, QPointF(311, 97), QPoint(0, -40))
    assert view.zoom == pytest.approx(zoom)
    assert distance(view.visible_rect().topLeft(), before.topLeft()) < 0.01


def test_ctrl_wheel_scrolls_and_the_setting_swaps_the_two(view: ZoomView) -> None:
    view.actual_size()
    zoom, left = view.zoom, view.visible_rect().left()
    wheel(view, QPointF(200, 150), QPoint(0, -120), CTRL)
    assert view.zoom == zoom
    assert view.visible_rect().top() > -0.5
    view.wheel = "scroll"
    wheel(view, QPointF(200, 150), QPoint(0, -120), SHIFT)
    assert view.visible_rect().left() > left
    wheel(view, QPointF(200, 150), QPoint(), pixels=QPoint(-7, 0))
    assert view.visible_rect().left() == pytest.approx(left + 67 / view.transform().m11())
    wheel(view, QPointF(200, 150), QPoint(0, 120), CTRL)
    assert view.zoom == pytest.approx(zoom * ZOOM_STEP)


def test_actual_size_puts_one_image_pixel_on_one_screen_pixel(view: ZoomView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.zoomed) as heard:
        view.actual_size()
    assert heard.args == [pytest.approx(1.0)]
    assert view.transform().m11() == pytest.approx(1 / view.devicePixelRatioF())


def test_keys_zoom_about_the_middle(view: ZoomView) -> None:
    middle = view.visible_rect().center()
    view.zoom_in()
    view.zoom_in()
    view.zoom_out()
    assert distance(view.visible_rect().center(), middle) < 1e-6


def test_zoom_has_ends(view: ZoomView) -> None:
    for _ in range(60):
        view.zoom_in()
    assert view.zoom == pytest.approx(CLOSEST)
    for _ in range(90):
        view.zoom_out()
    assert view.visible_rect().contains(QRectF(-0.5, -0.5, 1000, 500))
    assert view.zoom > 0.1


def test_the_picture_cannot_be_pushed_out_of_the_view(view: ZoomView) -> None:
    for step in (QPoint(5000, 5000), QPoint(-9000, -9000), QPoint(0, 9000)):
        view.pan(step)
        assert view.visible_rect().intersects(QRectF(-0.5, -0.5, 1000, 500))


def test_panning_moves_by_the_hands_pixels(view: ZoomView) -> None:
    view.actual_size()
    before = under(view, QPointF(100, 100))
    view.pan(QPoint(30, -20))
    assert distance(under(view, QPointF(130, 80)), before) < 1.01


def test_after_zooming_the_middle_is_kept_when_the_size_changes(view: ZoomView) -> None:
    view.actual_size()
    middle, zoom = view.visible_rect().center(), view.zoom
    view.resize(300, 400)
    assert view.zoom == zoom
    assert distance(view.visible_rect().center(), middle) < 1e-6


def test_a_view_without_an_image_takes_every_gesture(view: ZoomView) -> None:
    view.set_extent(QRectF())
    wheel(view, QPointF(10, 10), QPoint(0, 120))
    view.pan(QPoint(5, 5))
    view.actual_size()
    view.fit()
    assert view.zoom > 0


def test_a_place_is_looked_at_within_what_can_be_zoomed_to(view: ZoomView):
    assert view.fitted
    view.look_at(QPointF(30, 20), 8.0)
    assert not view.fitted
    assert view.zoom == pytest.approx(8.0)
    assert view.visible_rect().center() == QPointF(30, 20)
    view.look_at(QPointF(-5000, 20), 1e9)
    assert view.zoom == pytest.approx(CLOSEST)
    assert view.visible_rect().center().x() == pytest.approx(view._extent.left())
    view.fit()
    assert view.fitted
