"""The workflow's part that asks for masks and accepts them."""

from __future__ import annotations

from dataclasses import replace

from samtta_app.core.messages import PredictRequest
from samtta_app.core.object_notes import NO_NOTE
from samtta_app.core.replies import Answer
from samtta_app.core.types import Annotation, Box, Click, Window
from samtta_app.session.object_records import WhyGivenUp
from samtta_app.session.project.pictures import picture_of
from samtta_app.session.workflow import draft as drafts
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.draft import Draft
from samtta_app.session.workflow.drawing import taken_up_selected
from samtta_app.session.workflow.giving_up import give_up
from samtta_app.session.workflow.history import Accepted, Cancelled, Prompted

DRAWN_BY_HAND = "The mask was drawn by hand: click, and the model goes on from it"

UNCHANGED = "The object was not changed"

LEAST_BOX = 2.0
"""A box with both sides shorter than this many pixels is an accidental drag."""


class Annotating:
    """From the first click to the accept."""

    def __init__(self, desk: SessionContext) -> None:
        self._desk = desk

    def click(self, click: Click, view: Window | None) -> Requests:
        """Ask with one more click; one outside the image is refused."""
        image = self._desk.state.image
        if image is not None and not image.whole.contains(click.x, click.y):
            self._desk.say("info", "The click lies outside the image")
            return ()
        return self._prompt(click, view)

    def box(self, box: Box, view: Window | None) -> Requests:
        """Ask with a box, cut to the image; it takes the place of an earlier box."""
        image = self._desk.state.image
        if image is None:
            return self._prompt(box, view)
        x0, x1 = sorted(min(max(x, 0.0), image.width - 1.0) for x in (box.x0, box.x1))
        y0, y1 = sorted(min(max(y, 0.0), image.height - 1.0) for y in (box.y0, box.y1))
        beside = max(box.x0, box.x1) < 0 or min(box.x0, box.x1) > image.width - 1
        beyond = max(box.y0, box.y1) < 0 or min(box.y0, box.y1) > image.height - 1
        if beside or beyond or max(x1 - x0, y1 - y0) < LEAST_BOX:
            self._desk.say("info", "The box is too small or lies outside the image")
            return ()
        return self._prompt(Box(x0, y0, x1, y1), view)

    def ask(self, draft: Draft) -> Requests:
        """Send the draft's newest prompt."""
        desk = self._desk
        image = desk.seen()
        if image is None:
            return ()
        desk.comparison = 0
        current = next((c for c in desk.state.classes if c.id == desk.state.current_class), None)
        name, tidy = (current.name, current.tidy) if current else ("", True)
        asked = replace(draft.asked, class_id=desk.state.current_class, class_name=name, tidy=tidy)
        of = (image, asked, draft.window, draft.view)
        request = PredictRequest(desk.id(), *of, larger=draft.larger, frozen=draft.control is True, others=True)
        desk.put(replace(draft, asked=asked, request_id=request.id, sent=desk.now()))
        return (request,)

    def answered(self, reply: Answer) -> Requests:
        """Show an answer; one to an older prompt is dropped."""
        desk = self._desk
        if desk.draft is None:
            return ()
        if reply.twin:
            if reply.request_id == desk.comparison and reply.candidates:
                frozen = reply.candidates[reply.chosen]
                desk.put(replace(desk.draft, preview=replace(desk.draft.preview, frozen=frozen)))
            return ()
        if reply.request_id != desk.draft.request_id or not desk.draft.preview.waiting:
            return ()
        if reply.more:
            desk.put(drafts.with_first_sight(desk.draft, reply))
            return ()
        self._show(drafts.with_answer(desk.draft, reply, desk.now()))
        nothing = drafts.nothing_found(reply)
        if nothing:
            desk.say("info", nothing)
        return self.compare()

    def refused(self, request_id: int, text: str) -> Requests:
        """The engine could not answer: the step is withdrawn (redo asks again), and the previous preview stays."""
        desk = self._desk
        if desk.draft is None or request_id != desk.draft.request_id:
            return ()
        desk.say("error", text, desk.image_name())
        desk.put(desk.history.withdraw_step(desk.draft))
        if desk.draft is not None and desk.draft.preview.waiting:
            return self.ask(desk.draft)
        return ()

    def compare(self) -> Requests:
        """Ask the frozen twin the same, if the user wants to see it and it was not asked yet."""
        desk, draft = self._desk, self._desk.draft
        desk.comparison = 0
        if not desk.state.display.compare or draft is None or (image := desk.seen()) is None or desk.control_share:
            return ()
        preview = draft.preview
        if preview.waiting or preview.drawn or preview.frozen is not None or preview.candidate is None:
            return ()
        request = PredictRequest(desk.id(), image, draft.asked, draft.preview.window, draft.view, twin=True)
        desk.comparison = request.id
        return (request,)

    def next_candidate(self, step: int) -> Requests:
        """Show another candidate of the newest answer."""
        draft = self._desk.draft
        if draft and not draft.preview.waiting and len(draft.preview.candidates) > 1:
            self._show(drafts.with_candidate(draft, step))
        return ()

    def ask_larger(self) -> Requests:
        """Have the larger model answer this object from now on; undo goes back to the first model's answer."""
        desk, before = self._desk, self._desk.draft
        if before is None or before.preview.waiting or before.larger:
            return ()
        if before.preview.drawn:
            desk.say("info", DRAWN_BY_HAND)
            return ()
        waiting = replace(before.preview, waiting=True, advice=None, frozen=None)
        requests = self.ask(replace(before, preview=waiting, larger=True))
        if desk.draft is not None:
            desk.history.push(Prompted(desk.image_name(), before, desk.draft))
        return requests

    def cancel(self, why: WhyGivenUp = "cancelled") -> Requests:
        """Discard the preview, and store it as an object that was given up; undo brings it back.

        An accepted object that was being changed stays as it was, and is selected.
        """
        desk = self._desk
        draft = desk.draft
        if draft is None:
            return ()
        steps = desk.history.take_steps()
        given_up = give_up(desk, draft, why) if draft.edits is None else None
        if steps or draft.edits is None:
            desk.history.push(Cancelled(desk.image_name(), draft, steps, given_up=given_up))
        desk.put(None)
        if draft.edits is not None:
            desk.change(selected=draft.edits.id)
        return ()

    def accept(self, *, ignore: bool = False) -> Annotation | None:
        """Store the shown mask, whose answer is there, or as an ignore region; None when there is nothing to store.

        Raises:
            StoreError: it was not stored; the preview stays.
        """
        desk = self._desk
        draft, image = desk.draft, desk.state.image
        candidate = draft.preview.candidate if draft else None
        if draft is None or image is None:
            desk.say("info", "There is no mask to accept yet: click on an object first")
            return None
        note = draft.edits.note if draft.edits is not None else NO_NOTE
        if draft.edits is not None and not drafts.changed(draft):
            desk.say("info", UNCHANGED)
            self.cancel()
            return None
        if candidate is None or not candidate.mask.area:
            desk.say("warning", "The mask is empty: add a click on the object, or cancel", desk.image_name())
            return None
        draft = drafts.touched(draft, desk.now(), desk.idle)
        name = desk.image_name()
        annotation = drafts.annotation(draft, candidate, name, desk.state.current_class)
        annotation = replace(annotation, picture=picture_of(image), note=replace(note, ignore=note.ignore or ignore))
        saved = desk.store.accept(annotation, image.width, image.height, teaches=desk.learn)
        replaced = (draft.edits,) if draft.edits else ()
        desk.history.push(Accepted(name, saved, draft, desk.history.take_steps(), replaced=replaced))
        desk.put(None)
        return saved

    def _prompt(self, step: Click | Box, view: Window | None) -> Requests:
        desk, before = self._desk, self._desk.draft
        if desk.state.image is None:
            desk.say("info", "The image is not shown yet")
            return ()
        begun = before or taken_up_selected(desk)
        draft = drafts.with_prompt(begun, step, desk.now(), desk.idle, view)
        requests = self.ask(draft if begun else replace(draft, control=desk.draws_control()))
        desk.change(selected=None)
        if desk.draft is not None:
            desk.history.push(Prompted(desk.image_name(), before, desk.draft))
        return requests

    def _show(self, draft: Draft) -> None:
        self._desk.put(draft)
        self._desk.history.refresh(draft)
