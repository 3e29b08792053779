"""The canvas: shows the image with everything drawn over it, and turns the hand's gestures into clicks and boxes.

The only place that knows about screen pixels. Scene coordinates are image coordinates: (0, 0) is the middle of the
top-left pixel.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene, QLineEdit

from samtta_app.core.masks import holds
from samtta_app.core.types import Annotation, Box, Candidate, Click, FloatArray, Window
from samtta_app.gui.canvas.captions import Caption
from samtta_app.gui.canvas.gestures import is_box
from samtta_app.gui.canvas.markers import (
    ACCEPTED,
    FROZEN_STYLE,
    PREVIEW,
    SELECTED,
    ClickItem,
    FrameItem,
    MaskItem,
    MaskStyle,
    PlaceItem,
    UncertaintyItem,
    crosshair,
)
from samtta_app.gui.canvas.overlay import pixel_rect, scale_of
from samtta_app.gui.canvas.tiles import ImageItem
from samtta_app.gui.canvas.zoom import ZoomView
from samtta_app.gui.controller import Controller
from samtta_app.gui.widgets.theme import GRID, class_colour, current
from samtta_app.session import acts
from samtta_app.session.state import Preview, State
from samtta_app.session.workflow.overlays import MEASURING, overlay_of

_WHOLE = 0.98
"""A view that shows this share of the image's width and height shows the whole image."""

ANNOTATIONS, CHOSEN, VIEW, MAP, MASK, BOX, _CLICKS, _BAND = range(1, 9)
"""What lies above what."""

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


