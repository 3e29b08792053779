"""HQ-SAM's and SAM 2's own modules at toy size with random weights, for tests of what every backbone promises."""

from __future__ import annotations

import torch
from torch import nn

from samtta_app.model.backbones.hq import HqMaskDecoder, HqSam
from samtta_app.model.backbones.sam import toy_sam
from samtta_app.model.backbones.sam_two import SamTwo


def toy_hq() -> HqSam:
    """A ViT of one block and HQ-SAM's decoder, 32 values wide, for inputs of 64 pixels."""
    net = toy_sam()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net.mask_decoder = HqMaskDecoder(32, width=32, depth=1, mlp=32)
    return HqSam(net)


def toy_sam_two() -> SamTwo:
    """A Hiera of five blocks and SAM 2's heads, 32 values wide, for inputs of 64 pixels; no memory."""
    from sam2.modeling.backbones.hieradet import Hiera
    from sam2.modeling.backbones.image_encoder import FpnNeck, ImageEncoder
    from sam2.modeling.position_encoding import PositionEmbeddingSine
    from sam2.modeling.sam2_base import SAM2Base

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        trunk = Hiera(embed_dim=8, num_heads=1, stages=(1, 1, 2, 1), global_att_blocks=(3,))
        neck = FpnNeck(
            PositionEmbeddingSine(32), 32, [64, 32, 16, 8], fpn_interp_model="nearest", fpn_top_down_levels=[2, 3]
        )
        net = SAM2Base(
            ImageEncoder(trunk, neck, scalp=1),
            nn.Identity(),
            nn.Identity(),
            image_size=64,
            directly_add_no_mem_embed=True,
            use_high_res_features_in_sam=True,
            iou_prediction_use_sigmoid=True,
            pred_obj_scores=True,
            pred_obj_scores_mlp=True,
            sam_mask_decoder_extra_args={"dynamic_multimask_via_stability": True},
        )
        return SamTwo(net.eval())
