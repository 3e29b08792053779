"""From a prompt to masks: choose the window, decode, look closer at a small object, and wider at one that the window cuts."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from samtta_app.core.masks import bounding_box
from samtta_app.core.metrics import iou as iou_of
from samtta_app.core.rounding import in_half_precision
from samtta_app.core.tidy import obeyed, tidied
from samtta_app.core.types import Box, Image, Logits, Mask, Prompt, Window
from samtta_app.core.windows import SETTLED_FROM, closer, detailed, first_window, nearer, wider
from samtta_app.errors import PromptError
from samtta_app.model.backbone import Look, SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.local_update import SETTLED, SETTLING, expected_iou, one_way
from samtta_app.model.mask_features import described
from samtta_app.model.outline import redrawn
from samtta_app.model.placing import placed, placed_fine
from samtta_app.model.predictor import ImageFeatures, decode, embed, logits_in_window, to_input
from samtta_app.model.threshold_shift import obedient, shifted
from samtta_app.model.weights import Weights

MAX_LOOKS = 3
"""A prompt is answered in at most this many windows, one after the other; a selector sees two more beside the first."""

CARDS = 3
"""Masks that are offered at most: more are no quicker to look through than a second click is."""

DISTINCT_CARDS = 0.9
"""Masks of a larger IoU count as the same: no eye tells them apart."""


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
class MaskAnswer:
    """The m masks that answer a prompt: one, or several readings of it.

    `windows` (m,) are those in which they were answered. `logits` (m, G, G) are the decoder's or put together from its
    answers to `clicks` (m,) clicks. `iou` (m,) is expected, `masks` are in image pixels. `chosen` is shown. `tokens`
    (m, 2C) are the decoder's output tokens that made them: the IoU token, then the mask's own.
    """

    windows: tuple[Window, ...]
    logits: Tensor
    iou: tuple[float, ...]
    masks: tuple[Mask, ...]
    chosen: int
    tokens: Tensor
    clicks: tuple[int, ...]

    @property
    def shown(self) -> Mask:
        """The chosen mask."""
        return self.masks[self.chosen]

    @property
    def window(self) -> Window:
        """The chosen mask's window."""
        return self.windows[self.chosen]

    def feedback(self) -> Logits:
        """The chosen mask's logits, to be given back with the next click."""
        return Logits(self.window, in_half_precision(self.logits[self.chosen].float().cpu().numpy()))


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
    first: bool = False,
    others: bool = False,
) -> Generator[None, None, MaskAnswer]:
    """Answer `prompt`; yields while a window is being encoded, and between two passes of the decoder.

    Where the model has a selector, a new object is looked at from closer by as well. The selector ranks the masks of all
    windows. Else the best of the last window is shown (SAM's rule).

    Args:
        window: where the object was answered before; None for a new object. The window of a new object is chosen: first the
            view or the whole image, then closer around what was found there.
        view: the part of the image on the screen.
        hints: what is known beside the prompt.
        candidates: give several masks for any prompt, and use only the given window if it holds the prompt.
        single: the single mask (token 0) is chosen; for one click the three candidates come after it.
        whole: answer in the whole image, look no closer, and take the decoder's answer as it is.
        first: answer in the first window only.
        others: where one mask answers, the decoder's other masks come after it.
    """
    several = candidates or prompt.ambiguous
    extent, offer = image.whole, Offer(several=several, single=single, plain=whole, others=others)
    selector = None if single or whole else model.selector
    if whole:
        seen = seen_in(model, weights, (yield from cache.features(image, extent)), prompt, hints)
        return chosen_masks(model, [seen], prompt, offer)
    fresh = window is None
    here = window or first_window(extent, view, prompt.clicks, prompt.box, hints.side)
    here = wider(here, None, prompt.clicks, extent) or here
    looks = [seen_in(model, weights, (yield from cache.features(image, here)), prompt, hints)]
    if selector is not None and fresh and not first and model.policy.quick_encoder:
        for near in nearer(here, prompt.clicks, extent):
            yield  # a waiting request waits for one pass of the decoder at most
            looks.append(seen_in(model, weights, (yield from cache.features(image, near)), prompt, hints))
    found = chosen_masks(model, looks, prompt, offer, extent, hints.side)
    for _ in range(0 if first or (candidates and not fresh) else MAX_LOOKS - 1):
        there = _elsewhere(model, found.window, bounding_box(found.shown), prompt, extent, fresh=fresh)
        if there is None or any(there == look.features.window for look in looks):
            break
        yield
        look = seen_in(model, weights, (yield from cache.features(image, there)), prompt, hints)
        looks = [*looks, look] if selector is not None and fresh else [look]
        found = chosen_masks(model, looks, prompt, offer, extent, hints.side)
        fresh = fresh and selector is not None
    return found


