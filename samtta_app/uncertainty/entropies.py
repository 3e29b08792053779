"""Bayesian measures: entropy of the mean mask probability over alternative images, clicks, models or candidates.

Source: Kaiser et al. 2025, "UncertainSAM": H(p) = sum p h2(p) / sum p of the averaged map p. The published code first
orders each answer's three candidates by true IoU, which needs the truth. Here the candidate of the highest predicted
IoU stands for an answer.

Probabilities of A answers are (A, m, h, w) with their predicted IoU (A, m); m is 3, or 1 where there is a single mask.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from samtta_app.uncertainty.maps import mean_bits


def shares(iou: Tensor) -> Tensor:
    """Weight of each candidate: its predicted IoU over the sum of all, (..., m); equal weights where the sum is 0."""
    positive = iou.clamp(min=0)
    total = positive.sum(-1, keepdim=True)
    return torch.where(total > 0, positive / total, torch.full_like(iou, 1 / iou.shape[-1]))


def picked(p: Tensor, iou: Tensor) -> Tensor:
    """The candidate of the highest predicted IoU of each answer, (A, h, w)."""
    return p[torch.arange(len(p)), iou.argmax(-1)]


def mixed(p: Tensor, iou: Tensor) -> Tensor:
    """All candidates of each answer by their `shares`, (A, h, w)."""
    return torch.einsum("am,amhw->ahw", shares(iou), p)


def task_entropy(p: Tensor, iou: Tensor) -> float:
    """H_A of one answer (A = 1): the uncertainty about which candidate is meant."""
    return float(mean_bits(mixed(p, iou).mean(0)))


def answer_entropy(p: Tensor) -> float:
    """H_Xp, H_Theta, H_aug of the `picked` answers (A, h, w) to other clicks, of other models, to other image versions.

    Of the `mixed` answers of all models to all versions and clicks, it is H_Y; every answer has equal weight.
    """
    return float(mean_bits(p.mean(0)))


def deviation(p: Tensor) -> Tensor:
    """Difference of the `picked` answers (A, h, w) per pixel: standard deviation of the probability, 0 .. 0.5, (h, w)."""
    return p.std(0, correction=0)


def probabilities_on_grid(p: Tensor, side: int) -> Tensor:
    """Probabilities (A, h, w) on another grid of the same window, (A, side, side)."""
    if p.shape[-1] == side:
        return p
    return F.interpolate(p[None], (side, side), mode="bilinear", align_corners=False)[0]
