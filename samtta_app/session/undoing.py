"""The workflow's part that undoes and redoes; an entry of another image has that image opened first."""

from __future__ import annotations

from dataclasses import replace

from samtta_app.session import draft as drafts
from samtta_app.session.annotating import Annotating
from samtta_app.session.browsing import Browsing
from samtta_app.session.desk import Desk, Requests, Then
from samtta_app.session.draft import Draft
from samtta_app.session.history import Accepted, Cancelled, Deleted, Entry, Prompted, Relabelled
from samtta_app.session.objects import Objects


class Undoing:
    """Undo and redo; the store is changed first, and on its refusal nothing has moved."""

    def __init__(self, desk: Desk, browsing: Browsing, annotating: Annotating, objects: Objects) -> None:
        self._desk, self._browsing, self._annotating, self._objects = desk, browsing, annotating, objects

    def undo(self) -> Requests:
        """Undo the newest entry."""
        history = self._desk.history
        if not history.done:
            self._desk.say("info", "There is nothing to undo")
            return ()
        entry = history.done[-1]
        if not self._here(entry):
            return self._go(entry, "undo")
        if isinstance(entry, Prompted):
            return self._undo_step(entry)
        requests = self._undo(entry)
        history.done.pop()
        history.undone.append(entry)
        if isinstance(entry, Accepted | Cancelled):
            history.done.extend(entry.steps)
            requests += self._take_up(entry.draft)
        return requests

    def redo(self) -> Requests:
        """Do again what was undone last."""
        history = self._desk.history
        if not history.undone:
            self._desk.say("info", "There is nothing to redo")
            return ()
        entry = history.undone[-1]
        if not self._here(entry):
            return self._go(entry, "redo")
        if isinstance(entry, Prompted):
            return self._redo_step(entry)
        requests = self._redo(entry)
        if isinstance(entry, Accepted | Cancelled):
            history.take_steps()
            self._desk.put(None)
        history.undone.pop()
        history.done.append(entry)
        return requests

    def _undo_step(self, entry: Prompted) -> Requests:
        desk, draft = self._desk, self._desk.draft
        desk.history.done.pop()
        desk.history.undone.append(replace(entry, after=draft or entry.after))
        before = entry.before
        if before is not None and draft is not None:
            worked = drafts.touched(draft, desk.now(), desk.idle)
            before = replace(before, seconds=worked.seconds, touched=worked.touched)
        return self._put(before)

    def _redo_step(self, entry: Prompted) -> Requests:
        desk = self._desk
        desk.history.undone.pop()
        desk.history.done.append(replace(entry, before=desk.draft))
        return self._take_up(entry.after)

    def _undo(self, entry: Entry) -> Requests:
        match entry:
            case Accepted(annotation=annotation):
                return self._objects.withdraw(annotation)
            case Deleted(annotation=annotation):
                return self._objects.bring_back(annotation, learn=False)
            case Relabelled(annotation_id=annotation_id, before=class_id):
                return self._objects.relabel(annotation_id, class_id)
        return ()

    def _redo(self, entry: Entry) -> Requests:
        match entry:
            case Accepted(annotation=annotation):
                return self._objects.bring_back(annotation, learn=True)
            case Deleted(annotation=annotation):
                return self._objects.withdraw(annotation)
            case Relabelled(annotation_id=annotation_id, after=class_id):
                return self._objects.relabel(annotation_id, class_id)
        return ()

    def _take_up(self, draft: Draft) -> Requests:
        return self._put(drafts.resting(draft, self._desk.now()))

    def _put(self, draft: Draft | None) -> Requests:
        """Show a draft again; one that was kept without its answer is asked again."""
        self._desk.put(draft)
        if draft is not None and draft.preview.waiting:
            return self._annotating.ask(draft)
        return self._annotating.compare()

    def _here(self, entry: Entry) -> bool:
        return self._desk.state.image is not None and self._desk.image_name() == entry.image

    def _go(self, entry: Entry, then: Then) -> Requests:
        images = self._desk.state.images
        return self._browsing.open(next(k for k, image in enumerate(images) if image.name == entry.image), then)
