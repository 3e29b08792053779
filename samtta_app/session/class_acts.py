"""What a user can do with the classes, as frozen values; `session/acts.py` has the rest.

A class name here is the act's tag in what is stored, so a released name is never changed.
"""

from __future__ import annotations

from typing import Any

import msgspec


class OntologyClass(msgspec.Struct, frozen=True):
    """A class as an ontology file describes it; `colour` as `LabelClass` has it, None where the file names none."""

    name: str
    colour: int | None = None
    tidy: bool = True


class ChangeClass(msgspec.Struct, frozen=True, tag=True):
    """Give a class another colour, or have its masks tidied or not; None leaves it as it is."""

    class_id: int
    colour: int | None = None
    tidy: bool | None = None


class MoveClass(msgspec.Struct, frozen=True, tag=True):
    """Move a class up (-1) or down (1) in the list."""

    class_id: int
    step: int


class DeleteClass(msgspec.Struct, frozen=True, tag=True):
    """Delete a class that has no objects."""

    class_id: int


class MergeClass(msgspec.Struct, frozen=True, tag=True):
    """Give all objects of a class to another one, and delete it."""

    class_id: int
    into: int


class TakeClasses(msgspec.Struct, frozen=True, tag=True):
    """Take the classes of an ontology file: new ones are added, known ones get its colours and order."""

    classes: tuple[OntologyClass, ...]


OfClasses = ChangeClass | MoveClass | DeleteClass | MergeClass | TakeClasses
"""Acts on the list of classes; each is one entry of the history."""

CLASS_ACT_NAMES: dict[type[Any], str] = {
    ChangeClass: "look of a class",
    MoveClass: "order of the classes",
    DeleteClass: "delete class",
    MergeClass: "merge classes",
    TakeClasses: "classes of a file",
}
"""What each act is called in the status bar and in messages."""
