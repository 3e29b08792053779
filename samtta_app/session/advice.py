"""The advice of the uncertainty heads, given when the expected gain is worth an act of the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from samtta_app.core.next_click import suggested_click
from samtta_app.core.types import Candidate, Click, Gaps, Logits
from samtta_app.phrases import Phrase

AdvisedAct = Literal["click", "candidate", "larger"]

_WORDS: dict[AdvisedAct, str] = {
    "click": "One more click may help: up to {gain}",
    "candidate": "Another mask may fit better: about {gain}",
    "larger": "The larger model may do better: about {gain}",
}
"""Words with the gain. The gain of clicks is expected of eight clicks, so one click brings at most that."""

RINGED = "One more click may help: up to {gain}, where the ring is"


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do next, its expected gain in IoU, and for a click the place."""

    act: AdvisedAct
    gain: float
    place: Click | None = None

    @property
    def text(self) -> str:
        """For the user, with the gain in points of a hundred."""
        template = RINGED if self.place is not None else _WORDS[self.act]
        return Phrase(template, gain=f"+{self.gain * 100:.0f} %")


def advice(
    candidates: tuple[Candidate, ...], chosen: int, clicks: tuple[Click, ...], worth: Gaps | None, *, larger: bool
) -> Advice | None:
    """The step with the highest expected gain; None where no gain reaches its minimum.

    Args:
        candidates: the newest answer.
        chosen: which of them is shown.
        clicks: the clicks so far.
        worth: minimum gaps for giving advice.
        larger: whether the larger model has already answered; it is then not offered again.
    """
    shown = candidates[chosen] if candidates else None
    if shown is None or shown.gaps is None or worth is None or not shown.mask.area:
        return None
    gaps = shown.gaps
    possible: list[tuple[float, AdvisedAct]] = []
    if gaps.prompt >= worth.prompt:
        possible.append((gaps.prompt, "click"))
    if gaps.task >= worth.task and len(candidates) > 1:
        possible.append((gaps.task, "candidate"))
    if gaps.model >= worth.model and not larger:
        possible.append((gaps.model, "larger"))
    if not possible:
        return None
    gain, act = max(possible)
    if act != "click":
        return Advice(act, gain)
    return Advice(act, gain, suggested_click(Logits(shown.logits.window, shown.entropy), shown.mask, clicks))
