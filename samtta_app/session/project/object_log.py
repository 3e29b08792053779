"""Who did what to an object, and whose outline was chosen, as the project stores it."""

from __future__ import annotations

from typing import cast, get_args

from samtta_app.core.names import storable, to_text
from samtta_app.session.project.cells import BadValueError, DbRow, moment, text, whole
from samtta_app.session.project.learning_log import LearningLog, now
from samtta_app.session.review_list import DifferenceKey, ObjectAct, ObjectDeed, OutlineVerdict

_ANNOTATOR = "annotator"
"""The key under which a project knows who works on it; the trigger of `object_tables` reads it."""


_HISTORY = """
    WITH RECURSIVE chain(id) AS (
        SELECT ?1 UNION
        SELECT each.value FROM chain JOIN annotations a ON a.id = chain.id, json_each(coalesce(a.replaces, '[]')) each
    )
    SELECT id, iif(replaces IS NULL, 'accepted', 'changed') AS what, coalesce(annotator, '') AS annotator, created, 0 AS later
    FROM annotations WHERE id IN chain
    UNION ALL
    SELECT id, what, annotator, created, 1 FROM object_acts
    WHERE object_id = ?1 OR (object_id IN chain AND what NOT IN ('deleted', 'returned'))
    ORDER BY created, later, id;
"""
"""A mask that another took the place of was not deleted by anyone."""


class ObjectLog(LearningLog):
    """The part of an open project that knows its annotators."""

    @property
    def annotator(self) -> str:
        """Who works on the project, or did last; "" where that is unknown."""
        return self._recall(_ANNOTATOR, "")

    def sign_as(self, name: str) -> None:
        """Put this name under everything that is done from now on.

        Raises:
            StoreError: nothing was stored.
        """
        self._remember(_ANNOTATOR, storable(name))

    def object_acts(self, object_id: int) -> tuple[ObjectAct, ...]:
        """What was done to an object and to the masks that it took the place of, oldest first, each accept included."""
        found = self._rows(_HISTORY, object_id)
        return tuple(self._good(found, _act_of, lambda row: f"act {row['id']} on an object"))

    def log_choice(self, key: DifferenceKey, image: str, other: str, verdict: OutlineVerdict) -> int:
        """Store whose outline was chosen; returns the number of the choice.

        Raises:
            StoreError: nothing was stored.
        """
        values = (storable(other), to_text(image), *key, verdict, self.annotator, now())
        with self._writing():
            query = "INSERT INTO compared_objects (other, image, mine, theirs, verdict, annotator, created) "
            return int(self._db.execute(f"{query} VALUES (?, ?, ?, ?, ?, ?, ?)", values).lastrowid or 0)

    def withdraw_choice(self, number: int, withdrawn: bool) -> None:
        """Take a choice back, or make it again; the record stays.

        Raises:
            StoreError: nothing was stored.
        """
        with self._writing():
            self._db.execute("UPDATE compared_objects SET withdrawn = ? WHERE id = ?", (int(withdrawn), number))

    def choices(self, other: str) -> frozenset[DifferenceKey]:
        """The differences with another annotator that are settled."""
        query = "SELECT * FROM compared_objects WHERE other = ? AND withdrawn IS NOT 1"
        return frozenset(self._good(self._rows(query, storable(other)), _key_of, lambda row: f"choice {row['id']}"))


def _act_of(row: DbRow) -> ObjectAct:
    what = text(row, "what")
    if what not in get_args(ObjectDeed):
        raise BadValueError("what", what, "nothing that is done to objects")
    return ObjectAct(cast(ObjectDeed, what), text(row, "annotator"), moment(row, "created"))


def _key_of(row: DbRow) -> DifferenceKey:
    return whole(row, "mine"), text(row, "theirs")
