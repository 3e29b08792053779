"""Which picture an object was accepted on, and whether its file still holds that picture."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from samtta_app.core.planes import FIRST_PLANE, PlaneChoice
from samtta_app.core.project import ProjectImage, fits
from samtta_app.core.types import Annotation, Image
from samtta_app.errors import ImageError

LISTED = 10
"""This many objects are named by their numbers in one line."""


def picture_of(image: Image) -> str:
    """Size and content of an upright picture: a file that was only compressed or named differently stays the same."""
    return f"{image.width}x{image.height}:{image.scene or image.key}"


def file_size(path: Path) -> int | None:
    """Bytes of a file, None when they cannot be found out."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return None


def seen_again(
    path: Path, image: ProjectImage, picture: str, planes: PlaneChoice = FIRST_PLANE
) -> tuple[ProjectImage, str]:
    """An image as its file is now, and its picture; as it was where the file cannot be read.

    Call it only for files whose size has changed: they are read whole.
    """
    from samtta_app.images.read import read_image  # imports the decoders, which the start does not need

    try:
        now = read_image(path, planes=planes, tiled=True)
    except ImageError:
        return image, picture
    return ProjectImage(image.name, now.width, now.height), picture_of(now)


def replaced(annotations: Iterable[Annotation], picture: str) -> tuple[Annotation, ...]:
    """The objects that were accepted on another picture than this one, as far as both are known."""
    return tuple(a for a in annotations if a.picture and picture and a.picture != picture)


def outside(annotations: Iterable[Annotation], image: ProjectImage) -> tuple[Annotation, ...]:
    """The objects that do not lie within the image."""
    return tuple(a for a in annotations if not fits(a, image))


def remark(image: ProjectImage, others: tuple[Annotation, ...], beyond: tuple[Annotation, ...]) -> str:
    """What the user should know of an image whose picture is not that of its objects, "" when nothing."""
    if not others and not beyond:
        return ""
    before = sorted({a.picture.partition(":")[0].replace("x", " x ") for a in others})
    now = f"{image.width} x {image.height}"
    sizes = f" (it had {', '.join(before)} pixels, now {now})" if before not in ([], [now]) else ""
    said = f"{image.name} is no longer the picture that {_named(others or beyond)} {_was(others or beyond)} accepted on{sizes}"
    return f"{said}; {_named(beyond)} {_does(beyond)} not fit it, and will not be exported" if beyond else said


def _named(annotations: tuple[Annotation, ...]) -> str:
    numbers = ", ".join(str(a.id) for a in annotations[:LISTED])
    rest = f" and {len(annotations) - LISTED} more" if len(annotations) > LISTED else ""
    return f"object {numbers}" if len(annotations) == 1 else f"objects {numbers}{rest}"


def _was(annotations: tuple[Annotation, ...]) -> str:
    return "was" if len(annotations) == 1 else "were"


def _does(annotations: tuple[Annotation, ...]) -> str:
    return "does" if len(annotations) == 1 else "do"
