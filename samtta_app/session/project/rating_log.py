"""What users think of accepted masks, from 1 to 10, as the project stores it."""

from __future__ import annotations

from samtta_app.core.rating_scale import HIGHEST, LOWEST
from samtta_app.session.project.cells import DbRow, whole
from samtta_app.session.project.learning_log import now
from samtta_app.session.project.object_log import ObjectLog


class RatingLog(ObjectLog):
    """The part of an open project that stores a rating for each object and reads it again."""

    def rate(self, annotation_id: int, value: int | None) -> None:
        """Store the rating of a mask in place of an earlier one; None takes it back.

        Raises:
            StoreError: nothing was stored.
        """
        with self._writing():
            self._db.execute("DELETE FROM ratings WHERE annotation_id = ?", (annotation_id,))
            if value is not None:
                self._db.execute("INSERT INTO ratings VALUES (?, ?, ?)", (annotation_id, value, now()))

    def _ratings(self, first: int, last: int) -> dict[int, int]:
        """The ratings of the objects with these numbers, both included."""

        def made(row: DbRow) -> tuple[int, int]:
            return row["annotation_id"], whole(row, "value", LOWEST, HIGHEST)

        query = "SELECT annotation_id, value FROM ratings WHERE annotation_id BETWEEN ? AND ?"
        found = self._rows(query, first, last)
        return dict(self._good(found, made, lambda row: f"rating of object {row['annotation_id']}"))
