"""The lasso: a line about proposals accepts them with the left button and rejects them with the right one."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QCursor

from samtta_app.core.masks import holds
from samtta_app.gui.canvas.hand_items import HandLayer, StrokeItem
from samtta_app.gui.canvas.hand_tools import NEAR, rounded_point
from samtta_app.gui.canvas.markers import EXCLUDE, INCLUDE, crosshair
from samtta_app.gui.canvas.tools import CTRL, LEFT, RIGHT, ToolSurface, meant_by_ctrl
from samtta_app.gui.widgets.theme import class_colour
from samtta_app.session import proposal_acts

_WIDTH = 2.5
"""Of the line in viewport pixels."""

_APART = 2.0
"""Viewport pixels between two points of the line."""


class LassoTool:
    """Judges the proposals whose middle lies inside the line; a click chooses the proposal there. Ctrl + left selects."""

    def __init__(self, surface: ToolSurface, layer: HandLayer) -> None:
        self._surface, self._layer = surface, layer
        self._points: list[tuple[float, float]] = []
        self._drawn: StrokeItem | None = None
        self._button = LEFT

    def press(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        """Begin the line."""
        state, point = self._surface.state, self._surface.image_point(at)
        if state.image is None or button not in (LEFT, RIGHT) or self._points:
            return
        if modifiers & CTRL:
            self._surface.do(meant_by_ctrl(state, point, modifiers))
            return
        self._button, self._points = button, [rounded_point(point)]
        colour = class_colour(INCLUDE if button == LEFT else EXCLUDE)
        self._drawn = self._layer.add_stroke(self._points, _WIDTH / self._surface.image_scale, colour)

    def move(self, at: QPointF) -> None:
        """Draw on."""
        point = rounded_point(self._surface.image_point(at))
        if self._drawn is not None and math.dist(point, self._points[-1]) * self._surface.image_scale >= _APART:
            self._points.append(point)
            self._drawn.go_on(*point)

    def release(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> None:
        """Judge what is inside the closed line; without a line choose the proposal under the pointer."""
        if button != self._button or not self._points:
            return
        ring = (*self._points, rounded_point(self._surface.image_point(at)))
        self.drop()
        reach = max(math.dist(ring[0], point) for point in ring) * self._surface.image_scale
        if reach > NEAR:
            self._surface.do(proposal_acts.JudgeProposals(accept=button == LEFT, within=ring))
        else:
            self._choose(*ring[0])

    def _choose(self, x: float, y: float) -> None:
        """Choose the smallest proposal at an image point."""
        here = [each for each in self._surface.state.proposals.shown if holds(each.mask, x, y)]
        if here:
            self._surface.do(proposal_acts.ChooseProposal(min(here, key=lambda each: each.mask.area).number))

    def key(self, key: int) -> bool:
        """None of its own."""
        return False

    def drop(self) -> None:
        """The line that is under way is forgotten."""
        self._points, self._drawn = [], None
        self._layer.clear_strokes()

    def cursor(self, ratio: float) -> QCursor | Qt.CursorShape:
        """A cross with a free middle."""
        return crosshair(ratio)

    def refresh(self) -> None:
        """The line under way stays as it is."""

    def takes(self, key: int) -> bool:
        """None."""
        return False

    def leave(self) -> None:
        """The line waits for the pointer."""

    def finish(self) -> None:
        """Nothing stays."""
        self.drop()
