"""Messages say what happened without standing in the way; errors stay until they are dismissed."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from samtta_app.gui.panels.message_bar import MESSAGES_KEPT, MESSAGES_SHOWN, MessageBar
from samtta_app.gui.widgets import theme
from samtta_app.session.state import Message, Severity
from tests.gui.scenes import scene

STAYING: tuple[Severity, ...] = ("warning", "error")
PASSING: tuple[Severity, ...] = ("info", "good")


@pytest.fixture
def bar(qapp, qtbot) -> MessageBar:
    theme.choose(qapp, "light")
    made = MessageBar()
    qtbot.addWidget(made)
    return made


def shown(bar: MessageBar) -> list[str]:
    return [line.message.text for line in bar.lines if not line.isHidden()]


def texts(bar: MessageBar) -> list[str]:
    return [line.message.text for line in bar.lines]


def test_without_messages_the_bar_is_hidden(bar: MessageBar):
    bar.show_state(scene())
    assert not bar.isVisible()


@pytest.mark.parametrize("severity", [*STAYING, *PASSING])
def test_a_message_of_the_state_is_shown(bar: MessageBar, severity: Severity):
    bar.show_state(scene(message=Message(severity, "something happened")))
    assert bar.isVisible()
    assert bar.lines[0].text.text() == "something happened"


def test_the_same_message_is_shown_once(bar: MessageBar):
    message = Message("error", "disk full")
    bar.show_state(scene(message=message))
    bar.lines[0].button.click()
    bar.show_state(scene(message=message, can_redo=True))
    assert texts(bar) == []


def test_the_same_mishap_is_shown_again(bar: MessageBar):
    bar.show_state(scene(message=Message("error", "disk full")))
    bar.lines[0].button.click()
    bar.show_state(scene(message=None))
    bar.show_state(scene(message=Message("error", "disk full")))
    assert texts(bar) == ["disk full"]


def test_the_same_text_stands_there_once(bar: MessageBar):
    bar.show_message(Message("error", "disk full"))
    bar.show_message(Message("error", "disk full"))
    assert texts(bar) == ["disk full"]


@pytest.mark.parametrize("severity", STAYING)
def test_warnings_and_errors_stay_when_the_state_drops_them(bar: MessageBar, severity: Severity):
    bar.show_state(scene(message=Message(severity, "disk full")))
    bar.show_state(scene(message=None))
    bar.timer.timeout.emit()
    assert texts(bar) == ["disk full"]


@pytest.mark.parametrize("severity", PASSING)
def test_other_messages_go_with_the_state(bar: MessageBar, severity: Severity):
    bar.show_state(scene(message=Message(severity, "exported")))
    bar.show_state(scene(message=None))
    assert not bar.isVisible()


@pytest.mark.parametrize("severity", PASSING)
def test_other_messages_go_by_themselves(bar: MessageBar, severity: Severity):
    bar.show_state(scene(message=Message(severity, "exported")))
    assert bar.timer.isActive()
    bar.timer.timeout.emit()
    assert not bar.isVisible()


@pytest.mark.parametrize("severity", STAYING)
def test_no_clock_runs_for_an_error(bar: MessageBar, severity: Severity):
    bar.show_message(Message(severity, "disk full"))
    assert not bar.timer.isActive()


def test_a_later_word_does_not_take_away_an_error(bar: MessageBar):
    bar.show_message(Message("error", "disk full"))
    bar.show_message(Message("info", "the click lies outside the image"))
    assert texts(bar) == ["disk full", "the click lies outside the image"]


def test_a_later_word_takes_the_place_of_an_earlier_one(bar: MessageBar):
    bar.show_message(Message("info", "this is the last image"))
    bar.show_message(Message("good", "exported"))
    assert texts(bar) == ["exported"]


def test_every_message_can_be_dismissed(bar: MessageBar):
    bar.show_message(Message("error", "one"))
    bar.show_message(Message("error", "two"))
    bar.lines[0].button.click()
    assert texts(bar) == ["two"]
    bar.lines[0].button.click()
    assert not bar.isVisible()


def test_messages_without_room_wait_until_newer_ones_are_dismissed(bar: MessageBar):
    for number in range(MESSAGES_SHOWN + 2):
        bar.show_message(Message("error", f"mishap {number}"))
    assert shown(bar) == [f"mishap {number}" for number in range(2, MESSAGES_SHOWN + 2)]
    bar.lines[-1].button.click()
    bar.lines[-1].button.click()
    assert shown(bar) == [f"mishap {number}" for number in range(MESSAGES_SHOWN)]


def test_a_fault_that_comes_again_and_again_does_not_fill_the_memory(bar: MessageBar):
    for number in range(MESSAGES_KEPT + 4):
        bar.show_message(Message("error", f"mishap {number}"))
    assert texts(bar) == [f"mishap {number}" for number in range(4, MESSAGES_KEPT + 4)]


def test_long_messages_are_wrapped_and_can_be_copied(bar: MessageBar):
    bar.show_message(Message("error", "a long story " * 30))
    line = bar.lines[0].text
    assert line.wordWrap()
    assert line.textInteractionFlags()


def test_a_message_is_plain_text(bar: MessageBar):
    bar.show_message(Message("error", "<b>a.png</b>"))
    assert bar.lines[0].text.text() == "<b>a.png</b>"


def test_the_button_can_be_reached_and_read_out(bar: MessageBar):
    bar.show_message(Message("error", "disk full"))
    assert bar.lines[0].button.accessibleName() == "Dismiss message"
    assert bar.lines[0].button.toolTip() == "Dismiss"


def test_the_marks_follow_the_theme(qapp, bar: MessageBar):
    bar.show_message(Message("error", "disk full"))
    before = bar.lines[0].mark.pixmap().toImage()
    theme.choose(qapp, "dark")
    assert bar.lines[0].mark.pixmap().toImage() != before


def test_a_message_takes_no_focus(bar: MessageBar):
    bar.show_message(Message("error", "disk full"))
    QTest.mouseClick(bar.lines[0].text, Qt.MouseButton.LeftButton)
    assert not bar.lines[0].text.hasFocus()


# --- messages about one image ---------------------------------------------------------------------------------------


def test_what_is_about_one_image_goes_when_another_one_is_shown(bar: MessageBar):
    here = scene()
    first, second = here.images[0].name, here.images[1].name
    bar.show_state(scene(message=Message("error", "cut off", first)))
    bar.show_state(scene(message=Message("warning", "disk full")))
    assert texts(bar) == ["cut off", "disk full"]
    bar.show_state(scene(can_redo=True))
    assert texts(bar) == ["cut off", "disk full"]
    bar.show_state(scene(index=1, message=Message("error", "truncated", second)))
    assert texts(bar) == ["disk full", "truncated"]
    bar.show_state(scene(index=0))
    assert texts(bar) == ["disk full"]


def test_every_message_can_be_taken_away_at_once(bar: MessageBar):
    for severity in (*STAYING, *PASSING):
        bar.show_message(Message(severity, severity))
    bar.clear()
    assert texts(bar) == []
    assert not bar.isVisible()


def test_a_message_leaves_when_its_cause_is_gone(bar: MessageBar):
    bar.show_message(Message("error", "the model is gone"))
    bar.show_message(Message("warning", "disk full"))
    bar.retract("the model is gone")
    assert texts(bar) == ["disk full"]
    bar.retract("the model is gone")
    bar.retract("disk full")
    assert not bar.isVisible()


def test_another_bar_goes_on_with_what_is_shown(bar: MessageBar, qtbot):
    state = scene(message=Message("error", "disk full"))
    bar.show_state(state)
    bar.show_message(Message("warning", "a folder is gone"))
    bar.lines[0].button.click()
    other = MessageBar()
    qtbot.addWidget(other)
    other.show_state(state)
    other.take_over(bar)
    other.show_state(state)
    assert texts(other) == ["a folder is gone"], "what was dismissed does not come back"
