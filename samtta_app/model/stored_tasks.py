"""Task prompts in a model's file: one vector for each kind of annotation that the decoder was trained on.

Source: SUM (Liu et al. 2024), section 3.2. Its tasks are kinds of data sets: salient 1, entity 2; 0 stands for what is
not labelled and for clicks without a task, and has no vector. A vector is added to the dense embedding of an object's
first prompt. In SUM the user of the model names the task. Here a class takes the vector of the task of its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from samtta_app.core.types import Prompt
from samtta_app.model.weights import Tensors

_Value = TypeVar("_Value")

TASK_PREFIX = "task_prompts."
"""Begins the names of task prompts among the tensors of a file."""
LONGEST_TASK, MOST_TASKS = 40, 64
"""Characters of a task's name, and tasks of a file: far more than a set has, so that a planted file stays small."""


def is_task_name(name: str) -> bool:
    """Whether a task may be called so: printable text without spaces around it, not too long."""
    return name != "" and name.isprintable() and name == name.strip() and len(name) <= LONGEST_TASK


def without_tasks(state: Mapping[str, _Value]) -> tuple[dict[str, _Value], dict[str, _Value]]:
    """What a file has under the names of the model's own tensors, and of task prompts by the tasks' names."""
    tasks = {name.removeprefix(TASK_PREFIX): value for name, value in state.items() if name.startswith(TASK_PREFIX)}
    return {name: value for name, value in state.items() if not name.startswith(TASK_PREFIX)}, tasks


def named_in_file(tasks: Tensors) -> dict[str, Tensor]:
    """The task prompts by the names that they have in a file."""
    return {f"{TASK_PREFIX}{name}": vector.detach().cpu().contiguous() for name, vector in tasks.items()}


def check_tasks(shapes: Mapping[str, Sequence[int]], width: int) -> None:
    """Refuse task prompts that are no vectors (C,) of the model's width, too many, or of impossible names.

    Raises:
        ValueError: with the reason.
    """
    if len(shapes) > MOST_TASKS:
        raise ValueError(f"it holds {len(shapes)} task prompts, more than {MOST_TASKS}")
    for name, shape in shapes.items():
        if not is_task_name(name):
            raise ValueError(f"it holds a task prompt of the name {name[:LONGEST_TASK]!r}")
        if tuple(shape) != (width,):
            raise ValueError(f"the task prompt {name!r} is {list(shape)}, not {[width]}")


def taken_tasks(tasks: Tensors, prompts: Sequence[Prompt], dense: Tensor) -> Tensor | None:
    """What is added to the dense embeddings (B, C, R, R) of B first prompts; None where no class is a task's."""
    if not any(prompt.class_name in tasks for prompt in prompts):
        return None
    none = torch.zeros(dense.shape[1])
    vectors = [tasks.get(prompt.class_name, none) for prompt in prompts]
    return torch.stack([vector.to(dense) for vector in vectors])[:, :, None, None]
