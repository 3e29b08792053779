"""The undo history as the project stores it: entries by their place, and the arrays that they show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from samtta_app.session.project.database import Database

_GONE: Final = "place > ? OR place BETWEEN 0 AND ? OR place < ?"


class HistoryLog(Database):
    """The part of an open project that keeps the undo history; its bytes mean nothing here."""

    def history_places(self) -> tuple[int, ...]:
        """The places of all entries, lowest first."""
        return tuple(row["place"] for row in self._rows("SELECT place FROM history ORDER BY place"))

    def newest_array(self) -> int:
        """The highest number of an array, 0 where there is none."""
        return next((row["highest"] or 0 for row in self._rows("SELECT max(number) AS highest FROM history_arrays")), 0)

    def history_entry(self, place: int) -> tuple[bytes, dict[int, bytes]] | None:
        """An entry and the arrays that it uses by number, None where there is none."""
        entry = next((row["entry"] for row in self._rows("SELECT entry FROM history WHERE place = ?", place)), None)
        used = "number IN (SELECT number FROM history_uses WHERE place = ?)"
        rows = self._rows(f"SELECT number, array FROM history_arrays WHERE {used}", place)
        return None if entry is None else (entry, {row["number"]: row["array"] for row in rows})

    def keep_history(
        self,
        entries: Mapping[int, tuple[bytes, Iterable[int]]],
        arrays: Mapping[int, bytes],
        span: tuple[int, int, int],
    ) -> None:
        """Store entries (each with the numbers of its arrays) and new arrays; drop entries outside a span.

        `span` is the lowest and the highest place of what was done, and the lowest place of what was undone.

        Raises:
            StoreError: nothing was stored.
        """
        lowest, highest, undone = span
        gone = (highest, lowest - 1, undone)
        with self._writing():
            self._db.execute(f"DELETE FROM history WHERE {_GONE}", gone)
            self._db.execute(f"DELETE FROM history_uses WHERE {_GONE}", gone)
            for place, (entry, numbers) in entries.items():
                self._db.execute("INSERT OR REPLACE INTO history VALUES (?, ?)", (place, entry))
                self._db.execute("DELETE FROM history_uses WHERE place = ?", (place,))
                self._db.executemany("INSERT INTO history_uses VALUES (?, ?)", [(place, each) for each in numbers])
            self._db.executemany("INSERT INTO history_arrays VALUES (?, ?)", arrays.items())
            self._db.execute("DELETE FROM history_arrays WHERE number NOT IN (SELECT number FROM history_uses)")

    @contextmanager
    def in_haste(self) -> Iterator[None]:
        """Writes in the block outlive the program at once, and the machine as soon as the disk gets to it."""
        if self.read_only:
            yield
            return
        self._db.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous = FULL")

    def history_bytes(self) -> int:
        """The bytes of all arrays that are kept."""
        return next(
            (row["held"] or 0 for row in self._rows("SELECT sum(length(array)) AS held FROM history_arrays")), 0
        )
