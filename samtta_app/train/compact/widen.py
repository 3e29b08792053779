"""Widening: a larger model that answers exactly as a trained smaller one, to continue training from there.

Source: Net2WiderNet (Chen, Goodfellow and Shlens 2016, arXiv 1511.05641). Every channel becomes several equal ones, and
its readers divide their weights among them. The shares are random, so that equal channels get different gradients and
diverge. The shares add up to one, so that the answers stay the same.
"""

from __future__ import annotations

import torch
from segment_anything.modeling.transformer import Attention
from torch import Tensor, nn

from samtta_app.model.backbones.compact import CompactSam

UNEVEN = 0.5
"""Maximum relative deviation of a share from an equal one."""


def grow(small: CompactSam, large: CompactSam, seed: int = 0) -> None:
    """Give `large`, in place, weights that answer as `small` does, up to rounding errors.

    Every width of `large` must be a whole multiple of `small`'s. Depth and width of an attention head must be equal.

    Raises:
        ValueError: the sizes do not fit; `large` is unchanged.
    """
    generator = torch.Generator().manual_seed(seed)
    wide = large.state_dict()
    heads = _attention_heads(small, large)
    grown = {}
    for name, tensor in small.state_dict().items():
        if name not in wide or wide[name].ndim != tensor.ndim:
            raise ValueError(f"a model of size {large.config.name} has no {name} like one of size {small.config.name}")
        factors = tuple(b // a if b % a == 0 else 0 for a, b in zip(tensor.shape, wide[name].shape, strict=True))
        if 0 in factors:
            raise ValueError(f"{name}: {tuple(wide[name].shape)} is no multiple of {tuple(tensor.shape)}")
        grown[name] = _grown(name, tensor, factors, _module(small, name), heads, generator)
    if grown.keys() != wide.keys():
        raise ValueError(f"{next(iter(wide.keys() - grown.keys()))} is missing in size {small.config.name}")
    large.load_state_dict(grown)


def _module(model: nn.Module, name: str) -> nn.Module:
    return model.get_submodule(name.rpartition(".")[0])


def _attention_heads(small: CompactSam, large: CompactSam) -> dict[str, int]:
    """Name of every attention -> its heads in the small model.

    Whole heads are repeated, so that each gets the same input as before.
    """
    heads, others = {}, dict(large.named_modules())
    for name, module in small.named_modules():
        if not isinstance(module, Attention):
            continue
        other = others.get(name)
        if not isinstance(other, Attention) or (
            module.internal_dim * other.num_heads != other.internal_dim * module.num_heads
        ):
            raise ValueError(f"{name}: the larger size has none like it, or its heads differ in width")
        heads[name] = module.num_heads
    return heads


def _grown(
    name: str,
    tensor: Tensor,
    factors: tuple[int, ...],
    module: nn.Module,
    heads: dict[str, int],
    generator: torch.Generator,
) -> Tensor:
    """One tensor, with each dimension repeated by its factor; readers of repeated channels share their weights."""
    owner, _, layer = name.rpartition(".")[0].rpartition(".")
    blocks = heads.get(owner, 0)
    inner = 1 if layer == "out_proj" else 0  # the dimension that counts the attention's own channels
    for dimension, factor in enumerate(factors):
        by_head = blocks and dimension == inner and not (layer == "out_proj" and tensor.ndim == 1)
        tensor = _repeated(tensor, dimension, factor, blocks if by_head else tensor.shape[dimension])
    if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)) and tensor.ndim > 1:
        reads = 0 if isinstance(module, nn.ConvTranspose2d) else 1
        tensor = tensor * _shares(tensor, reads, factors[reads], blocks if layer == "out_proj" else 0, generator)
    if "output_hypernetworks_mlps" in owner and layer == "2":  # each mask is a sum over the repeated channels
        tensor = tensor / factors[0]
    return tensor


def _repeated(tensor: Tensor, dimension: int, factor: int, blocks: int) -> Tensor:
    """A dimension in `blocks` equal parts, each repeated `factor` times in a row."""
    parts = _split(tensor, dimension, (blocks, tensor.shape[dimension] // blocks))
    return parts.repeat_interleave(factor, dimension).flatten(dimension, dimension + 1)


def _shares(tensor: Tensor, reads: int, factor: int, blocks: int, generator: torch.Generator) -> Tensor:
    """Random shares with the shape of `tensor`; the copies of one channel, in dimension `reads`, add up to 1."""
    channels = tensor.shape[reads] // factor
    outer, inner = (blocks, channels // blocks) if blocks else (channels, 1)
    drawn = 1 + UNEVEN * (2 * torch.rand(tensor.shape, generator=generator) - 1)
    parts = _split(drawn, reads, (outer, factor, inner))
    return (parts / parts.sum(reads + 1, keepdim=True)).flatten(reads, reads + 2)


def _split(tensor: Tensor, dimension: int, sizes: tuple[int, ...]) -> Tensor:
    return tensor.reshape(*tensor.shape[:dimension], *sizes, *tensor.shape[dimension + 1 :])
