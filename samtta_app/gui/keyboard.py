"""Which keys a widget keeps for itself, and keys that act while they are held."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

_TEXT = (QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox, QComboBox)
_COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_ENTER = {Qt.Key.Key_Return, Qt.Key.Key_Enter}
_TAB = {Qt.Key.Key_Tab, Qt.Key.Key_Backtab}
_EDIT = {Qt.Key.Key_Z, Qt.Key.Key_Y, Qt.Key.Key_A, Qt.Key.Key_C, Qt.Key.Key_V, Qt.Key.Key_X}


def keeps(widget: QWidget | None, key: int, modifiers: Qt.KeyboardModifier, canvas: QWidget | None) -> bool:
    """Whether `widget`, which has the focus, needs this key itself, so that no shortcut may take it.

    Text fields keep every key without Ctrl, Alt or Meta (the function keys apart) and the editing keys with Ctrl; buttons
    keep Enter and Space; outside the canvas Tab moves the focus as everywhere.
    """
    if widget is None:
        return False
    plain = not modifiers & _COMMANDS
    if isinstance(widget, _TEXT):
        return key in _EDIT or key in _ENTER if not plain else not Qt.Key.Key_F1 <= key <= Qt.Key.Key_F35
    if key in _TAB and plain:
        return canvas is None or not (widget is canvas or canvas.isAncestorOf(widget))
    return isinstance(widget, QAbstractButton) and plain and (key in _ENTER or key == Qt.Key.Key_Space)


def shield(event: QEvent, widget: QWidget | None, canvas: QWidget | None) -> bool:
    """Keep a key from the shortcuts where the focused `widget` needs it; True when that was done.

    Qt asks with a ShortcutOverride event, which goes from the focused widget up to its window; to accept it means that
    the key is typed, not a shortcut.
    """
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    if not keeps(widget, event.key(), event.modifiers(), canvas):
        return False
    event.accept()
    return True


def released(event: QKeyEvent, keys: tuple[str, ...]) -> bool:
    """Whether one of `keys` (portable spelling) has gone up, and not only repeats itself."""
    return not event.isAutoRepeat() and QKeySequence(event.key()).toString() in keys
