"""The dialog of settings is made from their schema, uses each change at once, and shows keys that clash."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QObject, Qt, QTranslator
from PySide6.QtGui import QFontDatabase
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialogButtonBox, QDoubleSpinBox, QLineEdit, QWidget

from samtta_app.adapt.registry import STRATEGIES
from samtta_app.gui.actions.action_table import ACTION_TABLE
from samtta_app.gui.dialogs.dialogs import PathField
from samtta_app.gui.dialogs.key_editor import KeyEditor
from samtta_app.gui.dialogs.setting_words import PAGES, SETTING_WORDS
from samtta_app.gui.dialogs.settings_dialog import LEAST_FONT, SettingsDialog
from samtta_app.gui.main_window import MainWindow
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import install_translators
from samtta_app.settings import Settings, load_settings, setting_fields, settings_file
from tests.gui.scenes import WORDS

MINE = Settings(
    model="other",
    theme="dark",
    threads=3,
    idle_seconds=20,
    wheel="scroll",
    strategy="fbrs",
    learn=False,
    control_share=0.125,
    tidy_masks=False,
    keys={"quit": ""},
)


@pytest.fixture
def parent(qapp, qtbot) -> QWidget:
    theme.choose(qapp, "light")
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def dialog(parent: QWidget) -> SettingsDialog:
    made = SettingsDialog(parent, MINE, WORDS)
    made.show()
    return made


def test_every_setting_has_words_a_page_and_a_field(dialog: SettingsDialog):
    names = [entry.name for entry in setting_fields()]
    assert {*names, "keys"} == {entry.name for entry in fields(Settings)}
    assert set(SETTING_WORDS) == set(dialog.fields) == set(names)
    assert {words.page for words in SETTING_WORDS.values()} == set(PAGES)


def shown(control: QWidget) -> object:
    """What a control holds."""
    match control:
        case QComboBox():
            return control.currentData()
        case QCheckBox():
            return control.isChecked()
        case QDoubleSpinBox():
            return control.value()
        case PathField():
            return control.line.text()
        case QLineEdit():
            return control.text()
    raise AssertionError(control)


def test_the_fields_show_the_present_settings(dialog: SettingsDialog):
    for name, control in dialog.fields.items():
        value = getattr(MINE, name)
        factor = SETTING_WORDS[name].factor
        assert shown(control) == (value * factor if isinstance(control, QDoubleSpinBox) else value), name


def test_each_change_is_used_at_once(qtbot, dialog: SettingsDialog):
    wanted = MINE
    changes = {
        "theme": lambda field: field.setCurrentIndex(1),
        "wheel": lambda field: field.setCurrentIndex(0),
        "threads": lambda field: field.setValue(0),
        "idle_seconds": lambda field: field.setValue(30),
        "learn": lambda field: field.click(),
        "control_share": lambda field: field.setValue(10),
        "strategy": lambda field: field.setCurrentText("samtta"),
        "font_size": lambda field: field.setValue(14),
        "safe_colours": lambda field: field.click(),
    }
    after = Settings(theme="light", idle_seconds=30, control_share=0.1, font_size=14, safe_colours=True)
    for name, change in changes.items():
        wanted = replace(wanted, **{name: getattr(after, name)})
        with qtbot.waitSignal(dialog.chosen) as chosen:
            change(dialog.fields[name])
        assert chosen.args == [wanted], name


def test_a_line_is_used_when_it_is_complete(qtbot, dialog: SettingsDialog):
    line = dialog.fields["device"]
    line.setText("cp")
    with qtbot.waitSignal(dialog.chosen) as chosen:
        line.setText("cpu")
        QTest.keyClick(line, Qt.Key.Key_Return)
    assert chosen.args[0].device == "cpu"
    assert dialog.isVisible()


def test_what_is_not_valid_is_said_and_changes_nothing(qtbot, dialog: SettingsDialog):
    line = dialog.fields["model"].line
    line.setText("  ")
    with qtbot.assertNotEmitted(dialog.chosen):
        QTest.keyClick(line, Qt.Key.Key_Return)
    assert dialog.error.isVisible()
    assert "model" in dialog.error.text()
    dialog.fields["model"].chosen.emit("other.pth")
    assert not dialog.error.isVisible()
    assert dialog.settings.model == "other.pth"


def test_the_least_number_may_have_a_word(dialog: SettingsDialog):
    for name, word in (("threads", "Automatic"), ("control_share", "None"), ("font_size", "As the system")):
        dialog.fields[name].setValue(0)
        assert dialog.fields[name].text() == word


def test_every_strategy_can_be_chosen_and_is_explained(dialog: SettingsDialog):
    box = dialog.fields["strategy"]
    assert [box.itemText(k) for k in range(box.count())] == list(STRATEGIES)
    assert dialog.words.text().startswith("Fits every object. What was learned")
    box.setCurrentText("frozen")
    assert dialog.words.text().startswith("Nothing is learned. ")


def test_a_strategy_with_options_stays_as_it_is(parent: QWidget):
    own = Settings(strategy="samtta:fits=0")
    assert SettingsDialog(parent, own, WORDS).fields["strategy"].currentText() == "samtta:fits=0"


# --- keys -----------------------------------------------------------------------------------------------------------


def typed(editor: KeyEditor, name: str, text: str) -> None:
    """Write keys into an action's row, as the list's own editor does."""
    row = next(k for k, action in enumerate(ACTION_TABLE) if action.name == name)
    editor.model.setData(editor.model.index(row, 1), text)


def written(editor: KeyEditor, name: str) -> str:
    return editor.model.text_of(name)


def test_a_written_key_is_used_at_once(dialog: SettingsDialog):
    typed(dialog.keys, "fit", "Ctrl+Alt+F; Home")
    assert dialog.settings.keys == {"quit": "", "fit": "Ctrl+Alt+F; Home"}
    typed(dialog.keys, "fit", "F; Ctrl+0")
    assert dialog.settings.keys == {"quit": ""}


def test_a_pressed_key_goes_to_the_chosen_action(qtbot, dialog: SettingsDialog):
    editor = dialog.keys
    dialog.pages.setCurrentWidget(editor)
    QTest.keyClicks(editor.search, "fit image")
    assert editor.found.rowCount() == 1
    editor.view.setCurrentIndex(editor.found.index(0, 0))
    editor.press.setFocus()
    QTest.keyClick(editor.press, Qt.Key.Key_F8)
    qtbot.waitUntil(lambda: dialog.settings.keys.get("fit") == "F8")
    editor.usual.click()
    assert "fit" not in dialog.settings.keys
    editor.none.click()
    assert dialog.settings.keys["fit"] == ""


def test_a_key_of_another_action_is_shown_and_can_be_taken_from_there(qtbot, dialog: SettingsDialog):
    editor = dialog.keys
    dialog.pages.setCurrentWidget(editor)
    with qtbot.assertNotEmitted(dialog.chosen):
        typed(editor, "fit", "PgUp; F7")
    assert editor.problem.isVisible()
    assert "PgUp is the key of “Previous image”" in editor.problem.text()
    row = next(k for k, action in enumerate(ACTION_TABLE) if action.name == "fit")
    red = editor.model.index(row, 1).data(Qt.ItemDataRole.ForegroundRole)
    assert red.name() == theme.LIGHT.bad
    assert written(editor, "fit") == "PgUp; F7"
    editor.take.click()
    assert dialog.settings.keys == {"quit": "", "fit": "PgUp; F7", "previous_image": "A"}
    assert not editor.problem.isVisible()


def test_what_is_no_key_is_said_and_nothing_is_lost(qtbot, dialog: SettingsDialog):
    editor = dialog.keys
    dialog.pages.setCurrentWidget(editor)
    with qtbot.assertNotEmitted(dialog.chosen):
        typed(editor, "fit", "Ctrl+Banana")
    assert "'Ctrl+Banana' is not a key" in editor.problem.text()
    assert not editor.take.isVisible()
    typed(editor, "fit", "F; Ctrl+0")
    assert not editor.problem.isVisible()


# --- in the window --------------------------------------------------------------------------------------------------


def test_settings_are_used_and_saved_while_the_dialog_is_open(qapp, qtbot, samtta_home: Path):
    window = MainWindow(None, settings=Settings(theme="light"), strategies=WORDS)
    qtbot.addWidget(window)
    window.show()
    window.open_dialog("settings")
    dialog = window.dialogs["settings"]
    line, heading = dialog.fields["device"], theme.label("A", "heading", dialog)
    usual, large = line.font().pointSizeF(), heading.font().pointSizeF()
    dialog.fields["font_size"].setValue(17)
    assert (line.font().pointSizeF(), window.menuBar().font().pointSizeF()) == (17, 17)
    assert heading.font().pointSizeF() == 17 * theme.HEADING
    dialog.fields["safe_colours"].click()
    assert theme.current() is theme.SAFE["light"]
    window.switch_theme()  # elsewhere, while the dialog is open
    assert theme.current() is theme.SAFE["dark"]
    typed(dialog.keys, "quit", "Ctrl+F4")
    assert window.actions_made["quit"].shortcut().toString() == "Ctrl+F4"
    saved = load_settings(settings_file())
    assert saved == window.settings
    assert (saved.theme, saved.safe_colours, saved.keys) == ("dark", True, {"quit": "Ctrl+F4"})
    dialog.fields["font_size"].setValue(0)
    assert (line.font().pointSizeF(), heading.font().pointSizeF()) == (usual, large)
    dialog.findChild(QDialogButtonBox).buttons()[0].click()
    assert "settings" not in window.dialogs


def test_steps_of_the_size_of_text_begin_at_the_systems(dialog: SettingsDialog):
    field, chosen = dialog.fields["font_size"], []
    dialog.chosen.connect(lambda settings: chosen.append(settings.font_size))
    system = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).pointSize()
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Up)
    assert chosen == [system + 1]
    for _ in range(system + 2 - LEAST_FONT):
        QTest.keyClick(field, Qt.Key.Key_Down)
    assert chosen[-2:] == [LEAST_FONT, 0]
    QTest.keyClick(field, Qt.Key.Key_Down)
    assert chosen[-1] == system - 1


def test_keys_are_written_as_the_users_language_has_them(qapp, parent: QWidget):
    owner = QObject()
    install_translators(owner, "de")
    editor = KeyEditor({"quit": "Ctrl+Shift+K"})
    editor.setParent(parent)
    row = next(k for k, action in enumerate(ACTION_TABLE) if action.name == "quit")
    chosen = []
    editor.chosen.connect(chosen.append)
    assert editor.model.index(row, 1).data() == "Strg+Umschalt+K"
    editor.model.setData(editor.model.index(row, 1), "Strg+Umschalt+K")
    editor.model.setData(editor.model.index(row, 1), "Strg+Alt+K; Entf")
    assert chosen == []
    assert "Entf" in editor.problem.text()
    editor.model.setData(editor.model.index(row, 1), "Strg+Alt+K")
    assert chosen == [{"quit": "Ctrl+Alt+K"}]
    for translator in owner.findChildren(QTranslator):
        QCoreApplication.removeTranslator(translator)
