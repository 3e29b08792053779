"""The compact model's maps lie where the prompts are, at every size; damaged files are refused by name."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from samtta_app.model.backbones.compact import CompactConfig, CompactSam, build_compact, load_compact, save_compact
from samtta_app.model.backbones.compact_prompts import CLICK_SIGMAS, box_map, click_maps

TOY = CompactConfig(name="toy", dim=32, mlp=32, heads=2, depth=1, head_dim=16, input_size=64)


@pytest.fixture(scope="module")
def model() -> CompactSam:
    torch.manual_seed(0)
    return build_compact(TOY)


@pytest.mark.parametrize("size", [64, 256, 512, 1024])
def test_a_click_is_drawn_over_its_own_cell_at_every_size(size: int) -> None:
    for x, y in ((1.5, 1.5), (size - 2.5, 1.5), (size / 2 + 1.5, size / 4 + 1.5)):
        maps = click_maps(torch.tensor([[[x, y]]]), torch.ones(1, 1), size)
        assert maps.shape == (1, 6, size // 4, size // 4)
        for channel in range(3):
            assert maps[0, channel, int(y) // 4, int(x) // 4].item() == pytest.approx(1)
        assert not maps[0, 3:].any()


@pytest.mark.parametrize("channel", range(len(CLICK_SIGMAS)))
def test_a_click_falls_off_by_its_width_in_cells(channel: int) -> None:
    row = click_maps(torch.tensor([[[129.5, 129.5]]]), torch.ones(1, 1), 256)[0, channel, 32]
    sigma = CLICK_SIGMAS[channel]
    for distance in (1, 3, 8):
        expected = math.exp(-distance * distance / (2 * sigma * sigma))
        assert row[32 + distance].item() == pytest.approx(expected, abs=1e-5)
        assert row[32 - distance].item() == pytest.approx(expected, abs=1e-5)


def test_several_clicks_on_one_place_are_no_louder_than_one() -> None:
    once = click_maps(torch.tensor([[[9.5, 9.5]]]), torch.ones(1, 1), 64)
    twice = click_maps(torch.full((1, 2, 2), 9.5), torch.ones(1, 2), 64)
    assert twice.max() <= 1
    assert (twice >= once).all()


def test_no_click_and_only_padding_draw_nothing() -> None:
    assert not click_maps(torch.zeros(2, 0, 2), torch.zeros(2, 0), 64).any()
    assert not click_maps(torch.full((1, 2, 2), 9.5), -torch.ones(1, 2), 64).any()


def test_clicks_of_a_batch_do_not_show_in_each_other() -> None:
    coords = torch.tensor([[[9.5, 9.5]], [[50.0, 20.0]]])
    together = click_maps(coords, torch.tensor([[1.0], [0.0]]), 64)
    assert torch.equal(together[:1], click_maps(coords[:1], torch.ones(1, 1), 64))
    assert torch.equal(together[1:], click_maps(coords[1:], torch.zeros(1, 1), 64))


@pytest.mark.parametrize("size", [64, 256, 1024])
def test_the_box_of_the_whole_window_fills_its_map_but_for_the_rim(size: int) -> None:
    filled = box_map(torch.tensor([[0.0, 0, size - 1, size - 1]]), size)[0, 0]
    assert filled.shape == (size // 4, size // 4)
    assert filled[1:-1, 1:-1].min() == 1
    assert filled.min() > 0.7


def test_a_box_has_width_and_height_the_right_way_round() -> None:
    wide = box_map(torch.tensor([[8.0, 24, 55, 31]]), 64)[0, 0] > 0.5
    assert (int(wide.any(1).sum()), int(wide.any(0).sum())) == (2, 12)


@pytest.mark.parametrize("size", [64, 128, 256])
def test_dense_positions_are_of_the_embeddings_grid(model: CompactSam, size: int) -> None:
    pe = model.prompt_encoder.dense_pe(size)
    assert pe.shape == (1, TOY.dim, size // 16, size // 16)
    assert not torch.allclose(pe[..., 0, 0], pe[..., 0, 1])
    assert not torch.allclose(pe[..., 0, 0], pe[..., 1, 0])


def test_images_encoded_together_are_encoded_as_alone(model: CompactSam) -> None:
    torch.manual_seed(1)
    x = torch.randn(3, 3, 64, 64)
    with torch.no_grad():
        together, skips = model.image_encoder(x)
        alone, own = model.image_encoder(x[1:2])
    torch.testing.assert_close(together[1:2], alone, atol=1e-4, rtol=1e-4)
    for both, one in zip(skips, own, strict=True):
        torch.testing.assert_close(both[1:2], one, atol=1e-4, rtol=1e-4)


def test_half_precision_on_disk_changes_no_weight_by_more_than_its_rounding(model: CompactSam, tmp_path: Path) -> None:
    save_compact(model, tmp_path / "m.safetensors")
    assert {value.dtype for value in load_file(tmp_path / "m.safetensors").values()} == {torch.float16}
    own = model.state_dict()
    for key, value in load_compact(tmp_path / "m.safetensors").state_dict().items():
        torch.testing.assert_close(value, own[key], atol=1e-4, rtol=1e-3, msg=key)


def test_writing_a_read_model_again_gives_the_same_weights(model: CompactSam, tmp_path: Path) -> None:
    save_compact(model, tmp_path / "a.safetensors")
    save_compact(load_compact(tmp_path / "a.safetensors"), tmp_path / "b.safetensors")
    first, second = load_file(tmp_path / "a.safetensors"), load_file(tmp_path / "b.safetensors")
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize(
    "config",
    [replace(TOY, backbone="no_such_net"), replace(TOY, heads=5), replace(TOY, dim=30), replace(TOY, heads=0)],
)
def test_a_configuration_that_cannot_be_built_is_refused_with_the_file(
    model: CompactSam, tmp_path: Path, config: CompactConfig
) -> None:
    file = tmp_path / "odd.safetensors"
    save_compact(model, file)
    save_file(load_file(file), file, {"format": "samtta-compact-1", "config": json.dumps(asdict(config))})
    with pytest.raises(ValueError, match=r"odd\.safetensors: the configuration"):
        load_compact(file)


@pytest.mark.parametrize("text", ["{", "3", "[]", '{"size": 3}'])
def test_a_configuration_that_is_none_is_refused_with_the_file(model: CompactSam, tmp_path: Path, text: str) -> None:
    file = tmp_path / "odd.safetensors"
    save_file({"weight": torch.zeros(1)}, file, {"format": "samtta-compact-1", "config": text})
    with pytest.raises(ValueError, match=r"odd\.safetensors: the (model's )?configuration"):
        load_compact(file)


def test_weights_that_float16_cannot_hold_are_not_written_over_good_ones(tmp_path: Path) -> None:
    model = build_compact()
    save_compact(model, tmp_path / "m.safetensors")
    before = (tmp_path / "m.safetensors").read_bytes()
    with torch.no_grad():
        model.mask_decoder.iou_token.weight.fill_(1e6)
    with pytest.raises(ValueError, match=r"not written, mask_decoder\.iou_token"):
        save_compact(model, tmp_path / "m.safetensors")
    assert (tmp_path / "m.safetensors").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["m.safetensors"]
