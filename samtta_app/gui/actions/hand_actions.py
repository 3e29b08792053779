"""Work by hand in the table of actions: brush, eraser, polygon, and changes of a mask's shape."""

from __future__ import annotations

from collections.abc import Callable

from samtta_app.core.mask_edits import ShapeChange
from samtta_app.gui.actions import enabling
from samtta_app.gui.actions.action_row import ActionRow, ActionTarget
from samtta_app.gui.canvas.hand_tools import next_size
from samtta_app.session import acts
from samtta_app.session.acts import ToolName
from samtta_app.session.state import State
from samtta_app.settings import Settings


def _tool(name: ToolName) -> Callable[[ActionTarget], object]:
    """Take a tool, or put it down where it is in use."""

    def done(desk: ActionTarget) -> None:
        desk.controller.do(acts.UseTool("prompt" if desk.state.display.tool == name else name))

    return done


def _in_use(name: ToolName) -> Callable[[State | None, Settings], bool]:
    return lambda state, settings: state is not None and state.display.tool == name


def _size(steps: float) -> Callable[[ActionTarget], object]:
    return lambda desk: desk.controller.do(acts.UseTool(size=next_size(desk.state.display.size, steps)))


def _shape(change: ShapeChange) -> Callable[[ActionTarget], object]:
    return lambda desk: desk.controller.do(acts.Reshape(change))


_SHAPES: tuple[tuple[ShapeChange, str, str], ...] = (
    ("fill_holes", "Fill holes", "Shift+F"),
    ("drop_crumbs", "Drop crumbs", "Shift+D"),
    ("largest_part", "Keep the largest part", "Shift+L"),
    ("grow", "Grow by a pixel", "Alt+]"),
    ("shrink", "Shrink by a pixel", "Alt+["),
    ("smooth", "Smooth", "Shift+S"),
)

HAND_ACTIONS: tuple[ActionRow, ...] = (
    ActionRow(
        "brush", "Brush", "Draw", "B", "paint-brush", _tool("brush"), enabling.drawable, checked=_in_use("brush")
    ),
    ActionRow(
        "eraser", "Eraser", "Draw", "Shift+B", "eraser", _tool("eraser"), enabling.drawable, checked=_in_use("eraser")
    ),
    ActionRow("smaller_brush", "Smaller brush", "Draw", "[", "", _size(-1), enabling.with_brush),
    ActionRow("larger_brush", "Larger brush", "Draw", "]", "", _size(1), enabling.with_brush),
    ActionRow(
        "polygon", "Polygon", "Draw", "P", "polygon", _tool("polygon"), enabling.drawable, checked=_in_use("polygon")
    ),
    ActionRow("cut", "Cut an object", "Draw", "X", "scissors", _tool("cut"), enabling.drawable, checked=_in_use("cut")),
    *(
        ActionRow(name, text, "Draw", key, "", _shape(name), enabling.shapeable, divides=name == "fill_holes")
        for name, text, key in _SHAPES
    ),
    ActionRow(
        "change",
        "Change the selected object",
        "Draw",
        "M",
        "pencil-simple",
        lambda desk: desk.controller.do(acts.EditSelected()),
        enabling.changeable,
        divides=True,
    ),
    ActionRow(
        "duplicate",
        "Duplicate the object",
        "Draw",
        "Ctrl+D",
        "copy",
        lambda desk: desk.controller.do(acts.Duplicate()),
        enabling.selected,
    ),
    ActionRow(
        "copy_to_next",
        "Copy the object to the next image",
        "Draw",
        "Ctrl+Shift+D",
        "",
        lambda desk: desk.controller.do(acts.CopyToNext()),
        enabling.selected,
    ),
)
