"""A widened model answers as the smaller one did, and its equal channels grow apart."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from samtta_app.errors import CheckpointError
from samtta_app.model.backbones.compact import CompactConfig, CompactSam, DecoderOutput, build_compact, save_compact
from samtta_app.train.compact.start_weights import start_from_model
from samtta_app.train.compact.widen import grow

SMALL = CompactConfig(name="toy", dim=32, mlp=32, heads=2, depth=1, head_dim=16, input_size=64)
LARGE = replace(SMALL, name="large", dim=64, mlp=128, heads=4)


def trained(config: CompactConfig, seed: int = 0) -> CompactSam:
    """Random weights, also where a new model has zeros and ones."""
    torch.manual_seed(seed)
    model = build_compact(config)
    for parameter in model.parameters():
        if parameter.ndim == 1:
            parameter.data += 0.3 * torch.randn_like(parameter)
    return model


def answer(model: CompactSam, *, box: bool = False, mask: bool = False) -> DecoderOutput:
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(1, 3, 64, 64, generator=generator) * 2 - 1
    previous = torch.randn(1, 1, 16, 16, generator=generator) if mask else None
    boxes = torch.tensor([[5.0, 8, 40, 50]]) if box else None
    points = torch.tensor([[[30.0, 20], [50, 9]]]), torch.tensor([[1, 0]])
    embedding, skips = model.image_encoder(x)
    sparse, dense, click_skip = model.prompt_encoder(points, boxes, previous, 64)
    out = model.mask_decoder(
        embedding, model.prompt_encoder.dense_pe(64), sparse, dense, True, (skips[0], skips[1] + click_skip), full=True
    )
    assert isinstance(out, DecoderOutput)
    return out


def difference(a: Tensor, b: Tensor) -> float:
    """The largest one, relative to the values' spread."""
    return float((a - b).abs().max() / a.std())


@pytest.mark.parametrize(("box", "mask"), [(False, False), (True, False), (False, True), (True, True)])
def test_a_widened_model_gives_the_same_masks_and_the_same_predicted_iou(box: bool, mask: bool) -> None:
    small, large = trained(SMALL), trained(LARGE, seed=5)
    with torch.no_grad():
        before = answer(large, box=box, mask=mask)
        grow(small, large)
        wanted, given = answer(small, box=box, mask=mask), answer(large, box=box, mask=mask)
    assert difference(wanted.masks, given.masks) < 1e-4
    assert difference(wanted.iou, given.iou) < 1e-4
    assert difference(wanted.masks, before.masks) > 0.1


def test_deeper_sizes_and_wider_heads_grow_too() -> None:
    config = replace(SMALL, depth=2, heads=4, head_dim=24)
    small, large = trained(config), build_compact(replace(config, dim=96, heads=12, mlp=96, head_dim=48))
    grow(small, large)
    with torch.no_grad():
        assert difference(answer(small).masks, answer(large).masks) < 1e-4


def test_the_same_seed_grows_the_same_model_and_another_seed_another() -> None:
    small = trained(SMALL)
    models = [build_compact(LARGE) for _ in range(3)]
    for model, seed in zip(models, (0, 0, 1), strict=True):
        grow(small, model, seed)
    first, again, other = (model.mask_decoder.transformer.layers[0].mlp.lin2.weight for model in models)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_equal_channels_get_different_gradients() -> None:
    small, large = trained(SMALL), build_compact(LARGE)
    grow(small, large)
    answer(large).masks.square().mean().backward()
    layer = large.mask_decoder.transformer.layers[0].mlp.lin1
    assert torch.equal(layer.bias[0::4], layer.bias[1::4])  # four copies of each
    gradient = layer.weight.grad
    assert gradient is not None
    assert float((gradient[0::4] - gradient[1::4]).abs().max()) > 1e-3 * float(gradient.abs().max())


def test_what_is_no_multiple_is_refused_and_the_larger_one_stays() -> None:
    small, large = trained(SMALL), trained(replace(LARGE, dim=48, heads=3))
    before = {key: value.clone() for key, value in large.state_dict().items()}
    with pytest.raises(ValueError, match="multiple"):
        grow(small, large)
    assert all(torch.equal(value, before[key]) for key, value in large.state_dict().items())


def test_heads_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="heads differ"):
        grow(trained(SMALL), build_compact(replace(LARGE, heads=2)))


@pytest.mark.parametrize("depth", [1, 3])
def test_another_depth_is_refused(depth: int) -> None:
    small = trained(replace(SMALL, depth=2))
    with pytest.raises(ValueError, match=r"none like it|missing in size"):
        grow(small, build_compact(replace(LARGE, depth=depth)))


def test_training_starts_from_a_file_of_the_same_or_a_smaller_size(tmp_path: Path) -> None:
    small = trained(SMALL)
    save_compact(small, tmp_path / "small.safetensors")
    same, large = build_compact(SMALL), build_compact(LARGE)
    start_from_model(same, tmp_path / "small.safetensors")
    start_from_model(large, tmp_path / "small.safetensors")
    with torch.no_grad():
        wanted = answer(small).masks
        assert difference(wanted, answer(same).masks) < 0.02  # the file holds float16
        assert difference(answer(same).masks, answer(large).masks) < 1e-4


def test_training_does_not_start_from_a_larger_size_or_from_rubbish(tmp_path: Path) -> None:
    save_compact(trained(LARGE), tmp_path / "large.safetensors")
    (tmp_path / "rubbish.safetensors").write_bytes(b"no model")
    for name in ("large", "rubbish"):
        with pytest.raises(CheckpointError, match=f"{name}.safetensors"):
            start_from_model(build_compact(SMALL), tmp_path / f"{name}.safetensors")
