"""A label whose text ends in three dots where it has no room; the tool tip has all of it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QToolTip

from samtta_app.gui.widgets.plain_text import plain_tip


class ElidedLabel(QLabel):
    """One line of plain text; `text` is always all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)

    @property
    def shown(self) -> str:
        """What there is room for."""
        room = self.contentsRect().width()
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what there is room for."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        side = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(self.contentsRect(), side, self.shown)
        painter.end()

    def event(self, event: QEvent) -> bool:
        """Say all of it where some of it is not shown."""
        if event.type() == QEvent.Type.ToolTip and self.shown != self.text():
            QToolTip.showText(self.mapToGlobal(self.rect().topLeft()), plain_tip(self.text()), self)
            return True
        return super().event(event)
