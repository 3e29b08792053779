"""After every act in a panel the keys act on the image again: with the real window, real keys and the real mouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from tests.gui.scenes import picture
from tests.gui.sessions import Sitting

Key, LEFT, NONE = Qt.Key, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def sitting(qtbot: QtBot, tmp_path: Path) -> Iterator[Sitting]:
    """A session on two images, with an accepted object in the first."""
    import cv2

    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), picture().pixels)
    sitting = Sitting(qtbot, learn=False)
    sitting.opens(tmp_path)
    sitting.window.activateWindow()
    qtbot.waitUntil(sitting.window.isActiveWindow)
    sitting.accepts((60, 50), (30, 30), (90, 70))
    yield sitting
    sitting.leaves()


def keys_act(sitting: Sitting) -> bool:
    """Whether the keyboard is the image's, and a key sent to the window acts there and is typed nowhere."""
    sitting.wait(lambda: sitting.window.focusWidget() is sitting.window.canvas)
    before = sitting.state.display.masks
    QTest.keyClick(sitting.window.windowHandle(), Key.Key_V)
    return sitting.state.display.masks != before


def presses_mouse(widget: QWidget, where: QPoint | None = None) -> None:
    """Click on a widget as the platform does: at its window."""
    window = widget.window()
    place = widget.mapTo(window, widget.rect().center() if where is None else where)
    QTest.mouseClick(window.windowHandle(), LEFT, NONE, place)


def types(sitting: Sitting, text: str) -> None:
    for letter in text:
        QTest.keyClick(sitting.window.windowHandle(), letter)


def test_after_a_class_was_added_a_digit_chooses_a_class(sitting: Sitting) -> None:
    field = sitting.window.docks["classes"].widget().new_name
    presses_mouse(field)
    assert field.hasFocus()
    types(sitting, "nucleus")
    QTest.keyClick(sitting.window.windowHandle(), Key.Key_Return)
    assert [entry.name for entry in sitting.state.classes][-1] == "nucleus"
    assert keys_act(sitting)
    QTest.keyClick(sitting.window.windowHandle(), "1")
    assert field.text() == ""
    assert sitting.state.current_class == sitting.state.classes[0].id


def test_escape_leaves_the_field(sitting: Sitting) -> None:
    field = sitting.window.docks["classes"].widget().new_name
    presses_mouse(field)
    types(sitting, "nu")
    QTest.keyClick(sitting.window.windowHandle(), Key.Key_Escape)
    assert keys_act(sitting)


def test_after_a_class_was_renamed_keys_act(sitting: Sitting) -> None:
    view = sitting.window.docks["classes"].widget().view
    view.edit(view.model().index(0))
    editor = view.viewport().findChild(QLineEdit)
    assert editor.hasFocus()
    types(sitting, "cell")
    QTest.keyClick(sitting.window.windowHandle(), Key.Key_Return)
    sitting.wait(lambda: sitting.state.classes[0].name == "cell")
    assert keys_act(sitting)


@pytest.mark.parametrize("panel", ["objects", "images"])
@pytest.mark.parametrize("way", ["mouse", "keys"])
def test_after_the_sort_box_was_used_keys_act(sitting: Sitting, panel: str, way: str) -> None:
    box = sitting.window.docks[panel].widget().bar.choice
    if way == "mouse":
        presses_mouse(box)
        rows = box.view()
        sitting.wait(rows.isVisible)
        QTest.keyClick(rows, Key.Key_Down)  # the list ignores a second click that comes at once
        QTest.keyClick(rows, Key.Key_Return)
    else:
        box.setFocus(Qt.FocusReason.TabFocusReason)
        QTest.keyClick(sitting.window.windowHandle(), Key.Key_Down)
    assert box.currentIndex() == 1
    assert keys_act(sitting)
    assert box.currentIndex() == 1


def test_after_a_limit_was_typed_keys_act(sitting: Sitting) -> None:
    bar = sitting.window.docks["objects"].widget().bar
    presses_mouse(bar.limit, QPoint(20, bar.limit.height() // 2))
    assert bar.limit.hasFocus()
    bar.limit.selectAll()
    types(sitting, "10")
    QTest.keyClick(sitting.window.windowHandle(), Key.Key_Return)
    assert bar.limit.value() == 10
    assert keys_act(sitting)


@pytest.mark.parametrize("panel", ["classes", "objects", "images"])
def test_a_click_in_a_list_leaves_the_keyboard_with_the_image(sitting: Sitting, panel: str) -> None:
    view = sitting.window.docks[panel].widget().view
    QTest.mouseClick(view.viewport(), LEFT, NONE, view.visualRect(view.model().index(0, 0)).center())
    assert keys_act(sitting)


def test_enter_in_a_list_gives_the_keyboard_back(sitting: Sitting) -> None:
    view = sitting.window.docks["images"].widget().view
    view.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(sitting.window.windowHandle(), Key.Key_Down)
    assert sitting.state.index == 1
    sitting.wait(lambda: sitting.state.image is not None)  # without an image most keys have nothing to act on
    assert view.hasFocus()
    QTest.keyClick(sitting.window.windowHandle(), Key.Key_Return)
    assert keys_act(sitting)


def test_the_buttons_of_the_panels_leave_the_keyboard_with_the_image(sitting: Sitting) -> None:
    sitting.gives_room("adaptation")
    panel = sitting.window.docks["adaptation"].widget()
    presses_mouse(panel.details.button)
    assert panel.details.body.isVisible()
    assert keys_act(sitting)


def test_the_slider_leaves_the_keyboard_with_the_image(sitting: Sitting) -> None:
    sitting.clicks(60, 50)
    sitting.wait(lambda: sitting.answered)
    sitting.presses(Key.Key_U)
    slider = next(
        part for part in sitting.window.stage.findChildren(QWidget) if part.accessibleName().startswith("Opacity")
    )
    sitting.wait(slider.isVisible)
    presses_mouse(slider, QPoint(5, slider.height() // 2))
    assert keys_act(sitting)


def test_the_pointer_on_the_image_ends_the_work_in_an_empty_field_but_not_in_one_with_a_text(sitting: Sitting) -> None:
    field, canvas = sitting.window.docks["classes"].widget().new_name, sitting.window.canvas
    where = QPointF(5, 5)
    enter = QEnterEvent(where, where, QPointF(canvas.mapToGlobal(where)))
    presses_mouse(field)
    types(sitting, "nu")
    QApplication.sendEvent(canvas, enter)
    assert field.hasFocus()
    field.clear()
    QApplication.sendEvent(canvas, enter)
    assert keys_act(sitting)


def test_a_floating_panel_gives_the_keyboard_back_to_the_window(sitting: Sitting) -> None:
    dock = sitting.window.docks["classes"]
    dock.setFloating(True)
    dock.activateWindow()
    sitting.wait(dock.isActiveWindow)
    field = dock.widget().new_name
    field.setFocus()
    QTest.keyClick(field, "x")
    QTest.keyClick(field, Key.Key_Return)
    sitting.wait(sitting.window.isActiveWindow)
    assert [entry.name for entry in sitting.state.classes][-1] == "x"
    assert keys_act(sitting)
