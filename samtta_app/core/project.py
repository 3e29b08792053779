"""What an export needs to know of a session, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from samtta_app.core.types import Annotation


@dataclass(frozen=True, slots=True)
class ProjectImage:
    """An image of the project: file name and size in pixels."""

    name: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ProjectClass:
    """A class of objects; `id` is what annotations refer to, 1 or more."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Project:
    """All that is exported: images that were opened at least once, classes, annotations in order of their accept.

    `remarks` say what is left out and what is doubtful, each in a line for a person.
    """

    folder: Path
    images: tuple[ProjectImage, ...]
    classes: tuple[ProjectClass, ...]
    annotations: tuple[Annotation, ...]
    remarks: tuple[str, ...] = ()

    def of_image(self, name: str) -> tuple[Annotation, ...]:
        """The annotations of one image, first accepted first."""
        return tuple(a for a in self.annotations if a.image_name == name)


def fits(annotation: Annotation, image: ProjectImage) -> bool:
    """Whether a mask's own rectangle lies within the image: it was made on a picture of at least that size."""
    mask = annotation.mask
    height, width = mask.bits.shape
    return bool(0 <= mask.x <= image.width - width and 0 <= mask.y <= image.height - height)
