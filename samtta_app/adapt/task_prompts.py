"""Task prompts: one vector per class, so that the same first click can mean a leaf or a plant.

Source: SUM (Liu et al. 2024), section 3.2. Vectors that start at zero are added to the dense prompt embedding of the
first prompt. In SUM a task is a kind of annotation, given by the training set. Here it is a class of the session,
learned from the masks accepted for it.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from samtta_app.model.backbone import SamModel
from samtta_app.model.weights import TASK, Tensors


class Tasks:
    """The task prompts of one lesson during training.

    Args:
        known: class id -> vector (C,) so far; new classes start at zero.
        rate: Adam's learning rate; 0 turns task prompts off.
    """

    def __init__(self, model: SamModel, known: Mapping[int, Tensor], rate: float) -> None:
        self._known, self._rate = known, rate
        self._zero = torch.zeros(model.backbone.width, device=model.device)
        self._copies: dict[int, Tensor] = {}
        self._optimiser: torch.optim.Adam | None = None

    def beside(self, decoder: Tensors, class_id: int | None) -> Tensors:
        """The decoder's tensors with the class's task prompt among them."""
        if not self._rate or class_id is None:
            return decoder
        if class_id not in self._copies:
            copy = self._known.get(class_id, self._zero).detach().clone().requires_grad_()
            if self._optimiser is None:
                self._optimiser = torch.optim.Adam([copy], lr=self._rate)
            else:
                self._optimiser.add_param_group({"params": [copy]})
            self._copies[class_id] = copy
        return {**decoder, TASK: self._copies[class_id]}

    def step(self) -> None:
        """Take a step for the classes that were used, and clear their gradients."""
        if self._optimiser is not None:
            self._optimiser.step()
            self._optimiser.zero_grad(set_to_none=True)

    def learned(self, stride: float) -> dict[int, Tensor]:
        """All task prompts; the trained ones have moved `stride` of the way."""
        moved = {
            class_id: self._known.get(class_id, self._zero).lerp(copy.detach(), stride)
            for class_id, copy in self._copies.items()
        }
        return {**self._known, **moved}


def with_task(decoder: Tensors, tasks: Mapping[int, Tensor], class_id: int | None, share: float) -> Tensors:
    """The decoder's tensors for a first prompt under a class, whose task prompt counts by `share`."""
    task = tasks.get(class_id) if class_id is not None else None
    return {**decoder, TASK: task * share} if task is not None and share else decoder
