"""The image list shows where every image stands, and stays fast with thousands of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QStyleOptionViewItem

from samtta_app.core.replies import Thumbnailed
from samtta_app.gui.panels.images import OBJECTS_ROLE, ImageModel, ImagesPanel
from samtta_app.gui.widgets import theme
from samtta_app.session import acts
from samtta_app.session.state import ImageEntry
from tests.gui.scenes import STATUSES, Recorder, entries, scene

FOLDER = Path("dishes")
THOUSANDS = 20_000


@pytest.fixture
def panel(qapp, qtbot) -> ImagesPanel:
    theme.choose(qapp, "light")
    made = ImagesPanel(Recorder(scene()))
    qtbot.addWidget(made)
    made.resize(320, 240)
    made.show()
    return made


def calls(panel: ImagesPanel) -> list[object]:
    return panel._controller.calls


def shades(model: ImageModel, row: int) -> set[str]:
    """The solid colours of a row's dot."""
    image = model.data(model.index(row), Qt.ItemDataRole.DecorationRole).pixmap(32, 32).toImage()
    found = (image.pixelColor(x, y) for x in range(32) for y in range(32))
    return {colour.name() for colour in found if colour.alpha() == 255}


# --- the model ------------------------------------------------------------------------------------------------------


def test_a_row_shows_the_name(panel: ImagesPanel):
    panel.show_state(scene())
    assert [panel.model.index(row).data() for row in range(2)] == ["cells_01.png", "cells_02.png"]


def test_a_row_knows_its_number_of_objects(panel: ImagesPanel):
    panel.show_state(scene())
    assert panel.model.index(0).data(OBJECTS_ROLE) == 7
    assert panel.model.index(3).data(OBJECTS_ROLE) == 0


@pytest.mark.parametrize(
    ("status", "token"), [("todo", "muted"), ("encoded", "accent"), ("annotated", "good"), ("unreadable", "bad")]
)
def test_the_dot_tells_the_status(panel: ImagesPanel, status, token):
    panel.show_state(scene(images=entries(FOLDER, (status,))))
    assert getattr(theme.LIGHT, token) in shades(panel.model, 0)


def test_the_dots_differ_in_shape_too(panel: ImagesPanel):
    panel.show_state(scene(images=entries(FOLDER, ("todo", "annotated"))))
    ring, full = (
        panel.model.index(row).data(Qt.ItemDataRole.DecorationRole).pixmap(32, 32).toImage().pixelColor(16, 16).alpha()
        for row in (0, 1)
    )
    assert (ring, full) == (0, 255)


def test_the_tool_tip_says_why_an_image_is_unreadable(panel: ImagesPanel):
    panel.show_state(scene())
    assert "The file is truncated" in panel.model.index(STATUSES.index("unreadable")).data(Qt.ItemDataRole.ToolTipRole)


def test_the_tool_tip_of_a_readable_image_says_its_status(panel: ImagesPanel):
    panel.show_state(scene())
    assert "Annotated" in panel.model.index(0).data(Qt.ItemDataRole.ToolTipRole)


def test_a_row_that_does_not_exist_shows_nothing(panel: ImagesPanel):
    panel.show_state(scene())
    assert panel.model.data(panel.model.index(99)) is None
    assert panel.model.rowCount(panel.model.index(0)) == 0


def test_only_rows_that_changed_are_touched(qtbot, panel: ImagesPanel):
    before = scene()
    panel.show_state(before)
    images = (*before.images[:3], replace(before.images[3], status="encoded"), *before.images[4:])
    touched: list[tuple[int, int]] = []
    panel.model.dataChanged.connect(lambda first, last: touched.append((first.row(), last.row())))
    panel.show_state(replace(before, images=images))
    assert touched == [(3, 3)]


def test_the_same_images_touch_nothing(qtbot, panel: ImagesPanel):
    state = scene()
    panel.show_state(state)
    with qtbot.assertNotEmitted(panel.model.dataChanged), qtbot.assertNotEmitted(panel.model.modelReset):
        panel.show_state(replace(state, can_redo=True))
        panel.show_state(replace(state, images=tuple(replace(entry) for entry in state.images)))


def test_more_images_reset_the_list(qtbot, panel: ImagesPanel):
    panel.show_state(scene())
    with qtbot.waitSignal(panel.model.modelReset):
        panel.show_state(scene(images=entries(FOLDER, ("todo",) * 9)))
    assert panel.model.rowCount() == 9


