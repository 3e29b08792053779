"""Classes are chosen with a click, renamed in place and added below the list."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from samtta_app.gui.panels.classes import ClassesPanel
from samtta_app.gui.widgets import theme
from samtta_app.session import acts
from samtta_app.session.state import LabelClass
from tests.gui.scenes import CLASSES, Recorder, scene


@pytest.fixture
def panel(qapp, qtbot) -> ClassesPanel:
    theme.choose(qapp, "light")
    made = ClassesPanel(Recorder(scene()))
    qtbot.addWidget(made)
    made.resize(320, 300)
    made.show()
    made.show_state(scene())
    return made


def calls(panel: ClassesPanel) -> list[object]:
    return panel._controller.calls


def click(panel: ClassesPanel, row: int) -> None:
    place = panel.view.visualRect(panel.model.index(row)).center()
    QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def middle(panel: ClassesPanel, row: int, side: int = 40) -> set[str]:
    """The colours of a swatch."""
    image = panel.model.index(row).data(Qt.ItemDataRole.DecorationRole).pixmap(side, side).toImage()
    return {image.pixelColor(x, side // 5 + 2).name() for x in range(side // 5, side * 4 // 5)}


def test_the_classes_are_listed_by_name(panel: ClassesPanel):
    assert [panel.model.index(row).data() for row in range(panel.model.rowCount())] == [c.name for c in CLASSES]


def test_every_class_shows_its_colour(panel: ClassesPanel):
    for row, entry in enumerate(CLASSES):
        assert theme.class_colour(entry.colour).name() in middle(panel, row)


def test_the_current_class_is_the_current_row(panel: ClassesPanel):
    panel.show_state(scene(current_class=3))
    assert panel.view.currentIndex().row() == 2


def test_a_class_that_is_not_there_is_no_row(panel: ClassesPanel):
    panel.show_state(scene(current_class=77))
    assert not panel.view.currentIndex().isValid()


def test_showing_a_state_asks_for_nothing(panel: ClassesPanel):
    panel.show_state(scene(current_class=2))
    assert calls(panel) == []


def test_a_click_chooses_a_class(panel: ClassesPanel):
    click(panel, 1)
    assert calls(panel) == [acts.SetClass(2)]


def test_a_click_on_the_current_class_chooses_it_again(panel: ClassesPanel):
    click(panel, 0)  # it may be another one's than the selected object's
    assert calls(panel) == [acts.SetClass(1)]


@pytest.mark.parametrize(("row", "key"), [(0, "(1)"), (8, "(9)")])
def test_the_tool_tip_names_the_key(panel: ClassesPanel, row: int, key: str):
    panel.show_state(scene(classes=tuple(LabelClass(k, f"class {k}", k) for k in range(12))))
    assert key in panel.model.index(row).data(Qt.ItemDataRole.ToolTipRole)


def test_the_tenth_class_has_no_key(panel: ClassesPanel):
    panel.show_state(scene(classes=tuple(LabelClass(k, f"class {k}", k) for k in range(12))))
    assert "(" not in panel.model.index(9).data(Qt.ItemDataRole.ToolTipRole)


# --- adding ---------------------------------------------------------------------------------------------------------


def test_a_name_and_enter_add_a_class(panel: ClassesPanel):
    QTest.keyClicks(panel.new_name, "mitosis")
    QTest.keyClick(panel.new_name, Qt.Key.Key_Return)
    assert calls(panel) == [acts.AddClass("mitosis")]
    assert panel.new_name.text() == ""


def test_spaces_around_a_name_are_dropped(panel: ClassesPanel):
    panel.new_name.setText("  mitosis ")
    QTest.keyClick(panel.new_name, Qt.Key.Key_Return)
    assert calls(panel) == [acts.AddClass("mitosis")]


@pytest.mark.parametrize("text", ["", "   "])
def test_a_class_needs_a_name(panel: ClassesPanel, text: str):
    panel.new_name.setText(text)
    QTest.keyClick(panel.new_name, Qt.Key.Key_Return)
    assert calls(panel) == []


def test_nothing_is_added_to_a_read_only_project(panel: ClassesPanel):
    panel.show_state(scene(read_only=True))
    assert not panel.new_name.isEnabled()


def test_an_added_class_appears_with_the_state(panel: ClassesPanel):
    panel.show_state(scene(classes=(*CLASSES, LabelClass(4, "mitosis", 3)), current_class=4))
    assert panel.model.index(3).data() == "mitosis"
    assert panel.view.currentIndex().row() == 3


# --- renaming -------------------------------------------------------------------------------------------------------


def editor(panel: ClassesPanel, row: int) -> QLineEdit:
    panel.view.edit(panel.model.index(row))
    return panel.view.viewport().findChild(QLineEdit)


def test_a_class_is_renamed_in_place(qtbot, panel: ClassesPanel):
    field = editor(panel, 1)
    field.setText("dirt")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: calls(panel) == [acts.RenameClass(2, "dirt")])


def test_the_new_name_is_shown_when_the_state_has_it(panel: ClassesPanel):
    assert panel.model.setData(panel.model.index(1), "dirt")
    assert panel.model.index(1).data() == "debris"
    panel.show_state(scene(classes=(CLASSES[0], LabelClass(2, "dirt", 1), CLASSES[2])))
    assert panel.model.index(1).data() == "dirt"


@pytest.mark.parametrize("name", ["", "  ", "debris"])
def test_a_name_that_is_empty_or_the_same_changes_nothing(panel: ClassesPanel, name: str):
    assert not panel.model.setData(panel.model.index(1), name)
    assert calls(panel) == []


def test_escape_leaves_the_name_as_it_was(panel: ClassesPanel):
    field = editor(panel, 1)
    field.setText("dirt")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert calls(panel) == []


def test_editing_starts_with_the_present_name(panel: ClassesPanel):
    assert editor(panel, 2).text() == "nucleus"


def test_nowhere_is_nothing(panel: ClassesPanel):
    assert panel.model.data(QModelIndex()) is None
    assert not panel.model.setData(QModelIndex(), "dirt")
    assert panel.model.rowCount(panel.model.index(0)) == 0
    assert panel.model.data(panel.model.index(0), Qt.ItemDataRole.FontRole) is None


def test_a_renamed_class_is_redrawn_and_the_list_kept(qtbot, panel: ClassesPanel):
    with qtbot.assertNotEmitted(panel.model.modelReset), qtbot.waitSignal(panel.model.dataChanged):
        panel.show_state(scene(classes=(LabelClass(1, "yeast", 0), *CLASSES[1:])))


def test_the_same_classes_redraw_nothing(qtbot, panel: ClassesPanel):
    with qtbot.assertNotEmitted(panel.model.dataChanged), qtbot.assertNotEmitted(panel.model.modelReset):
        panel.show_state(scene())


# --- tasks of the model -----------------------------------------------------------------------------------------------


def tasked(qtbot, *names: str) -> ClassesPanel:
    controller = Recorder(scene())
    made = ClassesPanel(controller)
    qtbot.addWidget(made)
    made.resize(320, 300)
    made.show()
    made.show_state(scene())
    controller.tasks = names  # the model opens after the window
    controller.described.emit("toy on cpu")
    return made


def test_a_model_without_tasks_offers_none(panel: ClassesPanel):
    assert not panel.tasks.isVisible()


def test_the_tasks_of_the_model_are_offered_as_names(qapp, qtbot):
    made = tasked(qtbot, "nucleus", "mitosis")
    assert made.tasks.isVisible()
    assert made.tasks.text().endswith("nucleus, mitosis")
    made.activateWindow()
    QTest.mouseClick(made.new_name, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(made.new_name.hasFocus)
    QTest.keyClicks(made.new_name, "mit")
    QTest.keyClick(made.new_name, Qt.Key.Key_Return)
    QTest.keyClicks(made.new_name, "cell")
    QTest.keyClick(made.new_name, Qt.Key.Key_Return)
    assert calls(made) == [acts.AddClass("mitosis"), acts.AddClass("cell")]


def test_a_class_that_takes_a_task_says_so(qapp, qtbot):
    made = tasked(qtbot, CLASSES[1].name)
    tips = [made.model.index(row).data(Qt.ItemDataRole.ToolTipRole) for row in range(len(CLASSES))]
    assert ["Takes the model" in tip for tip in tips] == [row == 1 for row in range(len(CLASSES))]
