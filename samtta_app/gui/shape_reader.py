"""The form of accepted masks, computed from what is stored on a thread of its own: thousands of masks take seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from samtta_app.core.mask_shape import MaskShape
from samtta_app.errors import UserError
from samtta_app.session.project.store import Store
from samtta_app.session.statistics.mask_histograms import mask_shapes

log = logging.getLogger(__name__)


class ShapeReader(QObject):
    """Reads some masks once.

    Signals:
        ended(object): the forms by object id; those that could not be read are missing.

    Args:
        read: opens what is stored.
        ids: of the objects.
        parent: owns it, and waits for its end.
    """

    ended = Signal(object)

    def __init__(self, read: Callable[[], Store], ids: frozenset[int], parent: QObject) -> None:
        super().__init__(parent)
        self._read, self._ids, self._stopped = read, ids, threading.Event()
        self._thread = threading.Thread(target=self._run, name="samtta-shapes", daemon=True)

    def start(self) -> None:
        """Begin; to be called when the signal has its receiver."""
        self._thread.start()

    def stop(self) -> None:
        """End after the mask that is under way, and wait for that."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        found: dict[int, MaskShape] = {}
        try:
            with self._read() as store:
                for number in sorted(self._ids):
                    if self._stopped.is_set():
                        return
                    found |= mask_shapes(store, (number,))
        except UserError as error:
            log.info("The masks' forms are not shown: %s", error)
        self.ended.emit(found)
