"""Which keys a widget keeps for itself, and keys that act while they are held."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
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

    Text fields keep every key without Ctrl, Alt or Meta, except the function keys, and the editing keys with Ctrl.
    Buttons keep Enter and Space. Outside the canvas Tab moves the focus as usual.
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

    Qt asks with a ShortcutOverride event, which goes from the focused widget up to its window. An event that is accepted
    is typed, and runs no shortcut.
    """
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    if not keeps(widget, event.key(), event.modifiers(), canvas):
        return False
    event.accept()
    return True


class HeldKey(QObject):
    """Follows the key that runs an action while it is held down.

    A key is known by its scan code, which is the same in every layout. Its text is not: "C" is another letter in a
    Cyrillic one. The hold also ends when the window or the focused widget loses the keyboard.

    Signals:
        let_go: the key went up, or its release can no longer be noticed.

    Args:
        action: the action; it is held when a key has run it, not when the mouse has.
    """

    let_go = Signal()

    def __init__(self, action: QAction) -> None:
        super().__init__(action)
        self._action = action
        self._pressed: tuple[int, int] | None = None
        self._held = False
        action.installEventFilter(self)

    def note(self, event: QEvent) -> None:
        """Take a ShortcutOverride event: Qt sends it for each key that goes down, right before the shortcut runs."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and not event.isAutoRepeat():
            self._pressed = _identity(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Begin with the action's shortcut; while the key is held, watch every key release and every loss of focus."""
        if watched is self._action:
            if event.type() == QEvent.Type.Shortcut and not self._held:
                self._held = True
                QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]
        elif event.type() in _LOSSES or (event.type() == QEvent.Type.KeyRelease and self._goes_up(event)):
            self._held, self._pressed = False, None
            QApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]
            self.let_go.emit()
        return False

    def _goes_up(self, event: QEvent) -> bool:
        """Whether it is the held key; where its press was not seen, any key but a modifier."""
        if not isinstance(event, QKeyEvent) or event.isAutoRepeat():
            return False
        scan, key = _identity(event)
        if self._pressed is None:
            return key not in _MODIFIERS
        return scan == self._pressed[0] if scan and self._pressed[0] else key == self._pressed[1]


_LOSSES = {QEvent.Type.WindowDeactivate, QEvent.Type.ApplicationDeactivate, QEvent.Type.FocusOut}
_MODIFIERS = {Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta}


def _identity(event: QKeyEvent) -> tuple[int, int]:
    """Scan code (0 where the platform has none) and key."""
    return event.nativeScanCode(), event.key()
