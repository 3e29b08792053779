"""TinyViT, the encoder of MobileSAM and of the smallest HQ-SAM, on timm's blocks under the names of their files.

Source: Zhang et al. 2023, "Faster Segment Anything" (MobileSAM), and Wu et al. 2022, "TinyViT". It is timm's
`tiny_vit_5m_224` at 1024 pixels whose last stage keeps the resolution of the one before, with the neck of SAM's encoder.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any, cast

import torch
from segment_anything.modeling.common import LayerNorm2d
from timm.models.tiny_vit import TinyVit  # not by its name in timm's registry: MobileSAM's package puts its own there
from torch import Tensor, nn

_WIDTHS, _OUT = (64, 128, 160, 320), 256

EARLY_WIDTH = _WIDTHS[2]
"""Channels of the features after the second stage, which HQ-SAM reads."""

_RULES = (
    (r"^trunk\.patch_embed\.conv1\.", "patch_embed.seq.0."),
    (r"^trunk\.patch_embed\.conv2\.", "patch_embed.seq.2."),
    (r"^trunk\.stages\.1\.downsample\.", "layers.0.downsample."),  # timm counts it to the stage that it begins
    (r"^trunk\.stages\.2\.downsample\.", "layers.1.downsample."),
    (r"^trunk\.stages\.3\.downsample\.", "layers.2.downsample."),
    (r"^trunk\.stages\.", "layers."),
    (r"^trunk\.head\.norm\.", "norm_head."),
    (r"^trunk\.head\.fc\.", "head."),
    (r"\.conv\.weight$", ".c.weight"),
)


class TinyEncoder(nn.Module):
    """The encoder for inputs of `size` pixels; random weights, the classifier's too, which files hold and nothing uses."""

    def __init__(self, size: int = 1024) -> None:
        super().__init__()
        self.img_size = size
        sizes = {"embed_dims": _WIDTHS, "num_heads": (2, 4, 5, 10), "window_sizes": (7, 7, 14, 7)}
        self.trunk = cast(Any, TinyVit)(**sizes, drop_path_rate=0.0)
        self.trunk.stages[3].downsample.conv2.conv.stride = (1, 1)
        self.neck = nn.Sequential(
            nn.Conv2d(_WIDTHS[-1], _OUT, 1, bias=False),
            LayerNorm2d(_OUT),
            nn.Conv2d(_OUT, _OUT, 3, padding=1, bias=False),
            LayerNorm2d(_OUT),
        )

    def steps(self, x: Tensor) -> Generator[None, None, tuple[Tensor, Tensor]]:
        """Encode (1, 3, S, S) without gradient: embedding (1, 256, S/16, S/16) and early features (1, 160, S/16, S/16).

        It yields before every block, so that a click never waits for more than one.
        """
        early, channels_last = x, (0, 2, 3, 1)
        with torch.no_grad():
            x = self.trunk.patch_embed(x)
        for number, stage in enumerate(self.trunk.stages):
            if number:
                yield
                with torch.no_grad():
                    x = stage.downsample(x)
                    early = x if number == 2 else early
                    x = x.permute(channels_last)
            for block in stage.blocks:
                yield
                with torch.no_grad():
                    x = block(x)
            x = x.permute(0, 3, 1, 2) if number else x
        yield
        with torch.no_grad():
            return cast(Tensor, self.neck(x)), early

    def forward(self, x: Tensor) -> Tensor:
        """The embedding alone, in one step: what SAM's own predictor asks for."""
        work = self.steps(x)
        while True:
            try:
                next(work)
            except StopIteration as finished:
                embedding: Tensor = finished.value[0]
                return embedding


def tiny_name(name: str) -> str:
    """What MobileSAM's files call a tensor of the encoder."""
    for rule, official in _RULES:
        name = re.sub(rule, official, name)
    return name
