"""Where a project lies, and how one that cannot be written is still read."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from samtta_app.core.names import from_text
from samtta_app.errors import ProjectError
from samtta_app.session import schema

HOME = ".samtta"
DATABASE = "project.db"


def places(folder: Path, project: Path | None) -> tuple[Path, Path]:
    """The images' folder and the project's own folder; `folder` may be either when `project` is None."""
    folder = folder.absolute()
    if project is not None:
        return folder, project.absolute()
    if not exists(folder):
        return folder, folder / HOME
    if folder.name == HOME:
        return folder.parent, folder
    return _images_of(folder / DATABASE), folder


def exists(home: Path) -> bool:
    """Whether a project lies in this folder, as far as one may look."""
    return os.path.isfile(home / DATABASE)  # unlike Path.is_file, False where one may not look


def open_unwritable(database: Path, error: Exception) -> sqlite3.Connection:
    """Open a database that cannot be written where it lies: in memory, with what its journal still holds.

    SQLite can neither lock nor recover a journal in a folder without write permission, so a copy is recovered.

    Raises:
        ProjectError: there is no project yet, it cannot be read, or it is corrupt, foreign or newer.
    """
    if not exists(database.parent):
        raise ProjectError(
            f"A project cannot be made here: {error}",
            database.parent,
            "Make the folder writable, or name another place for the project with --project",
        ) from error
    with tempfile.TemporaryDirectory(prefix="samtta-") as elsewhere:
        try:
            copy = Path(shutil.copyfile(database, Path(elsewhere, DATABASE)))
            journal = database.with_name(DATABASE + "-wal")
            if journal.is_file():
                shutil.copyfile(journal, copy.with_name(journal.name))
        except OSError as failure:
            raise ProjectError(f"The project cannot be read: {failure.strerror}", database) from failure
        return schema.connect_copy(copy, database)


def _images_of(database: Path) -> Path:
    """The images' folder of a project that lies elsewhere; the project's own folder when it does not say."""
    try:
        with closing(sqlite3.connect(database, timeout=0.0)) as db:
            row = db.execute("SELECT value FROM meta WHERE key = 'folder'").fetchone()
    except sqlite3.DatabaseError:
        row = None  # opening it properly, right after this, says what is wrong
    return Path(from_text(row[0])) if row else database.parent
