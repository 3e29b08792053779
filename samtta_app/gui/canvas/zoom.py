"""A view that zooms at the pointer, pans without scroll bars, and counts zoom in screen pixels per image pixel."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QNativeGestureEvent, QPainter, QResizeEvent, QTransform, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget

from samtta_app.settings import Wheel

ZOOM_STEP = 1.25
"""Zoom factor of one notch of the wheel, one key."""

CLOSEST = 64.0
"""Screen pixels per image pixel at which zooming in ends."""

FIT_MARGIN = 8
"""Screen pixels left free around an image that is fitted."""


class ZoomView(QGraphicsView):
    """Shows the part of the scene around `centre` at `zoom`; both are stored exactly, so that nothing drifts.

    Signals:
        zoomed(float): screen (device) pixels per image pixel; 1.0 is 100 %.

    Attributes:
        wheel: what the bare wheel does, "zoom" or "scroll"; Ctrl with the wheel does the other.
    """

    zoomed = Signal(float)

    def __init__(self, scene: QGraphicsScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self.wheel: Wheel = "zoom"
        self._extent = QRectF()
        self._scale, self._centre, self._fitted = 1.0, QPointF(), True
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)

    @property
    def zoom(self) -> float:
        """Screen (device) pixels per image pixel."""
        return self._scale * self.devicePixelRatioF()

    def set_extent(self, extent: QRectF) -> None:
        """Set the rectangle that can be viewed, and fit it."""
        self._extent = extent
        self.fit()

    @property
    def fitted(self) -> bool:
        """Whether everything is shown, as large as it fits."""
        return self._fitted

    def look_at(self, centre: QPointF, zoom: float) -> None:
        """Show the part around a point at a zoom, within what can be zoomed to."""
        self._centre = centre
        self.zoom_at(QPointF(self.viewport().rect().center()), zoom / self.zoom)

    def fit(self) -> None:
        """Show everything, and go on doing so when the view's size changes."""
        self._fitted = True
        self._show(self._fitting(), self._extent.center())

    def actual_size(self) -> None:
        """Show one image pixel on one screen pixel."""
        self.zoom_at(QPointF(self.viewport().rect().center()), 1 / self.zoom)

    def zoom_in(self) -> None:
        """Zoom in, about the middle of the view."""
        self.zoom_at(QPointF(self.viewport().rect().center()), ZOOM_STEP)

    def zoom_out(self) -> None:
        """Zoom out, about the middle of the view."""
        self.zoom_at(QPointF(self.viewport().rect().center()), 1 / ZOOM_STEP)

    def zoom_at(self, point: QPointF, factor: float) -> None:
        """Zoom by `factor`; what is under `point` (in viewport pixels) stays there."""
        if self._extent.isEmpty():
            return
        closest = CLOSEST / self.devicePixelRatioF()
        farthest = min(self._fitting() / 2, 1 / self.devicePixelRatioF())
        scale = min(max(self._scale * factor, farthest), closest)
        offset = point - QPointF(self.viewport().rect().center())
        self._fitted = False
        self._show(scale, self._centre + offset / self._scale - offset / scale)

    def pan(self, moved: QPoint) -> None:
        """Move the picture by this many viewport pixels; its middle never leaves the view by more than half of it."""
        self._fitted = False
        self._show(self._scale, self._centre - QPointF(moved) / self._scale)

    def visible_rect(self) -> QRectF:
        """The part of the scene that is on the screen."""
        size = self.viewport().size() / self._scale
        return QRectF(
            self._centre.x() - size.width() / 2, self._centre.y() - size.height() / 2, size.width(), size.height()
        )

    # --- Qt's hooks ---------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the fit, or the middle."""
        super().resizeEvent(event)
        self._show(self._fitting() if self._fitted else self._scale, self._centre)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer, or scroll."""
        event.accept()
        turned = event.angleDelta()
        if (self.wheel == "zoom") != bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier):
            notches = (turned.y() or turned.x()) / 120  # Alt turns the wheel sideways
            self.zoom_at(event.position(), ZOOM_STEP**notches)
        elif not event.pixelDelta().isNull():
            self.pan(event.pixelDelta())
        else:
            sideways = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier) and turned.x() == 0
            self.pan((turned.transposed() if sideways else turned) / 2)

    def viewportEvent(self, event: QEvent) -> bool:
        """Follow two fingers on a trackpad."""
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_at(event.position(), 1 + event.value())
            return True
        return super().viewportEvent(event)

    # --- below the surface --------------------------------------------------------------------------------------------

    def _fitting(self) -> float:
        room = self.viewport().size()
        width, height = max(room.width() - 2 * FIT_MARGIN, 1), max(room.height() - 2 * FIT_MARGIN, 1)
        if self._extent.isEmpty():
            return 1.0
        closest = CLOSEST / self.devicePixelRatioF()
        return min(width / self._extent.width(), height / self._extent.height(), closest)

    def _show(self, scale: float, centre: QPointF) -> None:
        before = self._scale
        inside = self._extent
        self._scale = scale
        self._centre = QPointF(
            min(max(centre.x(), inside.left()), inside.right()), min(max(centre.y(), inside.top()), inside.bottom())
        )
        room = self.viewport().size() / scale
        self.setSceneRect(inside.adjusted(-room.width(), -room.height(), room.width(), room.height()))
        self.setTransform(QTransform.fromScale(scale, scale))
        self.centerOn(self._centre)
        if scale != before:
            self.zoomed.emit(self.zoom)
