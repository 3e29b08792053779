"""The polygon: corners by clicks, drawn as acts; the mask on the screen is shown as rings that can be changed."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QCursor

from samtta_app.core.polygons import Ring, Rings, rings_of
from samtta_app.core.types import Mask
from samtta_app.gui.canvas.hand_items import HandLayer
from samtta_app.gui.canvas.hand_tools import NEAR, rounded_point
from samtta_app.gui.canvas.markers import crosshair
from samtta_app.gui.canvas.tools import CTRL, LEFT, RIGHT, ToolSurface, meant_by_ctrl
from samtta_app.session import acts
from samtta_app.session.state import State

_CLOSING = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


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
            self._surface.do(meant_by_ctrl(state, point, modifiers))
        elif button == LEFT and self._open:
            self._extend(at, point)
        elif button == LEFT:
            self._dragged = self._corner_at(at, self._rings) or self._inserted(at, point)
            if self._dragged is None:
                self._open = [rounded_point(point)]
        self._show()

    def move(self, at: QPointF) -> None:
        """Drag the corner, or show where the next one would be."""
        self._hover = self._surface.image_point(at)
        if self._dragged is not None:
            ring, place = self._dragged
            ring[place] = rounded_point(self._hover)
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
            self._open.append(rounded_point(point))

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
        reach, (x, y) = NEAR / self._surface.image_scale, rounded_point(point)
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
