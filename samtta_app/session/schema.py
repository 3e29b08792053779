"""The project's database: named migrations, and opening it exclusively without ever overwriting what it cannot read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from samtta_app.errors import ProjectError

APPLICATION_ID = 0x53414D54
"""Marks a database as ours ("SAMT"); any other database is refused."""

FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE images (name TEXT PRIMARY KEY, width INTEGER NOT NULL, height INTEGER NOT NULL);
CREATE TABLE classes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, colour INTEGER NOT NULL);
INSERT INTO classes VALUES (1, 'object', 0);
CREATE TABLE annotations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image TEXT NOT NULL REFERENCES images(name),
    class_id INTEGER NOT NULL REFERENCES classes(id),
    x INTEGER NOT NULL, y INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
    rle BLOB NOT NULL,
    box TEXT,
    window TEXT NOT NULL,
    weights_version INTEGER NOT NULL,
    predicted_iou REAL, uncertainty REAL,
    seconds REAL NOT NULL,
    created TEXT NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX annotations_of_image ON annotations(image);
CREATE TABLE steps (
    annotation_id INTEGER NOT NULL REFERENCES annotations(id),
    position INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('click', 'box')),
    x REAL, y REAL, positive INTEGER,
    box TEXT,
    seconds REAL NOT NULL, latency REAL,
    window TEXT NOT NULL,
    weights_version INTEGER NOT NULL,
    predicted_iou REAL, uncertainty REAL, iou REAL,
    PRIMARY KEY (annotation_id, position)
);
CREATE TABLE weights (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL UNIQUE,
    sha256 TEXT NOT NULL,
    created TEXT NOT NULL
);
CREATE TABLE adaptations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    object_id INTEGER NOT NULL REFERENCES annotations(id),
    kept INTEGER NOT NULL,
    reason TEXT NOT NULL,
    version INTEGER NOT NULL,
    losses TEXT NOT NULL,
    guard_candidate REAL, guard_published REAL, guard_frozen REAL,
    guard_objects INTEGER NOT NULL,
    memory_objects INTEGER NOT NULL,
    seconds REAL NOT NULL,
    created TEXT NOT NULL
);
CREATE TABLE controls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    action TEXT NOT NULL,
    version INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    created TEXT NOT NULL
);
CREATE TABLE twins (
    object_id INTEGER PRIMARY KEY REFERENCES annotations(id),
    weights_version INTEGER NOT NULL,
    frozen TEXT NOT NULL,
    adapted TEXT NOT NULL,
    seconds REAL NOT NULL
);
"""

GAPS = """
ALTER TABLE annotations ADD COLUMN gaps TEXT;
ALTER TABLE annotations ADD COLUMN reviewed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE steps ADD COLUMN gaps TEXT
"""
"""What a mask would gain, as JSON in the order of `samtta_app.core.types.Gaps` (NULL where the model had no heads), and
whether a person looked at it again and found it right."""

IMAGE_IDS = "CREATE TABLE image_ids (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE)"
"""Numbers that images have in exports, opened or not; a number is never given twice, and stays when its image goes."""

MIGRATIONS: tuple[tuple[str, str], ...] = (("first", FIRST), ("gaps", GAPS), ("image_ids", IMAGE_IDS))
"""Name and statements, oldest first; a name, once released, is never changed or taken away."""


def connect(path: Path) -> sqlite3.Connection:
    """Open (or make) the database for this process alone, check it, and bring it up to date.

    The lock is SQLite's own on the file: it vanishes with the process, however that ends.

    Raises:
        ProjectError: it is open elsewhere, corrupt, foreign, or made by a newer samtta; the file is left as it was.
        sqlite3.OperationalError: the file or its folder cannot be written.
    """
    db = sqlite3.connect(path, isolation_level=None, timeout=0.0)
    try:
        with explained(path):
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA foreign_keys = ON")
            missing = check(db, path)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA fullfsync = ON")
            with transaction(db):
                migrate(db, missing)
    except BaseException:
        db.close()
        raise
    return db


def connect_copy(copy: Path, path: Path) -> sqlite3.Connection:
    """Read `copy`, which stands for the unwritable database at `path`, into memory; nothing can be written to it.

    Raises:
        ProjectError: it is corrupt, foreign, or made by a newer samtta.
    """
    memory = sqlite3.connect(":memory:", isolation_level=None)
    with explained(path), closing(sqlite3.connect(copy, isolation_level=None)) as db:
        missing = check(db, path)
        db.backup(memory)
    with transaction(memory):
        migrate(memory, missing)
    memory.execute("PRAGMA query_only = ON")
    return memory


def check(db: sqlite3.Connection, path: Path) -> tuple[tuple[str, str], ...]:
    """The migrations that a database still lacks; reads only.

    Raises:
        ProjectError: it is corrupt, not a samtta project, or made by a newer samtta.
    """
    found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        finding = found.splitlines()[-1]  # the first of several lines only names the database
        raise ProjectError(
            f"The project's database is damaged: {finding}", path, "Put back a copy; nothing was changed"
        )
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return MIGRATIONS
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID or "migrations" not in tables:
        raise ProjectError("This database is not a samtta project", path, "Choose another project folder")
    done = [row[0] for row in db.execute("SELECT name FROM migrations")]
    unknown = set(done) - {name for name, _ in MIGRATIONS}
    if unknown:
        newer = ", ".join(sorted(unknown))
        raise ProjectError(f"The project was made by a newer samtta ({newer})", path, "Update samtta to open it")
    return tuple(m for m in MIGRATIONS if m[0] not in done)


def migrate(db: sqlite3.Connection, missing: tuple[tuple[str, str], ...]) -> None:
    """Apply `missing` migrations inside the caller's transaction."""
    if not missing:
        return
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied TEXT NOT NULL)")
    for name, statements in missing:
        for statement in statements.split(";"):
            db.execute(statement)
        db.execute("INSERT INTO migrations VALUES (?, datetime('now'))", (name,))


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All statements of the block, or none of them."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's refusals on opening into texts for a person; "cannot write" passes, for the caller to handle."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise ProjectError("The project is open in another samtta", path, "Close it there first") from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            what = f"The project's database is damaged or no database ({error})"
            raise ProjectError(what, path, "Put back a copy; nothing was changed") from error
        raise
