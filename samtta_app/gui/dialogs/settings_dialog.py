"""The dialog of settings, made from their typed schema: each change is used and saved at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, get_args

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from samtta_app.errors import SettingsError
from samtta_app.gui.dialogs.dialogs import PathField, dialog_form
from samtta_app.gui.dialogs.key_editor import KeyEditor
from samtta_app.gui.dialogs.reading_dialogs import dialog_layout
from samtta_app.gui.dialogs.setting_words import PAGES, SETTING_WORDS, SettingWords
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.settings import SettingField, Settings, StrategyName, setting_fields

KEYS_PAGE = "Keys"
_STRATEGY_WORDS = "{words}. What was learned before stays; every strategy but frozen continues from it."
LEAST_FONT = 6
"""Points below which no text can be read; 0 is the system's size."""


class SettingsDialog(QDialog):
    """Shows the settings; each change is one signal, and there is nothing to be saved.

    Args:
        parent: the window.
        settings: the present ones.
        strategies: what each strategy does, in words, by name.

    Signals:
        chosen(Settings): the user wants these from now on.

    Attributes:
        fields: the control of each setting, by its name.
        keys: the page of the keys.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget, settings: Settings, strategies: Mapping[str, str]) -> None:
        super().__init__(parent)
        self.setWindowTitle(translated("Settings"))
        self._settings, self._strategies = settings, strategies
        self.fields: dict[str, QWidget] = {}
        self.words = theme.label(role="muted")
        self.words.setWordWrap(True)
        self.words.setMinimumWidth(56 * theme.GRID)
        self.error = theme.label(role="bad")
        self.error.setWordWrap(True)
        self.error.hide()
        self.pages = QTabWidget()
        self.pages.setDocumentMode(True)
        for page in PAGES:
            self.pages.addTab(self._page(page), translated(page))
        self.keys = KeyEditor(settings.keys)
        self.keys.chosen.connect(lambda keys: self._take("keys", keys))
        self.pages.addTab(self.keys, translated(KEYS_PAGE))
        buttons = QDialogButtonBox()
        buttons.addButton(translated("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.close)
        layout = dialog_layout(self)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.error)
        layout.addWidget(buttons)
        self._say_strategy()
        self.resize(84 * theme.GRID, 64 * theme.GRID)

    @property
    def settings(self) -> Settings:
        """The settings as they were chosen last."""
        return self._settings

    def refuse(self, settings: Settings, why: str) -> None:
        """Say why the last change cannot be used: `settings` hold. What was written stays, so that it can be corrected."""
        self._settings = settings
        self.error.setText(translated(why))
        self.error.show()

    def _page(self, page: str) -> QWidget:
        made, form = QWidget(), dialog_form()
        outer = QVBoxLayout(made)
        outer.setContentsMargins(0, 2 * theme.GRID, 0, 0)
        outer.setSpacing(2 * theme.GRID)
        outer.addLayout(form)
        for entry in setting_fields():
            words = SETTING_WORDS[entry.name]
            if words.page == page:
                self._add(form, entry, words)
        outer.addStretch(1)
        return made

    def _add(self, form: QFormLayout, entry: SettingField, words: SettingWords) -> None:
        """Add the row of one setting."""
        control = self._control(entry, words, getattr(self._settings, entry.name))
        self.fields[entry.name] = control
        named = control.line if isinstance(control, PathField) else control
        named.setAccessibleName(translated(words.label))
        named.setAccessibleDescription(translated(words.tip))
        control.setToolTip(translated(words.tip))
        named.setMinimumHeight(3 * theme.GRID)
        form.addRow("" if entry.kind == "switch" else translated(words.label), control)
        if entry.name == "strategy":
            form.addRow("", self.words)

    def _control(self, entry: SettingField, words: SettingWords, value: Any) -> QWidget:  # noqa: ANN401 - a setting's
        """The control for a setting of this kind."""
        take = partial(self._take, entry.name)
        if entry.name == "strategy":
            names = (*get_args(StrategyName), *(() if value in get_args(StrategyName) else (value,)))
            return _choices({name: name for name in names}, value, take)
        if entry.name == "model":
            field = PathField(value, "Choose a weights file", "Weights (*.pth *.pt *.safetensors)")
            field.line.editingFinished.connect(lambda: take(field.line.text().strip()))
            field.chosen.connect(take)
            return field
        match entry.kind:
            case "choice":
                return _choices(
                    {name: translated(words.choices.get(name, name)) for name in entry.choices}, value, take
                )
            case "switch":
                switch = QCheckBox(translated(words.label))
                switch.setChecked(value)
                switch.toggled.connect(take)
                return switch
            case "text":
                line = QLineEdit(value)
                line.editingFinished.connect(lambda: take(line.text().strip()))
                return line
        return _number(entry, words, value, take)

    def _take(self, name: str, value: Any) -> None:  # noqa: ANN401 - a setting's
        """Use a new value; what is not valid is said, and nothing changes."""
        try:
            settings = replace(self._settings, **{name: value})
        except SettingsError as error:
            self.refuse(self._settings, str(error))
            return
        self.error.hide()
        if settings != self._settings:
            self._settings = settings
            self.chosen.emit(settings)
        if name == "strategy":
            self._say_strategy()

    def _say_strategy(self) -> None:
        words = self._strategies.get(self._settings.strategy.partition(":")[0], "")
        self.words.setText(translated(_STRATEGY_WORDS, words=Phrase(words)))


def _choices(texts: Mapping[str, str], value: str, take: Callable[[str], None]) -> QComboBox:
    box = QComboBox()
    for name, text in texts.items():
        box.addItem(text, name)
    box.setCurrentIndex(box.findData(value))
    box.currentIndexChanged.connect(lambda _: take(box.currentData()))
    return box


class FontSpinBox(QDoubleSpinBox):
    """A number that is 0 or at least LEAST_FONT."""

    def stepBy(self, steps: int) -> None:
        """From 0 steps begin at the system's size; below LEAST_FONT they lead to 0."""
        system = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).pointSize()
        wanted = (self.value() or max(system, LEAST_FONT)) + steps
        self.setValue(wanted if wanted >= LEAST_FONT else 0)

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        """Both ways from the system's size, too."""
        up, down = QAbstractSpinBox.StepEnabledFlag.StepUpEnabled, QAbstractSpinBox.StepEnabledFlag.StepDownEnabled
        return up | down if not self.value() else super().stepEnabled()


def _number(entry: SettingField, words: SettingWords, value: float, take: Callable[[Any], None]) -> QDoubleSpinBox:
    """A field for a number; it is taken once it is complete, so that no half of it is used."""
    box = FontSpinBox() if entry.name == "font_size" else QDoubleSpinBox()
    box.setDecimals(words.digits)
    box.setRange(entry.limits[0] * words.factor, entry.limits[1] * words.factor)
    box.setSuffix(translated(words.suffix))
    box.setSpecialValueText(translated(words.automatic))
    box.setValue(value * words.factor)
    box.setKeyboardTracking(False)

    def taken(shown: float) -> None:
        number = round(shown / words.factor, 6)
        take(int(number) if entry.kind == "whole" else number)

    box.valueChanged.connect(taken)
    return box
