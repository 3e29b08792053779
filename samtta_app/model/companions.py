"""Files that belong to one model and lie beside it: NAME.selector.safetensors, NAME.outline.safetensors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError, safe_open
from torch import Tensor

from samtta_app.errors import CheckpointError
from samtta_app.model.backbone import SamModel
from samtta_app.model.compact_limits import Shape, check_slices
from samtta_app.model.fingerprint import fingerprint
from samtta_app.model.weights import Tensors, all_finite, write_half
from samtta_app.phrases import Phrase
from samtta_app.settings import model_folder, resource

log = logging.getLogger(__name__)

_T = TypeVar("_T")


def save_companion(
    kind: str, layers: Tensors, model: SamModel, path: Path, facts: Mapping[str, str], reads: str = ""
) -> None:
    """Write what belongs to `model` as float16 safetensors, whole or not at all.

    Args:
        kind: "selector", "outline".
        reads: identifies what the network reads; a file of another version is refused.

    Raises:
        ValueError: a value is not finite in float16; an older file stays.
        OSError: the file cannot be written; an older file stays.
    """
    known = {"format": f"samtta-{kind}-1", "reads": reads, "model": model.name, "fingerprint": fingerprint(model)}
    write_half(path, layers, {**facts, **known})


def read_companion(
    kind: str, path: Path, model: SamModel, shapes: Mapping[str, Shape], reads: str = ""
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The layers of a file in float32, on the processor, and its facts.

    Raises:
        CheckpointError: the file is damaged or of another kind or version, or was trained for another model.
    """
    train = f"`samtta train {kind}`"
    try:
        with safe_open(path, framework="pt") as file:
            facts = dict(file.metadata() or {})
            check_slices({name: file.get_slice(name) for name in file.keys()}, shapes)  # noqa: SIM118 (not a dict)
            layers = {name: file.get_tensor(name).float() for name in shapes}
    except (OSError, SafetensorError, ValueError) as e:
        raise CheckpointError(
            Phrase("The {kind} file cannot be read", kind=kind),
            path,
            Phrase("Copy it again, or make one with {train}", train=train),
        ) from e
    if facts.get("format") != f"samtta-{kind}-1" or facts.get("reads") != reads or not all_finite(layers):
        raise CheckpointError(
            Phrase("This is no {kind} file that can be used", kind=kind),
            path,
            Phrase("Make one with {train}", train=train),
        )
    if facts.get("fingerprint") != fingerprint(model):
        raise CheckpointError(
            Phrase(
                "The {kind} was trained for the model {get!r}, not for this {name!r}",
                kind=kind,
                get=facts.get("model", "unknown"),
                name=model.name,
            ),
            path,
            Phrase("Make one for it with {train}", train=train),
        )
    return layers, facts


def companion_of(kind: str, model: SamModel, load: Callable[[Path, SamModel], _T]) -> _T | None:
    """What is shipped or kept in the model folder for `model`; a file that cannot be used is told in the log."""
    name = f"{model.name}.{kind}.safetensors"
    path = next((p for p in (resource(f"models/{name}"), model_folder() / name) if p.is_file()), None)
    try:
        return load(path, model) if path else None
    except CheckpointError as e:
        log.warning("%s", e)
        return None
