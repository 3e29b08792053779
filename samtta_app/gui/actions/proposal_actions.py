"""Proposals in the table of actions: searches, and verdicts on what they find."""

from __future__ import annotations

from collections.abc import Callable

from samtta_app.gui.actions import enabling
from samtta_app.gui.actions.action_row import ActionRow, ActionTarget
from samtta_app.session import acts, proposal_acts
from samtta_app.session.acts import UserAct
from samtta_app.session.state import State


def _asks(act: UserAct) -> Callable[[ActionTarget], object]:
    return lambda desk: desk.controller.do(act)


def _lasso(desk: ActionTarget) -> None:
    desk.controller.do(acts.UseTool("prompt" if desk.state.display.tool == "lasso" else "lasso"))


def can_search(state: State | None) -> bool:
    """Masks can be looked for: an image is shown, and no search is under way."""
    return enabling.drawable(state) and state is not None and state.proposals.share is None


def can_search_alike(state: State | None) -> bool:
    """An object is selected to look for more of its kind."""
    return can_search(state) and state is not None and state.selected is not None


def is_searching(state: State | None) -> bool:
    """A search is under way."""
    return state is not None and state.proposals.share is not None


def has_proposals(state: State | None) -> bool:
    """There are proposals, and no mask waits for its accept."""
    return enabling.drawable(state) and state is not None and state.preview is None and bool(state.proposals.shown)


PROPOSAL_ACTIONS: tuple[ActionRow, ...] = (
    ActionRow(
        "find_masks",
        "Find masks",
        "Propose",
        "Ctrl+F",
        "sparkle",
        _asks(proposal_acts.FindMasks()),
        can_search,
        short="Find",
    ),
    ActionRow(
        "find_alike",
        "Find more like the selected object",
        "Propose",
        "Ctrl+Shift+F",
        "intersect",
        _asks(proposal_acts.FindAlike()),
        can_search_alike,
        short="Alike",
    ),
    ActionRow(
        "review_boxes",
        "Boxes of a detector…",
        "Propose",
        "",
        "bounding-box",
        lambda desk: desk.open_dialog("boxes"),
        can_search,
        short="Boxes…",
    ),
    ActionRow(
        "stop_finding",
        "Stop the search",
        "Propose",
        "Ctrl+.",
        "stop",
        _asks(proposal_acts.StopFinding()),
        is_searching,
        short="Stop",
    ),
    ActionRow(
        "next_proposal",
        "Next proposal",
        "Propose",
        ".",
        "",
        _asks(proposal_acts.NextProposal(1)),
        has_proposals,
        divides=True,
    ),
    ActionRow(
        "previous_proposal",
        "Previous proposal",
        "Propose",
        ",",
        "",
        _asks(proposal_acts.NextProposal(-1)),
        has_proposals,
    ),
    ActionRow(
        "accept_proposal",
        "Accept the proposal",
        "Propose",
        "W",
        "check-circle",
        _asks(proposal_acts.JudgeProposals()),
        has_proposals,
        short="Accept",
    ),
    ActionRow(
        "reject_proposal",
        "Reject the proposal",
        "Propose",
        "S",
        "x-circle",
        _asks(proposal_acts.JudgeProposals(accept=False)),
        has_proposals,
        short="Reject",
    ),
    ActionRow(
        "lasso",
        "Lasso for proposals",
        "Propose",
        "O",
        "scribble-loop",
        _lasso,
        enabling.drawable,
        lambda state, settings: state is not None and state.display.tool == "lasso",
        divides=True,
        short="Lasso",
    ),
)
