"""The object list shows what was accepted, and its selection is the state's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest

from samtta_app.gui.panels.number_bar import NUMBER_WORDS
from samtta_app.gui.panels.objects import SORT_KEY_ROLE, TABLE_COLUMNS, ObjectsPanel
from samtta_app.gui.widgets import theme
from samtta_app.session import acts
from samtta_app.session.state import LabelClass
from tests.gui.scenes import CLASSES, Recorder, annotation, disc, picture, scene

IMAGE = picture()
OBJECTS = (
    annotation(1, disc(30, 30, 12), IMAGE, 1, clicks=1),
    annotation(2, disc(90, 60, 20), IMAGE, 2, clicks=5),
    annotation(3, disc(60, 30, 8), IMAGE, 1, clicks=3),
)


@pytest.fixture
def panel(qapp, qtbot) -> ObjectsPanel:
    theme.choose(qapp, "light")
    made = ObjectsPanel(Recorder(scene()))
    qtbot.addWidget(made)
    made.resize(340, 240)
    made.show()
    made.show_state(scene(annotations=OBJECTS))
    return made


def calls(panel: ObjectsPanel) -> list[object]:
    return panel._controller.calls


def column(panel: ObjectsPanel, number: int) -> list[str]:
    """What a column shows, from top to bottom."""
    return [panel.sorted.index(row, number).data() for row in range(panel.sorted.rowCount())]


def test_an_object_shows_class_area_clicks_confidence_and_version(panel: ObjectsPanel):
    row = [panel.sorted.index(1, number).data() for number in range(len(TABLE_COLUMNS))]
    assert row == ["debris", "1\u202f257", "5", "90 %", "0"]


def test_every_column_has_a_heading_and_explains_itself(panel: ObjectsPanel):
    for number, (heading, tip) in enumerate(TABLE_COLUMNS):
        shown = panel.model.headerData(number, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
        assert panel.model.headerData(number, Qt.Orientation.Horizontal) == heading
        assert shown == (tip or NUMBER_WORDS["expected_iou"][2])
        assert shown


def test_rows_have_no_headings(panel: ObjectsPanel):
    assert panel.model.headerData(0, Qt.Orientation.Vertical) is None


def test_numbers_are_aligned_to_the_right(panel: ObjectsPanel):
    for number in range(len(TABLE_COLUMNS)):
        side = panel.model.index(0, number).data(Qt.ItemDataRole.TextAlignmentRole)
        expected = Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft
        assert side & expected
        assert panel.model.headerData(number, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole) == side


def test_the_class_colour_is_shown_once_per_row(panel: ObjectsPanel):
    image = panel.model.index(1, 0).data(Qt.ItemDataRole.DecorationRole).pixmap(32, 32).toImage()
    assert image.pixelColor(16, 16).name() == theme.class_colour(CLASSES[1].colour).name()
    assert panel.model.index(1, 1).data(Qt.ItemDataRole.DecorationRole) is None


def test_an_object_of_a_class_that_is_gone_is_still_listed(panel: ObjectsPanel):
    panel.show_state(scene(annotations=OBJECTS, classes=CLASSES[:1]))
    assert column(panel, 0) == ["cell", "–", "cell"]


def test_a_renamed_class_is_shown(panel: ObjectsPanel):
    renamed = (LabelClass(1, "yeast", 0), *CLASSES[1:])
    panel.show_state(scene(annotations=OBJECTS, classes=renamed))
    assert column(panel, 0)[0] == "yeast"


def test_without_objects_the_panel_says_what_to_do(panel: ObjectsPanel):
    panel.show_state(scene(annotations=()))
    assert panel.empty.isVisible()
    assert "Click an object" in panel.empty.text()
    assert not panel.view.isVisible()


def test_with_objects_the_hint_is_gone(panel: ObjectsPanel):
    assert panel.view.isVisible()
    assert not panel.empty.isVisible()


# --- selection ------------------------------------------------------------------------------------------------------


def selected(panel: ObjectsPanel) -> list[int]:
    rows = panel.view.selectionModel().selectedRows()
    return [panel.model.id_of(panel.sorted.mapToSource(index).row()) for index in rows]


def test_the_selected_object_is_the_selected_row(panel: ObjectsPanel):
    panel.show_state(scene(annotations=OBJECTS, selected=2))
    assert selected(panel) == [2]


def test_no_selected_object_is_no_selected_row(panel: ObjectsPanel):
    panel.show_state(scene(annotations=OBJECTS, selected=2))
    panel.show_state(scene(annotations=OBJECTS, selected=None))
    assert selected(panel) == []


def test_showing_a_state_asks_for_nothing(panel: ObjectsPanel):
    panel.show_state(scene(annotations=OBJECTS, selected=3))
    panel.show_state(scene(annotations=OBJECTS[:1], selected=1))
    assert calls(panel) == []


def test_a_click_selects_an_object(panel: ObjectsPanel):
    place = panel.view.visualRect(panel.sorted.index(2, 0)).center()
    QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert calls(panel) == [acts.Select(3)]


def test_the_arrow_keys_select(panel: ObjectsPanel):
    panel.show_state(scene(annotations=OBJECTS, selected=1))
    QTest.keyClick(panel.view, Qt.Key.Key_Down)
    assert calls(panel) == [acts.Select(2)]


def test_the_selection_survives_sorting(panel: ObjectsPanel):
    panel.show_state(scene(annotations=OBJECTS, selected=2))
    panel.view.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    panel.show_state(scene(annotations=OBJECTS, selected=2))
    assert selected(panel) == [2]
    assert calls(panel) == []


# --- sorting --------------------------------------------------------------------------------------------------------


def test_objects_are_listed_in_the_order_of_the_stream(panel: ObjectsPanel):
    assert [panel.model.id_of(panel.sorted.mapToSource(panel.sorted.index(r, 0)).row()) for r in range(3)] == [1, 2, 3]


def test_areas_are_sorted_as_numbers(panel: ObjectsPanel):
    panel.view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert column(panel, 1) == ["197", "441", "1\u202f257"]


def test_the_most_uncertain_object_can_be_put_on_top(panel: ObjectsPanel):
    panel.bar.choice.setCurrentIndex(panel.bar.choice.findData("uncertainty"))
    panel.view.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    assert column(panel, 3) == ["9 %", "7 %", "5 %"]


@pytest.mark.parametrize("number", range(len(TABLE_COLUMNS)))
def test_every_column_can_be_sorted_by(panel: ObjectsPanel, number: int):
    keys = [panel.model.index(row, number).data(SORT_KEY_ROLE) for row in range(3)]
    assert sorted(keys) is not None


def test_a_third_click_on_a_heading_goes_back_to_the_stream(panel: ObjectsPanel):
    assert panel.view.header().isSortIndicatorClearable()


def test_nowhere_is_nothing(panel: ObjectsPanel):
    assert panel.model.data(QModelIndex()) is None
    assert panel.model.rowCount(panel.model.index(0, 0)) == 0
    assert panel.model.row_of(99) == -1
    assert panel.model.index(0, 0).data(Qt.ItemDataRole.FontRole) is None


def test_the_same_objects_are_not_listed_anew(qtbot, panel: ObjectsPanel):
    with qtbot.assertNotEmitted(panel.model.modelReset):
        panel.show_state(scene(annotations=OBJECTS, selected=1))


def test_every_heading_is_readable_in_a_narrow_dock(panel: ObjectsPanel):
    panel.resize(300, 200)
    header = panel.view.header()
    metrics = header.fontMetrics()
    for number, (heading, _) in enumerate(TABLE_COLUMNS):
        assert header.sectionSize(number) >= metrics.horizontalAdvance(heading)
    assert sum(header.sectionSize(number) for number in range(len(TABLE_COLUMNS))) <= panel.view.viewport().width()


def test_an_object_of_several_outlines_says_how_many_more_there_are(panel: ObjectsPanel):
    several = replace(OBJECTS[0], alternatives=(OBJECTS[0].mask, OBJECTS[1].mask))
    panel.show_state(scene(annotations=(several, *OBJECTS[1:])))
    tips = [panel.model.index(row, 0).data(Qt.ItemDataRole.ToolTipRole) for row in range(3)]
    assert tips == ["2 more outlines of this object kept", None, None]
