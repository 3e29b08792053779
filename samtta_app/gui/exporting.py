"""An export on a thread of its own: it reports progress, can be cancelled, and ends in files or in a UserError."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from samtta_app.core.messages import ReportProgress
from samtta_app.core.names import displayable
from samtta_app.errors import UserError
from samtta_app.formats import FORMATS
from samtta_app.formats.base import ExportStoppedError
from samtta_app.formats.export_choice import EVERYTHING, ExportChoice, export_project
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.session.project.store import Store
from samtta_app.session.state import Severity

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exported:
    """The files that an export made in `folder`, its action in two words, a sentence about it, and what was left out."""

    folder: Path
    files: tuple[Path, ...]
    done: str
    words: str = ""
    remarks: tuple[str, ...] = ()


ExportTask = Callable[[ReportProgress], Exported]


class ExportThread(QObject):
    """Does one export.

    Signals:
        progressed(object): how far it is, in words.
        ended(object): Exported, or the UserError that stopped it; then no partial file stays.
    """

    progressed = Signal(object)  # a signal of str would lose what a Phrase is made of
    ended = Signal(object)

    def __init__(self, task: ExportTask, parent: QObject) -> None:
        super().__init__(parent)
        self._task, self._stopped = task, threading.Event()
        self._thread = threading.Thread(target=self._run, name="samtta-export", daemon=True)

    def start(self) -> None:
        """Begin; to be called when the signals have their receivers."""
        self._thread.start()

    def cancel(self) -> None:
        """End before the next image; nothing is written then."""
        self._stopped.set()

    def wait(self) -> None:
        """Wait for the end; a cancelled export ends after the image that is under way."""
        self._thread.join()

    def _run(self) -> None:
        try:
            outcome: Exported | UserError = self._task(self._tell)
        except UserError as error:
            outcome = error
        except Exception as error:
            log.exception("An export failed")
            outcome = UserError(Phrase("The export failed: {kind}: {error}", kind=type(error).__name__, error=error))
        self.ended.emit(outcome)

    def _tell(self, done: float, words: str) -> None:
        if self._stopped.is_set():
            raise ExportStoppedError("The export was cancelled")
        self.progressed.emit(Phrase("Exporting {words}", words=Phrase.of(words)) if words else "Exporting")


def masks_task(read: Callable[[], Store], name: str, folder: Path, choice: ExportChoice = EVERYTHING) -> ExportTask:
    """Write what is chosen of the annotations in a format of FORMATS; `read` opens what is stored."""

    def task(progress: ReportProgress) -> Exported:
        with read() as store:
            project = store.project()
            files = export_project(project, FORMATS[name], folder, choice, progress)
            return Exported(folder, tuple(files), "Exported", project.words, project.remarks)

    return task


def figures_task(read: Callable[[], Store], folder: Path) -> ExportTask:
    """Write the session's figures and raw records; `read` opens what is stored."""

    def task(progress: ReportProgress) -> Exported:
        from samtta_app.session.statistics.statistics_export import write_statistics  # first paint does without it

        with read() as store:
            files = write_statistics(store, folder, translated)
            return Exported(folder, tuple(files), "Figures written", remarks=store.left_out)

    return task


def export_words(outcome: Exported | UserError) -> tuple[Severity, str]:
    """What the message bar says of an export's end."""
    if isinstance(outcome, ExportStoppedError):
        return "info", str(outcome)
    if isinstance(outcome, UserError):
        return "error", str(outcome)
    number = Phrase("1 file") if len(outcome.files) == 1 else Phrase("{number} files", number=len(outcome.files))
    folder = displayable(str(outcome.folder))
    said = Phrase("{done}: {number} in {folder}", done=Phrase(outcome.done), number=number, folder=folder)
    if outcome.words:
        said = Phrase("{said}. {words}", said=said, words=outcome.words)
    if outcome.remarks:
        return "warning", Phrase("{said}. {words}", said=said, words=displayable("; ".join(outcome.remarks)))
    return "good", said
