"""Strokes of brush and eraser: they hold in the answers that follow, until a click says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from samtta_app.core.mask_edits import joined, taken_off, without_part
from samtta_app.core.replies import Answer
from samtta_app.core.types import Candidate, Click, Mask


@dataclass(frozen=True, slots=True, eq=False)
class HeldStrokes:
    """Pixels that were painted, and pixels that were erased; no pixel is both."""

    painted: Mask | None = None
    erased: Mask | None = None

    def with_stroke(self, stroke: Mask, *, erase: bool) -> HeldStrokes:
        """The strokes with one more; it takes the other kind off where both meet."""
        painted, erased = (self.erased, self.painted) if erase else (self.painted, self.erased)
        painted, erased = joined(painted, stroke), erased and taken_off(erased, stroke)
        return HeldStrokes(erased, painted) if erase else HeldStrokes(painted, erased)

    def after_click(self, click: Click) -> HeldStrokes:
        """The strokes without the part that a click contradicts: paint that it excludes, or erased pixels that it includes."""
        if click.positive:
            return replace(self, erased=self.erased and without_part(self.erased, click.x, click.y))
        return replace(self, painted=self.painted and without_part(self.painted, click.x, click.y))

    def within(self, mask: Mask) -> HeldStrokes:
        """The strokes as far as a mask that was changed otherwise still agrees with them."""
        painted = self.painted and taken_off(self.painted, taken_off(self.painted, mask))
        return HeldStrokes(painted, self.erased and taken_off(self.erased, mask))

    def on(self, reply: Answer) -> Answer:
        """An answer with what was painted and without what was erased; its numbers stay the model's."""
        if self.painted is None and self.erased is None:
            return reply
        return replace(reply, candidates=tuple(map(self._on, reply.candidates)))

    def _on(self, candidate: Candidate) -> Candidate:
        mask = candidate.mask if self.painted is None else joined(candidate.mask, self.painted)
        return replace(candidate, mask=mask if self.erased is None else taken_off(mask, self.erased))


NO_STROKES = HeldStrokes()
"""Nothing was drawn."""
