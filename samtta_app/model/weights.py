"""The decoder's weights as values: a version number and its tensors, never changed in place."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from samtta_app.core.files import write_whole
from samtta_app.errors import CheckpointError
from samtta_app.phrases import Phrase

Tensors = Mapping[str, Tensor]


EXTRA = "extra."
"""Begins the names of stored tensors that are not the decoder's."""

TASK = "task"
"""The name of a task prompt among a decoder's tensors: (C,), added to the dense embedding of an object's first prompt.

Source: SUM (section 3.2): a vector for each task, zero at first, only with the first prompt; here a task is a class.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """All tensors of one mask decoder, by parameter name; version 0 is the original (the frozen twin)."""

    version: int
    tensors: Tensors


def trainable_copy(tensors: Tensors) -> dict[str, Tensor]:
    """Fresh leaf tensors with the values of `tensors`, ready for an optimiser; the original is untouched."""
    return {name: tensor.detach().clone().requires_grad_(True) for name, tensor in tensors.items()}


def detached(tensors: Tensors) -> dict[str, Tensor]:
    """Copies of the present values of `tensors`, cut off from any graph or optimiser."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def all_finite(tensors: Tensors) -> bool:
    """Whether no tensor holds a NaN or an infinity."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())


def check_like(tensors: Mapping[Any, Tensor], like: Mapping[Any, Tensor]) -> None:
    """Refuse tensors that are not named, shaped and counted as `like`.

    Raises:
        ValueError: a name, a shape or a kind of number differs.
    """
    if tensors.keys() != like.keys():
        raise ValueError("the tensors have other names")
    for name, tensor in tensors.items():
        if tensor.shape != like[name].shape or tensor.dtype != like[name].dtype:
            raise ValueError(f"{name} is {tensor.dtype} {tuple(tensor.shape)}, not as {tuple(like[name].shape)}")


def write_half(path: Path, tensors: Tensors, facts: Mapping[str, str]) -> None:
    """Write tensors as float16 safetensors with `facts` as metadata, whole or not at all.

    Raises:
        ValueError: a value is not finite in float16; an older file stays.
        OSError: the file cannot be written; an older file stays.
    """
    stored = {name: tensor.detach().half().cpu().contiguous().clone() for name, tensor in tensors.items()}
    if not all_finite(stored):
        raise ValueError(f"{path}: not written, its values are not finite in float16")
    write_whole(path, save(stored, metadata=dict(facts)))


def to_bytes(tensors: Tensors, model_name: str, facts: Mapping[str, str] | None = None) -> bytes:
    """Tensors in safetensors form; the metadata hold the name of the model that they belong to, and `facts`."""
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}  # none may be shared
    return save(plain, metadata={**(facts or {}), "model": model_name})


def from_bytes(version: int, data: bytes, model_name: str, like: Tensors) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read stored tensors back, bit for bit, in the order of `like`, and the facts stored with them.

    Names that begin with EXTRA are what a strategy keeps beside the decoder (an optimiser's state); they come last.

    Raises:
        CheckpointError: damaged bytes, weights of another model, other names, shapes or kinds of numbers than `like`, or
            NaN inside.
    """
    try:
        tensors, facts = load(data), _facts(data)
    except (SafetensorError, ValueError, KeyError) as e:
        raise CheckpointError(
            "The stored decoder weights are damaged",
            Phrase("version {version}", version=version),
            "The original is used",
        ) from e
    found = facts.pop("model", "unknown")
    if found != model_name:
        raise CheckpointError(
            Phrase(
                "The stored decoder weights belong to the model {found!r}, not to {model_name!r}",
                found=found,
                model_name=model_name,
            ),
            Phrase("version {version}", version=version),
            Phrase("Open the project with {found!r}, or go on from the original", found=found),
        )
    mine = {name: tensor for name, tensor in tensors.items() if not name.startswith(EXTRA)}
    try:
        check_like(mine, like)
        fits = all_finite(tensors)
    except ValueError:
        fits = False
    if not fits:
        raise CheckpointError(
            "The stored decoder weights do not fit the model",
            Phrase("version {version}", version=version),
            "The original is used",
        )
    names = [*like, *sorted(tensors.keys() - like.keys())]  # the decoder's own order: sums over all of it depend on it
    device = next(iter(like.values())).device
    return {name: tensors[name].to(device) for name in names}, facts


def _facts(data: bytes) -> dict[str, str]:
    """The safetensors header's metadata: eight bytes of length, then JSON."""
    length = int.from_bytes(data[:8], "little")
    return dict(json.loads(data[8 : 8 + length]).get("__metadata__") or {})


def write_tensors(path: Path, values: Mapping[str, Any]) -> None:
    """`torch.save` beside `path`, then put it in place in one step; an older file stays until then.

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
