"""Acts on images in the table of actions, so that each of them has a key: nothing here, search, and the image's menu."""

from __future__ import annotations

from samtta_app.gui.actions import enabling
from samtta_app.gui.actions.action_row import ActionRow, ActionTarget
from samtta_app.session import acts
from samtta_app.session.state import State


def is_marked_empty(state: State | None) -> bool:
    """The open image is marked as done with nothing on it."""
    return state is not None and bool(state.images) and state.images[state.index].empty


def can_be_empty(state: State | None) -> bool:
    """The open image has no objects, or its mark can be taken back."""
    if state is None or state.read_only or state.rating is not None or state.image is None:
        return False
    return is_marked_empty(state) or not state.annotations


def _switch_empty(desk: ActionTarget) -> None:
    """Mark the open image as done with nothing on it, or take that back."""
    desk.controller.do(acts.MarkEmpty(not is_marked_empty(desk.state)))


IMAGE_ACTIONS: tuple[ActionRow, ...] = (
    ActionRow(
        "empty_image",
        "Done: nothing here",
        "Image",
        "T",
        "",
        _switch_empty,
        can_be_empty,
        lambda state, settings: is_marked_empty(state),
        divides=True,
    ),
    ActionRow(
        "find_image",
        "Search the images",
        "Image",
        "/",
        "",
        lambda desk: desk.open_menu("find_image"),
        enabling.opened,
        divides=True,
    ),
    ActionRow(
        "image_menu",
        "Menu of the image",
        "Image",
        "Ctrl+Shift+M",
        "",
        lambda desk: desk.open_menu("image"),
        enabling.opened,
    ),
)