def _elsewhere(
    model: SamModel, here: Window, box: Box | None, prompt: Prompt, extent: Window, *, fresh: bool
) -> Window | None:
    """The window to look again in, if any."""
    if fresh:
        return closer(here, box, prompt.clicks, extent) or wider(here, box, prompt.clicks, extent)
    near = detailed(here, box, prompt.clicks, extent) if model.policy.closer_look else None
    return wider(here, box, prompt.clicks, extent) or near


@dataclass(frozen=True, slots=True)
class Offer:
    """Which masks are offered: `several`, the `single` one as chosen, or `plain`.

    With `plain`, clicks need not be obeyed, crumbs stay, and SAM's rule chooses. With `others`, a single answer is still
    the one that is shown, and the rest of the masks come after it.
    """

    several: bool
    single: bool = False
    plain: bool = False
    others: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class WindowMasks:
    """What the decoder says in one window: logits (4, G, G), iou (4,), tokens (4, 2C).

    The first mask is the one that answers a later click, put together from the answers to `clicks` clicks.
    """

    features: ImageFeatures
    logits: Tensor
    iou: Tensor
    tokens: Tensor
    clicks: int = 1

    def put_together(self, token: int) -> int:
        """From the answers to how many clicks a mask is put together."""
        return 1 if token else self.clicks


def seen_in(model: SamModel, weights: Weights, features: ImageFeatures, prompt: Prompt, hints: Hints) -> WindowMasks:
    """What the decoder says in the window of `features`."""
    with torch.no_grad():
        decoded = decode(model, weights.tensors, features, embed(model, features, prompt, hints.looks))
        shown = corrected(model, features, prompt, decoded.logits[:1], hints.offset)
        logits = torch.cat([shown, decoded.logits[1:]])
        clicks = 1 if answer_before(model, prompt) is None else len(prompt.clicks)
        said = torch.cat([expected_iou(decoded.iou[:1], clicks), decoded.iou[1:]])
        own = decoded.tokens[1:]
        tokens = torch.cat([decoded.tokens[:1].expand_as(own), own], dim=1)
    return WindowMasks(features, logits, said, tokens, clicks)


