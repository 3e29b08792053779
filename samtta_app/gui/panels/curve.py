"""The curve of the adaptation panel: clicks per object over the stream, with the adapted and with the original weights."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from samtta_app.gui.panels.legend import Legend
from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.still_plot import still_plot
from samtta_app.gui.widgets.translation import translated
from samtta_app.session.state import StreamPoint
from samtta_app.session.statistics.click_curves import rolling_band, rolling_mean

TALLEST_PLOT, LOWEST_PLOT = 19, 10
"""Height of the plot in grid steps where there is room, and at least: its lower axis takes three of them."""

AXES_COUNT = "clicks to 85 % fit, in the order of annotation"
"""What both axes count; along a low plot such words would be cut."""


class ClickCurve(QWidget):
    """Two rolling means over single dots, and the 95 % band of the one with learning.

    Empty places stay empty, nothing is interpolated.

    The axis of clicks starts at 0, so that a difference looks as large as it is.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stream: tuple[StreamPoint, ...] = ()
        self.plot = still_plot("Clicks per object over the stream", TALLEST_PLOT)
        self.lines = {side: self.plot.plot([], [], antialias=True) for side in ("frozen", "adapted")}
        self.dots = {side: pg.ScatterPlotItem(size=4, pen=None) for side in ("frozen", "adapted")}
        for entry in self.dots.values():
            self.plot.addItem(entry)
        self.ends = pg.PlotCurveItem(pen=None), pg.PlotCurveItem(pen=None)
        self.band = pg.FillBetweenItem(*self.ends)
        self.band.setZValue(-1)
        self.plot.addItem(self.band)
        self.legend = Legend([("accent", "━━", "with learning"), ("muted", "╍╍", "without it (original model)")])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID // 2)
        layout.addWidget(self.legend)
        self.unit = theme.label(translated(AXES_COUNT), role="muted")
        layout.addWidget(self.unit)
        layout.addWidget(self.plot)
        self._tint()

    def show_stream(self, stream: tuple[StreamPoint, ...]) -> None:
        """Draw the stream."""
        if stream is self._stream:
            return
        self._stream = stream
        for side in ("adapted", "frozen"):
            pairs = [(place, getattr(entry, side)) for place, entry in enumerate(stream, start=1)]
            known = [(place, float(clicks)) for place, clicks in pairs if clicks is not None]
            places, clicks = [place for place, _ in known], [clicks for _, clicks in known]
            self.dots[side].setData(places, clicks)
            self.lines[side].setData(places, rolling_mean(clicks))
            if side == "adapted":
                for end, values in zip(self.ends, rolling_band(clicks), strict=True):
                    end.setData(places, values)
        highest = max((max(entry.adapted or 0, entry.frozen or 0) for entry in stream), default=0)
        self.plot.setXRange(0.5, max(len(stream), 10) + 0.5, padding=0.02)
        self.plot.setYRange(0, max(highest, 5), padding=0.05)

    def least_height(self, width: int) -> int:
        """Pixels that it takes at least, where it is `width` pixels wide."""
        return self._words(width) + LOWEST_PLOT * theme.GRID

    def fit(self, width: int, height: int) -> None:
        """Draw the plot so high that legend and plot fit into `height` pixels, within its limits."""
        room = (height - self._words(width)) // theme.GRID
        self.plot.setFixedHeight(min(max(room, LOWEST_PLOT), TALLEST_PLOT) * theme.GRID)

    def _words(self, width: int) -> int:
        """Pixels of the legend, of the words about the axes, and of the gaps below them."""
        high = self.legend.heightForWidth(width) if self.legend.hasHeightForWidth() else self.legend.sizeHint().height()
        return high + self.unit.sizeHint().height() + theme.GRID

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()
        super().changeEvent(event)

    def _tint(self) -> None:
        palette = theme.current()
        self.plot.setBackground(palette.background)
        colours = {"adapted": QColor(palette.accent), "frozen": QColor(palette.muted)}
        for side, colour in colours.items():
            dash = Qt.PenStyle.SolidLine if side == "adapted" else Qt.PenStyle.DashLine
            self.lines[side].setPen(pg.mkPen(colour, width=2, style=dash))
            pale = QColor(colour)
            pale.setAlphaF(0.35)
            self.dots[side].setBrush(pale)
            if side == "adapted":
                pale.setAlphaF(0.15)
                self.band.setBrush(pale)
        for side in ("bottom", "left"):
            axis = self.plot.getAxis(side)
            axis.setPen(palette.line)
            axis.setTextPen(palette.muted)
            axis.setStyle(tickLength=-4, maxTickLevel=0)
