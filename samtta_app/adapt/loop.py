"""The learning itself: a copy of the decoder takes a few steps on the newest object and on replayed ones.

Only the tensors of the mask decoder are ever given to the optimiser. NoC is decided by the first clicks, so every replayed
object is asked again under a fresh simulated first click, on its own image's features.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from samtta_app.adapt.losses import prompt_loss
from samtta_app.adapt.memory import Remembered
from samtta_app.adapt.rounds import answer, chosen, correction, first_click
from samtta_app.core.types import Prompt
from samtta_app.model.sam import SamModel
from samtta_app.model.weights import Tensors, Weights, trainable_copy


@dataclass(frozen=True, slots=True)
class Learning:
    """Hyper-parameters of one adaptation: `steps` optimiser steps over the newest object and `replayed` others each.

    `anchor` is the share by which every step pulls the weights back to the original ones (ROID's weight ensembling).
    """

    steps: int = 6
    replayed: int = 2
    learning_rate: float = 1e-4
    anchor: float = 0.002
    clip: float = 1.0


DEFAULT = Learning()


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """The trained copy and one loss per step (a loss that is not finite ends the training)."""

    tensors: Tensors
    losses: tuple[float, ...]


def learn(
    model: SamModel,
    start: Weights,
    newest: Remembered | None,
    replay: Sequence[Remembered],
    rng: np.random.Generator,
    learning: Learning = DEFAULT,
) -> Generator[float, None, Learned]:
    """Train a copy of `start`; yields the share of work done after every decoded prompt, where a click may be served.

    Args:
        newest: the object just accepted, None when it is held back for the guard.
        replay: earlier objects to draw from (may be empty).
    """
    copy = trainable_copy(start)
    optimiser = torch.optim.Adam(list(copy.values()), lr=learning.learning_rate)
    losses: list[float] = []
    for step in range(learning.steps):
        batch = _batch(newest, replay, rng, learning.replayed)
        total = 0.0
        for index, item in enumerate(batch):
            total += _backward(model, copy, item, _prompt(item, rng, own=index == 0 and step % 2 == 0), len(batch))
            yield (step + (index + 1) / len(batch)) / learning.steps
        losses.append(total)
        if not math.isfinite(total):
            break
        torch.nn.utils.clip_grad_norm_(list(copy.values()), learning.clip)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        _pull_back(copy, model.frozen.tensors, learning.anchor)
    return Learned(copy, tuple(losses))


def _batch(
    newest: Remembered | None, replay: Sequence[Remembered], rng: np.random.Generator, count: int
) -> list[Remembered]:
    others = [item for item in replay if newest is None or item.object_id != newest.object_id]
    wanted = min(count if newest is not None else count + 1, len(others))
    drawn = [others[int(i)] for i in rng.choice(len(others), size=wanted, replace=False)] if wanted else []
    return [newest, *drawn] if newest is not None else drawn


def _prompt(item: Remembered, rng: np.random.Generator, own: bool) -> Prompt:
    """The object's own clicks, or a fresh first click: its middle or a random place."""
    if own and (item.clicks or item.box is not None):
        return Prompt(item.clicks, item.box)
    click = first_click(item, rng if rng.random() < 0.5 else None)
    return Prompt((click,)) if click is not None else Prompt(item.clicks, item.box)


def _backward(model: SamModel, copy: dict[str, Tensor], item: Remembered, prompt: Prompt, batch: int) -> float:
    """Add the gradients of a prompt and of one correction after it; returns the summed loss."""
    features = item.features.to(torch.float32)
    total = 0.0
    current: Prompt | None = prompt
    for _ in range(2):
        if current is None:
            break
        with torch.enable_grad():
            decoded = answer(model, copy, features, current)
            loss = prompt_loss(
                decoded.logits, decoded.iou, item.target, current.clicks, features.window, current.ambiguous
            )
            (loss / (2 * batch)).backward()  # type: ignore[no-untyped-call]
        total += float(loss.detach()) / (2 * batch)
        current = correction(item, decoded.logits[chosen(decoded, current)].detach(), current)
    return total


def _pull_back(copy: dict[str, Tensor], source: Tensors, share: float) -> None:
    with torch.no_grad():
        for name, tensor in copy.items():
            tensor.lerp_(source[name], share)
