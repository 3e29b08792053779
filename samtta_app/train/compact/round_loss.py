"""The loss of one round of clicks: masks, the predicted IoU, and obedience to clicks."""

from torch import Tensor
from torch.nn import functional as F

from samtta_app.model.backbones.compact import DecoderOutput
from samtta_app.model.losses import normalised_focal, soft_dice
from samtta_app.train.data.click_sampling import Clicks, truths

CLICK_WEIGHT = 0.2


def hard_iou(logits: Tensor, targets: Tensor) -> Tensor:
    """IoU of thresholded masks per mask: logits (B, m, g, g), targets or their `truths` (B, g, g) -> (B, m)."""
    predicted, truth = logits > 0, truths(targets)[:, None]
    both = (predicted & truth).sum((2, 3)).float()
    return both / (predicted | truth).sum((2, 3)).clamp(min=1)


def obedience(logits: Tensor, clicks: Clicks, size: int) -> Tensor:
    """Cross-entropy of the single mask (B, g, g) at the clicked pixels: include must be inside, exclude outside."""
    if clicks.labels.shape[1] == 0:
        return logits.new_zeros(())
    grid = ((clicks.coords + 0.5) / size * 2 - 1)[:, None]
    values = F.grid_sample(logits[:, None], grid, align_corners=False)[:, 0, 0]
    known = (clicks.labels >= 0).float()
    losses = F.binary_cross_entropy_with_logits(values, clicks.labels.clamp(min=0), reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


def round_loss(
    out: DecoderOutput, targets: Tensor, clicks: Clicks, size: int, *, first: bool, truth: Tensor | None = None
) -> Tensor:
    """Loss of one gradient round; `truth` holds the `truths` of the targets if they are known already.

    At the first prompt the best of three candidates has the largest weight, later the single mask.
    """
    wanted = targets[:, None].expand_as(out.masks)
    losses = normalised_focal(out.masks, wanted) + soft_dice(out.masks, wanted)
    single, best = losses[:, 0].mean(), losses[:, 1:].min(1).values.mean()
    masks = 0.7 * single + best if first else 1.3 * single + 0.3 * best
    quality = F.mse_loss(out.iou, hard_iou(out.masks.detach(), targets if truth is None else truth))
    return masks + quality + CLICK_WEIGHT * obedience(out.masks[:, 0], clicks, size)
