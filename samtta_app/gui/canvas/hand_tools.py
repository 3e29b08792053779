"""Brush, eraser and cut: tools that turn the mouse into acts by hand. What is under way is drawn by the layer at once."""

from __future__ import annotations

import math
from typing import Protocol

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QCursor

from samtta_app.gui.canvas.hand_items import HandLayer, StrokeItem
from samtta_app.gui.canvas.markers import WHITE, crosshair
from samtta_app.gui.canvas.tools import CTRL, LEFT, RIGHT, Tool, ToolSurface, meant_by_ctrl
from samtta_app.gui.widgets.theme import class_colour
from samtta_app.session import acts
from samtta_app.session.state import State

NEAR = 9.0
"""A corner or a line is meant by the pointer up to this distance, in viewport pixels."""

BRUSH_STEP = 1.2
"""Factor of one key or one notch of the wheel; it changes the size by at least one pixel."""

_SPACING = 0.1
"""Points of a stroke are at least this share of the brush apart, or half a pixel: closer ones change no pixel to speak of."""


class HandTool(Tool, Protocol):
    """A tool that follows the state, and has keys that are otherwise actions of the window."""

    def refresh(self) -> None:
        """The state or the zoom has changed."""

    def takes(self, key: int) -> bool:
        """Whether a key now belongs to the tool, and not to the window's actions."""

    def leave(self) -> None:
        """The pointer has left the image."""

    def finish(self) -> None:
        """Another tool takes over: end what can be ended, and take away what was drawn."""


def next_size(size: float, steps: float) -> float:
    """The brush's size after some steps up or down."""
    scaled = size * math.pow(BRUSH_STEP, steps)
    return max(scaled, size + steps) if steps > 0 else min(scaled, size + steps)


class BrushTool:
    """Paints with the left button and erases with the right one; the eraser the other way round. Ctrl + left selects."""

    def __init__(self, surface: ToolSurface, layer: HandLayer, *, erase: bool) -> None:
        self._surface, self._layer, self._erase = surface, layer, erase
        self._points: list[tuple[float, float]] = []
        self._under_way: StrokeItem | None = None
        self._button, self._erasing = LEFT, False
        self._hover: QPointF | None = None

    def press(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        """Begin a stroke."""
        state = self._surface.state
        if self._under_way is not None or button not in (LEFT, RIGHT) or state.image is None:
            return
        point = self._surface.image_point(at)
        if button == LEFT and modifiers & CTRL:
            self._surface.do(meant_by_ctrl(state, point, modifiers))
            return
        self._button, self._erasing = button, self._erase != (button == RIGHT or bool(modifiers & _SHIFT))
        self._points = [rounded_point(point)]
        self._under_way = self._layer.add_stroke(self._points, self._size, _stroke_colour(state, erase=self._erasing))

    def move(self, at: QPointF) -> None:
        """Go on with the stroke, and move the ring."""
        point = self._surface.image_point(at)
        self._hover = point
        self._layer.ring.show_at(point if self._surface.state.image is not None else None, self._size)
        if self._under_way is not None:
            self._go_on(point, max(_SPACING * self._size, 0.5))

    def release(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        """End the stroke; it stays on the screen until it is in the mask."""
        if self._under_way is None or button != self._button:
            return
        self._go_on(self._surface.image_point(at), 0.0)
        self._do()

    def key(self, key: int) -> bool:
        """Space accepts a preview."""
        if key != Qt.Key.Key_Space:
            return False
        if self._surface.state.preview is not None:
            self._surface.do(acts.Accept())
        return True

    def end(self) -> None:
        """The keyboard went elsewhere: the stroke that is under way ends here, and is kept."""
        if self._under_way is not None:
            self._do()

    def drop(self) -> None:
        """The stroke that is under way is forgotten."""
        self._points, self._under_way = [], None
        self._layer.clear_strokes()

    def cursor(self, ratio: float) -> QCursor | Qt.CursorShape:
        """A cross; the ring about it is as large as the brush."""
        return crosshair(ratio)

    def refresh(self) -> None:
        """Strokes that wait for an answer stay; those that were done are in the mask now."""
        self._layer.clear_strokes(self._under_way)
        show_waiting(self._surface.state, self._layer)
        self._layer.ring.show_at(self._hover if self._surface.state.image is not None else None, self._size)

    def takes(self, key: int) -> bool:
        """None."""
        return False

    def leave(self) -> None:
        """Hide the ring."""
        self._hover = None
        self._layer.ring.show_at(None, self._size)

    def finish(self) -> None:
        """Nothing stays."""
        self.drop()
        self.leave()

    @property
    def _size(self) -> float:
        return self._surface.state.display.size

    def _do(self) -> None:
        points, self._points, self._under_way = tuple(self._points), [], None
        self._surface.do(acts.PaintStroke(points, self._size, self._erasing))

    def _go_on(self, point: QPointF, apart: float) -> None:
        x, y = rounded_point(point)
        if math.dist((x, y), self._points[-1]) > apart and self._under_way is not None:
            self._points.append((x, y))
            self._under_way.go_on(x, y)


class CutTool:
    """A line with the left button cuts the selected object in two, or the one under its middle."""

    def __init__(self, surface: ToolSurface, layer: HandLayer) -> None:
        self._surface, self._layer = surface, layer
        self._start: tuple[float, float] | None = None

    def press(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        """Begin the line."""
        state, point = self._surface.state, self._surface.image_point(at)
        if button == LEFT and state.image is not None:
            if modifiers & CTRL:
                self._surface.do(meant_by_ctrl(state, point, modifiers))
            else:
                self._start = rounded_point(point)

    def move(self, at: QPointF) -> None:
        """Stretch the line."""
        if self._start is not None:
            self._layer.show_rings((), (self._start,), self._surface.image_point(at), self._surface.image_scale)

    def release(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        """Cut; a press that did not move cuts nothing."""
        start, end = self._start, rounded_point(self._surface.image_point(at))
        if button != LEFT or start is None:
            return
        self.drop()
        if math.dist(start, end) * self._surface.image_scale > NEAR:
            self._surface.do(acts.CutObject(start, end))

    def key(self, key: int) -> bool:
        """None of its own."""
        return False

    def drop(self) -> None:
        """No line is drawn any more."""
        self._start = None
        self._layer.show_rings((), (), None, 1.0)

    def cursor(self, ratio: float) -> QCursor | Qt.CursorShape:
        """A cross with a free middle."""
        return crosshair(ratio)

    def refresh(self) -> None:
        """Nothing of it depends on the state."""

    def takes(self, key: int) -> bool:
        """None."""
        return False

    def leave(self) -> None:
        """The line waits for the pointer."""

    def finish(self) -> None:
        """Nothing stays."""
        self.drop()


def show_waiting(state: State, layer: HandLayer) -> None:
    """Show strokes that wait for the answer before them."""
    for act in state.waiting if state.image is not None else ():
        if isinstance(act, acts.PaintStroke):
            layer.add_stroke(act.points, act.size, _stroke_colour(state, erase=act.erase))


def _stroke_colour(state: State, *, erase: bool) -> QColor:
    """The class's colour to paint with, white to erase with."""
    return WHITE if erase else class_colour(next((c.colour for c in state.classes if c.id == state.current_class), 0))


def rounded_point(point: QPointF) -> tuple[float, float]:
    """Hundredths of a pixel are enough, and shorter to store."""
    return round(point.x(), 2), round(point.y(), 2)


_SHIFT = Qt.KeyboardModifier.ShiftModifier
