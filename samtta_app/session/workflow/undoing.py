"""The workflow's part that undoes and redoes; an entry of another image has that image opened first."""

from __future__ import annotations

from dataclasses import replace

from samtta_app.phrases import Phrase
from samtta_app.session.workflow import draft as drafts
from samtta_app.session.workflow import giving_up
from samtta_app.session.workflow.annotating import Annotating
from samtta_app.session.workflow.choosing import choose_again, take_back_choice
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.draft import Draft
from samtta_app.session.workflow.history import (
    Accepted,
    Cancelled,
    ClassAdded,
    ClassesChanged,
    ClassRenamed,
    Deleted,
    Emptied,
    Entry,
    Exchanged,
    Judged,
    Noted,
    OutlineChosen,
    Prompted,
    Rated,
    Relabelled,
    Reviewed,
)
from samtta_app.session.workflow.image_opening import ImageOpener
from samtta_app.session.workflow.judging import Judging
from samtta_app.session.workflow.object_acts import Objects
from samtta_app.session.workflow.under_way import Then

_WORDS: dict[type[Entry], str] = {
    Prompted: "step",
    Accepted: "accept",
    Exchanged: "merge or cut",
    Cancelled: "preview",
    Deleted: "deletion",
    Relabelled: "class change",
    Reviewed: "second look",
    Rated: "rating",
    Judged: "verdict",
    ClassAdded: "new class",
    ClassRenamed: "new name",
    ClassesChanged: "change of the classes",
    Noted: "note",
    Emptied: "mark of an empty image",
    OutlineChosen: "choice between two masks",
}
"""What an entry is called in messages."""


