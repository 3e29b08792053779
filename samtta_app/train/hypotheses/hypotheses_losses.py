"""What hypotheses learn from: samples that are as different as the outlines are, and that match them one by one.

Source: Li et al. 2024 (A-SAM), equations 3 to 8, for the fit of one outline under the posterior. The energy distance (Kohl
et al. 2018) and the matching are what the samples are measured by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional as F

from samtta_app.model.backbone import SamModel
from samtta_app.model.hypotheses import (
    HypothesisNets,
    Latents,
    Posteriors,
    SeenPrompts,
    divergence,
    hypotheses,
)
from samtta_app.train.hypotheses.hypotheses_samples import OpenSample, seen_together

DIVERGENCE_WEIGHT = 0.01
"""Weight of both divergences. The paper's 1 is for a sum over pixels; here the loss is about 1 for a wrong mask."""

DIVERSITY = 0.8
"""Weight of the difference among samples; 1 is that of the energy distance.

With 1 alone, samples spread over all that the model cannot tell, and each of them fitted worse than the plain answer.
"""

COMPARED_SAMPLES, COMPARED_OUTLINES = 3, 4
"""Hypotheses and outlines that are compared in one step."""


def batch_loss(
    model: SamModel,
    nets: HypothesisNets,
    posteriors: Posteriors,
    samples: Sequence[OpenSample],
    without: str,
    rng: np.random.Generator,
) -> Tensor:
    """The loss () of some prompts: that of prior samples, and that of one outline each under the posterior."""
    seen = seen_together(samples)
    shares = [sample.outlines.to(model.device).float() / 255 for sample in samples]
    prior = nets.prior(seen)
    loss = samples_loss(model, nets, seen, prior, shares, without, rng)
    if without == "posterior":
        return loss
    outline = torch.stack([of_one[int(rng.integers(len(of_one)))] for of_one in shares])
    posterior = posteriors(seen, outline[:, None])
    logits = drawn_once(model, nets, seen, posterior, without)
    apart = sum(
        divergence(after, before)
        for name, after, before in zip(("prompt", "object"), posterior, prior, strict=True)
        if name != without
    )
    return loss + (outline_fit(logits, outline) + DIVERGENCE_WEIGHT * apart).mean()


def drawn_once(model: SamModel, nets: HypothesisNets, seen: SeenPrompts, latents: Latents, without: str) -> Tensor:
    """Logits (b, G, G) of one sample for each prompt; the latent that is left out is zero."""
    samples = {
        name: own.sample(torch.randn_like(own.mean)) if name != without else torch.zeros_like(own.mean)
        for name, own in zip(("prompt", "object"), latents, strict=True)
    }
    return hypotheses(model, nets, model.frozen.tensors, seen, samples["prompt"], samples["object"])


def outline_fit(logits: Tensor, outline: Tensor) -> Tensor:
    """Cross-entropy in units of the outline's area, and Dice, (b,), of logits and shares (b, G, G).

    A-SAM's code adds a focal loss; the unit makes small objects count as much as large ones.
    """
    area = outline.sum((1, 2)).clamp(min=16)
    entropy = F.binary_cross_entropy_with_logits(logits, outline, reduction="none").sum((1, 2)) / area
    inside = torch.sigmoid(logits)
    both, either = (inside * outline).sum((1, 2)), (inside + outline).sum((1, 2))
    return 0.5 * entropy.clamp(max=20) + 1 - (2 * both + 1) / (either + 1)


def samples_loss(
    model: SamModel,
    nets: HypothesisNets,
    seen: SeenPrompts,
    prior: Latents,
    shares: Sequence[Tensor],
    without: str,
    rng: np.random.Generator,
) -> Tensor:
    """The energy () of prior samples and outlines, and 1 - IoU of their best matching, with soft IoU.

    What the outlines alone contribute to the energy is left out.
    """
    drawn = [torch.sigmoid(drawn_once(model, nets, seen, prior, without)) for _ in range(COMPARED_SAMPLES)]
    total = drawn[0].new_zeros(())
    for own, outlines in zip(torch.stack(drawn, dim=1), shares, strict=True):
        chosen = outlines[torch.as_tensor(rng.permutation(len(outlines))[:COMPARED_OUTLINES], device=outlines.device)]
        to_outlines = 1 - soft_iou(own[:, None], chosen[None])
        total = total + sample_energy(to_outlines, 1 - soft_iou(own[:, None], own[None])) + matched_loss(to_outlines)
    return total / len(shares)


def sample_energy(to_outlines: Tensor, among: Tensor) -> Tensor:
    """The energy () of m samples, from distances to n outlines (m, n) and among each other (m, m).

    Each sample is compared with the others only, so that the expectation is that of endlessly many samples.
    """
    others = (among.sum() - among.diagonal().sum()) / (len(among) * (len(among) - 1))
    return 2 * to_outlines.mean() - DIVERSITY * others


def matched_loss(to_outlines: Tensor) -> Tensor:
    """Mean distance () of the best one-to-one matching, from distances (m, n); both sides repeated to equal numbers."""
    m, n = to_outlines.shape
    both = math.lcm(m, n)
    repeated = to_outlines.repeat_interleave(both // m, dim=0).repeat_interleave(both // n, dim=1)
    rows, columns = linear_sum_assignment(repeated.detach().cpu().numpy())
    return repeated[torch.as_tensor(rows), torch.as_tensor(columns)].mean()


def soft_iou(one: Tensor, other: Tensor) -> Tensor:
    """IoU of shares (..., G, G), 0 .. 1; differentiable.

    It is that of multisets, least over greatest share: of equal shares it is 1, even where they are blurred. With products
    instead, blurred samples counted as diverse, and the energy distance got no better than the three candidates'.
    """
    least, greatest = (pick(one, other).sum((-1, -2)) for pick in (torch.minimum, torch.maximum))
    return (least + 1e-3) / (greatest + 1e-3)
