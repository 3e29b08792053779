"""A tiny data set on disk: bright discs on a dark ground, easy to tell from it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from samtta_app.core.masks import full
from tests.unit.values import disc, picture


def discs(seed: int) -> tuple[tuple[int, int, int], ...]:
    """One or two discs (x, y, radius) in an image of 64 x 64."""
    rng = np.random.default_rng(seed)
    places = ((int(rng.integers(16, 22)), int(rng.integers(16, 46))), (int(rng.integers(44, 48)), 32))
    return tuple((x, y, int(rng.integers(8, 13))) for x, y in places[: 1 + seed % 2])


def write_discs(folder: Path, train: int = 6, test: int = 3) -> Path:
    """A data set folder with `train` and `test` images."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for seed in range(train + test):
        labels = np.zeros((64, 64), np.uint8)
        for value, (x, y, radius) in enumerate(discs(seed), start=1):
            labels[full(disc(x, y, radius, 64, 64), 64, 64)] = value
        Image.fromarray(picture(seed, 64, 64, discs(seed)).pixels).save(folder / "images" / f"d{seed}.png")
        Image.fromarray(labels).save(folder / "masks" / f"d{seed}.png")
    names = [f"d{seed}" for seed in range(train + test)]
    write_split(folder, names[:train], names[train:])
    return folder


def write_split(folder: Path, train: list[str], test: list[str]) -> None:
    """Say which images are for training."""
    (folder / "split.json").write_text(json.dumps({"train": train, "test": test}))
