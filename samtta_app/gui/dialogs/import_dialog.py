"""The dialog that brings objects of other programs in: it reads the file beside the window, shows what comes, then stores."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from samtta_app.core.names import displayable
from samtta_app.errors import DatasetError, UserError
from samtta_app.formats.importers import IMPORTERS, ImportCount, ImportedObject, ProjectImages, import_objects
from samtta_app.gui.controller import Controller
from samtta_app.gui.dialogs.dialogs import PathField
from samtta_app.gui.dialogs.reading_dialogs import dialog_layout
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase

log = logging.getLogger(__name__)

SHOWN_LINES = 200
"""Images and reasons that the preview lists; a command line's `--preview` counts the rest as well."""

MOST_IMPORTED = 50_000
"""Objects that wait in memory for the user's yes, some 50 MB, and are then stored in one step of some 20 seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadImport:
    """What was read of a file: the objects that fit, in the memory of their own rectangles, and what was counted."""

    objects: tuple[ImportedObject, ...]
    count: ImportCount


class ImportReader(QObject):
    """Reads one file on a thread of its own.

    Signals:
        ended(object): what was read, or the UserError that stopped it.
    """

    ended = Signal(object)

    def __init__(self, read: Callable[[Callable[[float, str], None]], object], parent: QObject) -> None:
        super().__init__(parent)
        self._read, self._stopped = read, threading.Event()
        self._thread = threading.Thread(target=self._run, name="samtta-import", daemon=True)

    def start(self) -> None:
        """Begin; to be called when the signal has its receivers."""
        self._thread.start()

    def stop(self) -> None:
        """End before the next hundred objects, and wait for it."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            outcome = self._read(self._check)
        except UserError as error:
            outcome = error
        except Exception as error:
            log.exception("An import failed")
            outcome = UserError(
                Phrase("The file cannot be read: {kind}: {error}", kind=type(error).__name__, error=error)
            )
        self.ended.emit(outcome)

    def _check(self, done: float, words: str) -> None:
        if self._stopped.is_set():
            raise DatasetError("The import was cancelled")


class ImportDialog(QDialog):
    """Asks for a file and its format, shows what comes in and what does not, and stores it in one step.

    Args:
        parent: the window.
        controller: stores the objects, and says in the message bar how that ended.
        on_failure: hears what `failed` says.

    Signals:
        failed(UserError): nothing was read or stored, and the dialog is still open.
    """

    failed = Signal(object)

    def __init__(
        self, parent: QWidget, controller: Controller, on_failure: Callable[[UserError], None] | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(translated("Import"))
        if on_failure is not None:
            self.failed.connect(on_failure)
        self._controller = controller
        self._reader: ImportReader | None = None
        self._found: ReadImport | None = None
        self.format = QComboBox()
        for each in IMPORTERS.values():
            self.format.addItem(translated(each.title), each.name)
        self.path = PathField("", "Import this file", "All files (*)")
        self.path.line.setPlaceholderText(translated("A file, or a folder of files"))
        self.parts = QComboBox()
        self.parts.addItem(translated("The parts of a mask are one object"), False)
        self.parts.addItem(translated("Each part of a mask is an object"), True)
        self.class_name = QLineEdit("object")
        self.learn = QCheckBox(translated("Learn from these when the project is opened next"))
        form = QFormLayout()
        form.addRow(translated("Format"), self.format)
        form.addRow(translated("File"), self.path)
        form.addRow(translated("Parts"), self.parts)
        form.addRow(translated("Class without a name"), self.class_name)
        form.addRow("", self.learn)
        self.preview = QPlainTextEdit()
        self.preview.setReadOnly(True)
        self.preview.setPlaceholderText(translated("Read the file to see what comes."))
        self.preview.setMinimumHeight(20 * theme.GRID)
        buttons = QDialogButtonBox()
        self.read = buttons.addButton(translated("Read"), QDialogButtonBox.ButtonRole.ActionRole)
        self.go = buttons.addButton(translated("Import"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.read.clicked.connect(self._begin)
        buttons.accepted.connect(self._store)
        buttons.rejected.connect(self.close)
        self.finished.connect(self._stop)
        for changed in (self.format.currentIndexChanged, self.parts.currentIndexChanged):
            changed.connect(self._forget)
        for line in (self.path.line, self.class_name):
            line.textChanged.connect(self._forget)
        layout = dialog_layout(self)
        layout.addLayout(form)
        layout.addWidget(self.preview)
        layout.addWidget(buttons)
        self._forget()

    @Slot()
    def _forget(self) -> None:
        """What was read belongs to another choice."""
        self._found = None
        self.preview.clear()
        self.go.setEnabled(False)
        self.read.setEnabled(bool(self.path.line.text().strip()) and self._reader is None)
        self.parts.setEnabled(IMPORTERS[self.format.currentData()].asks_parts)

    @Slot()
    def _begin(self) -> None:
        store, path = self._controller.store, Path(self.path.line.text().strip()).expanduser()
        images = ProjectImages(store.folder, tuple(entry.name for entry in store.images()), store.reading.planes)
        importer, parts = IMPORTERS[self.format.currentData()], bool(self.parts.currentData())
        label = self.class_name.text().strip() or "object"

        def read(progress: Callable[[float, str], None]) -> ReadImport:
            count = ImportCount()
            found = import_objects(
                importer, path, images, count, split_parts=parts, class_name=label, progress=progress
            )
            return ReadImport(_all_of(found, path), count)

        self._reader = ImportReader(read, self)
        self._reader.ended.connect(self._ended)
        self._forget()
        self.preview.setPlainText(translated("Reading…"))
        self._reader.start()

    @Slot(object)
    def _ended(self, outcome: ReadImport | UserError) -> None:
        self._stop()
        self._forget()
        if isinstance(outcome, UserError):
            self.failed.emit(outcome)
            return
        self._found = outcome
        self.preview.setPlainText("\n".join(map(displayable, _lines(outcome.count))))
        self.go.setEnabled(bool(outcome.objects))

    @Slot()
    def _store(self) -> None:
        if self._found is None:
            return
        source = f"{self.format.currentData()}: {Path(self.path.line.text().strip()).name}"
        try:
            self._controller.import_objects(self._found.objects, source, teach=self.learn.isChecked())
        except UserError as error:
            self.failed.emit(error)
        else:
            self.close()

    @Slot()
    def _stop(self) -> None:
        if self._reader is not None:
            self._reader.stop()
            self._reader.deleteLater()
            self._reader = None


def _all_of(found: Iterator[ImportedObject], path: Path) -> tuple[ImportedObject, ...]:
    """The objects of an import.

    Raises:
        DatasetError: there are too many for the window.
    """
    objects = tuple(islice(found, MOST_IMPORTED + 1))
    if len(objects) > MOST_IMPORTED:
        raise DatasetError(
            Phrase("The window imports {most} objects at most at a time", most=MOST_IMPORTED),
            path,
            "Close the project, and use the command samtta import",
        )
    return objects


def _lines(count: ImportCount) -> list[str]:
    """What a preview says: the sum, then classes, refused objects, and images."""
    lines = [translated("Would come in: {words}", words=count.words)]
    lines += [
        translated("class {name}: {number}", name=name, number=number)
        for name, number in sorted(count.by_class.items())
    ]
    lines += [
        translated("refused {where}: {reason}", where=each.where, reason=each.reason)
        for each in count.refused[:SHOWN_LINES]
    ]
    lines += [
        translated("image {name}: {number}", name=name, number=number)
        for name, number in sorted(count.by_image.items())[:SHOWN_LINES]
    ]
    return lines
