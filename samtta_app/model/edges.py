"""Edges of everything in an image, from the outlines of automatic masks.

Source: Kirillov et al. 2023, "Segment Anything", section 7.2 and appendix D.2: 16 x 16 clicks give 768 masks, duplicates go,
and the strongest outline counts at each pixel. There is no filter and no training on edges.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import nms

from samtta_app.core.automatic import AutomaticSettings, grid_points
from samtta_app.core.edge_maps import EdgeMap
from samtta_app.core.masks import bounding_box
from samtta_app.core.types import FloatArray, Image, Prompt
from samtta_app.model.automatic_masks import clicks_of_a_pass
from samtta_app.model.backbone import Look, SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.mask_judging import judged_masks
from samtta_app.model.predictor import ImageFeatures, decoded_points, upscaled
from samtta_app.model.weights import Tensors


def edges_of(
    model: SamModel,
    cache: FeatureCache,
    tensors: Tensors,
    image: Image,
    settings: AutomaticSettings,
    looks: Sequence[Look] = (),
) -> Generator[float | None, None, tuple[FloatArray, int]]:
    """The strength of edges (H, W), 0 .. 1, thin, and the number of masks that they are of.

    Yields the share of the work that is done, and None where a more urgent request may be served. Crops and the filters of
    `settings` are not used; a predicted IoU above 0 and a stability are, where they are asked for.
    """
    features = yield from cache.features(image, image.whole)
    points = grid_points(image.whole, settings.points_per_side)
    step = clicks_of_a_pass(model, settings)
    logits: list[Tensor] = []
    scores: list[float] = []
    boxes: list[list[float]] = []
    for start in range(0, len(points), step):
        xy = torch.from_numpy(points[start : start + step])
        decoded = decoded_points(model, tensors, features, xy, Prompt(), looks)
        layers, iou = decoded.logits[:, 1:].flatten(0, 1), decoded.iou[:, 1:].flatten().tolist()
        for layer, said, judged in zip(
            layers, iou, judged_masks(features, layers, settings.stability_offset), strict=True
        ):
            box = bounding_box(judged.mask)
            unsure = settings.pred_iou > 0 and said <= settings.pred_iou
            if box is None or unsure or judged.stability < settings.stability:
                continue
            logits.append(layer)
            scores.append(said)
            boxes.append([box.x0, box.y0, box.x1, box.y1])
        yield 0.8 * min((start + step) / len(points), 1.0)
    kept = nms(torch.tensor(boxes).reshape(-1, 4).float(), torch.tensor(scores), settings.box_nms).tolist()
    found = EdgeMap.empty(image.height, image.width)
    for done, k in enumerate(kept):
        found.add(_probability(model, features, logits[k]))
        yield 0.8 + 0.2 * done / len(kept)
    return found.thinned(), len(kept)


@torch.no_grad()
def _probability(model: SamModel, features: ImageFeatures, logits: Tensor) -> FloatArray:
    """The probability of a mask in image pixels (H, W)."""
    return np.asarray(upscaled(model, logits[None], features)[0].sigmoid().cpu().numpy(), np.float32)
