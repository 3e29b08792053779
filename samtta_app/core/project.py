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
    """All that is exported: images that were opened at least once, classes, annotations in order of their accept."""

    folder: Path
    images: tuple[ProjectImage, ...]
    classes: tuple[ProjectClass, ...]
    annotations: tuple[Annotation, ...]

    def of_image(self, name: str) -> tuple[Annotation, ...]:
        """The annotations of one image, first accepted first."""
        return tuple(a for a in self.annotations if a.image_name == name)
