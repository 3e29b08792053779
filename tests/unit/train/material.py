"""Small data sets on disk and in memory for the training tests."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from samtta_app.train.data.labelled_images import LabelledImage, with_boxes


def picture(seed: int, size: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """Three bright squares on a dark, noisy ground, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((size, size), np.uint8)
    for value, (x, y) in enumerate(((8, 8), (50, 12), (20, 55)), start=1):
        side = int(rng.integers(14, 26))
        labels[y : y + side, x : x + side] = value
    pixels = np.where(labels > 0, 190, 50) + rng.normal(0, 8, labels.shape)
    return pixels.clip(0, 255).astype(np.uint8), labels


def record(seed: int = 0) -> LabelledImage:
    """One such picture as the loader keeps it."""
    pixels, labels = picture(seed)
    return with_boxes(f"p{seed}", pixels, labels[None].astype(np.uint16))


def write_set(folder: Path, count: int = 4, *, masks: bool = True) -> Path:
    """A data set folder; half of its images are for training."""
    (folder / "images").mkdir(parents=True)
    names = [f"p{i}" for i in range(count)]
    for i, name in enumerate(names):
        pixels, labels = picture(i)
        Image.fromarray(pixels).save(folder / "images" / f"{name}.png")
        if masks:
            (folder / "masks").mkdir(exist_ok=True)
            Image.fromarray(labels).save(folder / "masks" / f"{name}.png")
    half = count // 2
    (folder / "split.json").write_text(json.dumps({"train": names[:half], "test": names[half:]}))
    return folder
