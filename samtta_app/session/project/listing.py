"""Which files of a folder are images, and in which order they are shown."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from samtta_app.core.names import IMAGE_SUFFIXES, component, is_inside, is_listed
from samtta_app.errors import ProjectError
from samtta_app.phrases import Phrase
from samtta_app.session.state import ImageEntry, ImageStatus

MOST_ENDINGS = 4
"""Kinds of files that one sentence names."""
GONE = "The file is no longer in the folder; its annotations are kept"
_DIGITS = re.compile(r"\d+")

NaturalKey = tuple[str, str]


def natural(name: str) -> NaturalKey:
    """Sort key under which "cell2" comes before "cell10", whatever the case; equal names are sorted by their text.

    Keys are texts, since a folder may hold 100,000 names: lists of words and numbers take three times as long.
    """
    return _DIGITS.sub(_length_first, name.casefold()), name


def _length_first(number: re.Match[str]) -> str:
    """A number as text that sorts by value: its length without zeros in front, after a character that no name has."""
    digits = number[0].lstrip("0")
    return f"\0{len(digits):04}{digits}"


def image_names(folder: Path, *, subfolders: bool = False) -> tuple[str, ...]:
    """What a project calls the image files of a folder, and of those below it if they are wanted, in natural order.

    Hidden files and folders are passed over, and so are linked folders and those with an export of samtta. No file is
    opened or looked at, however many there are.

    Raises:
        ProjectError: the folder does not exist or cannot be read.
    """
    return tuple(sorted(_unsorted(folder, subfolders), key=natural))


def _unsorted(folder: Path, subfolders: bool) -> Iterator[str]:
    """The names of `image_names` as the system lists them.

    Raises:
        ProjectError: as in `image_names`.
    """
    try:
        for place in _folders(folder, subfolders):
            name = image_name(folder, place)
            front = "" if name == "." else f"{name}/"
            yield from (front + e.name for e in _within(place) if is_listed(e.name) and e.is_file())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ProjectError(Phrase("The folder cannot be read: {why}", why=why), folder, "Choose another") from error


def image_files(folder: Path, *, subfolders: bool = False) -> tuple[Path, ...]:
    """The paths of `image_names`.

    Raises:
        ProjectError: the folder does not exist or cannot be read.
    """
    return tuple(folder / name for name in image_names(folder, subfolders=subfolders))


def image_folders(folder: Path, *, subfolders: bool = False) -> tuple[Path, ...]:
    """The folder, and those below it that `image_names` looks into; the folder alone where they cannot be read."""
    try:
        return tuple(_folders(folder, subfolders))
    except OSError:
        return (folder,)


def row_of_file(images: Sequence[ImageEntry], path: Path) -> int | None:
    """Where the image of this file stands in the list, whatever the way to it; None where it is not listed."""
    return next((k for k, e in enumerate(images) if e.name.endswith(path.name) and _same_file(e.path, path)), None)


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one == other or os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


def image_name(folder: Path, path: Path) -> str:
    """What a project calls an image: its path below the project's folder, with "/" between folders."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def first_subfolders(folder: Path, wanted: bool | None) -> bool | None:
    """Whether a new project takes images of subfolders; where nothing is said, it does if there are no others.

    Raises:
        ProjectError: there are no images, or the folder cannot be read.
    """
    if any(_unsorted(folder, bool(wanted))):
        return wanted
    if wanted is None and any(_unsorted(folder, True)):
        return True
    kinds = " ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
    raise ProjectError(
        "There are no images in this folder", folder, Phrase("Choose a folder with images ({kinds})", kinds=kinds)
    )


NO_ENDING = "no ending"


