"""Training data of an outline network: the masks that a user is shown, beside the picture and the mask on file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from samtta_app.core.clicks import next_click
from samtta_app.core.masks import crop
from samtta_app.core.types import Prompt
from samtta_app.model.answers import MaskAnswer, answer_prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.outline import Outline, outline_shapes
from samtta_app.model.predictor import to_input
from samtta_app.model.threshold_shift import obedient
from samtta_app.train.asked_objects import at_its_end, drawn_object, first_prompt
from samtta_app.train.data.labelled_images import LabelledImage

PROMPTS_BEFORE = (1, 1, 2, 3, 4, 6, 8)
"""Number of prompts before the answer that is learned from, drawn evenly: the first answer is the most frequent one."""


@dataclass(frozen=True, slots=True, eq=False)
class OutlineSample:
    """One answer: logits (G, G) half that obey the clicks, picture (h, w, 3), and the object's share of its pixels.

    `target` (h, w) is uint8, 0 .. 255. `places` (n, 2) are the clicks in input pixels, `signs` say which include.
    `steps` is the number of prompts.
    """

    logits: Tensor
    picture: NDArray[np.uint8]
    target: NDArray[np.uint8]
    places: Tensor
    signs: tuple[bool, ...]
    steps: int


def new_outline(seed: int) -> Outline:
    """An untrained network, which changes nothing: its last layer is zero."""
    generator, layers = torch.Generator().manual_seed(seed), {}
    for name, shape in outline_shapes().items():
        spread = (2 / np.prod(shape[1:])) ** 0.5 if len(shape) == 4 and name != "out" else 0.0
        layers[name] = torch.randn(shape, generator=generator) * spread
    return Outline(layers, {})


def answered_sample(
    model: SamModel, records: Sequence[Sequence[LabelledImage]], number: int, seed: int, *, change: bool
) -> OutlineSample | None:
    """One answer in the product's own way; the same seed and number give the same. None where nothing was found.

    Args:
        model: with the outline network that users would have at that time.
    """
    rng = np.random.default_rng((seed, number))
    image, target, box = drawn_object(records, number, rng, change=change)
    if not target.area:
        return None
    model = model if model.outline is not None else replace(model, outline=new_outline(0))
    cache, extent = FeatureCache(model), image.whole
    prompt, view = first_prompt(target, box, extent, rng)
    found: MaskAnswer | None = None
    steps = 0
    for _ in range(int(rng.choice(PROMPTS_BEFORE))):
        window = found.window if found else None
        found = at_its_end(answer_prompt(model, cache, model.frozen, image, prompt, window, view))
        steps += 1
        if not found.shown.area:
            return None
        click = next_click(target, found.shown, prompt.clicks, extent)
        if click is None:
            break
        following = Prompt((*prompt.clicks, click), prompt.box, found.feedback())
        asked, prompt = prompt, following
    else:
        prompt = asked
    assert found is not None, "there is at least one prompt"
    features = at_its_end(cache.features(image, found.window))
    assert features.picture is not None, "the model has an outline network"
    height, width = features.valid
    shrinks = height < found.window.height
    share = cv2.resize(
        crop(target, found.window).astype(np.uint8) * np.uint8(255),
        (width, height),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
    )
    logits = obedient(found.logits[found.chosen][None], prompt.clicks, found.window)[0]
    xy = torch.tensor([[click.x, click.y] for click in prompt.clicks], dtype=torch.float32).reshape(-1, 2)
    return OutlineSample(
        logits.half(),
        features.picture,
        np.asarray(share, np.uint8),
        to_input(model, found.window, features.valid, xy),
        tuple(click.positive for click in prompt.clicks),
        steps,
    )
