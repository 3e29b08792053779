"""What an export format is: one value, with how it is written and read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from samtta_app.core.messages import ReportProgress
from samtta_app.core.project import Project, ProjectImage
from samtta_app.core.types import Mask
from samtta_app.errors import ExportError


class ExportStoppedError(ExportError):
    """The user cancelled an export; nothing was written."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledMask:
    """One object as a format gives it back: its image's name, its class's name, and its mask in that image."""

    image_name: str
    class_name: str
    mask: Mask


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
        read: gives the objects of an export back, image by image. Raises a DatasetError where it cannot be read.
        options: what a user may choose when writing; none of today's formats has any.
    """

    name: str
    title: str
    endings: tuple[str, ...]
    cannot_hold: tuple[str, ...]
    write: FormatWriter
    read: Callable[[Path], Iterator[LabelledMask]]
    options: tuple[str, ...] = ()


def unheard(done: float, words: str) -> None:
    """Progress that is not reported."""


def announced(images: tuple[ProjectImage, ...], progress: ReportProgress) -> Iterable[ProjectImage]:
    """The images in their order; `progress` hears of each before it is given."""
    for number, image in enumerate(images, start=1):
        progress((number - 1) / len(images), f"image {number} of {len(images)}")
        yield image
