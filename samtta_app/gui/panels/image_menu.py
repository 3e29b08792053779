"""The menu of an image: in the list, on the canvas beside all objects, and by a key."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMenu

from samtta_app.gui.actions.action_set import ActionSet
from samtta_app.gui.controller import Controller
from samtta_app.gui.panels.images import ImagesPanel
from samtta_app.gui.widgets.translation import translated
from samtta_app.session import acts

OPEN_IMAGE, COPY_PATH, SHOW_FOLDER = "Open", "Copy the file's path", "Show its folder"

_ON_IMAGE: tuple[tuple[str, ...], ...] = (
    ("empty_image",),
    ("previous_image", "next_image", "next_unreviewed"),
    ("fit", "actual_size", "masks", "display"),
    ("planes", "export"),
)
"""The actions on the open image, by their names in the table."""


class ImageMenu:
    """Opens the menu of an image.

    Args:
        controller: told what is chosen.
        actions: the window's actions.
        panel: the list of images; a right click in it opens the menu.
    """

    def __init__(self, controller: Controller, actions: ActionSet, panel: ImagesPanel) -> None:
        self._controller, self._actions, self._panel = controller, actions, panel
        panel.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        panel.view.customContextMenuRequested.connect(self._at_row)

    def open(self) -> None:
        """Open it for the open image, beside its row."""
        view = self._panel.view
        row = self._panel.model.index(self._panel.model.row_of(self._controller.state.index))
        self.show(self._controller.state.index, view.viewport().mapToGlobal(view.visualRect(row).bottomLeft()))

    def find(self) -> None:
        """Go to the field that searches names."""
        self._panel.filter.search.setFocus()
        self._panel.filter.search.selectAll()

    def show(self, place: int, where: QPoint) -> None:
        """Open it for an image of the project, at a place of the screen."""
        menu = self.menu_of(place)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(where)

    def menu_of(self, place: int) -> QMenu:
        """The menu of an image of the project: what can be done with its file, and with the image where it is open."""
        state, menu = self._controller.state, QMenu(self._panel)
        path = state.images[place].path
        here = place == state.index
        if not here:
            menu.addAction(translated(OPEN_IMAGE), lambda: self._controller.do(acts.OpenImage(place)))
        menu.addAction(translated(COPY_PATH), lambda: QGuiApplication.clipboard().setText(str(path)))
        menu.addAction(translated(SHOW_FOLDER), lambda: _show_folder(path))
        for group in _ON_IMAGE if here else ():
            menu.addSeparator()
            menu.addActions([self._actions[name] for name in group])
        return menu

    def _at_row(self, where: QPoint) -> None:
        """Open it for the image under the pointer; the menu key means the chosen row."""
        place = self._panel.model.place(self._panel.view.indexAt(where).row())
        if place >= 0:
            self.show(place, self._panel.view.viewport().mapToGlobal(where))


def _show_folder(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))
