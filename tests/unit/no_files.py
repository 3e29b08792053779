"""What may lie where a small text file belongs, and must be left alone."""

from __future__ import annotations

import os
from pathlib import Path

NO_FILES = ("folder", "pipe", "device", "large", "loop")


def put_what_is_no_file(path: Path, kind: str) -> None:
    """Put a folder, a pipe, a link to a device, a file of 2 MB or a link to itself there."""
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "large":
        path.write_bytes(b"# a line\n" * 250_000)
    else:
        path.symlink_to(path)


def file_state(path: Path) -> tuple[int, ...]:
    """What tells that a file was left alone. Reading a link changes its access time, so that is not in it."""
    found = path.lstat()
    return found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
