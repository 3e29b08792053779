"""SAM's two-way transformer with the same answer for less work: a few tokens never have the image projected for them.

Attention between tokens and N places of the image multiplies q W k. The stock code projects all N places first. For a few
tokens (q W) k takes less. So does W (a v) for what is taken from the image.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from segment_anything.modeling.transformer import Attention
from torch import Tensor, nn


def two_way(transformer: nn.Module, embedding: Tensor, position: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens (B, T, C) and image (B, H W, C) after the transformer, as its forward gives them up to rounding.

    Args:
        transformer: the stock `TwoWayTransformer`; its parameters may be replaced by `functional_call`.
        embedding: one image for all (1, C, H, W), or one for each of B prompts.
        position: the position code of the same shape, or one for all.
        tokens: embedded prompts (B, T, C).
    """
    image, places = (maps.flatten(2).transpose(1, 2).contiguous() for maps in (embedding, position))
    queries = tokens
    parts: Any = transformer
    for layer in parts.layers:
        if layer.skip_first_layer_pe:
            queries = layer.self_attn(q=queries, k=queries, v=queries)
        else:
            q = queries + tokens
            queries = queries + layer.self_attn(q=q, k=q, v=queries)
        queries, placed = layer.norm1(queries), image + places
        queries = layer.norm2(queries + _from_image(layer.cross_attn_token_to_image, queries + tokens, placed, image))
        queries = layer.norm3(queries + layer.mlp(queries))
        image = layer.norm4(image + _from_tokens(layer.cross_attn_image_to_token, placed, queries + tokens, queries))
    taken = _from_image(parts.final_attn_token_to_image, queries + tokens, image + places, image)
    return parts.norm_final_attn(queries + taken), image


def _from_image(attn: Attention, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """What tokens q (B, T, C) take from an image k, v (B or 1, N, C)."""
    if not _few(attn, q):
        found: Tensor = attn(q=q, k=k, v=v)
        return found
    weights = _scores(attn, attn.q_proj(q), attn.k_proj, k).softmax(-1)
    taken = torch.unflatten(_product(weights, v), 1, (attn.num_heads, -1))
    heads = torch.unflatten(attn.v_proj.weight, 0, (attn.num_heads, -1))
    out = torch.einsum("bhtc,hdc->bthd", taken, heads).flatten(2) + attn.v_proj.bias
    projected: Tensor = attn.out_proj(out)
    return projected


def _from_tokens(attn: Attention, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """What an image q (B or 1, N, C) takes from tokens k, v (B, T, C)."""
    if not _few(attn, k):
        found: Tensor = attn(q=q, k=k, v=v)
        return found
    scores = _scores(attn, attn.k_proj(k), attn.q_proj, q)
    weights = torch.unflatten(scores, 1, (attn.num_heads, -1)).softmax(2).flatten(1, 2)
    heads = torch.unflatten(attn.out_proj.weight, 1, (attn.num_heads, -1))
    values = torch.unflatten(attn.v_proj(v), 2, (attn.num_heads, -1))
    given = torch.einsum("bthd,chd->bhtc", values, heads).flatten(1, 2)
    given = given + attn.out_proj.bias / attn.num_heads  # the weights of each head add up to 1
    return weights.transpose(1, 2) @ given


def _few(attn: Attention, tokens: Tensor) -> bool:
    """Whether all heads of all tokens are fewer than the values of a projection."""
    return tokens.shape[1] * attn.num_heads < attn.internal_dim


def _scores(attn: Attention, tokens: Tensor, projection: nn.Linear, image: Tensor) -> Tensor:
    """Scaled products, by head, of projected tokens (B, T, D) with places that are yet to be projected: (B, heads T, N)."""
    bias = _folded(attn, tokens, projection.bias[:, None])
    return _product(_folded(attn, tokens, projection.weight), image.transpose(1, 2)) + bias


def _folded(attn: Attention, tokens: Tensor, weight: Tensor) -> Tensor:
    """Projected tokens (B, T, D) times a projection (D, C), by head and scaled: (B, heads T, C)."""
    heads = torch.unflatten(tokens, 2, (attn.num_heads, -1)) / math.sqrt(attn.internal_dim // attn.num_heads)
    return torch.einsum("bthd,hdc->bhtc", heads, torch.unflatten(weight, 0, (attn.num_heads, -1))).flatten(1, 2)


def _product(many: Tensor, shared: Tensor) -> Tensor:
    """Matrix products of B matrices with one each, or with one for all, which is not copied."""
    return (
        many @ shared
        if len(shared) > 1 or len(many) == 1
        else torch.unflatten(many.flatten(0, 1) @ shared[0], 0, many.shape[:2])
    )
