"""The open database: rows are checked as they are read, and every write is done completely or not at all."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from samtta_app.core.names import to_text
from samtta_app.errors import StoreError
from samtta_app.phrases import Phrase
from samtta_app.session.project import schema
from samtta_app.session.project.cells import BadValueError, DbRow, Value, decoded, name
from samtta_app.session.project.location import DATABASE, OpenedDatabase, open_beside
from samtta_app.session.project.refusals import reason
from samtta_app.session.project.writer_lock import file_identity

_T = TypeVar("_T")
Reader = Callable[[], OpenedDatabase]
LEFT_OUT = "Damaged entries of the project are left out, none is deleted: {names}"
LEFT_OUT_MORE = "Damaged entries of the project are left out, none is deleted: {names}; and {more} more"
FILE_GONE = "The project's file was deleted, moved, or its disk taken away while it was open, so nothing can be stored"
FILE_REPLACED = "The project's file was replaced by another while it was open, so nothing can be stored"

NAMED = 3
"""This many damaged rows are named in one line."""


class Database:
    """One open project's database; it belongs to the thread that opened it.

    `opening` is what the user should know about how it was opened, "" when nothing.

    Args:
        home: the project's own folder.
        opened: the database in it, or a copy in its place.
    """

    def __init__(self, home: Path, opened: OpenedDatabase) -> None:
        self.home, self.read_only = home, opened.read_only
        self.opening, self._left_out = opened.notice, dict[str, None]()
        self._db, self._lock = opened.db, opened.lock
        self._db.row_factory, self._db.text_factory = sqlite3.Row, decoded
        self._joined: bool | None = None  # None: each block alone; else whether a transaction of many blocks has begun
        self._files = {} if opened.read_only else {path: file_identity(path) for path in self._kept()}

    def close(self) -> None:
        """Close the database and let go of the lock."""
        self._db.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @property
    def left_out(self) -> tuple[str, ...]:
        """The damaged rows that were read so far: which row, which column, and why."""
        return tuple(self._left_out)

    @property
    def notice(self) -> str:
        """What the user should know of how the project was opened and of damaged rows, "" when nothing."""
        lines = [self.opening] if self.opening else []
        if self._left_out:
            named, more = "; ".join(self.left_out[:NAMED]), len(self._left_out) - NAMED
            lines.append(Phrase(LEFT_OUT_MORE if more > 0 else LEFT_OUT, names=named, more=more))
        return Phrase.joined(". ", lines) if lines else ""

    # --- reading ----------------------------------------------------------------------------------------------------

    def _rows(self, query: str, *values: Value) -> Iterator[DbRow]:
        try:
            cursor = self._db.execute(query, values)
            try:
                yield from cursor
            finally:
                with suppress(sqlite3.ProgrammingError):  # closed meanwhile
                    cursor.close()  # a statement that is under way would keep the lock of a closed database
        except (sqlite3.DatabaseError, UnicodeError) as error:
            what, do = (
                Phrase("The project could not be read: {error}", error=error),
                "Check the disk, and put back a copy",
            )
            raise StoreError(what, self.home / DATABASE, do) from error

    def _good(self, found: Iterable[DbRow], make: Callable[[DbRow], _T], which: Callable[[DbRow], str]) -> Iterator[_T]:
        """The result of `make` for each row; a row with a bad value is left out and named."""
        for row in found:
            try:
                yield make(row)
            except BadValueError as error:
                self._leave_out(which(row), error)

    def _leave_out(self, which: str, error: BadValueError | str) -> None:
        self._left_out[f"{which}: {error}"] = None

    def _recall(self, key: str, default: str) -> str:
        found = self._good(self._rows("SELECT value FROM meta WHERE key = ?", key), _name, lambda _: f'meta "{key}"')
        return next(found, default)

    def _reader(self) -> Reader:
        """How to read everything stored now, in any thread: on a second connection, or else from a copy in memory.

        A copy is made where the file was moved or deleted, or where this connection never read from it.
        """
        if self._files and not self._moved() and not self._alone():
            return partial(open_beside, self.home)
        copy = schema.in_memory(any_thread=True)
        self._db.backup(copy)
        return lambda: OpenedDatabase(copy, read_only=True)

    def _moved(self) -> bool:
        return any(before is not None and file_identity(path) != before for path, before in self._files.items())

    def _alone(self) -> bool:
        """Whether this connection lets no other one read."""
        return bool(self._db.execute("PRAGMA locking_mode").fetchone()[0] == "exclusive")

    # --- writing ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[None]:
        if self.read_only:
            raise StoreError("The project was opened read-only", self.home, "Choose another project folder")
        with (
            self._explained(),
            schema.transaction(self._db, self._require_files) if self._joined is None else self._part(),
        ):
            yield

    @contextmanager
    def together(self) -> Iterator[None]:
        """All that is written in the block is stored, or nothing of it; blocks of writes in it may fail alone.

        Raises:
            StoreError: nothing was stored.
        """
        self._joined = False
        try:
            yield
            if self._joined:
                with self._explained():
                    self._require_files()
                    self._db.execute("COMMIT")
        finally:
            self._joined = None
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    @property
    def wrote(self) -> bool:
        """Whether something was written in the block of `together`."""
        return bool(self._joined)

    @contextmanager
    def _part(self) -> Iterator[None]:
        """One block of writes of several that are stored together."""
        if not self._joined:
            self._db.execute("BEGIN IMMEDIATE")
            self._joined = True
        if not self._db.in_transaction:
            raise sqlite3.OperationalError("the transaction has ended")
        with schema.savepoint(self._db, self._require_files):
            yield

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite says of a write into a message for the user."""
        try:
            yield
        except (sqlite3.DatabaseError, UnicodeError) as error:
            why, do = reason(error, self.home)
            what = Phrase("The project could not be written: {why}", why=why)
            raise StoreError(
                what, self.home / DATABASE, Phrase("{do}, then try again; nothing that was stored is lost", do=do)
            ) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The database for a block of statements that are all stored, or none of them.

        Raises:
            StoreError: nothing was stored.
        """
        with self._writing():
            yield self._db

    def _remember(self, key: str, value: str) -> None:
        if self._recall(key, "") != value:
            with self._writing():
                self._put(key, value)

    def _put(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, to_text(value)))

    def _kept(self) -> Iterator[Path]:
        return (self.home / (DATABASE + ending) for ending in ("", "-wal"))

    def _require_files(self) -> None:
        """Whether the files that are written to are still the ones at their paths."""
        for path, before in self._files.items():
            if before is not None and file_identity(path) != before:
                gone = not os.path.lexists(path)
                happened = FILE_GONE if gone else FILE_REPLACED
                raise StoreError(
                    happened,
                    path,
                    "Put it back; until then, export: all that was stored before can still be read here",
                )


def _name(row: DbRow) -> str:
    value = row["value"]
    return "" if value == "" else name(row, "value")
