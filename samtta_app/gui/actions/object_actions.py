"""Acts on objects and classes in the table of actions, so that each of them has a key: notes, merging, menus, class files."""

from __future__ import annotations

from dataclasses import replace

from samtta_app.gui.actions import enabling
from samtta_app.gui.actions.action_row import ActionRow, ActionTarget
from samtta_app.session import acts
from samtta_app.session.state import State


def _switch_ignored(desk: ActionTarget) -> None:
    """Make the selected object an ignore region, or an object again."""
    note = enabling.note_of_selected(desk.state)
    if note is not None:
        desk.controller.do(acts.DescribeObject(replace(note, ignore=not note.ignore)))


def _is_ignored(state: State | None) -> bool:
    note = enabling.note_of_selected(state)
    return note is not None and note.ignore


OBJECT_ACTIONS: tuple[ActionRow, ...] = (
    ActionRow(
        "accept_ignored",
        "Accept as an ignore region",
        "Edit",
        "Shift+Return; Shift+Enter",
        "",
        lambda desk: desk.controller.do(acts.Accept(ignore=True)),
        enabling.can_accept,
        divides=True,
    ),
    ActionRow(
        "ignore",
        "Ignore region",
        "Edit",
        "Shift+I",
        "",
        _switch_ignored,
        enabling.selected,
        lambda state, settings: _is_ignored(state),
    ),
    ActionRow(
        "note",
        "Attributes and comment",
        "Edit",
        "Shift+N",
        "",
        lambda desk: desk.open_menu("note"),
        enabling.selected,
    ),
    ActionRow(
        "join",
        "Merge with another object",
        "Edit",
        "J",
        "",
        lambda desk: desk.controller.do(acts.JoinSelected()),
        enabling.selected,
    ),
    ActionRow(
        "object_menu",
        "Menu of the object",
        "Edit",
        "Shift+M",
        "",
        lambda desk: desk.open_menu("object"),
        enabling.selected,
    ),
)

CLASS_ACTIONS: tuple[ActionRow, ...] = (
    ActionRow(
        "class_menu",
        "Menu of the class",
        "Class",
        "Ctrl+M",
        "",
        lambda desk: desk.open_menu("class"),
        enabling.writable,
        divides=True,
    ),
    ActionRow(
        "read_classes",
        "Classes from a file…",
        "Class",
        "",
        "",
        lambda desk: desk.open_menu("read_classes"),
        enabling.writable,
    ),
    ActionRow(
        "write_classes",
        "Classes into a file…",
        "Class",
        "",
        "",
        lambda desk: desk.open_menu("write_classes"),
        enabling.opened,
    ),
)
