"""Makes the sample images on a thread of its own, beside the window."""

from __future__ import annotations

import logging
import threading

from PySide6.QtCore import QObject, Signal

from samtta_app.errors import UserError
from samtta_app.phrases import Phrase

log = logging.getLogger(__name__)


class SampleMaker(QObject):
    """Makes the samples on a thread of its own; `made` carries their folder, or the UserError."""

    made = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._given_up = threading.Event()
        self.thread_of_work = threading.Thread(target=self._run, name="samtta-samples", daemon=False)

    def start(self) -> None:
        """Begin; receivers connect to the signals before."""
        self.thread_of_work.start()

    def give_up(self) -> None:
        """End after the image that is being made; the next start makes them all."""
        self._given_up.set()
        self.thread_of_work.join()

    def _go_on(self, share: float) -> None:
        if self._given_up.is_set():
            raise UserError("The samples were not made: the window was closed")

    def _run(self) -> None:
        from samtta_app.datasets.samples.sample_set import (
            ensure_samples,  # imports scipy, which a start without samples does not need
        )

        try:
            self.made.emit(ensure_samples(self._go_on))
        except UserError as e:
            self.made.emit(e)
        except Exception as e:
            log.exception("The samples could not be made")
            self.made.emit(UserError(Phrase("The samples could not be made: {error}", error=e)))
