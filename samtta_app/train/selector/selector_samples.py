"""Training data of a selector: the masks of all windows that the product looks in, beside their true IoU.

An object is asked for as a user would: by a click or by a drawn box, then by corrections. Its first windows are those
of `answer_prompt`. The mask that is corrected is at random the best-rated or the best one. So the selector knows what
follows a good choice, and what follows a bad one.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import torch

from samtta_app.core.clicks import next_click
from samtta_app.core.masks import bounding_box, trimmed
from samtta_app.core.metrics import iou
from samtta_app.core.types import Box, Click, FloatArray, Image, Logits, Mask, Prompt, Window
from samtta_app.core.windows import first_window, nearer
from samtta_app.images.read import from_array
from samtta_app.model.answers import NO_HINTS, WindowMasks, answer_prompt, masks_of, seen_in
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.mask_features import described
from samtta_app.train.compact.click_rounds import human_boxes
from samtta_app.train.data.augment import Augmentation, augmented
from samtta_app.train.data.crops import TrainingView
from samtta_app.train.data.labelled_images import LabelledImage, ObjectBox

SELECTOR_BOXES = 0.2
"""Share of objects that are asked for by a box."""
ZOOMED = 0.3
"""Share of objects at which the user looks from closer by: the view is 2 to 10 times the object."""
ANYWHERE = 0.3
"""Share of first clicks that are somewhere in the object, not in its middle."""
EXPECTED = 0.5
"""Share of objects with a known size: that of others in the image, else a guess that is off by some 40 %."""
ANSWERS = 3
"""Answers of an object at most: later clicks choose among the masks of one window, which differ little."""
_MAX_SIDE = 2048
"""Longer side of an image: larger ones are shrunk, since their windows are, too."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The n masks of one answer: their features (n, F) and their true IoU (n,); `steps` is the number of clicks.

    `rule` is the place of the mask that is shown without a selector.
    """

    features: FloatArray
    truth: FloatArray
    steps: int
    rule: int


def at_its_end(work: Generator[None, None, _T]) -> _T:
    """The result of a computation in steps."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: _T = done.value
            return result


def rankings(
    model: SamModel, records: Sequence[Sequence[LabelledImage]], number: int, seed: int, *, change: bool
) -> Iterator[Ranking]:
    """The answers to one object: the same seed and number give the same object. Sets take turns.

    Args:
        model: without a selector.
        change: whether half of the images look as another device might have recorded them.
    """
    rng = np.random.default_rng((seed, number))
    of_set = records[number % len(records)]
    image, target, box = _drawn(of_set[int(rng.integers(len(of_set)))], rng, change=change)
    if not target.area:
        return
    cache, extent = FeatureCache(model), image.whole
    prompt, view = _first_prompt(target, box, extent, rng)
    side = math.exp(rng.normal(0, 0.35)) * max(target.bits.shape) if rng.random() < EXPECTED else None
    window: Window | None = None
    for step in range(ANSWERS):
        looks = _looks(model, cache, image, prompt, window, view, side)
        logits, said = torch.stack([look.logits for look in looks]), torch.stack([look.iou for look in looks])
        features = described(model, [look.features for look in looks], logits, said, prompt, extent, side)
        masks = [mask for look in looks for mask in masks_of(model, look, slice(0, 4), prompt)]
        truth = np.array([iou(mask, target) for mask in masks], np.float32)
        known = np.flatnonzero(np.isfinite(features).all(axis=1) & np.array([mask.area > 0 for mask in masks]))
        if not known.size:
            return
        rated = said.reshape(-1).numpy()[known]
        last = known >= 4 * (len(looks) - 1)
        fits = (last & (known % 4 > 0)) if step == 0 and prompt.ambiguous else (last & (known % 4 == 0))
        rule = int(np.where(fits, rated, -1.0).argmax())
        yield Ranking(features[known], truth[known], len(prompt.clicks), rule)
        pick = int(known[rule if rng.random() < 0.5 else truth[known].argmax()])
        click = next_click(target, masks[pick], prompt.clicks, extent)
        if click is None:
            return
        look = looks[pick // 4]
        window = look.features.window
        earlier = Logits(window, look.logits[pick % 4].float().cpu().numpy())
        prompt = Prompt((*prompt.clicks, click), prompt.box, earlier)


def _looks(
    model: SamModel,
    cache: FeatureCache,
    image: Image,
    prompt: Prompt,
    window: Window | None,
    view: Window | None,
    side: float | None,
) -> list[WindowMasks]:
    """What is seen in the windows of a prompt; the one in which it is answered without a selector is the last."""
    found = at_its_end(answer_prompt(model, cache, model.frozen, image, prompt, window, view)).window
    windows = [found]
    if window is None:
        here = first_window(image.whole, view, prompt.clicks, prompt.box, side)
        windows = [here, *nearer(here, prompt.clicks, image.whole), found]
    kept = list(dict.fromkeys(reversed(windows)))[
        ::-1
    ]  # the last of equal ones stays, and so the last window is `found`
    return [seen_in(model, model.frozen, at_its_end(cache.features(image, w)), prompt, NO_HINTS) for w in kept]


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


def _first_prompt(target: Mask, box: Box, extent: Window, rng: np.random.Generator) -> tuple[Prompt, Window | None]:
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
    if rng.random() < SELECTOR_BOXES:
        return Prompt(box=box), view
    click = next_click(target, None, (), extent)
    if click is None or rng.random() < ANYWHERE:
        rows, columns = np.nonzero(target.bits)
        i = int(rng.integers(rows.size))
        click = Click(float(columns[i] + target.x), float(rows[i] + target.y), True)
    return Prompt((click,)), view
