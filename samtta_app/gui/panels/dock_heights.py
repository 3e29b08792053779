"""How high the docks are: the list of images takes what the window gains and loses, and Learning folds in a low window."""

from __future__ import annotations

import json
from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QMainWindow, QTabBar

from samtta_app.gui import recent
from samtta_app.gui.panels.dock import Dock
from samtta_app.gui.widgets import theme

HIGH_STEPS = {"classes": 14, "objects": 16, "adaptation": 31}
"""First heights in grid steps: three classes, two objects, and of Learning its sentence and the whole curve.

So the list of images shows 12 rows at 1080p.
"""

LOW_STEPS = {"classes": 14, "objects": 25, "adaptation": 9}
"""Those of a low window: at least three objects above a note, and two lines of Learning's sentence."""

LOW_WINDOW = 740
"""Pixels of height below which a window is low (1280 x 720)."""

LEAST_IMAGES = 20
"""Grid steps of the lowest list of images; where the window leaves less, all docks become lower."""

HEIGHTS_KEPT, HIGHEST_DOCK = "dock_heights", 10_000
"""Where the heights are remembered, and the most pixels that are believed."""


class DockHeights(QObject):
    """Keeps docks as high as they were left. Qt by itself takes from all alike what the window loses.

    Heights in a low window and in a higher one are remembered apart.

    Args:
        window: holds the docks, and owns this.
        docks: by their names.
    """

    def __init__(self, window: QMainWindow, docks: Mapping[str, Dock]) -> None:
        super().__init__(window)
        self._window, self._docks = window, docks
        self._heights = _first() | _remembered()
        self._of_window, self._sharing = window.height(), True
        for watched in (window, *docks.values()):
            watched.installEventFilter(self)
        QTimer.singleShot(
            0, self, self._share
        )  # once the tabs have their place: before, they take a part of the heights

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Share out a new height of the window; remember what a user gave to a dock."""
        if event.type() == QEvent.Type.Resize and not self._sharing:
            same = self._window.height() == self._of_window
            if watched is self._window and not same:
                self._share()
            elif isinstance(watched, Dock) and same and watched in self._column():
                self._heights[self._name(watched)] = watched.height()
        if event.type() == QEvent.Type.Close and watched is self._window:
            recent.store_layout(HEIGHTS_KEPT, json.dumps(self._heights))
        return False

    @Slot()
    def _share(self) -> None:
        """Give each dock beside the list of images its height, and the list the rest."""
        self._of_window = self._window.height()
        column, images = self._column(), self._docks["images"]
        self._sharing = len(column) > 1
        if not self._sharing:
            return
        tabs = self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        bar = max((each.height() for each in tabs if each.isVisible()), default=0)
        bars = {dock: bar if self._window.tabifiedDockWidgets(dock) else 0 for dock in column}
        whole = sum(dock.height() + bars[dock] for dock in column)
        heights = {dock: self._height(dock) + bars[dock] for dock in column if dock is not images}
        heights[images] = max(whole - sum(heights.values()), LEAST_IMAGES * theme.GRID)
        self._window.resizeDocks(list(heights), list(heights.values()), Qt.Orientation.Vertical)
        layout = self._window.layout()
        if layout is not None:
            layout.activate()
        self._sharing = False

    def _height(self, dock: Dock) -> int:
        return max(self._heights.get(self._name(dock), dock.height()), dock.minimumSizeHint().height())

    def _name(self, dock: Dock) -> str:
        """Under what the height of a dock, and of those that lie on it, is remembered."""
        names = {dock.objectName(), *(other.objectName() for other in self._window.tabifiedDockWidgets(dock))}
        name = next(name for name in self._docks if name in names)
        return f"{name} {_kind(self._of_window)}"

    def _column(self) -> list[Dock]:
        """The docks that stand in one column with the list of images; none where that is hidden."""
        images = self._docks["images"]
        place = images.x(), images.width()
        found = [dock for dock in self._docks.values() if _seen(dock) and (dock.x(), dock.width()) == place]
        return found if images in found else []


def _kind(height: int) -> str:
    return "low" if height < LOW_WINDOW else "high"


def _first() -> dict[str, int]:
    """The first heights in pixels."""
    kinds = {"high": HIGH_STEPS, "low": LOW_STEPS}
    return {f"{name} {kind}": steps * theme.GRID for kind, given in kinds.items() for name, steps in given.items()}


def _remembered() -> dict[str, int]:
    """The heights that were left; none where they cannot be read."""
    try:
        found = json.loads(recent.stored_value(HEIGHTS_KEPT) or "{}")
    except (ValueError, RecursionError):
        return {}
    given = found.items() if isinstance(found, dict) else ()
    return {name: height for name, height in given if type(height) is int and 0 < height <= HIGHEST_DOCK}


def _seen(dock: Dock) -> bool:
    """Whether it stands in the window, and no other tab lies on it."""
    return not dock.isFloating() and not dock.visibleRegion().isEmpty()
