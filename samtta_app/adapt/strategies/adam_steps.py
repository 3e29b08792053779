"""Single Adam steps of the mask decoder, as Schön et al. 2024 take them: the step, its losses and labels, and Adam's state.

Source of the figures: the same authors' released code of the WSESeg paper (arXiv 2407.09288).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from samtta_app.adapt.memory import Remembered
from samtta_app.adapt.strategy import Knowledge
from samtta_app.core.masks import IGNORE, full
from samtta_app.core.types import Click, Prompt, Window
from samtta_app.model.backbone import SamModel
from samtta_app.model.predictor import ImageFeatures, decode_prompt
from samtta_app.model.threshold_shift import logits_at
from samtta_app.model.weights import EXTRA, Tensors, all_finite, detached, trainable_copy

Labels = NDArray[np.int8]
"""1 object, 0 background, -1 unknown."""

_NAN = float("nan")


def step(
    model: SamModel,
    state: Knowledge,
    features: ImageFeatures,
    prompt: Prompt,
    learning_rate: float,
    loss_of: Callable[[Tensor], Tensor],
) -> tuple[Knowledge, float]:
    """One Adam step of the decoder on the single mask's loss; `state.carried` is Adam's state dict (None: a new Adam).

    Args:
        loss_of: maps logits (1, G, G) to a scalar.

    Returns:
        New knowledge that shares no memory with `state`, and the loss before the step. Where the loss or the new
        weights are not finite, `state` itself.
    """
    tensors = trainable_copy(state.tensors)
    optimiser = torch.optim.Adam(list(tensors.values()), lr=learning_rate)
    if state.carried is not None:
        optimiser.load_state_dict(copy.deepcopy(state.carried))
        optimiser.param_groups[0]["lr"] = learning_rate  # the state dict brings its own
    with torch.enable_grad():
        loss = loss_of(decode_prompt(model, tensors, features, prompt).logits[:1])
        if not torch.isfinite(loss):
            return state, _NAN
        loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    if not all_finite(tensors):
        return state, _NAN
    return Knowledge(detached(tensors), copy.deepcopy(optimiser.state_dict())), float(loss.detach())


# --- Adam's state in a stored version -------------------------------------------------------------------------------


def with_state(known: Knowledge) -> dict[str, Tensor]:
    """The weights, and Adam's state (a state dict's, by position and name) as extra tensors."""
    state = known.carried["state"] if known.carried else {}
    extra = {f"{EXTRA}{k}.{name}": torch.as_tensor(value) for k, one in state.items() for name, value in one.items()}
    return {**known.tensors, **extra}


def from_state(tensors: Tensors) -> Knowledge:
    """The knowledge that `with_state` was given, bit for bit; the rate is each step's own.

    Raises:
        ValueError, KeyError: the state belongs to other weights.
    """
    own = {name: tensor for name, tensor in tensors.items() if not name.startswith(EXTRA)}
    state: dict[int, dict[str, Tensor]] = {}
    for name in tensors.keys() - own.keys():
        k, key = name.removeprefix(EXTRA).split(".")
        state.setdefault(int(k), {})[key] = tensors[name]
    if not state:
        return Knowledge(own)
    like = dict(enumerate(own.values()))
    for place, value in ((place, value) for place, one in state.items() for value in one.values()):
        if value.dtype != like[place].dtype or (value.ndim and value.shape != like[place].shape):
            raise ValueError("the optimiser's state is of other weights")
    fresh = torch.optim.Adam(list(trainable_copy(own).values())).state_dict()
    return Knowledge(own, {**fresh, "state": dict(sorted(state.items()))})


# --- losses ---------------------------------------------------------------------------------------------------------


def mean_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Half the cross-entropy of the known cells, averaged over all cells: logits (1, G, G), target (G, G) of 1, 0, -1.

    The released code calls it balanced, but object and background count by their sizes. Unknown cells count in the
    divisor.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, _truth(logits, target), reduction="none")
    return (entropy * (target >= 0)).mean() / 2


def balanced_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Half the sum of the mean cross-entropies over object and over background.

    Logits (1, G, G), target (G, G) of 1, 0, -1.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, _truth(logits, target), reduction="none")[0]
    parts = [entropy[target == value].mean() for value in (1, 0) if (target == value).any()]
    return torch.stack(parts).sum() / 2 if parts else entropy.sum() * 0


def mean_at_clicks(logits: Tensor, clicks: Sequence[Click], window: Window) -> Tensor:
    """`mean_cross_entropy` where every click is one cell; the logits (1, G, G) are sampled bilinearly at the clicks.

    In the released code most clicks are lost between the cells that its nearest-neighbour sampling reads.
    """
    signs = torch.tensor([1.0 if click.positive else -1.0 for click in clicks], device=logits.device)
    values = logits_at(logits, [(click.x, click.y) for click in clicks], window)
    return F.softplus(-signs * values).sum() / (2 * logits[0].numel())


def _truth(logits: Tensor, target: Tensor) -> Tensor:
    return (target == 1).to(logits.dtype).expand_as(logits)


# --- labels ---------------------------------------------------------------------------------------------------------


def eroded(item: Remembered, window: Window, iterations: int) -> Labels:
    """The accepted mask's labels in `window`'s image pixels: object and background eroded, -1 between them.

    As `scipy.ndimage.binary_erosion` with its defaults: a 3 x 3 cross, and the image's frame counts as a boundary.
    """
    bits = full(item.mask, item.extent.height, item.extent.width).astype(np.uint8)
    labels = np.full(bits.shape, IGNORE, dtype=np.int8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    for value, part in ((1, bits), (0, 1 - bits)):
        core = cv2.erode(part, cross, iterations=iterations, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        labels[core > 0] = value
    return labels[window.y : window.y + window.height, window.x : window.x + window.width].copy()


def sampled_labels(labels: Labels, grid: int, place: float, padding: int) -> Labels:
    """Window labels (h, w) read at one pixel per cell of the padded grid (G, G); the window fills its longer side.

    Args:
        place: where in the cell: 0 its first pixel (`torch.nn.functional.interpolate`, "nearest"), 0.5 its middle.
        padding: the label outside the window.
    """
    height, width = labels.shape
    rows, columns = (max(int(n * grid / max(height, width) + 0.5), 1) for n in (height, width))
    row = ((np.arange(rows) + place) * height / rows).astype(int)
    column = ((np.arange(columns) + place) * width / columns).astype(int)
    out = np.full((grid, grid), padding, dtype=np.int8)
    out[:rows, :columns] = labels[np.ix_(row, column)]
    return out


def put_in_cells(target: Labels, clicks: Sequence[Click], window: Window) -> None:
    """Write each click's label into the cell that holds it, in place."""
    grid = len(target)
    cell = window.side / grid
    for click in clicks:
        row, column = (math.floor(at) for at in ((click.y - window.y + 0.5) / cell, (click.x - window.x + 0.5) / cell))
        if 0 <= row < grid and 0 <= column < grid:
            target[row, column] = click.positive


def put_in_pixels(labels: Labels, clicks: Sequence[Click], window: Window) -> None:
    """Write each click's label into its pixel of the window's labels (h, w), in place."""
    for click in clicks:
        row, column = round(click.y) - window.y, round(click.x) - window.x
        if 0 <= row < window.height and 0 <= column < window.width:
            labels[row, column] = click.positive
