"""In the real window: control objects look like all others until Enter, and are seen in the list and the panel after it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from samtta_app.gui.panels.adaptation import AdaptationPanel
from samtta_app.session.project.store import Store
from samtta_app.session.workflow.overlays import BLINDED
from samtta_app.settings import Settings
from tests.gui.sessions import Key, Sitting
from tests.unit.session.scripted import folder_of
from tests.unit.session.test_control_objects import drawn

PLACES = ((60, 50), (30, 30), (90, 70), (40, 70))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project whose seed makes its first object a control object, and its second one none."""
    made = folder_of(tmp_path / "images", "a.png", "b.png")
    seed = next(s for s in range(99) if drawn(s, 0.5, 2) == [True, False])
    with Store.open(made) as store, store._writing():
        store._put("control_seed", str(seed))
    return made


@pytest.fixture
def sitting(qtbot: QtBot, folder: Path) -> Sitting:
    opened = Sitting(qtbot, learn=False)
    opened.window.settings = Settings(theme="light", learn=False, control_share=0.5)
    opened.opens(folder)
    return opened


def panel(sitting: Sitting) -> AdaptationPanel:
    found = sitting.window.docks["adaptation"].widget()
    assert isinstance(found, AdaptationPanel)
    return found


def test_a_control_object_is_named_after_enter_and_the_groups_are_counted(sitting: Sitting):
    sitting.accepts(*PLACES)
    assert [a.control for a in sitting.state.annotations] == [True]
    objects = sitting.window.docks["objects"].widget()
    versions = objects.model.index(0, objects.model.columnCount() - 1)
    assert versions.data(Qt.ItemDataRole.DisplayRole) == "0 (control)"
    sitting.accepts(*PLACES[::-1])
    assert [a.control for a in sitting.state.annotations] == [True, False]
    sitting.gives_room("adaptation")
    panel(sitting).details.button.click()
    assert panel(sitting).controls.sentence.text().startswith("Not enough objects yet: 1 control objects, 1 others")
    assert panel(sitting).controls.isVisibleTo(panel(sitting))
    sitting.leaves()


def test_holding_c_shows_no_other_answer_before_enter_and_says_why(sitting: Sitting):
    sitting.previews(*PLACES)
    sitting.window.activateWindow()
    sitting.wait(sitting.window.isActiveWindow)
    sitting.window.canvas.setFocus()
    QTest.keyPress(sitting.window.canvas, Key.Key_C)
    sitting.wait(lambda: BLINDED in sitting.said)
    assert not sitting.state.display.compare
    assert sitting.state.preview is not None
    assert sitting.state.preview.frozen is None
    QTest.keyRelease(sitting.window.canvas, Key.Key_C)
    sitting.leaves()
