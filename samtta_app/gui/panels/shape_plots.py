"""Histograms of how the accepted masks are formed: relative size, connected parts, concavity."""

from __future__ import annotations

import math

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from samtta_app.core.mask_shape import MaskShape
from samtta_app.gui.controller import Controller
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.still_plot import still_plot
from samtta_app.gui.widgets.translation import translated
from samtta_app.phrases import Phrase
from samtta_app.session.state import Statistics
from samtta_app.session.statistics.mask_histograms import MOST_PARTS, histograms

SHAPE_PLOTS: tuple[tuple[str, str, str], ...] = (
    ("size", "relative size in %", "Square root of mask area over image area (figure 6 of Segment Anything)"),
    (
        "parts",
        Phrase("parts ({most} and more share a bar)", most=MOST_PARTS),
        "Connected parts; pixels that touch at a corner are connected",
    ),
    ("concavity", "concavity in %", "1 - mask area / area of its convex hull (figure 6 of Segment Anything)"),
)
"""Each plot: measure, words of its axis, tool tip."""

HISTOGRAMS = {
    "size": "Histogram of the masks: size",
    "parts": "Histogram of the masks: parts",
    "concavity": "Histogram of the masks: concavity",
}
"""What screen readers say of each."""


class ShapePlots(QWidget):
    """One plot for each measure. Plots are made, and masks read, when they are on the screen for the first time.

    Each mask is read once, on another thread.

    Args:
        controller: reads the masks.
    """

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._ids: tuple[int, ...] = ()
        self._asked: set[int] = set()
        self._known: dict[int, MaskShape] = {}
        self.words = theme.label(role="muted")
        self.plots: dict[str, pg.PlotWidget] = {}
        self.bars: dict[str, pg.BarGraphItem] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(theme.GRID // 2)
        self._layout.addWidget(self.words)
        controller.shapes_read.connect(self._take)

    def show_statistics(self, statistics: Statistics) -> None:
        """Take the objects that there are now; deleted ones leave the plots."""
        ids = tuple(point.object_id for point in statistics.stream)
        if ids != self._ids:
            self._ids = ids
            self._draw()
            self._ask()

    def showEvent(self, event: QShowEvent) -> None:
        """Make the plots, and ask for what is not known yet."""
        super().showEvent(event)
        if not self.plots:
            for measure, _, tip in SHAPE_PLOTS:
                self._layout.addWidget(self._plot(measure, tip))
            self._tint()
            self._draw()
        self._ask()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()
        super().changeEvent(event)

    def _ask(self) -> None:
        missing = frozenset(self._ids) - self._known.keys() - self._asked
        if missing and self.isVisible() and self._controller.read_shapes(missing):
            self._asked |= missing

    @Slot(object)
    def _take(self, found: dict[int, MaskShape]) -> None:
        self._known |= found
        self._draw()
        self._ask()

    def _draw(self) -> None:
        if not self.plots:
            return
        shapes = {number: self._known[number] for number in self._ids if number in self._known}
        self.words.setText(
            translated("Forms of {number} masks", number=len(shapes))
            if len(shapes) != 1
            else translated("Form of 1 mask")
        )
        bins = histograms(shapes)
        for measure, _, _ in SHAPE_PLOTS:
            own = [each for each in bins if each.measure == measure]
            ends = [each.high if math.isfinite(each.high) else each.low + 1 for each in own]
            widths = [end - each.low for each, end in zip(own, ends, strict=True)]
            counts = [each.masks for each in own]
            self.bars[measure].setOpts(x0=[each.low for each in own], width=widths, height=counts)
            self.plots[measure].setXRange(own[0].low, ends[-1], padding=0.02)
            self.plots[measure].setYRange(0, max(*counts, 5), padding=0.05)

    def _plot(self, measure: str, tip: str) -> pg.PlotWidget:
        plot = self.plots[measure] = still_plot(HISTOGRAMS[measure], 14, tip)
        self.bars[measure] = pg.BarGraphItem(x0=[], width=[], height=[])
        plot.addItem(self.bars[measure])
        return plot

    def _tint(self) -> None:
        palette = theme.current()
        for measure, words, _ in SHAPE_PLOTS if self.plots else ():
            self.plots[measure].setBackground(palette.background)
            self.bars[measure].setOpts(brush=palette.accent, pen=palette.background)
            for side, text in (("bottom", words), ("left", "masks")):
                axis = self.plots[measure].getAxis(side)
                axis.setPen(palette.line)
                axis.setTextPen(palette.muted)
                axis.setLabel(translated(text), color=palette.muted)
                axis.setStyle(tickLength=-4, maxTickLevel=0)
            if measure != "parts":
                self.plots[measure].getAxis("bottom").setScale(100)  # shares are drawn, percent is written
