"""Icons: Phosphor glyphs tinted by the palette, class swatches and status dots, sharp at every pixel ratio."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap

from samtta_app.gui.widgets.glyphs import GlyphEngine
from samtta_app.gui.widgets.theme import Palette, current, mix_colours
from samtta_app.settings import resource

_SIDES = (16, 20, 24, 32, 40, 48, 60, 72)
"""Sides, in device pixels, at which swatches and dots are drawn: 16, 20 and 24 points at one, two and three of them."""


def icon(name: str, palette: Palette | None = None, tint: str = "text") -> QIcon:
    """The Phosphor icon `name` ("arrow-u-up-left") in a colour of the palette; faint where its action is disabled."""
    palette = palette or current()
    faint = mix_colours(palette.background, palette.muted, 0.6)
    return QIcon(GlyphEngine(name, getattr(palette, tint), faint))


def app_icon() -> QIcon:
    """The application's own icon."""
    return QIcon(str(resource("icons/samtta.svg")))


def swatch(colour: QColor, text: str = "") -> QIcon:
    """A rounded square in a class's colour, with `text` (its key) in it where given."""

    def draw(painter: QPainter, side: int) -> None:
        square = QRectF(side * 0.125, side * 0.125, side * 0.75, side * 0.75)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(square, side * 0.16, side * 0.16)
        font = painter.font()
        font.setPixelSize(round(side * 0.55))
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(_readable_on(colour))
        painter.drawText(square, Qt.AlignmentFlag.AlignCenter, text)

    return _drawn(draw)


def dot(colour: QColor, filled: bool = True) -> QIcon:
    """A status dot; a ring where it is not filled."""

    def draw(painter: QPainter, side: int) -> None:
        radius = side * 0.25
        pen = painter.pen()
        pen.setColor(colour)
        pen.setWidthF(radius * 0.35)
        painter.setPen(pen)
        painter.setBrush(colour if filled else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(side / 2, side / 2), radius, radius)

    return _drawn(draw)


def _drawn(draw: Callable[[QPainter, int], None]) -> QIcon:
    """An icon that is drawn at each of _SIDES."""
    made = QIcon()
    for side in _SIDES:
        picture = QPixmap(side, side)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw(painter, side)
        painter.end()
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):  # a class keeps its colour in a selected row
            made.addPixmap(picture, mode)
    return made


def _readable_on(colour: QColor) -> QColor:
    bright = 0.299 * colour.red() + 0.587 * colour.green() + 0.114 * colour.blue() > 140
    return QColor(Qt.GlobalColor.black if bright else Qt.GlobalColor.white)
