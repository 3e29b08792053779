"""The sample images: three generated looks with exact masks, and three photographs.

Nothing is downloaded or kept in the repository. The looks come from the project's own seeded generator. The photographs
(CC0 or public domain, see scikit-image's `skimage/data/_fetchers.py`) are part of scikit-image, which is installed
anyway.
"""

from __future__ import annotations

import importlib.resources
import json
import logging
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.files import staged, write_whole
from samtta_app.datasets.samples.cell_images import make_cells
from samtta_app.datasets.samples.leaves import make_leaves
from samtta_app.datasets.samples.metal import make_metal
from samtta_app.datasets.samples.patterns import MadeImage
from samtta_app.errors import DatasetError
from samtta_app.regular_files import read_json
from samtta_app.settings import data_folder

PER_LOOK = 4

SAMPLE_LOOKS: dict[str, Callable[[np.random.Generator, int], MadeImage]] = {
    "cells": make_cells,
    "metal": make_metal,
    "leaves": make_leaves,
}
"""Name of a look -> its generator: (random generator, number of the image) -> sample."""

PHOTOGRAPHS = {
    "photo_coffee": ("coffee.png", "Rachel Michetti", "CC0 1.0"),
    "photo_galaxies": ("hubble_deep_field.jpg", "NASA, Hubble Space Telescope", "public domain"),
    "photo_retina": ("retina.jpg", "Haggstrom 2014, doi:10.15347/wjm/2014.008", "CC0 1.0"),
}
"""Name -> file inside the scikit-image package, who made it, and its licence; none of them has masks."""

COMPLETE = "complete.json"
"""List of the files in a complete folder; it is written last."""

log = logging.getLogger(__name__)


def make_samples(seed: int = 0) -> Iterator[MadeImage]:
    """The generated samples in the order of their names; the same for the same seed and library versions."""
    for look, make in SAMPLE_LOOKS.items():
        for index in range(PER_LOOK):
            yield make(np.random.default_rng([seed, zlib.crc32(look.encode()), index]), index)


def ensure_samples(progress: Callable[[float], None] | None = None) -> Path:
    """The user's own folder of samples, made when it is absent or incomplete; `progress` is called with 0 .. 1.

    Raises:
        DatasetError: the folder cannot be written.
    """
    folder = data_folder() / "samples"
    return folder if _is_complete(folder) else write_samples(folder, progress=progress)


def write_samples(folder: Path, seed: int = 0, progress: Callable[[float], None] | None = None) -> Path:
    """Write the samples as a data set: `folder`/images to open, `folder`/masks with the truth, classes and split.

    The files appear together at the end; a project in the folder stays unchanged.

    Raises:
        DatasetError: the folder cannot be written.
    """
    total = PER_LOOK * len(SAMPLE_LOOKS)
    try:
        with staged(folder) as stage:
            classes: dict[str, dict[str, str]] = {}
            for done, sample in enumerate(make_samples(seed), start=1):
                _write(stage / "images" / f"{sample.name}.png", cv2.cvtColor(sample.pixels, cv2.COLOR_RGB2BGR))
                _write(stage / "masks" / f"{sample.name}.png", sample.labels)
                classes[sample.name] = {str(number): label for number, label in sample.classes.items()}
                if progress:
                    progress(done / total)
            _write_json(stage / "classes.json", classes)
            _write_json(stage / "split.json", {"test": sorted(classes)})
            lines = [*_copy_photographs(stage / "images"), ""]
            (stage / "README.txt").write_text(ABOUT + "\n".join(lines), encoding="utf-8")
            names = sorted(str(p.relative_to(stage).as_posix()) for p in stage.rglob("*") if p.is_file())
        write_whole(folder / COMPLETE, json.dumps({"seed": seed, "files": names}).encode())
    except OSError as e:
        raise DatasetError(f"The samples cannot be written: {e.strerror or e}", folder, "Free space there") from e
    return folder


ABOUT = """Sample images of samtta.

cells_*, metal_*, leaves_*: made by samtta's own generator, free for any use (CC0 1.0). The folder masks/ holds the
exact outline of every object as instance ids. The file classes.json holds the class of each.

Photographs, as they come with scikit-image, without masks:
"""


def _is_complete(folder: Path) -> bool:
    try:
        files = read_json(folder / COMPLETE)["files"]
        return all((folder / name).stat().st_size > 0 for name in files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _copy_photographs(images: Path) -> list[str]:
    """Copy what the installed scikit-image has; one line of credit for each."""
    lines = []
    for name, (source, author, licence) in PHOTOGRAPHS.items():
        entry = importlib.resources.files("skimage") / "data" / source
        if not entry.is_file():
            log.info("scikit-image has no %s: left out of the samples", source)
            continue
        (images / f"{name}{Path(source).suffix}").write_bytes(entry.read_bytes())
        lines.append(f"{name}: {author}, {licence}")
    return lines


def _write(path: Path, values: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ok, data = cv2.imencode(".png", np.asarray(values))
    if not ok:
        raise OSError(f"{path.name} could not be packed as PNG")
    path.write_bytes(data.tobytes())


def _write_json(path: Path, values: object) -> None:
    path.write_text(json.dumps(values, indent=1), encoding="utf-8")
