"""Simulated prompts on a remembered object: a fresh first click, then clicks in the middle of the largest error.

Everything happens on the decoder's grid inside the object's own window. A round costs one decoding and no encoding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from samtta_app.adapt.memory import Remembered
from samtta_app.adapt.threshold import offset
from samtta_app.core.clicks import depth
from samtta_app.core.types import BoolArray, Click, FloatArray, Logits, Prompt, Window
from samtta_app.core.windows import DETAIL_FROM
from samtta_app.model.answers import corrected
from samtta_app.model.backbone import Look, SamModel
from samtta_app.model.predictor import chosen, decode_prompt
from samtta_app.model.weights import Tensors


def grid_to_image(window: Window, grid: int, column: int, row: int) -> tuple[float, float]:
    """The image point in the middle of a grid cell."""
    step = window.side / grid
    return window.x + (column + 0.5) * step - 0.5, window.y + (row + 0.5) * step - 0.5


def first_click_on(item: Remembered, rng: np.random.Generator | None = None) -> Click | None:
    """A first click on the object: its middle, or with `rng` a random place away from the edge."""
    inside = depth((item.whole == 1).cpu().numpy())
    if inside.max() <= 0:
        return None
    if rng is None:
        row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    else:
        rows, columns = np.nonzero(inside >= 0.5 * inside.max())
        pick = int(rng.integers(len(rows)))
        row, column = rows[pick], columns[pick]
    return Click(*grid_to_image(item.features.window, inside.shape[0], int(column), int(row)), True)


def correction(item: Remembered, shown: Tensor, prompt: Prompt) -> Prompt | None:
    """The prompt with one more click, in the middle of the largest error of `shown` logits (G, G); None without errors."""
    bits, whole = (shown > 0).cpu().numpy(), item.whole.cpu().numpy()
    missed, wrong = depth((whole == 1) & ~bits), depth((whole == 0) & bits)
    for click in prompt.clicks:
        _blank(missed, wrong, item.features.window, click)
    positive = bool(missed.max() > wrong.max())
    error = missed if positive else wrong
    if error.max() <= 0:
        return None
    row, column = np.unravel_index(int(error.argmax()), error.shape)
    click = Click(*grid_to_image(item.features.window, error.shape[0], int(column), int(row)), positive)
    logits = Logits(item.features.window, shown.detach().float().cpu().numpy())
    return replace(prompt, clicks=(*prompt.clicks, click), logits=logits)


def _blank(missed: FloatArray, wrong: FloatArray, window: Window, click: Click) -> None:
    grid = missed.shape[0]
    column = math.floor((click.x - window.x + 0.5) / window.side * grid)
    row = math.floor((click.y - window.y + 0.5) / window.side * grid)
    if 0 <= row < grid and 0 <= column < grid:
        missed[row, column] = wrong[row, column] = 0.0


def trajectory(
    model: SamModel,
    tensors: Tensors,
    item: Remembered,
    clicks: int,
    *,
    fits: bool = True,
    looks: Sequence[Look] = (),
) -> list[float]:
    """IoU with the accepted mask after each of `clicks` simulated clicks, from a fresh first click; no gradient.

    Answers are those that a user gets. From DETAIL_FROM clicks on, the object's closer window is used where there is
    one. With `fits`, an error moves the threshold. `looks` are shown to the decoder.
    """
    start = first_click_on(item)
    prompt = Prompt((start,), class_name=item.class_name) if start is not None else None
    values: list[float] = []
    here, features = item, item.features.to(torch.float32)
    with torch.no_grad():
        while prompt is not None and len(values) < clicks:
            closer = here.closeup
            if len(prompt.clicks) >= DETAIL_FROM and closer is not None:
                here, features = closer, closer.features.to(torch.float32)
            decoded = decode_prompt(model, tensors, features, prompt, looks)
            said = decoded.logits[chosen(decoded, prompt)][None]
            shown = corrected(model, features, prompt, said, offset(prompt) if fits else 0.0)[0]
            values.append(grid_iou((shown > 0).cpu().numpy(), here.whole.cpu().numpy()))
            prompt = correction(here, shown, prompt)
    return values + values[-1:] * (clicks - len(values))


def grid_iou(bits: BoolArray, whole: np.ndarray) -> float:
    """IoU on the grid; padding cells (-1) do not count."""
    known, truth = whole >= 0, whole == 1
    either = int(((bits | truth) & known).sum())
    return int((bits & truth & known).sum()) / either if either else 1.0
