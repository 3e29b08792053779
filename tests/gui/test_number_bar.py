"""Objects and images are sorted and filtered by how unsure they are and what they would gain."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from samtta_app.core.calibration import Calibration
from samtta_app.core.types import Gaps
from samtta_app.gui.panels.images import ImagesPanel
from samtta_app.gui.panels.number_bar import NUMBER_WORDS, NumberBar, number_words
from samtta_app.gui.panels.objects import ID_ROLE, ObjectsPanel
from samtta_app.gui.widgets import theme
from samtta_app.session import acts
from samtta_app.session.object_records import ObjectRecord
from samtta_app.session.sort_keys import NUMBERS, known_as, mask_number, worst
from tests.gui.scenes import Recorder, annotation, disc, entries, picture, scene, statistics

IMAGE = picture()
GAPS = (Gaps(0.0, 0.1, 0.3, 0.9), Gaps(0.2, 0.0, 0.05, 0.5), None)
OBJECTS = tuple(
    replace(annotation(k, disc(30 * k, 40, 8), IMAGE), gaps=gaps, predicted_iou=0.7) for k, gaps in enumerate(GAPS, 1)
)


@pytest.fixture
def objects(qapp, qtbot) -> ObjectsPanel:
    theme.choose(qapp, "light")
    made = ObjectsPanel(Recorder(scene()))
    qtbot.addWidget(made)
    made.resize(320, 300)
    made.show()
    made.show_state(scene(annotations=OBJECTS))
    return made


@pytest.fixture
def images(qapp, qtbot) -> ImagesPanel:
    theme.choose(qapp, "light")
    made = ImagesPanel(Recorder(scene()))
    qtbot.addWidget(made)
    made.resize(320, 300)
    made.show()
    made.show_state(scene(images=ROWS, index=0))
    return made


PATH = scene().folder
ROWS = tuple(
    replace(row, worst={"uncertainty": value, "expected_iou": 1 - value}) if value else row
    for row, value in zip(entries(PATH, ("annotated",) * 3 + ("todo",)), (0.2, 0.7, 0.4, 0.0), strict=True)
)


def listed(panel: ObjectsPanel | ImagesPanel, column: int = 0) -> list[str]:
    model = panel.view.model()
    return [model.index(row, column).data() for row in range(model.rowCount())]


def choose(bar: NumberBar, name: str | None) -> None:
    """As a person does: open the list, type the words, press Enter."""
    bar.choice.setCurrentIndex(bar.choice.findData(name))


# --- values -----------------------------------------------------------------------------------------------------------


def test_numbers_of_a_mask_are_known_or_not():
    assert [mask_number(OBJECTS[0], name) for name in NUMBERS] == [0.9, 0.05, 0.3, 0.1, 0.0]
    assert [mask_number(OBJECTS[2], name) for name in NUMBERS] == [0.7, 0.09, None, None, None]


def test_an_image_has_the_worst_number_of_its_objects():
    records = [
        ObjectRecord(k, name, "object", "", 1.0, 0, (replace(OBJECTS[k].history[0], gaps=GAPS[k]),))
        for k, name in ((0, "a.png"), (1, "a.png"), (2, "b.png"))
    ]
    found = worst(records)
    assert found["a.png"]["prompt"] == 0.3
    assert found["a.png"]["expected_iou"] == 0.5
    assert "prompt" not in found["b.png"]
    assert worst([ObjectRecord(9, "c.png", "object", "", 1.0, 0, ())]) == {}


# --- objects ----------------------------------------------------------------------------------------------------------


def test_the_column_shows_the_number_that_is_chosen(objects: ObjectsPanel):
    choose(objects.bar, "prompt")
    assert objects.model.headerData(ID_ROLE, Qt.Orientation.Horizontal) == "Gain"
    assert listed(objects, ID_ROLE) == ["+30 %", "+5 %", "–"]
    choose(objects.bar, "expected_iou")
    assert listed(objects, ID_ROLE) == ["90 %", "50 %", "70 %"]


def test_objects_are_filtered_by_a_limit(objects: ObjectsPanel):
    choose(objects.bar, "prompt")
    objects.bar.limit.setValue(10)
    assert listed(objects, ID_ROLE) == ["+30 %"]
    objects.bar.limit.setValue(-1)
    assert len(listed(objects)) == 3


def test_of_confidence_the_low_ones_are_kept(objects: ObjectsPanel):
    choose(objects.bar, "expected_iou")
    objects.bar.limit.setValue(75)
    assert listed(objects, ID_ROLE) == ["50 %", "70 %"]
    assert objects.bar.limit.prefix() == "≤ "


HALVED = Calibration((0.0, 1.0), (0.0, 0.5))
"""A session whose masks fit half as well as they were expected to."""


def test_confidence_is_the_calibrated_expectation(objects: ObjectsPanel):
    objects.show_state(scene(annotations=OBJECTS, statistics=replace(statistics(), confidence=HALVED)))
    assert objects.model.headerData(ID_ROLE, Qt.Orientation.Horizontal) == "Confidence"
    assert listed(objects, ID_ROLE) == ["45 %", "25 %", "35 %"]
    objects.bar.limit.setValue(40)
    assert listed(objects, ID_ROLE) == ["25 %", "35 %"]
    choose(objects.bar, "prompt")
    assert listed(objects, ID_ROLE) == [], "40 % and more"
    objects.bar.limit.setValue(-1)
    assert listed(objects, ID_ROLE) == ["+30 %", "+5 %", "–"], "gains are not calibrated"


def test_doubt_is_shown_as_a_share(objects: ObjectsPanel):
    choose(objects.bar, "uncertainty")
    assert objects.model.headerData(ID_ROLE, Qt.Orientation.Horizontal) == "Doubt"
    assert listed(objects, ID_ROLE) == ["5 %", "7 %", "9 %"]


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_has_words_without_terms_and_a_tip(name: str):
    heading, words, tip = NUMBER_WORDS[name]
    assert not re.search(r"IoU|[Uu]nsure|Pred|Exp|\+", f"{heading} {words}")
    assert tip


def test_what_is_not_known_is_a_dash():
    assert [number_words(None, name) for name in NUMBERS] == ["–"] * len(NUMBERS)
    assert known_as(None, "expected_iou", HALVED) is None
    assert known_as(0.8, "expected_iou", HALVED) == pytest.approx(0.4)
    assert known_as(0.8, "task", HALVED) == 0.8


def test_the_limit_s_first_step_leads_from_all_to_nought(objects: ObjectsPanel):
    objects.bar.limit.setFocus()
    assert objects.bar.limit.text() == "all"
    QTest.keyClick(objects.bar.limit, Qt.Key.Key_Up)
    assert objects.bar.limit.value() == 0
    QTest.keyClick(objects.bar.limit, Qt.Key.Key_Up)
    assert objects.bar.limit.value() == 5
    assert objects.bar.limit.text() == "≤ 5 %"
    QTest.keyClick(objects.bar.limit, Qt.Key.Key_Down)
    QTest.keyClick(objects.bar.limit, Qt.Key.Key_Down)
    assert objects.bar.limit.text() == "all"


def test_objects_are_sorted_by_the_number(objects: ObjectsPanel):
    choose(objects.bar, "task")
    objects.view.sortByColumn(ID_ROLE, Qt.SortOrder.DescendingOrder)
    assert listed(objects, ID_ROLE) == ["+10 %", "no gain", "–"]


def test_another_number_leaves_the_selection_and_asks_for_nothing(objects: ObjectsPanel):
    objects.show_state(scene(annotations=OBJECTS, selected=2))
    choose(objects.bar, "model")
    assert objects._controller.calls == []


def test_the_bar_is_hidden_without_objects(objects: ObjectsPanel):
    objects.show_state(scene(annotations=()))
    assert not objects.bar.isVisible()


# --- images -----------------------------------------------------------------------------------------------------------


def test_images_are_listed_by_name_until_a_number_is_chosen(images: ImagesPanel):
    names = listed(images)
    choose(images.bar, "uncertainty")
    assert listed(images) == [names[k] for k in (1, 2, 0, 3)]
    choose(images.bar, "expected_iou")
    assert listed(images) == [names[k] for k in (1, 2, 0, 3)]
    choose(images.bar, None)
    assert listed(images) == names


def test_images_are_filtered_by_the_confidence_that_is_shown(images: ImagesPanel):
    names = listed(images)
    choose(images.bar, "expected_iou")
    images.bar.limit.setValue(50)
    assert listed(images) == [names[1]]
    images.show_state(
        replace(images._controller.state, images=ROWS, statistics=replace(statistics(), confidence=HALVED))
    )
    assert listed(images) == [names[k] for k in (1, 2, 0)]


def test_images_are_filtered_by_their_worst_object(images: ImagesPanel):
    names = listed(images)
    choose(images.bar, "uncertainty")
    images.bar.limit.setValue(40)
    assert listed(images) == [names[1], names[2]]


def test_sorting_opens_nothing_and_a_click_opens_the_right_image(images: ImagesPanel):
    choose(images.bar, "uncertainty")
    assert images._controller.calls == []
    place = images.view.visualRect(images.view.model().index(0, 0)).center()
    QTest.mouseClick(images.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert images._controller.calls == [acts.OpenImage(1)]


def test_the_open_image_stays_current_where_it_is_listed(images: ImagesPanel):
    choose(images.bar, "uncertainty")
    assert images.view.currentIndex().row() == 2
    images.bar.limit.setValue(50)
    assert not images.view.currentIndex().isValid() or images.view.currentIndex().row() == 0
    assert images._controller.calls == []


def test_new_numbers_move_an_image(images: ImagesPanel):
    choose(images.bar, "uncertainty")
    state = images._controller.state
    rows = list(entries(PATH, ("annotated",) * 3 + ("todo",)))
    rows[0] = replace(rows[0], worst={"uncertainty": 0.9})
    images.show_state(replace(state, images=tuple(rows), index=0))
    assert listed(images)[0] == rows[0].name
