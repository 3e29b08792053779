"""The images that were read last, kept by file and time of change."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from cachetools import LRUCache

from samtta_app.core.types import Image
from samtta_app.images.read import reading

IMAGES_KEPT = 4
"""One way back and what was read ahead."""

BYTES_KEPT = 512 * 1024**2
"""Of several images no more than so many bytes are kept: two of 45 million pixels, for example."""


class ImageCache:
    """Reads images in steps and keeps the last ones: IMAGES_KEPT of them, `budget` bytes at most, the newest in any case."""

    def __init__(self, budget: int = BYTES_KEPT) -> None:
        self._images: LRUCache[tuple[Path, int], Image] = LRUCache(budget, lambda image: min(_bytes(image), budget))

    def read(self, path: Path, share: float = 1.0) -> Generator[None, None, Image]:
        """The image, read in steps where it is not kept; it may cost `share` of the limits.

        Raises:
            LargeImageError, ImageError: as `reading`.
        """
        key = (path, _changed(path))
        image = self._images.get(key)
        if image is None:
            image = yield from reading(path, share=share)
            self._images[key] = image
            if len(self._images) > IMAGES_KEPT:
                self._images.popitem()
        return image

    def clear(self) -> None:
        """Give up what is kept; it is read again when it is needed."""
        self._images.clear()


def _bytes(image: Image) -> int:
    return image.pixels.nbytes + (0 if image.raw is image.pixels else image.raw.nbytes)


def _changed(path: Path) -> int:
    """When the file was changed; 0 where it cannot be seen, of which reading it says why."""
    try:
        return path.stat().st_mtime_ns
    except (OSError, ValueError):
        return 0
