"""The images that were read last, kept by file and modification time."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from cachetools import LRUCache

from samtta_app.core.planes import FIRST_PLANE, PlaneChoice
from samtta_app.core.types import Image
from samtta_app.images.read import reading

IMAGES_KEPT = 4
"""Number of images kept: the previous one and those read ahead."""

BYTES_KEPT = 512 * 1024**2
"""Maximum bytes of several kept images: two of 45 million pixels, for example."""


_Key = tuple[Path, int, PlaneChoice]


class ImageCache:
    """Reads images in steps and keeps the last ones: IMAGES_KEPT of them, `budget` bytes at most, the newest in any case."""

    def __init__(self, budget: int = BYTES_KEPT) -> None:
        self._images: LRUCache[_Key, Image] = LRUCache(budget, lambda image: min(_bytes(image), budget))

    def read(self, path: Path, share: float = 1.0, planes: PlaneChoice = FIRST_PLANE) -> Generator[None, None, Image]:
        """The image; it is read in steps if it is not kept, and may cost `share` of the limits.

        Raises:
            LargeImageError, ImageError: as `reading`.
        """
        key = (path, _changed(path), planes)
        image = self._images.get(key)
        if image is None:
            image = yield from reading(path, share=share, planes=planes)
            self._images[key] = image
            if len(self._images) > IMAGES_KEPT:
                self._images.popitem()
        return image

    def clear(self) -> None:
        """Drop the kept images; they are read again when needed."""
        self._images.clear()


def _bytes(image: Image) -> int:
    return image.pixels.nbytes + (0 if image.raw is image.pixels else image.raw.nbytes)


def _changed(path: Path) -> int:
    """Modification time of the file; 0 where it cannot be read, since reading the file then raises the reason."""
    try:
        return path.stat().st_mtime_ns
    except (OSError, ValueError):
        return 0
