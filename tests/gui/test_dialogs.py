"""The dialogs ask for what is needed, refuse what cannot work, and never hold up the window."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QLabel, QWidget

from samtta_app.errors import ExportError
from samtta_app.formats import FORMATS
from samtta_app.formats.export_choice import EVERYTHING, ExportChoice
from samtta_app.gui.actions.action_table import ACTION_TABLE, GESTURES
from samtta_app.gui.actions.bindings import bindings, key_text
from samtta_app.gui.dialogs.dialogs import FIGURES, ExportDialog, PathField
from samtta_app.gui.dialogs.reading_dialogs import AboutDialog, ShortcutsDialog
from samtta_app.gui.dialogs.settings_dialog import SettingsDialog
from samtta_app.gui.widgets import theme
from samtta_app.settings import Settings
from tests.gui.scenes import WORDS, Recorder, entries, scene


@pytest.fixture
def parent(qapp, qtbot) -> QWidget:
    theme.choose(qapp, "light")
    made = QWidget()
    qtbot.addWidget(made)
    return made


def press(dialog: QWidget, which: QDialogButtonBox.StandardButton) -> None:
    dialog.findChild(QDialogButtonBox).button(which).click()


# --- export ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def export(parent: QWidget) -> ExportDialog:
    controller = Recorder(scene(Path("dishes")))
    made = ExportDialog(parent, controller)
    made.show()
    return made


def asked(dialog: ExportDialog) -> list[object]:
    return dialog._controller.calls


def choices(dialog: ExportDialog) -> list[str]:
    return [dialog.format.itemData(k) for k in range(dialog.format.count())]


def test_every_format_can_be_chosen(export: ExportDialog):
    assert choices(export) == [*FORMATS, FIGURES]


def test_every_format_has_a_name_for_people():
    assert all(form.title and form.title != form.name for form in FORMATS.values())


def test_the_dialog_says_what_the_chosen_format_loses(export: ExportDialog):
    for k, name in enumerate(choices(export)):
        export.format.setCurrentIndex(k)
        lost = FORMATS[name].lost if name in FORMATS else ()
        assert all(part in export.lost.text() for part in lost)
        assert bool(export.lost.text()) == bool(lost)


def test_words_that_wrap_take_no_room_from_the_choices(export: ExportDialog):
    export.show()
    for index in range(export.format.count()):
        export.format.setCurrentIndex(index)
        QApplication.processEvents()
        assert export.lost.height() >= export.lost.heightForWidth(export.lost.width())
        assert export.choices.table.geometry().bottom() < export.choices.least.y(), export.format.currentText()


def test_the_dialog_says_how_much_will_be_exported(export: ExportDialog):
    assert export.summary.text() == "14 objects on 2 images"


def test_classes_sizes_and_a_split_are_chosen_in_the_window(export: ExportDialog):
    shown = export.choices
    assert shown.choice == EVERYTHING
    names = [each.name for each in export._controller.state.classes]
    shown.table.item(0, 1).setText("other")
    shown.table.item(1, 0).setCheckState(Qt.CheckState.Unchecked)
    shown.least.setValue(9)
    shown.reviewed.click()
    shown.split.click()
    shown.seed.setValue(4)
    export.go.click()
    chosen = asked(export)[-1][-1]
    kept = frozenset({"other", *names[2:]})
    assert chosen == ExportChoice(kept, {names[0]: "other"}, 9, True, (80.0, 10.0, 10.0), 4)
    export.format.setCurrentIndex(export.format.count() - 1)
    assert not shown.isEnabled()


def test_a_choice_that_exports_nothing_is_refused(export: ExportDialog):
    failed: list[ExportError] = []
    export.failed.connect(failed.append)
    table, names = export.choices.table, [each.name for each in export._controller.state.classes]
    table.item(0, 0).setCheckState(Qt.CheckState.Unchecked)
    table.item(1, 1).setText(names[0])
    export.go.click()
    for row in range(table.rowCount()):
        table.item(row, 0).setCheckState(Qt.CheckState.Unchecked)
    export.go.click()
    assert ["not ticked" in str(failed[0]), "No class" in str(failed[1])] == [True, True]
    assert asked(export) == []


def test_one_object_is_one_object(parent: QWidget):
    one = entries(Path("dishes"), ("annotated",))[0]
    dialog = ExportDialog(parent, Recorder(scene(images=(type(one)(one.name, one.path, one.status, 1),))))
    assert dialog.summary.text() == "1 object on 1 image"


@pytest.mark.parametrize("name", list(FORMATS))
def test_the_chosen_format_is_written_into_the_chosen_folder(export: ExportDialog, tmp_path: Path, name: str):
    export.format.setCurrentIndex(choices(export).index(name))
    export.folder.line.setText(str(tmp_path))
    export.go.click()
    assert asked(export) == [("export", name, tmp_path, EVERYTHING)]


def test_the_sessions_figures_can_be_written(export: ExportDialog, tmp_path: Path):
    export.format.setCurrentIndex(choices(export).index(FIGURES))
    export.folder.line.setText(str(tmp_path))
    export.go.click()
    assert asked(export) == [("export_statistics", tmp_path)]


def test_the_dialog_closes_when_files_were_written(export: ExportDialog):
    export.go.click()
    assert export.isVisible()
    assert not export.go.isEnabled()
    export._controller.exported.emit(object())
    assert not export.isVisible()


def test_the_dialog_stays_after_an_export_that_failed_and_another_folder_can_be_named(export: ExportDialog):
    export.go.click()
    export._controller.exported.emit(ExportError("The disk is full"))
    assert export.isVisible()
    assert export.go.isEnabled()


def test_while_an_export_runs_no_other_begins_and_cancel_gives_it_up(export: ExportDialog):
    export.go.click()
    export.folder.line.setText("elsewhere")
    assert not export.go.isEnabled()
    press(export, QDialogButtonBox.StandardButton.Cancel)
    assert asked(export)[-1] == ("cancel_export",)
    assert not export.isVisible()


def test_the_dialog_stays_and_says_why_when_nothing_was_written(qtbot, export: ExportDialog):
    export._controller.answers = {"export": ExportError("The disk is full")}
    with qtbot.waitSignal(export.failed) as failed:
        export.go.click()
    assert "disk is full" in str(failed.args[0])
    assert export.isVisible()


def test_export_needs_a_folder(export: ExportDialog):
    export.folder.line.setText("  ")
    assert not export.go.isEnabled()
    export.folder.line.setText("out")
    assert export.go.isEnabled()


def test_cancel_exports_nothing(export: ExportDialog):
    press(export, QDialogButtonBox.StandardButton.Cancel)
    assert not export.isVisible()
    assert asked(export) == []


def test_export_begins_beside_the_images(export: ExportDialog):
    assert Path(export.folder.line.text()) == Path("dishes") / "export"


# --- paths ----------------------------------------------------------------------------------------------------------


def test_a_folder_is_asked_for(qtbot, monkeypatch):
    field = PathField("old", "Choose")
    qtbot.addWidget(field)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "new")
    field.button.click()
    assert field.line.text() == "new"


def test_a_file_is_asked_for(qtbot, monkeypatch):
    field = PathField("old", "Choose", "Weights (*.pth)")
    qtbot.addWidget(field)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("sam_vit_b.pth", ""))
    field.button.click()
    assert field.line.text() == "sam_vit_b.pth"


def test_choosing_nothing_keeps_the_path(qtbot, monkeypatch):
    field = PathField("old", "Choose")
    qtbot.addWidget(field)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    field.button.click()
    assert field.line.text() == "old"


# --- keys -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def shortcuts(parent: QWidget) -> ShortcutsDialog:
    made = ShortcutsDialog(parent, bindings())
    made.show()
    return made


def test_every_action_with_a_key_is_listed(shortcuts: ShortcutsDialog):
    listed = {entry for rows in shortcuts.rows.values() for entry in rows}
    for action in ACTION_TABLE:
        keys = bindings()[action.name]
        if keys and action.menu != "Class":
            assert (action.text.rstrip("…"), key_text(keys)) in listed


def test_the_nine_classes_are_one_row(shortcuts: ShortcutsDialog):
    assert shortcuts.rows["Class"][0] == ("Choose a class", "1 – 9")
    assert not any(what.startswith("Class ") for what, _ in shortcuts.rows["Class"])


def test_the_mouse_is_explained(shortcuts: ShortcutsDialog):
    assert len(shortcuts.rows["Mouse"]) == len(GESTURES)


def test_changed_keys_are_the_ones_that_are_listed(parent: QWidget):
    dialog = ShortcutsDialog(parent, bindings({"accept": "Ctrl+S", "quit": ""}))
    listed = dict(entry for rows in dialog.rows.values() for entry in rows)
    assert listed["Accept"] == key_text(("Ctrl+S",))
    assert "Quit" not in listed


def test_without_class_keys_there_is_no_row_for_them(parent: QWidget):
    keys = bindings({f"class_{number}": "" for number in range(1, 10)})
    rows = ShortcutsDialog(parent, keys).rows["Class"]
    assert "Choose a class" not in dict(rows)


def test_no_line_of_the_list_is_cut(shortcuts: ShortcutsDialog):
    for label in shortcuts.findChildren(QLabel):
        assert label.width() >= label.minimumSizeHint().width()


def test_escape_closes_a_dialog(shortcuts: ShortcutsDialog):
    QTest.keyClick(shortcuts, Qt.Key.Key_Escape)
    assert not shortcuts.isVisible()


# --- about ----------------------------------------------------------------------------------------------------------


def test_about_names_version_and_model(parent: QWidget):
    dialog = AboutDialog(parent, "samtta-small on cpu")
    assert "ersion" in dialog.text.text()
    assert "samtta-small on cpu" in dialog.text.text()


def test_about_without_a_model_names_none(parent: QWidget):
    assert "\n" not in AboutDialog(parent, "").text.text()


@pytest.mark.parametrize(
    "dialog", [AboutDialog, ShortcutsDialog, SettingsDialog, ExportDialog], ids=lambda kind: kind.__name__
)
def test_no_dialog_holds_up_the_window(parent: QWidget, dialog):
    argument = {
        AboutDialog: "", ShortcutsDialog: bindings(), SettingsDialog: Settings(), ExportDialog: Recorder(scene()),
    }[dialog]  # fmt: skip
    more = (WORDS,) if dialog is SettingsDialog else ()
    assert not dialog(parent, argument, *more).isModal()
