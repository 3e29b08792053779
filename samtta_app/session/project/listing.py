"""Which files of a folder are images, and in which order they are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from natsort import natsort_keygen, ns

from samtta_app.core.names import IMAGE_SUFFIXES, component, is_inside
from samtta_app.errors import ProjectError
from samtta_app.session.state import ImageEntry

MOST_ENDINGS = 4
"""Kinds of files that one sentence names."""
GONE = "The file is no longer in the folder; its annotations are kept"
_by_number = natsort_keygen(alg=ns.IGNORECASE)


def natural(name: str) -> tuple[Any, str]:
    """Sort key under which "cell2" comes before "cell10", whatever the case; equal names are sorted by their text."""
    return _by_number(name), name


def image_files(folder: Path, *, subfolders: bool = False) -> tuple[Path, ...]:
    """The image files of a folder, and of those below it if they are wanted, in natural order.

    Hidden files and folders are passed over, and so are linked folders and those with an export of samtta.

    Raises:
        ProjectError: the folder does not exist or cannot be read.
    """
    try:
        found = [p for place in _folders(folder, subfolders) for p in place.iterdir() if _is_listed(p)]
        return tuple(sorted((p for p in found if p.is_file()), key=lambda p: natural(image_name(folder, p))))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ProjectError(f"The folder cannot be read: {why}", folder, "Choose another") from error


def image_name(folder: Path, path: Path) -> str:
    """What a project calls an image: its path below the project's folder, with "/" between folders."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def first_subfolders(folder: Path, wanted: bool | None) -> bool | None:
    """Whether a new project takes images of subfolders; where nothing is said, it does if there are no others.

    Raises:
        ProjectError: there are no images, or the folder cannot be read.
    """
    if image_files(folder, subfolders=bool(wanted)):
        return wanted
    if wanted is None and image_files(folder, subfolders=True):
        return True
    kinds = " ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
    raise ProjectError("There are no images in this folder", folder, f"Choose a folder with images ({kinds})")


def passed_over(folder: Path, *, subfolders: bool) -> str:
    """What of a folder is no image of the project, in one sentence; "" where there is nothing or it cannot be read."""
    endings, other = Counter[str](), 0
    try:
        places = _folders(folder, subfolders)
        for path in (p for place in places for p in place.iterdir() if not p.name.startswith(".")):
            if _is_listed(path):
                continue
            if path.is_dir():
                other += path not in places and any(map(_is_listed, path.iterdir()))
            else:
                endings[path.suffix.lower() or "no ending"] += 1
    except (OSError, ValueError):
        return ""
    named = [f"{number} {ending}" for ending, number in endings.most_common(MOST_ENDINGS)]
    more = endings.total() - sum(number for _, number in endings.most_common(MOST_ENDINGS))
    named += [f"{more} others"] if more else []
    named += [f"{other} {'folder' if other == 1 else 'folders'} with images"] if other else []
    return f"Passed over in the folder: {', '.join(named)}" if named else ""


def _is_listed(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def _folders(folder: Path, subfolders: bool) -> list[Path]:
    """The folder, and those below it that may hold images."""
    if not subfolders:
        return [folder]
    found = [folder]
    for place in found:  # it grows meanwhile
        below = (p for p in place.iterdir() if not p.name.startswith(".") and p.is_dir() and not p.is_symlink())
        found += sorted(p for p in below if not _holds_export(p))
    return found


def _holds_export(folder: Path) -> bool:
    """Whether samtta has written an export there: its images are copies."""
    return (folder / "dataset.json").is_file() or any(folder.glob("samtta-*.json"))


def listing_changed(objects: int) -> str:
    """The list's text for an image that was replaced after this many of its objects were accepted."""
    return f"Replaced: {objects} of its objects were accepted on another picture"


def entries(folder: Path, files: tuple[Path, ...], objects: Mapping[str, int]) -> tuple[ImageEntry, ...]:
    """The image list: every file, and every image that has `objects` (name -> number) but whose file is gone.

    Every path lies in `folder`, whatever a project's database calls its images.
    """
    there = {image_name(folder, path): path for path in files}
    shown = [
        ImageEntry(name, path, "annotated" if objects.get(name) else "todo", objects.get(name, 0))
        for name, path in there.items()
    ]
    shown += [
        ImageEntry(name, folder / (name if is_inside(name) else component(name)), "unreadable", number, GONE)
        for name, number in objects.items()
        if number and name not in there
    ]
    return tuple(sorted(shown, key=lambda entry: natural(entry.name)))


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
