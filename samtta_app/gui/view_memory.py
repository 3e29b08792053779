"""Shows an image again where it was left: the same place at the same zoom, also after a kill."""

from __future__ import annotations

from contextlib import suppress

from PySide6.QtCore import QObject, QPointF, QTimer, Slot

from samtta_app.errors import StoreError
from samtta_app.gui.canvas.canvas import Canvas
from samtta_app.gui.controller import Controller
from samtta_app.session.project.place_memory import LastView
from samtta_app.session.state import State

VIEW_PACE = 10_000
"""Milliseconds between two looks whether the picture was moved: so much of a move a kill may take."""


class ViewMemory(QObject):
    """Remembers in the project which part of which image is on the screen.

    Args:
        canvas: what is looked at, and moved once; owns this.
        controller: of the project.
    """

    def __init__(self, canvas: Canvas, controller: Controller) -> None:
        super().__init__(canvas)
        self._canvas, self._controller = canvas, controller
        self._wanted = controller.last_view()
        self._stored = self._wanted
        timer = QTimer(self)
        timer.timeout.connect(self.store)
        timer.start(VIEW_PACE)
        controller.leaving.connect(self.store)

    def show_state(self, state: State) -> None:
        """Go back to where the session was left, once its image is there; another image is shown whole."""
        if state.image is None or self._wanted is None:
            return
        wanted, self._wanted = self._wanted, None
        if state.images[state.index].name == wanted.image:
            self._canvas.look_at(QPointF(wanted.x, wanted.y), wanted.zoom)

    @Slot()
    def store(self) -> None:
        """Store what is on the screen, where that has changed."""
        state = self._controller.state
        if state.image is None or self._wanted is not None or not self._controller.up_to_date:
            return
        view: LastView | None = None
        if not self._canvas.fitted:
            middle = self._canvas.visible_rect().center()
            name, zoom = state.images[state.index].name, round(self._canvas.zoom, 6)
            view = LastView(name, round(middle.x(), 3), round(middle.y(), 3), zoom)
        if view != self._stored:
            with suppress(StoreError):  # a convenience: what must be stored reports it
                self._controller.remember_view(view)
                self._stored = view
