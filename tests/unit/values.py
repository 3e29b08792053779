"""Small images, masks and accepted objects that the tests of several layers share."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from samtta_app.core.masks import trimmed
from samtta_app.core.types import Click, Example, Image, Mask


def disc(x: int, y: int, radius: int, height: int = 96, width: int = 128) -> Mask:
    """A filled disc in an image of the given size."""
    rows, columns = np.mgrid[:height, :width]
    return trimmed((rows - y) ** 2 + (columns - x) ** 2 <= radius**2)


def picture(seed: int = 0, height: int = 96, width: int = 128, discs: tuple[tuple[int, int, int], ...] = ()) -> Image:
    """Noise with bright discs (x, y, radius)."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(20, 90, (height, width, 3), dtype=np.uint8)
    for x, y, radius in discs:
        mask = disc(x, y, radius, height, width)
        h, w = mask.bits.shape
        pixels[mask.y : mask.y + h, mask.x : mask.x + w][mask.bits] = 220
    return Image(f"picture-{seed}-{height}x{width}-{discs}", Path(f"picture{seed}.png"), pixels, pixels)


def example(object_id: int = 1, x: int = 60, y: int = 50, radius: int = 18) -> Example:
    """An accepted disc with one click in its middle, seen in the whole image."""
    image = picture(object_id, discs=((x, y, radius),))
    return Example(object_id, image, image.whole, disc(x, y, radius), (Click(x, y, True),), None)
