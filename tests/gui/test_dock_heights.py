"""Docks stay as high as they are in a window that becomes lower; the list of images gives, and Learning folds."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from samtta_app.gui import recent
from samtta_app.gui.main_window import MainWindow
from samtta_app.gui.panels.dock_heights import HEIGHTS_KEPT, LOW_STEPS
from samtta_app.gui.widgets import theme
from samtta_app.settings import Settings
from tests.gui.scenes import WORDS, Recorder, scene


def opened(qtbot: QtBot, height: int) -> MainWindow:
    made = MainWindow(None, settings=Settings(theme="light"), strategies=WORDS)
    qtbot.addWidget(made)
    made.resize(1280, height)
    made.show()
    made.attach(Recorder(scene(selected=1)))
    qtbot.wait(1)
    return made


@pytest.fixture
def tall(qtbot: QtBot) -> MainWindow:
    return opened(qtbot, 1000)


def heights(window: MainWindow) -> dict[str, int]:
    return {name: window.docks[name].height() for name in ("classes", "objects", "images", "adaptation")}


def becomes(window: MainWindow, height: int) -> dict[str, int]:
    window.resize(1280, height)
    QApplication.processEvents()
    return heights(window)


def drags(window: MainWindow, below: str, by: int) -> None:
    """Drag the line above a dock with the mouse."""
    place = QPoint(window.docks[below].x() + 40, window.docks[below].y() - 1)
    QTest.mousePress(window, Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseMove(window, place + QPoint(0, by))
    QApplication.processEvents()
    QTest.mouseRelease(window, Qt.MouseButton.LeftButton, pos=place + QPoint(0, by))
    QApplication.processEvents()


def test_the_list_of_images_takes_what_a_window_loses_and_gains(tall: MainWindow) -> None:
    before = heights(tall)
    low = becomes(tall, 720)
    assert low["classes"] == before["classes"]
    assert low["adaptation"] == LOW_STEPS["adaptation"] * theme.GRID
    assert tall.docks["adaptation"].widget().folded
    panel = tall.docks["objects"].widget()
    assert panel.view.viewport().height() >= 3 * panel.view.visualRect(panel.sorted.index(0, 0)).height()
    for height in range(720, 1000, 20):
        becomes(tall, height)
    assert becomes(tall, 1000) == before
    assert not tall.docks["adaptation"].widget().folded


def test_a_height_that_was_chosen_with_the_mouse_stays(qtbot: QtBot, tall: MainWindow) -> None:
    before = heights(tall)
    drags(tall, "images", 60)
    chosen = heights(tall)["objects"]
    assert chosen > before["objects"] + 40
    assert becomes(tall, 960)["objects"] == chosen
    tall.docks["review"].raise_()
    QApplication.processEvents()
    becomes(tall, 900)
    assert tall.docks["review"].height() == chosen, "tabs share a height"
    tall.close()
    again = opened(qtbot, 900)
    assert again.docks["review"].height() == chosen


def test_a_layout_of_a_high_window_fits_a_low_one(qtbot: QtBot, tall: MainWindow) -> None:
    before = heights(tall)
    tall.close()
    low = opened(qtbot, 700)
    becomes(low, 700)
    assert low.docks["adaptation"].widget().folded
    drags(low, "images", 40)
    chosen = heights(low)
    assert becomes(low, 1000) == before
    low.close()
    assert heights(opened(qtbot, 700)) == chosen


def test_docks_that_were_closed_or_float_are_left_alone(tall: MainWindow) -> None:
    tall.docks["adaptation"].setFloating(True)
    tall.docks["classes"].close()
    QApplication.processEvents()
    objects, floating = tall.docks["objects"].height(), tall.docks["adaptation"].height()
    becomes(tall, 800)
    assert (tall.docks["objects"].height(), tall.docks["adaptation"].height()) == (objects, floating)
    tall.docks["images"].close()
    becomes(tall, 700)
    assert tall.height() == 700


@pytest.mark.parametrize("damage", ["[", "[1]", '{"objects high": -5, "adaptation high": 1e999, "classes high": "a"}'])
def test_heights_that_cannot_be_read_are_as_good_as_none(qtbot: QtBot, tall: MainWindow, damage: str) -> None:
    before = heights(tall)
    tall.close()
    recent.store_layout(HEIGHTS_KEPT, damage)
    assert heights(opened(qtbot, 1000)) == before
