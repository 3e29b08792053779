"""Notices files that are added to or removed from the open folder, or from those below it that belong to the project."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication

PAUSE = 500
"""Milliseconds without another change before the folders are listed: files are often copied by the hundred."""

MOST_WATCHED = 100
"""Folders that the system reports on: on macOS each takes one of the 256 files that a process may have open."""


class FolderWatch(QObject):
    """Watches the folders of a project's images.

    A network drive reports no changes, nor does a system with too many watches. So the folders are also checked when the
    user comes back to the window.

    Signals:
        changed: files or folders have come or gone.

    Args:
        folders: gives the folders, the topmost first; it is asked again at each change.
        parent: owns it; both end together.
    """

    changed = Signal()

    def __init__(self, folders: Callable[[], Sequence[Path]], parent: QObject) -> None:
        super().__init__(parent)
        self._folders = folders
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(self.look)
        self._watcher.directoryChanged.connect(self._timer.start)
        self.watch()
        QGuiApplication.instance().applicationStateChanged.connect(self._come_back)  # type: ignore[union-attr]

    @Slot()
    def watch(self) -> None:
        """Watch the folders that there are now; what changed in them before is no change."""
        self._seen = self._stamps()

    @Slot()
    def look(self) -> None:
        """Report a change since the last check."""
        now = self._stamps()
        if now != self._seen:
            self._seen = now
            self.changed.emit()

    @Slot(Qt.ApplicationState)
    def _come_back(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive:
            self.look()

    def _stamps(self) -> dict[str, int]:
        """When an entry of each folder was last added or removed; the folders are watched before that is read."""
        places = [str(place) for place in self._folders()]
        before, now = set(self._watcher.directories()), set(places[:MOST_WATCHED])
        if gone := before - now:
            self._watcher.removePaths(list(gone))
        if more := now - before:
            self._watcher.addPaths(list(more))
        return {place: _stamp(place) for place in places}


def _stamp(folder: str) -> int:
    """When an entry of the folder was last added or removed; 0 where the folder cannot be read."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0
