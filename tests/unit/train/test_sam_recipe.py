"""SAM's recipe by hand-worked values, by its eleven rounds as they happen, and by where gradients go."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from segment_anything.modeling import MaskDecoder, TwoWayTransformer
from torch import Tensor

from samtta_app.core.clicks import BOX_NOISE_LIMIT
from samtta_app.core.types import Box, Click, Image, Prompt
from samtta_app.model.backbone import SamModel, built_model
from samtta_app.model.backbones.compact import CompactBackbone, CompactConfig, build_compact
from samtta_app.model.losses import focal
from samtta_app.model.model_registry import toy_model
from samtta_app.model.predictor import ImageFeatures, decode, embed
from samtta_app.model.weights import Weights, trainable_copy
from samtta_app.train.data.click_sampling import Clicks
from samtta_app.train.decoder.decoder_recipe import (
    ROUNDS,
    Prompts,
    Round,
    Targets,
    decode_batch,
    embed_batch,
    error_clicks,
    first_prompts,
    interactive_rounds,
    rounds_with_click,
    sam_boxes,
    sam_loss,
    sam_rate,
)
from samtta_app.train.decoder.decoder_samples import bits_on_grid, encode_window
from tests.unit.values import picture

LN2 = math.log(2)


def compact_toy() -> SamModel:
    """The compact architecture at toy size with random weights."""
    torch.manual_seed(0)
    net = build_compact(CompactConfig(name="toy", dim=32, mlp=32, heads=2, depth=1, head_dim=16, input_size=64))
    return built_model("toy", CompactBackbone(net), 64)


def whole(model: SamModel, image: Image) -> ImageFeatures:
    """Features of the whole image."""
    return encode_window(model, image, image.whole)


@pytest.fixture(scope="module")
def model() -> SamModel:
    return toy_model()


@pytest.fixture(scope="module")
def features(model: SamModel) -> ImageFeatures:
    return whole(model, picture(0, 64, 64, ((20, 20, 10), (44, 44, 12))))


@pytest.fixture(scope="module")
def targets() -> Targets:
    """Two squares on a grid of 16 x 16."""
    masks = torch.zeros(2, 16, 16)
    masks[0, 2:8, 3:8], masks[1, 8:14, 9:14] = 1, 1
    return Targets(masks, torch.tensor([[12.0, 8, 31, 31], [36, 32, 55, 55]]))


def rounds(model: SamModel, features: ImageFeatures, targets: Targets, seed: int) -> list[Round]:
    with torch.no_grad():
        made = interactive_rounds(model, model.frozen.tensors, features, targets, np.random.default_rng(seed))
        return list(made)


# --- the loss -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logit", "target", "wanted"),
    [
        (0.0, 1.0, 0.25 * 0.25 * LN2),
        (0.0, 0.0, 0.75 * 0.25 * LN2),
        (math.log(9), 1.0, 0.25 * 0.01 * -math.log(0.9)),
        (math.log(9), 0.0, 0.75 * 0.81 * -math.log(0.1)),
    ],
)
def test_focal_loss_of_one_pixel_by_hand(logit: float, target: float, wanted: float) -> None:
    got = focal(torch.full((1, 1, 1, 1), logit), torch.full((1, 1, 1, 1), target))
    assert got.item() == pytest.approx(wanted, rel=1e-5)


def test_focal_loss_is_a_mean_over_the_pixels_of_each_mask() -> None:
    wanted = torch.zeros(1, 2, 2, 2)
    wanted[0, 0, 0, 0] = 1
    got = focal(torch.zeros(1, 2, 2, 2), wanted)
    assert got[0].tolist() == pytest.approx([LN2 / 16 * (0.25 + 3 * 0.75), LN2 / 16 * 4 * 0.75])


def test_the_whole_loss_by_hand() -> None:
    wanted = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    got = sam_loss(torch.zeros(1, 1, 2, 2), torch.tensor([[0.3]]), wanted)
    dice = 1 - (2 * 0.5 + 1) / (4 * 0.5 + 1 + 1)
    assert got.item() == pytest.approx(20 * LN2 / 16 * (0.25 + 3 * 0.75) + dice + 0.3**2)


def test_a_perfect_mask_that_knows_it_costs_nothing() -> None:
    wanted = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    assert sam_loss(100 * (wanted[:, None] - 0.5), torch.ones(1, 1), wanted).item() == pytest.approx(0, abs=1e-6)


def test_of_three_masks_each_object_trains_its_own_best_and_every_predicted_iou() -> None:
    wanted = torch.zeros(2, 4, 4)
    wanted[:, :2] = 1
    logits = torch.zeros(2, 3, 4, 4)
    logits[0, 2] = 4 * (wanted[0] - 0.5)
    logits[1, 0] = 4 * (wanted[1] - 0.5)
    logits.requires_grad_()
    iou = torch.full((2, 3), 0.5, requires_grad=True)
    sam_loss(logits, iou, wanted).backward()
    assert (logits.grad.abs().sum((2, 3)) > 0).tolist() == [[False, False, True], [True, False, False]]
    assert (iou.grad != 0).all()


# --- where gradients go ---------------------------------------------------------------------------------------------


def with_separate_tokens(model: SamModel) -> SamModel:
    """The toy with a decoder whose tokens do not see each other: a gradient at a mask token is that of its own mask."""
    torch.manual_seed(1)
    decoder = MaskDecoder(
        transformer_dim=32,
        transformer=TwoWayTransformer(depth=0, embedding_dim=32, num_heads=2, mlp_dim=32),
        iou_head_hidden_dim=32,
    )
    made = toy_model()
    made.net.mask_decoder = decoder.requires_grad_(False)
    return replace(made, frozen=Weights(0, {n: p.detach() for n, p in decoder.named_parameters()}))


def trained_tokens(gradient: Tensor) -> list[int]:
    return [i for i, row in enumerate(gradient) if row.abs().sum() > 0]


def test_only_one_candidate_at_the_first_prompt_and_only_the_single_mask_later(
    model: SamModel, features: ImageFeatures, targets: Targets
) -> None:
    separate = with_separate_tokens(model)
    one = Targets(targets.masks[:1], targets.boxes[:1])
    tensors = trainable_copy(separate.frozen.tensors)
    trained = []
    for made in interactive_rounds(separate, tensors, features, one, np.random.default_rng(0)):
        for tensor in tensors.values():
            tensor.grad = None
        made.loss.backward()
        assert tensors["iou_token.weight"].grad.abs().sum() > 0
        trained.append(trained_tokens(tensors["mask_tokens.weight"].grad))
    assert len(trained[0]) == 1
    assert trained[0][0] in (1, 2, 3)
    assert trained[1:] == [[0]] * (ROUNDS - 1)


@pytest.mark.parametrize("make", [toy_model, compact_toy])
def test_the_networks_of_masks_that_are_not_trained_get_no_gradient(make, targets: Targets) -> None:
    model = make()
    tensors = trainable_copy(model.frozen.tensors)
    features = whole(model, picture(0, 64, 64, ((20, 20, 10),)))
    made = list(interactive_rounds(model, tensors, features, targets, np.random.default_rng(3)))
    made[4].loss.backward()
    touched = {
        int(name.split(".")[1])
        for name, tensor in tensors.items()
        if name.startswith("output_hypernetworks_mlps") and tensor.grad is not None and tensor.grad.abs().sum() > 0
    }
    assert touched == {0}
    assert all(p.grad is None for p in model.net.parameters())


# --- the eleven rounds ----------------------------------------------------------------------------------------------


def test_eight_of_ten_rounds_add_a_click_and_the_last_never_does() -> None:
    idle = set()
    for seed in range(60):
        added = rounds_with_click(np.random.default_rng(seed))
        assert len(added) == ROUNDS - 1 == 10
        assert sum(added) == 8
        assert not added[-1]
        idle.add(added.index(False))
    assert idle == set(range(8))


@pytest.mark.parametrize("seed", [0, 2])  # a point first, a box first
def test_clicks_are_added_as_planned_and_kept(
    model: SamModel, features: ImageFeatures, targets: Targets, seed: int
) -> None:
    made = rounds(model, features, targets, seed)
    counts = [one.prompts.clicks.labels.shape[1] for one in made]
    steps = np.diff(counts).tolist()
    boxed = made[0].prompts.boxes is not None
    assert len(made) == 11
    assert counts[0] == (0 if boxed else 1)
    assert sorted(steps) == [0, 0] + [1] * 8
    assert steps[-1] == 0
    for before, after in pairwise(made):
        assert after.prompts.boxes is before.prompts.boxes
        kept = before.prompts.clicks.coords
        assert torch.equal(after.prompts.clicks.coords[:, : kept.shape[1]], kept)


@pytest.mark.parametrize("seed", [0, 2])  # a point first, a box first
def test_raw_logits_of_the_highest_predicted_iou_are_fed_back(
    model: SamModel, features: ImageFeatures, targets: Targets, seed: int
) -> None:
    made = rounds(model, features, targets, seed)
    assert made[0].prompts.logits is None
    assert [one.logits.shape[1] for one in made] == [3] + [1] * 10
    for before, after in pairwise(made):
        for i, best in enumerate(before.iou.argmax(1)):
            assert torch.equal(after.prompts.logits[i, 0], before.logits[i, best])


def test_new_clicks_lie_in_the_errors_of_the_mask_fed_back(
    model: SamModel, features: ImageFeatures, targets: Targets
) -> None:
    added = 0
    for before, after in pairwise(rounds(model, features, targets, 1)):
        known = before.prompts.clicks.labels.shape[1]
        new = Clicks(after.prompts.clicks.coords[:, known:], after.prompts.clicks.labels[:, known:])
        for i in range(2):
            for (x, y), label in zip(new.coords[i], new.labels[i], strict=True):
                row, column = int((y + 0.5) // 4), int((x + 0.5) // 4)
                assert bool(label) == bool(targets.masks[i, row, column])
                assert bool(label) != bool(after.prompts.logits[i, 0, row, column] > 0)
                added += 1
    assert added == 16


def test_every_place_of_the_error_is_clicked_include_where_missed_and_exclude_where_too_much() -> None:
    masks, shown = torch.zeros(1, 4, 4), torch.full((1, 4, 4), -1.0)
    masks[0, 0], shown[0, :3, 0] = 1, 0.5  # missed: the rest of row 0; too much: two cells below its corner
    seen = set()
    for seed in range(100):
        clicks = error_clicks(shown, Targets(masks, torch.zeros(1, 4)), np.random.default_rng(seed))
        x, y = ((clicks.coords[0, 0] + 0.5) // 4).int().tolist()
        seen.add((x, y, int(clicks.labels[0, 0])))
    assert seen == {(1, 0, 1), (2, 0, 1), (3, 0, 1), (0, 1, 0), (0, 2, 0)}


def test_first_prompts_are_points_in_the_mask_or_boxes_about_as_often(targets: Targets) -> None:
    boxes = 0
    for seed in range(100):
        prompts = first_prompts(targets, 64, np.random.default_rng(seed))
        if prompts.boxes is not None:
            boxes += 1
            assert prompts.clicks.labels.shape == (2, 0)
            continue
        assert prompts.clicks.labels.tolist() == [[1], [1]]
        for mask, (x, y) in zip(targets.masks, prompts.clicks.coords[:, 0], strict=True):
            assert mask[int((y + 0.5) // 4), int((x + 0.5) // 4)] == 1
    assert 35 <= boxes <= 65


def test_first_points_reach_every_cell_of_the_mask() -> None:
    masks = torch.zeros(1, 16, 16)
    masks[0, 3, 2:7] = 1
    seen = set()
    for seed in range(100):
        prompts = first_prompts(Targets(masks, torch.zeros(1, 4)), 64, np.random.default_rng(seed))
        seen |= {int((x + 0.5) // 4) for x, _ in prompts.clicks.coords.reshape(-1, 2)}
    assert seen == {2, 3, 4, 5, 6}


def test_a_thin_object_that_fills_no_cell_by_half_still_gets_its_point() -> None:
    masks = torch.zeros(1, 16, 16)
    masks[0, 5, 5] = 0.2
    points = [first_prompts(Targets(masks, torch.zeros(1, 4)), 64, np.random.default_rng(s)).clicks for s in range(20)]
    coords = torch.cat([one.coords.reshape(-1, 2) for one in points])
    assert len(coords)
    assert ((coords >= 19.5) & (coords <= 23.5)).all()


def test_box_noise_is_a_tenth_of_the_side_and_limited() -> None:
    size = 1024
    masks = torch.zeros(1, 256, 256).expand(3000, -1, -1)
    small = Targets(masks, torch.tensor([[400.0, 400, 500, 450]]).repeat(3000, 1))
    moved = sam_boxes(small, size, np.random.default_rng(0)) - small.boxes
    assert moved[:, 0].std().item() == pytest.approx(10, rel=0.1)
    assert moved[:, 1].std().item() == pytest.approx(5, rel=0.1)
    large = Targets(masks, torch.tensor([[100.0, 100, 900, 900]]).repeat(3000, 1))
    moved = sam_boxes(large, size, np.random.default_rng(0)) - large.boxes
    assert moved.abs().max().item() == pytest.approx(BOX_NOISE_LIMIT * size) == 20


def test_noisy_boxes_stay_on_the_image_without_its_padding() -> None:
    wide = Targets(torch.zeros(500, 8, 16), torch.tensor([[0.0, 0, 63, 31]]).repeat(500, 1))
    boxes = sam_boxes(wide, 1024, np.random.default_rng(0))
    assert boxes.min() == 0
    assert boxes[:, 2].max() == 63
    assert boxes[:, 3].max() == 31


def test_no_click_where_nothing_is_wrong() -> None:
    masks = torch.zeros(2, 4, 4)
    masks[:, :2] = 1
    shown = masks.clone() - 0.5
    shown[1, 0, 3] = -1
    clicks = error_clicks(shown, Targets(masks, torch.zeros(2, 4)), np.random.default_rng(0))
    assert clicks.labels.tolist() == [[-1], [1]]
    assert 11.5 <= clicks.coords[1, 0, 0] <= 15.5
    assert -0.5 <= clicks.coords[1, 0, 1] <= 3.5


# --- many prompts at once are as many prompts one by one --------------------------------------------------------------


@pytest.mark.parametrize("make", [toy_model, compact_toy])
def test_a_batch_of_prompts_is_answered_as_each_by_itself(make) -> None:
    model = make()
    features = whole(model, picture(0, 64, 64, ((20, 20, 10),)))
    coords = torch.tensor([[[20.0, 20], [5, 50]], [[44, 30], [9, 8]]])
    clicks = Clicks(coords, torch.tensor([[1.0, 0], [1, 1]]))
    logits = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    prompts = Prompts(clicks, torch.tensor([[8.0, 8, 30, 30], [20, 20, 60, 60]]), logits)
    tensors = model.frozen.tensors
    with torch.no_grad():
        several = decode_batch(model, tensors, features, embed_batch(model, features, prompts), several=True)
        single = decode_batch(model, tensors, features, embed_batch(model, features, prompts), several=False)
        for i in range(2):
            alone = Prompts(
                Clicks(coords[i : i + 1], clicks.labels[i : i + 1]), prompts.boxes[i : i + 1], logits[i : i + 1]
            )
            decoded = decode(model, tensors, features, embed_batch(model, features, alone))
            torch.testing.assert_close(several[0][i], decoded.logits[1:])
            torch.testing.assert_close(several[1][i], decoded.iou[1:])
            torch.testing.assert_close(single[0][i], decoded.logits[:1])


@pytest.mark.parametrize("make", [toy_model, compact_toy])
def test_prompts_in_input_pixels_are_embedded_as_the_product_embeds_them(make) -> None:
    model = make()
    features = whole(model, picture(0, 64, 64))
    asked = Prompt((Click(20, 30, True), Click(3, 4, False)), Box(8, 9, 40, 41))
    mine = Prompts(
        Clicks(torch.tensor([[[20.0, 30], [3, 4]]]), torch.tensor([[1.0, 0]])), torch.tensor([[8.0, 9, 40, 41]])
    )
    wanted, got = embed(model, features, asked), embed_batch(model, features, mine)
    torch.testing.assert_close(got.sparse, wanted.sparse)
    torch.testing.assert_close(got.dense, wanted.dense)


def test_cells_of_padding_are_left_out_of_the_loss(model: SamModel) -> None:
    wide = whole(model, picture(0, 32, 64, ((20, 16, 10),)))
    masks = torch.from_numpy(bits_on_grid(np.eye(32, 64, dtype=bool), wide.valid))[None]
    assert masks.shape == (1, 8, 16)
    made = rounds(model, wide, Targets(masks, torch.tensor([[0.0, 0, 31, 31]])), 0)
    clicks = torch.cat([one.prompts.clicks.coords.reshape(-1, 2) for one in made])
    assert clicks[:, 1].max() < 32
    assert made[-1].prompts.logits.shape == (1, 1, 16, 16)
    wanted = sam_loss(made[-1].logits[..., :8, :], made[-1].iou, masks)
    assert made[-1].loss.item() == pytest.approx(wanted.item())


# --- the learning rate ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "wanted"),
    [(0, 1 / 250), (124, 0.5), (249, 1), (1000, 1), (59_999, 1), (60_000, 0.1), (86_665, 0.1), (86_666, 0.01)],
)
def test_the_schedule_of_sams_own_length(step: int, wanted: float) -> None:
    assert sam_rate(8e-4, step, step / 90_000) == pytest.approx(8e-4 * wanted)


def test_a_short_run_has_the_same_shape_and_a_warm_up_of_a_tenth() -> None:
    rates = [sam_rate(1.0, step, step / 300) for step in range(300)]
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:200] == [1.0] * 170
    assert rates[200:289] == pytest.approx([0.1] * 89)
    assert rates[289:] == pytest.approx([0.01] * 11)
    assert 0 < rates[0] < 0.01
