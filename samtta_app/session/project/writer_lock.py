"""The lock that lets one samtta write to a project, on a file of its own, so that others may still read the database.

It vanishes with the process that holds it, however that ends.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

LOCK = "project.lock"
"""Beside the database, empty, and only there while the project is open."""

Identity = tuple[int, int] | None


class WriterLock:
    """Held from the moment that it is made until `release`.

    Raises:
        BlockingIOError: another one holds it.
        OSError: its file cannot be made or written, or there are no locks here.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / LOCK
        self._handle = _held(self.path)

    def release(self) -> None:
        """Remove the file and let others in."""
        with suppress(OSError):  # Windows takes it away by itself
            self.path.unlink()  # while it is held: no other process can have taken it
        os.close(self._handle)


if sys.platform == "win32":

    def _held(path: Path) -> int:
        try:
            return os.open(path, os.O_CREAT | os.O_EXCL | os.O_TEMPORARY)
        except FileExistsError as error:
            raise BlockingIOError(error.errno, error.strerror, str(path)) from error

else:
    import fcntl

    def _held(path: Path) -> int:
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BaseException:
                os.close(handle)
                raise
            found = os.fstat(handle)
            if file_identity(path) == (found.st_dev, found.st_ino):
                return handle
            os.close(handle)  # the one before took its file away since it was opened


def file_identity(path: Path) -> Identity:
    """Device and number of a file, None when it is not there."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
