"""Cards of candidates become a row of numbers where they would lie on the object that is annotated."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QCursor, QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from samtta_app.gui.panels.candidates import CandidatesStrip
from samtta_app.gui.panels.message_bar import MessageBar
from samtta_app.gui.panels.stage import STAGE_MARGIN, Stage
from samtta_app.gui.widgets import theme
from samtta_app.session import acts
from tests.gui.scenes import Recorder, disc, picture, preview, scene

IMAGE = picture()
THREE = scene(image=IMAGE, preview=preview(IMAGE, [disc(64, 48, radius) for radius in (20, 25, 30)]))


@pytest.fixture
def stage(qapp, qtbot) -> Stage:
    theme.choose(qapp, "light")
    made = Stage(MessageBar())
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.fill(QWidget(), bottom=CandidatesStrip(Recorder(THREE)))
    # Cards that appear under the pointer would be told that it leaves.
    QCursor.setPos(made.mapToGlobal(QPoint(880, 20)))
    made.show()
    strip(made).show_state(THREE)
    QApplication.processEvents()
    return made


def strip(stage: Stage) -> CandidatesStrip:
    (found,) = stage.findChildren(CandidatesStrip)
    return found


def test_a_row_of_numbers_stands_for_the_cards_where_no_side_has_room(stage: Stage):
    cards = strip(stage).geometry()
    stage.keep_clear(stage.rect())
    QApplication.processEvents()
    row = strip(stage).geometry()
    assert row.height() < 5 * theme.GRID
    assert row.width() * row.height() < cards.width() * cards.height() / 8
    assert (row.left(), row.bottom()) == (STAGE_MARGIN, cards.bottom())
    assert [number.text()[:2] for number in strip(stage).numbers if number.isVisible()] == ["1:", "2:", "3:"]
    assert [number.isChecked() for number in strip(stage).numbers] == [True, False, False]
    stage.keep_clear(QRect(0, 0, 900, 300))
    QApplication.processEvents()
    assert strip(stage).size() == cards.size()


def test_a_click_on_a_number_chooses_its_mask(stage: Stage):
    stage.keep_clear(stage.rect())
    QApplication.processEvents()
    QTest.mouseClick(strip(stage).numbers[2], Qt.MouseButton.LeftButton)
    assert strip(stage)._controller.calls == [acts.NextCandidate(2)]
    assert [number.isChecked() for number in strip(stage).numbers] == [True, False, False]


def test_cards_that_are_wider_than_the_window_are_a_row(stage: Stage):
    stage.resize(400, 600)
    QApplication.processEvents()
    assert strip(stage).folded
    assert stage.rect().contains(strip(stage).geometry())


def test_a_free_corner_takes_the_row(stage: Stage):
    stage.keep_clear(QRect(0, 60, 900, 540))
    QApplication.processEvents()
    assert strip(stage).folded
    assert not strip(stage).geometry().intersects(QRect(0, 60, 900, 540))


def test_the_cards_open_while_the_pointer_rests_on_the_row(qtbot, stage: Stage):
    cards = strip(stage).size()
    stage.keep_clear(stage.rect())
    QApplication.processEvents()
    place = QPointF(4, 4)
    QApplication.sendEvent(strip(stage), QEnterEvent(place, place, strip(stage).mapToGlobal(place)))
    qtbot.waitUntil(lambda: strip(stage).opened)
    QApplication.processEvents()
    assert strip(stage).size() == cards
    assert strip(stage).geometry().bottomLeft() == QPoint(STAGE_MARGIN, 600 - STAGE_MARGIN - 1)
    stage.keep_clear(QRect(0, 0, 899, 599))
    assert strip(stage).opened
    QApplication.sendEvent(strip(stage), QEvent(QEvent.Type.Leave))
    assert strip(stage).folded
