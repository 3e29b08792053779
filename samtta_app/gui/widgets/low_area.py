"""A panel that may be lower than its content: it scrolls then, so that docks fit on a small screen."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


class LowArea(QScrollArea):
    """Shows `content` without a frame; never narrower than it, and lower where there is no room."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setWidget(content)
        self._content = content

    def minimumSizeHint(self) -> QSize:
        """As wide as its content."""
        return QSize(self._content.minimumSizeHint().width(), super().minimumSizeHint().height())
