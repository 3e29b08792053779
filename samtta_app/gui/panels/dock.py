"""A dock with a plain title: a heading, and buttons that float and close it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QHBoxLayout, QToolButton, QWidget

from samtta_app.gui.actions.keyboard import shield
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.translation import translated


class Dock(QDockWidget):
    """A dock that can be closed, floated and moved; its place is remembered by its object name.

    Args:
        name: object name, for the saved layout.
        title: what stands above it.
    """

    def __init__(self, name: str, title: str) -> None:
        title = translated(title)
        super().__init__(title)
        self.setObjectName(name)
        self.setAllowedAreas(Qt.DockWidgetArea.LeftDockWidgetArea | Qt.DockWidgetArea.RightDockWidgetArea)
        self._float, self._close = self._button(translated("Float or dock")), self._button(translated("Close"))
        self._float.clicked.connect(lambda: self.setFloating(not self.isFloating()))
        self._close.clicked.connect(self.close)
        bar = QWidget()
        layout = QHBoxLayout(bar)
        layout.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID // 2, theme.GRID // 2)
        layout.setSpacing(0)
        layout.addWidget(theme.label(title, role="title"))
        layout.addStretch()
        layout.addWidget(self._float)
        layout.addWidget(self._close)
        self.setTitleBarWidget(bar)
        self.topLevelChanged.connect(self._frame)
        self._tint()

    def hold(self, content: QWidget) -> None:
        """Show `content` in the place of what was held before, which is deleted."""
        before = self.widget()
        self.setWidget(content)
        if before is not None:
            before.deleteLater()

    @Slot(bool)
    def _frame(self, floating: bool) -> None:
        """Leave room for the frame of a dock that floats."""
        edge = 1 if floating else 0
        self.setContentsMargins(edge, edge, edge, edge)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame of a dock that floats: its plain title leaves it without one."""
        super().paintEvent(event)
        if self.isFloating():
            painter = QPainter(self)
            painter.setPen(QColor(theme.current().line))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
            painter.end()

    def event(self, event: QEvent) -> bool:
        """Keep keys for text fields while it floats."""
        return shield(event, QApplication.focusWidget(), None) or super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()
        super().changeEvent(event)

    def _button(self, tip: str) -> QToolButton:
        button = QToolButton()
        button.setProperty("role", "small")
        button.setToolTip(tip)
        button.setAccessibleName(f"{tip}: {self.windowTitle()}")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _tint(self) -> None:
        self._float.setIcon(icons.icon("arrow-square-out", tint="muted"))
        self._close.setIcon(icons.icon("x", tint="muted"))