def chosen_masks(
    model: SamModel,
    looks: Sequence[WindowMasks],
    prompt: Prompt,
    offer: Offer,
    extent: Window | None = None,
    side: float | None = None,
) -> MaskAnswer:
    """The masks to offer of those seen in some windows; a selector ranks them all, SAM's rule those of the last window.

    Args:
        extent: the whole image, which only a selector needs; `side` is that of expected objects.
    """
    selector = None if offer.single or offer.plain or extent is None else model.selector
    if selector is None or extent is None:
        return _by_rule(model, looks[-1], prompt, offer)
    logits, iou = (torch.stack([getattr(look, name) for look in looks]) for name in ("logits", "iou"))
    expected = selector.expected(described(model, [w.features for w in looks], logits, iou, prompt, extent, side))
    order = sorted(range(len(expected)), key=lambda i: -expected[i])
    masks: list[Mask] = []
    kept: list[tuple[WindowMasks, int]] = []
    for i in order:
        look, token = looks[i // 4], i % 4
        mask = masks_of(model, look, slice(token, token + 1), prompt)[0]
        if mask.area and all(iou_of(mask, other) <= DISTINCT_CARDS for other in masks):
            masks.append(mask)
            kept.append((look, token))
        if len(masks) == (CARDS if offer.several or offer.others else 1):
            break
    if not masks:
        return _by_rule(model, looks[0], prompt, offer)
    return MaskAnswer(
        tuple(look.features.window for look, _ in kept),
        torch.stack([look.logits[token] for look, token in kept]),
        tuple(float(look.iou[token]) for look, token in kept),
        tuple(masks),
        0,
        torch.stack([look.tokens[token] for look, token in kept]),
        tuple(look.put_together(token) for look, token in kept),
    )


def _by_rule(model: SamModel, look: WindowMasks, prompt: Prompt, offer: Offer) -> MaskAnswer:
    """Some of the four masks, chosen by predicted IoU: three for a single click, one for everything else (SAM's rule).

    An empty one is chosen only where all are. The single mask is chosen where it is there and not empty. Others come
    beside it only then: what is shown does not depend on them.
    """
    part = slice(0 if offer.single else 1, 4) if offer.several else slice(0, 4 if offer.others else 1)
    masks = masks_of(model, look, part, prompt, plain=offer.plain)
    if not offer.several and not masks[0].area:
        part, masks = slice(0, 1), masks[:1]
    said = tuple(float(v) for v in look.iou[part])
    among = range(1 if part.start == 0 and masks[0].area else len(masks))
    chosen = max(among, key=lambda i: (masks[i].area > 0, said[i]))
    windows = (look.features.window,) * len(masks)
    clicks = tuple(look.put_together(token) for token in range(4)[part])
    return MaskAnswer(windows, look.logits[part], said, masks, chosen, look.tokens[part], clicks)


def masks_of(
    model: SamModel, look: WindowMasks, part: slice, prompt: Prompt, *, plain: bool = False
) -> tuple[Mask, ...]:
    """Some of a window's masks in image pixels. The logits stay the decoder's: maps and the next click see what it said."""
    logits, features = look.logits[part], look.features
    if plain:
        return placed(model, logits, features)
    obeying = obedient(logits, prompt.clicks, features.window)
    if model.outline is None:
        masks = placed(model, obeying, features)
    else:
        fine = redrawn(model, model.outline, features, obeying, prompt.clicks)
        masks = placed_fine(obedient(fine, prompt.clicks, features.window), features)
    reach = (
        features.window.side / model.grid / 2
    )  # half a cell: two neighbouring cells can then hold clicks of both signs
    masks = tuple(obeyed(mask, prompt.clicks, reach, features.window) for mask in masks)
    return tuple(tidied(mask, prompt.clicks) for mask in masks) if model.tidy and prompt.tidy else masks


def corrected(model: SamModel, features: ImageFeatures, prompt: Prompt, logits: Tensor, offset: float) -> Tensor:
    """Logits (m, G, G) changed as the newest click asks for, with the threshold moved about it."""
    return shifted(as_asked(model, features, prompt, logits), offset, prompt, features.window)


def answer_before(model: SamModel, prompt: Prompt) -> Logits | None:
    """The answer that a later click changes, where the policy says so; None where the newest answer stands as it is."""
    before = prompt.logits
    if not model.policy.local_update or before is None or not prompt.clicks:
        return None
    return before if before.values.shape == (model.grid, model.grid) else None


def as_asked(model: SamModel, features: ImageFeatures, prompt: Prompt, logits: Tensor) -> Tensor:
    """A later click adds to the answer before, or takes away near itself, where the policy says so."""
    before = answer_before(model, prompt)
    if before is None:
        return logits
    newest = prompt.clicks[-1]
    x, y = to_input(model, features.window, features.valid, torch.tensor([newest.x, newest.y], device=logits.device))
    cell = model.size / model.grid
    values = logits_in_window(before, features.window, model.grid)[0, 0].to(logits)
    reach = SETTLED if len(prompt.clicks) >= SETTLED_FROM else SETTLING
    place = float(x + 0.5) / cell - 0.5, float(y + 0.5) / cell - 0.5
    return one_way(values, logits, place, None if newest.positive else reach)
