"""Brightness, contrast, gamma, channel and the look of masks: for the eye, and by choice for the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from samtta_app.core.looks import PLAIN, DisplayLook
from samtta_app.core.messages import PredictRequest
from samtta_app.core.types import Image, Window
from samtta_app.gui.canvas.drawn_objects import BEHIND
from samtta_app.gui.canvas.markers import SELECTED, FrameWords, MaskItem
from samtta_app.gui.dialogs.display_dialog import DisplayDialog
from samtta_app.images.adjusted_source import adjusted
from samtta_app.images.image_source import source_of
from tests.gui.sessions import Sitting
from tests.gui.test_hand_tools import folder_with
from tests.gui.test_reworking_seen import draws

Key, SHIFT, CTRL = Qt.Key, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def sitting(qtbot: QtBot, tmp_path: Path) -> Iterator[Sitting]:
    made = Sitting(qtbot, learn=False)
    made.opens(folder_with(tmp_path / "images"))
    yield made
    made.leaves()


def test_a_look_changes_pixels_as_its_numbers_say() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, 2)
    assert PLAIN.applied(ramp) is ramp
    assert DisplayLook(brightness=0.2).applied(ramp)[0, 100, 0] == 151
    assert DisplayLook(contrast=1.0).applied(ramp)[0, (0, 90, 165, 255), 0].tolist() == [0, 0, 255, 255]
    assert DisplayLook(gamma=2.0).applied(ramp)[0, 64, 0] == 128
    ramp = ramp // (1, 2, 4)
    assert (DisplayLook(channel="green").applied(ramp.astype(np.uint8)) == ramp[..., 1:2]).all()


def test_an_adjusted_image_has_a_key_of_its_own_and_the_files_values() -> None:
    pixels = np.full((8, 9, 3), 100, np.uint8)
    image = Image("key", Path("a.png"), pixels, pixels)
    bright = adjusted(image, DisplayLook(brightness=0.2))
    assert adjusted(image, PLAIN) is image
    assert bright.key != image.key
    assert (bright.width, bright.height) == (9, 8)
    assert (source_of(bright).read(Window(2, 3, 4, 2)) == 151).all()
    assert bright.tiles is not None
    assert bright.tiles.value_at(1, 1).tolist() == [100, 100, 100]  # type: ignore[union-attr]


def test_sliders_change_the_screen_and_what_the_model_sees_by_choice_alone(sitting: Sitting) -> None:
    before = sitting.brightness(100, 60)
    sitting.presses(Key.Key_I)
    dialog = sitting.window.dialogs["display"]
    assert isinstance(dialog, DisplayDialog)
    dialog.brightness.setValue(40)
    sitting.wait(lambda: sitting.state.display.look.brightness == 0.4)
    assert sitting.brightness(100, 60) > before
    asked: list[str] = []
    send = sitting.controller._worker.send

    def noted(request: object) -> None:
        if isinstance(request, PredictRequest):
            asked.append(request.image.key)
        send(request)  # type: ignore[arg-type]

    sitting.controller._worker.send = noted  # type: ignore[method-assign,assignment]
    sitting.clicks(40, 30)
    sitting.wait(lambda: not sitting.state.preview or not sitting.state.preview.waiting)
    dialog.for_model.setChecked(True)
    sitting.clicks(50, 30)
    sitting.wait(lambda: not sitting.state.preview or not sitting.state.preview.waiting)
    assert asked[0] == sitting.state.image.key
    assert asked[1] != asked[0]
    dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Reset).click()
    assert sitting.state.display.look == PLAIN
    assert dialog.brightness.value() == 0
    sitting.presses(Key.Key_Escape)
    assert sitting.brightness(100, 60) == before


def test_one_object_is_hidden_or_sent_behind_and_outlines_have_no_fill(sitting: Sitting) -> None:
    number = draws(sitting, (20, 30), (60, 30))
    sitting.presses(Key.Key_Escape)
    sitting.clicks(40, 30, CTRL)
    (item,) = (each for each in sitting.window.canvas.scene().items() if isinstance(each, MaskItem))
    sitting.presses(Key.Key_V, SHIFT)
    assert item.look[1].fill == 0
    sitting.presses(Key.Key_V, SHIFT)
    assert item.look[1] == SELECTED
    sitting.presses(Key.Key_BracketLeft, CTRL)
    assert item.zValue() == BEHIND
    sitting.presses(Key.Key_H)
    assert sitting.state.display.hidden == {number}
    assert not item.isVisible()
    sitting.presses(Key.Key_H, SHIFT)
    assert item.isVisible()


def test_words_at_the_frame_say_what_it_is(sitting: Sitting) -> None:
    (words,) = (each for each in sitting.window.canvas.scene().items() if isinstance(each, FrameWords))
    assert not words.isVisible()
    canvas, corner = sitting.window.canvas, QPoint(20, 1)
    words.show_at(canvas.mapToScene(corner))
    assert words.isVisible()
    assert canvas.grab().toImage().pixelColor(corner + QPoint(2, 3)).lightness() < 200
    plate = words.boundingRect().toRect().translated(corner)
    assert canvas.viewport().rect().contains(plate), "a frame that begins at the top of the view keeps its words"
