"""The folder of published decoder weights, written on another thread so that no caller waits for the disk."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from samtta_app.core.files import write_whole

CUT_SHORT = re.compile(r"\.v\d{4,}\.safetensors\.[a-z0-9_]{8}")
"""How `write_whole` names a version's file until it is whole."""

_LARGEST = 1_000_000_000
"""Bytes; the largest model's decoder has 16 MB, with all that a strategy keeps beside it 50 MB."""


class WeightsFolder:
    """Files `vNNNN.safetensors`, each whole or absent; one thread writes them in order.

    The database knows each file's SHA-256, so a file that is not there yet when the process dies is simply passed over.

    Args:
        folder: need not be there yet.
        tidy: remove files that a killed process left half written.
    """

    def __init__(self, folder: Path, *, tidy: bool = False) -> None:
        self._folder = folder
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="weights")
        self._pending: list[tuple[Future[None], int, bytes]] = []
        if tidy:
            self._pending.append((self._writer.submit(self._tidy), 0, b""))

    def path(self, version: int) -> Path:
        """Where a version lies."""
        return self._folder / f"v{version:04d}.safetensors"

    def write(self, version: int, data: bytes, *, discard: Iterable[int] = ()) -> None:
        """Write a version, then delete the files of the versions in `discard`; returns at once."""
        self._pending.append((self._writer.submit(self._write, version, data, tuple(discard)), version, data))

    def read(self, version: int, sha256: str) -> bytes | None:
        """The bytes of a version, None when the file is missing or not the one that was written.

        What is still being written is known already: the newest version may be asked for right after it was published.
        """
        fresh = next((d for f, v, d in reversed(self._pending) if v == version and not f.done()), None)
        if fresh is not None:
            return fresh if sha256_hex(fresh) == sha256 else None
        path = self.path(version)
        try:
            if not _is_ours(path):
                return None
            data = path.read_bytes()
        except OSError:
            return None
        return data if sha256_hex(data) == sha256 else None

    def failures(self) -> list[str]:
        """Why writes since the last call did not happen, in the system's words."""
        done = [f for f, _, _ in self._pending if f.done()]
        self._pending = [held for held in self._pending if held[0] not in done]
        return [str(error) for f in done if (error := f.exception()) is not None]

    def close(self) -> None:
        """Finish what is being written."""
        self._writer.shutdown(wait=True)

    def _tidy(self) -> None:
        for found in self._folder.iterdir() if _is_folder(self._folder) else ():
            if CUT_SHORT.fullmatch(found.name) and _is_ours(found):
                with suppress(OSError):  # a file that cannot be removed does no harm
                    found.unlink()

    def _write(self, version: int, data: bytes, discard: tuple[int, ...]) -> None:
        self._folder.mkdir(exist_ok=True)
        if not _is_folder(self._folder):
            raise OSError(f"{self._folder} is not a folder of the project's own")
        write_whole(self.path(version), data)
        for old in discard:
            if _is_ours(self.path(old)):
                self.path(old).unlink(missing_ok=True)


def _is_folder(path: Path) -> bool:
    """Whether it is a folder itself, and not a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _is_ours(path: Path) -> bool:
    """Whether it is an ordinary file of a size that a version may have; a link, pipe or device is not."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size <= _LARGEST


def sha256_hex(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
