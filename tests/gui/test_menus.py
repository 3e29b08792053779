"""Classes and objects have menus for the pointer and for keys; notes, ignore regions and merging need no mouse."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QColorDialog, QFileDialog, QMenu

from samtta_app.core.object_notes import ObjectNote
from samtta_app.gui.main_window import MainWindow
from samtta_app.gui.panels import class_menu, menus
from samtta_app.gui.panels.objects import ObjectsPanel
from samtta_app.gui.widgets import theme
from samtta_app.session import acts
from samtta_app.session.class_acts import ChangeClass, DeleteClass, MergeClass, MoveClass, OntologyClass, TakeClasses
from samtta_app.session.state import OWN_COLOUR
from samtta_app.settings import Settings
from tests.gui.scenes import WORDS, Recorder, annotation, disc, picture, preview, scene


@pytest.fixture
def window(qapp, qtbot) -> MainWindow:
    made = MainWindow(Recorder(scene(selected=1)), settings=Settings(theme="light"), strategies=WORDS)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def calls(window: MainWindow) -> list[object]:
    return window.controller.calls


def opened(qtbot) -> QMenu:
    """The menu that is open."""
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def chooses(menu: QMenu, *texts: str) -> None:
    """Choose an entry of a menu, or of a menu in it, as the keyboard does."""
    for text in texts:
        action = next(each for each in menu.actions() if each.text() == text)
        assert action.isEnabled(), text
        if action.menu() is None:
            menu.close()
            action.trigger()
        else:
            menu = action.menu()


def test_a_key_opens_the_menu_of_the_current_class(qtbot, window: MainWindow):
    for texts, act in (
        ((class_menu.COLOUR, "Vermilion"), ChangeClass(1, 5)),
        ((class_menu.TIDY,), ChangeClass(1, tidy=False)),
        ((class_menu.DOWN,), MoveClass(1, 1)),
        ((class_menu.MERGE, "nucleus"), MergeClass(1, 3)),
        ((class_menu.DELETE,), DeleteClass(1)),
    ):
        QTest.keyClick(window.canvas, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
        menu = opened(qtbot)
        assert not next(a for a in menu.actions() if a.text() == class_menu.UP).isEnabled()
        chooses(menu, *texts)
        assert calls(window)[-1] == act


def test_the_pointer_opens_it_for_another_class_and_renames(qtbot, window: MainWindow):
    panel = window.docks["classes"].widget()
    place = panel.view.visualRect(panel.model.index(2)).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, panel.view.viewport().mapToGlobal(place))
    QApplication.sendEvent(panel.view.viewport(), event)
    chooses(opened(qtbot), class_menu.RENAME)
    assert panel.view.state() == panel.view.State.EditingState
    assert calls(window) == []


def test_a_class_may_have_a_colour_of_its_own(qtbot, window: MainWindow):
    QTest.keyClick(window.canvas, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    chooses(opened(qtbot), class_menu.COLOUR, class_menu.CHOOSE_COLOUR)
    dialog = window.findChild(QColorDialog)
    dialog.setCurrentColor(QColor("#123456"))
    dialog.accept()
    assert calls(window) == [ChangeClass(1, OWN_COLOUR + 0x123456)]
    assert theme.class_colour(OWN_COLOUR + 0x123456).name() == "#123456"
    assert theme.colour_index("#E69F00") == 0


def test_classes_go_into_a_file_and_come_from_one(window: MainWindow, monkeypatch, tmp_path: Path):
    file = tmp_path / "classes.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))
    window.actions_made["write_classes"].trigger()
    names = [entry["name"] for entry in json.loads(file.read_text())]
    assert names == ["cell", "debris", "nucleus"]
    file.write_text('[{"name": "cell", "color": "#999999"}, {"name": "cell"}]')
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    window.actions_made["read_classes"].trigger()
    assert TakeClasses((OntologyClass("cell", 7),)) in calls(window)
    assert calls(window)[-1] == ("say", "warning", menus.TWICE.format(names="cell"))
    file.write_text("{")
    window.actions_made["read_classes"].trigger()
    assert calls(window)[-1][:2] == ("say", "error")


# --- objects --------------------------------------------------------------------------------------------------------------


def test_a_key_opens_the_menu_of_the_selected_object(qtbot, window: MainWindow):
    QTest.keyClick(window.canvas, Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
    chooses(opened(qtbot), "Class", "debris")
    assert calls(window) == [acts.SetClass(2)]


def test_ctrl_and_the_right_button_open_it_on_the_image(qtbot, window: MainWindow):
    place = window.canvas.mapFromScene(90, 60)
    view, right = window.canvas.viewport(), Qt.MouseButton.RightButton
    QTest.mouseClick(view, right, Qt.KeyboardModifier.ControlModifier, place)
    chooses(opened(qtbot), "Merge with another object")
    assert calls(window) == [acts.Select(2), acts.JoinSelected()]
    QTest.mouseClick(view, right, pos=place)  # without Ctrl it is the tool's
    assert isinstance(calls(window)[-1], acts.PlaceClick)


def test_a_right_click_in_the_list_opens_it(qtbot, window: MainWindow):
    panel = window.docks["objects"].widget()
    place = panel.view.visualRect(panel.sorted.index(1, 0)).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, panel.view.viewport().mapToGlobal(place))
    QApplication.sendEvent(panel.view.viewport(), event)
    opened(qtbot).close()
    assert calls(window) == [acts.Select(2)]


def test_keys_act_on_the_selected_object(window: MainWindow):
    QTest.keyClick(window.canvas, Qt.Key.Key_I, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(window.canvas, Qt.Key.Key_J)
    assert calls(window) == [acts.DescribeObject(ObjectNote(ignore=True)), acts.JoinSelected()]
    window.controller.become(scene(preview=preview(picture(), [disc(60, 50, 18)])))
    QTest.keyClick(window.canvas, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert calls(window)[-1] == acts.Accept(ignore=True)


def test_a_key_leads_to_attributes_tab_to_the_comment_and_enter_stores_it(qtbot, window: MainWindow):
    panel = window.docks["objects"].widget()
    assert isinstance(panel, ObjectsPanel)
    QTest.keyClick(window.canvas, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(panel.note.attributes.hasFocus)
    QTest.keyClick(panel.note.attributes, Qt.Key.Key_Tab)
    qtbot.waitUntil(panel.note.comment.hasFocus)
    QTest.keyClicks(panel.note.comment, "Ask Ada")
    QTest.keyClick(panel.note.comment, Qt.Key.Key_Return)
    assert calls(window) == [acts.DescribeObject(ObjectNote(comment="Ask Ada"))]
    qtbot.waitUntil(window.canvas.hasFocus)


def test_the_panel_shows_the_note_of_the_selected_object(window: MainWindow):
    image, note = picture(), ObjectNote(ignore=True, attributes=(("stage", "late"),), comment="Ask Ada")
    one = annotation(1, disc(30, 30, 12), image)
    noted = replace(one, note=note)
    panel = window.docks["objects"].widget()
    window.controller.become(scene(annotations=(noted,), selected=1))
    assert panel.note.isVisible()
    assert (panel.note.attributes.text(), panel.note.comment.text()) == ("stage=late", "Ask Ada")
    tip = panel.model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert all(words in tip for words in ("Ignore region", "stage=late", "Ask Ada"))
    assert panel.note.ignore.isChecked()
    assert panel.model.index(0, 0).data() == "cell (ignored)"
    assert "Ask Ada" in panel.model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    panel.note.ignore.click()
    assert calls(window) == [acts.DescribeObject(ObjectNote(False, note.attributes, note.comment))]
    assert panel.note.ignore.isChecked()
    window.controller.become(scene(selected=None))
    assert not panel.note.isVisible()


# --- the brush ------------------------------------------------------------------------------------------------------------


def test_a_stroke_that_is_under_way_is_kept_when_the_window_loses_the_keyboard(window: MainWindow):
    state = window.state
    display = type(state.display)(tool="brush", size=9.0)
    window.controller.become(scene(display=display))
    view, left, none = window.canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    start = window.canvas.mapFromScene(50, 50)
    QTest.mousePress(view, left, none, start)
    QTest.mouseMove(view, start + QPoint(40, 0))
    window.canvas.clearFocus()
    strokes = [call for call in calls(window) if isinstance(call, acts.PaintStroke)]
    assert len(strokes) == 1
    assert len(strokes[0].points) == 2
    QTest.mouseRelease(view, left, none, start + QPoint(60, 0))
    assert len([call for call in calls(window) if isinstance(call, acts.PaintStroke)]) == 1
