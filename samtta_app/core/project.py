"""What an export needs to know of a session, as one frozen value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from samtta_app.core.planes import FIRST_PLANE, PlaneChoice
from samtta_app.core.types import Annotation
from samtta_app.phrases import Phrase


@dataclass(frozen=True, slots=True)
class ProjectImage:
    """An image of the project: file name, size in pixels, its id for the project's life, and number of objects.

    An image without objects is only listed, unless a user said that it is `empty`. The size is 0 x 0 where the file
    cannot be read and was never opened. `problem` tells users of the export what is wrong with the image, "" if
    nothing. `part` is its part of a split: "train", "val" or "test", "" without a split.
    """

    name: str
    width: int
    height: int
    id: int = 0
    objects: int = 0
    problem: str = ""
    part: str = ""
    empty: bool = False

    @property
    def status(self) -> str:
        """Status in an export: annotated, marked as empty, or only listed."""
        return "annotated" if self.objects else "empty" if self.empty else "listed"


@dataclass(frozen=True, slots=True)
class ProjectClass:
    """A class of objects; `id` is what annotations refer to, 1 or more."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Project:
    """Everything that is exported: all images of the folder, all annotated ones, classes, and access to objects.

    `of_image` gives the annotations of one image by its name, first accepted first. They are read on request, so an
    export needs the memory of one image. `remarks` name objects that do not fit and rows that were left out. `reviewed`
    holds the ids of the objects that a user confirmed, `ignored` those of ignore regions. `planes` are what is read of
    image files. With `stored_rows`, sizes and objects are in the rows and columns of the files, not upright.
    """

    folder: Path
    images: tuple[ProjectImage, ...]
    classes: tuple[ProjectClass, ...]
    of_image: Callable[[str], tuple[Annotation, ...]]
    remarks: tuple[str, ...] = ()
    reviewed: frozenset[int] = frozenset()
    planes: PlaneChoice = FIRST_PLANE
    ignored: frozenset[int] = frozenset()
    stored_rows: bool = False

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        """Every object in the order of its accept; all of them are in memory at once."""
        return tuple(sorted((a for image in self.annotated for a in self.of_image(image.name)), key=lambda a: a.id))

    @property
    def annotated(self) -> tuple[ProjectImage, ...]:
        """The images that have objects, and those that a user marked as empty."""
        return tuple(image for image in self.images if image.objects or image.empty)

    @property
    def words(self) -> str:
        """How many images are exported, annotated and only listed, and which have a problem besides `remarks` (the first)."""
        done, empty = len(self.annotated), sum(image.status == "empty" for image in self.images)
        troubled = [image for image in self.images if image.problem and image.problem not in self.remarks]
        total = len(self.images)
        counted = Phrase.joined(
            ", ",
            (
                Phrase(words, number=number)
                for words, number in ((_ANNOTATED, done - empty), (_EMPTY, empty), (_LISTED, total - done))
                if number or words != _EMPTY
            ),
        )
        text = Phrase(
            "1 image: {counted}" if total == 1 else "{number} images: {counted}", number=total, counted=counted
        )
        if troubled:
            named = [
                Phrase("{name}: {problem}", name=image.name, problem=Phrase.of(image.problem))
                for image in troubled[:_SHOWN]
            ]
            more = ["..."] if len(troubled) > _SHOWN else []
            text = Phrase("{text} ({names})", text=text, names=Phrase.joined("; ", [*named, *more]))
        return text


_ANNOTATED, _EMPTY, _LISTED = (
    "{number} annotated",
    "{number} without objects",
    "{number} only listed",
)
_SHOWN = 3
"""Images with a problem that one line names; the export names all of them."""


def fits(annotation: Annotation, image: ProjectImage) -> bool:
    """Whether a mask's own rectangle lies within the image, so that it was made on a picture of at least that size."""
    mask = annotation.mask
    height, width = mask.bits.shape
    return bool(0 <= mask.x <= image.width - width and 0 <= mask.y <= image.height - height)
