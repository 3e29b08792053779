"""Parts and wholes: the same images twice, once with whole objects and once with a part of each, both exact.

One click inside the part is right for both. Only the class can say which of them is meant, which is the purpose of task
prompts. The whole is a cell, the part its nucleus. Rounded cells have no nucleus and belong to neither set.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from samtta_app.core.files import staged
from samtta_app.datasets.samples.cell_images import make_dish
from samtta_app.errors import DatasetError

WHOLE_NAME, PART = "cell", "nucleus"
"""The names of the two sets, and of their classes."""

_DRAWS = zlib.crc32(b"nested")


@dataclass(frozen=True, slots=True, eq=False)
class Nested:
    """One image, `pixels` (H, W, 3) uint8, and the ids 1 .. n of its objects by class, (H, W) uint16 each.

    An object has the same id in all of them.
    """

    pixels: NDArray[np.uint8]
    labels: Mapping[str, NDArray[np.uint16]]


def make_nested(seed: int, index: int) -> Nested:
    """Image `index`, from 0, of a seed; it does not depend on other images."""
    dish = make_dish(np.random.default_rng([seed, _DRAWS, index]), index)
    ids = np.unique(dish.nuclei)
    numbers = np.zeros(int(dish.cells.labels.max()) + 1, np.uint16)
    numbers[ids[ids > 0]] = np.arange(1, np.count_nonzero(ids) + 1)
    return Nested(dish.cells.pixels, {WHOLE_NAME: numbers[dish.cells.labels], PART: numbers[dish.nuclei]})


def write_nested(
    folder: Path, *, images: int = 16, train: int = 0, seed: int = 0, progress: Callable[[float], None]
) -> tuple[Path, ...]:
    """Write `folder`/cell and `folder`/nucleus, two data sets over the same images, all at once; returns both.

    The images of a shorter set are the first ones of a longer set of the same seed.
    The first `train` images are in the split "train", the others in the split "test".

    Raises:
        DatasetError: no image is left for the test, the folder cannot be written, or one of the two holds something already.
    """
    if train >= images:
        raise DatasetError("No image is left for the split test", folder, "Draw more images, or train on fewer")
    sets = tuple(folder / name for name in (WHOLE_NAME, PART))
    names = [f"dish_{index + 1:03}" for index in range(images)]
    splits = {"train": names[:train], "test": names[train:]} if train else {"test": names}
    try:
        full = next((place for place in sets if place.exists() and any(place.iterdir())), None)
        if full is not None:
            raise DatasetError("The folder for the nested set is not empty", full, "Name another one")
        with staged(folder) as stage:
            counts = {}
            for done, name in enumerate(names):
                made = make_nested(seed, done)
                for label, ids in made.labels.items():
                    _save(stage / label / "images" / f"{name}.png", made.pixels)
                    _save(stage / label / "masks" / f"{name}.png", ids)
                counts[name] = int(made.labels[WHOLE_NAME].max())
                progress((done + 1) / images)
            for label in (WHOLE_NAME, PART):
                classes = {name: {str(k): label for k in range(1, n + 1)} for name, n in counts.items()}
                for file, values in (("classes", classes), ("split", splits)):
                    (stage / label / f"{file}.json").write_text(json.dumps(values), encoding="utf-8")
    except OSError as e:
        raise DatasetError(f"The nested sets cannot be written: {e.strerror}", folder, "Choose another folder") from e
    return sets


def _save(path: Path, pixels: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(pixels).save(path)
