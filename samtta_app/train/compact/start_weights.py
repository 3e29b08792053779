"""Starting weights: a MobileNetV2 backbone and a DeepLab head from safetensors files with timm's names."""

from dataclasses import replace
from pathlib import Path

from safetensors.torch import load_file

from samtta_app.errors import CheckpointError
from samtta_app.model.backbones.compact import CompactSam, load_compact
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
        given = load_compact(path)
        if replace(given.config, name="", input_size=0) == replace(model.config, name="", input_size=0):
            model.load_state_dict(given.state_dict())
        else:
            grow(given, model)
    except ValueError as e:
        raise CheckpointError(f"Training cannot start from this model: {e}", path, "Give another, or none") from e
