"""SAM's own training recipe for the mask decoder: the loss, the eleven rounds of prompts, the learning rate.

Source: Kirillov et al. 2023 (Segment Anything), section 3 and appendix A; focal and Dice terms as in the code released
with SAM 2. In masks that the model proposed, each pixel counts by its certainty (Liu et al. 2024, SUM).

Everything is measured on the decoder's grid of four input pixels per cell. Targets are area-averaged to it (shares of 0
.. 1, so that thin objects stay). Enlarging logits to the input instead would cost sixteen times the work, for the same
gradient up to the interpolation. Cells of padding are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.clicks import BOX_NOISE, BOX_NOISE_LIMIT, sampled_pixel
from samtta_app.core.types import BoolArray
from samtta_app.model.backbone import Embedded, SamModel
from samtta_app.model.backbones.compact_prompts import GRID_STRIDE
from samtta_app.model.losses import FOCAL_WEIGHT, focal, soft_dice
from samtta_app.model.losses import certain_dice as believed_dice
from samtta_app.model.predictor import ImageFeatures
from samtta_app.model.weights import Tensors
from samtta_app.train.compact.round_loss import hard_iou
from samtta_app.train.data.click_sampling import Clicks, truths

SAMPLED = 8
ROUNDS = SAMPLED + 3
_BOX_SHARE = 0.5
_WARM_UP, WARM_UP_SHARE = 250, 0.1
"""Steps of SAM's warm-up, and its maximum share of a short run."""
DROPS = (60_000 / 90_000, 86_666 / 90_000)
"""Shares of a run after which SAM divides its learning rate by ten."""


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Objects of one image on the grid: `masks` (B, R, C) shares 0 .. 1 without padding, `boxes` (B, 4) in input pixels.

    `certainty` (B, R, C), 0 .. 1, is the weight of each pixel; None for masks that a user made.
    """

    masks: Tensor
    boxes: Tensor
    certainty: Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Prompts:
    """One prompt for each of B objects: clicks so far, boxes (B, 4) or None, logits (B, 1, G, G) fed back or None."""

    clicks: Clicks
    boxes: Tensor | None = None
    logits: Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """One round: its prompt, `logits` (B, m, G, G) and predicted `iou` (B, m) of the m trained masks, and the loss."""

    prompts: Prompts
    logits: Tensor
    iou: Tensor
    loss: Tensor


def sam_loss(logits: Tensor, iou: Tensor, targets: Tensor, certainty: Tensor | None = None) -> Tensor:
    """20 focal + 1 Dice of each object's best mask, plus the squared error of every predicted IoU; a mean over objects.

    Args:
        logits: (B, m, R, C); of several masks only the one of the lowest loss is trained.
        iou: predicted (B, m). All are trained, since they choose among the masks.
        targets: (B, R, C) shares 0 .. 1.
        certainty: (B, R, C) 0 .. 1. It weighs the focal term; the Dice term counts the pixels above 0.6 (SUM, equations
            1 and 2). None gives every pixel full weight.
    """
    wanted = targets[:, None].expand_as(logits)
    if certainty is None:
        losses = FOCAL_WEIGHT * focal(logits, wanted) + soft_dice(logits, wanted)
    else:
        believed = certainty[:, None].expand_as(logits)
        losses = FOCAL_WEIGHT * focal(logits, wanted, believed) + believed_dice(logits, wanted, believed)
    return losses.min(1).values.mean() + F.mse_loss(iou, hard_iou(logits.detach(), targets))


def embed_batch(model: SamModel, features: ImageFeatures, prompts: Prompts) -> Embedded:
    """The prompt encoder's answer to B prompts in input pixels of the window of `features`, without gradient."""
    clicks = prompts.clicks
    points = (clicks.coords, clicks.labels) if clicks.labels.shape[1] else None
    with torch.no_grad():
        return model.backbone.embed(
            points, prompts.boxes, prompts.logits, model.size, features=(features.embedding, *features.skips)
        )


def decode_batch(
    model: SamModel, tensors: Tensors, features: ImageFeatures, embedded: Embedded, *, several: bool
) -> tuple[Tensor, Tensor]:
    """Three candidates or the single mask for B prompts on one image, under the decoder weights `tensors`.

    Returns logits (B, m, G, G) and predicted IoU (B, m); differentiable in `tensors`.
    """
    logits, iou, _ = model.backbone.decode(tensors, features.embedding, features.skips, embedded, model.size)
    part = slice(1, None) if several else slice(0, 1)
    return logits[:, part], iou[:, part]


