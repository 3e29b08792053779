"""How an image is shown beyond its own values: brightness, contrast, gamma, and one of its channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Channel = Literal["all", "red", "green", "blue"]
"""What is shown: the colours, or one of them in grey."""


@dataclass(frozen=True, slots=True)
class DisplayLook:
    """A look of 8-bit RGB pixels; the default changes nothing.

    `brightness` is added, in shares of the whole range, -1 .. 1. `contrast` steepens about the middle: 1 is four times as
    steep, -1 a quarter. `gamma`, 0.2 .. 5, lightens the middle tones above 1. `for_model` is whether the model sees it, too.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 1.0
    channel: Channel = "all"
    for_model: bool = False

    @property
    def plain(self) -> bool:
        """Whether it changes nothing."""
        return (self.brightness, self.contrast, self.gamma, self.channel) == (0.0, 0.0, 1.0, "all")

    def table(self) -> NDArray[np.uint8]:
        """What each value becomes, (256,)."""
        values = (np.arange(256) / 255.0) ** (1.0 / self.gamma)
        values = (values - 0.5) * 4.0**self.contrast + 0.5 + self.brightness
        table: NDArray[np.uint8] = np.rint(np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)
        return table

    def applied(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The pixels (H, W, 3) in this look; the same array where it changes nothing."""
        if self.plain:
            return pixels
        if self.channel != "all":
            k = ("red", "green", "blue").index(self.channel)
            pixels = np.repeat(pixels[..., k : k + 1], 3, axis=2)
        return np.take(self.table(), pixels)


PLAIN = DisplayLook()
"""The image as it is."""
