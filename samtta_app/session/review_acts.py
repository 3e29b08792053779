"""What a user can do in a review, as frozen values; `session/acts.py` has the rest.

A class name here is the act's tag in what is stored, so a released name is never changed.
"""

from __future__ import annotations

from typing import Any

import msgspec

from samtta_app.session.review_list import OutlineVerdict


class NextReview(msgspec.Struct, frozen=True, tag=True):
    """Show the next object of the queue, or with -1 the one before."""

    step: int = 1


class ConfirmReview(msgspec.Struct, frozen=True, tag=True):
    """The selected mask is right; where two annotators are compared, it is the one that is kept."""


class FixReview(msgspec.Struct, frozen=True, tag=True):
    """Take the selected mask up to correct it; once it is accepted, it is right."""


class RejectReview(msgspec.Struct, frozen=True, tag=True):
    """The selected mask is wrong: it is deleted."""


class ChooseOutline(msgspec.Struct, frozen=True, tag=True):
    """Of two annotators' outlines keep this one's, take the other's in its place, or keep both."""

    verdict: OutlineVerdict


class EndComparison(msgspec.Struct, frozen=True, tag=True):
    """Review masks in doubt again, instead of another annotator's."""


OnReview = NextReview | ConfirmReview | FixReview | RejectReview | ChooseOutline | EndComparison
"""Acts on the queue; each may show another image."""

REVIEW_ACT_NAMES: dict[type[Any], str] = {
    NextReview: "next review",
    ConfirmReview: "confirm",
    FixReview: "fix",
    RejectReview: "reject",
    ChooseOutline: "choice between two masks",
    EndComparison: "end of the comparison",
}
"""What each act is called in the status bar and in messages."""
