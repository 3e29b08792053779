"""An image in another look, made of the image's own pixels where it is read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samtta_app.core.looks import DisplayLook
from samtta_app.core.types import Image, Window
from samtta_app.images.image_source import RgbPixels, source_of


class AdjustedSource:
    """The pixels of an image in a look; the file's own values stay as they are."""

    def __init__(self, image: Image, look: DisplayLook) -> None:
        self._image, self._look, self._source = image, look, source_of(image)

    def extent(self, level: int = 0) -> Window:
        """The whole image in pixels of a level."""
        return self._source.extent(level)

    def read(self, window: Window, level: int = 0) -> RgbPixels:
        """The pixels of a window of a level, in the look."""
        return self._look.applied(self._source.read(window, level))

    def value_at(self, x: int, y: int) -> NDArray[Any] | None:
        """The file's own values of a pixel."""
        if self._image.tiles is not None:
            return self._image.tiles.value_at(x, y)
        return np.atleast_1d(self._image.raw[y, x])


def adjusted(image: Image, look: DisplayLook) -> Image:
    """The image as the look shows it, with a key of its own; the same image where the look changes nothing."""
    if look.plain:
        return image
    shown = f"{look.brightness:g} {look.contrast:g} {look.gamma:g} {look.channel}"
    return replace(image, key=f"{image.key} in {shown}", tiles=AdjustedSource(image, look))
