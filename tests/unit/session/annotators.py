"""Two annotators' projects of the same images, as tests of comparisons need them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from samtta_app.core.types import Annotation
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of
from tests.unit.values import disc

Places = tuple[tuple[str, int, int, int, str], ...]
"""Image, x, y, radius and class of discs."""

ANNA: Places = (
    ("a.png", 20, 20, 10, "cell"),
    ("a.png", 60, 50, 12, "cell"),
    ("a.png", 100, 70, 10, "cell"),
    ("b.png", 30, 30, 10, "cell"),
    ("b.png", 90, 60, 14, "cell"),
)
"""What is there, in the project that a test works in."""

BEN: Places = (
    ("a.png", 20, 20, 10, "cell"),  # the same
    ("a.png", 60, 50, 8, "cell"),  # another outline: 64 / 144 of the area
    ("b.png", 30, 30, 10, "debris"),  # another class
    ("b.png", 60, 80, 9, "cell"),  # only there
    ("b.png", 91, 60, 14, "cell"),  # nearly the same
)
"""What the other annotator made of it."""


@dataclass(frozen=True)
class Two:
    """The folders of two annotators."""

    mine: Path
    theirs: Path


def fill(folder: Path, places: Places, name: str, *, picture: str = "") -> tuple[Annotation, ...]:
    """Put discs into the project of a folder, signed with a name."""
    saved = []
    with Store.open(folder) as store:
        store.sign_as(name)
        for image, x, y, radius, kind in places:
            known = {c.name: c.id for c in store.classes()}
            class_id = known[kind] if kind in known else store.add_class(kind).id
            mask = disc(x, y, radius, HEIGHT, WIDTH)
            made = accepted(image, mask, class_id=class_id, picture=picture)
            saved.append(store.accept(made, WIDTH, HEIGHT))
    return tuple(saved)


def two_projects(place: Path, mine: Places = ANNA, theirs: Places = BEN) -> Two:
    """Anna's and Ben's projects of the same images."""
    both = Two(place / "anna", place / "ben")
    for folder, places, name in ((both.mine, mine, "anna"), (both.theirs, theirs, "ben")):
        fill(folder_of(folder, "a.png", "b.png"), places, name)
    return both


def contents(folder: Path) -> dict[str, str]:
    """The hash of every file of a folder, by name."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
