"""Text from a user's files: regular files of a bounded size only, so that no pipe, device or giant file holds a reader up."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

SETTINGS_BYTES = 1_000_000
"""Settings and recipes written by hand have a few kilobytes."""

LIST_BYTES = 100_000_000
"""Lists of a data set's images and classes: about a million names."""

RECORD_BYTES = 2_000_000_000
"""Raw records and exports hold text for every click or object; the largest so far had 60 MB."""


MOST_GROWTH = 100_000
"""Bytes by which a file may grow while it is read; a buffer for the maximum would take its memory at once."""


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a regular file of at most `most` bytes.

    Raises:
        OSError: there is no such file, it is a folder, a pipe or a device, it is too large, or it may not be read.
    """
    with open_regular(path) as file:
        size = regular_size(file)
        content = file.read(min(most, size + MOST_GROWTH) + 1) if size <= most else b""
    if size > most or len(content) > most:
        raise OSError(0, f"it is larger than {most / 1e6:.0f} MB")
    return content


def open_regular(path: Path) -> BinaryIO:
    """A regular file that is open to be read.

    Raises:
        OSError: there is no such file, it is a folder, a pipe or a device, or it may not be read.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "it is not a regular file")
    return open(handle, "rb")


def regular_size(file: BinaryIO) -> int:
    """Bytes of an open file."""
    return os.fstat(file.fileno()).st_size


def read_text(path: Path, most: int) -> str:
    """The UTF-8 text of a regular file, with or without a byte-order mark.

    Raises:
        OSError: as in `read_bytes`.
        UnicodeDecodeError: it is not UTF-8.
    """
    return read_bytes(path, most).decode("utf-8-sig")


def read_json(path: Path, most: int = LIST_BYTES) -> Any:  # noqa: ANN401 - the caller checks what it gets
    """The value in a JSON file.

    Raises:
        OSError: as in `read_bytes`.
        ValueError: it is not JSON, or is nested too deeply.
    """
    try:
        return json.loads(read_bytes(path, most))  # in UTF-8, 16 or 32, with or without a mark
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
