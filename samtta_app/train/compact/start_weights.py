"""Starting weights: a MobileNetV2 backbone and a DeepLab head from safetensors files with timm's names."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from samtta_app.errors import CheckpointError
from samtta_app.model.backbones.compact import CompactConfig, CompactSam, build_compact, load_compact
from samtta_app.train.compact.widen import grow

START_HEAD = {"aspp0": "aspp", "image_pooling": "pooling", "concat_projection": "projection"}


def start_from(model: CompactSam, backbone: Path, head: Path | None) -> None:
    """Copy starting weights into the encoder, in place. Raises `ValueError` where they do not fit."""
    encoder = model.image_encoder
    state = {key: value.float() for key, value in load_file(backbone).items()}
    try:
        missing, _ = encoder.backbone.load_state_dict(state, strict=False)
    except RuntimeError as e:
        raise ValueError(f"{backbone}: does not fit {model.config.backbone}: {e}") from e
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing:
        raise ValueError(f"{backbone}: lacks {missing[0]} and {len(missing) - 1} more of {model.config.backbone}")
    if head is None:
        return
    values = {key: value.float() for key, value in load_file(head).items()}
    for theirs, ours in START_HEAD.items():
        layer = getattr(encoder, ours)
        layer.load_state_dict({part: values[f"{theirs}.{part}"] for part in ("weight", "bias")})


def start_from_model(model: CompactSam, path: Path) -> None:
    """Copy the weights of a trained compact model, in place; a smaller size is widened to give the same answers.

    Raises:
        CheckpointError: the file is not a compact model, or cannot be widened to this size.
    """
    try:
        given = with_maps(load_compact(path), model.config)
        if same_size(given.config, model.config):
            model.load_state_dict(given.state_dict())
        else:
            grow(given, model)
    except ValueError as e:
        raise CheckpointError(f"Training cannot start from this model: {e}", path, "Give another, or none") from e


def same_size(one: CompactConfig, other: CompactConfig) -> bool:
    """Whether weights of one model fit the other."""
    return replace(one, name="", input_size=0) == replace(other, name="", input_size=0)


def with_maps(given: CompactSam, wanted: CompactConfig) -> CompactSam:
    """A model that answers as `given` does and reads the maps of `wanted` besides.

    Raises:
        ValueError: `wanted` reads fewer maps.
    """
    config = replace(given.config, similarity=wanted.similarity, context=wanted.context)
    if config == given.config:
        return given
    model = build_compact(config)
    model.load_state_dict(grafted(given.state_dict(), model.state_dict()))
    return model


def grafted(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of `given`, with inputs of weight 0 where `wanted` reads more channels, so answers stay the same.

    Raises:
        ValueError: `wanted` reads fewer.
    """
    found = {}
    for name, value in given.items():
        if any(b < a for a, b in zip(value.shape, wanted[name].shape, strict=True)):
            raise ValueError(
                f"{name} has {tuple(value.shape)} values, and only {tuple(wanted[name].shape)} have a place"
            )
        found[name] = torch.zeros_like(wanted[name])
        found[name][tuple(slice(side) for side in value.shape)] = value
    return found
