"""How the image and the masks are shown: brightness, contrast, gamma, channel, and the opacity of masks."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import get_args

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QDialogButtonBox, QFormLayout, QSlider, QWidget

from samtta_app.core.looks import PLAIN, Channel, DisplayLook
from samtta_app.gui.controller import Controller
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.session import acts
from samtta_app.session.state import Display, State

CHANNEL_WORDS: dict[Channel, str] = {"all": "All", "red": "Red (1)", "green": "Green (2)", "blue": "Blue (3)"}
"""What the channels are called; files of other channels show their first three in these places."""

MODEL_TIP = "Otherwise these settings are for your eyes alone. Learning always sees the image as it is"

_GAMMA_STEPS = 50
"""Slider steps of a gamma of 5, and of its inverse."""


class DisplayDialog(QDialog):
    """Sliders that act at once, beside the window; it does not block it.

    Args:
        parent: the window.
        controller: told of each change, and followed.
    """

    def __init__(self, parent: QWidget, controller: Controller) -> None:
        super().__init__(parent)
        self.setWindowTitle(translated("Brightness and masks"))
        self._controller = controller
        self.brightness, self.contrast = _slider(-100, 100, "Brightness"), _slider(-100, 100, "Contrast")
        self.gamma, self.fill = _slider(-_GAMMA_STEPS, _GAMMA_STEPS, "Gamma"), _slider(0, 100, "Opacity of masks")
        self.channel = QComboBox()
        for name in get_args(Channel):
            self.channel.addItem(translated(CHANNEL_WORDS[name]), name)
        self.for_model = QCheckBox(translated("The model sees it, too"))
        self.for_model.setToolTip(translated(MODEL_TIP))
        self.outlines = QCheckBox(translated("Outlines only"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Reset | QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Reset).clicked.connect(self._reset)
        buttons.rejected.connect(self.reject)
        form = QFormLayout(self)
        form.setSpacing(theme.GRID)
        for name, part in (
            ("&Brightness", self.brightness),
            ("&Contrast", self.contrast),
            ("&Gamma", self.gamma),
            ("C&hannel", self.channel),
            ("", self.for_model),
            ("&Masks", self.fill),
            ("", self.outlines),
        ):
            form.addRow(translated(name), part)
        form.addRow(buttons)
        for slider in (self.brightness, self.contrast, self.gamma, self.fill):
            slider.valueChanged.connect(self._changed)
        self.channel.currentIndexChanged.connect(self._changed)
        self.for_model.toggled.connect(self._changed)
        self.outlines.toggled.connect(self._changed)
        controller.state_changed.connect(self.show_state)
        self.show_state(controller.state)

    @Slot(object)
    def show_state(self, state: State) -> None:
        """Follow what is shown."""
        display, look = state.display, state.display.look
        for part, value in (
            (self.brightness, round(look.brightness * 100)),
            (self.contrast, round(look.contrast * 100)),
            (self.gamma, _gamma_step(look.gamma)),
            (self.fill, round(display.fill * 100)),
        ):
            with QSignalBlocker(part):
                part.setValue(value)
        with QSignalBlocker(self.channel):
            self.channel.setCurrentIndex(self.channel.findData(look.channel))
        for box, on in ((self.for_model, look.for_model), (self.outlines, display.outlines)):
            with QSignalBlocker(box):
                box.setChecked(on)

    @Slot()
    def _changed(self) -> None:
        shown = self._controller.state.display.look
        look = DisplayLook(
            self.brightness.value() / 100,
            self.contrast.value() / 100,
            shown.gamma
            if _gamma_step(shown.gamma) == self.gamma.value()
            else 5.0 ** (self.gamma.value() / _GAMMA_STEPS),
            self.channel.currentData(),
            self.for_model.isChecked(),
        )
        self._do(replace(self._controller.state.display, look=look, fill=self.fill.value() / 100))

    def _do(self, wanted: Display) -> None:
        outlines = self.outlines.isChecked()
        self._controller.do(acts.Show(look=wanted.look, fill=wanted.fill, outlines=outlines))

    @Slot()
    def _reset(self) -> None:
        self._controller.do(acts.Show(look=PLAIN, fill=1.0, outlines=False))


def _slider(least: int, greatest: int, name: str) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(least, greatest)
    slider.setPageStep(10)
    slider.setMinimumWidth(28 * theme.GRID)
    slider.setAccessibleName(translated(name))
    return slider


def _gamma_step(gamma: float) -> int:
    """The place of a gamma on its slider: 5 is at its end, 1 in the middle."""
    return round(log(gamma, 5.0) * _GAMMA_STEPS)
