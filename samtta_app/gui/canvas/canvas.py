"""The canvas: shows the image with everything drawn over it, and gives the mouse to a tool.

The only place that knows about screen pixels. Scene coordinates are image coordinates: (0, 0) is the middle of the
top-left pixel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene, QLineEdit

from samtta_app.core.types import Annotation, Candidate, FloatArray, Mask, Window
from samtta_app.gui.canvas.captions import Caption, comparison_words, words_without_image
from samtta_app.gui.canvas.markers import (
    ACCEPTED,
    FROZEN_STYLE,
    KEPT,
    PREVIEW,
    SELECTED,
    ClickItem,
    FrameItem,
    MapItem,
    MaskItem,
    MaskStyle,
    PlaceItem,
)
from samtta_app.gui.canvas.overlay import box_rect, lesson_image, pixel_rect, scale_of, uncertainty_image
from samtta_app.gui.canvas.tiles import ImageItem
from samtta_app.gui.canvas.tools import LEFT, MIDDLE, PromptTool, Tool, ToolHand
from samtta_app.gui.canvas.workbench import Workbench
from samtta_app.gui.canvas.zoom import ZoomView
from samtta_app.gui.controller import Controller
from samtta_app.gui.widgets.theme import GRID, class_colour, current
from samtta_app.session.acts import PlaceClick, UserAct
from samtta_app.session.state import Preview, State
from samtta_app.session.workflow.overlays import MEASURING, overlay_of

_WHOLE = 0.98
"""A view that shows this share of the image's width and height shows the whole image."""

ANNOTATIONS, CHOSEN, VIEW, MAP, MASK, BOX, _CLICKS, _BAND = range(1, 9)
"""The drawing order, from bottom to top."""


