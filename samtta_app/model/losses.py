"""Losses on the decoder's low-res grid: adaptation's own, and SUM's, which weight each pixel by how certain it is.

Every term of the first part ignores unknown pixels: the boundary band, the padding, and everything away from a click.
Source of the second part: Liu et al. 2024, "Uncertainty-aware Fine-tuning of Segmentation Foundation Models" (SUM), equations
1 and 2, section 3.2.2 and appendix B.1. The certainty of a pixel is 1 - u, u from `model.refiner.refinement_difference`. With
a certainty of 1 everywhere (a mask that a user made) the second part is SAM's own loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

from samtta_app.core.types import Click, Window
from samtta_app.model.threshold_shift import logits_at

FOCAL_FLOOR = 20.0
"""Pixels added to the focal normaliser, so that a nearly right mask does not get the full gradient."""

FOCAL_WEIGHT, ALPHA, GAMMA = 20.0, 0.25, 2.0
EVEN = 0.5
"""Alpha for a compact model, which was trained without one: with .25 its masks shrink, since the background weighs more."""
BELIEVED = 0.6
"""The Dice term counts pixels of a higher certainty only."""


# --- adaptation -------------------------------------------------------------------------------------------------------


def normalised_focal(logits: Tensor, targets: Tensor, known: Tensor | None = None) -> Tensor:
    """Focal loss (gamma 2) divided by its own weights, per mask: (..., g, g) -> (...).

    Sofiiuk et al. 2019 (AdaptIS). Divided by pixels instead, as in SAM, it empties every mask from scratch.

    Args:
        logits: any number of masks.
        targets: 0 .. 1, of the same shape.
        known: 1 where a pixel counts, else 0; None where all do.
    """
    weights = (torch.sigmoid(logits) - targets) ** 2
    weights = (weights if known is None else weights * known).detach()
    entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (entropy * weights).sum((-2, -1)) / (weights.sum((-2, -1)) + FOCAL_FLOOR)


def soft_dice(logits: Tensor, targets: Tensor, known: Tensor | None = None) -> Tensor:
    """Soft Dice loss (smoothing 1) per mask, over the pixels that are `known`: (..., g, g) -> (...)."""
    p = torch.sigmoid(logits)
    both, either = p * targets, p + targets
    if known is not None:
        both, either = both * known, either * known
    return 1 - (2 * both.sum((-2, -1)) + 1) / (either.sum((-2, -1)) + 1)


def mask_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Normalised focal loss plus soft Dice loss per mask: logits (m, G, G), target (G, G) of 1, 0, -1 (ignored) -> (m,).

    The focal term weights cross-entropy by |p - g|^2 and divides by the weights' sum (plus a floor). Small objects thus
    count as much as large ones. SAM's own focal : Dice = 20 : 1 empties masks when the object is small.
    """
    known = (target >= 0).to(logits.dtype)
    truth = (target == 1).to(logits.dtype).expand_as(logits)
    return normalised_focal(logits, truth, known) + soft_dice(logits, truth, known)


def click_loss(logits: Tensor, clicks: Sequence[Click], window: Window) -> Tensor:
    """Cross-entropy at the clicks, the logits sampled bilinearly there: logits (m, G, G) -> (m,).

    Clicks are not rasterised: on a coarse grid most of them would vanish (Schön et al.'s released code lost 74 to 98 %).
    Means over include and over exclude clicks are added, so that neither outweighs the other.
    """
    loss = logits.new_zeros(logits.shape[0])
    for positive in (True, False):
        points = [(click.x, click.y) for click in clicks if click.positive is positive]
        if points:
            values = logits_at(logits, points, window)
            loss = loss + F.softplus(-values if positive else values).mean(dim=1)
    return loss


def true_iou(logits: Tensor, target: Tensor) -> Tensor:
    """IoU of logits > 0 (m, G, G) with the target (G, G) over the known pixels -> (m,); no gradient."""
    with torch.no_grad():
        known, truth, shown = target >= 0, target == 1, logits > 0
        both = (shown & truth & known).sum((-2, -1)).float()
        either = ((shown | truth) & known).sum((-2, -1)).float()
        return torch.where(either > 0, both / either.clamp(min=1), torch.ones_like(either))


def prompt_loss(
    logits: Tensor, iou: Tensor, target: Tensor, clicks: Sequence[Click], window: Window, ambiguous: bool
) -> Tensor:
    """The loss of one prompt: masks, clicks and the IoU head, over all four masks (4, G, G) and predicted IoU (4,).

    An ambiguous prompt (one click) trains the best of the three candidates, as SAM does, and the single mask with less
    weight. Any other prompt trains mainly the single mask. The IoU head learns too, since it chooses among the candidates.
    """
    per_mask = mask_loss(logits, target) + 0.2 * click_loss(logits, clicks, window)
    single, best = per_mask[0], per_mask[1:].min()
    masks = best + 0.7 * single if ambiguous else 1.3 * single + 0.3 * best
    return masks + F.mse_loss(iou, true_iou(logits, target))


# --- SUM -------------------------------------------------------------------------------------------------------------


def focal(logits: Tensor, targets: Tensor, certainty: Tensor | None = None, alpha: float = ALPHA) -> Tensor:
    """Focal loss (Lin et al. 2017; gamma 2) weighted by `certainty` (None: 1), over the number of all pixels.

    All (..., R, C), targets and certainty 0 .. 1 -> (...). SUM, equation 1.
    """
    loss: Tensor = sigmoid_focal_loss(logits, targets, alpha, GAMMA)
    return (loss if certainty is None else certainty * loss).mean((-2, -1))


def certain_dice(logits: Tensor, targets: Tensor, certainty: Tensor) -> Tensor:
    """Soft Dice loss (smoothing 1) over the pixels of a certainty above 0.6: (..., R, C) -> (...). SUM, equation 2."""
    return soft_dice(logits, targets, (certainty > BELIEVED).to(logits.dtype))


def aware_loss(
    logits: Tensor, iou: Tensor, targets: Tensor, certainty: Tensor | None = None, alpha: float = ALPHA
) -> Tensor:
    """20 focal + 1 Dice + 1 squared error of the predicted IoU, per mask.

    Args:
        logits: (..., R, C), padding left out.
        iou: predicted, (...).
        targets: (..., R, C), what is taken for true, 0 .. 1; from one half on a pixel is object.
        certainty: (..., R, C), 0 .. 1; None for a mask that a user made.
        alpha: weight of object pixels in the focal loss; the others weigh 1 - alpha.
    """
    certainty = torch.ones_like(logits) if certainty is None else certainty
    quality = (iou - true_iou(logits, (targets >= 0.5).to(logits.dtype))) ** 2
    return FOCAL_WEIGHT * focal(logits, targets, certainty, alpha) + certain_dice(logits, targets, certainty) + quality
