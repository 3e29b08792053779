"""Operations that the system does in one step, or for one process alone: swapping two folders, and locking one."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from samtta_app.errors import ExportError

_LOCK = ".samtta-lock"
"""On Windows, which cannot lock a folder, this file is the lock. It vanishes with the process that made it."""

_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS)
"""Errors of file systems without locks. A missing lock must not keep a user from exporting."""


def exchanged(one: Path, other: Path) -> bool:
    """Swap the names of two folders of one disk in one step; False, without any change, where the system cannot."""
    names = os.fsencode(one), os.fsencode(other)
    try:
        if sys.platform == "linux":
            here, swap = -100, 2  # AT_FDCWD and RENAME_EXCHANGE, from fcntl.h and stdio.h
            return int(ctypes.CDLL(None).renameat2(here, names[0], here, names[1], swap)) == 0
        if sys.platform == "darwin":
            return int(ctypes.CDLL(None).renamex_np(*names, 2)) == 0  # RENAME_SWAP, from stdio.h
    except AttributeError:  # a C library that lacks the call
        pass
    return False


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes and threads from writing a set of files into `folder`; the lock vanishes with the process.

    Raises:
        ExportError: another process or thread is writing there.
        OSError: the folder does not exist or cannot be opened.
    """
    handle = _locked(folder)
    try:
        yield
    finally:
        os.close(handle)


def _busy(folder: Path) -> ExportError:
    return ExportError(
        "Another export is writing into this folder", folder, "Wait until it ends, or choose another folder"
    )


if sys.platform == "win32":

    def _locked(folder: Path) -> int:
        try:
            return os.open(folder / _LOCK, os.O_CREAT | os.O_EXCL | os.O_TEMPORARY)
        except FileExistsError as e:
            raise _busy(folder) from e

else:
    import fcntl

    def _locked(folder: Path) -> int:
        while True:
            handle = os.open(folder, os.O_RDONLY)
            try:
                _lock(handle, folder)
                if os.path.samestat(os.fstat(handle), os.stat(folder)):
                    return handle
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)  # the folder was swapped for another one after it was opened

    def _lock(handle: int, folder: Path) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise _busy(folder) from e
        except OSError as e:
            if e.errno not in _NO_LOCKS:
                raise
