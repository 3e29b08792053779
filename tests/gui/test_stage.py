"""The start page, the stage with what lies on it, and the docks."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QMainWindow, QWidget

from samtta_app.gui.panels.dock import Dock
from samtta_app.gui.panels.message_bar import MessageBar
from samtta_app.gui.panels.stage import STAGE_MARGIN, WIDEST, Stage
from samtta_app.gui.panels.start import StartPage
from samtta_app.gui.panels.tour import TOUR_STEPS
from samtta_app.gui.widgets import theme
from samtta_app.session.state import Message


def test_a_dock_that_floats_has_a_frame(qtbot):
    window, dock = QMainWindow(), Dock("notes", "Notes")
    qtbot.addWidget(window)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    dock.hold(QWidget())
    window.show()
    for floating in (True, False):
        dock.setFloating(floating)
        QApplication.processEvents()
        assert dock.contentsMargins().left() == int(floating)
        edge = dock.grab().toImage().pixelColor(0, dock.height() // 2).name()
        assert (edge == theme.current().line) == floating


@pytest.fixture(autouse=True)
def light(qapp):
    theme.choose(qapp, "light")


# --- the start page -------------------------------------------------------------------------------------------------


@pytest.fixture
def page(qtbot) -> StartPage:
    made = StartPage()
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    return made


def test_the_start_page_offers_a_folder_and_the_samples(qtbot, page: StartPage):
    with qtbot.waitSignal(page.open_wanted):
        QTest.mouseClick(page.open_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(page.samples_wanted):
        QTest.mouseClick(page.samples_button, Qt.MouseButton.LeftButton)


def test_without_recent_folders_there_is_no_heading_for_them(page: StartPage):
    assert not page.recent_heading.isVisible()
    assert page.recent == []


def test_recent_folders_are_shown_by_their_paths(page: StartPage):
    page.show_recent([Path("data/dishes"), Path("data/wounds")])
    assert [button.text() for button in page.recent] == [str(Path("data/dishes")), str(Path("data/wounds"))]
    page.show_recent([Path("data", "long" * 60, "dishes")])
    assert "…" in page.recent[0].text()
    assert page.recent[0].text().endswith("dishes")
    page.show_recent([Path("data/dishes"), Path("data/wounds")])
    assert page.recent[0].toolTip() == str(Path("data/dishes"))
    assert page.recent_heading.isVisible()


def test_a_recent_folder_is_opened_with_a_click(qtbot, page: StartPage):
    page.show_recent([Path("data/dishes"), Path("data/wounds")])
    with qtbot.waitSignal(page.recent_chosen) as chosen:
        page.recent[1].click()
    assert chosen.args == [Path("data/wounds")]


def test_a_new_list_takes_the_place_of_the_old_one(page: StartPage):
    page.show_recent([Path("data/dishes")])
    page.show_recent([Path("data/wounds")])
    assert [button.text() for button in page.recent] == [str(Path("data/wounds"))]


def test_the_tour_has_three_steps_and_is_skipped_for_ever(qtbot, page: StartPage):
    tour, seen = page.tour, []
    assert tour.isVisible()
    for _ in range(3):
        seen.append(tour.heading.text())
        QTest.mouseClick(tour.next, Qt.MouseButton.LeftButton)
    assert seen == [heading for _, heading, _ in TOUR_STEPS]
    QTest.mouseClick(tour.back, Qt.MouseButton.LeftButton)
    assert tour.heading.text() == TOUR_STEPS[1][1]
    tour.skip.setFocus()
    QTest.keyClick(tour.skip, Qt.Key.Key_Space)
    assert not tour.isVisible()
    later = StartPage()
    qtbot.addWidget(later)
    later.show()
    assert not later.tour.isVisible()


def test_the_start_page_can_be_used_with_the_keyboard(qtbot, page: StartPage):
    page.samples_button.setFocus()
    with qtbot.waitSignal(page.samples_wanted):
        QTest.keyClick(page.samples_button, Qt.Key.Key_Space)


def test_the_start_pages_icons_follow_the_theme(qapp, page: StartPage):
    before = page.open_button.icon().pixmap(20, 20).toImage()
    theme.choose(qapp, "dark")
    assert page.open_button.icon().pixmap(20, 20).toImage() != before


# --- the stage ------------------------------------------------------------------------------------------------------


@pytest.fixture
def bar() -> MessageBar:
    return MessageBar()


@pytest.fixture
def stage(qtbot, bar: MessageBar) -> Stage:
    made = Stage(bar)
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    return made


def fixed(width: int, height: int) -> QLabel:
    label = QLabel()
    label.setFixedSize(width, height)
    return label


def test_what_fills_the_stage_has_all_of_it(stage: Stage):
    filling = QWidget()
    stage.fill(filling)
    QApplication.processEvents()
    assert filling.geometry() == stage.rect()


def test_a_message_does_not_move_what_fills_the_stage(stage: Stage, bar: MessageBar):
    filling = QWidget()
    stage.fill(filling)
    bar.show_message(Message("error", "disk full"))
    QApplication.processEvents()
    assert filling.geometry() == stage.rect()


def test_messages_lie_at_the_top_in_the_middle(stage: Stage, bar: MessageBar):
    stage.fill(QWidget())
    bar.show_message(Message("error", "disk full"))
    QApplication.processEvents()
    assert bar.y() == STAGE_MARGIN
    assert abs(bar.geometry().center().x() - stage.rect().center().x()) <= 1
    assert bar.width() == min(800 - 2 * STAGE_MARGIN, WIDEST)


def test_a_long_message_is_shown_whole(stage: Stage, bar: MessageBar):
    stage.fill(QWidget())
    bar.show_message(Message("error", "what happened, what was kept, and what to do about it " * 6))
    QApplication.processEvents()
    line = bar.lines[0].text
    assert line.height() >= line.heightForWidth(line.width())


def test_a_narrow_stage_narrows_the_messages(stage: Stage, bar: MessageBar):
    stage.fill(QWidget())
    bar.show_message(Message("error", "disk full"))
    stage.resize(300, 400)
    QApplication.processEvents()
    assert bar.width() == 300 - 2 * STAGE_MARGIN


def test_small_widgets_keep_to_their_edges(stage: Stage):
    bottom, corner = fixed(200, 50), fixed(100, 40)
    stage.fill(QWidget(), bottom=bottom, corner=corner)
    for size in ((800, 600), (700, 500)):
        stage.resize(*size)
        QApplication.processEvents()
        assert bottom.geometry().bottom() == size[1] - STAGE_MARGIN - 1
        assert abs(bottom.geometry().center().x() - size[0] // 2) <= 1
        assert corner.geometry().right() == size[0] - STAGE_MARGIN - 1


BELOW, ABOVE = QRect(300, 560, 200, 40), QRect(300, 0, 200, 60)


@pytest.fixture
def strip(stage: Stage) -> QLabel:
    lying = fixed(200, 50)
    stage.fill(QWidget(), bottom=lying)
    return lying


def test_what_lies_below_makes_way_for_the_object(stage: Stage, strip: QLabel):
    stage.keep_clear(BELOW)
    assert strip.y() == STAGE_MARGIN
    assert not strip.geometry().intersects(BELOW)


def test_it_stays_where_it_covers_nothing(stage: Stage, strip: QLabel):
    stage.keep_clear(BELOW)
    stage.keep_clear(QRect())
    assert strip.y() == STAGE_MARGIN
    stage.keep_clear(ABOVE)
    assert strip.geometry().bottom() == 600 - STAGE_MARGIN - 1


def test_an_object_that_is_everywhere_is_covered_below(stage: Stage, strip: QLabel):
    stage.keep_clear(stage.rect())
    assert strip.geometry().bottom() == 600 - STAGE_MARGIN - 1


def test_it_moves_aside_where_both_edges_are_taken(stage: Stage, strip: QLabel):
    tall = QRect(300, 0, 500, 600)
    stage.keep_clear(tall)
    assert not strip.geometry().intersects(tall)
    assert strip.x() == STAGE_MARGIN
    assert strip.geometry().bottom() == 600 - STAGE_MARGIN - 1


def told(bar: MessageBar, text: str) -> QRect:
    """Show an error, and say where the messages lie then."""
    bar.show_message(Message("error", text))
    QApplication.processEvents()
    return bar.geometry()


def test_what_lies_above_makes_way_for_messages(stage: Stage, strip: QLabel, bar: MessageBar):
    stage.keep_clear(BELOW)
    for text in ("disk full", "what happened, what was kept, and what to do about it " * 6):
        messages = told(bar, text)
        assert strip.y() == messages.bottom() + 1 + theme.GRID
        assert strip.x() == 300
    bar.clear()
    QApplication.processEvents()
    assert strip.y() == STAGE_MARGIN


def test_what_messages_would_move_onto_the_object_goes_elsewhere(stage: Stage, strip: QLabel, bar: MessageBar):
    stage.keep_clear(QRect(300, 70, 500, 530))
    assert strip.y() == STAGE_MARGIN
    told(bar, "disk full")
    assert (strip.x(), strip.geometry().bottom()) == (STAGE_MARGIN, 600 - STAGE_MARGIN - 1)


def test_a_caption_lies_below_messages_and_above_the_strip(stage: Stage, bar: MessageBar):
    lying, caption = fixed(200, 50), fixed(120, 30)
    stage.fill(QWidget(), bottom=lying, caption=caption)
    caption.show()
    stage.keep_clear(BELOW)
    QApplication.processEvents()
    assert (caption.y(), caption.x()) == (STAGE_MARGIN, 340)
    assert lying.y() == caption.geometry().bottom() + 1 + theme.GRID
    messages = told(bar, "disk full")
    assert caption.y() == messages.bottom() + 1 + theme.GRID
    assert lying.y() == caption.geometry().bottom() + 1 + theme.GRID
    caption.hide()
    QApplication.processEvents()
    assert lying.y() == messages.bottom() + 1 + theme.GRID


def test_another_project_begins_below(stage: Stage, strip: QLabel):
    stage.keep_clear(BELOW)
    lying = fixed(200, 50)
    stage.fill(QWidget(), bottom=lying)
    assert lying.geometry().bottom() == 600 - STAGE_MARGIN - 1


def test_small_widgets_lie_above_what_fills_the_stage(stage: Stage):
    filling, bottom = QWidget(), fixed(200, 50)
    stage.fill(filling, bottom=bottom)
    bottom.show()
    QApplication.processEvents()
    assert stage.childAt(bottom.geometry().center()) is bottom


def test_what_was_hidden_stays_hidden_on_the_stage(stage: Stage):
    bottom = fixed(200, 50)
    bottom.hide()
    stage.fill(QWidget(), bottom=bottom)
    assert not bottom.isVisible()


def test_filling_again_takes_away_what_was_there(qtbot, stage: Stage):
    first, lying = QWidget(), fixed(100, 20)
    stage.fill(first, bottom=lying)
    with qtbot.waitSignals([first.destroyed, lying.destroyed]):
        stage.fill(QWidget())
    assert stage.filling is not first


def test_the_corner_moves_above_what_lies_below_when_both_would_touch(stage: Stage):
    bottom, corner = fixed(300, 50), fixed(200, 40)
    stage.fill(QWidget(), bottom=bottom, corner=corner)
    bottom.show()
    corner.show()
    QApplication.processEvents()
    assert corner.geometry().bottom() == 600 - STAGE_MARGIN - 1
    stage.resize(500, 600)
    QApplication.processEvents()
    assert not corner.geometry().intersects(bottom.geometry())
    assert corner.geometry().right() == 500 - STAGE_MARGIN - 1
    assert corner.geometry().bottom() < bottom.y()
    bottom.hide()
    QApplication.processEvents()
    assert corner.geometry().bottom() == 600 - STAGE_MARGIN - 1


# --- docks ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def dock(qtbot) -> Dock:
    window = QMainWindow()
    qtbot.addWidget(window)
    made = Dock("classes", "Classes")
    made.window_of_test = window  # kept alive with the dock
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, made)
    window.show()
    return made


def test_a_dock_is_known_by_its_name(dock: Dock):
    assert dock.objectName() == "classes"
    assert dock.windowTitle() == "Classes"


def test_a_dock_can_be_closed_and_comes_back(dock: Dock):
    dock._close.click()
    assert not dock.isVisible()
    dock.toggleViewAction().trigger()
    assert dock.isVisible()


def test_a_dock_can_be_floated_and_docked_again(dock: Dock):
    dock._float.click()
    assert dock.isFloating()
    dock._float.click()
    assert not dock.isFloating()


def test_new_content_takes_the_place_of_the_old(qtbot, dock: Dock):
    first, second = QWidget(), QWidget()
    dock.hold(first)
    with qtbot.waitSignal(first.destroyed):
        dock.hold(second)
    assert dock.widget() is second


def test_the_buttons_of_a_dock_explain_themselves(dock: Dock):
    assert dock._close.toolTip() == "Close"
    assert "Classes" in dock._close.accessibleName()


def test_a_floating_dock_keeps_keys_for_its_text_field(qtbot, dock: Dock):
    field = QLineEdit()
    dock.hold(field)
    dock._float.click()
    dock.activateWindow()
    field.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is field)  # a new window becomes active when its screen says so
    event = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)
    event.ignore()
    QApplication.sendEvent(field, event)
    assert event.isAccepted()


def test_the_icons_of_a_dock_follow_the_theme(qapp, dock: Dock):
    before = dock._close.icon().pixmap(16, 16).toImage()
    theme.choose(qapp, "dark")
    assert dock._close.icon().pixmap(16, 16).toImage() != before
