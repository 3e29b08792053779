"""The interactive rounds of one batch: a first prompt with gradient, corrections without, and a last round with gradient."""

from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from samtta_app.model.backbones.compact import CompactSam, DecoderOutput, Skips
from samtta_app.model.backbones.likeness import Context, pooled_vectors
from samtta_app.train.batches import Batch
from samtta_app.train.compact.round_loss import hard_iou, round_loss
from samtta_app.train.data.click_sampling import Clicks, next_clicks, truths

CORRECTION_ODDS = ((0, 0.22), (1, 0.22), (2, 0.16), (4, 0.20), (8, 0.14), (17, 0.06))
"""Number of rounds without gradient between the two with gradient, and its probability.

There are up to 19 clicks in all; twelve rounds or more are rare.
"""
COMPACT_BOX_SHARE = 0.3
DRAWN_BOX_NOISE = 0.1
"""Standard deviation of a side's place in sides of the box, as in SAM's training (Kirillov et al. 2023, appendix A)."""
LOOSE_SHARE, LOOSEST = 0.35, 0.4
"""Share of boxes drawn generously, and how far each of their sides lies outside at most, in sides of the box."""

CONTEXT_OBJECTS = 5
"""Objects of a context at most: what a short session has accepted."""
CONTEXT_LEFT_OUT = 0.5
"""Share of the steps without a context, since every session begins without one."""
SAME_IMAGE = 0.4
"""Share of the steps in which objects of the same image count, too: a user annotates several of an image."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Features of a batch, one row per target."""

    embedding: Tensor
    skips: Skips
    size: int
    context: Context | None = None

    @staticmethod
    def of(model: CompactSam, pixels: Tensor, targets: int) -> "Encoded":
        """Encode images (B, 3, S, S) uint8 once, for `targets` masks each."""
        x = model.normalise(pixels).contiguous(memory_format=torch.channels_last)
        embedding, skips = model.image_encoder(x)
        if targets == 1:
            return Encoded(embedding, skips, pixels.shape[-1])
        repeated = tuple(s.repeat_interleave(targets, 0) for s in skips)
        return Encoded(embedding.repeat_interleave(targets, 0), repeated, pixels.shape[-1])

    def detached(self) -> "Encoded":
        """The same without gradient."""
        return Encoded(self.embedding.detach(), tuple(s.detach() for s in self.skips), self.size, self.context)


@dataclass(frozen=True, slots=True)
class StepResult:
    """The loss to minimise, and figures for the log."""

    loss: Tensor
    first_iou: float
    last_iou: float
    filled: float
    """Share of masks that are not empty at the first prompt."""


def decode_rounds(
    model: CompactSam, encoded: Encoded, clicks: Clicks, boxes: Tensor | None, previous: Tensor | None
) -> DecoderOutput:
    """One pass through prompt encoder and decoder, with everything on the model's device; the output is float32.

    Under autocast the prompt encoder stays in float32, because positions need more digits than bfloat16 has.
    """
    points = (clicks.coords, clicks.labels) if clicks.labels.shape[1] or boxes is None else None
    with torch.autocast(encoded.embedding.device.type, enabled=False):
        sparse, dense, click_skip = model.prompt_encoder(
            points, boxes, previous, encoded.size, (encoded.embedding, *encoded.skips), encoded.context
        )
        pe = model.prompt_encoder.dense_pe(encoded.size)
    skips = (encoded.skips[0], encoded.skips[1] + click_skip)
    out = model.mask_decoder(encoded.embedding, pe, sparse, dense, True, skips, full=True)
    return DecoderOutput(*(part.float() for part in out))


def human_boxes(boxes: Tensor, size: int, rng: np.random.Generator) -> Tensor:
    """Boxes as users draw them, within the window: each side is off by some of the box (`DRAWN_BOX_NOISE`) and about a pixel.

    A part of them (`LOOSE_SHARE`) is loose: each side lies outside by up to `LOOSEST` of the box. Boxes that always
    fitted would teach that a box is filled.
    """
    extent = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1).repeat(1, 2)
    noise = rng.standard_normal(boxes.shape).clip(-2, 2) * DRAWN_BOX_NOISE
    outwards = rng.random(boxes.shape) * LOOSEST * np.array([-1, -1, 1, 1])
    share = np.where(rng.random((len(boxes), 1)) < LOOSE_SHARE, outwards, noise)
    pixel = rng.uniform(-1, 1, boxes.shape)
    off, pixels = (torch.from_numpy(part.astype(np.float32)).to(boxes.device) for part in (share, pixel))
    return (boxes + off * extent + pixels).clamp(0, size - 1)


