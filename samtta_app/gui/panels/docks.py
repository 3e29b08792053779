"""The docks of the window: which there are, and where they stand at first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QMainWindow

from samtta_app.gui import recent
from samtta_app.gui.panels.dock import Dock
from samtta_app.gui.widgets import theme

LAYOUT = 5
"""Version of the saved dock layout; an older one is not restored."""

DOCKS: tuple[tuple[str, str, int], ...] = (
    ("classes", "Classes", 14),
    ("objects", "Objects", 19),
    ("proposals", "Proposals", 0),
    ("review", "Review", 0),
    ("images", "Images", 0),
    ("adaptation", "Learning", 32),
)
"""Name, title and first height (in grid steps) of each dock.

Tabs have the height of Objects. Learning shows its sentence and the whole curve. The list of images has the rest: 12 rows
at 1080p.
"""

TABBED = ("objects", "proposals", "review")
"""Docks that lie on each other at first."""


SMALL = 740
"""Pixels of height below which Learning begins folded to its sentence, so that the lists have room (1280 x 720)."""

FOLDED = 9
"""Grid steps of the folded dock: two lines of a sentence below the title."""

AROUND, LEAST_IMAGES = 8, 20
"""Grid steps of menu bar, status bar and the lines between docks, and of the lowest list of images."""


def make_docks(window: QMainWindow) -> dict[str, Dock]:
    """Make the docks of `window`, hidden, one below the other."""
    docks = {}
    for name, title, _ in DOCKS:
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
        steps = {name: number for name, _, number in DOCKS if number or name == "images"}
        if window.height() < SMALL:
            steps["adaptation"] = FOLDED
        steps["images"] = max(window.height() // theme.GRID - AROUND - sum(steps.values()), LEAST_IMAGES)
        shown, heights = [docks[name] for name in steps], [number * theme.GRID for number in steps.values()]
        docks["objects"].raise_()
        window.resizeDocks(shown, [43 * theme.GRID] * len(shown), Qt.Orientation.Horizontal)
        size = partial(window.resizeDocks, shown, heights, Qt.Orientation.Vertical)
        QTimer.singleShot(0, window, size)  # once the tabs have their place: before, they take a part of the heights
