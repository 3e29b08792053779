"""Losses, clicks and averages against values worked out by hand."""

import math

import numpy as np
import pytest
import torch

from samtta_app.model.backbones.compact import DecoderOutput, build_compact
from samtta_app.model.losses import FOCAL_FLOOR, normalised_focal, soft_dice
from samtta_app.train.checkpoint import RunCounter
from samtta_app.train.compact.click_rounds import human_boxes
from samtta_app.train.compact.recipe import TrainingStage
from samtta_app.train.compact.round_loss import CLICK_WEIGHT, hard_iou, obedience, round_loss
from samtta_app.train.compact.schedule import cosine_rate, stage_share, update_average, weight_average
from samtta_app.train.compact.training_command import Timer
from samtta_app.train.data.click_sampling import Clicks, next_clicks, truths, worst_place
from tests.unit.train.toy import TOY

LN2 = math.log(2)


def plane(value: float, cells: int = 4) -> torch.Tensor:
    return torch.full((1, 1, cells, cells), value)


def half(cells: int = 4) -> torch.Tensor:
    """The upper half is object."""
    target = torch.zeros(1, 1, cells, cells)
    target[..., : cells // 2, :] = 1
    return target


# --- focal and Dice -------------------------------------------------------------------------------------------------


def test_undecided_logits_cost_the_focal_value_worked_by_hand() -> None:
    # every weight is (1/2)^2, every loss ln 2: 16 cells give 4 ln 2 over 4 and the floor
    assert normalised_focal(plane(0.0), half()).item() == pytest.approx(4 * LN2 / (4 + FOCAL_FLOOR))


def test_the_focal_floor_lets_the_last_uncertain_cells_fade() -> None:
    logits = torch.where(half() > 0, 20.0, -20.0)
    one_wrong = logits.clone()
    one_wrong[0, 0, 0, 0] = -20.0
    assert normalised_focal(logits, half()).item() < 1e-6
    assert normalised_focal(one_wrong, half()).item() == pytest.approx(20 / (1 + FOCAL_FLOOR), rel=1e-4)


def test_the_focal_weights_carry_no_gradient() -> None:
    logits = torch.zeros(1, 1, 4, 4, requires_grad=True)
    normalised_focal(logits, half()).sum().backward()
    # d/dx of cross-entropy at 0 is p - t = +-1/2, times the fixed weight 1/4, over the fixed sum
    expected = torch.where(half() > 0, -1.0, 1.0) * 0.125 / (4 + FOCAL_FLOOR)
    torch.testing.assert_close(logits.grad, expected)


def test_dice_is_worked_by_hand() -> None:
    # sum of p t = 8 * 1/2, sum of p = 8, sum of t = 8
    assert soft_dice(plane(0.0), half()).item() == pytest.approx(1 - (2 * 4 + 1) / (8 + 8 + 1))


def test_dice_of_nothing_predicted_for_an_empty_target_is_zero() -> None:
    assert soft_dice(plane(-30.0), torch.zeros(1, 1, 4, 4)).item() == pytest.approx(0, abs=1e-6)
    assert soft_dice(plane(30.0), torch.zeros(1, 1, 4, 4)).item() == pytest.approx(1 - 1 / 17)


@pytest.mark.parametrize("loss", [normalised_focal, soft_dice])
def test_losses_are_per_mask_and_do_not_mix_a_batch(loss: object) -> None:
    torch.manual_seed(0)
    logits, targets = torch.randn(3, 2, 8, 8), torch.rand(3, 2, 8, 8)
    together = loss(logits, targets)  # type: ignore[operator]
    assert together.shape == (3, 2)
    alone = loss(logits[1:2, :1], targets[1:2, :1])  # type: ignore[operator]
    assert together[1, 0].item() == pytest.approx(alone.item(), rel=1e-5)


@pytest.mark.parametrize("value", [-80.0, 80.0])
def test_extreme_logits_stay_finite_with_their_gradient(value: float) -> None:
    logits = plane(value).requires_grad_()
    total = normalised_focal(logits, half()).sum() + soft_dice(logits, half()).sum()
    total.backward()
    assert torch.isfinite(total)
    assert torch.isfinite(logits.grad).all()


# --- IoU, obedience and the whole -----------------------------------------------------------------------------------


def test_hard_iou_is_a_count_of_cells() -> None:
    logits = torch.full((1, 2, 4, 4), -1.0)
    logits[0, 0, 1:3] = 1.0  # 8 cells, 4 of them in the upper half
    assert hard_iou(logits, half()[:, 0]).tolist() == [[pytest.approx(4 / 12), 0.0]]


def test_hard_iou_of_nothing_and_nothing_is_a_number() -> None:
    assert hard_iou(plane(-1.0), torch.zeros(1, 4, 4)).item() == 0.0


def test_a_half_covered_cell_is_outside_and_a_little_more_is_inside() -> None:
    targets = torch.tensor([[[1.0, 0.5, 0.51, 0.49]]])
    assert truths(targets).tolist() == [[[True, False, True, False]]]
    assert not truths(torch.zeros(1, 2, 2)).any()


def test_obedience_reads_the_logit_under_the_click() -> None:
    logits = torch.full((1, 8, 8), -2.0)
    logits[0, 4:, 4:] = 3.0
    inside = Clicks(torch.tensor([[[25.5, 25.5]]]), torch.ones(1, 1))  # cell (6, 6), away from the edge
    wrong = Clicks(torch.tensor([[[5.5, 5.5]]]), torch.ones(1, 1))
    assert obedience(logits, inside, 32).item() == pytest.approx(math.log(1 + math.exp(-3)), rel=1e-4)
    assert obedience(logits, wrong, 32).item() == pytest.approx(math.log(1 + math.exp(2)), rel=1e-4)


def test_obedience_of_an_exclude_click_is_the_other_way_round() -> None:
    logits = torch.full((1, 8, 8), 3.0)
    click = Clicks(torch.tensor([[[10.0, 10.0]]]), torch.zeros(1, 1))
    assert obedience(logits, click, 32).item() == pytest.approx(math.log(1 + math.exp(3)), rel=1e-4)


def test_clicks_that_are_none_count_neither_up_nor_down() -> None:
    logits = torch.full((1, 8, 8), -2.0)
    one = Clicks(torch.tensor([[[10.0, 10.0]]]), torch.ones(1, 1))
    more = one.plus(Clicks(torch.zeros(1, 3, 2), -torch.ones(1, 3)))
    assert obedience(logits, more, 32).item() == pytest.approx(obedience(logits, one, 32).item())
    assert obedience(logits, Clicks.none(1, torch.device("cpu")), 32).item() == 0


@pytest.mark.parametrize("first", [True, False])
def test_the_loss_of_a_round_is_the_weighted_sum_of_its_parts(first: bool) -> None:
    torch.manual_seed(1)
    out = DecoderOutput(torch.randn(2, 4, 8, 8), torch.rand(2, 4), torch.zeros(2, 5, 8))
    targets = (torch.rand(2, 8, 8) > 0.5).float()
    clicks = Clicks(torch.full((2, 1, 2), 12.0), torch.ones(2, 1))
    wanted = targets[:, None].expand(2, 4, 8, 8)
    each = normalised_focal(out.masks, wanted) + soft_dice(out.masks, wanted)
    single, best = each[:, 0].mean(), each[:, 1:].min(dim=1).values.mean()
    quality = ((out.iou - hard_iou(out.masks, targets)) ** 2).mean()
    weights = (0.7, 1.0) if first else (1.3, 0.3)
    expected = weights[0] * single + weights[1] * best + quality
    expected += CLICK_WEIGHT * obedience(out.masks[:, 0], clicks, 32)
    torch.testing.assert_close(round_loss(out, targets, clicks, 32, first=first), expected)


# --- clicks ---------------------------------------------------------------------------------------------------------


def test_an_equal_error_of_both_kinds_is_answered_with_an_include_click() -> None:
    truth, predicted = np.zeros((12, 12), bool), np.zeros((12, 12), bool)
    truth[1:6, 1:6], predicted[6:11, 6:11] = True, True
    assert worst_place(predicted, truth, np.zeros((0, 2), np.int64), None) == (3, 3, 1)


def test_when_every_wrong_cell_was_clicked_there_is_no_click_left() -> None:
    truth = np.zeros((6, 6), bool)
    truth[2, 3] = True
    assert worst_place(np.zeros((6, 6), bool), truth, np.array([[3, 2]]), None) == (0, 0, -1)


def test_clicks_at_the_edge_of_the_grid_stay_within_the_window() -> None:
    targets = torch.zeros(4, 8, 8)
    for number, (row, column) in enumerate([(0, 0), (0, 7), (7, 0), (7, 7)]):
        targets[number, row, column] = 1
    for seed in range(20):
        start = Clicks.first(torch.full((4, 2), 16.0))
        clicks = next_clicks(torch.full((4, 8, 8), -1.0), targets, start, np.random.default_rng(seed))
        assert clicks.labels.flatten().tolist() == [1.0] * 4
        assert clicks.coords.min() >= 0
        assert clicks.coords.max() <= 31
        assert torch.equal((clicks.coords[:, 0] / 4).floor(), torch.tensor([[0.0, 0], [7, 0], [0, 7], [7, 7]]))


def test_clicks_are_appended_in_their_order() -> None:
    clicks = Clicks.none(2, torch.device("cpu")).plus(Clicks.first(torch.ones(2, 2)))
    clicks = clicks.plus(Clicks(torch.full((2, 1, 2), 5.0), torch.zeros(2, 1)))
    assert clicks.coords[0].tolist() == [[1, 1], [5, 5]]
    assert clicks.labels.tolist() == [[1, 0], [1, 0]]


def test_a_drawn_box_of_one_pixel_moves_by_about_a_pixel_only() -> None:
    boxes = torch.tensor([[30.0, 30, 30, 30]]).repeat(400, 1)
    off = human_boxes(boxes, 64, np.random.default_rng(0)) - boxes
    assert 0.5 < off.std().item() < 1
    assert off.abs().max() <= 1.4
    assert off.mean().abs() < 0.15


def test_a_third_of_drawn_boxes_is_loose_on_all_sides_and_some_cut_the_object() -> None:
    boxes = torch.tensor([[100.0, 110, 200, 180]]).repeat(600, 1)
    off = human_boxes(boxes, 400, np.random.default_rng(1)) - boxes
    outwards = off * torch.tensor([-1.0, -1, 1, 1])
    extent = torch.tensor([100.0, 70, 100, 70])
    loose = (outwards >= -1).all(1)
    assert 0.3 < loose.float().mean() < 0.5
    assert (outwards / extent).max() > 0.35
    cutting = (outwards < -0.05 * extent).any(1).float().mean()
    assert 0.3 < cutting < 0.7


# --- averages, rates, timers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "decay"), [(0, 0.1), (10, 0.55), (100_000, 0.99)])
def test_the_average_follows_faster_at_the_beginning(step: int, decay: float) -> None:
    model, average = build_compact(TOY), weight_average(build_compact(TOY))
    with torch.no_grad():
        model.mask_decoder.iou_token.weight.fill_(1.0)
        average.module.mask_decoder.iou_token.weight.fill_(0.0)
    update_average(average, model, 0.99, step=step)
    assert average.module.mask_decoder.iou_token.weight[0, 0].item() == pytest.approx(1 - decay, rel=1e-5)


def test_an_average_of_equal_weights_stays_and_the_model_is_not_touched() -> None:
    model = build_compact(TOY)
    average = weight_average(model)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    update_average(average, model, 0.5, step=3)
    for key, value in average.module.state_dict().items():
        torch.testing.assert_close(value, before[key], msg=key)
        assert torch.equal(model.state_dict()[key], before[key])


def test_the_rate_at_half_of_a_stage_lies_halfway_between_its_ends() -> None:
    stage = TrainingStage("a", 64, 1, 1, lr=1e-3, lr_end=1e-4, steps=10, warmup=0)
    assert cosine_rate(stage, RunCounter(stage_step=5)) == pytest.approx((1e-3 + 1e-4) / 2)


def test_the_warm_up_is_linear_in_the_steps_of_the_stage() -> None:
    stage = TrainingStage("a", 64, 1, 1, lr=1e-3, lr_end=1e-3, minutes=1, warmup=4)
    rates = [cosine_rate(stage, RunCounter(step=99, stage_step=k)) for k in range(6)]
    assert rates == pytest.approx([0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3, 1e-3])


def test_steps_end_a_stage_before_minutes_do_and_a_share_is_never_above_one() -> None:
    stage = TrainingStage("a", 64, 1, 1, 1e-3, 0, steps=4, minutes=1)
    assert stage_share(stage, RunCounter(stage_step=2, stage_seconds=1e9)) == 0.5
    assert stage_share(stage, RunCounter(stage_step=9)) == 1.0
    assert stage_share(TrainingStage("a", 64, 1, 1, 1e-3, 0, minutes=1), RunCounter(stage_seconds=90)) == 1.0


def test_a_timer_is_due_once_per_interval_of_training() -> None:
    timer = Timer(minutes=1, seconds=100.0)  # a resumed run counts from where it is
    assert [timer.due(t) for t in (100, 159.9, 160, 161, 219, 225, 284, 285)] == [
        *(False, False, True, False),
        *(False, True, False, True),
    ]
