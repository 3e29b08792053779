"""The key to the uncertainty overlay: its colours with their unit."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from samtta_app.gui import theme
from samtta_app.session.state import State


class Ramp(QWidget):
    """The colour map from 0 to 1, over the grey that lies behind the image."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(16 * theme.GRID, theme.GRID)
        table = theme.UNCERTAINTY_MAP.copy()
        self._row = QImage(table.tobytes(), len(table), 1, 4 * len(table), QImage.Format.Format_RGBA8888).copy()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ramp."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.current().canvas)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self.rect(), self._row)
        painter.end()


class ColourBar(QFrame):
    """The ramp with its ends named; hidden while the overlay is off."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "strip")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        layout.setSpacing(2)
        layout.addWidget(theme.label("Entropy in bits", role="muted"))
        layout.addWidget(Ramp())
        ends = QHBoxLayout()
        ends.addWidget(theme.label("0 sure", role="figure"))
        ends.addStretch()
        ends.addWidget(theme.label("1 unsure", role="figure"))
        layout.addLayout(ends)
        self.hide()

    def show_state(self, state: State) -> None:
        """Show the key while the overlay is on."""
        self.setVisible(state.display.uncertainty and state.image is not None)
