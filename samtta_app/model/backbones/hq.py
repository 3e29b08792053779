"""HQ-SAM: SAM with one more token, whose mask is drawn on early features of the encoder and added to SAM's masks.

Source: Ke et al. 2023, "Segment Anything in High Quality". The predictor gives the sum of a mask of SAM and the HQ mask,
SAM's single mask or the candidate of the highest predicted IoU. Here each of the four masks has the HQ mask added.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from segment_anything.modeling import MaskDecoder, TwoWayTransformer
from segment_anything.modeling.common import LayerNorm2d
from segment_anything.modeling.mask_decoder import MLP
from torch import Tensor, nn

from samtta_app.model.backbones.sam import OfficialSam
from samtta_app.model.backbones.two_way import two_way
from samtta_app.model.backbones.unrepeated import DecodedMasks


class HqMaskDecoder(MaskDecoder):
    """SAM's decoder with the HQ token; `early_width` is the width of the early features."""

    def __init__(self, early_width: int, width: int = 256, depth: int = 2, mlp: int = 2048) -> None:
        transformer = TwoWayTransformer(depth=depth, embedding_dim=width, num_heads=8, mlp_dim=mlp)
        super().__init__(transformer_dim=width, transformer=transformer)
        self.early_width, fine = early_width, width // 8
        self.hf_token = nn.Embedding(1, width)
        self.hf_mlp = MLP(width, width, fine, 3)
        self.compress_vit_feat = _finer(early_width, width, fine)
        self.embedding_encoder = _finer(width, width // 4, fine)
        self.embedding_maskfeature = nn.Sequential(
            nn.Conv2d(fine, width // 4, 3, padding=1),
            LayerNorm2d(width // 4),
            nn.GELU(),
            nn.Conv2d(width // 4, fine, 3, padding=1),
        )

    def with_hq_mask(
        self, embedding: Tensor, positions: Tensor, sparse: Tensor, dense: Tensor, early: Tensor
    ) -> DecodedMasks:
        """Decode B prompts for one embedding; each of the four masks has the HQ mask added."""
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight, self.hf_token.weight])
        tokens = torch.cat([own.expand(len(sparse), -1, -1), sparse], dim=1)
        maps = embedding + dense
        out, maps_out = two_way(self.transformer, maps, positions, tokens)
        fine = self.output_upscaling(maps_out.transpose(1, 2).reshape(maps.shape))
        hq_fine = self.embedding_maskfeature(fine) + self.embedding_encoder(embedding) + self.compress_vit_feat(early)
        last = 1 + self.num_mask_tokens
        weights = [mlp(out[:, 1 + k]) for k, mlp in enumerate(self.output_hypernetworks_mlps)]
        plain = torch.einsum("bmc,bchw->bmhw", torch.stack(weights, dim=1), fine)
        hq = torch.einsum("bc,bchw->bhw", self.hf_mlp(out[:, last]), hq_fine)
        return plain + hq[:, None], self.iou_prediction_head(out[:, 0]), out[:, :last]


@dataclass(frozen=True, slots=True, eq=False)
class HqSam(OfficialSam):
    """HQ-SAM as a backbone; its one skip is the early features (1, E, 64, 64) of the encoder."""

    decoded: ClassVar[Callable[..., DecodedMasks]] = staticmethod(HqMaskDecoder.with_hq_mask)

    def seen_early(self, early: Tensor) -> tuple[Tensor, ...]:
        """The early features are kept."""
        return (early,)

    def further_inputs(self, skips: Sequence[Tensor], embedding: Tensor) -> tuple[Tensor, ...]:
        """The early features; zeros where a model is tried without an image."""
        if skips:
            return tuple(skips)
        decoder = self.net.mask_decoder
        assert isinstance(decoder, HqMaskDecoder)
        return (embedding.new_zeros(1, decoder.early_width, *embedding.shape[2:]),)


def _finer(width: int, middle: int, out: int) -> nn.Sequential:
    """Features in four times the resolution: that of the logits."""
    return nn.Sequential(
        nn.ConvTranspose2d(width, middle, 2, stride=2),
        LayerNorm2d(middle),
        nn.GELU(),
        nn.ConvTranspose2d(middle, out, 2, stride=2),
    )
