"""Words that lie on the canvas: what is being compared, and what to do where there is no image."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from samtta_app.gui.widgets.theme import GRID, label


class Caption(QFrame):
    """A line of text with a muted one below it, on a quiet plate that lets the mouse through; hidden while it says nothing."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._text, self._detail = label(role="title"), label(role="muted")
        self.setProperty("role", "strip")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        layout.setSpacing(2)
        for line in (self._text, self._detail):
            line.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            layout.addWidget(line)
        self.hide()

    @property
    def text(self) -> str:
        """What is said, "" when nothing is."""
        return self._text.text()

    def say(self, text: str, detail: str = "") -> None:
        """Show the lines, or nothing for an empty text."""
        if (text, detail) == (self._text.text(), self._detail.text()):
            return
        self._text.setText(text)
        self._detail.setText(detail)
        self._detail.setVisible(bool(detail))
        self.setVisible(bool(text))
        self.adjustSize()
