"""Files of a decoder's fine-tuning: the finished model in the layout of its start, and checkpoints to continue from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from samtta_app.errors import CheckpointError, ExportError
from samtta_app.model.backbone import Backbone, SamModel
from samtta_app.model.model_registry import model_file
from samtta_app.model.weights import Tensors


def decoder_bytes(model: SamModel, tensors: Tensors) -> dict[str, Tensor]:
    """A copy in the precision of the model's file, so that the measured weights are the written ones."""
    kept = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    return {name: tensor.half().float() for name, tensor in kept.items()} if model.policy.half else kept


def model_digest(model: SamModel) -> str:
    """A short text that identifies all tensors of a model."""
    state = hashlib.blake2b(digest_size=16)
    for name, tensor in model.net.state_dict().items():
        state.update(name.encode())
        state.update(np.ascontiguousarray(tensor.cpu().numpy()).data)
    for name, vector in model.backbone.tasks.items():
        state.update(name.encode())
        state.update(np.ascontiguousarray(vector.cpu().numpy()).data)
    return state.hexdigest()


def net_in_file(model: SamModel, source: str | Path) -> Backbone:
    """The backbone as its file holds it.

    Args:
        model: the result of `load_model(source)`.
        source: a name or a path.
    """
    return model.backbone.unfused(lambda: model_file(source))


def file_ending(model: SamModel) -> str:
    """The ending of such a model's file name."""
    return model.policy.ending


def write_model(backbone: Backbone, tensors: Tensors, out: Path, notes: str, tasks: Tensors | None = None) -> None:
    """Write `backbone` with the decoder weights `tensors` and task prompts (None: its own), whole or not at all.

    Raises:
        ExportError: it cannot be written; an older file stays.
    """
    try:
        backbone.write(tensors, out, notes, tasks)
    except (OSError, RuntimeError, ValueError) as e:
        raise ExportError(
            f"The model was not written: {e}", out, "Make room, and go on with --resume and the checkpoint beside it"
        ) from e


def read_state(path: Path, belongs: Mapping[str, str]) -> dict[str, Any]:
    """Read a checkpoint of a run with the same model, data and draws.

    Raises:
        CheckpointError: it cannot be read, or belongs to another run; the message says what differs.
    """
    try:
        values: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found = dict(values["belongs"])
    except Exception as e:  # torch raises any exception of the damaged pickle
        raise CheckpointError(
            f"The checkpoint cannot be read ({type(e).__name__})", path, "Start again without --resume"
        ) from e
    differing = [name for name in belongs if found.get(name) != belongs[name]]
    if differing:
        raise CheckpointError(
            f"The checkpoint belongs to another run: not the same {' and '.join(differing)}",
            path,
            "Give what it was started with, or start again without --resume",
        )
    return values
