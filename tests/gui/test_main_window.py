"""The window passes every state on, acts on keys, remembers how it was left, and never stands in the way."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRectF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QLineEdit, QPushButton, QScrollArea, QToolButton

from samtta_app.core.types import Click
from samtta_app.errors import SettingsError
from samtta_app.gui import recent
from samtta_app.gui.canvas.markers import FrameWords
from samtta_app.gui.controller import Controller
from samtta_app.gui.idle_controller import IdleController
from samtta_app.gui.main_window import MainWindow
from samtta_app.gui.panels.docks import DOCKS
from samtta_app.gui.panels.start import StartPage
from samtta_app.gui.widgets import theme
from samtta_app.gui.worker import Worker
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.state import Display, Message, State
from samtta_app.session.workflow.workflow import Workflow
from samtta_app.settings import Settings, load_settings, settings_file
from tests.gui.scenes import WORDS, Recorder, disc, picture, preview, scene
from tests.gui.sessions import until
from tests.gui.test_reliability import SOME as TRUSTED

IMAGE = picture()
PREVIEW = preview(IMAGE, (disc(60, 50, 18), disc(60, 50, 24), disc(60, 50, 12)))
LIGHT = Settings(theme="light")
Open = Callable[..., MainWindow]
WAIT = 30_000


@pytest.fixture
def shown(qtbot) -> Open:
    """Shows a window on a state made by hand; without a state it shows the start page."""

    def make(state: State | None = None, settings: Settings = LIGHT) -> MainWindow:
        window = MainWindow(Recorder(state) if state else None, settings=settings, strategies=WORDS)
        qtbot.addWidget(window)
        window.resize(1200, 800)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=20_000)
        return window

    return make


def calls(window: MainWindow) -> list[object]:
    return window.controller.calls


# --- without a project ----------------------------------------------------------------------------------------------


def test_without_a_project_the_start_page_is_shown(shown: Open):
    window = shown()
    assert isinstance(window.stage.filling, StartPage)
    assert not window.bar.isVisible()
    assert not any(dock.isVisible() for dock in window.docks.values())


def test_without_a_project_there_is_neither_controller_nor_canvas(shown: Open):
    window = shown()
    for name in ("controller", "canvas", "state"):
        with pytest.raises(RuntimeError):
            getattr(window, name)


def test_the_start_page_asks_for_a_folder(qtbot, shown: Open, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    window = shown()
    with qtbot.waitSignal(window.folder_chosen) as chosen:
        window.stage.filling.open_button.click()
    assert chosen.args == [tmp_path]


def test_choosing_no_folder_opens_none(qtbot, shown: Open, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    window = shown()
    with qtbot.assertNotEmitted(window.folder_chosen):
        window.actions_made["open"].trigger()


@pytest.mark.parametrize("way", ["page", "menu"])
def test_the_samples_can_be_asked_for(qtbot, shown: Open, way: str):
    window = shown()
    with qtbot.waitSignal(window.samples_wanted):
        if way == "page":
            window.stage.filling.samples_button.click()
        else:
            window.actions_made["samples"].trigger()


def test_recent_folders_are_offered(qtbot, shown: Open, tmp_path: Path):
    recent.remember_folder(tmp_path)
    window = shown()
    with qtbot.waitSignal(window.folder_chosen) as chosen:
        window.stage.filling.recent[0].click()
    assert chosen.args == [tmp_path]
    with qtbot.waitSignal(window.folder_chosen):
        window.recent_menu.actions()[0].trigger()


def test_a_message_can_be_shown_without_a_project(shown: Open):
    window = shown()
    window.show_message(Message("error", "no images in this folder"))
    assert window.messages.isVisible()


# --- with a project -------------------------------------------------------------------------------------------------


def test_a_project_brings_canvas_tools_and_docks(shown: Open):
    window = shown(scene())
    assert window.stage.filling is window.canvas
    assert window.bar.isVisible()
    assert all(window.docks[name].isVisible() for name, _ in DOCKS)


def test_docks_stand_on_the_right_and_tools_on_the_left(shown: Open):
    window = shown(scene())
    for dock in window.docks.values():
        assert window.dockWidgetArea(dock) == Qt.DockWidgetArea.RightDockWidgetArea
    assert window.toolBarArea(window.bar) == Qt.ToolBarArea.LeftToolBarArea


def test_the_canvas_has_the_most_room(shown: Open):
    window = shown(scene())
    assert window.canvas.width() > 0.6 * window.width()


def test_every_view_hears_of_a_new_state(shown: Open):
    window = shown(scene())
    window.controller.become(scene(index=2, preview=PREVIEW, selected=None, display=Display(overlay="entropy")))
    assert window.docks["images"].widget().view.currentIndex().row() == 2
    assert window.stage._bottom.isVisible()
    assert window.stage._corner.isVisible()
    assert window.actions_made["uncertainty"].isChecked()
    assert window.status.image.text() == "3 / 6"


def test_the_candidates_do_not_cover_the_object(shown: Open):
    window = shown(scene())
    low = preview(IMAGE, (disc(64, 82, 10), disc(64, 82, 12)))
    window.controller.become(scene(preview=low))
    mask = low.candidate.mask
    height, width = mask.bits.shape
    place = window.canvas.mapFromScene(QRectF(mask.x, mask.y, width, height)).boundingRect()
    assert window.stage._bottom.isVisible()
    assert not window.stage._bottom.geometry().intersects(place)


def test_messages_the_comparison_and_the_candidates_do_not_cover_each_other(shown: Open):
    window = shown(scene())
    low = preview(IMAGE, (disc(64, 82, 10), disc(64, 82, 12)))
    window.controller.become(scene(preview=low, display=Display(compare=True)))
    window.show_message(Message("warning", "what happened, what was kept, and what to do about it " * 4))
    QApplication.processEvents()
    lying = [window.messages, window.canvas.comparison, window.stage._bottom]
    tops = [widget.y() for widget in lying]
    assert all(widget.isVisible() for widget in lying)
    assert tops == sorted(tops)
    for first, second in itertools.combinations(lying, 2):
        assert not first.geometry().intersects(second.geometry())
    comparison = window.canvas.comparison
    assert abs(comparison.geometry().center().x() - window.stage.rect().center().x()) <= 1
    assert not comparison.text.startswith("Nothing")


def test_words_on_the_canvas_fit_their_plate_in_larger_text(shown: Open):
    window = shown(scene())
    (words,) = (item for item in window.canvas.scene().items() if isinstance(item, FrameWords))
    before = words.boundingRect().width()
    window.use(replace(LIGHT, font_size=20))
    QApplication.processEvents()
    needed = window.canvas.fontMetrics().horizontalAdvance(words.words)
    assert words.boundingRect().width() >= needed > before


def test_zooming_into_the_object_leaves_a_row_of_numbers(shown: Open):
    window = shown(scene())
    window.controller.become(scene(preview=PREVIEW))
    assert not window.stage._bottom.folded
    point = window.canvas.mapFromScene(60, 50)
    for up in (True, False):
        for _ in range(8):
            turn = QPoint(0, 120 if up else -120)
            none, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
            place = QPointF(point), QPointF(window.canvas.viewport().mapToGlobal(point))
            event = QWheelEvent(*place, QPoint(), turn, none, Qt.KeyboardModifier.NoModifier, phase, False)
            QApplication.sendEvent(window.canvas.viewport(), event)
        assert window.stage._bottom.folded == up


def test_the_title_names_the_folder_and_shows_what_is_not_accepted(shown: Open):
    window = shown(scene(Path("dishes")))
    assert window.windowTitle().startswith("dishes[*]")
    assert not window.isWindowModified()
    window.controller.become(scene(Path("dishes"), preview=PREVIEW))
    assert window.isWindowModified()


def test_a_message_of_the_state_is_shown(shown: Open):
    window = shown(scene())
    window.controller.become(scene(message=Message("error", "disk full")))
    assert [line.message.text for line in window.messages.lines] == ["disk full"]


def test_the_pointer_and_the_zoom_are_passed_to_the_status_bar(shown: Open):
    window = shown(scene())
    window.canvas.hovered.emit(60.0, 50.0)
    window.canvas.zoomed.emit(2.0)
    assert window.status.position.text().startswith("60, 50")
    assert window.status.zoom.text() == "200 %"


def test_the_model_is_named(shown: Open):
    window = shown(scene())
    assert window.status.model.text() == "toy on cpu"
    window.controller.described.emit("no model")
    assert window.status.model.text() == "no model"


def test_another_project_takes_the_place_of_the_first(shown: Open):
    window = shown(scene(Path("dishes")))
    before = window.controller
    window.attach(Recorder(scene(Path("wounds"), index=3)))
    assert window.windowTitle().startswith("wounds")
    before.become(scene(Path("dishes"), index=1))
    assert window.docks["images"].widget().view.currentIndex().row() == 3


def test_a_project_takes_the_place_of_the_start_page(shown: Open):
    window = shown()
    window.attach(Recorder(scene(Path("dishes"))))
    assert window.stage.filling is window.canvas
    assert window.bar.isVisible()


def test_docks_that_were_closed_stay_closed_with_the_next_project(shown: Open):
    window = shown(scene())
    window.docks["objects"].close()
    window.attach(Recorder(scene(Path("wounds"))))
    assert not window.docks["objects"].isVisible()


def test_a_project_is_remembered_as_recent(shown: Open, tmp_path: Path):
    window = shown(scene(tmp_path))
    assert recent.folders() == [tmp_path]
    assert window.recent_menu.actions()[0].text() == str(tmp_path)


# --- keys -----------------------------------------------------------------------------------------------------------


def press(window: MainWindow, key: Qt.Key, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window, key, modifiers)


Key, CTRL, SHIFT = Qt.Key, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.mark.parametrize(
    ("key", "modifiers", "call"),
    [
        (Key.Key_Return, None, acts.Accept()),
        (Key.Key_Enter, None, acts.Accept()),
        (Key.Key_E, None, acts.Accept()),
        (Key.Key_Return, CTRL, acts.Accept(then_next=True)),
        (Key.Key_Escape, None, acts.Cancel()),
        (Key.Key_Backspace, None, acts.RemoveClick()),
        (Key.Key_Z, CTRL, acts.Undo()),
        (Key.Key_Tab, None, acts.Turn(1)),
        (Key.Key_3, Qt.KeyboardModifier.AltModifier, acts.NextCandidate(2 - PREVIEW.chosen)),
        (Key.Key_Backtab, SHIFT, acts.Turn(-1)),
        (Key.Key_2, None, acts.SetClass(2)),
        (Key.Key_D, None, acts.NextImage(1)),
        (Key.Key_A, None, acts.NextImage(-1)),
        (Key.Key_PageDown, None, acts.NextImage(1)),
        (Key.Key_N, None, acts.NextUnreviewed()),
        (Key.Key_V, None, acts.Show(masks=False)),
        (Key.Key_U, None, acts.Show(overlay="entropy")),
        (Key.Key_U, SHIFT, acts.Show(overlay="edges")),
    ],
)
def test_a_key_on_the_canvas_acts(shown: Open, key, modifiers, call):
    window = shown(scene(preview=PREVIEW))
    window.canvas.setFocus()
    press(window, key, modifiers or Qt.KeyboardModifier.NoModifier)
    assert calls(window) == [call]


def test_tab_goes_through_the_objects_without_a_preview(shown: Open):
    window = shown(scene())
    window.canvas.setFocus()
    press(window, Key.Key_Tab)
    assert calls(window) == [acts.Turn(1)]


def test_tab_outside_the_canvas_moves_the_focus(shown: Open):
    window = shown(scene())
    images = window.docks["images"].widget().view
    images.setFocus()
    press(window, Key.Key_Tab)
    assert calls(window) == []
    assert not images.hasFocus()


def test_bare_letters_are_typed_in_a_text_field(shown: Open):
    window = shown(scene(preview=PREVIEW))
    field: QLineEdit = window.docks["classes"].widget().new_name
    field.setFocus()
    QTest.keyClicks(field, "aden 12")
    assert field.text() == "aden 12"
    assert calls(window) == []


def test_enter_in_a_text_field_is_the_fields(shown: Open):
    window = shown(scene(preview=PREVIEW))
    field = window.docks["classes"].widget().new_name
    field.setFocus()
    field.setText("nodule")
    press(window, Key.Key_Return)
    assert calls(window) == [acts.AddClass("nodule")]


def test_keys_act_while_a_list_has_the_focus(shown: Open):
    window = shown(scene(preview=PREVIEW))
    window.docks["images"].widget().view.setFocus()
    press(window, Key.Key_Return)
    assert calls(window) == [acts.Accept()]


def test_a_key_whose_action_is_disabled_does_nothing(shown: Open):
    window = shown(scene())
    window.canvas.setFocus()
    press(window, Key.Key_Return)
    assert calls(window) == []


def test_keys_of_the_settings_act(shown: Open):
    window = shown(scene(preview=PREVIEW), replace(LIGHT, keys={"accept": "F7"}))
    window.canvas.setFocus()
    press(window, Key.Key_Return)
    press(window, Key.Key_F7)
    assert calls(window) == [acts.Accept()]


def test_keys_that_cannot_work_are_said_and_the_defaults_hold(shown: Open):
    window = shown(scene(), replace(LIGHT, keys={"cancel": "Return"}))
    assert window.messages.lines[0].message.severity == "error"
    assert window.actions_made.keys["accept"][0] == "Return"


def test_holding_a_key_compares_and_letting_go_ends_it(shown: Open):
    window = shown(scene(preview=PREVIEW))
    window.canvas.setFocus()
    QTest.keyPress(window.canvas, Key.Key_C)
    assert calls(window) == [acts.Show(compare=True)]
    window.controller.become(scene(preview=PREVIEW, display=Display(compare=True)))
    QTest.keyRelease(window.canvas, Key.Key_C)
    assert calls(window)[-1] == acts.Show(compare=False)


def test_comparing_ends_when_the_window_loses_the_focus(shown: Open):
    window = shown(scene(preview=PREVIEW, display=Display(compare=True)))
    QApplication.sendEvent(window, QEvent(QEvent.Type.WindowDeactivate))
    assert calls(window) == [acts.Show(compare=False)]


def test_letting_go_of_another_key_changes_nothing(shown: Open):
    window = shown(scene(display=Display(compare=True)))
    window.canvas.setFocus()
    QTest.keyRelease(window.canvas, Key.Key_X)
    assert calls(window) == []


def test_every_tool_button_explains_itself(shown: Open):
    window = shown(scene())
    buttons = [window.bar.widgetForAction(action) for action in window.bar.actions()]
    tips = [button.toolTip() for button in buttons if isinstance(button, QToolButton)]
    assert len(tips) > 10
    assert all("(" in tip for tip in tips)


# --- dialogs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["export", "settings", "help", "shortcuts", "about"])
def test_a_dialog_leaves_the_window_usable(shown: Open, name: str):
    window = shown(scene())
    window.actions_made[name].trigger()
    dialog = window.dialogs[name]
    assert dialog.isVisible()
    assert not dialog.isModal()
    dialog.close()


def test_a_dialog_is_there_once(shown: Open):
    window = shown(scene())
    window.actions_made["about"].trigger()
    first = window.dialogs["about"]
    window.actions_made["about"].trigger()
    assert not first.isVisible()
    assert window.dialogs["about"].isVisible()


def test_about_leads_to_the_licences(shown: Open):
    window = shown(scene())
    window.actions_made["about"].trigger()
    (button,) = [each for each in window.dialogs["about"].findChildren(QPushButton) if each.text() == "Licences"]
    button.click()
    assert window.dialogs["help"].list.currentItem().text() == "About samtta"
    assert "LGPL-3.0" in window.dialogs["help"].page.toPlainText()


def test_the_key_of_the_help_opens_it(shown: Open):
    window = shown(scene())
    window.canvas.setFocus()
    press(window, Key.Key_F1)
    assert window.dialogs["help"].isVisible()


def test_the_list_of_keys_has_a_key_of_its_own(shown: Open):
    window = shown(scene())
    window.canvas.setFocus()
    press(window, Key.Key_Question)
    assert window.dialogs["shortcuts"].isVisible()


# --- settings and theme ---------------------------------------------------------------------------------------------


def test_a_chosen_theme_is_shown_and_saved(qtbot, shown: Open):
    window = shown(scene())
    with qtbot.waitSignal(window.settings_changed) as changed:
        window.actions_made["theme_dark"].trigger()
    assert theme.current() is theme.DARK
    assert changed.args[0].theme == load_settings().theme == "dark"
    assert window.actions_made["theme_dark"].isChecked()


def test_the_theme_can_be_switched_to_and_fro(shown: Open):
    window = shown(scene())
    for expected in (theme.DARK, theme.LIGHT):
        window.actions_made["switch_theme"].trigger()
        assert theme.current() is expected


def test_the_canvas_takes_the_grey_of_the_theme(shown: Open):
    window = shown(scene())
    window.actions_made["theme_dark"].trigger()
    assert window.canvas.backgroundBrush().color().name() == theme.DARK.canvas


def test_the_platforms_scheme_is_followed_only_when_asked_to(shown: Open):
    window = shown(scene())
    window._scheme_changed()
    assert theme.current() is theme.LIGHT
    window.use(Settings(theme="system"))
    window._scheme_changed()
    assert theme.current() in (theme.LIGHT, theme.DARK)


def test_settings_from_the_dialog_hold_at_once(shown: Open):
    window = shown(scene())
    window.actions_made["settings"].trigger()
    dialog = window.dialogs["settings"]
    dialog.fields["wheel"].setCurrentIndex(1)
    assert window.settings.wheel == load_settings().wheel == window.canvas.wheel == "scroll"


def test_settings_that_cannot_be_saved_hold_for_this_run(shown: Open):
    window = shown(scene())
    settings_file().mkdir(parents=True)  # a folder where the file should be
    window.use(replace(LIGHT, wheel="scroll"))
    assert window.settings.wheel == "scroll"
    assert window.messages.lines[0].message.severity == "error"


def test_keys_that_cannot_work_are_not_taken(shown: Open):
    window = shown(scene())
    window.use(replace(LIGHT, keys={"cancel": "Return"}))
    assert window.settings.keys == {}
    assert isinstance(SettingsError("x"), Exception)
    assert "Return" in window.messages.lines[0].message.text


# --- dropping -------------------------------------------------------------------------------------------------------


def dropped(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def drop(window: MainWindow, data: QMimeData) -> bool:
    """Drop onto the window; whether it was taken."""
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDropEvent(QPointF(5, 5), copy, data, left, none)
    enter.ignore()
    window.dragEnterEvent(enter)
    window.dropEvent(QDropEvent(QPointF(5, 5), copy, data, left, none))
    return enter.isAccepted()


def test_a_folder_can_be_dropped(qtbot, shown: Open, tmp_path: Path):
    window = shown()
    with qtbot.waitSignal(window.folder_chosen) as chosen:
        assert drop(window, dropped(tmp_path))
    assert chosen.args == [tmp_path]


def test_a_dropped_image_is_opened_and_another_file_stands_for_its_folder(qtbot, shown: Open, tmp_path: Path):
    image, other = tmp_path / "a.png", tmp_path / "notes.txt"
    window = shown(scene())
    for file, opened in ((image, image), (other, tmp_path)):
        file.write_bytes(b"")
        with qtbot.waitSignal(window.folder_chosen) as chosen:
            assert drop(window, dropped(file))
        assert chosen.args == [opened]


def test_what_does_not_exist_is_not_taken(qtbot, shown: Open, tmp_path: Path):
    window = shown()
    with qtbot.assertNotEmitted(window.folder_chosen):
        assert not drop(window, dropped(tmp_path / "gone"))


def test_text_is_not_taken(qtbot, shown: Open):
    window = shown()
    data = QMimeData()
    data.setText("hello")
    with qtbot.assertNotEmitted(window.folder_chosen):
        assert not drop(window, data)


def test_the_canvas_leaves_drops_to_the_window(shown: Open):
    window = shown(scene())
    assert not window.canvas.acceptDrops()
    assert not window.canvas.viewport().acceptDrops()


# --- leaving --------------------------------------------------------------------------------------------------------


def test_the_window_says_that_it_closes(qtbot, shown: Open):
    window = shown(scene())
    with qtbot.waitSignal(window.closing):
        window.actions_made["quit"].trigger()
    assert not window.isVisible()


def test_the_window_comes_back_as_it_was_left(shown: Open):
    window = shown(scene())
    window.resize(1000, 700)
    window.docks["objects"].close()
    window.close()
    again = shown(scene())
    assert not again.docks["objects"].isVisible()
    assert again.docks["images"].isVisible()


def test_the_size_comes_back(qtbot, shown: Open):
    window = shown()
    window.resize(700, 560)
    window.close()
    again = MainWindow(None, settings=LIGHT, strategies=WORDS)
    qtbot.addWidget(again)
    assert (again.width(), again.height()) == (700, 560)


def test_recent_folders_are_the_newest_without_those_that_are_gone(tmp_path: Path):
    folders = [tmp_path / str(number) for number in range(recent.FOLDERS_KEPT + 2)]
    for folder in folders:
        folder.mkdir()
        recent.remember_folder(folder)
    recent.remember_folder(folders[-2])
    folders[-1].rmdir()
    expected = [folders[-2], *folders[-3::-1]][: recent.FOLDERS_KEPT - 1]
    assert recent.folders() == expected


def test_a_single_recent_folder_is_read_back(tmp_path: Path):
    recent.remember_folder(tmp_path)
    assert recent.folders() == [tmp_path]


def test_without_memory_there_is_nothing_to_restore():
    assert recent.folders() == []
    assert recent.stored_layout("geometry") is None


# --- nothing is cut -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["light", "dark"])
def test_no_text_of_the_docks_is_wider_than_its_dock(shown: Open, name):
    window = shown(scene(preview=PREVIEW, statistics=TRUSTED), Settings(theme=name))
    panel = window.docks["adaptation"].widget()
    window.docks["adaptation"].setFloating(True)
    window.docks["adaptation"].resize(43 * theme.GRID, 600)  # on a small screen it is folded
    QApplication.processEvents()
    panel.details.button.click()
    QApplication.processEvents()
    assert panel.reliability.isVisible()
    area = panel.findChild(QScrollArea)
    assert area.widget().minimumSizeHint().width() <= area.viewport().width(), "the right end of the panel is cut off"
    assert not any("<" in label.text() for label in panel.findChildren(QLabel))
    for dock in window.docks.values():
        for label in dock.findChildren(QLabel):
            if label.isVisible() and label.text():
                right = label.mapTo(dock, label.rect().topRight()).x()
                assert right <= dock.width(), label.text()


# --- with the real session ------------------------------------------------------------------------------------------


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Controller]:
    """A real session on two images and a broken file, without a model."""
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), np.full((48, 64), 90, dtype=np.uint8))
    (tmp_path / "c.png").write_bytes(b"not a picture")
    workflow = Workflow(Store.open(tmp_path))
    controller = Controller(workflow, Worker(lambda: IdleController("There is no model here."), IdleController))
    yield controller
    controller.close()


@pytest.fixture
def real(qtbot, session: Controller) -> MainWindow:
    window = MainWindow(session, settings=LIGHT, strategies=WORDS)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    session.start()
    qtbot.waitUntil(lambda: session.state.image is not None and window.isActiveWindow(), timeout=WAIT)
    return window


def test_a_real_session_is_shown(qtbot, real: MainWindow):
    assert real.docks["images"].widget().model.rowCount() == 3
    qtbot.waitUntil(lambda: real.status.model.text() == "no model")


def test_images_of_a_real_session_are_opened_by_key(qtbot, real: MainWindow):
    real.canvas.setFocus()
    press(real, Key.Key_D)
    qtbot.waitUntil(lambda: real.state.index == 1 and real.state.image is not None)
    assert real.docks["images"].widget().view.currentIndex().row() == 1


def test_a_class_is_added_and_renamed_in_a_real_session(qtbot, real: MainWindow):
    panel = real.docks["classes"].widget()
    panel.new_name.setText("nodule")
    QTest.keyClick(panel.new_name, Key.Key_Return)
    assert real.state.classes[-1].name == "nodule"
    qtbot.waitUntil(lambda: panel.model.index(1).data() == "nodule")
    panel.model.setData(panel.model.index(1), "node")
    qtbot.waitUntil(lambda: panel.model.index(1).data() == "node")


def test_a_click_without_a_model_is_answered_with_the_reason(qtbot, real: MainWindow):
    real.controller.do(acts.PlaceClick(Click(10, 10, True)))
    qtbot.waitUntil(lambda: any("There is no model here." in line.message.text for line in real.messages.lines))


def test_an_unreadable_image_says_why(qtbot, real: MainWindow):
    real.controller.do(acts.OpenImage(2))
    qtbot.waitUntil(lambda: real.state.images[2].status == "unreadable")
    qtbot.waitUntil(lambda: "cannot be read" in real.status.hint.text())  # several states in a frame are drawn together
    tip = real.docks["images"].widget().model.index(2).data(Qt.ItemDataRole.ToolTipRole)
    assert len(tip.splitlines()) == 2


def test_an_export_that_fails_is_said_in_the_message_bar(real: MainWindow, tmp_path: Path):
    file = tmp_path / "taken"
    file.write_text("a file")
    real.open_dialog("export")
    dialog = real.dialogs["export"]
    dialog.folder.line.setText(str(file))
    dialog.go.click()
    until(lambda: dialog.go.isEnabled())
    assert dialog.isVisible()
    assert real.messages.lines[-1].message.severity == "error"
