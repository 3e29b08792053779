"""Notices files that are added to or removed from the open folder."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication

PAUSE = 500
"""Milliseconds without another change before the folder is listed: files are often copied by the hundred."""


class FolderWatch(QObject):
    """Watches one folder.

    A network drive reports no changes, nor does a system with too many watches. So the folder is also checked when the
    user comes back to the window.

    Signals:
        changed: files have come or gone.

    Args:
        folder: the folder.
        parent: owns it; both end together.
    """

    changed = Signal()

    def __init__(self, folder: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._folder, self._seen = folder, _stamp(folder)
        self._watcher = QFileSystemWatcher([str(folder)], self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(self.look)
        self._watcher.directoryChanged.connect(self._timer.start)
        QGuiApplication.instance().applicationStateChanged.connect(self._come_back)  # type: ignore[union-attr]

    @Slot(Path)
    def watch(self, folder: Path) -> None:
        """Watch another folder instead."""
        self._watcher.removePaths(self._watcher.directories())
        self._watcher.addPath(str(folder))
        self._folder, self._seen = folder, _stamp(folder)

    @Slot()
    def look(self) -> None:
        """Report a change since the last check."""
        now = _stamp(self._folder)
        if now != self._seen:
            self._seen = now
            self.changed.emit()

    @Slot(Qt.ApplicationState)
    def _come_back(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive:
            self.look()


def _stamp(folder: Path) -> int:
    """When an entry of the folder was last added or removed; 0 where the folder cannot be read."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0
