"""From a prompt to masks: choose the window, decode, look closer at a small object, and wider at one that the window cuts."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from samtta_app.core.masks import bounding_box
from samtta_app.core.tidy import tidied
from samtta_app.core.types import Box, Image, Logits, Mask, Prompt, Window
from samtta_app.core.windows import closer, detailed, first_window, wider
from samtta_app.errors import PromptError
from samtta_app.model.backbone import Look, SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.local_update import REFINES_FROM, mended
from samtta_app.model.placing import placed
from samtta_app.model.predictor import ImageFeatures, decode, embed, to_input
from samtta_app.model.threshold_shift import obedient, shifted
from samtta_app.model.weights import Weights

MAX_LOOKS = 3
"""A prompt is answered in at most this many windows."""


@dataclass(frozen=True, slots=True, eq=False)
class Hints:
    """What a session knows beside a prompt.

    Args:
        offset: added to the answer's logits about the newest click, as far as earlier clicks allow it.
        side: the size of objects that are expected in the image, in pixels; None where nothing is known.
        looks: those of accepted objects of the same class.
    """

    offset: float = 0.0
    side: float | None = None
    looks: tuple[Look, ...] = ()


NO_HINTS = Hints()
"""A new session, and the frozen twin."""


@dataclass(frozen=True, slots=True, eq=False)
class WindowAnswer:
    """What the decoder says in one window: `logits` (m, G, G), predicted `iou` (m,), masks in image pixels, `chosen`.

    `tokens` (m, 2C) are the decoder's output tokens that made them: the IoU token, then the mask's own.
    """

    window: Window
    logits: Tensor
    iou: tuple[float, ...]
    masks: tuple[Mask, ...]
    chosen: int
    tokens: Tensor

    @property
    def shown(self) -> Mask:
        """The chosen mask."""
        return self.masks[self.chosen]

    def feedback(self) -> Logits:
        """The chosen mask's logits, to be given back with the next click."""
        return Logits(self.window, self.logits[self.chosen].float().cpu().numpy())


def check_prompt(prompt: Prompt, extent: Window) -> None:
    """Refuse what cannot be answered.

    Raises:
        PromptError: there is neither click nor box, or a click lies outside the image (`extent`).
    """
    if not prompt.clicks and prompt.box is None:
        raise PromptError("There is nothing to answer: no click and no box", "", "Click on the object")
    if not all(extent.contains(c.x, c.y) for c in prompt.clicks):
        raise PromptError("The click lies outside the image", "", "Click on the image")


def answer_prompt(
    model: SamModel,
    cache: FeatureCache,
    weights: Weights,
    image: Image,
    prompt: Prompt,
    window: Window | None = None,
    view: Window | None = None,
    hints: Hints = NO_HINTS,
    *,
    candidates: bool = False,
    single: bool = False,
    whole: bool = False,
) -> Generator[None, None, WindowAnswer]:
    """Answer `prompt`; yields while a window is being encoded, and between two passes of the decoder.

    Args:
        window: where the object was answered before; None for a new object. The window of a new object is chosen: first the
            view or the whole image, then closer around what was found there.
        view: the part of the image on the screen.
        hints: what is known beside the prompt.
        candidates: give three of them for any prompt, and use only the given window if it holds the prompt.
        single: the single mask (token 0) is chosen; for one click the three candidates come after it.
        whole: answer in the whole image, look no closer, and take the decoder's answer as it is.
    """
    extent = image.whole
    several = candidates or prompt.ambiguous
    part = slice(0 if single else 1, 4) if several else slice(0, 1)
    if whole:
        features = yield from cache.features(image, extent)
        return _decoded(model, weights, features, prompt, hints, part, plain=True)
    fresh = window is None
    here = window or first_window(extent, view, prompt.clicks, prompt.box, hints.side)
    here = wider(here, None, prompt.clicks, extent) or here
    found = _decoded(model, weights, (yield from cache.features(image, here)), prompt, hints, part)
    for _ in range(0 if candidates and not fresh else MAX_LOOKS - 1):
        there = _elsewhere(model, here, bounding_box(found.shown), prompt, extent, fresh=fresh)
        if there is None:
            break
        fresh, here = False, there
        yield  # a waiting request waits for one pass of the decoder at most
        found = _decoded(model, weights, (yield from cache.features(image, here)), prompt, hints, part)
    return found


def _elsewhere(
    model: SamModel, here: Window, box: Box | None, prompt: Prompt, extent: Window, *, fresh: bool
) -> Window | None:
    """The window to look again in, if any."""
    if fresh:
        return closer(here, box, prompt.clicks, extent) or wider(here, box, prompt.clicks, extent)
    near = detailed(here, box, prompt.clicks, extent) if model.policy.closer_look else None
    return wider(here, box, prompt.clicks, extent) or near


def _decoded(
    model: SamModel,
    weights: Weights,
    features: ImageFeatures,
    prompt: Prompt,
    hints: Hints,
    part: slice,
    *,
    plain: bool = False,
) -> WindowAnswer:
    """Some of the four masks, chosen by predicted IoU: three for a single click, one for everything else (SAM's rule).

    An empty one is chosen only where all are. The single mask is chosen where it is there and
    not empty. With `plain`, clicks need not be obeyed, and crumbs stay. The logits are the decoder's own: maps
    and the next click see what it said.
    """
    with torch.no_grad():
        decoded = decode(model, weights.tensors, features, embed(model, features, prompt, hints.looks))
        logits, scores = decoded.logits[part], decoded.iou[part]
        logits = corrected(model, features, prompt, logits, hints.offset)
        own = decoded.tokens[1:][part]
        tokens = torch.cat([decoded.tokens[:1].expand_as(own), own], dim=1)
    masks = placed(model, logits if plain else obedient(logits, prompt.clicks, features.window), features)
    if model.tidy and not plain:
        masks = tuple(tidied(mask, prompt.clicks) for mask in masks)
    said = tuple(float(v) for v in scores)
    among = range(1 if part.start == 0 and masks[0].area else len(masks))
    chosen = max(among, key=lambda i: (masks[i].area > 0, said[i]))
    return WindowAnswer(features.window, logits, said, masks, chosen, tokens)


def corrected(model: SamModel, features: ImageFeatures, prompt: Prompt, logits: Tensor, offset: float) -> Tensor:
    """Logits (m, G, G) changed near the newest click only, with the threshold moved about it."""
    return shifted(near_click(model, features, prompt, logits), offset, prompt, features.window)


def near_click(model: SamModel, features: ImageFeatures, prompt: Prompt, logits: Tensor) -> Tensor:
    """From a few clicks on, an answer in an unchanged window changes near the newest click only, where the policy says so."""
    before = prompt.logits
    if not model.policy.local_update or before is None or before.window != features.window:
        return logits
    if len(prompt.clicks) < REFINES_FROM or before.values.shape != logits.shape[1:]:
        return logits
    newest = prompt.clicks[-1]
    x, y = to_input(model, features.window, features.valid, torch.tensor([newest.x, newest.y], device=logits.device))
    cell = model.size / model.grid
    values = torch.from_numpy(before.values).to(logits)
    return mended(values, logits, (float(x + 0.5) / cell - 0.5, float(y + 0.5) / cell - 0.5))
