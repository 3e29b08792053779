"""The accepted objects of the image as items of the scene."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtGui import QColor, QPixmapCache
from PySide6.QtWidgets import QGraphicsScene

from samtta_app.core.types import Annotation
from samtta_app.gui.canvas.markers import ACCEPTED, KEPT, PICTURES_KEPT, SELECTED, MaskItem
from samtta_app.gui.widgets.theme import IGNORED, class_colour
from samtta_app.session.state import State

BEHIND, ANNOTATIONS, CHOSEN = 0.5, 1, 2
"""The drawing order: objects lie above the image, the selected one above the others, unless it was sent behind."""


class DrawnObjects:
    """Shows every accepted object but the one that is being changed; items of unchanged masks stay.

    Args:
        scene: where they are drawn.
    """

    def __init__(self, scene: QGraphicsScene) -> None:
        self._scene = scene
        self._drawn: dict[int, tuple[Annotation, MaskItem]] = {}
        self._seen: tuple[object, ...] | None = None
        self._zoom = 1.0
        QPixmapCache.setCacheLimit(PICTURES_KEPT)

    def note_zoom(self, zoom: float) -> None:
        """Take another zoom: small masks are kept as pictures."""
        self._zoom = zoom
        for _, item in self._drawn.values():
            item.note_zoom(zoom)

    def clear(self) -> None:
        """Take all away: the image is another."""
        for _, item in self._drawn.values():
            self._scene.removeItem(item)
        self._drawn.clear()
        self._seen = None

    def show_state(self, state: State) -> None:
        """Show the objects of `state`; only what changed is touched."""
        edited = state.preview.edits if state.preview is not None else None
        seen = (state.annotations, state.selected, state.classes, edited, state.display.filled, state.display.behind)
        if seen != self._seen:
            self._seen = seen
            self._show(state, edited)
        for number, (_, item) in self._drawn.items():
            item.setVisible(state.display.masks and number not in state.display.hidden)

    def _show(self, state: State, edited: int | None) -> None:
        shown = tuple(a for a in state.annotations if a.id != edited) if state.image is not None else ()
        for gone in self._drawn.keys() - {a.id for a in shown}:
            self._scene.removeItem(self._drawn.pop(gone)[1])
        for annotation in shown:
            ignored, chosen = annotation.note.ignore, annotation.id == state.selected
            colour = QColor(IGNORED) if ignored else colour_of(state, annotation.class_id)
            style = SELECTED if chosen else KEPT if ignored else ACCEPTED
            style = replace(style, fill=style.fill * state.display.filled)
            old, item = self._drawn.get(annotation.id, (None, None))
            if item is None or old is None or old.mask is not annotation.mask:
                if item is not None:
                    self._scene.removeItem(item)
                item = MaskItem(annotation.mask, colour, style)
                item.note_zoom(self._zoom)
                self._scene.addItem(item)
            item.set_look(colour, style)
            item.setZValue(BEHIND if annotation.id in state.display.behind else CHOSEN if chosen else ANNOTATIONS)
            self._drawn[annotation.id] = (annotation, item)


def colour_of(state: State, class_id: int) -> QColor:
    """The colour of a class."""
    return class_colour(next((c.colour for c in state.classes if c.id == class_id), 0))
