"""The mask under the resting pointer, before any click: asked for off the window's thread, the newest place wins."""

from __future__ import annotations

import math

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication

from samtta_app.core.replies import Hovered
from samtta_app.core.types import Click
from samtta_app.gui.canvas.canvas import Canvas
from samtta_app.gui.canvas.drawn_objects import colour_of
from samtta_app.gui.canvas.drawn_preview import MASK
from samtta_app.gui.canvas.markers import HOVERED, MaskItem
from samtta_app.gui.controller import Controller
from samtta_app.session.state import State
from samtta_app.settings import HoverChoice

REST = 60
"""Milliseconds that the pointer rests before a mask is asked for."""

QUICK = 0.05
"""Seconds that an answer may take for the preview to be on by itself."""

SLOW_TRIES = 3
"""So many slow answers in a row switch it off, unless the user wants it."""


class HoverPreview(QObject):
    """Shows what a click would show, faintly, while nothing is being annotated.

    Args:
        canvas: says where the pointer is, and shows the mask.
        controller: asks, and hears the answer.

    Attributes:
        choice: "on", "off", or "auto" (while answers are quick).
    """

    def __init__(self, canvas: Canvas, controller: Controller) -> None:
        super().__init__(canvas)
        self.choice: HoverChoice = "auto"
        self._canvas, self._controller = canvas, controller
        self._click: Click | None = None
        self._asked = 0
        self._slow = 0
        self.item: MaskItem | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST)
        self._rest.timeout.connect(self._ask)
        canvas.hovered.connect(self._moved)
        controller.hover_answered.connect(self._take)
        controller.described.connect(self._try_again)

    def show_state(self, state: State) -> None:
        """Take the mask away once something is being annotated, or the image is another."""
        if not _wanted(state) or (self.item is not None and state.image is not self._image):
            self._drop()

    @Slot()
    def _try_again(self) -> None:
        """Another model may be quicker."""
        self._slow = 0

    @Slot(float, float)
    def _moved(self, x: float, y: float) -> None:
        self._drop()
        on = self.choice == "on" or (self.choice == "auto" and self._slow < SLOW_TRIES)
        if on and math.isfinite(x) and QApplication.mouseButtons() == Qt.MouseButton.NoButton:
            self._click = Click(x, y, True)
            self._rest.start()

    def _drop(self) -> None:
        """Take the mask away, and await no answer."""
        self._rest.stop()
        self._asked = 0
        if self.item is not None:
            self._canvas.scene().removeItem(self.item)
            self.item = None

    @Slot()
    def _ask(self) -> None:
        state, click = self._controller.state, self._click
        if (
            click is None
            or state.image is None
            or not _wanted(state)
            or not state.image.whole.contains(click.x, click.y)
        ):
            return
        self._image = state.image
        self._asked = self._controller.ask_hover(click, self._canvas.view_window())

    @Slot(object)
    def _take(self, reply: Hovered) -> None:
        state = self._controller.state
        if reply.mask is not None:
            self._slow = self._slow + 1 if reply.seconds > QUICK else 0
        if (
            reply.request_id != self._asked
            or reply.mask is None
            or not _wanted(state)
            or state.image is not self._image
        ):
            return
        self._drop()
        self.item = MaskItem(reply.mask, colour_of(state, state.current_class), HOVERED)
        self.item.setZValue(MASK)
        self._canvas.scene().addItem(self.item)


def _wanted(state: State) -> bool:
    """Whether a click would begin an object."""
    free = state.preview is None and state.selected is None and not state.waiting and state.rating is None
    return free and state.display.tool == "prompt" and state.display.masks and not state.read_only
