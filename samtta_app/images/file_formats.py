"""Which files are images: decided by their content alone, never by their name, before any decoder runs."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from samtta_app.errors import ImageError


class ImageKind(Enum):
    """The formats that are read; nothing else ever reaches a decoder."""

    PNG = "PNG"
    JPEG = "JPEG"
    BMP = "BMP"
    TIFF = "TIFF"
    WEBP = "WebP"


TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""First bytes of TIFF and BigTIFF files."""

OTHERS = {
    b"%!": "a PostScript program",
    b"\xc5\xd0\xd3\xc6": "a PostScript program",
    b"%PDF": "a PDF document",
    b"GIF8": "a GIF",
    b"\xd7\xcd\xc6\x9a": "a WMF drawing",
    b"\x01\0\0\0": "an EMF drawing",
    b"SIMPLE": "a FITS file",
    b"<": "a text with tags (SVG, XML or HTML)",
    b"\0\0\0\x0cjP": "a JPEG 2000",
    b"8BPS": "a Photoshop document",
    b"PK\x03\x04": "a ZIP archive",
}
"""First bytes of other formats, to name them in the refusal."""


class GivenUp(BaseException):
    """The read was cancelled. It is not an Exception, so that decoders which catch those do not swallow it."""


@dataclass(frozen=True, slots=True)
class ImageStream:
    """An open image file: `size` in bytes, and `check`, which raises GivenUp once the read is no longer wanted."""

    path: Path
    kind: ImageKind
    size: int
    file: io.BufferedReader[Any]
    check: Callable[[], None]


def image_kind(head: bytes) -> ImageKind | None:
    """The format of a file that begins with `head` (at least 18 bytes of it); None for every other format."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageKind.PNG
    if head.startswith(b"\xff\xd8\xff"):
        return ImageKind.JPEG
    if head.startswith(TIFF_STARTS):
        return ImageKind.TIFF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ImageKind.WEBP
    # Many texts begin with "BM"; a bitmap's header has one of these sizes
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124):
        return ImageKind.BMP
    return None


@contextmanager
def opened_image(path: Path, check: Callable[[], None] = lambda: None) -> Iterator[ImageStream]:
    """Open an ordinary file that is an image by its content; `check` is called before each read.

    Raises:
        ImageError: the file is missing, not an ordinary file, empty, or of another format.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would block, a device never ends
            raise ImageError("This is not an ordinary file", path, "Put the image itself in its place")
        raw = _Watched(path, check)
    except ValueError as e:
        raise ImageError("The image file has a name that cannot be opened", path, "Rename it") from e
    except OSError as e:
        raise ImageError(f"The image file cannot be opened: {e.strerror}", path, "Check the file and its rights") from e
    with raw, _Measured(raw) as file:
        yield ImageStream(path, _kind(path, file.read(32)), os.fstat(raw.fileno()).st_size, file, check)


def _kind(path: Path, head: bytes) -> ImageKind:
    if not head:
        raise ImageError("The image file is empty", path, "Copy it again from where it came from")
    kind = image_kind(head)
    if kind is None:
        names = (name for start, name in OTHERS.items() if head.startswith(start))
        text = f"This is {next(names, 'something else')}, not an image that samtta can read"
        raise ImageError(text, path, "Save it as PNG, JPEG or TIFF")
    return kind


class _Watched(io.FileIO):
    """A file that checks before each read whether the read is still wanted."""

    def __init__(self, path: Path, check: Callable[[], None]) -> None:
        super().__init__(path, "rb")
        self._check = check

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]
        self._check()
        return super().readinto(buffer)

    def readall(self) -> bytes:
        self._check()
        return super().readall()


class _Measured(io.BufferedReader):
    """A reader that makes no room for more bytes than its file has left, although a chunk may claim gigabytes."""

    def read(self, size: int | None = -1) -> bytes:
        """At most `size` bytes; all that is left where it is None or negative."""
        if size is not None and size > io.DEFAULT_BUFFER_SIZE:
            size = min(size, max(0, os.fstat(self.fileno()).st_size - self.tell()))
        return super().read(size)
