"""The dialog that exports, and what dialogs to fill in are made of. None of them blocks the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QToolButton,
    QWidget,
)

from samtta_app.errors import UserError
from samtta_app.formats import FORMATS
from samtta_app.gui.controller import Controller
from samtta_app.gui.dialogs.export_choices import ExportChoices
from samtta_app.gui.dialogs.reading_dialogs import dialog_layout
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase

FIGURES = "statistics"
"""The choice that writes the session's figures instead of masks."""


def dialog_form() -> QFormLayout:
    """An empty form: labels on the left, fields that grow, distances in steps of the grid."""
    form = QFormLayout()
    form.setHorizontalSpacing(2 * theme.GRID)
    form.setVerticalSpacing(theme.GRID)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return form


class PathField(QWidget):
    """A line for a path with a button that asks for it.

    Args:
        text: what stands in it at first.
        title: the file dialog's title.
        files: the file dialog's filter; "" asks for a folder.

    Signals:
        chosen(str): a path was chosen with the button.
    """

    chosen = Signal(str)

    def __init__(self, text: str, title: str, files: str = "") -> None:
        super().__init__()
        self._title, self._files = title, files = translated(title), translated(files)
        self.line = QLineEdit(text)
        self.line.setMinimumWidth(40 * theme.GRID)
        self.line.setAccessibleName(title)
        self.button = QToolButton()
        self.button.setProperty("role", "small")
        self.button.setIcon(icons.icon("folder-open"))
        self.button.setToolTip(translated("Choose…"))
        self.button.setAccessibleName(title)
        self.button.clicked.connect(self._ask)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID // 2)
        layout.addWidget(self.line)
        layout.addWidget(self.button)

    def _ask(self) -> None:
        if self._files:
            chosen = QFileDialog.getOpenFileName(self, self._title, self.line.text(), self._files)[0]
        else:
            chosen = QFileDialog.getExistingDirectory(self, self._title, self.line.text())
        if chosen:
            self.line.setText(chosen)
            self.chosen.emit(chosen)


class ExportDialog(QDialog):
    """Asks for a format and a folder, and exports; it closes when the files are there, and Cancel gives the export up.

    Args:
        parent: the window.
        controller: exports in the background, and says in the message bar how it ended.

    Signals:
        failed(UserError): the export was not begun, and the dialog is still open.
    """

    failed = Signal(object)

    def __init__(self, parent: QWidget, controller: Controller) -> None:
        super().__init__(parent)
        self.setWindowTitle(translated("Export"))
        self._controller = controller
        state = controller.state
        self.format = QComboBox()
        for each in FORMATS.values():
            self.format.addItem(translated(each.title), each.name)
        self.format.addItem(translated("Session figures: CSV, JSON and a page to read"), FIGURES)
        self.folder = PathField(str(state.folder / "export"), "Export into this folder")
        form = dialog_form()
        form.addRow(translated("Format"), self.format)
        form.addRow(translated("Folder"), self.folder)
        self.choices = ExportChoices(state.classes)
        form.addRow(self.choices)
        objects = sum(entry.objects for entry in state.images)
        pictures = sum(entry.objects > 0 for entry in state.images)
        self.summary = theme.label(
            translated(
                "{objects} on {images}",
                objects=Phrase("1 object") if objects == 1 else Phrase("{number} objects", number=objects),
                images=Phrase("1 image") if pictures == 1 else Phrase("{number} images", number=pictures),
            ),
            role="muted",
        )
        self.lost = theme.label("", role="muted")
        self.lost.setWordWrap(True)
        self.format.currentIndexChanged.connect(self._show_lost)
        self._show_lost()
        buttons = QDialogButtonBox()
        self.go = buttons.addButton(translated("Export"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.go.setDefault(True)
        self._running = False
        controller.exported.connect(self._ended)
        buttons.accepted.connect(self._export)
        buttons.rejected.connect(self._cancel)
        self.folder.line.textChanged.connect(lambda text: self.go.setEnabled(bool(text.strip()) and not self._running))
        layout = dialog_layout(self)
        layout.addLayout(form)
        layout.addWidget(self.summary)
        layout.addWidget(self.lost)
        layout.addWidget(buttons)

    def _show_lost(self) -> None:
        """Say what is lost in the chosen format."""
        chosen = FORMATS.get(self.format.currentData())
        self.choices.setEnabled(chosen is not None)
        self.lost.setText(translated("Not in it: {names}", names=Phrase.joined("; ", chosen.lost)) if chosen else "")

    def _export(self) -> None:
        folder, name = Path(self.folder.line.text().strip()).expanduser(), self.format.currentData()
        try:
            if name == FIGURES:
                self._controller.export_statistics(folder)
            else:
                self._controller.export(name, folder, self.choices.choice)
        except UserError as error:
            self.failed.emit(error)
        else:
            self._running = True
            self.go.setEnabled(False)

    @Slot()
    def _cancel(self) -> None:
        if self._running:
            self._controller.cancel_export()
        self.close()

    @Slot(object)
    def _ended(self, outcome: object) -> None:
        """Close when the files are there; after an error another folder can be named."""
        if self._running and not isinstance(outcome, UserError):
            self.close()
        self._running = False
        self.go.setEnabled(bool(self.folder.line.text().strip()))
