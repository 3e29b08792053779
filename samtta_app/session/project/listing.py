"""Which files of a folder are images, and in which order they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from natsort import natsort_keygen, ns

from samtta_app.core.names import IMAGE_SUFFIXES, component, is_component
from samtta_app.errors import ProjectError
from samtta_app.session.state import ImageEntry

GONE = "The file is no longer in the folder; its annotations are kept"
_by_number = natsort_keygen(alg=ns.IGNORECASE)


def natural(name: str) -> tuple[Any, str]:
    """Sort key under which "cell2" comes before "cell10", whatever the case; equal names are sorted by their text."""
    return _by_number(name), name


def image_files(folder: Path) -> tuple[Path, ...]:
    """The image files of a folder in natural order; hidden files and subfolders are passed over.

    Raises:
        ProjectError: the folder does not exist or cannot be read.
    """
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith(".")]
        return tuple(sorted((p for p in found if p.is_file()), key=lambda p: natural(p.name)))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ProjectError(f"The folder cannot be read: {why}", folder, "Choose another") from error


def listing_changed(objects: int) -> str:
    """The list's text for an image that was replaced after this many of its objects were accepted."""
    return f"Replaced: {objects} of its objects were accepted on another picture"


def entries(folder: Path, files: tuple[Path, ...], objects: Mapping[str, int]) -> tuple[ImageEntry, ...]:
    """The image list: every file, and every image that has `objects` (name -> number) but whose file is gone.

    Every path lies in `folder`, whatever a project's database calls its images.
    """
    there = {path.name for path in files}
    shown = [
        ImageEntry(p.name, p, "annotated" if objects.get(p.name) else "todo", objects.get(p.name, 0)) for p in files
    ]
    shown += [
        ImageEntry(name, folder / (name if is_component(name) else component(name)), "unreadable", number, GONE)
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
