"""What an export lists: every image of the folder and every annotated one, each with a permanent id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from samtta_app.core.planes import PLAIN_READING, ReadingChoice
from samtta_app.core.project import ProjectImage
from samtta_app.core.types import Annotation
from samtta_app.errors import ImageError, ProjectError
from samtta_app.session.project import listing, pictures

NO_FILE = "its file is no longer in the folder"
UNREADABLE_NOTE = "its file cannot be read"


@dataclass(frozen=True, slots=True)
class SeenImage:
    """An image as it was when it was open last: its size, its picture ("" when not known) and its file's size."""

    image: ProjectImage
    picture: str
    file_size: int | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The images of an export in natural order, the objects that no longer fit their image, and messages about both."""

    images: tuple[ProjectImage, ...]
    misfits: frozenset[int]
    remarks: tuple[str, ...]


def files(folder: Path, reading: ReadingChoice) -> dict[str, Path]:
    """The image files by name; none where the folder cannot be read: what was stored can still be exported."""
    try:
        found = listing.image_names(folder, subfolders=reading.subfolders)
    except ProjectError:
        return {}
    return {name: folder / name for name in found}


def numbered(known: Mapping[str, int], opened: Iterable[str], every: Iterable[str]) -> dict[str, int]:
    """`known`, and the next numbers for the images that have none.

    The first numbers go to the images that were opened, in natural order: exports had these before ids were kept.
    """
    found, last = dict(known), max(known.values(), default=0)
    first = [] if known else sorted(opened, key=listing.natural)
    for name in [*first, *sorted(set(every) - found.keys(), key=listing.natural)]:
        if name not in found:
            last += 1
            found[name] = last
    return found


def catalogue(
    folder: Path,
    ids: Mapping[str, int],
    objects: Mapping[str, int],
    empty: frozenset[str],
    seen: Mapping[str, SeenImage],
    annotations: Callable[[str], tuple[Annotation, ...]],
    reading: ReadingChoice = PLAIN_READING,
) -> Catalogue:
    """List every image of the folder and every annotated one.

    An image with objects has the size that it had when it was open last; a file that was replaced since is read again.
    Others have the size of their file's header.

    Args:
        folder: of the images.
        ids: of all of them, by name.
        objects: their number, by name.
        empty: names of the images that are marked as empty.
        seen: what was open before, by name.
        annotations: of an image, by its name.
        reading: how the files are read.

    A folder that is gone has no images but the annotated ones.
    """
    there = files(folder, reading)
    found, misfits, remarks = [], set[int](), list[str]()
    for name in sorted({*there, *objects}, key=listing.natural):
        image = _listed(name, there.get(name), objects.get(name, 0), seen.get(name), reading)
        if objects.get(name):
            image, beyond, said = _checked(image, there.get(name), seen.get(name), annotations(name), reading)
            misfits |= {a.id for a in beyond}
            remarks += [said] if said else []
        found.append(replace(image, id=ids[name], empty=name in empty and not objects.get(name)))
    return Catalogue(tuple(found), frozenset(misfits), tuple(remarks))


def _listed(name: str, path: Path | None, objects: int, seen: SeenImage | None, reading: ReadingChoice) -> ProjectImage:
    size, problem = (None, NO_FILE) if path is None else (_shown_size(path, reading), "")
    if path is not None and size is None:
        problem = UNREADABLE_NOTE
    opened = (seen.image.width, seen.image.height) if seen else None
    width, height = (opened if objects else None) or size or opened or (0, 0)
    return ProjectImage(name, width, height, objects=objects, problem=problem)


def _shown_size(path: Path, reading: ReadingChoice) -> tuple[int, int] | None:
    from samtta_app.images.read import image_size  # imports the decoders, which the start does not need

    try:
        return image_size(path, reading.planes)
    except ImageError:
        return None


def _checked(
    image: ProjectImage,
    path: Path | None,
    seen: SeenImage | None,
    mine: tuple[Annotation, ...],
    reading: ReadingChoice,
) -> tuple[ProjectImage, tuple[Annotation, ...], str]:
    """The image, those of its objects that do not fit it, and the message about them."""
    picture = seen.picture if seen else ""
    if path is not None and seen and seen.file_size is not None and pictures.file_size(path) != seen.file_size:
        now, picture = pictures.seen_again(
            path, seen.image, picture, reading.planes
        )  # replaced, and not looked at since
        image = replace(image, width=now.width, height=now.height)
    beyond = pictures.outside(mine, image)
    said = pictures.remark(image, pictures.replaced(mine, picture), beyond)
    problem = "; ".join(part for part in (image.problem, said) if part)
    return replace(image, objects=len(mine) - len(beyond), problem=problem), beyond, said
