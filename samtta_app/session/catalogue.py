"""What an export lists: every image of the folder and every annotated one, each with an id for the project's life."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from samtta_app.core.headers import shown_size
from samtta_app.core.names import from_text, to_text
from samtta_app.core.project import ProjectImage
from samtta_app.session import listing

NO_FILE = "its file is no longer in the folder"
UNREADABLE = "its file cannot be read"


def catalogue(db: sqlite3.Connection, folder: Path) -> tuple[ProjectImage, ...]:
    """The images in natural order; ids that `number` did not give, since the project is read-only, follow the others.

    An image with objects has the size that it had when they were accepted. Others have that of their file's header.

    Raises:
        ProjectError: the folder cannot be read.
    """
    there = {path.name: path for path in listing.image_files(folder)}
    objects = _objects(db)
    sizes = {from_text(name): (width, height) for name, width, height in db.execute("SELECT * FROM images")}
    names = sorted({*there, *objects}, key=listing.natural)
    ids = _numbered(_known(db), names)
    return tuple(_image(ids[name], name, there.get(name), objects.get(name, 0), sizes.get(name)) for name in names)


def number(db: sqlite3.Connection, folder: Path) -> None:
    """Give each image that has none yet an id, inside the caller's transaction.

    The first ids go to the images that were opened, in natural order: exports had these numbers before ids were kept.

    Raises:
        ProjectError: the folder cannot be read.
    """
    known = _known(db)
    opened = [] if known else [from_text(row[0]) for row in db.execute("SELECT name FROM images")]
    every = {*(path.name for path in listing.image_files(folder)), *_objects(db)}
    new = _numbered(known, [*sorted(opened, key=listing.natural), *sorted(every, key=listing.natural)])
    rows = [(key, to_text(name)) for name, key in new.items() if name not in known]
    db.executemany("INSERT INTO image_ids (id, name) VALUES (?, ?)", rows)


def _known(db: sqlite3.Connection) -> dict[str, int]:
    return {from_text(name): key for name, key in db.execute("SELECT name, id FROM image_ids")}


def _objects(db: sqlite3.Connection) -> dict[str, int]:
    query = "SELECT image, count(*) FROM annotations WHERE NOT deleted GROUP BY image"
    return {from_text(name): count for name, count in db.execute(query)}


def _numbered(known: Mapping[str, int], names: list[str]) -> dict[str, int]:
    """`known`, and the next numbers for those of `names` that have none."""
    found, last = dict(known), max(known.values(), default=0)
    for name in names:
        if name not in found:
            last += 1
            found[name] = last
    return found


def _image(key: int, name: str, path: Path | None, objects: int, opened: tuple[int, int] | None) -> ProjectImage:
    size, problem = (None, NO_FILE) if path is None else (shown_size(path), "")
    if path is not None and size is None:
        problem = UNREADABLE
    width, height = (opened if objects else None) or size or opened or (0, 0)
    return ProjectImage(name, width, height, key, objects, problem)
