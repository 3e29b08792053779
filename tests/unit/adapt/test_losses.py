"""Losses look only where something is known, and fall when the mask gets better."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samtta_app.core.types import Click, Window
from samtta_app.model.losses import click_loss, mask_loss, prompt_loss, true_iou
from samtta_app.model.threshold_shift import logits_at

SQUARE = torch.zeros(16, 16, dtype=torch.int8)
SQUARE[4:12, 4:12] = 1
LOGITS = torch.where(SQUARE == 1, 6.0, -6.0)
WINDOW = Window(10, 20, 64, 64)


def test_the_right_mask_costs_next_to_nothing_and_the_inverse_a_lot() -> None:
    right, wrong = mask_loss(torch.stack([LOGITS, -LOGITS]), SQUARE)
    assert right < 0.02
    assert wrong > 1.5


def test_ignored_cells_have_no_gradient_and_no_effect() -> None:
    target = SQUARE.clone()
    target[:, 8:] = -1
    logits = torch.zeros(1, 16, 16, requires_grad=True)
    mask_loss(logits, target).sum().backward()
    assert logits.grad is not None
    assert logits.grad[0, :, 8:].abs().max() == 0
    assert logits.grad[0, :, :8].abs().min() > 0
    other = torch.zeros(1, 16, 16)
    other[0, :, 8:] = 50.0
    assert torch.equal(mask_loss(other, target), mask_loss(torch.zeros(1, 16, 16), target))


def test_a_target_with_nothing_known_gives_no_gradient() -> None:
    logits = torch.zeros(1, 4, 4, requires_grad=True)
    mask_loss(logits, torch.full((4, 4), -1, dtype=torch.int8)).sum().backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() == 0


@pytest.mark.parametrize(("x", "y"), [(10.0, 20.0), (41.3, 51.7), (73.4, 83.4)])
def test_no_click_is_lost_wherever_it_falls(x: float, y: float) -> None:
    logits = torch.zeros(1, 16, 16, requires_grad=True)
    click_loss(logits, [Click(x, y, True)], WINDOW).sum().backward()
    assert logits.grad is not None
    assert logits.grad.sum().item() == pytest.approx(-0.5, abs=1e-5)  # the whole derivative of softplus at 0
    assert (logits.grad != 0).sum() <= 4


def test_a_click_in_the_middle_of_a_cell_reads_that_cell() -> None:
    logits = torch.zeros(1, 16, 16)
    logits[0, 5, 3] = 40.0  # cells are four pixels wide: columns 22 .. 25, rows 40 .. 43
    assert click_loss(logits, [Click(23.5, 41.5, True)], WINDOW).item() < 1e-6
    assert click_loss(logits, [Click(23.5, 41.5, False)], WINDOW).item() == pytest.approx(40.0, abs=1e-3)


def test_many_include_clicks_do_not_outweigh_one_exclude_click() -> None:
    logits = torch.full((1, 16, 16), 5.0)
    includes = [Click(20.0 + i, 30.0, True) for i in range(9)]
    one = click_loss(logits, [includes[0], Click(60, 70, False)], WINDOW)
    nine = click_loss(logits, [*includes, Click(60, 70, False)], WINDOW)
    assert one.item() == pytest.approx(nine.item(), abs=1e-5)
    assert one.item() > 5


def test_means_are_taken_over_each_sign_and_added() -> None:
    logits = torch.full((2, 16, 16), 0.0)
    logits[1] = 3.0
    clicks = [Click(20, 30, True), Click(30, 40, True), Click(60, 70, False)]
    expected = [2 * np.log(2), np.log1p(np.exp(-3)) + np.log1p(np.exp(3))]
    assert click_loss(logits, clicks, WINDOW).tolist() == pytest.approx(expected, rel=1e-5)


def test_logits_are_read_bilinearly_at_image_points() -> None:
    logits = torch.arange(16.0).repeat(16, 1)[None]  # every cell holds its column; cells are four pixels wide
    middle, between, quarter = (23.5, 41.5), (25.5, 41.5), (24.5, 60.0)
    assert logits_at(logits, [middle, between, quarter], WINDOW).tolist() == [pytest.approx([3.0, 3.5, 3.25])]
    assert logits_at(logits.transpose(1, 2), [(60.0, 41.5)], WINDOW).tolist() == [[pytest.approx(5.0)]]


def test_points_beyond_the_outermost_cells_read_the_nearest() -> None:
    logits = torch.arange(16.0).repeat(16, 1)[None]
    assert logits_at(logits, [(-500.0, 30.0), (9.5, 30.0), (5000.0, 30.0)], WINDOW).tolist() == [[0.0, 0.0, 15.0]]


def test_every_mask_is_read_at_every_point_and_gets_the_gradient() -> None:
    logits = torch.zeros(3, 8, 8, requires_grad=True)
    values = logits_at(logits, [(20.0, 30.0), (40.0, 50.0)], WINDOW)
    assert values.shape == (3, 2)
    values.sum().backward()
    assert logits.grad is not None
    assert logits.grad.sum((-2, -1)).tolist() == pytest.approx([2.0, 2.0, 2.0])


def test_a_window_that_is_not_square_is_measured_by_its_longer_side() -> None:
    logits = torch.arange(16.0).repeat(16, 1).T[None]  # every cell holds its row
    flat = Window(0, 0, 64, 32)
    assert logits_at(logits, [(1.5, 29.5)], flat).tolist() == [[pytest.approx(7.0)]]


def test_focal_and_dice_by_hand() -> None:
    # one object cell and three background cells, all undecided: p = 1/2, weights 1/4, cross-entropy log 2
    target = torch.tensor([[1, 0], [0, 0]], dtype=torch.int8)
    focal = 4 * 0.25 * np.log(2) / (4 * 0.25 + 20)
    dice = 1 - (2 * 0.5 + 1) / (4 * 0.5 + 1 + 1)
    assert mask_loss(torch.zeros(1, 2, 2), target).item() == pytest.approx(focal + dice, rel=1e-5)


def test_an_unambiguous_prompt_teaches_the_single_mask_first() -> None:
    logits = torch.stack([LOGITS * 0.1, LOGITS * 0.1, -LOGITS, -LOGITS]).requires_grad_()
    prompt_loss(logits, torch.zeros(4), SQUARE, [], WINDOW, ambiguous=False).backward()
    assert logits.grad is not None
    size = logits.grad.abs().sum((-2, -1))
    assert size[0] / size[1] == pytest.approx(1.3 / 0.3, rel=1e-4)
    assert size[2:].tolist() == [0, 0]


def test_a_loss_over_logits_that_are_not_finite_is_not_finite() -> None:
    logits = LOGITS.expand(4, 16, 16).clone()
    logits[0, 3, 3] = float("nan")
    loss = prompt_loss(logits, torch.zeros(4), SQUARE, [Click(42, 52, True)], WINDOW, ambiguous=True)
    assert not torch.isfinite(loss)


def test_true_iou_of_nothing_with_nothing_is_one() -> None:
    assert true_iou(-torch.ones(1, 4, 4), torch.zeros(4, 4, dtype=torch.int8)).tolist() == [1.0]
    assert true_iou(torch.ones(1, 4, 4), torch.full((4, 4), -1, dtype=torch.int8)).tolist() == [1.0]


def test_no_clicks_cost_nothing() -> None:
    assert click_loss(torch.ones(3, 8, 8), [], WINDOW).tolist() == [0, 0, 0]


def test_true_iou_counts_known_cells_only() -> None:
    target = SQUARE.clone()
    target[:8] = -1
    assert true_iou(torch.stack([LOGITS, torch.ones(16, 16)]), target).tolist() == [1.0, 0.25]


def test_an_ambiguous_prompt_teaches_the_best_candidate_and_the_single_mask_only() -> None:
    logits = torch.stack([LOGITS * 0.1, -LOGITS, LOGITS * 0.5, -LOGITS]).requires_grad_()
    loss = prompt_loss(logits, torch.zeros(4), SQUARE, [Click(42, 52, True)], WINDOW, ambiguous=True)
    loss.backward()
    assert logits.grad is not None
    touched = logits.grad.abs().amax((-2, -1)) > 0
    assert touched.tolist() == [True, False, True, False]


def test_the_iou_head_learns_towards_the_true_iou() -> None:
    iou = torch.full((4,), 0.2, requires_grad=True)
    prompt_loss(LOGITS.expand(4, 16, 16), iou, SQUARE, [], WINDOW, ambiguous=False).backward()
    assert iou.grad is not None
    assert (iou.grad < 0).all()
