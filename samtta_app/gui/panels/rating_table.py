"""How masks were rated, from 1 to 10: those of the original model beside those made after learning."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from samtta_app.core.rating_scale import FEWEST_RATINGS, MeanRating
from samtta_app.gui.panels import figure_texts
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.session.state import Statistics

_COLUMNS = ("Rated 1 to 10", "Masks", "Mean", "95 % interval")

RATED_ROWS: tuple[tuple[str, str, str], ...] = (
    ("adapted", "With learning", "Masks that were accepted after learning had changed the model"),
    ("frozen", "Without", "Masks of the original model (weights version 0)"),
    ("difference", "Difference", "With learning less without; the masks are of different objects"),
)
"""The rows: field of `Ratings`, heading, tool tip."""


def interval_words(found: MeanRating) -> str:
    """The interval, or why there is none yet."""
    if math.isfinite(found.low):
        return Phrase(
            "{low} to {high}", low=figure_texts.number_text(found.low, 1), high=figure_texts.number_text(found.high, 1)
        )
    return Phrase("from {fewest} masks on", fewest=FEWEST_RATINGS) if found.ratings else figure_texts.NONE


class RatingTable(QWidget):
    """Number, mean and interval of each side; hidden until a mask was rated, and while masks are being rated."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: dict[tuple[str, str], QLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * theme.GRID)
        grid.setVerticalSpacing(theme.GRID // 2)
        right = Qt.AlignmentFlag.AlignRight
        for column, heading in enumerate(_COLUMNS):
            grid.addWidget(
                theme.label(translated(heading), role="muted"),
                0,
                column,
                right if column else Qt.AlignmentFlag.AlignLeft,
            )
        for row, (name, heading, tip) in enumerate(RATED_ROWS, start=1):
            title = theme.label(translated(heading), role="muted")
            title.setToolTip(translated(tip))
            grid.addWidget(title, row, 0)
            for column, figure in enumerate(("masks", "mean", "interval"), start=1):
                cell = self.cells[name, figure] = theme.label(figure_texts.NONE, role="figure")
                cell.setToolTip(translated(tip))
                grid.addWidget(cell, row, column, right)
        grid.setColumnStretch(0, 1)
        self.hide()

    def show_statistics(self, statistics: Statistics) -> None:
        """Show the newest ratings."""
        self.setVisible(statistics.ratings is not None)
        if statistics.ratings is None:
            return
        for name, _, _ in RATED_ROWS:
            found: MeanRating = getattr(statistics.ratings, name)
            mean = figure_texts.number_text(found.mean, 1)
            self.cells[name, "masks"].setText(str(found.ratings))
            self.cells[name, "mean"].setText(f"+{mean}" if name == "difference" and found.mean > 0 else mean)
            self.cells[name, "interval"].setText(translated(interval_words(found)))