class Canvas(ZoomView):
    """The image and its masks; the mouse events go to a tool.

    The middle button or Space with the left one moves the picture, whatever the tool.

    Signals:
        hovered(float, float): the image point under the pointer, which may lie outside the image; nan when it has left.
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
        self._map: MapItem | None = None
        self._mapped: FloatArray | None = None
        self._hand = ToolHand(self)
        self._tool: Tool = PromptTool(self)
        self.work = Workbench(self, scene, self)
        controller.state_changed.connect(self._take_tool)
        self.installEventFilter(self.work)
        self.zoomed.connect(self.work.refresh)
        self._label, self._empty = Caption(self), Caption(self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setAccessibleName("Image")
        self._point()
        self._repaint_ground()
        self._rebuild(self._state)
        self._take_tool(self._state)

    def use_tool(self, tool: Tool) -> None:
        """Give the mouse to another tool; a gesture that is under way is dropped."""
        self._drop_drag()
        self._tool = tool
        self._point()

    # --- showing ------------------------------------------------------------------------------------------------------

    def show_state(self, state: State) -> None:
        """Show `state`; only what changed is touched."""
        before, self._state = self._state, state
        if state.image is not before.image:
            self._rebuild(state)
            self.work.refresh()
            return
        if _objects(state) != _objects(before):
            self._show_annotations(state)
        self._show_display(state)
        if state.preview is not before.preview or _look(state) != _look(before):
            self._show_preview(state)
        self._show_map(state)
        self._show_words(state)
        self.work.refresh()

    def _take_tool(self, state: State) -> None:
        """Take the tool of the newest state, drawn or not: the next press is its first."""
        tool = self.work.change(state.display.tool)
        if tool is not None:
            self.use_tool(tool)
            self.work.refresh()

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
        edited = state.preview.edits if state.preview is not None else None
        shown = tuple(a for a in state.annotations if a.id != edited) if state.image is not None else ()
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
        self._box_frame.show_rect(box_rect(preview.box) if preview is not None and preview.box is not None else None)
        if preview is None:
            self._show_of_selected(state)
            return
        self._show_kept(state, preview.alternatives, state.current_class)
        shown, style = _shown(state, preview)
        if shown is not None:
            self._add(MaskItem(shown.mask, _colour(state, state.current_class), style), MASK)
        if preview.advice is not None and preview.advice.place is not None:
            self._add(PlaceItem(preview.advice.place), _CLICKS)
        for click in preview.clicks:
            newest = preview.waiting and click is preview.clicks[-1]
            self._add(ClickItem(click, waiting=newest), _CLICKS)
        for act in state.waiting:  # clicks of this object that wait for the answer before them
            if not isinstance(act, PlaceClick):
                break
            self._add(ClickItem(act.click, waiting=True), _CLICKS)

    def _show_of_selected(self, state: State) -> None:
        """Other outlines of the selected object, and its clicks where the map shows what it taught."""
        for annotation in state.annotations if state.image is not None else ():
            if annotation.id == state.selected:
                self._show_kept(state, annotation.alternatives, annotation.class_id)
                for click in annotation.clicks if state.display.overlay == "lesson" else ():
                    self._add(ClickItem(click), _CLICKS)

    def _show_kept(self, state: State, masks: Iterable[Mask], class_id: int) -> None:
        """Outlines that are kept beside the one on the screen."""
        for mask in masks if state.display.masks else ():
            self._add(MaskItem(mask, _colour(state, class_id), KEPT), MASK)

    def _show_map(self, state: State) -> None:
        overlay = overlay_of(state)
        values = overlay.values if overlay else None
        if values is not self._mapped:
            if self._map is not None:
                self.scene().removeItem(self._map)
            self._map, self._mapped = None, values
            if overlay is not None and overlay.window is not None and values is not None:
                lesson = overlay.kind == "lesson"
                colours = lesson_image(values) if lesson else uncertainty_image(values, scale_of(overlay))
                self._map = MapItem(overlay.window, colours, sharp=lesson)
                self._map.setZValue(MAP)
                self.scene().addItem(self._map)
        if self._map is not None:
            self._map.setOpacity(state.display.opacity)

    def _add(self, item: QGraphicsItem, depth: float) -> None:
        item.setZValue(depth)
        self.scene().addItem(item)
        self._passing.append(item)

    def _show_words(self, state: State) -> None:
        self._label.say(*comparison_words(state))
        self._empty.say(*words_without_image(state))
        self._place()

    def _place(self) -> None:
        area = self.viewport().geometry()
        self._label.move(area.center().x() - self._label.width() // 2, area.top() + 2 * GRID)
        self._empty.move(area.center() - self._empty.rect().center())

    def _repaint_ground(self) -> None:
        self.setBackgroundBrush(QColor(current().canvas))

    # --- what tools work on -------------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """What is drawn."""
        return self._state

    @property
    def image_scale(self) -> float:
        """Viewport pixels per image pixel."""
        return self.zoom / self.devicePixelRatioF()

    def image_point(self, position: QPointF) -> QPointF:
        """The image point under a point of the viewport."""
        inverted, _ = self.viewportTransform().inverted()
        return inverted.map(position)

    def show_band(self, rect: QRectF | None) -> None:
        """Draw a rubber band in image pixels, or take it away."""
        self._band.show_rect(rect)

    def do(self, act: UserAct) -> None:
        """Do what the user asked for."""
        self._controller.do(act)

    # --- the mouse and the keys ---------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a gesture of the hand or of the tool."""
        if self._hand.press(event.position(), event.button()):
            self._tool.drop()
            self._point()
        else:
            self._tool.press(event.position(), event.button(), event.modifiers())
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the gesture, and say where the pointer is."""
        (self._hand if self._hand.grips else self._tool).move(event.position())
        here = self.image_point(event.position())
        self.hovered.emit(here.x(), here.y())
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture."""
        if not self._hand.grips:
            self._tool.release(event.position(), event.button(), event.modifiers())
        elif event.button() in (MIDDLE, LEFT):
            self._drop_drag()
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The second press of two quick clicks is a press like the first."""
        self.mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space turns the left button into a hand; other keys are the tool's, or belong to the window's actions."""
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._hand.space_down()
                self._point()
        elif not self._tool.key(event.key()):
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """A Space that moved nothing is the tool's."""
        if event.key() != Qt.Key.Key_Space:
            event.ignore()
        elif not event.isAutoRepeat():
            typed = self._hand.space_up()
            self._point()
            if typed:
                self._tool.key(Qt.Key.Key_Space)

    def _drop_drag(self) -> None:
        self._hand.let_go()
        self._tool.drop()
        self._point()

    def _point(self) -> None:
        """Set the pointer's shape."""
        shape = self._hand.cursor()
        if shape is None and self._state.image is None:
            shape = Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(self._tool.cursor(self.devicePixelRatioF()) if shape is None else shape)

    # --- Qt's other hooks ---------------------------------------------------------------------------------------------

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """No key stays held when the focus goes elsewhere."""
        super().focusOutEvent(event)
        self._hand.let_go(space=True)
        self._drop_drag()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Keys go to the canvas when the pointer comes to it, unless a text is being typed."""
        super().enterEvent(event)
        typing = self.window().focusWidget()
        if not (isinstance(typing, QLineEdit) and typing.text()):
            self.setFocus(Qt.FocusReason.MouseFocusReason)

    def leaveEvent(self, event: QEvent) -> None:
        """The pointer has left the canvas."""
        super().leaveEvent(event)
        self.work.leave()
        self.hovered.emit(float("nan"), float("nan"))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Ctrl with the wheel is the brush's while there is one."""
        if not self.work.wheel(event):
            super().wheelEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the captions in their places."""
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


def _objects(state: State) -> tuple[object, ...]:
    """What the look of accepted objects depends on; the one that is being changed is not drawn twice."""
    return state.annotations, state.selected, state.classes, state.preview.edits if state.preview is not None else None


def _look(state: State) -> tuple[object, ...]:
    """What the preview's look, or that of the selected object, depends on, apart from the preview."""
    return (
        state.display.compare,
        state.display.masks,
        _covered(state),
        state.classes,
        state.current_class,
        state.selected,
    )


def _colour(state: State, class_id: int) -> QColor:
    """The colour of a class."""
    return class_colour(next((c.colour for c in state.classes if c.id == class_id), 0))
