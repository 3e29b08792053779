"""The project's database: opening it exclusively, without ever overwriting what it cannot read."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from samtta_app.errors import ProjectError
from samtta_app.phrases import Phrase
from samtta_app.session.project.migrations import MIGRATIONS, TABLES
from samtta_app.session.project.refusals import locks_work, primary

APPLICATION_ID = 0x53414D54
"""Marks a database as ours ("SAMT"); any other database is refused."""

NO_SHARED_MEMORY = (
    sqlite3.SQLITE_IOERR_SHMOPEN,
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_SHMMAP,
    sqlite3.SQLITE_CANTOPEN,
)
"""SQLite's errors where processes cannot share memory, as on some network disks; its log then serves one process only."""


OPEN, CLOSE = "The project is open in another samtta", "Close it there first"


class OpenElsewhereError(ProjectError):
    """Another thread or process has the project open and may write to it."""


class DamagedError(ProjectError):
    """SQLite finds the file damaged; parts of it may still be read."""


def connect(path: Path) -> sqlite3.Connection:
    """Open (or make) the database to write to it, check it, and bring it up to date; others may read it meanwhile.

    The caller holds the writer's lock. Where the file system has no shared memory, no other process can read meanwhile.

    Raises:
        DamagedError: it is corrupt; the file is left as it was.
        ProjectError: it is open elsewhere, foreign, or made by a newer samtta. The file is left as it was.
        sqlite3.OperationalError: the file or its folder cannot be written, or there are no locks here.
    """
    try:
        return _connected(path, alone=False)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode not in NO_SHARED_MEMORY:
            raise
        return _connected(path, alone=True)


def _connected(path: Path, *, alone: bool) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=0.0)
    try:
        with explained(path):
            db.execute(f"PRAGMA locking_mode = {'EXCLUSIVE' if alone else 'NORMAL'}")
            db.execute("PRAGMA foreign_keys = ON")
            missing = check(db, path)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA fullfsync = ON")
            with transaction(db):
                migrate(db, missing)
                require_layout(db, path)
                db.execute("DELETE FROM meta WHERE 0")  # changes nothing; a read-only file is refused here
    except BaseException:
        db.close()
        raise
    return db


def connect_copy(copy: Path, path: Path) -> sqlite3.Connection | None:
    """Read `copy`, which stands for the database at `path`, into memory, in today's layout; nothing can be written to it.

    None when nothing was ever stored in it.

    Raises:
        DamagedError: it is corrupt.
        ProjectError: it is foreign, or made by a newer samtta.
    """
    memory = in_memory()
    with explained(path), closing(unshared(copy)) as db:
        missing = check(db, path)
        db.backup(memory)
    if missing == MIGRATIONS:
        return None
    try:
        with transaction(memory):
            migrate(memory, missing)
            require_layout(memory, path)
    except sqlite3.DatabaseError as error:
        what = Phrase("The project cannot be brought up to date: {error}", error=error)
        raise DamagedError(what, path, "Put back a copy; nothing was changed") from error
    memory.execute("PRAGMA query_only = ON")
    return memory


def in_memory(*, any_thread: bool = False) -> sqlite3.Connection:
    """An empty database in memory, to which others may be attached by `unshared_uri`."""
    return sqlite3.connect("file::memory:", isolation_level=None, uri=True, check_same_thread=not any_thread)


def unshared(copy: Path) -> sqlite3.Connection:
    """Open a file that no other process uses, without the system's locks: there may be none here."""
    db = sqlite3.connect(unshared_uri(copy), isolation_level=None, uri=True)
    db.execute("PRAGMA locking_mode = EXCLUSIVE")  # a journal is then read without memory that would be shared
    return db


def unshared_uri(copy: Path) -> str:
    """How SQLite is told to open such a file."""
    return copy.as_uri() + ("" if sys.platform == "win32" else "?vfs=unix-dotfile")


