"""From a prompt to masks: choose the window, decode, look closer at a small object, wider at one that is cut."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from samtta_app.core.masks import bounding_box, trimmed
from samtta_app.core.types import Image, Logits, Mask, Prompt, Window
from samtta_app.core.windows import closer, first_window, wider
from samtta_app.model.cache import FeatureCache
from samtta_app.model.predictor import ImageFeatures, decode, embed, upscaled
from samtta_app.model.sam import SamModel
from samtta_app.model.weights import Weights

LOOKS = 3
"""A prompt is answered in at most this many windows."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the decoder says in one window: `logits` (m, G, G), predicted `iou` (m,), masks in image pixels, `chosen`."""

    window: Window
    logits: Tensor
    iou: tuple[float, ...]
    masks: tuple[Mask, ...]
    chosen: int

    @property
    def shown(self) -> Mask:
        """The chosen mask."""
        return self.masks[self.chosen]

    def feedback(self) -> Logits:
        """The chosen mask's logits, to be given back with the next click."""
        return Logits(self.window, self.logits[self.chosen].float().cpu().numpy())


def answer(
    model: SamModel,
    cache: FeatureCache,
    weights: Weights,
    image: Image,
    prompt: Prompt,
    window: Window | None = None,
    view: Window | None = None,
) -> Generator[None, None, Answer]:
    """Answer `prompt`; yields while a window is being encoded.

    Args:
        window: where the object was answered before; None for a new object, whose window is chosen: the view or the whole
            image first, then closer around what was found there.
        view: the part of the image on the screen.
    """
    extent = image.whole
    fresh = window is None
    here = window or first_window(extent, view, prompt.clicks, prompt.box)
    here = wider(here, None, prompt.clicks, extent) or here
    found = _decoded(model, weights, (yield from cache.features(image, here)), prompt)
    for _ in range(LOOKS - 1):
        box = bounding_box(found.shown)
        near = closer(here, box, prompt.clicks, extent) if fresh else None
        there = near or wider(here, box, prompt.clicks, extent)
        if there is None:
            break
        fresh, here = False, there
        found = _decoded(model, weights, (yield from cache.features(image, here)), prompt)
    return found


def _decoded(model: SamModel, weights: Weights, features: ImageFeatures, prompt: Prompt) -> Answer:
    """Three candidates for a single click, chosen by predicted IoU, one mask for everything else (SAM's rule)."""
    with torch.no_grad():
        decoded = decode(model, weights.tensors, features, embed(model, features, prompt))
        part = slice(1, 4) if prompt.ambiguous else slice(0, 1)
        logits, iou = decoded.logits[part], decoded.iou[part]
        bits = (upscaled(model, logits, features) > 0).cpu().numpy()
    window = features.window
    masks = tuple(trimmed(np.asarray(layer), window.x, window.y) for layer in bits)
    return Answer(window, logits, tuple(float(v) for v in iou), masks, int(iou.argmax()))
