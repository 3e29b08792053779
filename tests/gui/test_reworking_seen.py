"""Accepted objects in the real window: taken up with Ctrl, the list or M, changed by clicks and strokes, merged and cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from samtta_app.core.masks import holds
from samtta_app.gui.canvas.markers import ACCEPTED, SELECTED, MaskItem
from samtta_app.gui.panels.objects import ObjectsPanel
from tests.gui.sessions import Sitting
from tests.gui.test_hand_tools import CTRL, NONE, SHIFT, Key, folder_with, shown, strokes


@pytest.fixture
def sitting(qtbot: QtBot, tmp_path: Path) -> Iterator[Sitting]:
    made = Sitting(qtbot, learn=False)
    made.opens(folder_with(tmp_path / "images"))
    yield made
    made.leaves()


def draws(sitting: Sitting, *points: tuple[float, float]) -> int:
    """Paint an object and accept it; its number."""
    if sitting.state.display.tool != "brush":
        sitting.presses(Key.Key_B)
    strokes(sitting, *points)
    sitting.presses(Key.Key_Return)
    return sitting.state.annotations[-1].id


def test_a_selected_object_is_changed_by_strokes_and_stored_with_enter(sitting: Sitting) -> None:
    old = draws(sitting, (20, 30), (60, 30))
    sitting.clicks(40, 30, CTRL)
    strokes(sitting, (60, 30), (100, 30))
    assert sitting.state.preview.edits == old
    assert len([i for i in sitting.window.canvas.scene().items() if isinstance(i, MaskItem)]) == 1
    assert "Enter stores it" in sitting.window.status.hint.text()
    sitting.presses(Key.Key_Return)
    (new,) = sitting.state.annotations
    assert holds(new.mask, 90, 30)
    assert new.replaces == (old,)
    sitting.presses(Key.Key_Z, CTRL)
    sitting.presses(Key.Key_Z, CTRL)
    assert [a.id for a in sitting.state.annotations] == [old]
    assert not holds(sitting.state.annotations[0].mask, 90, 30)


def test_a_click_changes_the_object_that_is_selected_in_the_list(sitting: Sitting) -> None:
    old = draws(sitting, (20, 30), (60, 30))
    sitting.presses(Key.Key_B)
    panel = sitting.window.docks["objects"].widget()
    assert isinstance(panel, ObjectsPanel)
    panel.view.setCurrentIndex(panel.sorted.index(0, 0))
    assert sitting.state.selected == old
    sitting.clicks(64, 34)
    sitting.wait(lambda: sitting.answered)
    assert sitting.state.preview.edits == old
    assert [record.kind for record in sitting.state.preview.history] == ["brush", "click"]


def test_m_takes_the_newest_object_up_and_esc_leaves_it(sitting: Sitting) -> None:
    draws(sitting, (20, 30), (60, 30))
    old = draws(sitting, (20, 60), (60, 60))
    sitting.presses(Key.Key_M)
    assert sitting.state.preview.edits == old
    sitting.presses(Key.Key_B, SHIFT)
    strokes(sitting, (40, 50), (40, 70))
    assert not holds(shown(sitting), 40, 60)
    sitting.presses(Key.Key_Escape)
    assert holds(sitting.state.annotations[1].mask, 40, 60)
    looks = [i.look[1] for i in sitting.window.canvas.scene().items() if isinstance(i, MaskItem)]
    assert sorted(looks, key=lambda look: look.fill) == [ACCEPTED, SELECTED]


def test_ctrl_and_shift_merge_and_x_cuts(sitting: Sitting) -> None:
    draws(sitting, (20, 30), (60, 30))
    draws(sitting, (20, 60), (60, 60))
    sitting.clicks(40, 30, CTRL)
    sitting.clicks(40, 60, CTRL | SHIFT)
    (merged,) = sitting.state.annotations
    assert holds(merged.mask, 40, 30)
    assert holds(merged.mask, 40, 60)
    sitting.presses(Key.Key_X)
    strokes(sitting, (10, 45), (90, 45))
    assert len(sitting.state.annotations) == 2
    for _ in range(2):
        sitting.presses(Key.Key_Z, CTRL)
    assert len(sitting.state.annotations) == 2
    assert merged.id not in {a.id for a in sitting.state.annotations}


def test_a_click_without_a_line_cuts_nothing(sitting: Sitting) -> None:
    draws(sitting, (20, 30), (60, 30))
    sitting.presses(Key.Key_X)
    QTest.mouseClick(sitting.window.canvas.viewport(), Qt.MouseButton.LeftButton, NONE, sitting.place(40, 30))
    assert len(sitting.state.annotations) == 1


def test_copies_are_made_here_and_on_the_next_image(sitting: Sitting) -> None:
    draws(sitting, (20, 30), (60, 30))
    sitting.presses(Key.Key_B)
    sitting.clicks(40, 30, CTRL)
    sitting.presses(Key.Key_D, CTRL)
    assert holds(shown(sitting), 50, 40)
    sitting.presses(Key.Key_Return)
    assert len(sitting.state.annotations) == 2
    sitting.clicks(30, 30, CTRL)
    sitting.presses(Key.Key_D, CTRL | SHIFT)
    sitting.wait(lambda: sitting.state.index == 1 and sitting.state.preview is not None)
    assert holds(shown(sitting), 40, 30)
    sitting.presses(Key.Key_Return)
    assert len(sitting.state.annotations) == 1


def test_the_list_says_what_was_done_by_hand_and_corrected(sitting: Sitting) -> None:
    draws(sitting, (20, 30), (60, 30))
    panel = sitting.window.docks["objects"].widget()
    assert isinstance(panel, ObjectsPanel)
    assert panel.model.index(0, 2).data() == "0+1"
    sitting.presses(Key.Key_M)
    strokes(sitting, (60, 30), (90, 30))
    sitting.presses(Key.Key_Return)
    assert panel.model.index(0, 2).data() == "0+2"
    assert "stays in the project" in panel.model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
