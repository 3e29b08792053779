"""Which picture an object was accepted on, and whether its file still holds that picture."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from samtta_app.core.planes import FIRST_PLANE, PlaneChoice
from samtta_app.core.project import ProjectImage, fits
from samtta_app.core.types import Annotation, Image
from samtta_app.errors import ImageError
from samtta_app.phrases import Phrase

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
    said = Phrase(_OTHER[len(others or beyond) == 1], image=image.name, objects=_named(others or beyond))
    if before not in ([], [now]):
        said = Phrase("{said} (it had {before} pixels, now {now})", said=said, before=", ".join(before), now=now)
    return Phrase(_BEYOND[len(beyond) == 1], said=said, objects=_named(beyond)) if beyond else said


_OTHER = {
    True: "{image} is no longer the picture that {objects} was accepted on",
    False: "{image} is no longer the picture that {objects} were accepted on",
}
_BEYOND = {
    True: "{said}; {objects} does not fit it, and will not be exported",
    False: "{said}; {objects} do not fit it, and will not be exported",
}
"""For one object, and for several."""


def _named(annotations: tuple[Annotation, ...]) -> Phrase:
    numbers, more = ", ".join(str(a.id) for a in annotations[:LISTED]), len(annotations) - LISTED
    if more > 0:
        return Phrase("objects {numbers} and {more} more", numbers=numbers, more=more)
    return Phrase("object {numbers}" if len(annotations) == 1 else "objects {numbers}", numbers=numbers)
