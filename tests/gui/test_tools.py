"""A tool turns the mouse into acts; the canvas knows no more of it than its gestures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest

from samtta_app.core.types import Box, Click, Window
from samtta_app.gui.canvas.canvas import Canvas
from samtta_app.gui.canvas.tools import CTRL, LEFT, MIDDLE, RIGHT, SHIFT, PromptTool, ToolHand
from samtta_app.gui.widgets import theme
from samtta_app.session import acts
from samtta_app.session.acts import UserAct
from tests.gui.scenes import Recorder, annotation, disc, picture, preview, scene

NONE = Qt.KeyboardModifier.NoModifier
GREY = picture()


class Surface:
    """A canvas that shows two viewport pixels per image pixel."""

    image_scale = 2.0

    def __init__(self, **changes: object) -> None:
        self.state = replace(scene(image=GREY), **changes)  # type: ignore[arg-type]
        self.done: list[UserAct] = []
        self.bands: list[QRectF | None] = []
        self.moved = QPoint()

    def image_point(self, position: QPointF) -> QPointF:
        return position / 2

    def view_window(self) -> Window | None:
        return Window(1, 2, 30, 40)

    def show_band(self, rect: QRectF | None) -> None:
        self.bands.append(rect)

    def pan(self, moved: QPoint) -> None:
        self.moved += moved

    def do(self, act: UserAct) -> None:
        self.done.append(act)


def gesture(surface: Surface, start: tuple[int, int], stop: tuple[int, int], button=LEFT, keys=NONE) -> None:
    tool = PromptTool(surface)
    tool.press(QPointF(*start), button, keys)
    tool.move(QPointF(*stop))
    tool.release(QPointF(*stop), button, keys)


@pytest.fixture(autouse=True)
def _themed(qapp: object) -> None:
    theme.choose(qapp, "light")  # type: ignore[arg-type]


# --- clicks and boxes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("button", "keys", "positive"), [(LEFT, NONE, True), (RIGHT, NONE, False), (LEFT, SHIFT, False)]
)
def test_a_press_is_a_click_in_image_pixels_with_the_view(button, keys, positive: bool) -> None:
    surface = Surface()
    gesture(surface, (40, 60), (42, 61), button, keys)
    assert surface.done == [acts.PlaceClick(Click(20.0, 30.0, positive), Window(1, 2, 30, 40))]


def test_a_drag_is_a_box_with_a_band(qapp: object) -> None:
    surface = Surface()
    gesture(surface, (40, 60), (120, 20))
    assert surface.done == [acts.DrawBox(Box(20.0, 10.0, 60.0, 30.0), Window(1, 2, 30, 40))]
    assert surface.bands == [QRectF(19.5, 9.5, 41.0, 21.0), None]


def test_ctrl_selects() -> None:
    surface = Surface(annotations=(annotation(5, disc(40, 40, 20), GREY),))
    gesture(surface, (80, 80), (80, 80), LEFT, CTRL)
    gesture(surface, (2, 2), (2, 2), LEFT, CTRL)
    assert surface.done == [acts.Select(5), acts.Select(None)]


def test_a_gesture_that_is_dropped_does_nothing() -> None:
    surface = Surface()
    tool = PromptTool(surface)
    tool.press(QPointF(10, 10), LEFT, NONE)
    tool.drop()
    tool.release(QPointF(90, 90), LEFT, NONE)
    assert surface.done == []


def test_space_accepts_where_there_is_a_preview_and_other_keys_are_not_the_tools() -> None:
    without, shown = Surface(), Surface(preview=preview(GREY, (disc(40, 40, 9),)))
    assert PromptTool(without).key(Qt.Key.Key_Space)
    assert PromptTool(shown).key(Qt.Key.Key_Space)
    assert not PromptTool(shown).key(Qt.Key.Key_E)
    assert (without.done, shown.done) == ([], [acts.Accept()])


# --- the hand -----------------------------------------------------------------------------------------------------------


def test_the_hand_takes_the_middle_button_and_with_space_the_left_one() -> None:
    surface = Surface()
    hand = ToolHand(surface)
    assert not hand.press(QPointF(1, 1), LEFT)
    assert hand.press(QPointF(10, 10), MIDDLE)
    hand.move(QPointF(15, 8))
    assert surface.moved == QPoint(5, -2)
    hand.let_go()
    hand.space_down()
    assert hand.cursor() == Qt.CursorShape.OpenHandCursor
    assert hand.press(QPointF(1, 1), LEFT)
    assert hand.cursor() == Qt.CursorShape.ClosedHandCursor


def test_a_space_that_moved_the_picture_is_no_key() -> None:
    hand = ToolHand(Surface())
    hand.space_down()
    assert hand.space_up()
    hand.space_down()
    hand.press(QPointF(1, 1), LEFT)
    hand.let_go()
    assert not hand.space_up()
    assert not hand.space_up()


# --- another tool ---------------------------------------------------------------------------------------------------------


class Noting:
    """A tool that writes down what it is given, and knows the key B."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def press(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        self.heard.append("press")

    def move(self, at: QPointF) -> None:
        self.heard.append("move")

    def release(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        self.heard.append("release")

    def key(self, key: int) -> bool:
        self.heard.append(f"key {key}")
        return key == Qt.Key.Key_B

    def drop(self) -> None:
        self.heard.append("drop")

    def cursor(self, ratio: float) -> Qt.CursorShape:
        return Qt.CursorShape.PointingHandCursor


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(scene(image=GREY))


@pytest.fixture
def canvas(recorder: Recorder, qtbot) -> Iterator[Canvas]:
    made = Canvas(recorder)  # type: ignore[arg-type]
    recorder.drawn.connect(made.show_state)
    qtbot.addWidget(made)
    made.resize(640, 480)
    made.show()
    return made


def test_another_tool_gets_every_gesture_and_the_session_hears_nothing(canvas: Canvas, recorder: Recorder) -> None:
    noting = Noting()
    canvas.use_tool(noting)
    assert canvas.viewport().cursor().shape() == Qt.CursorShape.PointingHandCursor
    QTest.mousePress(canvas.viewport(), LEFT, NONE, QPoint(50, 50))
    QTest.mouseMove(canvas.viewport(), QPoint(90, 90))
    QTest.mouseRelease(canvas.viewport(), LEFT, NONE, QPoint(90, 90))
    assert noting.heard[0] == "press"
    assert noting.heard[-1] == "release"
    assert "move" in noting.heard
    assert recorder.calls == []


def test_a_tool_has_keys_of_its_own_and_a_space_that_moved_nothing(canvas: Canvas) -> None:
    noting = Noting()
    canvas.use_tool(noting)
    QTest.keyClick(canvas, Qt.Key.Key_B)
    QTest.keyClick(canvas, Qt.Key.Key_Space)
    assert noting.heard == [f"key {int(Qt.Key.Key_B)}", f"key {int(Qt.Key.Key_Space)}"]


def test_the_hand_moves_the_picture_under_any_tool(canvas: Canvas) -> None:
    noting = Noting()
    canvas.use_tool(noting)
    canvas.zoom_at(QPointF(320, 240), 4)
    before = canvas.view_window()
    QTest.mousePress(canvas.viewport(), MIDDLE, NONE, QPoint(300, 200))
    QTest.mouseMove(canvas.viewport(), QPoint(200, 150))
    QTest.mouseRelease(canvas.viewport(), MIDDLE, NONE, QPoint(200, 150))
    assert canvas.view_window() != before
    assert set(noting.heard) == {"drop"}


def test_a_change_of_tools_drops_what_is_under_way(canvas: Canvas, recorder: Recorder) -> None:
    first, second = Noting(), Noting()
    canvas.use_tool(first)
    QTest.mousePress(canvas.viewport(), LEFT, NONE, QPoint(50, 50))
    canvas.use_tool(second)
    assert first.heard == ["press", "drop"]
    assert second.heard == []
