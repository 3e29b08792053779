"""The reliability diagram: the IoU that was expected of answers against the true one."""

from __future__ import annotations

import math

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from samtta_app.core.calibration import Bin
from samtta_app.gui.panels import figure_texts
from samtta_app.gui.panels.legend import Legend
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.still_plot import still_plot
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.session.state import Statistics, Trust

_SIDES = ("raw", "calibrated")
DOT_LARGEST, SMALLEST = 14, 4
"""Diameters of a bin's dot in pixels: of one that holds all answers, and of one that holds next to none."""

_TIP = (
    "The confidence of every answer against how well it fitted the mask that you accepted; on the dashed line they agree.\n"
    "Corrected: by what came true for the answers before it (isotonic calibration of the expected IoU, in ten bins)."
)


_SENTENCE = (
    "Confidence is off by {off} on average, by {before} before it is corrected ({answers}). "
    "Masks that need a second look: {review}"
)


def sentence(statistics: Statistics) -> str:
    """How far expectation and truth are apart, and how many masks need a second look."""
    trust = statistics.trust
    if not trust.answers:
        return ""
    return Phrase(
        _SENTENCE,
        off=figure_texts.percent_text(trust.calibrated_error),
        before=figure_texts.percent_text(trust.raw_error),
        answers=Phrase("1 answer") if trust.answers == 1 else Phrase("{number} answers", number=trust.answers),
        review=statistics.review,
    )


class ReliabilityDiagram(QWidget):
    """A dot for each bin, as large as its share of the answers; made and shown once there are answers."""

    def __init__(self) -> None:
        super().__init__()
        self._trust: Trust | None = None
        self.words = theme.label(role="muted")
        self.words.setWordWrap(True)
        self.dots: dict[str, pg.ScatterPlotItem] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(theme.GRID // 2)
        self._layout.addWidget(self.words)

    def _furnish(self) -> None:
        self.plot = still_plot("Confidence against the true fit", 22, _TIP)
        self.plot.setXRange(0, 1, padding=0.02)
        self.plot.setYRange(0, 1, padding=0.02)
        self.plot.getPlotItem().setContentsMargins(0, theme.GRID, 2 * theme.GRID, 0)  # or the ticks at 1.0 are cut off
        self.diagonal = self.plot.plot([0, 1], [0, 1])
        self.dots = {side: pg.ScatterPlotItem(pen=None) for side in _SIDES}
        for entry in self.dots.values():
            self.plot.addItem(entry)
        self.legend = Legend([("accent", "●", "corrected"), ("muted", "●", "as the model says it")])
        self._layout.addWidget(self.legend)
        self._layout.addWidget(self.plot)
        self._tint()

    def show_statistics(self, statistics: Statistics) -> None:
        """Draw the bins of both sides."""
        trust = statistics.trust
        self.setVisible(trust.answers > 0)
        self.words.setText(translated(sentence(statistics)))
        if trust == self._trust or not trust.answers:
            return
        if not self.dots:
            self._furnish()
        self._trust = trust
        for side, bins in (("raw", trust.raw), ("calibrated", trust.calibrated)):
            sizes = [_size(entry, trust.answers) for entry in bins]
            self.dots[side].setData([entry.expected for entry in bins], [entry.true for entry in bins], size=sizes)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        if event.type() == QEvent.Type.PaletteChange and self.dots:
            self._tint()
        super().changeEvent(event)

    def _tint(self) -> None:
        palette = theme.current()
        self.plot.setBackground(palette.background)
        self.diagonal.setPen(pg.mkPen(palette.muted, width=1, style=Qt.PenStyle.DashLine))
        colours = {"raw": QColor(palette.muted), "calibrated": QColor(palette.accent)}
        for side in _SIDES:
            self.dots[side].setBrush(colours[side])
        for side, text in (("bottom", "confidence in %"), ("left", "true fit in %")):
            axis = self.plot.getAxis(side)
            axis.setPen(palette.line)
            axis.setTextPen(palette.muted)
            axis.setLabel(translated(text), color=palette.muted)
            axis.setScale(100)  # shares are drawn, percent is written
            axis.setStyle(tickLength=-4, maxTickLevel=0)


def _size(entry: Bin, answers: int) -> float:
    return SMALLEST + (DOT_LARGEST - SMALLEST) * math.sqrt(entry.count / answers)
