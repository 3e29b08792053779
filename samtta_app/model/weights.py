"""The decoder's weights as values: a version number and its tensors, never changed in place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from samtta_app.errors import CheckpointError

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """All tensors of one mask decoder, by parameter name; version 0 is the original (the frozen twin)."""

    version: int
    tensors: Tensors


def trainable_copy(weights: Weights) -> dict[str, Tensor]:
    """Fresh leaf tensors with the values of `weights`, ready for an optimiser; the original is untouched."""
    return {name: tensor.detach().clone().requires_grad_(True) for name, tensor in weights.tensors.items()}


def published(version: int, tensors: Tensors) -> Weights:
    """Weights `version` with the present values of `tensors`, cut off from any graph or optimiser."""
    return Weights(version, {name: tensor.detach().clone() for name, tensor in tensors.items()})


def all_finite(tensors: Tensors) -> bool:
    """Whether no tensor holds a NaN or an infinity."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())


def to_bytes(weights: Weights, model_name: str) -> bytes:
    """The weights in safetensors form, with the name of the model that they belong to in the metadata."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.tensors.items()}
    return save(tensors, metadata={"model": model_name})


def from_bytes(version: int, data: bytes, model_name: str, like: Weights) -> Weights:
    """Read stored weights back, bit for bit.

    Raises:
        CheckpointError: damaged bytes, weights of another model, other names or shapes than `like`, or NaN inside.
    """
    try:
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError) as e:
        raise CheckpointError(
            "The stored decoder weights are damaged", f"version {version}", "The original is used"
        ) from e
    found = _model_name(data)
    if found != model_name:
        raise CheckpointError(
            f"The stored decoder weights belong to the model {found!r}, not to {model_name!r}",
            f"version {version}",
            f"Open the project with {found!r}, or go on from the original",
        )
    fits = tensors.keys() == like.tensors.keys() and all(
        tensor.shape == like.tensors[name].shape for name, tensor in tensors.items()
    )
    if not fits or not all_finite(tensors):
        raise CheckpointError(
            "The stored decoder weights do not fit the model", f"version {version}", "The original is used"
        )
    return Weights(version, {name: tensor.to(like.tensors[name].device) for name, tensor in tensors.items()})


def _model_name(data: bytes) -> str:
    """The name in the safetensors header: eight bytes of length, then JSON."""
    length = int.from_bytes(data[:8], "little")
    return str(json.loads(data[8 : 8 + length]).get("__metadata__", {}).get("model", "unknown"))
