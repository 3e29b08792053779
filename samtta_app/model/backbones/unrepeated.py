"""SAM's mask decoder over many prompts of one image, without a copy of the image embedding for every prompt.

The stock decoder repeats embedding and position code for each prompt. Its transformer broadcasts just as well, so the
keys, values and queries of the image in the first layer are computed once. The numbers are the same, bit by bit.
"""

from __future__ import annotations

import torch
from segment_anything.modeling import MaskDecoder
from torch import Tensor

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
    out, image = decoder.transformer(embedding + dense, position, tokens)
    grid = image.transpose(1, 2).reshape(len(sparse), -1, *embedding.shape[2:])
    upscaled = decoder.output_upscaling(grid)
    count = decoder.num_mask_tokens
    networks = enumerate(decoder.output_hypernetworks_mlps)
    weights = torch.stack([network(out[:, 1 + k]) for k, network in networks], dim=1)
    masks = (weights @ upscaled.flatten(2)).unflatten(2, upscaled.shape[2:])
    return masks, decoder.iou_prediction_head(out[:, 0]), out[:, : 1 + count]
