"""Small pictures for the image list: asked for one at a time, newest wish first, once nothing has moved for a moment."""

from __future__ import annotations

from pathlib import Path

from cachetools import LRUCache
from PySide6.QtCore import QObject, QSize, QTimer, Signal, Slot
from PySide6.QtGui import QPixmap

from samtta_app.core.replies import Thumbnailed
from samtta_app.gui.canvas.overlay import rgb_image
from samtta_app.gui.controller import Controller

SMALL_PICTURE = QSize(36, 22)
"""Points of a small picture: twelve rows of it leave room for the other panels on a screen of 1080 lines."""

THUMBNAILS_KEPT = 4000
"""Small pictures in memory at most, 16 kB each at two pixels a point."""

IDLE = 400
"""Milliseconds without another wish before the first one is asked for: a list that is scrolled past reads nothing."""


class ThumbnailList(QObject):
    """The small pictures of images; the engine's thread reads them when nothing else is to be done.

    Signals:
        come: one more of them can be had.

    Args:
        controller: asked for them.
        parent: owns it.
    """

    come = Signal()

    def __init__(self, controller: Controller, parent: QObject) -> None:
        super().__init__(parent)
        self._controller = controller
        self._known: LRUCache[Path, QPixmap] = LRUCache(THUMBNAILS_KEPT)
        self._wishes: dict[Path, None] = {}
        self._asked: Path | None = None
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(IDLE)
        self._idle.timeout.connect(self._ask)
        controller.thumbnailed.connect(self._take)

    def get(self, path: Path) -> QPixmap | None:
        """The small picture of a file; None until it is made, a null one where it cannot be."""
        found: QPixmap | None = self._known.get(path)
        if found is None:
            self._wishes[path] = None
            self._idle.start()
        return found

    @Slot()
    def _ask(self) -> None:
        """Ask for the newest wish: what is on the screen now. Others are wished for again when they are drawn."""
        if self._asked is None and self._wishes:
            self._asked = self._wishes.popitem()[0]
            self._controller.ask_thumbnail(self._asked, 2 * SMALL_PICTURE.width())

    @Slot(object)
    def _take(self, reply: Thumbnailed) -> None:
        if reply.path == self._asked:
            self._asked = None
        made = QPixmap() if reply.pixels is None else QPixmap.fromImage(rgb_image(reply.pixels))
        made.setDevicePixelRatio(2)
        self._known[reply.path] = made
        self._wishes.pop(reply.path, None)
        self.come.emit()
        if not self._idle.isActive():
            self._ask()
