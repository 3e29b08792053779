"""A plot that is looked at only: no menu, no mouse, no keys."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame

from samtta_app.gui.widgets import theme
from samtta_app.gui.widgets.translation import translated


def still_plot(name: str, steps: int, tip: str = "") -> pg.PlotWidget:
    """A plot without frame and menu.

    Args:
        name: what screen readers say.
        steps: its height in grid steps.
        tip: what is said under the pointer.
    """
    plot = pg.PlotWidget(enableMenu=False)  # making a menu for each plot took a quarter of the window's time
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    plot.setFixedHeight(steps * theme.GRID)
    plot.setFrameShape(QFrame.Shape.NoFrame)
    plot.setAccessibleName(translated(name))
    plot.setToolTip(translated(tip))
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return plot
