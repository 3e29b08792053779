"""The docks of the window: which there are, and where they stand at first."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow

from samtta_app.gui import recent
from samtta_app.gui.panels.dock import Dock
from samtta_app.gui.panels.dock_heights import HIGH_STEPS, DockHeights
from samtta_app.gui.widgets import theme

LAYOUT = 5
"""Version of the saved dock layout; an older one is not restored."""

DOCKS: tuple[tuple[str, str], ...] = (
    ("classes", "Classes"),
    ("objects", "Objects"),
    ("proposals", "Proposals"),
    ("review", "Review"),
    ("images", "Images"),
    ("adaptation", "Learning"),
)
"""Name and title of each dock."""

TABBED = ("objects", "proposals", "review")
"""Docks that lie on each other at first."""


def make_docks(window: QMainWindow) -> dict[str, Dock]:
    """Make the docks of `window`, hidden, one below the other."""
    docks = {}
    for name, title in DOCKS:
        dock = docks[name] = Dock(name, title)
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        dock.hide()
    return docks


def show_docks(window: QMainWindow, docks: Mapping[str, Dock]) -> None:
    """Show the docks where they were left, or in their first places.

    They are put on each other only where nothing is restored: Qt would leave a second bar of tabs on the image. They are
    shown after that: all of them side by side would make a small window grow.
    """
    for dock in docks.values():
        dock.toggleViewAction().setEnabled(True)
    layout = recent.stored_layout("docks")
    if layout is None or not window.restoreState(layout, LAYOUT):
        for below, above in pairwise(TABBED):
            window.tabifyDockWidget(docks[below], docks[above])
        for dock in docks.values():
            dock.show()
        docks["objects"].raise_()
        column = [docks[name] for name in (*HIGH_STEPS, "images")]
        window.resizeDocks(column, [43 * theme.GRID] * len(column), Qt.Orientation.Horizontal)
    DockHeights(window, docks)
