"""What a user can do with proposals, as frozen values; `session/acts.py` has the rest.

A class name here is the act's tag in what is stored, so a released name is never changed.
"""

from __future__ import annotations

from typing import Any

import msgspec


class FindMasks(msgspec.Struct, frozen=True, tag=True):
    """Look for masks everywhere in the open image, to be proposed."""


class FindAlike(msgspec.Struct, frozen=True, tag=True):
    """Look for objects like the selected one, on this image and on those that are opened next, to be proposed."""


class StopFinding(msgspec.Struct, frozen=True, tag=True):
    """End the search; what was found stays proposed."""


class FilterProposals(msgspec.Struct, frozen=True, tag=True):
    """Show the proposals within limits (`ProposalLimits`); None leaves a limit as it is."""

    pred_iou: float | None = None
    stability: float | None = None
    least_side: float | None = None
    most_side: float | None = None
    border: bool | None = None


class ChooseProposal(msgspec.Struct, frozen=True, tag=True):
    """Make a proposal the one that keys accept or reject."""

    number: int


class NextProposal(msgspec.Struct, frozen=True, tag=True):
    """Go to the next proposal, or with -1 to the one before, in the order of confidence."""

    step: int = 1


class JudgeProposals(msgspec.Struct, frozen=True, tag=True):
    """Accept or reject proposals of `image`: the chosen one, those inside a closed ring, or all `above` a confidence."""

    accept: bool = True
    within: tuple[tuple[float, float], ...] = ()
    above: float | None = None
    image: str = ""


OnProposals = FindMasks | FindAlike | StopFinding | FilterProposals | ChooseProposal | NextProposal
"""Acts on proposals that change no object."""

PROPOSAL_ACT_NAMES: dict[type[Any], str] = {
    FindMasks: "find masks",
    FindAlike: "find more like this",
    StopFinding: "end of the search",
    FilterProposals: "filter",
    ChooseProposal: "choose a proposal",
    NextProposal: "next proposal",
    JudgeProposals: "verdict on proposals",
}
"""What each act is called in the status bar and in messages."""