class Undoing:
    """Undo and redo; the store is changed first, and if that fails nothing else changes."""

    def __init__(
        self,
        desk: SessionContext,
        browsing: ImageOpener,
        annotating: Annotating,
        objects: Objects,
        judging: Judging,
    ) -> None:
        self._desk, self._browsing, self._annotating = desk, browsing, annotating
        self._objects, self._judging = objects, judging

    def undo(self) -> Requests:
        """Undo the newest entry."""
        history = self._desk.history
        entry = history.newest()
        if entry is None:
            self._desk.say("info", "There is nothing to undo")
            return ()
        if not self._here(entry):
            return self._go(entry, "undo")
        if isinstance(entry, Prompted):
            return self.remove_step()
        requests = self._undo(entry)
        if isinstance(entry, Accepted | Cancelled):
            history.done.extend(entry.steps)
            requests += self._take_up(entry.draft)
        return requests

    def redo(self) -> Requests:
        """Do again what was undone last."""
        history = self._desk.history
        entry = history.newest_undone()
        if entry is None:
            self._desk.say("info", "There is nothing to redo")
            return ()
        if not self._here(entry):
            return self._go(entry, "redo")
        if isinstance(entry, Prompted):
            return self._redo_step(entry)
        if isinstance(entry, Accepted | Cancelled):
            requests = self._redo(entry)  # first: where it cannot be stored the preview stays
            newest = history.done.pop()
            history.take_steps()
            history.done.append(newest)
            self._desk.put(None)
            return requests
        return self._redo(entry)

    def remove_step(self) -> Requests:
        """Take the newest click or box of the draft back, with what was shown before it."""
        desk, draft = self._desk, self._desk.draft
        if draft is None or desk.history.newest_step() is None:
            desk.say("info", "There is no click to remove")
            return ()
        before = desk.history.withdraw_step(draft)
        if before is not None:
            worked = drafts.touched(draft, desk.now(), desk.idle)
            before = replace(before, seconds=worked.seconds, touched=worked.touched)
        return self._put(before)

    def resume(self) -> Requests:
        """Show the object again that was being annotated when the last run was cut off, on its image."""
        history = self._desk.history
        step = history.newest_step() if self._desk.draft is None else None
        if step is None:
            return ()
        if step[1].image == self._desk.image_name():
            return self._take_up(step[1].after)
        history.take_steps()  # its image is not shown: the object is given up
        return ()

    def without_image(self, then: Then) -> Requests:
        """Undo or redo the entry whose image cannot be read, as far as that can be done without showing it."""
        desk, history = self._desk, self._desk.history
        stack, entry = (history.done, history.newest()) if then == "undo" else (history.undone, history.newest_undone())
        if entry is None:
            return ()
        if isinstance(entry, Prompted | Cancelled):
            stack.pop()
            desk.say(
                "warning",
                Phrase(
                    "{image} cannot be read: the {words} there was skipped",
                    image=entry.image,
                    words=Phrase(_WORDS[type(entry)]),
                ),
            )
            return ()
        requests = self._undo(entry) if then == "undo" else self._redo(entry)
        desk.say(
            "warning",
            Phrase(
                "{image} cannot be read: the {words} there was undone without showing it"
                if then == "undo"
                else "{image} cannot be read: the {words} there was redone without showing it",
                image=entry.image,
                words=Phrase(_WORDS[type(entry)]),
            ),
        )
        return requests

    def _redo_step(self, entry: Prompted) -> Requests:
        desk = self._desk
        desk.history.undone.pop()
        desk.history.done.append(replace(entry, before=desk.draft))
        return self._take_up(entry.after)

    def _undo(self, entry: Entry) -> Requests:
        """Take an entry back in the store and on the screen, and move it to what was undone."""
        desk, objects = self._desk, self._objects
        requests: Requests = ()
        match entry:
            case Accepted(annotation=annotation, replaced=replaced):
                requests = objects.exchange((annotation,), replaced, learn=False)
                desk.change(current_class=annotation.class_id)
            case Exchanged(gone=gone, come=come):
                requests = objects.exchange(come, gone, learn=False)
            case Deleted(annotation=annotation, given_up=given_up):
                giving_up.take_back(desk, given_up)  # first: it may be done twice, where the other fails
                requests = objects.exchange((), (annotation,), learn=False)
            case Cancelled(given_up=given_up):
                giving_up.take_back(desk, given_up)
            case Relabelled(annotation_id=annotation_id, before=class_id):
                requests = objects.relabel(annotation_id, class_id)
            case Reviewed(annotation_id=annotation_id):
                objects.review(annotation_id, reviewed=False)
                objects.select(annotation_id)
            case Rated(annotation_id=annotation_id, before=value):
                objects.rate(annotation_id, value)
            case Judged():
                requests = self._judging.take_back(entry)
            case ClassAdded() if not objects.remove_class(entry):
                desk.history.done.pop()
                desk.say("warning", Phrase("The class {name} has objects: it stays", name=entry.added.name))
                return ()
            case ClassRenamed(class_id=class_id, before=name):
                objects.name_class(class_id, name)
            case ClassesChanged(before=classes, moves=moves, current=current):
                requests = objects.put_classes(classes, ((number, old) for number, old, _ in moves), current)
            case Noted(annotation_id=annotation_id, before=note):
                requests = objects.put_note(annotation_id, note)
            case Emptied(image=image, empty=empty):
                objects.put_empty(image, not empty)
            case OutlineChosen():
                requests = take_back_choice(desk, objects, entry)
        desk.history.undone.append(desk.history.done.pop())
        return requests

    def _redo(self, entry: Entry) -> Requests:
        """Do an entry again in the store and on the screen, and move it to what was done."""
        desk, objects = self._desk, self._objects
        requests: Requests = ()
        match entry:
            case Accepted(annotation=annotation, replaced=replaced):
                requests = objects.exchange(replaced, (annotation,), learn=True)
            case Exchanged(gone=gone, come=come):
                requests = objects.exchange(gone, come, learn=True)
            case Deleted(annotation=annotation, given_up=given_up):
                requests = objects.withdraw(annotation)
                giving_up.give_up_again(desk, given_up)
            case Cancelled(given_up=given_up):
                giving_up.give_up_again(desk, given_up)
            case Relabelled(annotation_id=annotation_id, after=class_id):
                requests = objects.relabel(annotation_id, class_id)
            case Reviewed(annotation_id=annotation_id):
                objects.review(annotation_id, reviewed=True)
            case Rated(annotation_id=annotation_id, after=value):
                objects.rate(annotation_id, value)
            case Judged():
                requests = self._judging.judge_again(entry)
            case ClassAdded():
                objects.return_class(entry)
            case ClassRenamed(class_id=class_id, after=name):
                objects.name_class(class_id, name)
            case ClassesChanged(after=classes, moves=moves, then=current):
                requests = objects.put_classes(classes, ((number, new) for number, _, new in moves), current)
            case Noted(annotation_id=annotation_id, after=note):
                requests = objects.put_note(annotation_id, note)
            case Emptied(image=image, empty=empty):
                objects.put_empty(image, empty)
            case OutlineChosen():
                requests = choose_again(desk, objects, entry)
        desk.history.done.append(desk.history.undone.pop())
        return requests

    def _take_up(self, draft: Draft) -> Requests:
        return self._put(drafts.resting(draft, self._desk.now()))

    def _put(self, draft: Draft | None) -> Requests:
        """Show a draft as it was; a newest click that was never answered is asked again."""
        self._desk.put(draft)
        if draft is not None and draft.preview.waiting:
            return self._annotating.ask(draft)
        return self._annotating.compare()

    def _here(self, entry: Entry) -> bool:
        return not entry.image or (self._desk.state.image is not None and self._desk.image_name() == entry.image)

    def _go(self, entry: Entry, then: Then) -> Requests:
        """Open the entry's image; where it is known that it cannot be shown, go on without it."""
        images = self._desk.state.images
        place = next((k for k, image in enumerate(images) if image.name == entry.image), None)
        if place is None or images[place].status == "unreadable":
            return self.without_image(then)
        return self._browsing.open(place, then)
