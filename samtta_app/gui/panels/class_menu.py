"""The menu of a class: name, colour, order, tidying, merging, deleting."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QMenu

from samtta_app.gui.controller import Controller
from samtta_app.gui.panels.classes import ClassesPanel
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.plain_text import button_text
from samtta_app.gui.widgets.translation import translated
from samtta_app.session.class_acts import ChangeClass, DeleteClass, MergeClass, MoveClass
from samtta_app.session.state import LabelClass

RENAME, COLOUR, CHOOSE_COLOUR, UP, DOWN = "Rename", "Colour", "Another colour…", "Move up", "Move down"
TIDY, MERGE, DELETE = "Remove crumbs and pinholes", "Merge into", "Delete class"

COLOUR_NAMES = ("Orange", "Sky blue", "Green", "Yellow", "Blue", "Vermilion", "Purple", "Grey")
"""Okabe and Ito's names of the palette's colours."""


class ClassMenu:
    """Opens the menu of a class, for the pointer on the list and for a key.

    Args:
        controller: told what is chosen in it.
        panel: the list of classes.
    """

    def __init__(self, controller: Controller, panel: ClassesPanel) -> None:
        self._controller, self._panel = controller, panel
        panel.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        panel.view.customContextMenuRequested.connect(self._at)

    def open(self) -> None:
        """Open it for the current class, beside its row."""
        panel = self._panel
        index = panel.model.index(panel.model.row_of(self._controller.state.current_class))
        self._show(index, panel.view.visualRect(index).bottomLeft())

    def _at(self, place: QPoint) -> None:
        """Open it for the class under the pointer; the menu key means the chosen row."""
        self._show(self._panel.view.indexAt(place), place)

    def _show(self, index: QModelIndex, place: QPoint) -> None:
        if not index.isValid() or self._controller.state.read_only:
            return
        menu = self.menu_of(index)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self._panel.view.viewport().mapToGlobal(place))

    def menu_of(self, index: QModelIndex) -> QMenu:
        """The menu of the class in a row."""
        entry, classes = self._panel.model.entry(index.row()), self._controller.state.classes
        menu, do = QMenu(self._panel), self._controller.do
        menu.addAction(translated(RENAME), lambda: self._panel.view.edit(self._panel.model.index(index.row())))
        self._add_colours(menu.addMenu(translated(COLOUR)), entry)
        tidy = menu.addAction(translated(TIDY), lambda: do(ChangeClass(entry.id, tidy=not entry.tidy)))
        tidy.setCheckable(True)
        tidy.setChecked(entry.tidy)
        menu.addSeparator()
        up = menu.addAction(translated(UP), lambda: do(MoveClass(entry.id, -1)))
        up.setEnabled(index.row() > 0)
        down = menu.addAction(translated(DOWN), lambda: do(MoveClass(entry.id, 1)))
        down.setEnabled(index.row() + 1 < len(classes))
        menu.addSeparator()
        merge = menu.addMenu(translated(MERGE))
        for other in classes:
            if other.id != entry.id:
                swatch = icons.swatch(theme.class_colour(other.colour))
                merge.addAction(swatch, button_text(other.name), partial(do, MergeClass(entry.id, other.id)))
        merge.setEnabled(len(classes) > 1)
        menu.addAction(translated(DELETE), lambda: do(DeleteClass(entry.id)))
        return menu

    def _add_colours(self, menu: QMenu, entry: LabelClass) -> None:
        for number, name in enumerate(COLOUR_NAMES):
            swatch = icons.swatch(theme.class_colour(number))
            menu.addAction(swatch, translated(name), partial(self._controller.do, ChangeClass(entry.id, number)))
        menu.addAction(translated(CHOOSE_COLOUR), partial(self._ask_colour, entry))

    def _ask_colour(self, entry: LabelClass) -> None:
        dialog = QColorDialog(theme.class_colour(entry.colour), self._panel.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(partial(self._colour, entry.id))
        dialog.open()

    def _colour(self, class_id: int, chosen: QColor) -> None:
        self._controller.do(ChangeClass(class_id, theme.colour_index(chosen.name())))