def check(db: sqlite3.Connection, path: Path) -> tuple[tuple[str, str], ...]:
    """The migrations that a database still lacks; reads only.

    Raises:
        DamagedError: it is corrupt.
        ProjectError: it is not a samtta project, or made by a newer samtta.
    """
    found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        finding = found.splitlines()[-1]  # the first of several lines only names the database
        raise DamagedError(
            Phrase("The project's database is damaged: {finding}", finding=finding),
            path,
            "Put back a copy; nothing was changed",
        )
    return lacking(db, path)


def lacking(db: sqlite3.Connection, path: Path) -> tuple[tuple[str, str], ...]:
    """The migrations that a database still lacks; it is assumed to be undamaged.

    Raises:
        ProjectError: it is not a samtta project, or made by a newer samtta.
    """
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()}
    if not tables:
        return MIGRATIONS
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID or "migrations" not in tables:
        raise ProjectError("This database is not a samtta project", path, "Choose another project folder")
    done = [str(row[0]) for row in db.execute("SELECT name FROM migrations").fetchall()]
    unknown = set(done) - {name for name, _ in MIGRATIONS}
    if unknown:
        newer = ", ".join(sorted(unknown))
        raise ProjectError(
            Phrase("The project was made by a newer samtta ({newer})", newer=newer), path, "Update samtta to open it"
        )
    return tuple(m for m in MIGRATIONS if m[0] not in done)


def require_layout(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a database whose tables differ from those that all migrations make: SQLite itself accepts any tables.

    Raises:
        DamagedError: a table or column is missing, or is another.
    """
    with closing(in_memory()) as fresh:
        migrate(fresh, MIGRATIONS)
        for table in TABLES:
            if table_layout(db, table) != table_layout(fresh, table):
                what = Phrase("The project's database is damaged: its table {table} is not as it was made", table=table)
                raise DamagedError(what, path, "Put back a copy; nothing was changed")


def table_layout(db: sqlite3.Connection, table: str, of: str = "main") -> list[tuple[object, ...]]:
    """A table's columns: number, name, type, whether NULL is refused, default, and place in the primary key."""
    return [tuple(row) for row in db.execute(f"PRAGMA {of}.table_info({table})").fetchall()]


def migrate(db: sqlite3.Connection, missing: tuple[tuple[str, str], ...]) -> None:
    """Apply `missing` migrations inside the caller's transaction."""
    if not missing:
        return
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied TEXT NOT NULL)")
    for name, statements in missing:
        for statement in _each_statement(statements):
            db.execute(statement)
        db.execute("INSERT INTO migrations VALUES (?, datetime('now'))", (name,))


def _each_statement(statements: str) -> Iterator[str]:
    """The statements of a migration; a trigger has semicolons of its own."""
    part = ""
    for piece in statements.split(";"):
        part += f"{piece};"
        if sqlite3.complete_statement(part):
            yield part
            part = ""


@contextmanager
def transaction(db: sqlite3.Connection, before_commit: Callable[[], None] = lambda: None) -> Iterator[None]:
    """All statements of the block, or none of them; `before_commit` may still refuse, by an exception."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        before_commit()
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def savepoint(db: sqlite3.Connection, before_release: Callable[[], None]) -> Iterator[None]:
    """As `transaction`, inside one; where SQLite has ended that by itself, the block fails too."""
    db.execute("SAVEPOINT part")
    try:
        yield
        before_release()
        db.execute("RELEASE part")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK TO part")
            db.execute("RELEASE part")
        raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors on opening into messages for the user; "cannot write" passes, for the caller to handle."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = primary(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and locks_work(path.parent):
            raise OpenElsewhereError(OPEN, path, CLOSE) from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            what = Phrase("The project's database is damaged or no database ({error})", error=error)
            raise DamagedError(what, path, "Put back a copy; nothing was changed") from error
        raise
    except UnicodeDecodeError as error:  # SQLite names what is damaged by its own bytes
        unread = "The project's database is damaged: its list of tables cannot be read"
        raise DamagedError(unread, path, "Put back a copy; nothing was changed") from error
