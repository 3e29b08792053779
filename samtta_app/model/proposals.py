"""What a model proposes by itself: answers to single clicks that it is sure of, and the certainty of each pixel.

Source: Liu et al. 2024 (SUM), section 3.2 and appendix B.1; its pseudo-labels are SAM's own (Kirillov et al. 2023, appendix
B). Masks with a high predicted IoU that hardly change with the threshold are kept. Here each click gives one mask, the one
that would be shown; SAM takes up to three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import nms

from samtta_app.core.masks import bounding_box
from samtta_app.core.types import Box, Click, Image, Mask, Prompt, Window
from samtta_app.core.windows import MIN_WINDOW_SIDE
from samtta_app.model.backbone import Limits, SamModel
from samtta_app.model.predictor import ImageFeatures, chosen, decode_many
from samtta_app.model.refiner import Refiner, mask_of, refinement
from samtta_app.model.weights import Tensors

PROPOSAL_BATCH = 16
"""Clicks of one pass of the decoder."""
PLACES = 8
"""Clicks along each side of a window: with the four from near, an image is asked about as densely as with 16 along its own."""
OVERLAP = 1.2
"""Sides of the four windows, in halves of the image."""
DISTINCT = 0.7
"""Of two proposals whose boxes have a higher IoU, the one with the lower predicted IoU is dropped (SAM)."""


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """An answer to one click: `logits` (G, G) in the window that was asked, predicted `iou`, `mask` in image pixels."""

    click: Click
    logits: Tensor
    iou: float
    mask: Mask


def cells(model: SamModel, features: ImageFeatures) -> tuple[int, int]:
    """Rows and columns of the decoder's grid that show the window; the rest is padding."""
    height, width = features.valid
    return -(-height * model.grid // model.size), -(-width * model.grid // model.size)


@torch.no_grad()
def guesses(
    model: SamModel, tensors: Tensors, features: ImageFeatures, clicks: Sequence[Click], limits: Limits
) -> list[Guess]:
    """The answers to single clicks, in their order, that are within the limits; the same click, the same answer.

    Args:
        tensors: the decoder weights that answer.
        features: in single precision.
        clicks: in image pixels, in the window of `features`.
    """
    rows, columns = cells(model, features)
    found = []
    for start in range(0, len(clicks), PROPOSAL_BATCH):
        prompts = [Prompt((click,)) for click in clicks[start : start + PROPOSAL_BATCH]]
        for prompt, decoded in zip(prompts, decode_many(model, tensors, features, prompts), strict=True):
            best = chosen(decoded, prompt)
            logits, iou = decoded.logits[best], float(decoded.iou[best])
            if limits.allow(logits[:rows, :columns], iou):
                found.append(Guess(prompt.clicks[0], logits, iou, mask_of(model, features, logits)))
    return found


def certainty(model: SamModel, refiner: Refiner, features: ImageFeatures, guess: Guess) -> Tensor | None:
    """1 - u (G, G), 0 .. 1, for the pixels of a guess (SUM, equation 3); None where the refiner has no finite answer."""
    refined, _ = refinement(model, refiner, features, Prompt((guess.click,)), guess.logits, guess.mask)
    return None if refined is None else 1 - refined.uncertainty


# --- a whole image -------------------------------------------------------------------------------------------------


def windows(image: Image) -> list[Window]:
    """The whole image, and four windows of six tenths of its sides; in small images they would hold no context."""
    whole = image.whole
    width, height = (int(side * OVERLAP / 2) for side in (whole.width, whole.height))
    if max(width, height) < MIN_WINDOW_SIDE:
        return [whole]
    return [whole, *(Window(x, y, width, height) for y in (0, whole.height - height) for x in (0, whole.width - width))]


def grid_of_clicks(window: Window) -> list[Click]:
    """A regular grid of include clicks, row by row, in image pixels."""
    steps = (np.arange(PLACES) + 0.5) / PLACES
    return [
        Click(float(window.x + across * window.width - 0.5), float(window.y + down * window.height - 0.5), True)
        for down in steps
        for across in steps
    ]


def distinct_proposals(found: Sequence[Guess], window: Window, extent: Window, cell: float) -> list[tuple[Guess, Box]]:
    """The guesses that the window does not cut, with their boxes, the surest first; of those that are alike, the surest one.

    Args:
        extent: the whole image: what ends at its edge is not cut.
        cell: how near to the window's edge, in pixels, a mask counts as cut.
    """
    whole = [(g, box) for g in found if (box := bounding_box(g.mask)) and not _cut(box, window, extent, cell)]
    if not whole:
        return []
    boxes = torch.tensor([[box.x0, box.y0, box.x1 + 1, box.y1 + 1] for _, box in whole], dtype=torch.float32)
    return [whole[i] for i in nms(boxes, torch.tensor([g.iou for g, _ in whole]), DISTINCT).tolist()]


def _cut(box: Box, window: Window, extent: Window, cell: float) -> bool:
    left, top = window.x > extent.x, window.y > extent.y
    right = window.x + window.width < extent.x + extent.width
    bottom = window.y + window.height < extent.y + extent.height
    before = (left and box.x0 < window.x + cell) or (top and box.y0 < window.y + cell)
    x1, y1 = window.x + window.width - 1 - cell, window.y + window.height - 1 - cell
    return before or (right and box.x1 > x1) or (bottom and box.y1 > y1)
