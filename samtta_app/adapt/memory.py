"""The replay memory: what is kept of each accepted object.

A memory is a value: adding or withdrawing an object gives a new memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from samtta_app.core.masks import crop, trimap
from samtta_app.core.types import Box, Click, Example, Mask, Window
from samtta_app.model.predictor import ImageFeatures

MEMORY_LIMIT = 64
"""Objects kept: about 3 MB each with the default model."""


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """One accepted object: its own image's features in half precision, and the pseudo-label on the decoder's grid.

    `target` (G, G) int8: 1 object, 0 background, -1 ignored (boundary band, padding).

    `whole` (G, G): the accepted mask without the band, for scoring: 1, 0, and -1 on padding.

    `closeup`: the same object in the narrower window where its outline was fixed, None where there was none. First
    clicks are learned here, later clicks in the close-up.
    """

    object_id: int
    features: ImageFeatures
    target: Tensor
    whole: Tensor
    mask: Mask
    extent: Window
    clicks: tuple[Click, ...]
    box: Box | None
    closeup: Remembered | None = None
    class_id: int | None = None
    class_name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """The newest accepted objects, by id. A resumed session has the same memory as before it was closed."""

    items: tuple[Remembered, ...] = ()

    def add(self, item: Remembered) -> Memory:
        """The memory with this object added or replaced; above MEMORY_LIMIT the oldest object is dropped."""
        others = [old for old in self.items if old.object_id != item.object_id]
        return Memory(tuple(sorted([*others, item], key=lambda kept: kept.object_id)[-MEMORY_LIMIT:]))

    def without(self, object_id: int) -> Memory:
        """The memory after the object was withdrawn."""
        return Memory(tuple(item for item in self.items if item.object_id != object_id))

    def __len__(self) -> int:
        """Number of remembered objects."""
        return len(self.items)


def remember_object(
    example: Example, features: ImageFeatures, size: int, closeup: ImageFeatures | None = None
) -> Remembered | None:
    """What to keep of an accepted object. None when its window shows only background or only object.

    Args:
        features: the window in which a new click on the object would be answered.
        size: side of the model's input, in pixels.
        closeup: the narrower window in which the mask was accepted, if it was another one.
    """
    share, inside = _on_grid(example.mask, features, size)
    bits = share > 0.5
    if not bits.any() or bits[inside].all():
        return None
    target = trimap(bits, band_of(int(bits.sum())))
    target[~inside] = -1
    whole = np.where(inside, bits, -1).astype(np.int8)
    device = features.embedding.device
    return Remembered(
        example.object_id,
        features.to(torch.float16),
        torch.from_numpy(target).to(device),
        torch.from_numpy(whole).to(device),
        example.mask,
        example.image.whole,
        example.clicks,
        example.box,
        remember_object(example, closeup, size) if closeup is not None else None,
        example.class_id,
        example.class_name,
    )


def band_of(area: int) -> int:
    """Width of the undecided band in grid cells: 5 % of the object's side, 1 to 4 cells."""
    return int(np.clip(round(0.05 * area**0.5), 1, 4))


def _on_grid(mask: Mask, features: ImageFeatures, size: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Share of object in each cell of the decoder's grid, and which cells lie wholly in the window (not padding)."""
    height, width = features.valid
    bits = crop(mask, features.window).astype(np.float32)
    shrink = width < bits.shape[1]
    resized = cv2.resize(bits, (width, height), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)
    square, shown = np.zeros((2, size, size), dtype=np.float32)
    square[:height, :width], shown[:height, :width] = resized, 1.0
    grid = (size // 4, size // 4)
    share = cv2.resize(square, grid, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(shown, grid, interpolation=cv2.INTER_AREA) > 0.999
    return np.asarray(share, dtype=np.float32), np.asarray(inside, dtype=np.bool_)
