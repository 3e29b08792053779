"""Starting weights: a MobileNetV2 backbone and a DeepLab head from safetensors files with timm's names."""

from pathlib import Path

from safetensors.torch import load_file

from samtta_app.model.compact import CompactSam

HEAD = {"aspp0": "aspp", "image_pooling": "pooling", "concat_projection": "projection"}


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
    for theirs, ours in HEAD.items():
        layer = getattr(encoder, ours)
        layer.load_state_dict({part: values[f"{theirs}.{part}"] for part in ("weight", "bias")})
