"""Low-rank adaptation (LoRA, Hu et al. 2021) of the attention projections in the mask decoder's transformer."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from samtta_app.model.weights import Tensors

PROJECTIONS = re.compile(r"transformer\..*\.[qkv]_proj\.weight")
"""Names of the adapted weights (out, in): query, key and value of every attention.

SAM and the compact decoder both use these names.
"""


def new_factors(tensors: Tensors, rank: int, rng: np.random.Generator) -> dict[str, Tensor]:
    """Fresh factors for every adapted weight (out, in).

    "NAME.A" (rank, in) is uniform in +-1/sqrt(in); "NAME.B" (out, rank) is zero. The product B A is therefore zero, and
    the merged weights are the original ones.

    Raises:
        ValueError: `rank` is not positive, or `tensors` hold no projection.
    """
    names = [name for name in tensors if PROJECTIONS.fullmatch(name)]
    if rank < 1 or not names:
        raise ValueError(f"no factors of rank {rank} for {len(names)} projections")
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    factors: dict[str, Tensor] = {}
    for name in names:
        weight = tensors[name]
        a = torch.empty(rank, weight.shape[1])
        nn.init.kaiming_uniform_(a, a=5**0.5, generator=generator)
        factors[f"{name}.A"] = a.to(weight)
        factors[f"{name}.B"] = weight.new_zeros(weight.shape[0], rank)
    return factors


def merged_lora(tensors: Tensors, factors: Mapping[str, Tensor], scale: float) -> dict[str, Tensor]:
    """All `tensors`, with `scale` B A added to the adapted ones; differentiable in the factors."""
    names = [key.removesuffix(".A") for key in factors if key.endswith(".A")]
    changed = {name: tensors[name] + scale * (factors[f"{name}.B"] @ factors[f"{name}.A"]) for name in names}
    return {**tensors, **changed}
