"""What a mask looks like on the decoder's grid, in a few numbers that mean the same in every image.

A selector of answers reads them. More were tried on 20 sets that the model never saw, and chose no better. They were
colours and features on both sides of the outline, the mask's form, and its agreement with the other masks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from samtta_app.core.masks import distances
from samtta_app.core.types import BoolArray, FloatArray, Prompt, Window
from samtta_app.model.backbone import SamModel
from samtta_app.model.predictor import ImageFeatures, logits_in_window, to_input

FEATURES = (
    *("iou", "iou_in_window", "iou_of_all", "token_0", "token_1", "token_2", "token_3"),
    *("window", "in_window", "in_image", "cut", "expected", "expecting"),
    *("stable", "inside", "outside", "clicks", "before", "obeyed", "depth"),
)
"""Names of the numbers, in order. Relations of sides are logarithms of base 2.

iou is predicted. iou_in_window and iou_of_all are what it lacks to the best of its window, and of all.

token_k is 1 for the k-th of the four masks.

window is the window's side over the image's. in_window and in_image are the root of the mask's area over both sides.

cut is 1 where the mask ends at a border of the window that is not the image's.

expected is the root of the area over the expected side. expecting is 1 where a side is expected.

stable is the number of cells above +1 over that above -1. inside and outside are mean probabilities within the mask and
just outside.

clicks is their number, before the IoU with the answer before, obeyed the share of clicks on the right side.

depth says how deep the newest click lies in the mask, 0 .. 1.
"""

_RIM = 0.15
"""Width of the rim just outside a mask, in roots of its area."""


def described(
    model: SamModel,
    windows: Sequence[ImageFeatures],
    logits: Tensor,
    iou: Tensor,
    prompt: Prompt,
    extent: Window,
    side: float | None,
) -> FloatArray:
    """The FEATURES of every mask, (w * 4, F) float32; a row of nan where a mask is empty on the grid.

    Args:
        windows: features of the w windows in which the prompt was answered.
        logits: (w, 4, G, G), the masks of each window.
        iou: (w, 4) predicted.
        prompt: what was asked; its logits are those of the answer before.
        extent: the whole image.
        side: of objects that are expected, in pixels.
    """
    values, said = logits.float().cpu().numpy(), iou.float().cpu().numpy()
    rows = np.full((*said.shape, len(FEATURES)), np.nan, np.float32)
    for w, features in enumerate(windows):
        height, width = (math.ceil(length * model.grid / model.size) for length in features.valid)
        places = _cells(model, features, prompt, height, width)
        before = None
        if prompt.logits is not None:
            before = (logits_in_window(prompt.logits, features.window, model.grid)[0, 0] > 0).numpy()[:height, :width]
        for token in range(said.shape[1]):
            mask = values[w, token, :height, :width]
            if not (mask > 0).any():
                continue
            rows[w, token] = (
                *(said[w, token], said[w, token] - said[w].max(), said[w, token] - said.max()),
                *(float(token == k) for k in range(4)),
                *_place(mask > 0, features.window, extent, model.grid, side),
                *_certainty(mask),
                *(float(len(prompt.clicks)), 0.0 if before is None else _overlap(mask > 0, before)),
                *_clicked(mask > 0, places),
            )
    return rows.reshape(-1, len(FEATURES))


def _cells(
    model: SamModel, features: ImageFeatures, prompt: Prompt, height: int, width: int
) -> list[tuple[int, int, bool]]:
    """Column, row and sign of every click on the window's grid."""
    if not prompt.clicks:
        return []
    xy = torch.tensor([[click.x, click.y] for click in prompt.clicks], dtype=torch.float32)
    cells = ((to_input(model, features.window, features.valid, xy) + 0.5) * model.grid / model.size - 0.5).round().int()
    return [
        (min(max(x, 0), width - 1), min(max(y, 0), height - 1), click.positive)
        for (x, y), click in zip(cells.tolist(), prompt.clicks, strict=True)
    ]


def _place(
    bits: BoolArray, window: Window, extent: Window, grid: int, side: float | None
) -> tuple[float, float, float, float, float, float]:
    """From window to expecting in `FEATURES`."""
    root = math.sqrt(np.count_nonzero(bits)) * window.side / grid
    ends = bits[:, 0].any(), bits[0].any(), bits[:, -1].any(), bits[-1].any()
    inner = (
        window.x > extent.x,
        window.y > extent.y,
        window.x + window.width < extent.x + extent.width,
        window.y + window.height < extent.y + extent.height,
    )
    return (
        math.log2(window.side / extent.side),
        math.log2(root / window.side),
        math.log2(root / math.sqrt(extent.width * extent.height)),
        float(any(end and within for end, within in zip(ends, inner, strict=True))),
        math.log2(root / side) if side else 0.0,
        float(side is not None),
    )


def _certainty(logits: FloatArray) -> tuple[float, float, float]:
    """From stable to outside in `FEATURES`, for logits (h, w) without padding."""
    mask = np.asarray(logits > 0, np.uint8)
    reach = 2 * max(round(_RIM * math.sqrt(int(mask.sum()))), 1) + 1
    grown = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    outer = (grown - mask) > 0
    p = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    stable = int((logits > 1).sum()) / max(int((logits > -1).sum()), 1)
    return stable, float(p[mask > 0].mean()), float(p[outer].mean()) if outer.any() else 0.0


def _clicked(bits: BoolArray, places: Sequence[tuple[int, int, bool]]) -> tuple[float, float]:
    """Share of clicks on the right side, and how deep the newest lies in the mask."""
    if not places:
        return 1.0, 0.5
    obeyed = float(np.mean([bool(bits[y, x]) == sign for x, y, sign in places]))
    deep = distances(np.pad(bits, 1))
    x, y, _ = places[-1]
    return obeyed, float(deep[y + 1, x + 1]) / max(float(deep.max()), 1.0)


def _overlap(one: BoolArray, other: BoolArray) -> float:
    """IoU of two masks, of which one is not empty."""
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)
