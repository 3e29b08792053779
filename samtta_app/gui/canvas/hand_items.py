"""What work by hand draws over the image: the brush's ring, the stroke under way, a polygon with its corners. Only values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene, QStyleOptionGraphicsItem, QWidget

from samtta_app.core.polygons import Ring, Rings
from samtta_app.core.strokes import FAR
from samtta_app.gui.canvas.markers import BLACK, WHITE, line

CORNER = 8.0
"""Side of a corner's square in screen pixels."""

_PAINT = 0.55
"""Opacity of a stroke under way, as strong as a preview's fill."""

_EVERYWHERE = QRectF(-FAR, -FAR, 2 * FAR, 2 * FAR)

_STROKES, _POLYGON, _RING = 5.2, 7.2, 9.0
"""Drawing order: strokes over the preview, corners over clicks, the ring over everything."""


class StrokeItem(QGraphicsItem):
    """One stroke as the brush goes: a line with round ends, as wide as the brush in image pixels."""

    def __init__(self, points: Iterable[tuple[float, float]], size: float, colour: QColor) -> None:
        super().__init__()
        self._path, self._size = QPainterPath(), size
        self._pen = QPen(colour, size, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        self.setOpacity(_PAINT)
        self.setZValue(_STROKES)
        for x, y in points:
            self.go_on(x, y)

    def go_on(self, x: float, y: float) -> None:
        """Draw on to an image point; only what is new is painted."""
        to, half = QPointF(x, y), self._size / 2 + 2
        if self._path.isEmpty():
            self._path.moveTo(to)
            self._path.lineTo(x + 1e-3, y)  # or a single point would not be drawn
        piece = QRectF(self._path.currentPosition(), to).normalized()
        self._path.lineTo(to)
        self.update(piece.adjusted(-half, -half, half, half))

    def boundingRect(self) -> QRectF:
        """All that a line could reach, so that it need not be painted as a whole when it grows."""
        return _EVERYWHERE

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the line at once, so that it is equally strong where it crosses itself."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.strokePath(self._path, self._pen)


class RingItem(QGraphicsItem):
    """The brush's outline at its true size: a dark line and a light one, visible on every image."""

    def __init__(self) -> None:
        super().__init__()
        self._radius = 0.0
        self.setZValue(_RING)
        self.hide()

    @property
    def radius(self) -> float:
        """In image pixels."""
        return self._radius

    def show_at(self, at: QPointF | None, size: float) -> None:
        """Move to an image point, or vanish."""
        if size / 2 != self._radius:
            self.prepareGeometryChange()
            self._radius = size / 2
        if at is not None:
            self.setPos(at)
        self.setVisible(at is not None)

    def boundingRect(self) -> QRectF:
        """The circle."""
        return QRectF(-self._radius, -self._radius, 2 * self._radius, 2 * self._radius)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw both lines."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((BLACK, 3.0), (WHITE, 1.2)):
            painter.setPen(line(colour, width))
            painter.drawEllipse(self.boundingRect())


class PolygonItem(QGraphicsItem):
    """Closed rings with a square at each corner, and the corners of a ring that is not closed yet."""

    def __init__(self) -> None:
        super().__init__()
        self._closed, self._open, self._area = QPainterPath(), QPainterPath(), QRectF()
        self._corners: list[QPointF] = []
        self._first: QPointF | None = None
        self.setZValue(_POLYGON)
        self.hide()

    def show_rings(
        self, closed: Sequence[Ring], opened: Sequence[tuple[float, float]], to: QPointF | None, scale: float
    ) -> None:
        """Show rings; `to` is where the next corner would be, `scale` viewport pixels per image pixel."""
        self.prepareGeometryChange()
        self._closed, self._open = _path(closed, close=True), _path([opened], close=False)
        if opened and to is not None:
            self._open.lineTo(to)
        self._corners = [QPointF(x, y) for ring in (*closed, opened) for x, y in ring]
        self._first = QPointF(*opened[0]) if len(opened) > 2 else None
        margin = 2 * CORNER / scale
        found = self._closed.controlPointRect().united(self._open.controlPointRect())
        self._area = found.adjusted(-margin, -margin, margin, margin)
        self.setVisible(bool(self._corners))
        self.update()

    @property
    def corners(self) -> list[QPointF]:
        """All corners that are shown, in image pixels."""
        return self._corners

    def boundingRect(self) -> QRectF:
        """The rings with the squares of their corners."""
        return self._area

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw lines of one width and squares of one size at every zoom."""
        half = CORNER / 2 / max(option.levelOfDetailFromTransform(painter.worldTransform()), 1e-9)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width, dashed in ((BLACK, 2.6, False), (WHITE, 1.2, True)):
            painter.setPen(line(colour, width))
            painter.drawPath(self._closed)
            painter.setPen(line(colour, width, dashed=dashed))
            painter.drawPath(self._open)
        painter.setPen(line(BLACK, 1.0))
        painter.setBrush(WHITE)
        for corner in self._corners:
            painter.drawRect(_square(corner, half))
        if self._first is not None:
            painter.drawEllipse(_square(self._first, 1.6 * half))


def _path(rings: Iterable[Sequence[tuple[float, float]]], *, close: bool) -> QPainterPath:
    path = QPainterPath()
    for ring in rings:
        for k, (x, y) in enumerate(ring):
            (path.lineTo if k else path.moveTo)(x, y)
        if close and ring:
            path.closeSubpath()
    return path


def _square(middle: QPointF, half: float) -> QRectF:
    return QRectF(middle.x() - half, middle.y() - half, 2 * half, 2 * half)


class HandLayer:
    """The items of work by hand in a scene; each is made once, strokes for as long as they are not in the mask."""

    def __init__(self, scene: QGraphicsScene) -> None:
        self._scene = scene
        self.ring, self.polygon = RingItem(), PolygonItem()
        self.strokes: list[StrokeItem] = []
        for item in (self.ring, self.polygon):
            scene.addItem(item)

    def add_stroke(self, points: Iterable[tuple[float, float]], size: float, colour: QColor) -> StrokeItem:
        """Show a stroke that is not in the mask yet."""
        item = StrokeItem(points, size, colour)
        self._scene.addItem(item)
        self.strokes.append(item)
        return item

    def clear_strokes(self, but: StrokeItem | None = None) -> None:
        """Take strokes away, but for the one that is under way."""
        for item in self.strokes:
            if item is not but:
                self._scene.removeItem(item)
        self.strokes = [item for item in self.strokes if item is but]

    def show_rings(
        self, closed: Rings, opened: Sequence[tuple[float, float]], to: QPointF | None, scale: float
    ) -> None:
        """Show a polygon, or none."""
        self.polygon.show_rings(closed, opened, to, scale)
