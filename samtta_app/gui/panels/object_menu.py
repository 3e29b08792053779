"""The menu of an object: everything that can be done with the selected one, by the actions that also have keys."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QMenu

from samtta_app.gui.actions.action_set import ActionSet
from samtta_app.gui.canvas.canvas import Canvas
from samtta_app.gui.canvas.tools import annotation_at
from samtta_app.gui.controller import Controller
from samtta_app.gui.panels.image_menu import ImageMenu
from samtta_app.gui.panels.objects import ObjectsPanel
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.plain_text import button_text
from samtta_app.gui.widgets.translation import translated
from samtta_app.session import acts

CLASS = "Class"

_GROUPS: tuple[tuple[str, ...], ...] = (
    ("change", "duplicate", "copy_to_next", "join"),
    ("ignore", "note"),
    ("confirm_review", "delete"),
)
"""The actions in the menu, by their names in the table."""


class ObjectMenu(QObject):
    """Opens the menu of the selected object: Ctrl + right click on the image, a right click in the list, or a key.

    Args:
        controller: told which object is selected, and its class.
        actions: the window's actions.
        canvas: the image; its mouse events are watched.
        panel: the list of objects.
        images: the menu of the image, which opens where there is no object.
    """

    def __init__(
        self, controller: Controller, actions: ActionSet, canvas: Canvas, panel: ObjectsPanel, images: ImageMenu
    ) -> None:
        super().__init__(canvas)
        self._controller, self._actions, self._canvas, self._panel = controller, actions, canvas, panel
        self._images = images
        canvas.viewport().installEventFilter(self)
        panel.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        panel.view.customContextMenuRequested.connect(self._at_row)

    def open(self) -> None:
        """Open it for the selected object, where that lies on the image."""
        state = self._controller.state
        found = next((a for a in state.annotations if a.id == state.selected), None)
        if found is not None:
            height, width = found.mask.bits.shape
            middle = QPointF(found.mask.x + width / 2, found.mask.y + height / 2)
            place = self._canvas.mapFromScene(middle)
            seen = self._canvas.viewport().rect()
            inside = QPoint(min(max(place.x(), 0), seen.right()), min(max(place.y(), 0), seen.bottom()))
            self._show(self._canvas.viewport().mapToGlobal(inside))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take Ctrl and the right button, which no tool has."""
        if event.type() != QEvent.Type.MouseButtonPress or not isinstance(event, QMouseEvent):
            return False
        if event.button() != Qt.MouseButton.RightButton:
            return False
        state = self._controller.state
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier or state.image is None:
            return False
        found = annotation_at(state, self._canvas.image_point(event.position()))
        if found is None:
            self._images.show(state.index, event.globalPosition().toPoint())
        elif state.preview is None:
            self._controller.do(acts.Select(found))
            self._show(event.globalPosition().toPoint())
        return True

    def _at_row(self, place: QPoint) -> None:
        """Open it for the object in a row; the menu key means the chosen row."""
        index = self._panel.sorted.mapToSource(self._panel.view.indexAt(place))
        if index.isValid():
            self._controller.do(acts.Select(self._panel.model.id_of(index.row())))
            self._show(self._panel.view.viewport().mapToGlobal(place))

    def _show(self, place: QPoint) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def menu(self) -> QMenu:
        """The menu for the selected object."""
        state, menu = self._controller.state, QMenu(self._canvas)
        classes = menu.addMenu(translated(CLASS))
        chosen = next((a.class_id for a in state.annotations if a.id == state.selected), None)
        for entry in state.classes:
            swatch = icons.swatch(theme.class_colour(entry.colour))
            action = classes.addAction(swatch, button_text(entry.name))
            action.triggered.connect(partial(self._controller.do, acts.SetClass(entry.id)))
            action.setCheckable(True)
            action.setChecked(entry.id == chosen)
        classes.setEnabled(not state.read_only)
        for group in _GROUPS:
            menu.addSeparator()
            menu.addActions([self._actions[name] for name in group])
        return menu
