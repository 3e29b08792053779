"""Why a project cannot be written, in words for the user: a full disk, no rights, and a file system without locks differ."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path

from samtta_app.phrases import Phrase

FULL = (errno.ENOSPC, errno.EDQUOT)
LOCKING = (
    sqlite3.SQLITE_BUSY,  # SQLite also calls "no locks available" this; a held lock never comes here
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_IOERR_LOCK,
    sqlite3.SQLITE_IOERR_RDLOCK,
    sqlite3.SQLITE_IOERR_UNLOCK,
    sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK,
    sqlite3.SQLITE_IOERR_SHMLOCK,
)


def primary(error: sqlite3.Error) -> int:
    """SQLite's primary code; errors without one, such as an unreadable text, count as corrupt."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF


def reason(error: BaseException, home: Path) -> tuple[str, str]:
    """Why the project in `home` cannot be written, and what to do about it."""
    while error.__cause__ is not None:
        error = error.__cause__
    code = getattr(error, "sqlite_errorcode", 0)
    number = error.errno if isinstance(error, OSError) else 0
    if code == sqlite3.SQLITE_FULL or number in FULL or (code != 0 and _without_room(home)):
        return Phrase("the disk is full"), Phrase("Free some space")
    if code in LOCKING:
        return (
            Phrase("its file system gives no locks, so another samtta could write at the same time"),
            Phrase("Name a place on another disk with --project"),
        )
    if number == errno.EROFS or (code != 0 and _read_only(home)):
        return Phrase("its disk is read-only"), Phrase("Make it writable")
    return str(error), Phrase("Make it writable")


def locks_work(folder: Path) -> bool:
    """Whether the file system of `folder` gives locks at all; True where a file to try it on cannot be made.

    It is tried on a file beside the database: closing any handle of the database would drop this process's locks on it.
    """
    try:
        import fcntl
    except ImportError:  # Windows: locks are a part of every file system there
        return True
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
    except OSError:
        return True
    return True


def _read_only(folder: Path) -> bool:
    """Whether the disk takes no new file: a system makes it read-only after a fault, and SQLite names an I/O error then."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return False
    except OSError as error:
        return error.errno == errno.EROFS


def _without_room(folder: Path) -> bool:
    """Whether no ordinary user can write one more block or file; False where the system does not say."""
    with suppress(OSError, AttributeError):
        room = os.statvfs(folder)
        return room.f_bavail == 0 or (room.f_files > 0 and room.f_favail == 0)
    return False
