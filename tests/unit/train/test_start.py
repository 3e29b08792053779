"""Starting weights go where they belong, or are refused by name."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from samtta_app.model.backbones.compact import CompactConfig, build_compact
from samtta_app.train.compact.start_weights import START_HEAD, start_from

TOY = CompactConfig(name="toy", dim=32, mlp=32, heads=2, depth=1, head_dim=16, input_size=64)


def backbone_file(folder: Path) -> tuple[Path, dict[str, torch.Tensor]]:
    state = {
        key: value.half().contiguous()
        for key, value in build_compact(TOY).image_encoder.backbone.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    save_file(state, folder / "backbone.safetensors")
    return folder / "backbone.safetensors", state


def test_backbone_and_head_are_copied(tmp_path: Path) -> None:
    file, state = backbone_file(tmp_path)
    model = build_compact(TOY)
    head = {
        f"{theirs}.{part}": torch.randn_like(getattr(getattr(model.image_encoder, ours), part))
        for theirs, ours in START_HEAD.items()
        for part in ("weight", "bias")
    }
    save_file(head, tmp_path / "head.safetensors")
    start_from(model, file, tmp_path / "head.safetensors")
    assert torch.equal(model.image_encoder.backbone.conv_stem.weight, state["conv_stem.weight"].float())
    assert torch.equal(model.image_encoder.projection.bias, head["concat_projection.bias"])


def test_an_incomplete_backbone_is_refused(tmp_path: Path) -> None:
    file, state = backbone_file(tmp_path)
    del state["conv_stem.weight"]
    save_file(state, file)
    with pytest.raises(ValueError, match=r"lacks conv_stem\.weight"):
        start_from(build_compact(TOY), file, None)


def test_a_backbone_of_other_widths_is_refused(tmp_path: Path) -> None:
    file, state = backbone_file(tmp_path)
    state["conv_stem.weight"] = torch.zeros(5, 3, 3, 3)
    save_file(state, file)
    with pytest.raises(ValueError, match="does not fit"):
        start_from(build_compact(TOY), file, None)
