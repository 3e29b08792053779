"""From low-resolution logits to masks in image pixels: only the mask's own box is interpolated, not the whole window."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.masks import trimmed
from samtta_app.core.types import Mask, Window
from samtta_app.model.backbone import SamModel
from samtta_app.model.predictor import ImageFeatures

STRIP = 2**21
"""Values that are interpolated at a time: a mask over a window of 6,000 pixels would take 144 MB at once."""


def placed(model: SamModel, logits: Tensor, features: ImageFeatures) -> tuple[Mask, ...]:
    """The masks of low-resolution logits (m, G, G), as `upscaled(...) > 0` gives them.

    Bilinear interpolation lies between its four neighbours: a pixel is of the object only near a cell that is. Along one
    axis after the other it gives the same but for rounding (some 1e-6 of a logit).
    """
    with torch.no_grad():
        x = F.interpolate(logits[None].float(), (model.size, model.size), mode="bilinear", align_corners=False)[0]
        return placed_fine(x, features)


def placed_fine(logits: Tensor, features: ImageFeatures) -> tuple[Mask, ...]:
    """The masks of logits (m, S, S) at the input's resolution."""
    height, width = features.valid
    with torch.no_grad():
        return tuple(_placed(layer[:height, :width], features.window) for layer in logits)


def _placed(layer: Tensor, window: Window) -> Mask:
    """The mask of logits (h, w) that show `window`."""
    inside = layer > 0
    rows, columns = (np.flatnonzero(inside.any(dim=axis).cpu().numpy()) for axis in (1, 0))
    if not rows.size:
        return trimmed(np.zeros((1, 1), dtype=np.bool_), window.x, window.y)
    top, bottom = _reach(rows, layer.shape[0], window.height)
    left, right = _reach(columns, layer.shape[1], window.width)
    wide = F.interpolate(layer[None], window.width, mode="linear", align_corners=False)[0, :, left:right]
    bits = np.empty((bottom - top, right - left), dtype=np.bool_)
    step = max(STRIP // window.height, 1)
    for at in range(0, right - left, step):
        part = wide[:, at : at + step].T[None]
        tall = F.interpolate(part, window.height, mode="linear", align_corners=False)[0, :, top:bottom]
        bits[:, at : at + step] = (tall > 0).T.cpu().numpy()
    return trimmed(bits, window.x + left, window.y + top)


def _reach(cells: np.ndarray[tuple[int, ...], np.dtype[np.intp]], before: int, after: int) -> tuple[int, int]:
    """The pixels (from, up to) of `after` that the interpolation of `before` cells makes from any of `cells`."""
    ratio = after / before
    first = math.floor((int(cells[0]) - 0.5) * ratio - 0.5)
    last = math.ceil((int(cells[-1]) + 1.5) * ratio - 0.5)
    return max(first, 0), min(last + 1, after)
