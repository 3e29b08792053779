"""SAM's own modules at a smaller size with random weights, and the official predictor on them: what speed is compared with."""

from __future__ import annotations

from functools import partial
from typing import cast

import torch
from segment_anything import SamPredictor as SamPredictor  # bench imports this name, and must not import torch
from segment_anything.modeling import ImageEncoderViT
from torch import nn

from samtta_app.model.backbone import SamModel, built_model
from samtta_app.model.backbones.sam import OfficialSam, sam_about


def stock_model(*, width: int = 192, depth: int = 4, size: int = 1024, seed: int = 0) -> SamModel:
    """Official architecture with a narrower, shallower encoder; prompt encoder and mask decoder are SAM's, in full size."""
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    encoder = ImageEncoderViT(
        depth=depth,
        embed_dim=width,
        img_size=size,
        mlp_ratio=4,
        norm_layer=cast(type[nn.Module], partial(nn.LayerNorm, eps=1e-6)),
        num_heads=width // 64,
        patch_size=16,
        qkv_bias=True,
        use_rel_pos=True,
        global_attn_indexes=(depth // 2 - 1, depth - 1),
        window_size=14,
        out_chans=256,
    )
    net = sam_about(encoder, size=size)
    torch.random.set_rng_state(state)
    return built_model(f"stock-{width}x{depth}", OfficialSam(net), size)


def official_predictor(model: SamModel) -> SamPredictor:
    """`segment_anything.SamPredictor` on the same weights.

    Raises:
        TypeError: the model is not of SAM's own architecture.
    """
    if not isinstance(model.backbone, OfficialSam):
        raise TypeError("the official predictor runs SAM's own architecture only")
    return SamPredictor(model.backbone.net)