class Counting(ImageModel):
    """Notes which rows are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[int] = set()

    def data(self, index, role=Qt.ItemDataRole.DisplayRole):
        self.asked.add(index.row())
        return super().data(index, role)


def test_with_thousands_of_images_only_visible_rows_are_asked_for(panel: ImagesPanel):
    panel.model = Counting()
    panel.view.setModel(panel.model)
    many = tuple(ImageEntry(f"{k:05}.png", FOLDER / f"{k:05}.png", "todo", 0) for k in range(THOUSANDS))
    panel.show_state(scene(images=many, index=THOUSANDS // 2))
    panel.grab()
    assert 0 < len(panel.model.asked) < 100


# --- the panel ------------------------------------------------------------------------------------------------------


def test_the_open_image_is_the_current_row(panel: ImagesPanel):
    panel.show_state(scene(index=3))
    assert panel.view.currentIndex().row() == 3


def test_the_open_image_is_scrolled_into_view(panel: ImagesPanel):
    panel.show_state(scene(images=entries(FOLDER, ("todo",) * 500), index=400))
    assert panel.view.viewport().rect().contains(panel.view.visualRect(panel.model.index(400)))


def test_showing_a_state_asks_for_nothing(panel: ImagesPanel):
    panel.show_state(scene(index=0))
    panel.show_state(scene(index=4))
    panel.show_state(scene(images=entries(FOLDER, ("todo",) * 9), index=8))
    assert calls(panel) == []


def test_a_click_opens_an_image(panel: ImagesPanel):
    panel.show_state(scene())
    place = panel.view.visualRect(panel.model.index(2)).center()
    QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert calls(panel) == [acts.OpenImage(2)]


def test_a_click_on_the_open_image_asks_for_nothing(panel: ImagesPanel):
    panel.show_state(scene(index=1))
    place = panel.view.visualRect(panel.model.index(1)).center()
    QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert calls(panel) == []


def test_the_arrow_keys_open_images(panel: ImagesPanel):
    panel.show_state(scene())
    QTest.keyClick(panel.view, Qt.Key.Key_Down)
    assert calls(panel) == [acts.OpenImage(1)]


def test_the_list_goes_back_when_the_state_says_so(panel: ImagesPanel):
    panel.show_state(scene())
    panel.view.setCurrentIndex(panel.model.index(4))
    panel.show_state(scene())
    assert panel.view.currentIndex().row() == 0


def test_the_summary_counts_annotated_images(panel: ImagesPanel):
    panel.show_state(scene())
    assert panel.summary.text() == "2 of 6 annotated"


def test_the_dots_follow_the_theme(qapp, panel: ImagesPanel):
    panel.show_state(scene())
    theme.choose(qapp, "dark")
    assert theme.DARK.good in shades(panel.model, 0)


def test_the_number_keeps_clear_of_a_long_name(panel: ImagesPanel):
    long = "a_very_long_name_of_an_image_that_does_not_fit_into_the_column_0001.png"
    panel.show_state(scene(images=(ImageEntry(long, FOLDER / long, "annotated", 12),)))
    option = QStyleOptionViewItem()
    option.initFrom(panel.view)
    option.rect = panel.view.visualRect(panel.model.index(0))
    option.decorationSize = panel.view.iconSize()
    panel.view.itemDelegate().initStyleOption(option, panel.model.index(0))
    assert "…" in option.text
    assert option.fontMetrics.horizontalAdvance(option.text) < option.rect.width() - 40


def test_numbers_are_drawn_at_the_right_edge(panel: ImagesPanel):
    def edge(state) -> QPixmap:
        panel.show_state(state)
        rect = panel.view.visualRect(panel.model.index(1))
        return panel.view.viewport().grab(rect.adjusted(rect.width() - 40, 0, 0, 0))

    with_number = edge(scene()).toImage()
    without = edge(scene(images=tuple(replace(entry, objects=0) for entry in scene().images))).toImage()
    assert with_number != without


def test_rows_have_the_height_of_the_grid(panel: ImagesPanel):
    panel.show_state(scene())
    assert panel.view.visualRect(panel.model.index(0)).height() >= 3 * theme.GRID


def test_other_changes_of_the_widget_leave_the_dots_alone(qtbot, panel: ImagesPanel):
    panel.show_state(scene())
    with qtbot.assertNotEmitted(panel.model.dataChanged):
        panel.changeEvent(QEvent(QEvent.Type.FontChange))


def test_an_image_that_was_replaced_under_its_objects_is_marked_and_says_so(panel: ImagesPanel):
    whole, replaced = entries(FOLDER, ("annotated", "annotated"))
    panel.show_state(scene(images=(whole, replace(replaced, changed="Replaced: 2 of its objects ..."))))
    assert theme.LIGHT.warn not in shades(panel.model, 0)
    assert theme.LIGHT.warn in shades(panel.model, 1)
    assert "Replaced" in panel.model.index(1).data(Qt.ItemDataRole.ToolTipRole)


# --- search and filter ----------------------------------------------------------------------------------------------


def names(panel: ImagesPanel) -> list[str]:
    return [panel.model.index(row).data() for row in range(panel.model.rowCount())]


def choose(panel: ImagesPanel, words: str) -> None:
    panel.filter.choice.setCurrentIndex(panel.filter.choice.findText(words))


SIX = ("annotated", "empty", "todo", "encoded", "unreadable", "annotated")


@pytest.mark.parametrize(
    ("words", "listed"),
    [
        ("All images", "123456"),
        ("To do", "134"),
        ("Done", "126"),
        ("Nothing here", "12"),
        ("Cannot be read", "15"),
        ("Needs a look", "13"),
        ("debris", "13"),
    ],
)
def test_the_list_shows_what_is_chosen_and_the_open_image(panel: ImagesPanel, words: str, listed: str):
    panel._controller.answers["images_where"] = frozenset({"cells_03.png"})
    panel.show_state(scene(images=entries(FOLDER, SIX), index=0))
    choose(panel, words)
    assert names(panel) == [f"cells_0{k}.png" for k in listed]
    assert panel.view.currentIndex().data() == "cells_01.png"
    assert not any(isinstance(call, acts.OpenImage) for call in calls(panel))
    assert (f"{len(listed)} listed" in panel.summary.text()) == (len(listed) < 6)


def test_words_of_a_name_are_searched_and_enter_opens_the_first(qtbot, panel: ImagesPanel):
    panel.show_state(scene(images=entries(FOLDER, SIX), index=0))
    qtbot.keyClicks(panel.filter.search, "CELLS 05")
    assert names(panel) == ["cells_01.png", "cells_05.png"]
    panel.show_state(scene(images=entries(FOLDER, SIX), index=4))
    assert names(panel) == ["cells_05.png"]
    panel.show_state(scene(images=entries(FOLDER, SIX), index=0))
    panel.filter.search.setText("06")
    place = panel.view.visualRect(panel.model.index(1)).center()
    QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert calls(panel) == [acts.OpenImage(5)]


def test_enter_in_the_search_opens_what_was_found(qtbot, panel: ImagesPanel):
    panel.show_state(scene(images=entries(FOLDER, SIX), index=3))
    qtbot.keyClicks(panel.filter.search, "02")
    qtbot.keyClick(panel.filter.search, Qt.Key.Key_Return)
    assert calls(panel) == [acts.OpenImage(1)]


def test_a_row_that_no_longer_passes_leaves_the_list(panel: ImagesPanel):
    panel.show_state(scene(images=entries(FOLDER, SIX), index=2))
    choose(panel, "To do")
    panel.show_state(scene(images=entries(FOLDER, (*SIX[:2], "annotated", *SIX[3:])), index=2))
    assert names(panel) == ["cells_03.png", "cells_04.png"]
    panel.show_state(scene(images=entries(FOLDER, (*SIX[:2], "annotated", *SIX[3:])), index=3))
    assert names(panel) == ["cells_04.png"]


def test_a_class_that_is_gone_lists_every_image_again(panel: ImagesPanel):
    panel._controller.answers["images_where"] = frozenset()
    panel.show_state(scene(images=entries(FOLDER, SIX)))
    choose(panel, "debris")
    panel.show_state(scene(images=entries(FOLDER, SIX), classes=scene().classes[:1]))
    assert (panel.filter.choice.currentText(), len(names(panel))) == ("All images", 6)


def test_small_pictures_are_asked_for_one_at_a_time_once_the_list_rests(qtbot, panel: ImagesPanel):
    panel.show_state(scene(images=entries(FOLDER, ("todo", "todo", "unreadable"))))
    panel.grab()
    panel.thumbnails._idle.stop()
    panel.thumbnails._ask()
    asked = [call for call in calls(panel) if call[0] == "ask_thumbnail"]
    assert len(asked) == 1
    pixels = np.full((20, 36, 3), 250, np.uint8)
    panel._controller.thumbnailed.emit(Thumbnailed(-1, asked[0][1], pixels))
    assert len([call for call in calls(panel) if call[0] == "ask_thumbnail"]) == 2
    other = FOLDER / "cells_01.png"
    panel._controller.thumbnailed.emit(Thumbnailed(-2, other, pixels))
    assert panel.thumbnails.get(other).width() == 36
    panel._controller.thumbnailed.emit(Thumbnailed(-3, FOLDER / "cells_02.png", None))
    assert panel.thumbnails.get(FOLDER / "cells_02.png").isNull()
    panel.grab()
