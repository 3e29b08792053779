"""Bare letters are typed in text fields and act everywhere else."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGraphicsView,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QTextEdit,
    QWidget,
)

from samtta_app.gui.keyboard import keeps, released, shield

Key, Modifier = Qt.Key, Qt.KeyboardModifier
NONE, CTRL, SHIFT = Modifier.NoModifier, Modifier.ControlModifier, Modifier.ShiftModifier
TEXT = (QLineEdit, QTextEdit, QPlainTextEdit, QSpinBox, QComboBox)


def made(kind: type[QWidget], qtbot) -> QWidget:
    widget = kind()
    qtbot.addWidget(widget)
    return widget


@pytest.mark.parametrize("kind", TEXT)
@pytest.mark.parametrize(
    "key", [Key.Key_E, Key.Key_A, Key.Key_1, Key.Key_Backspace, Key.Key_Delete, Key.Key_Return, Key.Key_Tab]
)
def test_a_text_field_keeps_what_is_typed(qtbot, kind, key):
    assert keeps(made(kind, qtbot), key, NONE, None)


def test_a_text_field_keeps_capitals(qtbot):
    assert keeps(made(QLineEdit, qtbot), Key.Key_E, SHIFT, None)


@pytest.mark.parametrize("key", [Key.Key_Z, Key.Key_A, Key.Key_C, Key.Key_V, Key.Key_Return])
def test_a_text_field_keeps_its_own_editing_keys(qtbot, key):
    assert keeps(made(QLineEdit, qtbot), key, CTRL, None)


@pytest.mark.parametrize(("key", "modifiers"), [(Key.Key_O, CTRL), (Key.Key_E, CTRL), (Key.Key_F1, NONE)])
def test_commands_act_in_a_text_field_too(qtbot, key, modifiers):
    assert not keeps(made(QLineEdit, qtbot), key, modifiers, None)


@pytest.mark.parametrize("key", [Key.Key_E, Key.Key_Return, Key.Key_1, Key.Key_Delete])
def test_lists_and_the_canvas_keep_nothing(qtbot, key):
    assert not keeps(made(QListView, qtbot), key, NONE, None)
    assert not keeps(made(QGraphicsView, qtbot), key, NONE, None)


def test_without_a_focus_every_key_acts():
    assert not keeps(None, Key.Key_E, NONE, None)


def test_a_button_keeps_what_presses_it(qtbot):
    button = made(QPushButton, qtbot)
    assert keeps(button, Key.Key_Space, NONE, None)
    assert keeps(button, Key.Key_Return, NONE, None)
    assert not keeps(button, Key.Key_E, NONE, None)
    assert not keeps(button, Key.Key_Return, CTRL, None)


@pytest.mark.parametrize(("key", "modifiers"), [(Key.Key_Tab, NONE), (Key.Key_Backtab, SHIFT)])
def test_tab_acts_on_the_canvas_and_moves_the_focus_elsewhere(qtbot, key, modifiers):
    canvas, other = made(QGraphicsView, qtbot), made(QListView, qtbot)
    assert not keeps(canvas, key, modifiers, canvas)
    assert not keeps(canvas.viewport(), key, modifiers, canvas)
    assert keeps(other, key, modifiers, canvas)


def asked(key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> QKeyEvent:
    event = QKeyEvent(QEvent.Type.ShortcutOverride, key, modifiers)
    event.ignore()
    return event


def test_a_key_that_is_kept_is_accepted_and_so_no_shortcut(qtbot):
    event = asked(Key.Key_E)
    assert shield(event, made(QLineEdit, qtbot), None)
    assert event.isAccepted()


def test_a_key_that_is_not_kept_is_left_alone(qtbot):
    event = asked(Key.Key_E)
    assert not shield(event, made(QListView, qtbot), None)
    assert not event.isAccepted()


def test_other_events_are_left_alone(qtbot):
    field = made(QLineEdit, qtbot)
    assert not shield(QKeyEvent(QEvent.Type.KeyPress, Key.Key_E, NONE), field, None)
    assert not shield(QEvent(QEvent.Type.WindowActivate), field, None)


def up(key: Qt.Key, repeats: bool = False) -> QKeyEvent:
    return QKeyEvent(QEvent.Type.KeyRelease, key, NONE, "", repeats)


def test_a_held_key_is_released_when_it_goes_up():
    assert released(up(Key.Key_C), ("C",))
    assert not released(up(Key.Key_X), ("C",))


def test_a_key_that_repeats_itself_is_still_held():
    assert not released(up(Key.Key_C, repeats=True), ("C",))
