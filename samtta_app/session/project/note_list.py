"""Notes on objects, as the project stores them."""

from __future__ import annotations

from samtta_app.core.object_notes import ObjectNote
from samtta_app.session.project.class_list import ClassList
from samtta_app.session.project.note_rows import note_row


class NoteList(ClassList):
    """The part of an open project that stores notes on objects."""

    def set_note(self, annotation_id: int, note: ObjectNote) -> None:
        """Store the note of an object in place of the one before.

        Raises:
            StoreError: nothing was stored.
        """
        with self._writing():
            query = "UPDATE annotations SET ignore = ?, note = ? WHERE id = ?"
            self._db.execute(query, (*note_row(note), annotation_id))
