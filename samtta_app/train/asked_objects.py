"""Objects that a model in use would be asked for: an image, an object in it, and a user's first prompt.

Answers to them are what selectors and outline networks learn from.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import TypeVar

import cv2
import numpy as np
import torch

from samtta_app.core.clicks import next_click
from samtta_app.core.masks import bounding_box, trimmed
from samtta_app.core.types import Box, Click, Image, Mask, Prompt, Window
from samtta_app.images.read import from_array
from samtta_app.train.compact.click_rounds import human_boxes
from samtta_app.train.data.augment import Augmentation, augmented
from samtta_app.train.data.crops import TrainingView
from samtta_app.train.data.labelled_images import LabelledImage, ObjectBox

ASKED_BY_BOX = 0.2
"""Share of objects that are asked for by a box."""
ZOOMED = 0.3
"""Share of objects at which the user looks from closer by: the view is 2 to 10 times the object."""
ANYWHERE = 0.3
"""Share of first clicks that are somewhere in the object, not in its middle."""
_MAX_SIDE = 2048
"""Longer side of an image: larger ones are shrunk, since their windows are, too."""

_T = TypeVar("_T")


def at_its_end(work: Generator[None, None, _T]) -> _T:
    """The result of a computation in steps."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: _T = done.value
            return result


def drawn_object(
    records: Sequence[Sequence[LabelledImage]], number: int, rng: np.random.Generator, *, change: bool
) -> tuple[Image, Mask, Box]:
    """An image, one of its objects, and the box around it as a user draws it; sets take turns.

    Args:
        change: whether half of the images look as another device might have recorded them.
    """
    of_set = records[number % len(records)]
    return _drawn(of_set[int(rng.integers(len(of_set)))], rng, change=change)


def _drawn(record: LabelledImage, rng: np.random.Generator, *, change: bool) -> tuple[Image, Mask, Box]:
    """An image, one of its objects, and the box around it as a user draws it."""
    pixels = record.pixels if record.pixels.ndim == 3 else np.repeat(record.pixels[..., None], 3, axis=2)
    chosen = record.objects[int(rng.integers(len(record.objects)))]
    bits = (record.layers[chosen.layer] == chosen.value).astype(np.uint8)
    if max(bits.shape) > _MAX_SIDE:
        size = tuple(max(round(length * _MAX_SIDE / max(bits.shape)), 1) for length in bits.shape[::-1])
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        bits = np.asarray(cv2.resize(bits, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    elif change and rng.random() < 0.5:
        pixels, bits = _changed(pixels, bits, chosen, rng)
    target = trimmed(bits.astype(np.bool_))
    tight = bounding_box(target) or Box(0, 0, 0, 0)
    corners = torch.tensor([[tight.x0, tight.y0, tight.x1, tight.y1]])
    x0, y0, x1, y1 = human_boxes(corners, max(bits.shape), rng)[0].tolist()
    height, width = bits.shape
    drawn = Box(
        min(x0, width - 2), min(y0, height - 2), min(max(x1, x0 + 1), width - 1), min(max(y1, y0 + 1), height - 1)
    )
    return from_array(np.ascontiguousarray(pixels)), target, drawn


def _changed(
    pixels: np.ndarray, bits: np.ndarray, chosen: ObjectBox, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A square part with the object, as another device might have recorded it."""
    height, width = bits.shape
    side = min(height, width)
    starts = [
        int(np.clip(rng.integers(min(last - side, first), max(last - side, first) + 1), 0, length - side))
        for first, last, length in ((chosen.y0, chosen.y1, height), (chosen.x0, chosen.x1, width))
    ]
    place = np.s_[starts[0] : starts[0] + side, starts[1] : starts[1] + side]
    view = TrainingView(np.ascontiguousarray(pixels[place]), (np.ascontiguousarray(bits[place]),), (side, side))
    found = augmented(view, Augmentation(), rng)
    return found.pixels, found.masks[0]


def first_prompt(target: Mask, box: Box, extent: Window, rng: np.random.Generator) -> tuple[Prompt, Window | None]:
    """The first prompt, and the view of a user who looks from closer by."""
    tight = bounding_box(target)
    assert tight is not None, "the target is not empty"
    view = None
    if rng.random() < ZOOMED:
        side = max(tight.x1 - tight.x0, tight.y1 - tight.y0, 16) * math.exp(rng.uniform(math.log(2), math.log(10)))
        x, y = (
            rng.uniform(low - side / 4, high + side / 4) for low, high in ((tight.x0, tight.x1), (tight.y0, tight.y1))
        )
        x0, y0 = (int(np.clip(v - side / 2, 0, length - 1)) for v, length in ((x, extent.width), (y, extent.height)))
        view = Window(x0, y0, min(int(side), extent.width - x0), min(int(side), extent.height - y0))
    if rng.random() < ASKED_BY_BOX:
        return Prompt(box=box), view
    click = next_click(target, None, (), extent)
    if click is None or rng.random() < ANYWHERE:
        rows, columns = np.nonzero(target.bits)
        i = int(rng.integers(rows.size))
        click = Click(float(columns[i] + target.x), float(rows[i] + target.y), True)
    return Prompt((click,)), view
