"""Tiles of images that are read from their files: fetched on a thread, coarse ones first, and of those the newest wish."""

from __future__ import annotations

import logging
import threading
from operator import itemgetter

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from samtta_app.core.looks import DisplayLook
from samtta_app.core.types import ImageSource, Window
from samtta_app.errors import ImageError
from samtta_app.gui.canvas.overlay import rgb_image

TileKey = tuple[int, int, int]
"""Level, row and column of a tile."""

MOST_WISHES = 64
"""Wishes that are kept: tiles of a view that was left long ago are not fetched."""

log = logging.getLogger(__name__)


class TileLoader(QObject):
    """Reads tiles of one image; made on the GUI thread, where its signal arrives.

    The thread ends when nothing is wished for, so that nothing has to be closed.

    Signals:
        arrived(TileKey, QImage): a tile; a null image where it cannot be read.
    """

    arrived = Signal(object, QImage)

    def __init__(self, source: ImageSource, look: DisplayLook, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source, self._look = source, look
        self._lock = threading.Lock()
        self._wishes: dict[TileKey, Window] = {}
        self._running: threading.Thread | None = None
        self._closed = False

    def wish(self, key: TileKey, window: Window) -> None:
        """Ask for a tile, which comes before those of its level that were asked for earlier."""
        with self._lock:
            self._wishes.pop(key, None)
            self._wishes[key] = window
            while len(self._wishes) > MOST_WISHES:
                del self._wishes[next(iter(self._wishes))]
            if self._running is None and not self._closed:
                self._running = threading.Thread(target=self._run, name="samtta-tiles", daemon=True)
                self._running.start()

    def close(self) -> None:
        """Drop every wish; nothing is emitted once this has returned."""
        with self._lock:
            self._closed = True
            self._wishes.clear()
            running = self._running
        if running is not None:
            running.join()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._wishes:
                    self._running = None
                    return
                key = max(reversed(self._wishes), key=itemgetter(0))
                window = self._wishes.pop(key)
            found = QImage()
            try:
                found = rgb_image(self._look.applied(self._source.read(window, key[0])))
            except (ImageError, OSError, MemoryError) as error:
                log.warning("A tile was not read: %s", error)
            with self._lock:
                if self._closed:
                    self._running = None
                    return
            self.arrived.emit(key, found)
