"""The review in the table of actions: through the queue, verdicts, and another annotator's project."""

from __future__ import annotations

from collections.abc import Callable

from samtta_app.gui.actions import enabling
from samtta_app.gui.actions.action_row import ActionRow, ActionTarget
from samtta_app.session import review_acts
from samtta_app.session.review_acts import OnReview
from samtta_app.session.state import State


def _reviews(act: OnReview) -> Callable[[ActionTarget], object]:
    return lambda desk: desk.controller.do(act)


def queued(state: State | None) -> bool:
    """Something waits to be looked at."""
    return state is not None and state.rating is None and (enabling.reviewable(state) or bool(state.review.items))


def comparing(state: State | None) -> bool:
    """Another annotator's project is compared."""
    return state is not None and bool(state.review.other)


def choosable(state: State | None) -> bool:
    """There are two annotators' outlines to choose from."""
    return comparing(state) and enabling.writable(state) and queued(state)


def can_confirm(state: State | None) -> bool:
    """A mask can be said to be right, or to be the one that is kept."""
    return choosable(state) if comparing(state) else enabling.selected(state)


def can_reject(state: State | None) -> bool:
    """A mask can be said to be wrong."""
    return enabling.selected(state) and not comparing(state)


REVIEW_ACTIONS: tuple[ActionRow, ...] = (
    ActionRow(
        "review",
        "Next mask that needs a second look",
        "Edit",
        "R",
        "caret-right",
        _reviews(review_acts.NextReview()),
        queued,
        divides=True,
        short="Next",
    ),
    ActionRow(
        "review_back",
        "Previous mask that needs a second look",
        "Edit",
        "Alt+R",
        "caret-left",
        _reviews(review_acts.NextReview(-1)),
        queued,
        short="Back",
    ),
    ActionRow(
        "confirm_review",
        "The selected mask is right: keep it",
        "Edit",
        "Y; Shift+R",
        "check-circle",
        _reviews(review_acts.ConfirmReview()),
        can_confirm,
        short="Right",
    ),
    ActionRow(
        "fix_review",
        "Correct the selected mask, then it is right",
        "Edit",
        "Q",
        "pencil-simple",
        _reviews(review_acts.FixReview()),
        enabling.selected,
        short="Fix",
    ),
    ActionRow(
        "reject_review",
        "The selected mask is wrong: delete it",
        "Edit",
        "Shift+Q",
        "x-circle",
        _reviews(review_acts.RejectReview()),
        can_reject,
        short="Wrong",
    ),
    ActionRow(
        "take_theirs",
        "Take the other annotator's mask in its place",
        "Edit",
        "Z",
        "swap",
        _reviews(review_acts.ChooseOutline("theirs")),
        choosable,
        short="Theirs",
    ),
    ActionRow(
        "keep_both",
        "Keep both annotators' masks",
        "Edit",
        "Shift+Z",
        "copy",
        _reviews(review_acts.ChooseOutline("both")),
        choosable,
        short="Both",
    ),
)

COMPARE_ACTIONS: tuple[ActionRow, ...] = (
    ActionRow(
        "compare_project",
        "Compare with another project…",
        "File",
        "",
        "",
        lambda desk: desk.open_dialog("compare_project"),
        enabling.opened,
    ),
    ActionRow(
        "agreement",
        "Agreement with the other annotator…",
        "File",
        "",
        "table",
        lambda desk: desk.open_dialog("agreement"),
        comparing,
        short="Table",
    ),
    ActionRow(
        "end_comparison",
        "End the comparison",
        "File",
        "",
        "x",
        _reviews(review_acts.EndComparison()),
        comparing,
        short="End",
    ),
)
