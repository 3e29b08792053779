"""A project with holes, parts, overlaps, and objects at the rim."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from samtta_app.core.masks import trimmed
from samtta_app.core.project import Project, ProjectClass, ProjectImage
from samtta_app.core.types import Annotation, Mask
from tests.unit.session.scripted import accepted

SIZE = (40, 60)  # height, width: not square, so that swapping them shows


def ring() -> Mask:
    """An object with a hole and a second part."""
    bits = np.zeros(SIZE, np.bool_)
    bits[5:20, 8:30] = True
    bits[9:15, 12:20] = False
    bits[30:33, 50:60] = True
    return trimmed(bits)


def block(x0: int, y0: int, x1: int, y1: int) -> Mask:
    bits = np.zeros(SIZE, np.bool_)
    bits[y0:y1, x0:x1] = True
    return trimmed(bits)


def annotation(number: int, mask: Mask, image: str = "a.png", class_id: int = 1) -> Annotation:
    return accepted(image, mask, id=number, class_id=class_id)


FOLDER = Path("/data/cells")


def project(*annotations: Annotation, names: tuple[str, ...] = ("a.png", "b.png"), folder: Path = FOLDER) -> Project:
    height, width = SIZE
    found = {name: tuple(a for a in annotations if a.image_name == name) for name in names}
    return Project(
        folder,
        tuple(ProjectImage(name, width, height, k, len(found[name])) for k, name in enumerate(names, start=1)),
        (ProjectClass(1, "object"), ProjectClass(4, "Zellkern äöü")),
        lambda name: found[name],
    )
