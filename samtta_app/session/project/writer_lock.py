"""The lock that lets one samtta write to a project: SQLite's own, on a file of its own, so that others may still read.

It vanishes with the process that holds it, however that ends.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

LOCK = "project.lock"
"""Beside the database, empty, and only there while the project is open."""

Identity = tuple[int, int] | None


class WriterLock:
    """Held from the moment that it is made until `release`.

    Raises:
        sqlite3.OperationalError: another one holds it (SQLITE_BUSY), or there are no locks here.
        PermissionError: its file may only be read, so that others could hold it, too.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / LOCK
        while True:
            before = file_identity(self.path)
            self._db = sqlite3.connect(self.path, isolation_level=None, timeout=0.0)
            try:
                self._db.execute("BEGIN EXCLUSIVE")
            except BaseException:
                self._db.close()
                raise
            found = file_identity(self.path)
            if found is not None and not os.access(self.path, os.W_OK):
                self._db.close()
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self.path))
            if found is not None and before in (None, found):
                return
            self._db.close()  # the previous holder removed its file at this very moment

    def release(self) -> None:
        """Remove the file and let others in."""
        with suppress(OSError):
            self.path.unlink()  # while it is held: no other process can have taken it
        self._db.close()
        if os.name == "nt":  # an open file cannot be removed there
            with suppress(OSError):
                self.path.unlink()


def file_identity(path: Path) -> Identity:
    """Device and number of a file, None when it is not there."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
