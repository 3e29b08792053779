"""The pointer without a button held. Qt's own test of it moves the screen's cursor, which does not always tell the window."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget


def hovers(widget: QWidget, at: QPoint) -> None:
    """Move the pointer to a place of a widget, which must have asked for such moves."""
    assert widget.hasMouseTracking()
    kind, none = QEvent.Type.MouseMove, Qt.MouseButton.NoButton
    place, on_screen = QPointF(at), QPointF(widget.mapToGlobal(at))
    event = QMouseEvent(kind, place, on_screen, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)
    QApplication.processEvents()
