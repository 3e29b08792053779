"""What an annotator says of an object beside its mask and class."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_NOTE = 2000
"""Characters of a comment, of a name or of a value; a longer one from a file is cut off."""

MOST_ATTRIBUTES = 50
"""Attributes that one object may have; a file with more of them is damaged or means something else."""


@dataclass(frozen=True, slots=True)
class ObjectNote:
    """Attributes, a comment, and whether the object is an ignore region.

    An ignore region is left out of learning and figures: no model is to be judged by what lies there.

    `attributes` are names and values in the order of the user; a name stands there once.
    """

    ignore: bool = False
    attributes: tuple[tuple[str, str], ...] = ()
    comment: str = ""


NO_NOTE = ObjectNote()
"""Most objects have none."""


def attributes_of(text: str) -> tuple[tuple[str, str], ...]:
    """Attributes as a user writes them, "stage=late; blurred"; of a name that stands there twice the last value counts."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name.strip():
            found[name.strip()[:LONGEST_NOTE]] = value.strip()[:LONGEST_NOTE]
    return tuple(found.items())[:MOST_ATTRIBUTES]


def attributes_text(attributes: tuple[tuple[str, str], ...]) -> str:
    """Attributes as `attributes_of` reads them."""
    return "; ".join(f"{name}={value}" if value else name for name, value in attributes)


def note_in(values: object, *, ignore: bool = False) -> ObjectNote:
    """The note in values that come from a file; what is no text there is left out."""
    own = values if isinstance(values, dict) else {}
    given, comment = own.get("attributes"), own.get("comment")
    pairs = given.items() if isinstance(given, dict) else ()
    attributes = tuple(
        (name[:LONGEST_NOTE], str(value)[:LONGEST_NOTE])
        for name, value in pairs
        if isinstance(name, str) and isinstance(value, str | int | float)
    )
    text = comment[:LONGEST_NOTE] if isinstance(comment, str) else ""
    return ObjectNote(ignore, attributes[:MOST_ATTRIBUTES], text)


def note_values(note: ObjectNote) -> dict[str, object]:
    """What `note_in` reads, without `ignore`; only what is there."""
    values: dict[str, object] = {}
    if note.attributes:
        values["attributes"] = dict(note.attributes)
    if note.comment:
        values["comment"] = note.comment
    return values
