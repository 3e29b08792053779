"""Losses look only where something is known, and fall when the mask gets better."""

from __future__ import annotations

import pytest
import torch

from samtta_app.adapt.losses import click_loss, mask_loss, prompt_loss, true_iou
from samtta_app.core.types import Click, Window

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
