"""Square windows around objects: their places, how they are cut, and the training samples made of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.errors import DatasetError
from samtta_app.train.data import nested_masks
from samtta_app.train.data.labelled_images import LabelledImage, ObjectBox

GRID_CELLS = 4
MIN_WINDOW = 32
MIN_TARGET_CELLS = 1.5
"""Minimum size of a target in low-res cells; smaller ones teach nothing."""
NEST_RATIO = 1.25
"""Minimum ratio of a whole to its part, by their boxes' sides."""


@dataclass(frozen=True, slots=True)
class Zoom:
    """How many times larger than its object a window is: shares of three log-uniform ranges."""

    product: tuple[float, float] = (3.5, 6.5)
    near: tuple[float, float] = (1.15, 8.0)
    far: tuple[float, float] = (8.0, 20.0)
    product_share: float = 0.35
    far_share: float = 0.15

    def draw(self, rng: np.random.Generator) -> float:
        """One zoom."""
        u = rng.random()
        low, high = self.near
        if u < self.product_share:
            low, high = self.product
        elif u < self.product_share + self.far_share:
            low, high = self.far
        return float(math.exp(rng.uniform(math.log(low), math.log(high))))


@dataclass(frozen=True, slots=True)
class TrainingView:
    """A window of an image at the model's input size: RGB pixels, full-size masks, and the part that is image."""

    pixels: NDArray[np.uint8]
    """(S, S, 3)."""
    masks: tuple[NDArray[np.uint8], ...]
    """(S, S) of 0 and 1 each."""
    valid: tuple[int, int]
    """Width and height of the image's part in pixels; padding lies right and below."""
    nested: bool = False
    """Whether the masks are nested: they share pixels, and one click there may mean each of them."""


def place_window(
    box: ObjectBox, width: int, height: int, zoom: float, rng: np.random.Generator
) -> tuple[int, int, int]:
    """x, y and side of a window `zoom` times the object, with the object anywhere in it (sometimes cut off)."""
    side = int(np.clip(box.side * zoom, MIN_WINDOW, 1.15 * max(width, height)))
    spare = side * 0.12 if rng.random() < 0.12 else 0.0

    def start(low: int, high: int, length: int) -> int:
        first, last = min(high - side - spare, low + spare), max(high - side - spare, low + spare)
        return int(np.clip(rng.uniform(first, last), 0, max(length - side, 0)))

    return start(box.x0, box.x1, width), start(box.y0, box.y1, height), side


def _shrink_or_grow(array: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    smaller = width < array.shape[1]
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(array, (width, height), interpolation=way), np.uint8)


def _visible(record: LabelledImage, place: tuple[int, int, int]) -> list[ObjectBox]:
    x, y, side = place
    least = side * side * 0.0008
    seen = []
    for box in record.objects:
        width = min(box.x1, x + side) - max(box.x0, x)
        height = min(box.y1, y + side) - max(box.y0, y)
        if width > 1 and height > 1 and width * height >= max(least, 0.4 * (box.x1 - box.x0) * (box.y1 - box.y0)):
            seen.append(box)
    return seen


def _shares(objects: Sequence[ObjectBox]) -> NDArray[np.float64]:
    """Probabilities of objects: coarser layers have more weight, however many fine regions there are."""
    layers = np.array([box.layer for box in objects])
    shares = (layers + 1) / np.bincount(layers)[layers]
    return np.asarray(shares / shares.sum())


def _choose(record: LabelledImage, rng: np.random.Generator) -> ObjectBox:
    return record.objects[rng.choice(len(record.objects), p=_shares(record.objects))]


def _chain(record: LabelledImage, rng: np.random.Generator) -> list[ObjectBox]:
    """The objects of all layers at one pixel, the largest first; empty where a few tries found fewer than two."""
    for _ in range(6):
        anchor = _choose(record, rng)
        place = record.layers[:, anchor.y0 : anchor.y1, anchor.x0 : anchor.x1]
        rows, columns = np.nonzero(place[anchor.layer] == anchor.value)
        i = int(rng.integers(rows.size))
        values = place[:, rows[i], columns[i]]
        chain = sorted((box for box in record.objects if values[box.layer] == box.value), key=lambda box: -box.side)
        if chain[0].side > NEST_RATIO * chain[-1].side:
            return chain
    return []


