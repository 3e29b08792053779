"""Images have a menu for the pointer and for a key, are searched by a key, and marked as empty by one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent, QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QTabBar

from samtta_app.gui.main_window import MainWindow
from samtta_app.session import acts
from samtta_app.settings import Settings
from tests.gui.scenes import WORDS, Recorder, scene

EMPTY = scene(annotations=())


@pytest.fixture
def window(qapp, qtbot) -> MainWindow:
    made = MainWindow(Recorder(EMPTY), settings=Settings(theme="light"), strategies=WORDS)
    qtbot.addWidget(made)
    made.resize(1200, 900)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def opened(qtbot) -> QMenu:
    """The menu that is open."""
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def texts(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if action.text()]


def chooses(menu: QMenu, text: str) -> None:
    action = next(each for each in menu.actions() if each.text() == text)
    assert action.isEnabled()
    menu.close()
    action.trigger()


def test_t_marks_the_image_as_empty_and_unmarks_it(window: MainWindow):
    QTest.keyClick(window.canvas, Qt.Key.Key_T)
    assert window.controller.calls == [acts.MarkEmpty()]
    first, *others = EMPTY.images
    window.controller.become(replace(EMPTY, images=(replace(first, empty=True, status="empty"), *others)))
    assert window.actions_made["empty_image"].isChecked()
    QTest.keyClick(window.canvas, Qt.Key.Key_T)
    assert window.controller.calls[-1] == acts.MarkEmpty(False)
    window.controller.become(scene())
    assert not window.actions_made["empty_image"].isEnabled(), "it has objects"


def test_slash_goes_to_the_search_and_enter_comes_back(qtbot, window: MainWindow):
    QTest.keyClick(window.canvas, Qt.Key.Key_Slash)
    panel = window.docks["images"].widget()
    assert panel.filter.search.hasFocus()
    qtbot.keyClicks(panel.filter.search, "04t")
    assert not any(isinstance(call, acts.MarkEmpty) for call in window.controller.calls), "letters stay in the field"
    qtbot.keyClick(panel.filter.search, Qt.Key.Key_Return)
    qtbot.waitUntil(window.canvas.hasFocus)


def test_a_row_has_a_menu_of_what_can_be_done_with_its_file(qtbot, window: MainWindow, monkeypatch):
    panel = window.docks["images"].widget()
    place = panel.view.visualRect(panel.model.index(2)).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, panel.view.viewport().mapToGlobal(place))
    QApplication.sendEvent(panel.view.viewport(), event)
    menu = opened(qtbot)
    assert texts(menu) == ["Open", "Copy the file's path", "Show its folder"]
    chooses(menu, "Copy the file's path")
    assert QGuiApplication.clipboard().text() == str(EMPTY.images[2].path)
    shown: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.fileName()))
    QApplication.sendEvent(panel.view.viewport(), event)
    chooses(opened(qtbot), "Show its folder")
    assert shown == ["dishes"]
    QApplication.sendEvent(panel.view.viewport(), event)
    chooses(opened(qtbot), "Open")
    assert window.controller.calls[-1] == acts.OpenImage(2)


def test_the_open_image_has_a_menu_by_a_key_and_on_the_canvas(qtbot, window: MainWindow):
    QTest.keyClick(window.canvas, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    menu = opened(qtbot)
    assert {"Done: nothing here", "Next image", "Fit image"} <= set(texts(menu))
    menu.close()
    view, right = window.canvas.viewport(), Qt.MouseButton.RightButton
    QTest.mouseClick(view, right, Qt.KeyboardModifier.ControlModifier, window.canvas.mapFromScene(5, 5))
    chooses(opened(qtbot), "Done: nothing here")
    assert window.controller.calls == [acts.MarkEmpty()]


def test_the_docks_fit_on_a_small_screen_and_a_large_one_lists_twelve_images(qtbot, window: MainWindow):
    assert window.minimumSizeHint().height() <= 680, "720 lines less a title bar"
    other = MainWindow(None, settings=Settings(theme="light"), strategies=WORDS)
    qtbot.addWidget(other)
    other.resize(1920, 1000)
    other.attach(Recorder(EMPTY))
    other.show()
    qtbot.wait(1)
    panel = other.docks["images"].widget()
    assert panel.view.viewport().height() >= 12 * panel.view.visualRect(panel.model.index(0)).height()
    assert not other.docks["adaptation"].widget().folded


def test_docks_that_are_restored_leave_no_second_bar_of_tabs_and_no_larger_window(qtbot, window: MainWindow):
    window.resize(1600, 900)
    window.show()
    window.close()
    other = MainWindow(None, settings=Settings(theme="light"), strategies=WORDS)
    qtbot.addWidget(other)
    other.show()
    other.resize(1280, 720)
    other.attach(Recorder(EMPTY))
    qtbot.wait(1)
    bars = [bar for bar in other.findChildren(QTabBar) if bar.isVisible() and bar.parent() is other]
    assert len(bars) == 1
    assert other.height() == 720
    other.close()
