"""A class takes a task of the model in the real window: it is offered, typed, and answers otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from samtta_app.gui.panels.classes import ClassesPanel
from samtta_app.model.backbone import SamModel, built_model
from samtta_app.model.backbones.sam import OfficialSam, toy_sam
from tests.gui.sessions import Key, Sitting
from tests.unit.values import picture


def tasked() -> SamModel:
    vector = 3 * torch.randn(32, generator=torch.Generator().manual_seed(2))
    return built_model("toy", OfficialSam(toy_sam(), {"nucleus": vector}), 64)


@pytest.fixture
def sitting(qapp: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sitting]:
    monkeypatch.setattr("tests.gui.sessions.toy_model", tasked)
    (tmp_path / "images").mkdir()
    Image.fromarray(picture(1, discs=((60, 50, 18),)).pixels).save(tmp_path / "images" / "a.png")
    one = Sitting(qtbot, learn=False)
    one.opens(tmp_path / "images")
    yield one
    one.leaves()


def panel(one: Sitting) -> ClassesPanel:
    found = one.window.docks["classes"].widget()
    assert isinstance(found, ClassesPanel)
    return found


def adds(one: Sitting, typed: str) -> None:
    """Type into the field below the classes, and press Enter."""
    field = panel(one).new_name
    one.window.activateWindow()
    QTest.mouseClick(field, Qt.MouseButton.LeftButton)
    one.wait(field.hasFocus)
    QTest.keyClicks(field, typed)
    QTest.keyClick(field, Key.Key_Return)
    one.wait(lambda: True)


def answer(one: Sitting) -> bytes:
    """The logits of the first click on the disc, which is then given up."""
    one.clicks(60, 50)
    one.wait(lambda: one.answered)
    logits = one.state.preview.candidate.logits.values.tobytes()
    one.presses(Key.Key_Escape)
    return logits


def test_a_class_that_is_typed_by_a_task_s_first_letters_is_answered_with_its_vector(sitting: Sitting) -> None:
    sitting.wait(lambda: panel(sitting).tasks.isVisible())
    assert panel(sitting).tasks.text().endswith("for classes of these names: nucleus")
    plain = answer(sitting)
    adds(sitting, "nuc")
    assert [c.name for c in sitting.state.classes] == ["object", "nucleus"]
    taken = answer(sitting)
    adds(sitting, "cell")
    assert answer(sitting) == plain != taken
    tips = [panel(sitting).model.index(k).data(Qt.ItemDataRole.ToolTipRole) for k in range(3)]
    assert ["Takes the model" in tip for tip in tips] == [False, True, False]
