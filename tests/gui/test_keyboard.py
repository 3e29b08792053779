"""Bare letters are typed in text fields and act everywhere else."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QKeyEvent, QShortcutEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QGraphicsView,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from samtta_app.gui.actions.keyboard import HeldKey, keeps, shield

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


# --- keys that are held ---------------------------------------------------------------------------------------------


class Holding(QWidget):
    """A window with an action that is held, and a field."""

    held: HeldKey | None = None

    def __init__(self) -> None:
        super().__init__()
        self.action = QAction("hold", self)
        self.action.setShortcuts(["C", "Ctrl+K"])
        self.addAction(self.action)
        self.held = HeldKey(self.action)
        self.ran = self.ended = 0
        self.action.triggered.connect(self.run)
        self.held.let_go.connect(self.end)
        self.view, self.field = QGraphicsView(), QLineEdit()
        layout = QVBoxLayout(self)
        layout.addWidget(self.view)
        layout.addWidget(self.field)

    def run(self) -> None:
        self.ran += 1

    def end(self) -> None:
        self.ended += 1

    def event(self, event: QEvent) -> bool:
        if self.held is not None:
            self.held.note(event)
        return super().event(event)

    def sends(self, kind: QEvent.Type, key: int, scan: int, *, repeats: bool = False, text: str = "") -> None:
        """Send what the platform sends to the widget with the focus."""
        QApplication.sendEvent(self.focusWidget(), QKeyEvent(kind, key, NONE, scan, key, 0, text, repeats))

    def begins(self, key: int = Key.Key_C, scan: int = 54) -> None:
        """Press the key; the shortcut comes as Qt sends it for the letter that a Latin layout has there."""
        self.sends(QEvent.Type.ShortcutOverride, key, scan)
        self.shortcut()

    def shortcut(self) -> None:
        QApplication.sendEvent(self.action, QShortcutEvent("C", 0))


@pytest.fixture
def holding(qtbot) -> Holding:
    window = Holding()
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    window.view.setFocus()
    qtbot.waitUntil(window.isActiveWindow)
    return window


CYRILLIC_ES, GREEK_PSI, HEBREW_BET = 0x0421, 0x03A8, 0x05D1


@pytest.mark.parametrize("key", [Key.Key_C, CYRILLIC_ES, GREEK_PSI, HEBREW_BET, 0])
def test_a_held_key_ends_when_it_goes_up_whatever_letter_the_layout_has_there(holding: Holding, key: int):
    holding.begins(key)
    assert (holding.ran, holding.ended) == (1, 0)
    holding.sends(QEvent.Type.KeyRelease, key, 54)
    assert holding.ended == 1


def test_a_layout_that_changes_while_the_key_is_held_makes_no_difference(holding: Holding):
    holding.begins(CYRILLIC_ES)
    holding.sends(QEvent.Type.KeyRelease, Key.Key_C, 54)
    assert holding.ended == 1


def test_another_key_that_goes_up_and_a_repeat_end_nothing(holding: Holding):
    holding.begins(CYRILLIC_ES)
    holding.sends(QEvent.Type.KeyRelease, Key.Key_X, 53)
    holding.sends(QEvent.Type.KeyRelease, Key.Key_Shift, 50)
    holding.sends(QEvent.Type.KeyRelease, CYRILLIC_ES, 54, repeats=True)
    holding.sends(QEvent.Type.ShortcutOverride, CYRILLIC_ES, 54, repeats=True)
    assert holding.ended == 0
    holding.sends(QEvent.Type.KeyRelease, CYRILLIC_ES, 54)
    assert holding.ended == 1


def test_without_scan_codes_the_key_itself_is_followed(holding: Holding):
    holding.begins(Key.Key_C, 0)
    holding.sends(QEvent.Type.KeyRelease, Key.Key_X, 0)
    assert holding.ended == 0
    holding.sends(QEvent.Type.KeyRelease, Key.Key_C, 0)
    assert holding.ended == 1


def test_a_press_that_another_window_had_ends_with_the_next_key_that_is_no_modifier(holding: Holding):
    holding.shortcut()
    holding.sends(QEvent.Type.KeyRelease, Key.Key_Control, 37)
    assert holding.ended == 0
    holding.sends(QEvent.Type.KeyRelease, CYRILLIC_ES, 54)
    assert holding.ended == 1


def test_a_hold_ends_when_the_keyboard_goes_elsewhere(holding: Holding):
    holding.begins()
    holding.field.setFocus()
    assert holding.ended == 1
    holding.sends(QEvent.Type.KeyRelease, Key.Key_C, 54)
    assert holding.ended == 1
    holding.begins()
    QApplication.sendEvent(holding, QEvent(QEvent.Type.WindowDeactivate))
    assert holding.ended == 2


def test_a_real_press_of_the_shortcut_is_held(holding: Holding):
    QTest.keyPress(holding.view, Key.Key_C)
    assert (holding.ran, holding.ended) == (1, 0)
    QTest.keyRelease(holding.view, Key.Key_C)
    assert (holding.ran, holding.ended) == (1, 1)


def test_what_the_mouse_has_switched_on_is_not_held(holding: Holding):
    holding.action.trigger()
    holding.sends(QEvent.Type.KeyRelease, Key.Key_C, 54)
    assert (holding.ran, holding.ended) == (1, 0)
