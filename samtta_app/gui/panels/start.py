"""The page of the first start: open a folder, take a recent one, or try the samples."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from samtta_app.gui.panels.tour import Tour, tour_wanted
from samtta_app.gui.widgets import icons, theme
from samtta_app.gui.widgets.plain_text import button_text, one_line, plain_tip
from samtta_app.gui.widgets.translation import translated

_WIDTH = 60 * theme.GRID
"""Width of the column in the middle."""


class StartPage(QWidget):
    """What is shown while no project is open.

    Signals:
        open_wanted: the user wants to choose a folder.
        samples_wanted: the user wants the samples.
        recent_chosen(Path): the user wants this folder.
    """

    open_wanted = Signal()
    samples_wanted = Signal()
    recent_chosen = Signal(Path)

    def __init__(self) -> None:
        super().__init__()
        self._mark = QLabel()
        self._mark.setPixmap(icons.app_icon().pixmap(QSize(7 * theme.GRID, 7 * theme.GRID)))
        self.open_button = self._button("Open a folder of images…", self.open_wanted)
        self.samples_button = self._button("Try the samples", self.samples_wanted)
        self.recent_heading = theme.label(translated("Recent"), role="muted")
        self.recent: list[QPushButton] = []
        self._recent_layout = QVBoxLayout()
        self._recent_layout.setSpacing(theme.GRID // 2)
        self.tour = Tour()
        self.tour.setVisible(tour_wanted())
        self._arrange()
        self._tint()
        self.show_recent([])

    def show_recent(self, folders: Sequence[Path]) -> None:
        """Show the folders that were opened before, newest first."""
        for button in self.recent:
            self._recent_layout.removeWidget(button)
            button.deleteLater()
        self.recent = []
        for folder in folders:
            button = QPushButton()
            button.setProperty("role", "recent")
            room = _WIDTH - 2 * theme.ICON - 4 * theme.GRID
            path = os.sep.join(map(one_line, str(folder).split(os.sep)))
            path = button.fontMetrics().elidedText(path, Qt.TextElideMode.ElideMiddle, room)
            button.setText(button_text(path))
            button.setAccessibleName(str(folder))
            button.setIconSize(QSize(theme.ICON, theme.ICON))
            button.setToolTip(plain_tip(str(folder)))
            button.clicked.connect(lambda checked=False, folder=folder: self.recent_chosen.emit(folder))
            self.recent.append(button)
            self._recent_layout.addWidget(button)
        self.recent_heading.setVisible(bool(folders))
        self._tint()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()
        super().changeEvent(event)

    def _button(self, text: str, wanted: SignalInstance) -> QPushButton:
        button = QPushButton(translated(text))
        button.setProperty("role", "start")
        button.setIconSize(QSize(theme.ICON, theme.ICON))
        button.clicked.connect(wanted)
        return button

    def _arrange(self) -> None:
        words = theme.label(
            translated("Click an object and accept its mask; the decoder learns from it while you go on."), role="muted"
        )
        words.setWordWrap(True)
        head = QHBoxLayout()
        head.setSpacing(2 * theme.GRID)
        head.addWidget(self._mark)
        titles = QVBoxLayout()
        titles.setSpacing(2)
        titles.addStretch()
        titles.addWidget(theme.label("samtta", role="heading"))
        titles.addWidget(words)
        titles.addStretch()
        head.addLayout(titles, 1)
        column = QWidget()
        column.setFixedWidth(_WIDTH)
        inner = QVBoxLayout(column)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(theme.GRID)
        inner.addLayout(head)
        inner.addSpacing(theme.GRID)
        for button in (self.open_button, self.samples_button):
            inner.addWidget(button)
        inner.addSpacing(theme.GRID)
        inner.addWidget(self.recent_heading)
        inner.addLayout(self._recent_layout)
        inner.addWidget(
            theme.label(translated("A folder or an image can also be dropped on this window."), role="muted")
        )
        inner.addSpacing(theme.GRID)
        inner.addWidget(self.tour)
        layout = QVBoxLayout(self)
        layout.addStretch()
        layout.addWidget(column, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch()

    def _tint(self) -> None:
        self.open_button.setIcon(icons.icon("folder-open"))
        self.samples_button.setIcon(icons.icon("image-square"))
        self.tour.tint()
        for button in self.recent:
            button.setIcon(icons.icon("clock-counter-clockwise", tint="muted"))
