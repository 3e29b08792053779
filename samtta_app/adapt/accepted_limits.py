"""What accepted objects say about where automatic masks are looked for, and which are worth a look.

A decoder may be unsure of every mask in pictures of a new kind, and right all the same. The limits on predicted IoU and
stability then follow what it says of objects that were accepted, asked by their first clicks. They are only lowered.
Learned weights are surer of objects that they learned from than of new ones. So the original weights are asked too, and the
lower limit counts.

Objects that are small in the image are looked for in crops as well, where the decoder sees them at the size of a click's.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from samtta_app.adapt.memory import Memory, Remembered
from samtta_app.core.automatic import AutomaticSettings, crops_of
from samtta_app.core.masks import middle_of
from samtta_app.core.types import Prompt, Window
from samtta_app.core.windows import SMALL_SHARE
from samtta_app.model.backbone import Look, SamModel
from samtta_app.model.predictor import decoded_points
from samtta_app.model.weights import Tensors

ASKED = 12
"""Newest accepted objects that are asked: each takes one pass of the decoder over one click."""

ENOUGH = 3
"""Objects needed before anything is changed: one alone may be odd."""

RIGHT_ANSWER = 0.7
"""IoU with the accepted mask from which an answer counts as right."""

LOW = 0.1
"""Quantile of what is said of right answers that becomes the limit, so that nine of ten such objects are proposed."""

SIZE_SLACK = 3.0
"""Masks are proposed up to this factor beyond the smallest and the largest accepted object.

With 2, nuclei of 11 pixels were dropped after an image of nuclei of 57 pixels.
"""

SMALL_QUANTILE = 0.25
"""Quantile of the sides of accepted objects for which crops are chosen: the next image may hold smaller ones."""

MOST_LEARNED_LAYERS = 2
"""Layers of crops that small objects bring about: a third would encode 64 crops more."""

HALVED = 2
"""Layers have half the points along each side: so each layer asks as many points as the whole image."""


def accepted_limits(
    model: SamModel,
    tensors: Tensors,
    memory: Memory,
    settings: AutomaticSettings,
    extent: Window,
    class_id: int | None,
    looks: Sequence[Look] = (),
) -> Generator[None, None, AutomaticSettings]:
    """The settings for an image of `extent`, as accepted objects of a class change them; unchanged where there are too few."""
    items = [item for item in memory.items if class_id in (None, item.class_id)][-ASKED:]
    if len(items) < ENOUGH:
        return settings
    sides = [float(max(item.mask.bits.shape)) for item in items]
    wider = max(settings.least_side, min(sides) / SIZE_SLACK), min(settings.most_side, max(sides) * SIZE_SLACK)
    settings = with_crops(
        replace(settings, least_side=wider[0], most_side=wider[1]), extent, float(np.quantile(sides, SMALL_QUANTILE))
    )
    for weights, seen in ((tensors, looks), (model.frozen.tensors, ())):
        said: list[tuple[float, float]] = []
        for item in items:
            yield
            right = _right_answer(model, weights, item, settings.stability_offset, seen)
            if right is not None:
                said.append(right)
        if len(said) >= ENOUGH:
            iou, stability = (float(np.quantile(values, LOW)) for values in zip(*said, strict=True))
            settings = replace(
                settings, pred_iou=min(settings.pred_iou, iou), stability=min(settings.stability, stability)
            )
    return settings


def with_crops(settings: AutomaticSettings, extent: Window, side: float) -> AutomaticSettings:
    """The settings with as many layers of crops as objects of a side, in pixels, need to be seen well.

    Layers that the user asked for stay.
    """
    found = settings
    for layers in range(settings.crop_layers, MOST_LEARNED_LAYERS + 1):
        if settings.points_per_side < HALVED**layers:
            break
        found = replace(settings, crop_layers=layers, crop_downscale=HALVED)
        if max(window.side for window, layer in crops_of(extent, found) if layer == layers) <= SMALL_SHARE * side:
            break
    return found if found.crop_layers > settings.crop_layers else settings


def _right_answer(
    model: SamModel, tensors: Tensors, item: Remembered, offset: float, looks: Sequence[Look]
) -> tuple[float, float] | None:
    """Predicted IoU and stability of the best of three answers to an object's first click, None where none is right."""
    x, y = next(((each.x, each.y) for each in item.clicks if each.positive), middle_of(item.mask))
    shift = 0.5 if model.policy.pixel_centres else 0.0
    xy = torch.tensor([[x + shift, y + shift]], dtype=torch.float64)
    features, prompt = item.features.to(torch.float32), Prompt(class_name=item.class_name)
    decoded = decoded_points(model, tensors, features, xy, prompt, looks)
    logits, known = decoded.logits[0, 1:], (item.whole >= 0).to(decoded.logits.device)
    overlaps = [_overlap(layer[known] > 0, item.whole.to(layer.device)[known] == 1) for layer in logits]
    best = int(np.argmax(overlaps))
    if overlaps[best] < RIGHT_ANSWER:
        return None
    inner, outer = (int((logits[best][known] > level).sum()) for level in (offset, -offset))
    return float(decoded.iou[0, 1 + best]), inner / max(outer, 1)


def _overlap(one: Tensor, other: Tensor) -> float:
    return int((one & other).sum()) / max(int((one | other).sum()), 1)
