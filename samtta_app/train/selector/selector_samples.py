"""Training data of a selector: the masks of all windows that the product looks in, beside their true IoU.

An object is asked for as a user would: by a click or by a drawn box, then by corrections. Its first windows are those
of `answer_prompt`. The mask that is corrected is at random the best-rated or the best one. So the selector knows what
follows a good choice, and what follows a bad one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from samtta_app.core.clicks import next_click
from samtta_app.core.metrics import iou
from samtta_app.core.types import FloatArray, Image, Logits, Prompt, Window
from samtta_app.core.windows import first_window, nearer
from samtta_app.model.answers import NO_HINTS, WindowMasks, answer_prompt, masks_of, seen_in
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.mask_features import described
from samtta_app.train.asked_objects import at_its_end, drawn_object, first_prompt
from samtta_app.train.data.labelled_images import LabelledImage

EXPECTED = 0.5
"""Share of objects with a known size: that of others in the image, else a guess that is off by some 40 %."""
ANSWERS = 3
"""Answers of an object at most: later clicks choose among the masks of one window, which differ little."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The n masks of one answer: their features (n, F) and their true IoU (n,); `steps` is the number of clicks.

    `rule` is the place of the mask that is shown without a selector.
    """

    features: FloatArray
    truth: FloatArray
    steps: int
    rule: int


def rankings(
    model: SamModel, records: Sequence[Sequence[LabelledImage]], number: int, seed: int, *, change: bool
) -> Iterator[Ranking]:
    """The answers to one object: the same seed and number give the same object. Sets take turns.

    Args:
        model: without a selector.
        change: whether half of the images look as another device might have recorded them.
    """
    rng = np.random.default_rng((seed, number))
    image, target, box = drawn_object(records, number, rng, change=change)
    if not target.area:
        return
    cache, extent = FeatureCache(model), image.whole
    prompt, view = first_prompt(target, box, extent, rng)
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
