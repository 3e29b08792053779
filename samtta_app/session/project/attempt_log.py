"""Objects that were begun and given up, as the project stores them; only the figures read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import cast, get_args

from samtta_app.core.names import to_text
from samtta_app.core.types import ClickRecord
from samtta_app.session.object_records import GivenUpObject, WhyGivenUp
from samtta_app.session.project import rows
from samtta_app.session.project.cells import BadValueError, DbRow, flag_or_none, moment, name, real, text, whole
from samtta_app.session.project.database import Database
from samtta_app.session.project.learning_log import now

ATTEMPT = "image, class, why, object_id, control, seconds, created"
ATTEMPTS_AT_ONCE = 200
"""So many are read in less than 16 ms: the window draws a frame in between."""


class AttemptLog(Database):
    """The part of an open project that stores given-up objects and reads them again."""

    def log_attempt(self, attempt: GivenUpObject) -> GivenUpObject:
        """Store a given-up object with all of its steps; returns it with its id and date.

        Raises:
            StoreError: nothing was stored.
        """
        dated = replace(attempt, created=now())
        place = (to_text(dated.image_name), dated.class_name, dated.why, dated.object_id or None, dated.control)
        with self._writing():
            cursor = self._db.execute(
                f"INSERT INTO attempts ({ATTEMPT}) VALUES ({rows.placeholders(ATTEMPT)})",
                (*place, dated.seconds, dated.created),
            )
            saved = replace(dated, id=int(cursor.lastrowid or 0))
            self._db.executemany(
                f"INSERT INTO attempt_steps (attempt_id, position, {rows.STEP_COLUMNS}) "
                f"VALUES ({rows.placeholders(rows.STEP_COLUMNS, more=2)})",
                [(saved.id, k, *rows.step_row(r, saved.box)) for k, r in enumerate(saved.steps, start=1)],
            )
        return saved

    def withdraw_attempt(self, attempt_id: int, withdrawn: bool) -> None:
        """Take back that an object was given up, or give it up again; its record stays."""
        with self._writing():
            self._db.execute("UPDATE attempts SET withdrawn = ? WHERE id = ?", (int(withdrawn), attempt_id))

    def attempts(self) -> tuple[GivenUpObject, ...]:
        """All given-up objects, first given up first."""
        return tuple(attempt for some in self.attempts_in_steps() for attempt in some)

    def attempts_in_steps(self, size: int = ATTEMPTS_AT_ONCE) -> Iterator[tuple[GivenUpObject, ...]]:
        """`attempts`, some at a time; those given up meanwhile come too."""
        last = 0
        query = "SELECT * FROM attempts WHERE withdrawn IS NOT 1 AND id > ? ORDER BY id LIMIT ?"
        while found := list(self._rows(query, last, size)):
            first, last = found[0]["id"], found[-1]["id"]
            steps = self._attempt_steps(first, last)

            def made(row: DbRow, steps: dict[int, tuple[ClickRecord, ...]] = steps) -> GivenUpObject:
                return _attempt_of(row, steps.get(row["id"], ()))

            yield tuple(self._good(found, made, lambda row: f"given-up object {row['id']}"))

    def _attempt_steps(self, first: int, last: int) -> dict[int, tuple[ClickRecord, ...]]:
        query = "SELECT * FROM attempt_steps WHERE attempt_id BETWEEN ? AND ? ORDER BY attempt_id, position"
        return {
            key: tuple(self._good(group, rows.step_of, _attempt_step))
            for key, group in groupby(self._rows(query, first, last), lambda row: row["attempt_id"])
        }


def _attempt_of(row: DbRow, steps: tuple[ClickRecord, ...]) -> GivenUpObject:
    """The given-up object of a row.

    Raises:
        BadValueError: a column holds what was never written there.
    """
    why = text(row, "why")
    if why not in get_args(WhyGivenUp):
        raise BadValueError("why", why, f"none of {', '.join(get_args(WhyGivenUp))}")
    whole(row, "withdrawn", 0, 1)
    return GivenUpObject(
        id=whole(row, "id", least=1),
        image_name=name(row, "image"),
        class_name=text(row, "class"),
        why=cast(WhyGivenUp, why),
        seconds=real(row, "seconds", least=0.0),
        created=moment(row, "created"),
        steps=steps,
        object_id=0 if row["object_id"] is None else whole(row, "object_id", least=1),
        control=flag_or_none(row, "control"),
    )


def _attempt_step(row: DbRow) -> str:
    return f"given-up object {row['attempt_id']}, step {row['position']}"
