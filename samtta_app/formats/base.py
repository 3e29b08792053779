"""What an export format is: one value, with how it is written and read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from samtta_app.core.messages import ReportProgress
from samtta_app.core.object_notes import NO_NOTE, ObjectNote
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.types import Mask
from samtta_app.errors import DatasetError, ExportError
from samtta_app.phrases import Phrase


class ExportStoppedError(ExportError):
    """The user cancelled an export; nothing was written."""


IGNORED_LOST, NOTES_LOST = "ignore regions: they are left out", "attributes and comments"

INVALID = (ValueError, LookupError, TypeError, AttributeError, OverflowError)
"""What values of another kind than expected lead to."""

MOST_PIXELS = 1 << 28
"""Pixels of an image that masks are read for: 16384 x 16384. A file that claims more could fill the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledMask:
    """One object as a format gives it back: its image's name, its class's name, its mask in that image, and its note."""

    image_name: str
    class_name: str
    mask: Mask
    note: ObjectNote = NO_NOTE


@dataclass(frozen=True, slots=True)
class Refused:
    """An object that cannot be read: the image, file or number that names it, and the reason in words."""

    where: str
    reason: str


Found = LabelledMask | Refused
"""What a reader finds, object by object."""

SizeOf = Callable[[str], tuple[int, int] | None]
"""Height and width of the image that a file names, with or without its ending; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader is told.

    Args:
        size_of: sizes of the images, for files that do not hold them.
        split_parts: whether each connected part of a mask of 0 and 1 is an object of its own.
        class_name: of objects whose file names no class.
        told: hears the share 0 .. 1 of a large file that was read; it may raise a DatasetError to end the reading.
    """

    size_of: SizeOf = lambda name: None
    split_parts: bool = False
    class_name: str = "object"
    told: Callable[[float], None] = lambda share: None


def checked_size(name: str, height: object, width: object, reading: Reading) -> tuple[int, int]:
    """Height and width that a file gives to an image; those of the image of this name where it gives none.

    Raises:
        ValueError: they are no sizes, or are not those of the image of this name.
    """
    known = reading.size_of(name)
    if height is None and width is None and known is not None:
        height, width = known
    if not isinstance(height, int) or not isinstance(width, int) or height < 1 or width < 1:
        raise ValueError(f"its image has the size {width!s:.20} x {height!s:.20}")
    if known is not None and known != (height, width):
        raise ValueError(f"it is for an image of {width} x {height} pixels, but {name} has {known[1]} x {known[0]}")
    if height * width > MOST_PIXELS:
        raise ValueError(f"its image of {width} x {height} pixels is too large")
    return height, width


FoundReader = Callable[[Path, Reading], Iterator[Found]]
"""Gives the objects of a file or folder, one after the other; raises a DatasetError where it is no such file at all."""


class FormatWriter(Protocol):
    """Writes a project's objects, one image after the other, in the memory of one image."""

    def __call__(self, project: Project, out: Path, progress: ReportProgress = ..., /) -> list[Path]:
        """Write the files into the folder `out`, which is made if it does not exist; returns their paths.

        `progress` hears of every image before it is written. It may raise ExportStoppedError.

        Raises:
            ExportError: the export failed; no partial file stays.
        """


@dataclass(frozen=True, slots=True)
class Format:
    """An export format.

    Args:
        name: what commands and settings call it.
        title: what a user reads.
        endings: of the files, with the dot.
        cannot_hold: what is lost in it, as a text for the user; empty where everything accepted can be read back.
        write: writes a project.
        read: gives the objects of an export back, one after the other. Raises a DatasetError where it cannot be read.
        splits: whether it has a place for a split of the images; other formats get one folder for each part.
        holds_ignored: whether it has a place for ignore regions; they are left out of other formats.
        holds_notes: whether it has a place for attributes and comments of objects.
        copies_pixels: whether it copies upright pixels, so that masks in the rows of the files would not fit them.
    """

    name: str
    title: str
    endings: tuple[str, ...]
    cannot_hold: tuple[str, ...]
    write: FormatWriter
    read: Callable[[Path], Iterator[LabelledMask]]
    splits: bool = False
    holds_ignored: bool = False
    holds_notes: bool = False
    copies_pixels: bool = False

    @property
    def lost(self) -> tuple[str, ...]:
        """What is lost in it, as a text for the user, ignore regions and notes included."""
        regions = () if self.holds_ignored else (IGNORED_LOST,)
        return (*self.cannot_hold, *regions, *(() if self.holds_notes else (NOTES_LOST,)))


def is_plain_file(path: Path) -> bool:
    """Whether it is a file itself and no link, which could lead out of the folder that a user chose."""
    return path.is_file() and not path.is_symlink()


def strictly(read: FoundReader) -> Callable[[Path], Iterator[LabelledMask]]:
    """A reader of our own exports: the first object that cannot be read is a DatasetError."""

    def all_of(path: Path) -> Iterator[LabelledMask]:
        for found in read(path, Reading()):
            if isinstance(found, Refused):
                raise DatasetError(
                    Phrase("An object cannot be read ({where}): {reason}", where=found.where, reason=found.reason),
                    path,
                    "Export again",
                )
            yield found

    return all_of


def unheard(done: float, words: str) -> None:
    """Progress that is not reported."""


def announced(images: tuple[ProjectImage, ...], progress: ReportProgress) -> Iterable[ProjectImage]:
    """The images in their order; `progress` hears of each before it is given."""
    for number, image in enumerate(images, start=1):
        progress((number - 1) / len(images), Phrase("image {number} of {every}", number=number, every=len(images)))
        yield image
