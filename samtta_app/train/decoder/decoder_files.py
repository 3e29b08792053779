"""Files of a decoder's fine-tuning: the finished model in the layout of its start, and checkpoints to continue from."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from segment_anything.modeling import Sam
from torch import Tensor

from samtta_app.errors import CheckpointError, ExportError
from samtta_app.model.backbones.compact import CompactSam, load_compact, save_compact
from samtta_app.model.sam import SamModel, model_file
from samtta_app.model.weights import Tensors


def decoder_bytes(model: SamModel, tensors: Tensors) -> dict[str, Tensor]:
    """A copy in the precision of the file, so that the measured weights are the written ones.

    The compact model's file is float16.
    """
    kept = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    return {name: tensor.half().float() for name, tensor in kept.items()} if model.compact else kept


def model_digest(model: SamModel) -> str:
    """A short text that identifies all tensors of a model."""
    state = hashlib.blake2b(digest_size=16)
    for name, tensor in model.net.state_dict().items():
        state.update(name.encode())
        state.update(np.ascontiguousarray(tensor.cpu().numpy()).data)
    return state.hexdigest()


def net_in_file(model: SamModel, source: str | Path) -> Sam | CompactSam:
    """The network as its file holds it; `load_model` folds the BatchNorms of a compact encoder, which cannot be undone.

    Args:
        model: the result of `load_model(source)`.
        source: a name or a path.
    """
    if not model.compact:
        return model.net
    return load_compact(model_file(source))


def file_ending(model: SamModel) -> str:
    """The ending of such a model's file name."""
    return ".safetensors" if model.compact else ".pth"


def write_model(net: Sam | CompactSam, tensors: Tensors, out: Path, notes: str) -> None:
    """Write `net` with the decoder weights `tensors`, whole or not at all: safetensors, or SAM's official state dict.

    Raises:
        ExportError: it cannot be written; an older file stays.
    """
    decoder = {f"mask_decoder.{name}": tensor for name, tensor in tensors.items()}
    try:
        if isinstance(net, CompactSam):
            tuned = copy.deepcopy(net)
            tuned.load_state_dict({**net.state_dict(), **decoder})
            save_compact(tuned.cpu(), out, {"training": notes})
        else:
            state = {**net.state_dict(), **decoder}
            write_tensors(out, {name: tensor.detach().cpu() for name, tensor in state.items()})
    except (OSError, RuntimeError, ValueError) as e:
        raise ExportError(
            f"The model was not written: {e}", out, "Make room, and go on with --resume and the checkpoint beside it"
        ) from e


def write_tensors(path: Path, values: Mapping[str, Any]) -> None:
    """Write with `torch.save` beside `path`, then move into place in one step; an older file stays until then.

    Raises:
        OSError, RuntimeError: nothing was written; no partial file stays.
    """
    temporary = path.with_name(path.name + ".part")
    try:
        with temporary.open("wb") as file:
            torch.save(dict(values), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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
