"""Images without masks on disk: the same bright discs as in `discs`, with nothing to say where they are."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.unit.train.discs import discs, write_split
from tests.unit.values import picture


def write_photos(folder: Path, count: int, first: int = 50) -> Path:
    """A data set folder of `count` images p0, p1, ... that are all for training; `first` is the seed of the first one."""
    (folder / "images").mkdir(parents=True)
    for number in range(count):
        image = picture(first + number, 64, 64, discs(first + number))
        Image.fromarray(image.pixels).save(folder / "images" / f"p{number}.png")
    write_split(folder, [f"p{number}" for number in range(count)], [])
    return folder
