"""How image and masks are shown, in the table of actions."""

from __future__ import annotations

from collections.abc import Callable

from samtta_app.gui.actions import enabling
from samtta_app.gui.actions.action_row import ActionRow, ActionTarget
from samtta_app.session import acts
from samtta_app.session.state import State


def _hide(desk: ActionTarget) -> None:
    """Hide the selected object, or show it again."""
    desk.controller.do(acts.Show(hidden=desk.state.display.hidden ^ _selected(desk.state)))


def _send_behind(desk: ActionTarget) -> None:
    """Draw the selected object behind the others, or among them again."""
    desk.controller.do(acts.Show(behind=desk.state.display.behind ^ _selected(desk.state)))


def _selected(state: State) -> frozenset[int]:
    return frozenset() if state.selected is None else frozenset({state.selected})


def _candidate(number: int) -> Callable[[ActionTarget], object]:
    """Show the candidate of a card."""

    def done(desk: ActionTarget) -> None:
        preview = desk.state.preview
        if preview is not None:
            desk.controller.do(acts.NextCandidate(number - 1 - preview.chosen))

    return done


def _has_card(number: int) -> Callable[[State | None], bool]:
    """There is a card with this number, counted from the left."""
    return lambda state: state is not None and state.preview is not None and len(state.preview.candidates) >= number


def _picked(state: State | None) -> bool:
    """An object is selected."""
    return state is not None and state.selected is not None and state.rating is None


def _some_hidden(state: State | None) -> bool:
    return state is not None and bool(state.display.hidden)


CANDIDATE_ACTIONS: tuple[ActionRow, ...] = tuple(
    ActionRow(f"candidate_{n}", f"Show candidate {n}", "Edit", f"Alt+{n}", "", _candidate(n), _has_card(n))
    for n in range(1, 5)
)

DISPLAY_ACTIONS: tuple[ActionRow, ...] = (
    ActionRow(
        "display",
        "Brightness and masks…",
        "View",
        "I",
        "sliders-horizontal",
        lambda desk: desk.open_dialog("display"),
        enabling.pictured,
        divides=True,
    ),
    ActionRow(
        "hover",
        "Mask under the pointer before a click",
        "View",
        "Shift+C",
        "",
        lambda desk: desk.switch_hover(),
        enabling.pictured,
        lambda state, settings: settings.hover != "off",
    ),
    ActionRow(
        "outlines",
        "Outlines only",
        "View",
        "Shift+V",
        "",
        lambda desk: desk.controller.do(acts.Show(outlines=not desk.state.display.outlines)),
        enabling.pictured,
        lambda state, settings: state is not None and state.display.outlines,
    ),
    ActionRow(
        "hide",
        "Hide the selected object",
        "View",
        "H",
        "",
        _hide,
        _picked,
        lambda state, settings: state is not None and state.selected in state.display.hidden,
    ),
    ActionRow(
        "show_hidden",
        "Show all hidden objects",
        "View",
        "Shift+H",
        "",
        lambda desk: desk.controller.do(acts.Show(hidden=frozenset())),
        _some_hidden,
    ),
    ActionRow(
        "behind",
        "Draw the selected object behind the others",
        "View",
        "Ctrl+[",
        "",
        _send_behind,
        _picked,
        lambda state, settings: state is not None and state.selected in state.display.behind,
    ),
)
