"""A dialog is there once, goes with its project, and is deleted when it is closed."""

from __future__ import annotations

from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from samtta_app.gui.dialogs.open_dialogs import OpenDialogs
from samtta_app.gui.dialogs.settings_dialog import SettingsDialog
from samtta_app.gui.main_window import MainWindow
from samtta_app.settings import Settings, read_settings
from tests.gui.scenes import WORDS, Recorder, scene


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    made = MainWindow(Recorder(scene()), settings=Settings(theme="light"), strategies=WORDS)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.show()
    return made


def deleted(dialog: QDialog) -> bool:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return not shiboken6.isValid(dialog)


@pytest.mark.parametrize("way", ["close", "accept", "reject"])
def test_a_closed_dialog_is_forgotten_and_deleted(qtbot: QtBot, way: str):
    parent = QWidget()
    qtbot.addWidget(parent)
    dialogs, dialog = OpenDialogs(parent), QDialog(parent)
    dialogs.show("one", dialog)
    assert dialogs["one"] is dialog
    getattr(dialog, way)()
    assert "one" not in dialogs
    assert deleted(dialog)


def test_a_second_one_takes_the_place_of_the_first(qtbot: QtBot):
    parent = QWidget()
    qtbot.addWidget(parent)
    dialogs, first, second = OpenDialogs(parent), QDialog(parent), QDialog(parent)
    dialogs.show("one", first)
    dialogs.show("one", second)
    assert dialogs["one"] is second
    assert deleted(first)
    dialogs.close_all()
    assert deleted(second)


def test_what_speaks_of_a_project_goes_with_it_and_the_rest_stays(window: MainWindow):
    for name in ("export", "about", "settings", "shortcuts", "help"):
        window.actions_made[name].trigger()
    export = window.dialogs["export"]
    window.attach(Recorder(scene(Path("other"))))  # type: ignore[arg-type]
    assert [name in window.dialogs for name in ("export", "about", "settings", "shortcuts", "help")] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert deleted(export)
    window.actions_made["export"].trigger()
    assert "other" in window.dialogs["export"].folder.line.text()


def test_every_dialog_goes_with_the_window(window: MainWindow):
    window.actions_made["shortcuts"].trigger()
    dialog = window.dialogs["shortcuts"]
    window.close()
    assert deleted(dialog)


def test_no_dialog_is_left_behind_however_often_one_is_opened(window: MainWindow):
    for _ in range(5):
        window.actions_made["about"].trigger()
        window.dialogs["about"].close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert window.findChildren(QDialog) == []


def test_a_settings_dialog_changes_only_what_was_changed_in_it(window: MainWindow):
    window.actions_made["settings"].trigger()
    dialog = window.dialogs["settings"]
    window.choose_theme("dark")
    window.use(Settings(theme="dark", overlay_opacity=0.3))
    dialog.fields["wheel"].setCurrentIndex(1)
    assert window.settings == read_settings()[0] == Settings(theme="dark", overlay_opacity=0.3, wheel="scroll")


def test_a_setting_that_cannot_be_used_is_said_where_settings_are_changed(window: MainWindow, qtbot: QtBot):
    window.open_dialog("settings")
    window.open_dialog("shortcuts")
    dialog = window.dialogs["settings"]
    assert isinstance(dialog, SettingsDialog)
    assert set(window.dialogs) == {"settings", "shortcuts"}
    line = dialog.fields["device"]
    assert isinstance(line, QLineEdit)
    for _ in range(2):  # the same again, once it could be used
        line.setText("cuda")
        with qtbot.waitSignal(dialog.chosen) as chosen:
            line.editingFinished.emit()
        assert chosen.args[0].device == "cuda"
        assert not dialog.error.isVisible()
        window.dialogs.refuse(Settings(theme="light"), "cuda cannot be used.")
        assert (dialog.error.text(), dialog.settings.device) == ("cuda cannot be used.", "auto")
        assert line.text() == "cuda", "it can be corrected"
