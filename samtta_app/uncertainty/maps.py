"""Where a mask is unsure: the entropy of its probability per pixel, and one number per mask."""

from __future__ import annotations

import torch
from torch import Tensor


def bits(p: Tensor) -> Tensor:
    """Binary entropy of probabilities in bits, 0 .. 1, same shape.

    Source: UncertainSAM (Kaiser et al. 2025), h2(p) = -p log2 p - (1 - p) log2(1 - p), p clipped to [1e-6, 1 - 1e-6].
    """
    p = p.clamp(1e-6, 1 - 1e-6)
    return -(p * p.log2() + (1 - p) * (1 - p).log2())


def mean_bits(p: Tensor, known: Tensor | None = None) -> Tensor:
    """Mean entropy of each map of probabilities, weighted by the probability, 0 .. 1; (..., h, w) -> (...).

    `known` are the `bits` of the map, where they are at hand.

    Source: UncertainSAM, H(p) = sum p h2(p) / sum p.
    """
    p = p.clamp(1e-6, 1 - 1e-6)
    return (p * (bits(p) if known is None else known)).sum(dim=(-2, -1)) / p.sum(dim=(-2, -1))


def entropy(logits: Tensor) -> Tensor:
    """`bits` of sigmoid(logits)."""
    return bits(torch.sigmoid(logits))


def mean_entropy(logits: Tensor, known: Tensor | None = None) -> Tensor:
    """`mean_bits` of sigmoid(logits); `known` is their `entropy`, where it is at hand."""
    return mean_bits(torch.sigmoid(logits), known)
