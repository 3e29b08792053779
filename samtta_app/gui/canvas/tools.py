"""What the mouse does on the canvas: a tool turns presses, moves and releases into acts; the hand moves the picture.

A tool draws nothing and keeps nothing but the gesture that is under way. Points are those of the canvas's viewport.
"""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QCursor

from samtta_app.core.masks import holds
from samtta_app.core.types import Box, Click, Window
from samtta_app.gui.canvas.gestures import is_box
from samtta_app.gui.canvas.markers import crosshair
from samtta_app.gui.canvas.overlay import box_rect
from samtta_app.session import acts
from samtta_app.session.acts import UserAct
from samtta_app.session.state import State

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


class ToolSurface(Protocol):
    """What a tool works on: the canvas."""

    @property
    def state(self) -> State:
        """What is drawn."""

    @property
    def image_scale(self) -> float:
        """Viewport pixels per image pixel."""

    def image_point(self, position: QPointF) -> QPointF:
        """The image point under a point of the viewport."""

    def view_window(self) -> Window | None:
        """The part of the image on the screen, None for all of it."""

    def show_band(self, rect: QRectF | None) -> None:
        """Draw a rubber band in image pixels, or take it away."""

    def pan(self, moved: QPoint) -> None:
        """Move the picture by this many viewport pixels."""

    def do(self, act: UserAct) -> None:
        """Do what the user asked for."""


class Tool(Protocol):
    """One way to work on the image: it handles the mouse, and the keys of its own."""

    def press(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        """A button went down."""

    def move(self, at: QPointF) -> None:
        """The pointer moved, with or without a button."""

    def release(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        """A button went up."""

    def key(self, key: int) -> bool:
        """A key was typed; returns whether the tool used it. All others belong to the window's actions."""

    def drop(self) -> None:
        """Forget the gesture that is under way: another tool took over, or the keyboard went elsewhere."""

    def cursor(self, ratio: float) -> QCursor | Qt.CursorShape:
        """The pointer's shape over an image, for a screen's ratio of device pixels to pixels."""


def annotation_at(state: State, point: QPointF) -> int | None:
    """The uppermost object at an image point, None where there is none."""
    found = [a.id for a in state.annotations if holds(a.mask, point.x(), point.y())]
    return found[-1] if found else None


def meant_by_ctrl(state: State, point: QPointF, modifiers: Qt.KeyboardModifier) -> UserAct:
    """What Ctrl and a click mean: select the object there, or with Shift merge it with the selected one."""
    found = annotation_at(state, point)
    merges = modifiers & SHIFT and state.selected is not None and found not in (None, state.selected)
    return acts.MergeObjects(found) if merges and found is not None else acts.Select(found)


class PromptTool:
    """Clicks and boxes: left includes, right or Shift + left excludes, a left drag is a box, Ctrl + left selects.

    Ctrl + Shift + left merges the object there with the selected one.

    Space accepts the preview.
    """

    def __init__(self, surface: ToolSurface) -> None:
        self._surface = surface
        self._pressed: QPointF | None = None

    def press(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        """Begin a click or a box; the right button clicks at once."""
        if button == LEFT:
            self._pressed = at
        elif button == RIGHT and self._pressed is None:
            self._click(at, positive=False)

    def move(self, at: QPointF) -> None:
        """Stretch the box."""
        if self._pressed is not None:
            drawn = self._drawn(self._pressed, at)
            self._surface.show_band(box_rect(self._stretched(self._pressed, at)) if drawn else None)

    def release(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        """End the gesture; this is when the session hears of it."""
        pressed = self._pressed
        if button != LEFT or pressed is None:
            return
        self.drop()
        if self._drawn(pressed, at):
            self._surface.do(acts.DrawBox(self._stretched(pressed, at), self._surface.view_window()))
        elif modifiers & CTRL:
            self._surface.do(meant_by_ctrl(self._surface.state, self._surface.image_point(pressed), modifiers))
        else:
            self._click(pressed, positive=not modifiers & SHIFT)

    def key(self, key: int) -> bool:
        """Space accepts a preview."""
        if key != Qt.Key.Key_Space:
            return False
        if self._surface.state.preview is not None:
            self._surface.do(acts.Accept())
        return True

    def drop(self) -> None:
        """No box is drawn any more."""
        self._pressed = None
        self._surface.show_band(None)

    def cursor(self, ratio: float) -> QCursor | Qt.CursorShape:
        """A cross with a free middle."""
        return crosshair(ratio)

    def _click(self, at: QPointF, *, positive: bool) -> None:
        if self._surface.state.image is not None:
            point = self._surface.image_point(at)
            self._surface.do(acts.PlaceClick(Click(point.x(), point.y(), positive), self._surface.view_window()))

    def _drawn(self, pressed: QPointF, at: QPointF) -> bool:
        """Whether a box was drawn between two points."""
        return self._surface.state.image is not None and is_box(at - pressed, self._surface.image_scale)

    def _stretched(self, pressed: QPointF, at: QPointF) -> Box:
        """The box between two points, cut to the image."""
        corners = QRectF(self._surface.image_point(pressed), self._surface.image_point(at)).normalized()
        image = self._surface.state.image
        right, bottom = (image.width - 1.0, image.height - 1.0) if image is not None else (0.0, 0.0)
        xs = [min(max(x, 0.0), right) for x in (corners.left(), corners.right())]
        ys = [min(max(y, 0.0), bottom) for y in (corners.top(), corners.bottom())]
        return Box(xs[0], ys[0], xs[1], ys[1])


class ToolHand:
    """Moves the picture, whatever the tool: with the middle button, or with the left one while Space is down."""

    def __init__(self, surface: ToolSurface) -> None:
        self._surface = surface
        self._grip: QPoint | None = None
        self._space = self._space_used = False

    @property
    def grips(self) -> bool:
        """Whether the picture is being moved."""
        return self._grip is not None

    def press(self, at: QPointF, button: Qt.MouseButton) -> bool:
        """Begin to move the picture; returns whether the button is one of the hand's."""
        if button != MIDDLE and not (button == LEFT and self._space):
            return False
        self._grip, self._space_used = at.toPoint(), self._space
        return True

    def move(self, at: QPointF) -> None:
        """Move the picture with the pointer."""
        if self._grip is not None:
            self._surface.pan(at.toPoint() - self._grip)
            self._grip = at.toPoint()

    def space_down(self) -> None:
        """Space turns the left button into a hand."""
        self._space, self._space_used = True, False

    def space_up(self) -> bool:
        """Space is released; returns whether nothing was moved, so that it counts as an ordinary key."""
        held, self._space = self._space, False
        return held and not self._space_used

    def let_go(self, *, space: bool = False) -> None:
        """The picture is not held any more, and with `space` no key is."""
        self._grip = None
        if space:
            self._space = False

    def cursor(self) -> Qt.CursorShape | None:
        """The hand's shape, None while the tool's is shown."""
        if self._grip is not None:
            return Qt.CursorShape.ClosedHandCursor
        return Qt.CursorShape.OpenHandCursor if self._space else None
