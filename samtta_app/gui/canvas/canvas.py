"""The canvas: shows the image with everything drawn over it, and gives the mouse to a tool.

The only place that knows about screen pixels. Scene coordinates are image coordinates: (0, 0) is the middle of the
top-left pixel.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QGraphicsScene, QLineEdit

from samtta_app.core.types import Window
from samtta_app.gui.canvas.captions import Caption, comparison_words, words_without_image
from samtta_app.gui.canvas.drawn_objects import DrawnObjects
from samtta_app.gui.canvas.drawn_preview import CLICKS, DrawnPreview
from samtta_app.gui.canvas.drawn_proposals import DrawnProposals, place_of_chosen
from samtta_app.gui.canvas.markers import FrameItem
from samtta_app.gui.canvas.overlay import pixel_rect
from samtta_app.gui.canvas.tiles import ImageItem
from samtta_app.gui.canvas.tools import LEFT, MIDDLE, PromptTool, Tool, ToolHand
from samtta_app.gui.canvas.workbench import Workbench
from samtta_app.gui.canvas.zoom import ZoomView
from samtta_app.gui.controller import Controller
from samtta_app.gui.widgets.font_following import follow_font
from samtta_app.gui.widgets.theme import current
from samtta_app.gui.widgets.translation import translated
from samtta_app.session.acts import UserAct
from samtta_app.session.state import State

_WHOLE = 0.98
"""A view that shows this share of the image's width and height shows the whole image."""

_BAND = CLICKS + 1
"""A rubber band lies above all else."""


class Canvas(ZoomView):
    """The image and its masks; the mouse events go to a tool.

    The middle button or Space with the left one moves the picture, whatever the tool.

    Signals:
        hovered(float, float): the image point under the pointer, which may lie outside the image; nan when it has left.
        zoomed(float): screen pixels per image pixel.

    Attributes:
        comparison: says what is compared; the stage lays it on the canvas.
    """

    hovered = Signal(float, float)

    def __init__(self, controller: Controller) -> None:
        scene = QGraphicsScene()
        super().__init__(scene)
        scene.setParent(self)
        scene.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self._controller, self._state = controller, controller.state
        self._image, self._band = ImageItem(), FrameItem(1.0)
        self._band.setZValue(_BAND)
        scene.addItem(self._image)
        scene.addItem(self._band)
        self._objects, self._preview, self.proposals = DrawnObjects(scene), DrawnPreview(scene), DrawnProposals(scene)
        self._hand = ToolHand(self)
        self._tool: Tool = PromptTool(self)
        self.work = Workbench(self, scene, self)
        controller.state_changed.connect(self._take_tool)
        self.installEventFilter(self.work)
        self.zoomed.connect(self.work.refresh)
        self.zoomed.connect(self._objects.note_zoom)
        follow_font(self, self._preview.fit)
        self.comparison, self._empty = Caption(self), Caption(self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setAccessibleName(translated("Image"))
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
        self._show_parts(state)
        if state.proposals.current != before.proposals.current:
            self._bring_to_view(place_of_chosen(state))
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
        self._objects.clear()
        self._preview.clear()
        self._image.set_image(state.image)
        self._drop_drag()
        self.set_extent(pixel_rect(state.image.whole) if state.image is not None else QRectF())
        self._show_parts(state)

    def _show_parts(self, state: State) -> None:
        self._image.set_look(state.display.look)
        self._objects.show_state(state)
        self._preview.show_state(state)
        self.proposals.show_state(state)
        self._show_words(state)

    def _bring_to_view(self, place: QRectF | None) -> None:
        """Move the picture where a place is not on the screen at all."""
        if place is not None and not self.visible_rect().intersects(place):
            away = (place.center() - self.visible_rect().center()) * self.image_scale
            self.pan(-away.toPoint())

    def _show_words(self, state: State) -> None:
        self.comparison.say(*comparison_words(state))
        self._empty.say(*words_without_image(state))
        self._place()

    def _place(self) -> None:
        self._empty.move(self.viewport().geometry().center() - self._empty.rect().center())

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
        self.work.end_stroke()
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
