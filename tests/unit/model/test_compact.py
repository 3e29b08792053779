"""The compact model keeps its promised interface, at several sizes, and survives being written and read."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from samtta_app.model.backbones.compact import (
    SMALL_CONFIG,
    CompactConfig,
    CompactSam,
    DecoderOutput,
    build_compact,
    load_compact,
    save_compact,
)
from samtta_app.model.backbones.compact_prompts import box_map, click_maps

TOY = CompactConfig(name="toy", dim=32, mlp=32, heads=2, depth=1, head_dim=16, input_size=64)


@pytest.fixture(scope="module")
def model() -> CompactSam:
    torch.manual_seed(0)
    return build_compact(TOY)


def answer(
    model: CompactSam, x: Tensor, coords: Tensor, labels: Tensor, previous: Tensor | None = None
) -> DecoderOutput:
    size = x.shape[-1]
    embedding, skips = model.image_encoder(x)
    sparse, dense, click_skip = model.prompt_encoder((coords, labels), None, previous, size)
    out = model.mask_decoder(
        embedding,
        model.prompt_encoder.dense_pe(size),
        sparse,
        dense,
        True,
        (skips[0], skips[1] + click_skip),
        full=True,
    )
    assert isinstance(out, DecoderOutput)
    return out


@pytest.mark.parametrize("size", [64, 96, 160])
def test_the_same_weights_encode_windows_of_any_multiple_of_32(model: CompactSam, size: int) -> None:
    with torch.no_grad():
        embedding, (skip8, skip4) = model.image_encoder(torch.randn(2, 3, size, size))
    assert embedding.shape == (2, TOY.dim, size // 16, size // 16)
    assert skip8.shape == (2, TOY.dim // 4, size // 8, size // 8)
    assert skip4.shape == (2, TOY.dim // 8, size // 4, size // 4)


def test_the_prompt_encoder_gives_sparse_dense_and_skip_of_the_asked_size(model: CompactSam) -> None:
    coords, labels = torch.tensor([[[5.0, 6.0], [20.0, 30.0]]]), torch.tensor([[1.0, 0.0]])
    with torch.no_grad():
        sparse, dense, skip = model.prompt_encoder((coords, labels), torch.tensor([[1.0, 2, 30, 40]]), None, 96)
    assert sparse.shape == (1, 4, TOY.dim)  # two clicks, two corners
    assert dense.shape == (1, TOY.dim, 6, 6)
    assert skip.shape == (1, TOY.dim // 8, 24, 24)
    assert model.prompt_encoder.dense_pe(96).shape == (1, TOY.dim, 6, 6)


def test_an_answer_does_not_depend_on_the_size_asked_before(model: CompactSam) -> None:
    torch.manual_seed(1)
    x, coords, labels = torch.randn(1, 3, 64, 64), torch.tensor([[[9.0, 40.0]]]), torch.ones(1, 1)
    with torch.no_grad():
        before = answer(model, x, coords, labels).masks
        answer(model, torch.randn(1, 3, 128, 128), coords, labels)
        after = answer(model, x, coords, labels).masks
    assert torch.equal(before, after)


def test_click_tokens_are_those_of_the_stock_prompt_encoder(model: CompactSam) -> None:
    coords, labels = torch.tensor([[[3.0, 50.0], [7.0, 8.0]]]), torch.tensor([[1, 0]])
    stock = super(type(model.prompt_encoder), model.prompt_encoder)
    with torch.no_grad():
        mine = model.prompt_encoder((coords, labels), None, None, TOY.input_size)[0]
        theirs = stock.forward((coords, labels), None, None)[0]
    torch.testing.assert_close(mine, theirs)


def test_box_tokens_are_those_of_the_stock_prompt_encoder(model: CompactSam) -> None:
    boxes = torch.tensor([[3.0, 5, 40, 60]])
    stock = super(type(model.prompt_encoder), model.prompt_encoder)
    with torch.no_grad():
        mine = model.prompt_encoder(None, boxes, None, TOY.input_size)[0]
        theirs = stock.forward(None, boxes, None)[0]
    torch.testing.assert_close(mine, theirs)


def test_a_batch_of_images_with_one_prompt_each_is_answered_image_by_image(model: CompactSam) -> None:
    torch.manual_seed(2)
    x = torch.randn(3, 3, 64, 64)
    coords, labels = torch.rand(3, 2, 2) * 64, torch.tensor([[1.0, 0], [1, -1], [1, 1]])
    previous = torch.randn(3, 1, 16, 16)
    with torch.no_grad():
        together = answer(model, x, coords, labels, previous)
        alone = [
            answer(model, x[i : i + 1], coords[i : i + 1], labels[i : i + 1], previous[i : i + 1]) for i in range(3)
        ]
    assert together.masks.shape == (3, 4, 16, 16)
    assert together.iou.shape == (3, 4)
    assert together.tokens.shape == (3, 5, TOY.dim)
    torch.testing.assert_close(together.masks, torch.cat([a.masks for a in alone]), atol=1e-4, rtol=1e-3)


def test_one_image_answers_many_prompts(model: CompactSam) -> None:
    with torch.no_grad():
        embedding, skips = model.image_encoder(torch.randn(1, 3, 64, 64))
        sparse, dense, click_skip = model.prompt_encoder((torch.rand(5, 1, 2) * 64, torch.ones(5, 1)), None, None, 64)
        masks, iou = model.mask_decoder(
            embedding, model.prompt_encoder.dense_pe(64), sparse, dense, False, (skips[0], skips[1] + click_skip)
        )
    assert masks.shape == (5, 1, 16, 16)
    assert iou.shape == (5, 1)


def test_multimask_gives_the_three_candidates_without_the_single_mask(model: CompactSam) -> None:
    torch.manual_seed(3)
    x, coords, labels = torch.randn(1, 3, 64, 64), torch.tensor([[[9.0, 40.0]]]), torch.ones(1, 1)
    with torch.no_grad():
        everything = answer(model, x, coords, labels)
        embedding, skips = model.image_encoder(x)
        sparse, dense, click_skip = model.prompt_encoder((coords, labels), None, None, 64)
        masks, iou = model.mask_decoder(
            embedding, model.prompt_encoder.dense_pe(64), sparse, dense, True, (skips[0], skips[1] + click_skip)
        )
    assert torch.equal(masks, everything.masks[:, 1:])
    assert torch.equal(iou, everything.iou[:, 1:])


def test_the_decoder_runs_with_replaced_weights_and_gives_them_gradients(model: CompactSam) -> None:
    with torch.no_grad():
        embedding, skips = model.image_encoder(torch.randn(1, 3, 64, 64))
        sparse, dense, click_skip = model.prompt_encoder(
            (torch.tensor([[[9.0, 40.0]]]), torch.ones(1, 1)), None, None, 64
        )
    arguments = (embedding, model.prompt_encoder.dense_pe(64), sparse, dense, False, (skips[0], skips[1] + click_skip))
    own = dict(model.mask_decoder.named_parameters())
    other = {name: (value.detach() * 1.1).requires_grad_() for name, value in own.items()}
    masks, _ = torch.func.functional_call(model.mask_decoder, other, arguments)
    masks.mean().backward()
    stock_masks, _ = model.mask_decoder(*arguments)
    assert not torch.allclose(masks, stock_masks)
    assert other["output_upscaling.0.weight"].grad is not None
    assert all(value.grad is None for value in own.values())


def test_the_backbone_stays_in_eval_while_the_model_trains(model: CompactSam) -> None:
    model.train()
    try:
        assert model.mask_decoder.training
        assert not any(module.training for module in model.image_encoder.backbone.modules())
    finally:
        model.eval()


def test_click_maps_peak_where_the_click_is_and_tell_include_from_exclude() -> None:
    coords, labels = torch.tensor([[[42.0, 10.0], [10.0, 42.0], [5.0, 5.0]]]), torch.tensor([[1.0, 0.0, -1.0]])
    maps = click_maps(coords, labels, 64)
    assert maps.shape == (1, 6, 16, 16)
    for channel, (x, y) in ((0, (10, 2)), (3, (2, 10))):
        assert maps[0, channel].argmax().item() == y * 16 + x
    assert maps[0, 0, 1, 1] < 1e-3  # the padding click drew nothing
    assert maps.max() <= 1


def test_a_box_map_covers_the_box() -> None:
    box = box_map(torch.tensor([[16.0, 32, 47, 63]]), 64)[0, 0]
    assert box[9:15, 5:11].min() == 1
    assert box[8:, 4:12].min() > 0.7
    assert box.sum() == pytest.approx(8 * 8, abs=6)


def test_the_click_moves_the_answer(model: CompactSam) -> None:
    torch.manual_seed(4)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        a = answer(model, x, torch.tensor([[[8.0, 8.0]]]), torch.ones(1, 1)).masks
        b = answer(model, x, torch.tensor([[[56.0, 56.0]]]), torch.ones(1, 1)).masks
    assert (a - b).abs().max() > 1e-3


def test_normalised_grey_is_zero_so_that_padding_after_it_is_neutral(model: CompactSam) -> None:
    assert model.normalise(torch.full((1, 3, 2, 2), 127.5)).abs().max() == 0
    assert model.normalise(torch.full((1, 3, 2, 2), 255.0)).max() == 1


def test_a_written_model_answers_as_before(model: CompactSam, tmp_path: Path) -> None:
    file = tmp_path / "toy.safetensors"
    save_compact(model, file, {"seed": "1"})
    read = load_compact(file)
    assert read.config == TOY
    assert not read.training
    torch.manual_seed(5)
    x, coords, labels = torch.randn(1, 3, 64, 64), torch.tensor([[[9.0, 40.0]]]), torch.ones(1, 1)
    with torch.no_grad():
        torch.testing.assert_close(
            answer(read, x, coords, labels).masks, answer(model, x, coords, labels).masks, atol=0.02, rtol=0.02
        )
    assert [p.name for p in tmp_path.iterdir()] == ["toy.safetensors"]


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.safetensors"
    file.write_bytes(b"not a model")
    with pytest.raises(ValueError, match=r"broken\.safetensors"):
        load_compact(file)
    with pytest.raises(ValueError, match="missing"):
        load_compact(tmp_path / "missing.safetensors")


def test_foreign_weights_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(2)}, file)
    with pytest.raises(ValueError, match="not a compact samtta model"):
        load_compact(file)


def _rewritten(model: CompactSam, file: Path, config: CompactConfig, **changed: Tensor) -> None:
    save_compact(model, file)
    state = load_file(file) | changed
    save_file(
        state,
        file,
        {
            "format": "samtta-compact-1",
            "config": json.dumps(
                {
                    "name": config.name,
                    "backbone": config.backbone,
                    "dim": config.dim,
                    "mlp": config.mlp,
                    "heads": config.heads,
                    "depth": config.depth,
                    "head_dim": config.head_dim,
                    "input_size": config.input_size,
                }
            ),
        },
    )


def test_weights_of_another_shape_than_the_configuration_are_refused(model: CompactSam, tmp_path: Path) -> None:
    file = tmp_path / "misfit.safetensors"
    _rewritten(model, file, replace(TOY, dim=64))
    with pytest.raises(ValueError, match="does not fit"):
        load_compact(file)


def test_weights_that_are_not_finite_are_refused(model: CompactSam, tmp_path: Path) -> None:
    file = tmp_path / "nan.safetensors"
    _rewritten(model, file, TOY, **{"mask_decoder.iou_token.weight": torch.full((1, TOY.dim), float("nan")).half()})
    with pytest.raises(ValueError, match="not finite"):
        load_compact(file)


def test_the_small_model_stays_small() -> None:
    parameters = sum(p.numel() for p in build_compact(SMALL_CONFIG).parameters())
    assert 2 * parameters < 8_000_000