def passed_over(folder: Path, *, subfolders: bool) -> str:
    """What of a folder is no image of the project, in one sentence; "" where there is nothing or it cannot be read."""
    endings, other = Counter[str](), 0
    try:
        places = set(map(str, _folders(folder, subfolders)))
        for entry in (e for place in places for e in _within(Path(place)) if not e.name.startswith(".")):
            if is_listed(entry.name):
                continue
            if entry.is_dir():
                other += entry.path not in places and any(is_listed(e.name) for e in _within(Path(entry)))
            else:
                endings[os.path.splitext(entry.name)[1].lower() or NO_ENDING] += 1
    except (OSError, ValueError):
        return ""
    named: list[str] = [
        f"{number} {ending}" if ending != NO_ENDING else Phrase("{number} no ending", number=number)
        for ending, number in endings.most_common(MOST_ENDINGS)
    ]
    more = endings.total() - sum(number for _, number in endings.most_common(MOST_ENDINGS))
    named += [Phrase("{number} others", number=more)] if more else []
    named += (
        [Phrase("1 folder with images" if other == 1 else "{number} folders with images", number=other)]
        if other
        else []
    )
    return Phrase("Passed over in the folder: {names}", names=Phrase.joined(", ", named)) if named else ""


def _within(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder, as the system lists it: its kinds are known without a look at each entry."""
    with os.scandir(folder) as found:
        yield from found


def _folders(folder: Path, subfolders: bool) -> list[Path]:
    """The folder, and those below it that may hold images."""
    found = [folder]
    for place in found if subfolders else ():  # it grows meanwhile
        below = (e for e in _within(place) if not e.name.startswith(".") and e.is_dir(follow_symlinks=False))
        found += sorted(path for path in map(Path, below) if not _holds_export(path))
    return found


def _holds_export(folder: Path) -> bool:
    """Whether samtta has written an export there: its images are copies or masks."""
    masks = (folder / "legend.json").is_file() and (folder / "instances").is_dir()
    return masks or (folder / "dataset.json").is_file() or any(folder.glob("samtta-*.json"))


def listing_changed(objects: int) -> str:
    """The list's text for an image that was replaced after this many of its objects were accepted."""
    return Phrase("Replaced: {number} of its objects were accepted on another picture", number=objects)


def entries(
    folder: Path,
    names: Sequence[str],
    objects: Mapping[str, int],
    others: Mapping[str, int] = MappingProxyType({}),
    empty: frozenset[str] = frozenset(),
) -> tuple[ImageEntry, ...]:
    """The image list: every file, and every image that has `objects` (name -> number) but whose file is gone.

    Every path lies in `folder`, whatever a project's database calls its images. `names` are in natural order. `others`
    are numbers of objects that were accepted on another picture, `empty` the images that are marked as empty.
    """
    there = set(names)
    front = os.path.join(folder, "")
    shown = [ImageEntry(name, front + name, "todo", 0) for name in names]
    if objects or empty:
        shown = [_marked(entry, objects.get(entry.name, 0), entry.name in empty) for entry in shown]
    gone = [
        ImageEntry(name, front + (name if is_inside(name) else component(name)), "unreadable", number, GONE)
        for name, number in objects.items()
        if number and name not in there
    ]
    found = sorted(shown + gone, key=lambda entry: natural(entry.name)) if gone else shown
    return tuple(replace(e, changed=listing_changed(others[e.name])) if others.get(e.name) else e for e in found)


def _marked(entry: ImageEntry, objects: int, empty: bool) -> ImageEntry:
    status: ImageStatus = "annotated" if objects else "empty" if empty else "todo"
    return replace(entry, status=status, objects=objects, empty=empty) if objects or empty else entry


def merged_listing(before: tuple[ImageEntry, ...], now: tuple[ImageEntry, ...]) -> tuple[ImageEntry, ...]:
    """The image list after the folder was listed again.

    What is known of an image stays. A file that is gone is marked, also without annotations: it may be open, and come back.
    """
    known, there = {entry.name: entry for entry in before}, {entry.name: entry for entry in now}
    shown = []
    for name in known.keys() | there.keys():
        old, new = known.get(name), there.get(name)
        if old is None and new is not None:
            shown.append(new)
        elif old is not None and (new is None or new.text == GONE):
            shown.append(old if old.text == GONE else replace(old, status="unreadable", text=GONE))
        elif old is not None and new is not None:
            shown.append(replace(new, worst=old.worst) if old.text == GONE else old)
    return tuple(sorted(shown, key=lambda entry: natural(entry.name)))