def fed_back(out: DecoderOutput, rng: np.random.Generator) -> Tensor | None:
    """Previous logits (B, 1, g, g): the single mask or the best candidate, sometimes blurred or left out.

    They are blurred because the product resamples logits when it moves the window around an object.
    """
    u = rng.random()
    if u < 0.06:
        return None
    masks = out.masks.detach()
    logits = masks[:, :1]
    if rng.random() < 0.35:
        best = out.iou[:, 1:].argmax(1) + 1
        logits = masks[torch.arange(masks.shape[0], device=masks.device), best][:, None]
    if u < 0.25:
        g = logits.shape[-1]
        small = F.interpolate(logits, size=(g // 4 if u < 0.15 else g // 2,) * 2, mode="area")
        logits = F.interpolate(small, size=(g, g), mode="bilinear")
    return logits


def drawn_context(encoded: Encoded, targets: Tensor, kinds: Tensor, rng: np.random.Generator) -> Context | None:
    """Up to five other objects of its own set for every target, now and then also of its own image; None half of the time.

    Args:
        encoded: one row per target.
        targets: (B * K, g, g).
        kinds: (B,) the number of each image's set; below 0 where its objects have nothing to do with each other.
    """
    if rng.random() < CONTEXT_LEFT_OUT:
        return None
    count, each = targets.shape[0], targets.shape[0] // kinds.shape[0]
    sets = kinds.cpu().numpy().repeat(each)
    images = np.arange(count) // each
    near = rng.random() < SAME_IMAGE
    wanted = int(rng.integers(1, CONTEXT_OBJECTS + 1))
    rows, known = np.zeros((count, CONTEXT_OBJECTS), np.int64), np.zeros((count, CONTEXT_OBJECTS), np.bool_)
    for i in range(count):
        others = (images != images[i]) | (near & (np.arange(count) != i))
        fit = np.flatnonzero((sets == sets[i]) & others & (sets >= 0))
        picked = rng.permutation(fit)[:wanted]
        rows[i, : len(picked)], known[i, : len(picked)] = picked, True
    with torch.no_grad():
        objects, grounds = pooled_vectors((encoded.embedding.detach(), *(s.detach() for s in encoded.skips)), targets)
    where = torch.from_numpy(rows).to(targets.device)
    return Context(
        tuple(part[where] for part in objects),
        tuple(part[where] for part in grounds),
        torch.from_numpy(known).to(targets.device),
    )


def interactive_step(
    model: CompactSam, batch: Batch, rng: np.random.Generator, pool: Executor | None = None
) -> StepResult:
    """Both gradient rounds on the model's device, for a batch in host memory.

    Clicks and truths stay on the host, where the threads of `pool` simulate them. Only the packed predictions are
    copied from the device in each round. The host never waits for what it sends to the device.
    """
    device = model.pixel_mean.device
    truth = truths(batch.targets)
    targets, true_cells, pixels = (part.to(device, non_blocking=True) for part in (batch.targets, truth, batch.pixels))
    masks = targets.shape[0]
    encoded = Encoded.of(model, pixels, masks // pixels.shape[0])
    if model.config.context:
        encoded = replace(encoded, context=drawn_context(encoded, targets, batch.kinds, rng))
    with_box = rng.random() < COMPACT_BOX_SHARE
    drawn = human_boxes(batch.boxes, encoded.size, rng) if with_box else None
    boxes = None if drawn is None else drawn.to(device, non_blocking=True)
    clicks = Clicks.first(batch.clicks) if drawn is None else Clicks.none(masks, batch.clicks.device)
    told = clicks if drawn is None else Clicks.first((drawn[:, :2] + drawn[:, 2:]) / 2)  # as at use (policy box_middle)
    out = first = decode_rounds(model, encoded, told.to(device), boxes, None)
    loss = round_loss(first, targets, clicks.to(device), encoded.size, first=True, truth=true_cells)
    counts, shares = zip(*CORRECTION_ODDS, strict=True)
    with torch.no_grad():
        fixed = encoded.detached()
        for _ in range(int(rng.choice(counts, p=shares))):
            previous = fed_back(out, rng)
            clicks = clicks.plus(next_clicks(out.masks[:, 0], truth, clicks, rng, pool))
            out = decode_rounds(model, fixed, clicks.to(device), boxes, previous)
    previous = fed_back(out, rng)
    clicks = clicks.plus(next_clicks(out.masks[:, 0].detach(), truth, clicks, rng, pool))
    shown = clicks.to(device)
    last = decode_rounds(model, encoded, shown, boxes, previous)
    loss = loss + round_loss(last, targets, shown, encoded.size, first=False, truth=true_cells)
    with torch.no_grad():
        ious = [hard_iou(o.masks[:, :1], true_cells).mean() for o in (first, last)]
        filled = (first.masks[:, 0] > 0).any(-1).any(-1).float().mean()
        figures = torch.stack([*ious, filled]).tolist()
    return StepResult(loss, *figures)
