"""In the real window: what is given up with real keys and clicks is stored, counted, and taken back by undo."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from samtta_app.gui.panels.adaptation import AdaptationPanel
from samtta_app.session.project.store import Store
from tests.gui.sessions import Key, Sitting
from tests.unit.session.scripted import folder_of

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "images", "a.png", "b.png")


@pytest.fixture
def sitting(qtbot: QtBot, folder: Path) -> Sitting:
    opened = Sitting(qtbot, learn=False)
    opened.opens(folder)
    return opened


def failed(sitting: Sitting) -> str:
    """The share of all attempts that failed, as the panel shows it."""
    panel = sitting.window.docks["adaptation"].widget()
    assert isinstance(panel, AdaptationPanel)
    return panel.attempts["fr_20_85", "user"].text()


def whys(sitting: Sitting) -> list[str]:
    return [attempt.why for attempt in sitting.controller.store.attempts()]


def test_escape_stores_an_attempt_and_ctrl_z_takes_it_back(sitting: Sitting):
    sitting.accepts((60, 50), (30, 30), (90, 70))
    assert failed(sitting) == "0 %"
    sitting.previews((40, 40), (80, 60), (20, 70))
    before = len(whys(sitting))
    sitting.presses(Key.Key_Escape)
    assert whys(sitting)[before:] == ["cancelled"]
    assert failed(sitting) != "0 %"
    sitting.presses(Key.Key_Z, CONTROL)
    assert len(whys(sitting)) == before
    assert sitting.state.preview is not None
    sitting.leaves()


def test_another_image_the_delete_key_and_the_closed_window_each_leave_their_word(sitting: Sitting, folder: Path):
    sitting.previews((60, 50), (30, 30), (90, 70))
    before = len(whys(sitting))
    sitting.shows("b.png")
    sitting.accepts((60, 50), (30, 30), (90, 70))
    sitting.presses(Key.Key_Tab)
    assert sitting.state.selected is not None
    sitting.presses(Key.Key_Delete)
    sitting.previews((60, 50), (30, 30), (90, 70))
    sitting.leaves()
    with Store.open(folder) as store:
        stored = [attempt.why for attempt in store.attempts()][before:]
    assert stored[0] == "left"
    assert [why for why in stored if why != "cancelled"] == ["left", "deleted", "closed"]
