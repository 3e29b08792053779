"""Notes on objects as values of the database's rows, and the columns that classes got with them."""

from __future__ import annotations

import json
import sqlite3

from samtta_app.core.names import storable
from samtta_app.core.object_notes import NO_NOTE, ObjectNote, note_in, note_values
from samtta_app.session.project.cells import BadValueError, Value, flag, text

SEEN = "ignore IS NOT 1"
"""An object that is no ignore region; those are neither learned from nor counted in figures."""

NOTES = """
ALTER TABLE annotations ADD COLUMN ignore INTEGER NOT NULL DEFAULT 0;
ALTER TABLE annotations ADD COLUMN note TEXT;
ALTER TABLE classes ADD COLUMN position INTEGER;
ALTER TABLE classes ADD COLUMN tidy INTEGER NOT NULL DEFAULT 1
"""
"""Ignore regions, attributes and comment (JSON, NULL without), the order of classes, and whether their masks are tidied.

A class without a position stands after those that have one, in the order in which it was added.
"""


def note_row(note: ObjectNote) -> tuple[Value, Value]:
    """The values of the columns `ignore` and `note`."""
    values = note_values(note)
    return int(note.ignore), storable(json.dumps(values, ensure_ascii=True)) if values else None


def note_of(row: sqlite3.Row) -> ObjectNote:
    """The note of a row.

    Raises:
        BadValueError: a column holds what was never written there.
    """
    ignore = flag(row, "ignore")
    if row["note"] is None:
        return ObjectNote(ignore) if ignore else NO_NOTE
    try:
        values = json.loads(text(row, "note"))
    except (ValueError, RecursionError) as error:
        raise BadValueError("note", row["note"], "not JSON") from error
    if not isinstance(values, dict):
        raise BadValueError("note", row["note"], "not a note")
    return note_in(values, ignore=ignore)
