"""SAM's mask decoder over many prompts of one image, without a copy of the image embedding for every prompt.

The stock decoder repeats embedding and position code for each prompt. The transformer broadcasts just as well, so what the
first layer makes of the image alone is computed once. The numbers are the same up to rounding.
"""

from __future__ import annotations

from typing import Any

import torch
from segment_anything.modeling import MaskDecoder
from torch import Tensor, nn
from torch.nn import functional as F

from samtta_app.model.backbones.two_way import two_way

DecodedMasks = tuple[Tensor, Tensor, Tensor]
"""All masks (B, 4, G, G), predicted IoU (B, 4) and tokens (B, 5, C) of B prompts."""


def masks_and_tokens(
    decoder: MaskDecoder, embedding: Tensor, position: Tensor, sparse: Tensor, dense: Tensor
) -> DecodedMasks:
    """All masks (B, 4, G, G), predicted IoU (B, 4) and tokens (B, 5, C) of B prompts.

    Args:
        decoder: the stock decoder.
        embedding: of one image (1, C, S/16, S/16).
        position: the position code of the same shape.
        sparse: embedded clicks and boxes (B, N, C).
        dense: embedded mask prompts (B, C, S/16, S/16); without masks they are one for all, expanded.
    """
    if dense.stride(0) == 0:
        dense = dense[:1]
    own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([own.expand(len(sparse), -1, -1), sparse], dim=1)
    out, image = two_way(decoder.transformer, embedding + dense, position, tokens)
    fine = _upscaled(decoder.output_upscaling, image)
    count = decoder.num_mask_tokens
    networks = enumerate(decoder.output_hypernetworks_mlps)
    weights = torch.stack([network(out[:, 1 + k]) for k, network in networks], dim=1)
    masks = _arranged(weights @ fine.flatten(1, 3).transpose(1, 2), embedding.shape[2:])
    return masks, decoder.iou_prediction_head(out[:, 0]), out[:, : 1 + count]


def _upscaled(upscaling: nn.Sequential, image: Tensor) -> Tensor:
    """Values of the 2 x 2 parts of the 2 x 2 parts of each place, (B, H W, 4, 4, C'), from an image (B, H W, C).

    A transposed convolution of stride 2 whose kernel is 2 wide multiplies each place by a matrix: a product is quicker.
    """
    parts: Any = upscaling
    first, norm, act, second, last = parts
    halves = F.layer_norm(_parts(first, image), norm.weight.shape, norm.weight, norm.bias, norm.eps)
    fine: Tensor = last(_parts(second, act(halves)))
    return fine


def _parts(conv: nn.ConvTranspose2d, x: Tensor) -> Tensor:
    """What a transposed convolution makes of values (..., C): those of the four parts of each, (..., 4, C')."""
    matrix = conv.weight.permute(2, 3, 1, 0).flatten(0, 2)
    bias = None if conv.bias is None else conv.bias.repeat(4)
    return torch.unflatten(F.linear(x, matrix, bias), -1, (4, -1))


def _arranged(values: Tensor, size: torch.Size) -> Tensor:
    """Values (B, m, H W 4 4) of parts of parts as masks (B, m, 4 H, 4 W)."""
    height, width = size
    parts = torch.unflatten(values, 2, (height, width, 2, 2, 4)).permute(0, 1, 6, 2, 4, 3, 5)
    return F.pixel_shuffle(parts.reshape(len(values), -1, 2 * height, 2 * width), 2)
