"""Boxes of a detector for review: a file is chosen, read on a thread of its own, and handed to the session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from samtta_app.errors import UserError
from samtta_app.formats.detections import Detections, read_detections
from samtta_app.gui.controller import Controller
from samtta_app.gui.dialogs.import_dialog import ImportReader
from samtta_app.gui.widgets.translation import translated


class BoxesChooser(QObject):
    """Asks for a file of boxes; it lives until the file was read.

    Args:
        window: its parent.
        controller: has the masks in the boxes proposed.
        report: hears why a file cannot be read.
    """

    def __init__(self, window: QWidget, controller: Controller, report: Callable[[UserError], None]) -> None:
        super().__init__(window)
        self._window, self._controller, self._report = window, controller, report
        self._path = Path()

    def choose(self) -> None:
        """Ask for the file, and read it."""
        folder = str(self._controller.state.folder)
        kinds = "COCO detections (*.json);;All files (*)"
        chosen, _ = QFileDialog.getOpenFileName(
            self._window, translated("Boxes of a detector"), folder, translated(kinds)
        )
        if not chosen:
            self.deleteLater()
            return
        self._path = Path(chosen)
        reader = ImportReader(lambda _: read_detections(self._path), self)
        reader.ended.connect(self._ended)
        reader.start()

    @Slot(object)
    def _ended(self, outcome: Detections | UserError) -> None:
        if isinstance(outcome, UserError):
            self._report(outcome)
        else:
            self._controller.review_boxes(outcome, self._path.name)
        self.deleteLater()
