"""What is drawn over the image: masks, clicks, frames, the uncertainty map, and the pointer. Nothing here knows the state."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QCursor,
    QFontMetrics,
    QFontMetricsF,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QTransform,
)
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from samtta_app.core.types import Click, Mask, Window
from samtta_app.gui.canvas.overlay import coarse_outline, outline, padded_rect, pixel_rect
from samtta_app.gui.widgets.theme import class_colour

DISC = 12.0
"""Diameter of a click in screen pixels."""

INCLUDE, EXCLUDE = 2, 5
"""The clicks' colours in the class palette: bluish green and vermilion, distinct for every kind of colour vision."""

WHITE, BLACK = QColor(Qt.GlobalColor.white), QColor(Qt.GlobalColor.black)


FINE, COARSE = 1.0, 0.7
"""Up to FINE screen pixels per image pixel, outlines leave out what is smaller than COARSE screen pixels."""


PICTURED = 400.0
"""Masks with a longer side of fewer screen pixels are kept as pictures: drawing an outline takes a hundred times as long."""

PICTURES_KEPT = 64 * 1024
"""Kilobytes of such pictures, for all that a large screen shows; Qt's own limit of 10 MB holds too few."""


@dataclass(frozen=True, slots=True)
class MaskStyle:
    """How a mask looks: share of the fill's colour, outline width in screen pixels, a white halo, dashes, lightness."""

    fill: float
    line: float
    halo: float = 0.0
    dashed: bool = False
    lighter: int = 100


ACCEPTED = MaskStyle(fill=0.35, line=1.5)
SELECTED = MaskStyle(fill=0.45, line=2.0, halo=3.6)
PREVIEW = MaskStyle(fill=0.50, line=2.0, halo=3.6, lighter=125)
FROZEN_STYLE = MaskStyle(fill=0.30, line=2.0, halo=3.6, dashed=True, lighter=125)

HOVERED = MaskStyle(fill=0.25, line=1.5, halo=2.6, dashed=True, lighter=125)
"""What a click would show."""

KEPT = MaskStyle(fill=0.0, line=1.5, halo=2.6, dashed=True)
"""Other outlines that the annotator kept for the same object, and ignore regions."""


