"""What a press with the left button was: a click or a box."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication

THIN = 3.0
"""Screen pixels: a box with a shorter side is no box, however long it is; to draw a box, a hand moves in both directions."""

_LEAST = 1.0
"""Image pixels: no object is smaller, so a box with a shorter side is a click that slipped at a high zoom."""


def is_box(moved: QPointF, zoom: float) -> bool:
    """Whether a press that ended `moved` from its start (in the view's pixels) drew a box and was no accidental drag.

    Args:
        moved: in the pixels of the view, which the screen may show as several of its own.
        zoom: the view's pixels per image pixel.
    """
    shorter, longer = sorted((abs(moved.x()), abs(moved.y())))
    return longer > slip() and shorter >= THIN and shorter >= _LEAST * zoom


def slip() -> float:
    """How far a click may move, in the view's pixels: from this distance on the desktop sees a drag (10 px)."""
    return float(QGuiApplication.styleHints().startDragDistance())