def _places(cells: Tensor, targets: Targets, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A uniform place in one of each object's cells (B, R, C); the cell is uniform, or drawn by certainty if known.

    Returns x and y (B, 2) in input pixels, and whether there is such a cell (B,); without one the place is 0.
    """
    coords, found = np.zeros((cells.shape[0], 2), np.float32), np.zeros(cells.shape[0], np.bool_)
    believed = None if targets.certainty is None else targets.certainty.cpu().numpy()
    for i, of_object in enumerate(cells.cpu().numpy()):
        cell = _any_cell(of_object, rng) if believed is None else sampled_pixel(of_object, believed[i], rng)
        if cell is not None:
            coords[i], found[i] = (np.array(cell) + rng.random(2)) * GRID_STRIDE - 0.5, True
    placed = torch.from_numpy(coords).to(cells.device).clamp(min=0)
    return torch.minimum(placed, _limits(targets)), torch.from_numpy(found).to(cells.device)


def _any_cell(cells: BoolArray, rng: np.random.Generator) -> tuple[int, int] | None:
    rows, columns = np.nonzero(cells)
    if not rows.size:
        return None
    i = rng.integers(rows.size)
    return int(columns[i]), int(rows[i])


def _limits(targets: Targets) -> Tensor:
    rows, columns = targets.masks.shape[1:]
    return torch.tensor([columns, rows], device=targets.masks.device) * GRID_STRIDE - 1.0


def sam_boxes(targets: Targets, size: int, rng: np.random.Generator) -> Tensor:
    """Boxes (B, 4) with noise: standard deviation a tenth of the side, at most 20 of 1024 pixels."""
    sides = (targets.boxes[:, 2:] - targets.boxes[:, :2]).repeat(1, 2)
    noise = torch.from_numpy(rng.standard_normal(tuple(sides.shape)).astype(np.float32)).to(sides.device)
    limit = BOX_NOISE_LIMIT * size
    moved = targets.boxes + (noise * BOX_NOISE * sides).clamp(-limit, limit)
    return torch.minimum(moved.clamp(min=0), _limits(targets).repeat(2))


def first_prompts(targets: Targets, size: int, rng: np.random.Generator) -> Prompts:
    """A point in the mask, or a noisy box, with equal probability; the objects of one image share the choice.

    The point is uniform, or drawn by certainty (SUM, section 3.2.2). Label -1 means no click, where no pixel is
    certain.
    """
    device = targets.masks.device
    if rng.random() < _BOX_SHARE:
        return Prompts(Clicks.none(targets.masks.shape[0], device), sam_boxes(targets, size, rng))
    coords, found = _places(truths(targets.masks), targets, rng)
    return Prompts(Clicks(coords[:, None], torch.where(found, 1.0, -1.0)[:, None]))


def error_clicks(shown: Tensor, targets: Targets, rng: np.random.Generator) -> Clicks:
    """A click in each error region of logits `shown` (B, R, C): include where missed, exclude where too much.

    The place is uniform, or drawn by certainty. Label -1 means no click, where nothing is wrong or nothing certain.
    """
    truth = truths(targets.masks)
    coords, found = _places((shown > 0) ^ truth, targets, rng)
    columns, rows = ((coords + 0.5) / GRID_STRIDE).long().unbind(1)
    labels = truth[torch.arange(len(truth), device=truth.device), rows, columns].float()
    return Clicks(coords[:, None], torch.where(found, labels, -torch.ones_like(labels))[:, None])


def rounds_with_click(rng: np.random.Generator) -> tuple[bool, ...]:
    """Which of the ten rounds after the first add a click: eight do; a random one of them and the last do not."""
    added = [True] * SAMPLED
    added.insert(int(rng.integers(SAMPLED)), False)
    return (*added, False)


def interactive_rounds(
    model: SamModel,
    tensors: Tensors,
    features: ImageFeatures,
    targets: Targets,
    rng: np.random.Generator,
    task: Tensor | None = None,
) -> Iterator[Round]:
    """The eleven rounds of B objects on one image; gradients reach `tensors` through each round's loss alone.

    `task` (C,) is added to the dense embedding of the first prompt only. SUM (section 3.2) finds that in every round it
    is worse after three clicks.

    The first prompt (one point or box) is answered by three masks. Every later prompt also has logits and is answered
    by the single mask. The raw logits of the previous round are returned; of three masks, those of the highest
    predicted IoU.
    """
    rows, columns = targets.masks.shape[1:]
    prompts = first_prompts(targets, model.size, rng)
    for number, adding in enumerate((*rounds_with_click(rng), False)):
        embedded = embed_batch(model, features, prompts)
        if task is not None and number == 0:
            embedded = replace(embedded, dense=embedded.dense + task.view(1, -1, 1, 1))
        logits, iou = decode_batch(model, tensors, features, embedded, several=number == 0)
        loss = sam_loss(logits[..., :rows, :columns], iou, targets.masks, targets.certainty)
        yield Round(prompts, logits.detach(), iou.detach(), loss)
        best = iou.detach().argmax(1)
        shown = logits.detach()[torch.arange(len(best), device=best.device), best]
        clicks = prompts.clicks
        if adding:
            clicks = clicks.plus(error_clicks(shown[:, :rows, :columns], targets, rng))
        prompts = replace(prompts, clicks=clicks, logits=shown[:, None])


def sam_rate(peak: float, step: int, share: float) -> float:
    """SAM's schedule for step `step` (from 0) at `share` 0 .. 1 of the run: linear warm-up, then two drops to a tenth.

    The warm-up takes 250 steps as in SAM, but at most a tenth of a run below 2500 steps.
    """
    ramp = min(1.0, max((step + 1) / _WARM_UP, share / WARM_UP_SHARE))
    return peak * ramp * 0.1 ** sum(share >= drop for drop in DROPS)
