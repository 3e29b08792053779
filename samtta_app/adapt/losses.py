"""What the decoder learns from: the eroded accepted mask, the clicks, and how good its own masks turned out.

Every term ignores what is not known: the boundary band, the padding, and everything away from a click.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.types import Click, Window
from samtta_app.model.shift import logits_at

_FOCAL_FLOOR = 20.0
"""Pixels added to the focal normaliser, so that a mask that is nearly right is not pushed with full force."""


def mask_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Normalised focal loss plus soft Dice loss per mask: logits (m, G, G), target (G, G) of 1, 0, -1 (ignored) -> (m,).

    The focal term weights cross-entropy by |p - g|^2 and divides by the weights' sum (plus a floor), so that small objects
    count as much as large ones; SAM's own focal : Dice = 20 : 1 empties masks when the object is small.
    """
    known = (target >= 0).to(logits.dtype)
    truth = (target == 1).to(logits.dtype).expand_as(logits)
    p = torch.sigmoid(logits)
    weight = ((p - truth) ** 2 * known).detach()
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    focal = (entropy * weight).sum((-2, -1)) / (weight.sum((-2, -1)) + _FOCAL_FLOOR)
    both, either = (p * truth * known).sum((-2, -1)), ((p + truth) * known).sum((-2, -1))
    return focal + 1 - (2 * both + 1) / (either + 1)


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

    An ambiguous prompt (one click) trains the best of the three candidates, as SAM does, and the single mask beside it;
    any other prompt trains the single mask first. The IoU head learns too, since it chooses among the candidates.
    """
    per_mask = mask_loss(logits, target) + 0.2 * click_loss(logits, clicks, window)
    single, best = per_mask[0], per_mask[1:].min()
    masks = best + 0.7 * single if ambiguous else 1.3 * single + 0.3 * best
    return masks + F.mse_loss(iou, true_iou(logits, target))
