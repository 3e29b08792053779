"""The workflow's part that changes the list of classes: each act is one new list, so undo puts the one before back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from samtta_app.phrases import Phrase
from samtta_app.session import class_acts
from samtta_app.session.class_acts import OfClasses, OntologyClass
from samtta_app.session.project.class_list import PALETTE
from samtta_app.session.state import LabelClass
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.history import ClassesChanged, Moves
from samtta_app.session.workflow.object_acts import Objects

LAST_CLASS = "A project has at least one class"
HAS_OBJECTS = 'The class "{name}" has objects ({number}): merge it with another class, or delete them first'
NOTHING_NEW = "The file has no other classes than those that are there"

ClassTable = tuple[LabelClass, ...]


class ClassEditing:
    """Colours, order, merging and deleting of classes, and those of an ontology file."""

    def __init__(self, desk: SessionContext, objects: Objects) -> None:
        self._desk, self._objects = desk, objects

    def do(self, act: OfClasses) -> Requests:
        """Do what was asked for; an act that changes nothing leaves no entry in the history.

        Raises:
            StoreError: it was not stored, and nothing has changed.
        """
        classes = self._desk.state.classes
        match act:
            case class_acts.ChangeClass(class_id=class_id, colour=colour, tidy=tidy):
                changes = {k: v for k, v in (("colour", colour), ("tidy", tidy)) if v is not None}
                after = tuple(replace(c, **changes) if c.id == class_id else c for c in classes)  # type: ignore[arg-type]
                return self._put(after)
            case class_acts.MoveClass(class_id=class_id, step=step):
                return self._put(moved_class(classes, class_id, step))
            case class_acts.DeleteClass(class_id=class_id):
                return self._delete(class_id)
            case class_acts.MergeClass(class_id=class_id, into=into):
                if class_id == into or not {class_id, into} <= {c.id for c in classes}:
                    return ()
                return self._without(class_id, into)
            case class_acts.TakeClasses(classes=wanted):
                after = with_ontology(classes, wanted)
                if after == classes:
                    self._desk.say("info", NOTHING_NEW)
                return self._put(after)

    def _delete(self, class_id: int) -> Requests:
        desk = self._desk
        gone = next((c for c in desk.state.classes if c.id == class_id), None)
        rest = [c for c in desk.state.classes if c.id != class_id]
        if gone is None:
            return ()
        if not rest:
            desk.say("info", LAST_CLASS)
            return ()
        number = desk.store.used(class_id)
        drafted = desk.draft is not None and desk.state.current_class == class_id
        if number or drafted:
            desk.say("info", Phrase(HAS_OBJECTS, name=gone.name, number=number + drafted))
            return ()
        return self._without(class_id, rest[0].id)

    def _without(self, class_id: int, heir: int) -> Requests:
        """Take a class away; its objects, withdrawn ones too, go to another."""
        moves = tuple((number, class_id, heir) for number in self._desk.store.members(class_id))
        return self._put(tuple(c for c in self._desk.state.classes if c.id != class_id), moves, heir)

    def _put(self, after: ClassTable, moves: Moves = (), heir: int = 0) -> Requests:
        desk = self._desk
        before, current = desk.state.classes, desk.state.current_class
        if after == before:
            return ()
        kept = current if current in {c.id for c in after} else heir
        entry = ClassesChanged(before, after, moves, current, kept)
        requests = self._objects.put_classes(after, ((number, new) for number, _, new in moves), kept)
        desk.history.push(entry)
        return requests


def moved_class(classes: ClassTable, class_id: int, step: int) -> ClassTable:
    """The classes with one of them `step` places further down; it stops at the ends."""
    place = next((k for k, c in enumerate(classes) if c.id == class_id), None)
    if place is None:
        return classes
    rest = [c for c in classes if c.id != class_id]
    rest.insert(min(max(place + step, 0), len(rest)), classes[place])
    return tuple(rest)


def with_ontology(classes: ClassTable, wanted: Iterable[OntologyClass]) -> ClassTable:
    """The classes of a file in its order, with its colours, and then those that it does not name; no class is lost.

    A class is known by its name; of a name that comes twice the first counts.
    """
    known, number = {c.name: c for c in classes}, max((c.id for c in classes), default=0)
    found: list[LabelClass] = []
    for each in wanted:
        if any(c.name == each.name for c in found):
            continue
        one = known.get(each.name)
        if one is None:
            number += 1
            one = LabelClass(number, each.name, (number - 1) % PALETTE)
        found.append(replace(one, colour=one.colour if each.colour is None else each.colour, tidy=each.tidy))
    named = {c.name for c in found}
    return (*found, *(c for c in classes if c.name not in named))
