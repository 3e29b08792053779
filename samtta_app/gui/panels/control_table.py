"""Control objects beside the others in the learning panel: clicks and time per object, and how sure the difference is."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from samtta_app.gui.panels import figure_texts
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.session.state import ControlFigures, MeanDifference
from samtta_app.session.statistics.figure_notes import CONTROLS_NOTE

_ROWS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("clicks", "Clicks per object", lambda value: figure_texts.number_text(value, 1)),
    ("seconds", "Seconds per object", lambda value: figure_texts.number_text(value, 1)),
)
"""Field of a group, heading, and how its mean is written."""

_GROUPS = ("With learning", "Control")
_DIFFERENCE = len(_GROUPS) + 1
"""The groups stand beside each other, and their difference below them: it is wide."""


def difference_text(difference: MeanDifference) -> str:
    """A difference with its interval, such as "−1.2 (−2.0 to −0.4)"; a dash where there is no interval."""
    if math.isnan(difference.low):
        return figure_texts.NONE
    value, low, high = (f"{x:+.1f}".replace("-", "−") for x in (difference.value, difference.low, difference.high))
    return translated("{value} ({low} to {high})", value=value, low=low, high=high)


def _heading(text: str) -> QLabel:
    label = theme.label(translated(text), role="muted")
    label.setToolTip(translated(CONTROLS_NOTE))
    return label


class ControlTable(QWidget):
    """What control objects show; hidden while none was drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.sentence = theme.label()
        self.sentence.setWordWrap(True)
        self.cells: dict[tuple[str, int], QLabel] = {}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * theme.GRID)
        grid.setVerticalSpacing(theme.GRID // 2)
        right = Qt.AlignmentFlag.AlignRight
        for column, heading in enumerate(_GROUPS, start=1):
            grid.addWidget(_heading(heading), 0, column, right)
        for row, (name, heading, _) in enumerate((*_ROWS, ("objects", "Objects", str))):
            grid.addWidget(_heading(heading), 2 * row + 1, 0)
            for column in range(1, len(_GROUPS) + 1):
                grid.addWidget(self._cell(name, column), 2 * row + 1, column, right)
        for row, (name, _, _) in enumerate(_ROWS):
            grid.addWidget(_heading("Difference"), 2 * row + 2, 0)
            grid.addWidget(self._cell(name, _DIFFERENCE), 2 * row + 2, 1, 1, len(_GROUPS), right)
        grid.setColumnStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.sentence)
        layout.addLayout(grid)
        self.hide()

    def show_figures(self, figures: ControlFigures) -> None:
        """Show both groups and their differences."""
        self.sentence.setText(translated(figures.sentence))
        for column, group in enumerate((figures.learned, figures.control), start=1):
            self.cells["objects", column].setText(str(group.objects))
            for name, _, written in _ROWS:
                self.cells[name, column].setText(written(getattr(group, name)))
        for name, _, _ in _ROWS:
            self.cells[name, _DIFFERENCE].setText(difference_text(getattr(figures, name)))
        self.setVisible(bool(figures.sentence))

    def _cell(self, name: str, column: int) -> QLabel:
        cell = self.cells[name, column] = theme.label(figure_texts.NONE, role="figure")
        cell.setToolTip(translated(CONTROLS_NOTE))
        return cell
