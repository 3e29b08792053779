"""Which tool the canvas works with: the state names it, and the tools by hand hear of states, keys and the wheel."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QGraphicsScene

from samtta_app.gui.canvas.hand_items import HandLayer
from samtta_app.gui.canvas.hand_tools import BrushTool, CutTool, HandTool, next_size, show_waiting
from samtta_app.gui.canvas.lasso_tool import LassoTool
from samtta_app.gui.canvas.polygon_tool import PolygonTool
from samtta_app.gui.canvas.tools import PromptTool, Tool, ToolSurface
from samtta_app.session import acts
from samtta_app.session.acts import ToolName

_NOTCH = 120
"""Eighths of a degree of one notch of a mouse wheel."""

_HAND_TOOLS: dict[ToolName, Callable[[ToolSurface, HandLayer], HandTool]] = {
    "brush": partial(BrushTool, erase=False),
    "eraser": partial(BrushTool, erase=True),
    "polygon": PolygonTool,
    "cut": CutTool,
    "lasso": LassoTool,
}
"""The tools that work by hand, and on proposals, by name."""


class Workbench(QObject):
    """The tools of one canvas.

    Args:
        surface: the canvas.
        scene: where strokes, rings and corners are drawn.
        parent: owns this filter of its events, the canvas.
    """

    def __init__(self, surface: ToolSurface, scene: QGraphicsScene, parent: QObject) -> None:
        super().__init__(parent)
        self._surface, self.layer = surface, HandLayer(scene)
        self._name: ToolName = "prompt"
        self._tool: HandTool | None = None

    def change(self, name: ToolName) -> Tool | None:
        """The tool of this name, None where it is the one of before."""
        if name == self._name:
            return None
        before, self._tool, self._name = self._tool, None, name
        if before is not None:
            before.finish()
        self._tool = _HAND_TOOLS[name](self._surface, self.layer) if name in _HAND_TOOLS else None
        return self._tool or PromptTool(self._surface)

    def refresh(self) -> None:
        """The state or the zoom has changed."""
        if self._tool is not None:
            self._tool.refresh()
        if self._name not in ("brush", "eraser", "lasso"):
            self.layer.clear_strokes()
            show_waiting(self._surface.state, self.layer)

    def finish(self) -> None:
        """What is being drawn becomes what it is by now."""
        if self._tool is not None:
            self._tool.finish()

    def end_stroke(self) -> None:
        """The keyboard went elsewhere: a stroke that is under way is not lost."""
        if isinstance(self._tool, BrushTool):
            self._tool.end()

    def leave(self) -> None:
        """The pointer has left the canvas."""
        if self._tool is not None:
            self._tool.leave()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep a key from the window's actions where the tool needs it."""
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent) or self._tool is None:
            return False
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if not plain or not self._tool.takes(event.key()):
            return False
        event.accept()
        return True

    def wheel(self, event: QWheelEvent) -> bool:
        """Ctrl with the wheel changes the brush's size; whether it did."""
        if self._name not in ("brush", "eraser") or not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        turned = event.angleDelta().y() / _NOTCH
        if turned:
            self._surface.do(acts.UseTool(size=next_size(self._surface.state.display.size, turned)))
        event.accept()
        return True
