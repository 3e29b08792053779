"""The workflow's part that has plausible outlines drawn after an answer, and keeps several of them for one object.

They come after the answer, so they never make a click wait. They are drawn by themselves where the prompt leaves the
object open, a single click or a box, and else when the user asks.
"""

from __future__ import annotations

from dataclasses import replace

from samtta_app.core.messages import HypothesesRequest
from samtta_app.core.replies import Failure, Hypotheses
from samtta_app.session.workflow import draft as drafts
from samtta_app.session.workflow.annotating import DRAWN_BY_HAND
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.draft import Draft
from samtta_app.session.workflow.under_way import Drawing

NO_ANSWER = "Click on an object first: plausible outlines are drawn for an answer"
FROM_LARGER = "Plausible outlines are drawn by this model, not by the larger one"
NO_MORE = "This model has no hypotheses to draw: `samtta train hypotheses` makes them"


class Plausible:
    """Asks for hypotheses once for each answer, and never while a click waits for its answer."""

    def __init__(self, desk: SessionContext) -> None:
        self._desk = desk

    def ask(self) -> Requests:
        """The request to send now, where the prompt on the screen leaves the object open."""
        draft = self._desk.draft
        if draft is None or not _open_prompt(draft):
            return ()
        return self._request(draft)

    def draw(self) -> Requests:
        """The user asks for plausible outlines of the answer on the screen, whatever the prompt."""
        draft = self._desk.draft
        answer = draft.preview.answer if draft else None
        if draft is None or answer is None or draft.preview.candidate is None:
            self._desk.say("info", NO_ANSWER)
        elif draft.preview.drawn:
            self._desk.say("info", DRAWN_BY_HAND)
        elif draft.preview.larger:
            self._desk.say("info", FROM_LARGER)
        elif not answer.plausible:
            self._desk.say("info", NO_MORE)
        else:
            return self._request(draft)
        return ()

    def _request(self, draft: Draft) -> Requests:
        desk, preview = self._desk, draft.preview
        answer, shown, image = preview.answer, preview.candidate, desk.seen()
        if answer is None or shown is None or image is None or preview.waiting or preview.larger:
            return ()
        if not answer.plausible or answer is desk.drawing.known or desk.drawing.request_id:
            return ()
        window = shown.logits.window
        request = HypothesesRequest(desk.id(), image, draft.asked, window, shown.mask, frozen=draft.control is True)
        desk.drawing = Drawing(answer, request.id, answer)
        return (request,)

    def answered(self, reply: Hypotheses | Failure) -> None:
        """Put the outlines beside the answer on the screen; those of an older answer are dropped."""
        desk, draft = self._desk, self._desk.draft
        if reply.request_id != desk.drawing.request_id:
            return
        asked, desk.drawing = desk.drawing.asked, replace(desk.drawing, request_id=0, asked=None)
        current = draft.preview.answer if draft is not None and not draft.preview.waiting else None
        if draft is None or current is None or current is not asked:
            return
        if isinstance(reply, Failure) or not reply.cards:
            if not _open_prompt(draft):  # the user asked
                desk.say("info", reply.text if isinstance(reply, Failure) else reply.reason)
            return
        after = drafts.with_hypotheses(draft, reply)
        desk.drawing = Drawing(after.preview.answer)
        desk.put(after)
        desk.history.refresh(after)

    def keep(self) -> Requests:
        """Keep the outline on the screen as an alternative of the object, or no longer."""
        draft = self._desk.draft
        if draft is not None and not draft.preview.waiting and draft.preview.candidate is not None:
            after = drafts.with_alternative(draft, draft.preview.candidate.mask)
            self._desk.put(after)
            self._desk.history.refresh(after)
        return ()


def _open_prompt(draft: Draft) -> bool:
    """Whether the prompt leaves open which object is meant: a single click, or a box alone."""
    return draft.asked.ambiguous or (draft.asked.box is not None and not draft.asked.clicks)
