"""The dialogs to fill in: export and settings. None of them blocks the window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QToolButton,
    QWidget,
)

from samtta_app.errors import SettingsError, UserError
from samtta_app.formats import FORMATS
from samtta_app.gui.controller import Controller
from samtta_app.gui.dialogs.export_choices import ExportChoices
from samtta_app.gui.dialogs.reading_dialogs import dialog_layout
from samtta_app.gui.widgets import icons, theme
from samtta_app.settings import Settings, StrategyName

FIGURES = "statistics"
"""The choice that writes the session's figures instead of masks."""


def _form() -> QFormLayout:
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
    """

    def __init__(self, text: str, title: str, files: str = "") -> None:
        super().__init__()
        self._title, self._files = title, files
        self.line = QLineEdit(text)
        self.line.setMinimumWidth(40 * theme.GRID)
        self.button = QToolButton()
        self.button.setProperty("role", "small")
        self.button.setIcon(icons.icon("folder-open"))
        self.button.setToolTip("Choose…")
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
        self.setWindowTitle("Export")
        self._controller = controller
        state = controller.state
        self.format = QComboBox()
        for each in FORMATS.values():
            self.format.addItem(each.title, each.name)
        self.format.addItem("Session figures: CSV and JSON", FIGURES)
        self.folder = PathField(str(state.folder / "export"), "Export into this folder")
        form = _form()
        form.addRow("Format", self.format)
        form.addRow("Folder", self.folder)
        self.choices = ExportChoices(state.classes)
        form.addRow(self.choices)
        objects = sum(entry.objects for entry in state.images)
        pictures = sum(entry.objects > 0 for entry in state.images)
        self.summary = theme.label(f"{_count(objects, 'object')} on {_count(pictures, 'image')}", role="muted")
        self.lost = theme.label("", role="muted")
        self.lost.setWordWrap(True)
        self.format.currentIndexChanged.connect(self._show_lost)
        self._show_lost()
        buttons = QDialogButtonBox()
        self.go = buttons.addButton("Export", QDialogButtonBox.ButtonRole.AcceptRole)
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
        self.lost.setText(f"Not in it: {'; '.join(chosen.cannot_hold)}" if chosen else "")

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


class SettingsDialog(QDialog):
    """Shows the settings and makes new ones.

    Args:
        parent: the window.
        settings: the present ones.
        strategies: what each strategy does, in words, by name.

    Signals:
        chosen(Settings): the user wants these.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget, settings: Settings, strategies: Mapping[str, str]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self._settings, self._strategies = settings, strategies
        self._make_fields(settings)
        self.error = theme.label(role="bad")
        self.error.setWordWrap(True)
        self.error.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._save)
        buttons.rejected.connect(self.close)
        layout = dialog_layout(self)
        layout.addLayout(self._rows())
        layout.addWidget(
            theme.label(
                "Theme and wheel apply at once, threads at the next start, the others at the next project.",
                role="muted",
            )
        )
        layout.addWidget(self.error)
        layout.addWidget(buttons)

    def _make_fields(self, settings: Settings) -> None:
        self.theme = _choice({"system": "As the system", "light": "Light", "dark": "Dark"}, settings.theme)
        self.wheel = _choice({"zoom": "Zooms (Ctrl scrolls)", "scroll": "Scrolls (Ctrl zooms)"}, settings.wheel)
        self.model = PathField(settings.model, "Choose a weights file", "Weights (*.pth *.pt *.safetensors)")
        self.threads = QSpinBox()
        self.threads.setRange(0, 1024)
        self.threads.setSpecialValueText("Automatic")
        self.threads.setValue(settings.threads)
        self.idle = QDoubleSpinBox()
        self.idle.setRange(1, 3600)
        self.idle.setDecimals(0)
        self.idle.setSuffix(" s")
        self.idle.setValue(settings.idle_seconds)
        self.strategy = _choice(
            {name: name for name in (*get_args(StrategyName), settings.strategy)}, settings.strategy
        )
        self.words = theme.label(role="muted")
        self.words.setWordWrap(True)
        self.words.setMinimumWidth(40 * theme.GRID)
        self.strategy.currentIndexChanged.connect(self._say_strategy)
        self._say_strategy()
        self.learn = QCheckBox("Learn from accepted objects")
        self.learn.setChecked(settings.learn)
        self.tidy = QCheckBox("Remove crumbs and pinholes from masks")
        self.tidy.setToolTip("Small loose parts without an include click, and small holes without an exclude click")
        self.tidy.setChecked(settings.tidy_masks)
        self.control = QDoubleSpinBox()
        self.control.setRange(0, 50)
        self.control.setDecimals(1)
        self.control.setSuffix(" % of objects")
        self.control.setSpecialValueText("None")
        self.control.setToolTip(
            "The original model answers them, unseen until Enter, to compare; 10 % is advised for studies"
        )
        self.control.setValue(100 * settings.control_share)

    def _rows(self) -> QFormLayout:
        form = _form()
        form.addRow("Theme", self.theme)
        form.addRow("Mouse wheel", self.wheel)
        form.addRow("Model", self.model)
        form.addRow("Threads", self.threads)
        form.addRow("", self.tidy)
        form.addRow("Longest pause that counts", self.idle)
        form.addRow("Way of learning", self.strategy)
        form.addRow("", self.words)
        form.addRow("", self.learn)
        form.addRow("Control objects", self.control)
        return form

    def values(self) -> Settings:
        """The settings that the fields hold now.

        Raises:
            SettingsError: a field is not valid.
        """
        return replace(
            self._settings,
            model=self.model.line.text().strip(),
            theme=self.theme.currentData(),
            threads=self.threads.value(),
            idle_seconds=self.idle.value(),
            wheel=self.wheel.currentData(),
            strategy=self.strategy.currentData(),
            learn=self.learn.isChecked(),
            control_share=round(self.control.value() / 100, 3),
            tidy_masks=self.tidy.isChecked(),
        )

    def _say_strategy(self) -> None:
        said = self._strategies.get(self.strategy.currentData().partition(":")[0], "")
        self.words.setText(f"{said}. What was learned before stays; every strategy but frozen continues from it.")

    def _save(self) -> None:
        try:
            settings = self.values()
        except SettingsError as error:
            self.error.setText(str(error))
            self.error.show()
            return
        self.chosen.emit(settings)
        self.close()


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _choice(texts: Mapping[str, str], value: str) -> QComboBox:
    box = QComboBox()
    for name, text in texts.items():
        box.addItem(text, name)
    box.setCurrentIndex(list(texts).index(value))
    return box
