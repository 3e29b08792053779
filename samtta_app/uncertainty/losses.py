"""What a decoder learns from masks that are not all believed: SAM's losses, weighted by how certain each pixel is.

Source: Liu et al. 2024, "Uncertainty-aware Fine-tuning of Segmentation Foundation Models" (SUM), equations 1 and 2, section
3.2.2 and appendix B.1. The certainty of a pixel is 1 - u, u from `uncertainty.refine.difference`. With a certainty of 1
everywhere (a mask that a person made) all of it is SAM's own loss.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from samtta_app.adapt.losses import true_iou
from samtta_app.core.types import BoolArray, Click

FOCAL_WEIGHT, ALPHA, GAMMA = 20.0, 0.25, 2.0
EVEN = 0.5
"""Alpha for a compact model, which was trained without: with .25 its masks shrink, since what is not object weighs more."""
BELIEVED = 0.6
"""The Dice term counts pixels of a higher certainty only."""


def focal(logits: Tensor, targets: Tensor, certainty: Tensor | None = None, alpha: float = ALPHA) -> Tensor:
    """Focal loss (Lin et al. 2017; gamma 2) weighted by `certainty` (None: 1), over the number of all pixels.

    All (..., R, C), targets and certainty 0 .. 1 -> (...). SUM, equation 1.
    """
    p = torch.sigmoid(logits)
    right = p * targets + (1 - p) * (1 - targets)
    weights = (alpha * targets + (1 - alpha) * (1 - targets)) * (1 - right) ** GAMMA
    entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    loss = weights * entropy
    return (loss if certainty is None else certainty * loss).mean((-2, -1))


def certain_dice(logits: Tensor, targets: Tensor, certainty: Tensor) -> Tensor:
    """Soft Dice loss (smoothing 1) over the pixels of a certainty above 0.6: (..., R, C) -> (...). SUM, equation 2."""
    believed = (certainty > BELIEVED).to(logits.dtype)
    p = torch.sigmoid(logits)
    both = (p * targets * believed).sum((-2, -1))
    return 1 - (2 * both + 1) / (((p + targets) * believed).sum((-2, -1)) + 1)


def aware_loss(
    logits: Tensor, iou: Tensor, targets: Tensor, certainty: Tensor | None = None, alpha: float = ALPHA
) -> Tensor:
    """20 focal + 1 Dice + 1 squared error of the predicted IoU, per mask.

    Args:
        logits: (..., R, C), padding left out.
        iou: predicted, (...).
        targets: (..., R, C), what is taken for true, 0 .. 1; from one half on a pixel is object.
        certainty: (..., R, C), 0 .. 1; None for a mask that a person made.
        alpha: of the focal loss, what object pixels weigh beside 1 - alpha of the others.
    """
    certainty = torch.ones_like(logits) if certainty is None else certainty
    quality = (iou - true_iou(logits, (targets >= 0.5).to(logits.dtype))) ** 2
    return FOCAL_WEIGHT * focal(logits, targets, certainty, alpha) + certain_dice(logits, targets, certainty) + quality


def sampled_pixel(
    region: BoolArray, certainty: NDArray[np.floating], rng: np.random.Generator
) -> tuple[int, int] | None:
    """A pixel (column, row) of `region` (h, w), drawn with a probability proportional to its certainty (h, w).

    None where the region is empty or no pixel in it is certain at all; what is not finite counts as 0. SUM, section 3.2.2.
    """
    rows, columns = np.nonzero(region)
    weights = np.nan_to_num(certainty[rows, columns].astype(np.float64), posinf=0.0, neginf=0.0).clip(min=0)
    if not weights.sum() > 0:
        return None
    drawn = int(rng.choice(len(rows), p=weights / weights.sum()))
    return int(columns[drawn]), int(rows[drawn])


def sampled_click(
    target: BoolArray,
    shown: BoolArray | None,
    certainty: NDArray[np.floating],
    rng: np.random.Generator,
    backup: Click | None = None,
) -> Click | None:
    """The next simulated click on a mask that is not all believed, in pixels of the arrays (h, w).

    The first one (`shown` None) lies in `target`, a later one where `shown` is wrong: include what is missed, exclude what
    is too much. `backup` where no pixel can be drawn.
    """
    place = sampled_pixel(target if shown is None else target != shown, certainty, rng)
    if place is None:
        return backup
    x, y = place
    return Click(float(x), float(y), bool(target[y, x]))