class Canvas(ZoomView):
    """The image, its masks, and the mouse.

    Left click includes, right or Shift + left excludes, a left drag is a box, Ctrl + left selects; the middle button or
    Space with the left one moves the picture; Space by itself accepts.

    Signals:
        hovered(float, float): the pointer is at this image point (which may lie outside the image); nan when it has left.
        zoomed(float): screen pixels per image pixel.
    """

    hovered = Signal(float, float)

    def __init__(self, controller: Controller) -> None:
        scene = QGraphicsScene()
        super().__init__(scene)
        scene.setParent(self)
        scene.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self._controller, self._state = controller, controller.state
        self._image = ImageItem()
        self._window_frame, self._box_frame, self._band = FrameItem(0.45), FrameItem(1.0), FrameItem(1.0)
        for item, depth in ((self._image, 0), (self._window_frame, VIEW), (self._box_frame, BOX), (self._band, _BAND)):
            item.setZValue(depth)
            scene.addItem(item)
        self._annotations: dict[int, tuple[Annotation, MaskItem]] = {}
        self._passing: list[QGraphicsItem] = []
        self._map: UncertaintyItem | None = None
        self._mapped: FloatArray | None = None
        self._press: QPointF | None = None
        self._grip: QPoint | None = None
        self._space = self._space_used = False
        self._label, self._empty = Caption(self), Caption(self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setAccessibleName("Image")
        self._point()
        self._repaint_ground()
        self._rebuild(self._state)

    # --- showing ------------------------------------------------------------------------------------------------------

    def show_state(self, state: State) -> None:
        """Show `state`; only what changed is touched."""
        before, self._state = self._state, state
        if state.image is not before.image:
            self._rebuild(state)
            return
        if (state.annotations, state.selected, state.classes) != (before.annotations, before.selected, before.classes):
            self._show_annotations(state)
        self._show_display(state)
        if state.preview is not before.preview or _look(state) != _look(before):
            self._show_preview(state)
        self._show_map(state)
        self._show_words(state)

    def view_window(self) -> Window | None:
        """The part of the image on the screen; None when it is (nearly) all, or there is no image."""
        image = self._state.image
        if image is None:
            return None
        seen = self.visible_rect().intersected(pixel_rect(image.whole))
        x, y = max(round(seen.left() + 0.5), 0), max(round(seen.top() + 0.5), 0)
        width, height = min(round(seen.width()), image.width - x), min(round(seen.height()), image.height - y)
        if width < 1 or height < 1 or (width >= _WHOLE * image.width and height >= _WHOLE * image.height):
            return None
        return Window(x, y, width, height)

    def _rebuild(self, state: State) -> None:
        for _, item in self._annotations.values():
            self.scene().removeItem(item)
        self._annotations.clear()
        self._image.set_image(state.image)
        self._drop_drag()
        self.set_extent(pixel_rect(state.image.whole) if state.image is not None else QRectF())
        self._show_annotations(state)
        self._show_display(state)
        self._show_preview(state)
        self._show_map(state)
        self._show_words(state)

    def _show_annotations(self, state: State) -> None:
        shown = state.annotations if state.image is not None else ()
        for gone in self._annotations.keys() - {a.id for a in shown}:
            self.scene().removeItem(self._annotations.pop(gone)[1])
        for annotation in shown:
            colour = _colour(state, annotation.class_id)
            style = SELECTED if annotation.id == state.selected else ACCEPTED
            old, item = self._annotations.get(annotation.id, (None, None))
            if item is None or old is None or old.mask is not annotation.mask:
                if item is not None:
                    self.scene().removeItem(item)
                item = MaskItem(annotation.mask, colour, style)
                self.scene().addItem(item)
            item.set_look(colour, style)
            item.setZValue(CHOSEN if style is SELECTED else ANNOTATIONS)
            self._annotations[annotation.id] = (annotation, item)

    def _show_display(self, state: State) -> None:
        for _, item in self._annotations.values():
            item.setVisible(state.display.masks)

    def _show_preview(self, state: State) -> None:
        for item in self._passing:
            self.scene().removeItem(item)
        self._passing = []
        preview = state.preview if state.image is not None else None
        window = preview.window if preview else None
        whole = window is None or state.image is None or window == state.image.whole
        self._window_frame.show_rect(None if window is None or whole else pixel_rect(window))
        self._box_frame.show_rect(_rect(preview.box) if preview is not None and preview.box is not None else None)
        if preview is None:
            return
        shown, style = _shown(state, preview)
        if shown is not None:
            self._add(MaskItem(shown.mask, _colour(state, state.current_class), style), MASK)
        if preview.advice is not None and preview.advice.place is not None:
            self._add(PlaceItem(preview.advice.place), _CLICKS)
        for click in preview.clicks:
            newest = preview.waiting and click is preview.clicks[-1]
            self._add(ClickItem(click, waiting=newest), _CLICKS)

    def _show_map(self, state: State) -> None:
        overlay = overlay_of(state)
        values = overlay.values if overlay else None
        if values is not self._mapped:
            if self._map is not None:
                self.scene().removeItem(self._map)
            self._map, self._mapped = None, values
            if overlay is not None and overlay.window is not None and values is not None:
                self._map = UncertaintyItem(overlay.window, values, scale_of(overlay))
                self._map.setZValue(MAP)
                self.scene().addItem(self._map)
        if self._map is not None:
            self._map.setOpacity(state.display.opacity)

    def _add(self, item: QGraphicsItem, depth: float) -> None:
        item.setZValue(depth)
        self.scene().addItem(item)
        self._passing.append(item)

    def _show_words(self, state: State) -> None:
        self._label.say(*_comparison(state))
        self._empty.say(*_without_image(state))
        self._place()

    def _place(self) -> None:
        area = self.viewport().geometry()
        self._label.move(area.center().x() - self._label.width() // 2, area.top() + 2 * GRID)
        self._empty.move(area.center() - self._empty.rect().center())

    def _repaint_ground(self) -> None:
        self.setBackgroundBrush(QColor(current().canvas))

    # --- the mouse ----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click, a box or a move."""
        if event.button() == MIDDLE or (event.button() == LEFT and self._space):
            self._drop_drag()
            self._grip, self._space_used = event.position().toPoint(), self._space
            self._point()
        elif event.button() == LEFT:
            self._press = event.position()
        elif event.button() == RIGHT and self._press is None:
            self._click(event.position(), positive=False)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the picture, stretch the box, say where the pointer is."""
        at = event.position()
        if self._grip is not None:
            self.pan(at.toPoint() - self._grip)
            self._grip = at.toPoint()
        elif self._press is not None:
            drawn = _rect(self._stretched(self._press, at)) if self._drawn(self._press, at) else None
            self._band.show_rect(drawn)
        here = self._image_point(at)
        self.hovered.emit(here.x(), here.y())
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture; this is when the controller hears of it."""
        event.accept()
        at, press = event.position(), self._press
        if self._grip is not None and event.button() in (MIDDLE, LEFT):
            self._drop_drag()
        elif event.button() == LEFT and press is not None:
            self._drop_drag()
            if self._drawn(press, at):
                self._controller.do(acts.DrawBox(self._stretched(press, at), self.view_window()))
            elif event.modifiers() & CTRL:
                self._controller.do(acts.Select(self._annotation_at(self._image_point(press))))
            else:
                self._click(press, positive=not event.modifiers() & SHIFT)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The second press of two quick clicks is a press like the first."""
        self.mousePressEvent(event)

    def _click(self, position: QPointF, *, positive: bool) -> None:
        if self._state.image is not None:
            point = self._image_point(position)
            self._controller.do(acts.PlaceClick(Click(point.x(), point.y(), positive), self.view_window()))

    def _image_point(self, position: QPointF) -> QPointF:
        inverted, _ = self.viewportTransform().inverted()
        return inverted.map(position)

    def _drawn(self, press: QPointF, at: QPointF) -> bool:
        """Whether a box was drawn between two viewport points."""
        return self._state.image is not None and is_box(at - press, self.zoom / self.devicePixelRatioF())

    def _stretched(self, press: QPointF, at: QPointF) -> Box:
        """The box between two viewport points, cut to the image."""
        corners = QRectF(self._image_point(press), self._image_point(at)).normalized()
        image = self._state.image
        right, bottom = (image.width - 1.0, image.height - 1.0) if image is not None else (0.0, 0.0)
        xs = [min(max(x, 0.0), right) for x in (corners.left(), corners.right())]
        ys = [min(max(y, 0.0), bottom) for y in (corners.top(), corners.bottom())]
        return Box(xs[0], ys[0], xs[1], ys[1])

    def _annotation_at(self, point: QPointF) -> int | None:
        found = [a.id for a in self._state.annotations if holds(a.mask, point.x(), point.y())]
        return found[-1] if found else None

    def _drop_drag(self) -> None:
        self._press = self._grip = None
        self._band.show_rect(None)
        self._point()

    def _point(self) -> None:
        """Set the pointer's shape."""
        if self._grip is not None:
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._space:
            self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
        elif self._state.image is None:
            self.viewport().setCursor(Qt.CursorShape.ArrowCursor)
        else:
            self.viewport().setCursor(crosshair(self.devicePixelRatioF()))

    # --- keys and Qt's other hooks ------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space turns the left button into a hand; every other key belongs to the window's actions."""
        if event.key() != Qt.Key.Key_Space:
            event.ignore()
            return
        if not event.isAutoRepeat():
            self._space, self._space_used = True, False
            self._point()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """A Space that moved nothing accepts."""
        if event.key() != Qt.Key.Key_Space:
            event.ignore()
        elif not event.isAutoRepeat() and self._space:
            self._space = False
            self._point()
            if not self._space_used and self._state.preview is not None:
                self._controller.do(acts.Accept())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Nothing stays held when the keyboard goes elsewhere."""
        super().focusOutEvent(event)
        self._space = False
        self._drop_drag()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Keys go to the canvas when the pointer comes to it, unless a text is being typed."""
        super().enterEvent(event)
        typing = self.window().focusWidget()
        if not (isinstance(typing, QLineEdit) and typing.text()):
            self.setFocus(Qt.FocusReason.MouseFocusReason)

    def leaveEvent(self, event: QEvent) -> None:
        """The pointer is nowhere."""
        super().leaveEvent(event)
        self.hovered.emit(float("nan"), float("nan"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the words in their places."""
        super().resizeEvent(event)
        self._place()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._repaint_ground()


def _shown(state: State, preview: Preview) -> tuple[Candidate | None, MaskStyle]:
    """The candidate on the screen: the preview's, or while comparing the frozen twin's."""
    comparing = state.display.compare and preview.frozen is not None
    shown, style = (preview.frozen, FROZEN_STYLE) if comparing else (preview.candidate, PREVIEW)
    return shown, replace(style, fill=0.0) if _covered(state) else style  # a map's colours must be readable


def _covered(state: State) -> bool:
    """Whether a map is shown, or will be."""
    overlay = overlay_of(state)
    return overlay is not None and (overlay.values is not None or overlay.reason == MEASURING)


def _look(state: State) -> tuple[object, ...]:
    """What the preview's look depends on, beside itself."""
    return state.display.compare, _covered(state), state.classes, state.current_class


def _comparison(state: State) -> tuple[str, str]:
    """What the label of the comparison says."""
    preview = state.preview
    if not state.display.compare or state.image is None:
        return "", ""
    if preview is None or preview.candidate is None:
        return "Nothing to compare yet", "Click on an object first"
    if preview.frozen is None:
        return "Asking the original model…", ""
    return "Original model", f"instead of version {preview.weights_version}"


def _without_image(state: State) -> tuple[str, str]:
    """What is said in the middle where there is no image."""
    if state.image is not None:
        return "", ""
    if not 0 <= state.index < len(state.images):
        return "No image", "Open a folder of images"
    entry = state.images[state.index]
    if entry.status == "unreadable":
        return f"{entry.name} cannot be shown", entry.text or "Choose another image in the list"
    return f"Reading {entry.name}…", ""


def _colour(state: State, class_id: int) -> QColor:
    """The colour of a class."""
    return class_colour(next((c.colour for c in state.classes if c.id == class_id), 0))


def _rect(box: Box) -> QRectF:
    """A box as its pixels cover the image: corners are included."""
    return QRectF(box.x0 - 0.5, box.y0 - 0.5, box.x1 - box.x0 + 1, box.y1 - box.y0 + 1)
