"""The key to a plot: a coloured mark and plain words for each of its sides."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated


class Legend(QWidget):
    """Marks in the colours of the style sheet's roles, one entry below the other: a panel may be narrow.

    Args:
        entries: role of the mark ("accent", "muted"), mark, and words of each entry.
    """

    def __init__(self, entries: Sequence[tuple[str, str, str]]) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.GRID)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        self.words: list[QLabel] = []
        for row, (role, mark, words) in enumerate(entries):
            line = theme.label(translated(words))
            line.setWordWrap(True)
            self.words.append(line)
            grid.addWidget(theme.label(mark, role=role), row, 0)
            grid.addWidget(line, row, 1)
