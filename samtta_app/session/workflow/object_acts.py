"""The workflow's part that selects, deletes, brings back and labels annotations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from samtta_app.core.object_notes import ObjectNote
from samtta_app.core.types import Annotation
from samtta_app.session.state import LabelClass
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.giving_up import give_up_accepted
from samtta_app.session.workflow.history import ClassAdded, ClassRenamed, Deleted, Emptied, Noted, Relabelled
from samtta_app.session.workflow.lessons import LessonQueue

NOT_EMPTY = "There are objects on this image: delete them first"
NO_IMAGE_SHOWN = "Only an image that is shown can be marked as empty"


class Objects:
    """What happens to annotations after their accept; what undo changes may belong to an image that is not open."""

    def __init__(self, desk: SessionContext, learning: LessonQueue) -> None:
        self._desk, self._learning = desk, learning

    def select(self, annotation_id: int | None) -> Requests:
        """Select an annotation of the open image, or none."""
        if annotation_id is None or self.find(annotation_id):
            self._desk.change(selected=annotation_id)
        return ()

    def select_next(self, step: int) -> Requests:
        """Select the next annotation in the order of their accept, around the end."""
        state = self._desk.state
        ids = [annotation.id for annotation in state.annotations]
        if ids and state.selected in ids:
            self._desk.change(selected=ids[(ids.index(state.selected) + step) % len(ids)])
        elif ids:
            self._desk.change(selected=ids[0 if step > 0 else -1])
        return ()

    def delete_selected(self) -> Requests:
        """Delete the selected annotation; undo brings it back."""
        annotation = self.find(self._desk.state.selected)
        if annotation is None:
            self._desk.say("info", "Select an object first")
            return ()
        requests = self.withdraw(annotation)
        given_up = give_up_accepted(self._desk, annotation)
        self._desk.history.push(Deleted(annotation.image_name, annotation, given_up))
        return requests

    def set_class(self, class_id: int) -> Requests:
        """Make a class the current one; the selected annotation gets it, when no object is being annotated."""
        desk = self._desk
        if class_id not in {c.id for c in desk.state.classes}:
            return ()
        annotation = None if desk.draft else self.find(desk.state.selected)
        requests: Requests = ()
        if annotation is not None and annotation.class_id != class_id:
            requests = self.relabel(annotation.id, class_id)
            desk.history.push(Relabelled(annotation.image_name, annotation.id, annotation.class_id, class_id))
        desk.change(current_class=class_id)
        return requests

    def add_class(self, name: str) -> Requests:
        """Add a class and make it the current one."""
        desk = self._desk
        added, before = desk.store.add_class(name), desk.state.current_class
        desk.change(classes=desk.store.classes(), current_class=added.id)
        desk.history.push(ClassAdded(added, before))
        return ()

    def remove_class(self, entry: ClassAdded) -> bool:
        """Undo `add_class`; False where the class has objects, and stays."""
        desk = self._desk
        if not desk.store.remove_class(entry.added.id):
            return False
        classes = desk.store.classes()
        back = entry.before if entry.before in {c.id for c in classes} else classes[0].id
        current = back if desk.state.current_class == entry.added.id else desk.state.current_class
        desk.change(classes=classes, current_class=current)
        return True

    def return_class(self, entry: ClassAdded) -> None:
        """Undo `remove_class`."""
        desk = self._desk
        desk.store.return_class(entry.added)
        desk.change(classes=desk.store.classes(), current_class=entry.added.id)

    def rename_class(self, class_id: int, name: str) -> Requests:
        """Give a class another name."""
        desk = self._desk
        before = next((c.name for c in desk.state.classes if c.id == class_id), name)
        self.name_class(class_id, name)
        after = next((c.name for c in desk.state.classes if c.id == class_id), before)
        if after != before:
            desk.history.push(ClassRenamed(class_id, before, after))
        return ()

    def name_class(self, class_id: int, name: str) -> None:
        """Rename a class, without an entry in the history."""
        desk = self._desk
        desk.store.rename_class(class_id, name)
        desk.change(classes=desk.store.classes())

    def put_classes(self, classes: tuple[LabelClass, ...], moves: Iterable[tuple[int, int]], current: int) -> Requests:
        """Replace the list of classes; `moves` are ids of objects, each with its new class, `current` is the chosen one.

        Raises:
            StoreError: nothing was stored.
        """
        desk = self._desk
        new = dict(moves)
        desk.store.put_classes(classes, new.items())
        desk.change(classes=classes, current_class=current)
        names = {c.id: c.name for c in classes}
        for number, class_id in new.items():
            record = desk.tally.get(number)
            if record is not None:
                desk.tally.put(replace(record, class_name=names[class_id]))
        if not new:
            return ()
        desk.recount()
        changed = tuple(replace(a, class_id=new.get(a.id, a.class_id)) for a in desk.state.annotations)
        desk.put_annotations(changed)
        return tuple(r for a in changed if a.id in new for r in self._learning.remember(a))

    def describe(self, note: ObjectNote) -> Requests:
        """Give the selected object a note."""
        desk, annotation = self._desk, self.find(self._desk.state.selected)
        if annotation is None:
            desk.say("info", "Select an object first")
            return ()
        if note == annotation.note:
            return ()
        requests = self.put_note(annotation.id, note)
        desk.history.push(Noted(annotation.image_name, annotation.id, annotation.note, note))
        return requests

    def put_note(self, annotation_id: int, note: ObjectNote) -> Requests:
        """Store a note; an object that becomes an ignore region leaves figures and learning, and comes back with it."""
        desk = self._desk
        desk.store.set_note(annotation_id, note)
        before = self.find(annotation_id)
        changed = tuple(replace(a, note=note) if a.id == annotation_id else a for a in desk.state.annotations)
        desk.put_annotations(changed)
        annotation = self.find(annotation_id)
        if before is not None and annotation is not None and before.note.ignore == note.ignore:
            return ()
        if note.ignore:
            desk.withdraw_record(annotation_id)
            return self._learning.forget(annotation) if annotation is not None else ()
        desk.return_record(annotation_id)
        return self._learning.remember(annotation) if annotation is not None else ()

    def mark_empty(self, empty: bool) -> Requests:
        """The open image is done with nothing on it, or no longer; one with objects is not empty."""
        desk, name = self._desk, self._desk.image_name()
        entry = desk.state.images[desk.state.index] if name else None
        if entry is None or entry.empty == empty:
            return ()
        if empty and (desk.state.annotations or desk.state.image is None):
            desk.say("info", NOT_EMPTY if desk.state.annotations else NO_IMAGE_SHOWN)
            return ()
        self.put_empty(name, empty)
        desk.history.push(Emptied(name, empty))
        return ()

    def put_empty(self, name: str, empty: bool) -> None:
        """Mark an image as empty, or no longer, without an entry in the history."""
        self._desk.store.set_empty(name, empty)
        self._desk.mark(name, unreadable=None, empty=empty)

    def add(self, annotation: Annotation) -> None:
        """Show an annotation that was just accepted."""
        self._desk.put_annotations((*self._desk.state.annotations, annotation))

    def withdraw(self, annotation: Annotation) -> Requests:
        """Remove an annotation from the store, the screen and the replay memory."""
        self._desk.store.set_deleted(annotation.id, True)
        return self.take_away(annotation)

    def take_away(self, annotation: Annotation) -> Requests:
        """Remove an annotation that is withdrawn in the store from the screen, the figures and the replay memory."""
        desk = self._desk
        if self._open(annotation.image_name):
            desk.put_annotations(tuple(a for a in desk.state.annotations if a.id != annotation.id))
        else:
            desk.mark(annotation.image_name, unreadable=None, more=-1)
        if desk.state.selected == annotation.id:
            desk.change(selected=None)
        desk.withdraw_record(annotation.id)
        return self._learning.forget(annotation)

    def exchange(self, gone: tuple[Annotation, ...], back: tuple[Annotation, ...], *, learn: bool) -> Requests:
        """Withdraw annotations and bring others back, in one transaction of the store."""
        self._desk.store.exchange(gone, back)
        requests: Requests = ()
        for annotation in gone:
            requests += self.take_away(annotation)
        for annotation in back:
            requests += self._put_back(annotation, learn=learn)
        return requests

    def _put_back(self, annotation: Annotation, *, learn: bool) -> Requests:
        desk = self._desk
        desk.return_record(annotation.id)
        if not self._open(annotation.image_name):
            desk.mark(annotation.image_name, unreadable=None, more=1)
            return ()
        back = sorted((*desk.state.annotations, annotation), key=lambda a: a.id)
        desk.put_annotations(tuple(back))
        return self._learning.learn(annotation) if learn else self._learning.remember(annotation)

    def relabel(self, annotation_id: int, class_id: int) -> Requests:
        """Give an annotation another class, in the replay memory too where its image is open."""
        desk = self._desk
        desk.store.set_class(annotation_id, class_id)
        changed = tuple(replace(a, class_id=class_id) if a.id == annotation_id else a for a in desk.state.annotations)
        desk.put_annotations(changed)
        name = next(c.name for c in desk.state.classes if c.id == class_id)
        desk.change_record(annotation_id, class_name=name)
        return tuple(r for a in changed if a.id == annotation_id for r in self._learning.remember(a))

    def review(self, annotation_id: int, *, reviewed: bool) -> None:
        """Note that the user confirmed a mask, or take that back."""
        self._desk.store.set_reviewed(annotation_id, reviewed)
        self._desk.change_record(annotation_id, reviewed=reviewed)

    def rate(self, annotation_id: int, value: int | None) -> None:
        """Note how a mask was rated, None for no rating."""
        self._desk.store.rate(annotation_id, value)
        self._desk.change_record(annotation_id, rating=value)

    def _open(self, image_name: str) -> bool:
        return self._desk.image_name() == image_name

    def find(self, annotation_id: int | None) -> Annotation | None:
        """The annotation of the open image with this id."""
        return next((a for a in self._desk.state.annotations if a.id == annotation_id), None)
