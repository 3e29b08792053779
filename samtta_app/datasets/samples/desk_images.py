"""Images for the bench of the window: many small files, and one large one that is made tile by tile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

DESK_TILE = 512
"""Side of a tile of the large image, in pixels."""

_SEED = 93


def write_small_images(folder: Path, number: int, *, side: int = 16) -> None:
    """Write so many copies of one PNG of this side; a folder that is listed shows nothing of what is in the files."""
    done, data = cv2.imencode(".png", _tile(side))
    assert done
    for k in range(number):
        (folder / f"image_{k:06}.png").write_bytes(data.tobytes())


def write_large_image(file: Path, side: int) -> None:
    """Write a tiled TIFF of this side; one tile is in memory at a time."""
    import tifffile  # takes a while, and small images do without

    tile, count = _tile(DESK_TILE), -(-side // DESK_TILE)

    def tiles() -> Iterator[NDArray[np.uint8]]:
        for k in range(count * count):
            yield np.roll(tile, k % DESK_TILE, axis=0)

    shape = (side, side, 3)
    tifffile.imwrite(
        file, tiles(), shape=shape, dtype=np.uint8, tile=(DESK_TILE,) * 2, photometric="rgb", compression="zlib"
    )


def _tile(side: int) -> NDArray[np.uint8]:
    """Soft blobs on grey."""
    noise = np.random.default_rng(_SEED).integers(60, 200, (max(side // 16, 1), max(side // 16, 1), 3), np.uint8)
    return np.asarray(cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