def draw_view(record: LabelledImage, size: int, count: int, zoom: Zoom, rng: np.random.Generator) -> TrainingView:
    """A random window of a record with up to `count` of its objects; the first is the one that the window was drawn around.

    With several label layers it is sometimes drawn around a nest, whose objects are then its masks.
    """
    nesting = count > 1 and record.layers.shape[0] > 1 and rng.random() < nested_masks.SHARE
    chain = _chain(record, rng) if nesting else []
    anchor = chain[0] if chain else _choose(record, rng)
    height, width = record.pixels.shape[:2]
    x, y, side = place_window(anchor, width, height, zoom.draw(rng), rng)
    others = [box for box in _visible(record, (x, y, side)) if box != anchor]
    if others:
        order = rng.choice(len(others), min(len(others), 2 * count), replace=False, p=_shares(others))
        others = [others[i] for i in order]
    cut_w, cut_h = min(side, width - x), min(side, height - y)
    if rng.random() < 0.15:  # a narrow image: padding even where the image continues
        room = max(anchor.x1 - x, int(0.5 * side))
        cut_w = int(rng.uniform(min(room, cut_w), cut_w + 1))
    cut = _Cut(x, y, cut_w, cut_h, side, size)
    pixels = cut.of(record.pixels)
    pixels = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    if chain:
        nest = nested_masks.find_nest(cut.masks(record, chain, len(chain)), count, rng)
        if nest:
            return TrainingView(pixels, tuple(nest), cut.valid, nested=True)
    return TrainingView(pixels, tuple(cut.masks(record, [anchor, *others], count)), cut.valid)


def visible_view(
    records: Sequence[LabelledImage], size: int, count: int, zoom: Zoom, rng: np.random.Generator, name: str
) -> TrainingView:
    """A window of one of the records of the set `name`, with an object that is large enough.

    Raises:
        DatasetError: twenty windows in a row had none.
    """
    for _ in range(20):
        view = draw_view(records[int(rng.integers(len(records)))], size, count, zoom, rng)
        if view.masks:
            return view
    text = f"Twenty windows of {name} in a row were without a visible object"
    raise DatasetError(text, do="Leave the set out, or mask larger objects")


@dataclass(frozen=True, slots=True)
class _Cut:
    """A part of an image, in its pixels, that becomes part of a square input."""

    x: int
    y: int
    width: int
    height: int
    side: int
    size: int

    @property
    def valid(self) -> tuple[int, int]:
        """Width and height of the part in the input."""
        scale = self.size / self.side
        return (
            min(self.size, max(1, round(self.width * scale))),
            min(self.size, max(1, round(self.height * scale))),
        )

    def of(self, values: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The part of `values` (H, W) or (H, W, 3) at the input's size, zeros where there is no image."""
        part = values[self.y : self.y + self.height, self.x : self.x + self.width]
        width, height = self.valid
        out = np.zeros((self.size, self.size, *values.shape[2:]), np.uint8)
        out[:height, :width] = _shrink_or_grow(part, width, height)
        return out

    def masks(self, record: LabelledImage, boxes: Sequence[ObjectBox], count: int) -> list[NDArray[np.uint8]]:
        """Masks of the first `count` objects that are large enough in the part."""
        masks = []
        for box in boxes:
            labels = record.layers[box.layer, self.y : self.y + self.height, self.x : self.x + self.width]
            mask = np.zeros((self.size, self.size), np.uint8)
            width, height = self.valid
            # Area and linear averages cut at one half give smooth outlines; nearest pixels would give stairs. Objects
            # thinner than a pixel are cut at half of their maximum.
            share = _shrink_or_grow((labels == box.value).astype(np.uint8) * 255, width, height)
            mask[:height, :width] = share > min(127, int(share.max()) // 2)
            if mask.sum() >= MIN_TARGET_CELLS * GRID_CELLS * GRID_CELLS:
                masks.append(mask)
            if len(masks) == count:
                break
        return masks


def held_out_views(
    records: Sequence[LabelledImage], count: int, size: int, seed: int, zoom: float = 5.0
) -> list[TrainingView]:
    """Windows `zoom` times the object, one object each, cycling through the images; none without records."""
    fixed = Zoom(product=(zoom, zoom), product_share=1.0, far_share=0.0)
    rng = np.random.default_rng(seed)
    views: list[TrainingView] = []
    for i in range(4 * count if records else 0):
        view = draw_view(records[i % len(records)], size, 1, fixed, rng)
        if view.masks:
            views.append(view)
        if len(views) == count:
            break
    return views
