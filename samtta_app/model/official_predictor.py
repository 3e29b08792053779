"""SAM's own modules at a smaller size with random weights, and the official predictor on them: what speed is compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything import SamAutomaticMaskGenerator, sam_model_registry
from segment_anything import SamPredictor as SamPredictor  # bench imports this name, and must not import torch
from segment_anything.modeling import ImageEncoderViT, Sam
from torch import nn

from samtta_app.core.automatic import AutomaticSettings
from samtta_app.model.backbone import SamModel as SamModel  # bench imports this name as well
from samtta_app.model.backbone import built_model
from samtta_app.model.backbones.sam import OfficialSam, sam_about


def stock_model(*, width: int = 192, depth: int = 4, size: int = 1024, seed: int = 0) -> SamModel:
    """Official architecture with a narrower, shallower encoder; prompt encoder and mask decoder are SAM's, in full size.

    Crumbs and pinholes stay, as in `open_engine`: the official predictor leaves them too.
    """
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
    return replace(built_model(f"stock-{width}x{depth}", OfficialSam(net), size), tidy=False)


def random_official(name: str, seed: int = 0) -> SamModel:
    """Official SAM "vit_b", "vit_l" or "vit_h" in full size with random weights, whose time is that of the trained one.

    Raises:
        KeyError: there is no such SAM.
    """
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    net = cast(Callable[[], Sam], sam_model_registry[name])()
    torch.random.set_rng_state(state)
    return replace(built_model(name, OfficialSam(net), 1024), tidy=False)


def official_predictor(model: SamModel) -> SamPredictor:
    """`segment_anything.SamPredictor` on the same weights.

    Raises:
        TypeError: the model is not of SAM's own architecture.
    """
    if not isinstance(model.backbone, OfficialSam):
        raise TypeError("the official predictor runs SAM's own architecture only")
    return SamPredictor(model.backbone.net)


class _Encoded(SamPredictor):
    """The official predictor, which keeps the embedding of another one's image, so that encoding is left out of a timing."""

    def __init__(self, encoded: SamPredictor) -> None:
        self.__dict__ |= vars(encoded)

    def set_image(self, image: NDArray[np.uint8], image_format: str = "RGB") -> None:
        """Encode nothing."""

    def reset_image(self) -> None:
        """Forget nothing."""


def official_generator(
    predictor: SamPredictor, settings: AutomaticSettings
) -> Callable[[NDArray[np.uint8]], list[dict[str, Any]]]:
    """`segment_anything.SamAutomaticMaskGenerator` for the image that the predictor has encoded; crops are not used."""
    generator = SamAutomaticMaskGenerator(
        predictor.model,
        points_per_side=settings.points_per_side,
        points_per_batch=settings.points_per_batch,
        pred_iou_thresh=settings.pred_iou,
        stability_score_thresh=settings.stability,
        stability_score_offset=settings.stability_offset,
        box_nms_thresh=settings.box_nms,
        min_mask_region_area=settings.least_region,
    )
    generator.predictor = _Encoded(predictor)
    return generator.generate
