"""Where the pixels of an image come from. A reader asks for a window of a level and need not hold the whole image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.types import Image, ImageSource, Window

RgbPixels = NDArray[np.uint8]
"""(H, W, 3) uint8 RGB, upright and stretched as `Image.pixels`; never written to, because it may be the image's own memory."""


class WholeSource:
    """An image that is in memory as one array; a smaller level is made when it is first read."""

    def __init__(self, pixels: RgbPixels) -> None:
        self._levels = [pixels]

    def extent(self, level: int = 0) -> Window:
        """The whole image in pixels of a level."""
        height, width = self._levels[0].shape[:2]
        return Window(0, 0, *(max(-(-side // 2**level), 1) for side in (width, height)))

    def read(self, window: Window, level: int = 0) -> RgbPixels:
        """The pixels of a window of a level, without a copy."""
        while len(self._levels) <= level:
            extent = self.extent(len(self._levels))
            half = cv2.resize(self._levels[-1], (extent.width, extent.height), interpolation=cv2.INTER_AREA)
            self._levels.append(np.asarray(half, dtype=np.uint8))
        return self._levels[level][window.y : window.y + window.height, window.x : window.x + window.width]


def source_of(image: Image) -> ImageSource:
    """Where the pixels of `image` come from."""
    return image.tiles or WholeSource(image.pixels)


def read_reduced(image: Image, window: Window, side: int) -> RgbPixels:
    """A window of the smallest level that still shows it with a longer side of `side` pixels, or of the image itself.

    Only images that are read by tile have levels that cost less than the image itself.
    """
    source, level = source_of(image), 0
    while image.tiles is not None and window.side >> (level + 1) >= side:
        level += 1
    if not level:
        return source.read(window)
    scale, extent = 2**level, source.extent(level)
    x, y = window.x // scale, window.y // scale
    width, height = min(-(-window.width // scale), extent.width - x), min(-(-window.height // scale), extent.height - y)
    return source.read(Window(x, y, width, height), level)
