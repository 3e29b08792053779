"""Sizes that were measured from a font, measured again when the font changes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QWidget

Fit = Callable[[QFontMetrics], object]
"""Sets sizes by the metrics of a widget's font."""


def follow_font(widget: QWidget, fit: Fit) -> None:
    """Have `fit` set sizes now, and again whenever the font of `widget` is another one."""
    widget.installEventFilter(_Follower(widget, fit))
    fit(widget.fontMetrics())


class _Follower(QObject):
    """Hears of the font of the widget that owns it."""

    def __init__(self, widget: QWidget, fit: Fit) -> None:
        super().__init__(widget)
        self._widget, self._fit = widget, fit

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fit again; the event goes on."""
        if event.type() == QEvent.Type.FontChange:
            self._fit(self._widget.fontMetrics())
        return False
