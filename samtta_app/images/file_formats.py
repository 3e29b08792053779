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
from samtta_app.phrases import Phrase


class ImageKind(Enum):
    """The formats that are read; nothing else ever reaches a decoder."""

    PNG = "PNG"
    JPEG = "JPEG"
    BMP = "BMP"
    TIFF = "TIFF"
    WEBP = "WebP"
    GIF = "GIF"
    JPEG_2000 = "JPEG 2000"
    AVIF = "AVIF"
    PNM = "PNM"
    DICOM = "DICOM"


TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""First bytes of TIFF and BigTIFF files."""

OTHERS = {
    b"%!": "a PostScript program",
    b"\xc5\xd0\xd3\xc6": "a PostScript program",
    b"%PDF": "a PDF document",
    b"\xd7\xcd\xc6\x9a": "a WMF drawing",
    b"\x01\0\0\0": "an EMF drawing",
    b"SIMPLE": "a FITS file",
    b"<": "a text with tags (SVG, XML or HTML)",
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


HEAD_BYTES = 132
"""First bytes of a file that decide its format; DICOM files begin with 128 of no meaning."""


def image_kind(head: bytes) -> ImageKind | None:
    """The format of a file that begins with `head` (at least HEAD_BYTES of it); None for every other format."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageKind.PNG
    if head.startswith(b"\xff\xd8\xff"):
        return ImageKind.JPEG
    if head.startswith(TIFF_STARTS):
        return ImageKind.TIFF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ImageKind.WEBP
    if head.startswith((b"GIF87a", b"GIF89a")):
        return ImageKind.GIF
    if head.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")):
        return ImageKind.JPEG_2000
    if head[4:12] in (b"ftypavif", b"ftypavis") or (head[4:8] == b"ftyp" and b"avif" in head[12:64]):
        return ImageKind.AVIF
    if head[:1] == b"P" and head[1:2] in b"123456fF" and head[2:3].isspace():
        return ImageKind.PNM
    if head[128:132] == b"DICM":
        return ImageKind.DICOM
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
        raise ImageError(
            Phrase("The image file cannot be opened: {strerror}", strerror=e.strerror),
            path,
            "Check the file and its rights",
        ) from e
    with raw, _Measured(raw) as file:
        yield ImageStream(path, _kind(path, file.read(HEAD_BYTES)), os.fstat(raw.fileno()).st_size, file, check)


def _kind(path: Path, head: bytes) -> ImageKind:
    if not head:
        raise ImageError("The image file is empty", path, "Copy it again from where it came from")
    kind = image_kind(head)
    if kind is None:
        names = (name for start, name in OTHERS.items() if head.startswith(start))
        text = Phrase("This is {next}, not an image that samtta can read", next=next(names, "something else"))
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
