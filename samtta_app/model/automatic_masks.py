"""Automatic masks of a whole image, by a grid of clicks, as SAM's own generator makes them.

Source: Kirillov et al. 2023, "Segment Anything", appendix B. Each click gives three masks. Those of a high predicted IoU
and stability stay, duplicates go, first in each crop and then between crops. With the weights of an official SAM the
masks are those of `segment_anything.SamAutomaticMaskGenerator`. Empty masks, which it keeps where nothing is filtered,
are never given.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import batched_nms

from samtta_app.core.automatic import AutomaticMask, AutomaticSettings, crops_of, cut_by_crop, grid_points
from samtta_app.core.masks import bounding_box, full, trimmed
from samtta_app.core.types import BoolArray, Box, Click, Image, Mask, Prompt, Window
from samtta_app.model.backbone import Look, SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.mask_judging import judged_masks
from samtta_app.model.predictor import Decoded, ImageFeatures, decoded_points
from samtta_app.model.weights import Tensors

PASS_ON_CPU = 4
"""Clicks of one pass on a processor: what they need fits its caches, so that 64 take half the time.

A waiting click is served sooner, too.
"""


@dataclass(frozen=True, slots=True, eq=False)
class FoundSoFar:
    """Masks of the newest pass that duplicate none found before, and the share of all passes that is done, 0 .. 1."""

    masks: tuple[AutomaticMask, ...]
    share: float


MaskSearch = Generator[FoundSoFar | None, None, tuple[AutomaticMask, ...]]
"""Yields what is found, and None where a more urgent request may be served; returns what stays."""


def automatic_masks(
    model: SamModel,
    cache: FeatureCache,
    tensors: Tensors,
    image: Image,
    settings: AutomaticSettings,
    prompt: Prompt | None = None,
    looks: Sequence[Look] = (),
    worth: Callable[[ImageFeatures, NDArray[np.float64]], NDArray[np.bool_]] | None = None,
) -> MaskSearch:
    """Find masks everywhere in an image.

    Args:
        tensors: the decoder weights that answer.
        prompt: names the class, for its task prompt.
        looks: those of accepted objects.
        worth: says which points (N, 2) of a crop are asked, None for all.
    """
    extent = image.whole
    crops = list(crops_of(extent, settings))
    total, done = sum(settings.points_in(layer) ** 2 for _, layer in crops), 0
    found: list[AutomaticMask] = []
    for window, layer in crops:
        features = yield from cache.features(image, window)
        points = grid_points(window, settings.points_in(layer))
        every = len(points)
        points = points if worth is None else points[worth(features, points)]
        done += every - len(points)
        own: list[AutomaticMask] = []
        step = clicks_of_a_pass(model, settings)
        for start in range(0, len(points), step):
            xy = points[start : start + step]
            decoded = decoded_points(model, tensors, features, torch.from_numpy(xy), prompt or Prompt(), looks)
            new = _kept(model, features, decoded, xy, settings, extent)
            done += len(xy)
            yield FoundSoFar(_fresh(new, [*found, *own], settings.box_nms), done / total)
            own += new
        found += [own[k] for k in _distinct(own, [each.predicted_iou for each in own], settings.box_nms)]
    if len(crops) > 1:
        areas = torch.tensor([each.window.width * each.window.height for each in found])
        found = [found[k] for k in _distinct(found, 1 / areas, settings.crop_nms)]
    if settings.least_region:
        yield None
        found = _tidied(found, settings, extent)
    return tuple(found)


def clicks_of_a_pass(model: SamModel, settings: AutomaticSettings) -> int:
    """How many clicks are decoded at once."""
    most = settings.points_per_batch
    return min(most, PASS_ON_CPU) if model.device.type == "cpu" else most


def _kept(
    model: SamModel,
    features: ImageFeatures,
    decoded: Decoded,
    xy: NDArray[np.float64],
    settings: AutomaticSettings,
    extent: Window,
) -> list[AutomaticMask]:
    """The masks of one pass, (B, 4, G, G) logits and (B, 4) predicted IoU, that are within the limits."""
    logits, iou = decoded.logits[:, 1:].flatten(0, 1), decoded.iou[:, 1:].flatten()
    sure = torch.arange(len(iou), device=iou.device)
    if settings.pred_iou > 0:
        sure = torch.nonzero(iou > settings.pred_iou).flatten()
    seen = judged_masks(features, logits[sure], settings.stability_offset)
    stable = torch.tensor([each.stability for each in seen]) >= settings.stability
    moved, most = (0.5 if model.policy.pixel_centres else 0.0), settings.largest * extent.width * extent.height
    kept = []
    for k, (mask, stability), enough, said in zip(
        sure.tolist(), seen, stable.tolist(), iou[sure].tolist(), strict=True
    ):
        box = bounding_box(mask)
        if box is None or not (enough or settings.stability <= 0):
            continue
        if mask.area <= most and settings.least_side <= max(mask.bits.shape) <= settings.most_side:
            x, y = (float(v) - moved for v in xy[k // 3])
            kept.append(AutomaticMask(mask, box, said, stability, Click(x, y, True), features.window))
    cut = cut_by_crop(_corners(kept), features.window, extent)
    return [each for each, is_cut in zip(kept, cut, strict=True) if not is_cut]


def _corners(masks: Sequence[AutomaticMask]) -> NDArray[np.int64]:
    """First and last column and row of each mask (N, 4)."""
    boxes = [(each.box.x0, each.box.y0, each.box.x1, each.box.y1) for each in masks]
    return np.array(boxes, dtype=np.int64).reshape(-1, 4)


def _distinct(masks: Sequence[AutomaticMask], scores: Sequence[float] | Tensor, threshold: float) -> list[int]:
    """Which masks stay of those whose boxes overlap more than the threshold, highest score first."""
    boxes = torch.from_numpy(_corners(masks)).float()
    ranks = torch.as_tensor(scores, dtype=torch.float32)
    return list(batched_nms(boxes, ranks, torch.zeros(len(masks)), threshold).tolist())


def _fresh(new: Sequence[AutomaticMask], known: Sequence[AutomaticMask], threshold: float) -> tuple[AutomaticMask, ...]:
    """The new masks that duplicate no known one, each object once."""
    scores = [3.0 if k < len(known) else each.predicted_iou for k, each in enumerate((*known, *new))]
    every = [*known, *new]
    return tuple(every[k] for k in sorted(_distinct(every, scores, threshold)) if k >= len(known))


# --- holes and islands ------------------------------------------------------------------------------------------------


def _tidied(found: Sequence[AutomaticMask], settings: AutomaticSettings, extent: Window) -> list[AutomaticMask]:
    """Masks without small holes and islands; of duplicates that this makes, one that did not change stays."""
    if not found:
        return []
    bits = [full(each.mask, extent.height, extent.width) for each in found]
    cleaned = [without_islands(without_holes(each, settings.least_region), settings.least_region) for each in bits]
    same = [one is other for one, other in zip(bits, cleaned, strict=True)]
    after = [
        each if unchanged else _with_mask(each, trimmed(now))
        for each, now, unchanged in zip(found, cleaned, same, strict=True)
    ]
    threshold = max(settings.box_nms, settings.crop_nms)
    return [after[k] for k in _distinct(after, [float(unchanged) for unchanged in same], threshold)]


def _with_mask(found: AutomaticMask, mask: Mask) -> AutomaticMask:
    box = bounding_box(mask)
    return replace(found, mask=mask, box=box or Box(mask.x, mask.y, mask.x, mask.y))


def without_holes(bits: BoolArray, least: int) -> BoolArray:
    """The bits with every 8-connected hole of fewer than `least` pixels filled; the same array where there is none."""
    labels, sizes = _parts(~bits)
    small = sizes < least
    small[0] = False
    return bits | small[labels] if small.any() else bits


def without_islands(bits: BoolArray, least: int) -> BoolArray:
    """The bits without 8-connected parts of fewer than `least` pixels, or the largest alone where all are small.

    The same array where no part is small.
    """
    labels, sizes = _parts(bits)
    kept = sizes >= least
    kept[0] = False
    if kept[1:].all():
        return bits
    if not kept.any():
        kept[1 + int(sizes[1:].argmax())] = True
    return np.asarray(kept[labels])


def _parts(bits: BoolArray) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The number of each pixel's part (H, W), 0 for the rest, and the pixels of each."""
    _, labels, figures, _ = cv2.connectedComponentsWithStats(bits.astype(np.uint8), connectivity=8)
    return np.asarray(labels, np.int32), np.asarray(figures[:, cv2.CC_STAT_AREA], np.int64)