class MaskItem(QGraphicsItem):
    """One mask: its outlines, an exact one and coarser ones, are traced when they are first needed, and then reused."""

    def __init__(self, mask: Mask, colour: QColor, style: MaskStyle) -> None:
        super().__init__()
        height, width = mask.bits.shape
        self._mask, self._rect = mask, pixel_rect(Window(mask.x, mask.y, width, height))
        self._paths: dict[float, QPainterPath] = {}
        self._colour, self._style = colour, style
        self._zoom = math.inf

    @property
    def look(self) -> tuple[QColor, MaskStyle]:
        """Colour and style."""
        return self._colour, self._style

    def set_look(self, colour: QColor, style: MaskStyle) -> None:
        """Change colour and style."""
        if (colour, style) != self.look:
            self._colour, self._style = colour, style
            self.note_zoom(self._zoom)
            self.update()

    def note_zoom(self, zoom: float) -> None:
        """Keep a picture of a mask that is small at `zoom` (device pixels per image pixel): then moving it costs no painting.

        A picture reaches one pixel beyond the mask, so that it would cut a halo.
        """
        self._zoom = zoom
        small = max(self._rect.width(), self._rect.height()) * zoom < PICTURED and not self._style.halo
        mode = QGraphicsItem.CacheMode.DeviceCoordinateCache if small else QGraphicsItem.CacheMode.NoCache
        if self.cacheMode() != mode:
            self.setCacheMode(mode)

    def boundingRect(self) -> QRectF:
        """The mask's box; outlines go beyond it by less than the two screen pixels that Qt adds."""
        return self._rect

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Fill, halo, outline."""
        style, path = self._style, self._path(zoom_of(painter, option))
        colour = self._colour.lighter(style.lighter)
        fill = QColor(colour)
        fill.setAlphaF(style.fill)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        if style.fill:
            painter.fillPath(path, fill)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if style.halo:
            painter.strokePath(path, line(WHITE, style.halo))
        painter.strokePath(path, line(colour, style.line, dashed=style.dashed))

    def _path(self, zoom: float) -> QPainterPath:
        tolerance = 0.0 if zoom > FINE else COARSE * 2.0 ** max(math.floor(math.log2(FINE / zoom)), 0)
        if tolerance not in self._paths:
            trace = coarse_outline if tolerance > COARSE else outline
            self._paths[tolerance] = trace(self._mask, tolerance)
        return self._paths[tolerance]


class ClickItem(QGraphicsItem):
    """One click: a disc with + or - and a white halo, of one size at every zoom."""

    def __init__(self, click: Click, waiting: bool = False) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setPos(click.x, click.y)
        self.setOpacity(0.6 if waiting else 1.0)
        self.click, self.waiting = click, waiting

    def boundingRect(self) -> QRectF:
        """The disc with its halo, in screen pixels."""
        return _about(DISC + 5)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Shadow, halo, disc, sign, moved to the nearest whole pixel, where they are sharp."""
        there = painter.worldTransform()
        painter.setWorldTransform(QTransform.fromTranslate(round(there.dx()), round(there.dy())))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_faded(BLACK, 0.35))
        painter.drawEllipse(_about(DISC + 4.5))
        painter.setBrush(WHITE)
        painter.drawEllipse(_about(DISC + 3))
        painter.setBrush(class_colour(INCLUDE if self.click.positive else EXCLUDE))
        painter.drawEllipse(_about(DISC))
        painter.setPen(QPen(WHITE, 2.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawLine(QLineF(-4, 0, 4, 0))
        if self.click.positive:
            painter.drawLine(QLineF(0, -4, 0, 4))


class PlaceItem(QGraphicsItem):
    """Where one more click would help: a dashed ring, of one size at every zoom; the user decides its sign."""

    def __init__(self, click: Click) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setPos(click.x, click.y)
        self.click = click

    def boundingRect(self) -> QRectF:
        """The ring, in screen pixels."""
        return _about(2 * DISC + 5)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """A light ring under a dashed one."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(_faded(BLACK, 0.35), 5.0))
        painter.drawEllipse(_about(2 * DISC))
        painter.setPen(QPen(WHITE, 3.5))
        painter.drawEllipse(_about(2 * DISC))
        painter.setPen(QPen(BLACK, 2.5, Qt.PenStyle.DashLine))
        painter.drawEllipse(_about(2 * DISC))


class FrameItem(QGraphicsItem):
    """A rectangle that shows on bright and on dark: light dashes over a dark line, of one width at every zoom.

    Args:
        opacity: how strongly it shows, 0 .. 1.
    """

    def __init__(self, opacity: float) -> None:
        super().__init__()
        self._rect = QRectF()
        self.setOpacity(opacity)
        self.hide()

    def show_rect(self, rect: QRectF | None) -> None:
        """Move to `rect` (image coordinates), or vanish."""
        if rect is not None and rect != self._rect:
            self.prepareGeometryChange()
            self._rect = rect
        self.setVisible(rect is not None)

    def boundingRect(self) -> QRectF:
        """The rectangle."""
        return self._rect

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the two lines."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(line(BLACK, 1.0))
        painter.drawRect(self._rect)
        painter.setPen(line(WHITE, 1.0, dashed=True))
        painter.drawRect(self._rect)


class FrameWords(QGraphicsItem):
    """Words in the upper left corner of a frame, on a dark plate, of one size at every zoom.

    Above the corner they would be cut off where the frame begins at the top of the view.

    Args:
        words: what stands there.
    """

    def __init__(self, words: str) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.words = words
        self._plate = QRectF()
        self.hide()

    def fit(self, font: QFontMetrics) -> None:
        """Make the plate as large as the words are in the view's font."""
        self.prepareGeometryChange()
        self._plate = QRectF(QFontMetricsF(font).boundingRect(self.words)).adjusted(-4, -2, 4, 2)
        self._plate.moveTopLeft(QPointF(0, 0))

    def show_at(self, corner: QPointF | None) -> None:
        """Move to `corner` (image coordinates), or vanish."""
        if corner is not None:
            self.setPos(corner)
        self.setVisible(corner is not None)

    def boundingRect(self) -> QRectF:
        """The plate, in screen pixels."""
        return self._plate

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Plate and words."""
        painter.fillRect(self._plate, _faded(BLACK, 0.6))
        painter.setPen(WHITE)
        painter.drawText(self._plate, Qt.AlignmentFlag.AlignCenter, self.words)


class MapItem(QGraphicsItem):
    """A map laid over its window, in its colours (g, g); `sharp` shows its cells as they are."""

    def __init__(self, window: Window, colours: QImage, *, sharp: bool = False) -> None:
        super().__init__()
        self._clip, self._area = pixel_rect(window), padded_rect(window)
        self._colours, self._smooth = colours, not sharp

    def boundingRect(self) -> QRectF:
        """The window's own pixels, without the padding."""
        return self._clip

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the map, scaled."""
        painter.setClipRect(self._clip, Qt.ClipOperation.IntersectClip)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._smooth)
        painter.drawImage(self._area, self._colours)


def zoom_of(painter: QPainter, option: QStyleOptionGraphicsItem) -> float:
    """Screen (device) pixels per image pixel."""
    return option.levelOfDetailFromTransform(painter.worldTransform()) * painter.device().devicePixelRatio()


def line(colour: QColor, width: float, *, dashed: bool = False) -> QPen:
    """A pen that is `width` screen pixels wide at every zoom."""
    pen = QPen(colour, width)
    pen.setCosmetic(True)
    pen.setJoinStyle(Qt.PenJoinStyle.BevelJoin)  # four times faster than round, with no visible difference
    if dashed:
        pen.setDashPattern([4.0, 4.0])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen


@lru_cache(maxsize=4)
def crosshair(ratio: float) -> QCursor:
    """A pointer of thin black lines with a white seam and an open middle, sharp at the screen's device pixel ratio."""
    side, middle = 31, 15.5
    shown = QPixmap(round(side * ratio), round(side * ratio))
    shown.setDevicePixelRatio(ratio)
    shown.fill(Qt.GlobalColor.transparent)
    painter = QPainter(shown)
    arms = [QLineF(QPointF(middle, middle) + d * 4, QPointF(middle, middle) + d * 14) for d in _DIRECTIONS]
    for colour, width in ((WHITE, 3.0), (BLACK, 1.0)):
        painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawLines(arms)
    painter.fillRect(QRectF(middle - 0.5, middle - 0.5, 1, 1), BLACK)
    painter.end()
    return QCursor(shown, 15, 15)


_DIRECTIONS = (QPointF(1, 0), QPointF(-1, 0), QPointF(0, 1), QPointF(0, -1))


def _about(side: float) -> QRectF:
    return QRectF(-side / 2, -side / 2, side, side)


def _faded(colour: QColor, alpha: float) -> QColor:
    faded = QColor(colour)
    faded.setAlphaF(alpha)
    return faded
