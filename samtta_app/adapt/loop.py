"""The learning itself: a copy of the decoder takes a few steps on the newest object and on replayed ones.

The optimiser only gets the tensors of the mask decoder. The first clicks decide NoC, so every object is asked again
with a fresh simulated first click, on its own image's features. Corrections follow, so that later clicks are not
forgotten. The learned weights move only part of the way to the trained copy (Zhang et al. 2019, Lookahead, eq. 1). This
averages out what a few objects teach by chance.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from samtta_app.adapt.accepted_looks import NO_LOOKS, AcceptedLooks
from samtta_app.adapt.memory import Memory, Remembered
from samtta_app.adapt.rounds import correction, first_click_on
from samtta_app.adapt.task_prompts import Tasks
from samtta_app.core.types import Prompt
from samtta_app.model.answers import as_asked
from samtta_app.model.backbone import Look, SamModel
from samtta_app.model.close_part import WindowPart, onto_window, part_about, part_features
from samtta_app.model.losses import prompt_loss
from samtta_app.model.predictor import ImageFeatures, chosen, decode_prompt
from samtta_app.model.weights import Tensors, trainable_copy


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Hyper-parameters of one adaptation.

    `steps`: optimiser steps, each over the newest object and `replayed` others.

    `rounds`: trained clicks of every prompt.

    `learning_rate`: relative to the size of each tensor (Shazeer and Stern 2018, Adafactor, section 8). The optimiser
    starts again at every object, so it must not take full steps where the gradient is almost zero.

    `stride`: part of the way to the trained copy that the learned weights move.

    `anchor`: share by which every step pulls the copy back to the original (ROID's weight ensembling).

    `clip`: largest norm of a step's gradient.

    `task_rate`: Adam's learning rate for the classes' task prompts, which are learned once there are two classes; 0
    turns them off.

    Six steps of three rounds at half the rate need three times the time; what they bring on changed looks is within chance.
    """

    steps: int = 3
    replayed: int = 2
    rounds: int = 2
    learning_rate: float = 4e-3
    stride: float = 0.6
    anchor: float = 0.002
    clip: float = 1.0
    task_rate: float = 0.05


DEFAULT_TRAINING = TrainingConfig()


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The learned weights after an object, and one loss per step. A loss that is not finite ends the training.

    `tasks` are the task prompts (C,) of the classes, by their ids.
    """

    tensors: Tensors
    losses: tuple[float, ...]
    tasks: Mapping[int, Tensor] = field(default_factory=dict)


class UnlabelledLoss(Protocol):
    """Something to learn from that no user accepted."""

    def loss(self, model: SamModel, tensors: Tensors, rng: np.random.Generator) -> Tensor | None:
        """Loss () under these tensors, with gradient; None where there is nothing to learn."""


def learn(
    model: SamModel,
    start: Tensors,
    newest: Remembered,
    memory: Memory,
    rng: np.random.Generator,
    learning: TrainingConfig = DEFAULT_TRAINING,
    tasks: Mapping[int, Tensor] | None = None,
    unlabelled: Sequence[UnlabelledLoss] = (),
    looks: AcceptedLooks = NO_LOOKS,
) -> Generator[float, None, Trained]:
    """Learn from `newest`, some of `memory` and `unlabelled`; yields the share of work done after every prompt.

    Each object is asked for beside the `looks` of the others of its class, as a user's prompt is.
    """
    copy = trainable_copy(start)
    optimiser = torch.optim.Adafactor(list(copy.values()), lr=learning.learning_rate, foreach=True)
    several = bool(tasks) or len({item.class_id for item in (newest, *memory.items)}) > 1
    prompts = Tasks(model, tasks or {}, learning.task_rate if several else 0.0)
    others = [item for item in memory.items if item.object_id != newest.object_id]
    losses: list[float] = []
    for step in range(learning.steps):
        drawn = rng.choice(len(others), size=min(learning.replayed, len(others)), replace=False)
        batch = [newest, *(others[int(i)] for i in drawn)]
        total = 0.0
        for index, item in enumerate(batch):
            prompt = _asked(item, rng, own=index == 0 and step % 2 == 0)
            asked = prompts.beside(copy, item.class_id)
            beside = looks.without(frozenset({item.object_id})).of_class(item.class_id)
            for loss in _rounds(model, asked, item, prompt, learning.rounds, len(batch), beside):
                total += loss
                yield (step + (index + 1) / len(batch)) / learning.steps
        for pseudo in unlabelled:
            with torch.enable_grad():
                extra = pseudo.loss(model, copy, rng)
                if extra is not None:
                    (extra / len(batch)).backward()  # type: ignore[no-untyped-call]
                    total += float(extra.detach()) / len(batch)
            yield (step + 1) / learning.steps
        losses.append(total)
        if not math.isfinite(total):
            break
        torch.nn.utils.clip_grad_norm_(list(copy.values()), learning.clip)
        optimiser.step()  # type: ignore[no-untyped-call]
        optimiser.zero_grad(set_to_none=True)
        prompts.step()
        _pull_back(copy, model.frozen.tensors, learning.anchor)
    learned = {name: tensor.lerp(copy[name].detach(), learning.stride) for name, tensor in start.items()}
    return Trained(learned, tuple(losses), prompts.learned(learning.stride))


def _asked(item: Remembered, rng: np.random.Generator, *, own: bool) -> Prompt:
    """The prompt for an object: the user's clicks with `own`, else a fresh first click."""
    if own and (item.clicks or item.box is not None):
        return Prompt(item.clicks, item.box, class_name=item.class_name)
    click = first_click_on(item, rng if rng.random() < 0.5 else None)
    clicks, box = ((click,), None) if click is not None else (item.clicks, item.box)
    return Prompt(clicks, box, class_name=item.class_name)


def _rounds(
    model: SamModel,
    copy: Tensors,
    item: Remembered,
    prompt: Prompt,
    rounds: int,
    batch: int,
    looks: Sequence[Look],
) -> Generator[float, None, None]:
    """Add the gradients of a prompt and of the corrections after it; yields the loss of each."""
    features, part, seen = _near(model, item, prompt)
    current: Prompt | None = prompt
    for _ in range(rounds):
        if current is None or not (current.clicks or current.box):
            break
        with torch.enable_grad():
            decoded = decode_prompt(model, copy, seen, current, looks)
            logits = onto_window(decoded.logits, part, model.grid)
            loss = prompt_loss(logits, decoded.iou, item.target, current.clicks, features.window, current.ambiguous) / (
                rounds * batch
            )
            loss.backward()  # type: ignore[no-untyped-call]
        said = logits[chosen(decoded, current)][None].detach()
        current = correction(item, as_asked(model, features, current, said)[0], current)
        yield float(loss.detach())


def _near(model: SamModel, item: Remembered, prompt: Prompt) -> tuple[ImageFeatures, WindowPart | None, ImageFeatures]:
    """The object's features; the part of them about it and its prompt, which is enough to learn from; that part's own."""
    features = item.features
    part = part_about(model, features, prompt, item.mask)
    return features, part, part_features(model, features, part).to(torch.float32)


def _pull_back(copy: dict[str, Tensor], source: Tensors, share: float) -> None:
    with torch.no_grad():
        for name, tensor in copy.items():
            tensor.lerp_(source[name], share)
