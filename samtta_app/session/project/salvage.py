"""What can still be read of a damaged database, copied into a new one in memory; losses are named."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from samtta_app.errors import ProjectError
from samtta_app.session.project import migrations, schema

CLASSES = """
INSERT INTO classes (id, name, colour) SELECT DISTINCT class_id, 'class ' || class_id, 0 FROM annotations
WHERE typeof(class_id) = 'integer' AND class_id NOT IN (SELECT id FROM classes)
"""
"""Lost classes are named by their numbers, so that their objects are not lost with them."""

_UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What SQLite raises on damage; its own words may hold the damaged bytes."""

_LATER = (
    *("learned", "image_ids", "ratings", "attempts", "attempt_steps"),
    *("judged_proposals", "empty_images", "object_acts", "compared_objects"),
)
"""Tables that an older layout does not have."""


def salvaged(copy: Path, path: Path, damage: ProjectError) -> tuple[sqlite3.Connection, str]:
    """Read all rows that SQLite still gives of `copy`, which stands for the database at `path`.

    Returns:
        A database in memory in today's layout that cannot be written, and what is missing in it, for the user.

    Raises:
        ProjectError: it is foreign or newer, or no class and no object can be read; `damage` says so.
    """
    with closing(schema.unshared(copy)) as db:
        with suppress(*_UNREADABLE):
            schema.lacking(db, path)
        with suppress(*_UNREADABLE):
            db.execute("PRAGMA journal_mode = DELETE")  # a write-ahead log needs shared memory to be attached
    memory = schema.in_memory()
    schema.migrate(memory, migrations.MIGRATIONS)
    memory.execute("DELETE FROM classes")
    memory.execute("PRAGMA ignore_check_constraints = ON")  # the reader of a bad row names it
    try:
        memory.execute("PRAGMA locking_mode = EXCLUSIVE")  # also of what is attached from now on
        memory.execute("ATTACH ? AS damaged", (schema.unshared_uri(copy),))
        lost = [line for table in migrations.TABLES for line in _taken_over(memory, table)]
        memory.execute(CLASSES)
        if not memory.execute("SELECT count(*) FROM classes").fetchone()[0]:
            raise damage
        memory.execute("DETACH damaged")
    except (*_UNREADABLE, ProjectError):
        memory.close()
        raise damage from None
    memory.execute("PRAGMA query_only = ON")
    return memory, "; ".join(lost)


def _taken_over(memory: sqlite3.Connection, table: str) -> Iterator[str]:
    """Copy a table's rows, from both ends up to the damage between them; say what could not be."""
    ours, theirs = (schema.table_layout(memory, table, of) for of in ("main", "damaged"))
    if not theirs:
        if table not in _LATER:
            yield f"{table}: missing"
        return
    pairs = list(zip(ours, theirs, strict=False))  # by place: a later layout has more, and a name may be damaged
    columns = ", ".join(str(mine[1]) for mine, _ in pairs)
    key = [mine[1] for mine in ours if mine[2] == "INTEGER" and mine[5]]  # is the row's own number, in whatever column
    alone = key if sum(bool(mine[5]) for mine in ours) == 1 else []
    values = ", ".join("rowid" if mine[1] in alone else _quoted(str(its[1])) for mine, its in pairs)
    insert = f"INSERT OR IGNORE INTO main.{table} ({columns}) SELECT {values} FROM damaged.{table} NOT INDEXED"
    seen: set[int] = set()
    refused: list[int] = []
    broken = False
    for order in ("ASC", "DESC"):
        try:
            with closing(
                memory.execute(f"SELECT rowid FROM damaged.{table} NOT INDEXED ORDER BY rowid {order}")
            ) as rows:
                for (row,) in rows:
                    if row not in seen:
                        seen.add(row)
                        refused += [] if _copied(memory, insert, row) else [row]
            break
        except _UNREADABLE:
            broken = True
    if refused:
        yield f"{table}: {len(refused)} rows are left out (row {', '.join(map(str, refused[:5]))})"
    if broken:
        yield f"{table}: rows are missing, beside the {len(seen)} that could be read"


def _copied(memory: sqlite3.Connection, insert: str, row: int) -> bool:
    try:
        return memory.execute(f"{insert} WHERE rowid = ?", (row,)).rowcount > 0
    except _UNREADABLE:
        return False


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
