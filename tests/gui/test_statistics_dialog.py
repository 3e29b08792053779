"""The page of statistics in the real window: all objects, each class and each day, and the way to its files."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from samtta_app.gui.dialogs.dialogs import FIGURES
from samtta_app.gui.dialogs.statistics_dialog import StatisticsDialog
from tests.gui.sessions import Key, Qt, Sitting
from tests.unit.values import picture

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def rows(dialog: StatisticsDialog) -> list[list[str]]:
    """The cells of all rows, a section before its own."""
    found = []
    for number in range(dialog.table.topLevelItemCount()):
        item = dialog.table.topLevelItem(number)
        found += [item, *(item.child(k) for k in range(item.childCount()))]
    return [[item.text(column) for column in range(dialog.table.columnCount())] for item in found]


def test_statistics_of_classes_and_days_are_a_page_of_the_window(qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    Image.fromarray(picture(3, 96, 128, ((60, 50, 18),)).pixels).save(folder / "a.png")
    sitting = Sitting(qtbot)
    sitting.opens(folder)
    sitting.presses(Key.Key_S, CTRL | SHIFT)
    assert "statistics" not in sitting.window.dialogs
    sitting.accepts((60, 50))
    sitting.wait(lambda: sitting.settled)
    sitting.presses(Key.Key_S, CTRL | SHIFT)
    dialog = sitting.window.dialogs["statistics"]
    sitting.wait(lambda: dialog.table.topLevelItemCount() == 3)
    assert dialog.sentence.text() == sitting.state.statistics.sentence
    every, of_class, first, of_days, day = rows(dialog)
    assert every[1:3] == first[1:3] == day[1:3] == ["1", "0"]
    assert (every[0], of_class[0], of_days[0]) == ("All objects", "Per class", "Per day")
    assert first[0] == sitting.state.classes[0].name
    assert every[5].count(" / ") == 1
    assert dialog.table.columnWidth(0) > dialog.fontMetrics().horizontalAdvance(every[0])
    QTest.mouseClick(dialog.export, Qt.MouseButton.LeftButton)
    assert sitting.window.dialogs["export"].format.currentData() == FIGURES
    sitting.leaves()
