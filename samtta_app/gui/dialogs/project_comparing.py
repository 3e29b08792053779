"""Another annotator's project for a comparison: a folder is chosen, read on a thread of its own, and handed to the session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from samtta_app.core.messages import ReportProgress
from samtta_app.core.names import displayable
from samtta_app.errors import UserError
from samtta_app.gui.controller import Controller
from samtta_app.gui.dialogs.import_dialog import ImportReader
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.session.project.comparison import compare_projects
from samtta_app.session.review_list import ProjectComparison

COMPARE_TITLE = "The project of another annotator, or its folder of images"
COMPARING = "Comparing with {folder}…"


class ProjectComparer(QObject):
    """Asks for a project; it lives until that was read.

    Args:
        window: its parent.
        controller: has the differences reviewed.
        report: hears why a project cannot be compared.
    """

    def __init__(self, window: QWidget, controller: Controller, report: Callable[[UserError], None]) -> None:
        super().__init__(window)
        self._window, self._controller, self._report = window, controller, report
        self._reader: ImportReader | None = None
        controller.leaving.connect(self._stop)

    def choose(self) -> None:
        """Ask for the folder, and compare."""
        start = str(self._controller.state.folder.parent)
        chosen = QFileDialog.getExistingDirectory(self._window, translated(COMPARE_TITLE), start)
        if not chosen:
            self.deleteLater()
            return
        place, read = Path(chosen), self._controller.store.glance()

        def compare(progress: ReportProgress) -> ProjectComparison:
            with read() as mine:
                return compare_projects(mine, place, progress)

        self._controller.say("info", Phrase(COMPARING, folder=displayable(place.name)))
        self._reader = ImportReader(compare, self)
        self._reader.ended.connect(self._ended)
        self._reader.start()

    @Slot()
    def _stop(self) -> None:
        """The project of this window is about to be closed."""
        if self._reader is not None:
            self._reader.stop()

    @Slot(object)
    def _ended(self, outcome: ProjectComparison | UserError) -> None:
        if isinstance(outcome, UserError):
            self._report(outcome)
        else:
            try:
                self._controller.compare(outcome)
            except UserError as error:
                self._report(error)
        self.deleteLater()
