"""The history that outlives the run: it is stored with the act that it tells of, and read again entry by entry."""

from __future__ import annotations

from typing import Any

from samtta_app.errors import StoreError
from samtta_app.session.project.history_log import HistoryLog
from samtta_app.session.workflow.entry_codec import (
    AnyArray,
    UnreadableEntryError,
    array_bytes,
    array_of,
    entry_bytes,
    entry_of,
)
from samtta_app.session.workflow.history import LEVELS, Accepted, Cancelled, Entry, History, Prompted

STORED_BYTES = 512 * 2**20
"""Bytes of arrays kept in a project at most: a hundred objects of eight clicks, at 256 x 256 logits of half precision."""

HELD_BYTES = 64 * 2**20
"""Bytes of arrays kept in memory at most: older entries are read from the project, in less time than an answer takes."""


class StoredHistory(History):
    """A history whose older part lies in the project; each entry is read when its turn comes.

    An entry that cannot be read ends the history: what is older is dropped.
    """

    def __init__(self, log: HistoryLog) -> None:
        super().__init__(HELD_BYTES)
        places = log.history_places()
        self._log, self._newest_array = log, log.newest_array()
        self._lowest = next((place for place in places if place >= 0), 0)
        self._first = places[-1] + 1 if places and places[-1] >= 0 else 0
        self._earlier = sum(place < 0 for place in places)
        self._kept: dict[int, Entry] = {}
        self._arrays: dict[int, tuple[AnyArray, int]] = {}
        self._uses: dict[int, frozenset[int]] = {}
        self._span = self._now()

    def push(self, entry: Entry) -> None:
        """Add a new entry; undone entries are forgotten, also those of earlier runs."""
        self._earlier = 0
        super().push(entry)
        self._lowest = max(self._lowest, self._first + len(self.done) - LEVELS)

    def drop(self, number: int) -> None:
        """Drop so many of the oldest entries from memory; they stay in the project."""
        super().drop(number)
        self._first += max(number, 0)

    @property
    def can_undo(self) -> bool:
        """Whether there is an entry to undo, of this run or of an earlier one."""
        return super().can_undo or self._first > self._lowest

    @property
    def can_redo(self) -> bool:
        """Whether there is an entry to redo, of this run or of an earlier one."""
        return super().can_redo or self._earlier > 0

    def newest(self) -> Entry | None:
        """What is undone next, None where there is nothing."""
        if not self.done:
            self._fetch()
        return super().newest()

    def newest_undone(self) -> Entry | None:
        """What is redone next, None where there is nothing."""
        if not self.undone and self._earlier:
            place = -self._earlier
            entry = self._read(place)
            self._earlier = 0 if entry is None else self._earlier - 1
            self.undone[:] = [] if entry is None else [entry]
        return super().newest_undone()

    def fetch_steps(self) -> None:
        """Read the steps of an object that was being annotated when the last run ended."""
        while (found := self._fetch()) is not None:
            if isinstance(found, Accepted | Cancelled) or (isinstance(found, Prompted) and found.before is None):
                break

    @property
    def changed(self) -> bool:
        """Whether it is another than in the project."""
        return self._span != self._now() or bool(self._new())

    def save(self) -> None:
        """Store what is new, and drop what is gone.

        Raises:
            StoreError: nothing was stored.
        """
        wanted, new = self._wanted(), self._new()
        fresh: dict[int, AnyArray] = {}
        rows = {place: self._packed(entry, fresh) for place, entry in new.items()}
        packed = {number: array_bytes(array) for number, array in fresh.items()}
        try:
            self._log.keep_history(rows, packed, self._now())
            while (
                packed and self._log.history_bytes() > STORED_BYTES and self._lowest < self._first + len(self.done) - 1
            ):
                self._lowest += 1
                self._log.keep_history({}, {}, self._now())
        except StoreError:
            self._forget_kept()
            raise
        self._kept, self._span = wanted, self._now()
        uses = self._uses | {place: frozenset(numbers) for place, (_, numbers) in rows.items()}
        self._uses = {place: uses[place] for place in wanted}
        live = frozenset[int]().union(*self._uses.values())
        self._arrays = {key: held for key, held in self._arrays.items() if held[1] in live}

    def restore(self, past: dict[str, Any]) -> None:
        """Be as at a snapshot; what is in the project since then is written again with the next change."""
        super().restore(past)
        self._forget_kept()

    # --- below the surface ------------------------------------------------------------------------------------------

    def _wanted(self) -> dict[int, Entry]:
        """What is in memory, by place."""
        undone = {-self._earlier - k: entry for k, entry in enumerate(self.undone, 1)}
        return dict(enumerate(self.done, self._first)) | undone

    def _new(self) -> dict[int, Entry]:
        """What is in memory, and not in the project as it is."""
        return {place: entry for place, entry in self._wanted().items() if self._kept.get(place) is not entry}

    def _forget_kept(self) -> None:
        """What was saved last may not be there: all that is in memory is stored with the next change."""
        self._kept, self._arrays, self._uses, self._span = {}, {}, {}, (0, 0, 0)

    def _now(self) -> tuple[int, int, int]:
        """The lowest and highest place of what was done, and the lowest of what was undone."""
        return self._lowest, self._first + len(self.done) - 1, -self._earlier - len(self.undone)

    def _fetch(self) -> Entry | None:
        """Read the newest entry that is not in memory."""
        if self._first <= self._lowest:
            return None
        entry = self._read(self._first - 1)
        if entry is None:
            self._lowest = self._first
            return None
        self._first -= 1
        self.done.insert(0, entry)
        return entry

    def _read(self, place: int) -> Entry | None:
        try:
            found = self._log.history_entry(place)
            if found is None:
                return None
            known = {number: array for array, number in self._arrays.values()}
            arrays = {n: known[n] if n in known else array_of(data) for n, data in found[1].items()}
            entry = entry_of(found[0], arrays)
        except (StoreError, UnreadableEntryError):
            return None
        self._arrays |= {id(array): (array, number) for number, array in arrays.items()}
        self._kept[place], self._uses[place] = entry, frozenset(arrays)
        return entry

    def _packed(self, entry: Entry, fresh: dict[int, AnyArray]) -> tuple[bytes, set[int]]:
        """An entry's bytes and the numbers of its arrays; those that have no number yet are put into `fresh`."""
        used = set[int]()

        def number_of(array: AnyArray) -> int:
            _, number = self._arrays.get(id(array), (array, 0))
            if not number:
                self._newest_array = number = self._newest_array + 1
                self._arrays[id(array)] = array, number
                fresh[number] = array
            used.add(number)
            return number

        return entry_bytes(entry, number_of), used
