"""Brush, eraser and polygon: tools that turn the mouse into acts by hand. What is under way is drawn by the layer at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QCursor

from samtta_app.core.polygons import Ring, Rings, rings_of
from samtta_app.core.types import Mask
from samtta_app.gui.canvas.hand_items import HandLayer, StrokeItem
from samtta_app.gui.canvas.markers import WHITE, crosshair
from samtta_app.gui.canvas.tools import CTRL, LEFT, RIGHT, Tool, ToolSurface, annotation_at
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
            self._surface.do(acts.Select(annotation_at(state, point)))
            return
        self._button, self._erasing = button, self._erase != (button == RIGHT or bool(modifiers & _SHIFT))
        self._points = [_rounded(point)]
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
        points, self._points, self._under_way = tuple(self._points), [], None
        self._surface.do(acts.PaintStroke(points, self._size, self._erasing))

    def key(self, key: int) -> bool:
        """Space accepts a preview."""
        if key != Qt.Key.Key_Space:
            return False
        if self._surface.state.preview is not None:
            self._surface.do(acts.Accept())
        return True

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

    def _go_on(self, point: QPointF, apart: float) -> None:
        x, y = _rounded(point)
        if math.dist((x, y), self._points[-1]) > apart and self._under_way is not None:
            self._points.append((x, y))
            self._under_way.go_on(x, y)


class PolygonTool:
    """Corners by clicks: the first or the last one again closes the ring. Corners are dragged, a click on a line adds one.

    The right button takes a corner away. What is closed is the mask; a ring inside it is a hole.
    """

    def __init__(self, surface: ToolSurface, layer: HandLayer) -> None:
        self._surface, self._layer = surface, layer
        self._rings: list[list[tuple[float, float]]] = []
        self._open: list[tuple[float, float]] = []
        self._dragged: tuple[list[tuple[float, float]], int] | None = None
        self._traced: tuple[Mask, Rings] | None = None
        self._image = surface.state.image
        self._hover: QPointF | None = None

    def press(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        """Grip a corner, add one, close the ring, or take a corner away."""
        state = self._surface.state
        if state.image is None or self._dragged is not None:
            return
        point = self._surface.image_point(at)
        if button == RIGHT:
            self._take_away(at)
        elif button == LEFT and modifiers & CTRL:
            self._surface.do(acts.Select(annotation_at(state, point)))
        elif button == LEFT and self._open:
            self._extend(at, point)
        elif button == LEFT:
            self._dragged = self._corner_at(at, self._rings) or self._inserted(at, point)
            if self._dragged is None:
                self._open = [_rounded(point)]
        self._show()

    def move(self, at: QPointF) -> None:
        """Drag the corner, or show where the next one would be."""
        self._hover = self._surface.image_point(at)
        if self._dragged is not None:
            ring, place = self._dragged
            ring[place] = _rounded(self._hover)
        if self._dragged is not None or self._open:
            self._show()

    def release(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        """Let the corner go; a change of a closed ring is an act."""
        if button == LEFT and self._dragged is not None:
            self.move(at)
            ring, self._dragged = self._dragged[0], None
            if ring is not self._open:
                self._send()

    def key(self, key: int) -> bool:
        """Enter closes the ring, Backspace takes its last corner, Esc all of them; Space accepts."""
        if not self.takes(key):
            if key == Qt.Key.Key_Space and self._surface.state.preview is not None:
                self._surface.do(acts.Accept())
            return key == Qt.Key.Key_Space
        if key in _CLOSING and len(self._open) > 2:
            self._close()
        elif key == Qt.Key.Key_Backspace:
            self._open.pop()
        elif key == Qt.Key.Key_Escape:
            self._open = []
        self._show()
        return True

    def drop(self) -> None:
        """A corner that is dragged goes back; corners of an open ring stay."""
        if self._dragged is not None:
            self._dragged = None
            self.refresh()

    def cursor(self, ratio: float) -> QCursor | Qt.CursorShape:
        """A cross with a free middle."""
        return crosshair(ratio)

    def refresh(self) -> None:
        """Show the mask's rings, unless one of them is being dragged; another image has none of the old corners."""
        state = self._surface.state
        if state.image is not self._image:
            self._image, self._open, self._dragged = state.image, [], None
        if self._dragged is None:
            self._rings = [list(ring) for ring in self._closed(state)]
        self._show()

    def takes(self, key: int) -> bool:
        """The keys that work on the open ring."""
        return bool(self._open) and key in (*_CLOSING, Qt.Key.Key_Backspace, Qt.Key.Key_Escape)

    def leave(self) -> None:
        """No line goes to a pointer that is not there."""
        self._hover = None
        self._show()

    def finish(self) -> None:
        """Close a ring that encloses something."""
        if len(self._open) > 2:
            self._close()
        self._open, self._dragged = [], None
        self._layer.show_rings((), (), None, 1.0)

    # --- below the surface --------------------------------------------------------------------------------------------

    def _closed(self, state: State) -> Rings:
        """The rings of the mask on the screen: as they were drawn, else traced once for each mask."""
        preview = state.preview
        candidate = preview.candidate if preview else None
        if preview is None or candidate is None or state.image is None:
            return ()
        if preview.polygon:
            return preview.polygon
        if self._traced is None or self._traced[0] is not candidate.mask:
            self._traced = candidate.mask, rings_of(candidate.mask)
        return self._traced[1]

    def _extend(self, at: QPointF, point: QPointF) -> None:
        """Add a corner to the open ring, grip one of it, or close it."""
        found = self._corner_at(at, [self._open])
        if found is not None and found[1] in (0, len(self._open) - 1):
            if len(self._open) > 2:
                self._close()
        elif found is not None:
            self._dragged = found
        else:
            self._open.append(_rounded(point))

    def _take_away(self, at: QPointF) -> None:
        """Take the corner under the pointer away, else the last one of the open ring."""
        if self._open:
            found = self._corner_at(at, [self._open])
            self._open.pop(found[1] if found else -1)
            return
        found = self._corner_at(at, self._rings)
        if found is not None:
            ring, place = found
            del ring[place]
            if len(ring) < 3:
                self._rings = [other for other in self._rings if other is not ring]
            self._send()

    def _inserted(self, at: QPointF, point: QPointF) -> tuple[list[tuple[float, float]], int] | None:
        """A new corner on the line under the pointer."""
        reach, (x, y) = NEAR / self._surface.image_scale, _rounded(point)
        for ring in self._rings:
            for k, (ax, ay) in enumerate(ring):
                bx, by = ring[(k + 1) % len(ring)]
                length = (bx - ax) ** 2 + (by - ay) ** 2
                share = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length if length else 0.0
                if 0 < share < 1 and math.dist((x, y), (ax + share * (bx - ax), ay + share * (by - ay))) <= reach:
                    ring.insert(k + 1, (x, y))
                    return ring, k + 1
        return None

    def _corner_at(
        self, at: QPointF, rings: list[list[tuple[float, float]]]
    ) -> tuple[list[tuple[float, float]], int] | None:
        """The nearest corner within reach, as its ring and its place there."""
        reach, point = NEAR / self._surface.image_scale, self._surface.image_point(at)
        found = [
            (math.dist((point.x(), point.y()), corner), number, k)
            for number, ring in enumerate(rings)
            for k, corner in enumerate(ring)
        ]
        away, number, place = min(found, default=(math.inf, 0, 0))
        return (rings[number], place) if away <= reach else None

    def _close(self) -> None:
        self._rings.append(self._open)
        self._open = []
        self._send()

    def _send(self) -> None:
        rings: list[Ring] = [tuple(ring) for ring in self._rings]
        self._surface.do(acts.DrawPolygon(tuple(rings)))

    def _show(self) -> None:
        rings = tuple(tuple(ring) for ring in self._rings)
        self._layer.show_rings(rings, self._open, self._hover, self._surface.image_scale)


def show_waiting(state: State, layer: HandLayer) -> None:
    """Show strokes that wait for the answer before them."""
    for act in state.waiting if state.image is not None else ():
        if isinstance(act, acts.PaintStroke):
            layer.add_stroke(act.points, act.size, _stroke_colour(state, erase=act.erase))


def _stroke_colour(state: State, *, erase: bool) -> QColor:
    """The class's colour to paint with, white to erase with."""
    return WHITE if erase else class_colour(next((c.colour for c in state.classes if c.id == state.current_class), 0))


def _rounded(point: QPointF) -> tuple[float, float]:
    """Hundredths of a pixel are enough, and shorter to store."""
    return round(point.x(), 2), round(point.y(), 2)


_SHIFT = Qt.KeyboardModifier.ShiftModifier
_CLOSING = (Qt.Key.Key_Return, Qt.Key.Key_Enter)

HAND_TOOLS: dict[acts.ToolName, Callable[[ToolSurface, HandLayer], HandTool]] = {
    "brush": lambda surface, layer: BrushTool(surface, layer, erase=False),
    "eraser": lambda surface, layer: BrushTool(surface, layer, erase=True),
    "polygon": PolygonTool,
}
"""The tools that work by hand, by name."""
