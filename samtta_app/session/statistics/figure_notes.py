"""What must be said beside the session's figures, in the window, in files and on the command line."""

from __future__ import annotations

import math

from samtta_app.session.state import SideFigures, Statistics

TWINS_NOTE = (
    "Both sides are judged on the accepted masks, which the adapted decoder helped to make. That favours learning: read "
    "a small lead with care. Control objects compare without this."
)
"""What the comparison of the two sides cannot say."""

ATTEMPTS_NOTE = (
    "Figures of all attempts also count objects that were given up: cancelled, left, closed or deleted right after the "
    "accept. Each counts as failed, with the limit as its clicks."
)
"""What the figures with given-up objects count."""

CONTROLS_NOTE = (
    "Control objects were answered by the original model, by a draw that the user did not see until the accept. "
    "Differences are with learning minus control, with a 95 % interval. A given-up object counts with 20 clicks."
)
"""What the comparison with control objects counts."""

BY_HAND_NOTE = (
    "Each stroke, polygon or change of shape by hand counts as one click. The column by_hand counts these steps, and the "
    "kind of each step stands in clicks.csv. The replays of both sides use clicks alone. An object shaped by hand that neither "
    "side reaches by clicks counts as failed in NoC and FR. The curve and the sentence leave it out, as it tells no difference."
)
"""What is counted of work by hand."""


def figures_in_brief(figures: Statistics) -> str:
    """The user's own clicks to IoU .85 and failures, for accepted objects and for all attempts, in one line."""
    accepted, every = figures.user, figures.attempts.user
    return (
        f"Your clicks to 85 % fit: {_clicks(accepted)} over accepted objects ({accepted.objects}), "
        f"{_clicks(every)} over all attempts ({every.objects}, given up: {figures.attempts.given_up}){_by_hand(figures)}"
    )


def _by_hand(figures: Statistics) -> str:
    return f"; {figures.by_hand} changed by hand" if figures.by_hand else ""


def _clicks(side: SideFigures) -> str:
    if math.isnan(side.noc_85):
        return "no figure"
    return f"{side.noc_85:.1f} ({side.fr_20_85 * 100:.0f} % not reached)"
