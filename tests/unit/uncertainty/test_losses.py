"""Losses and clicks that believe each pixel as far as it is certain, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from samtta_app.core.clicks import sampled_click, sampled_pixel
from samtta_app.core.types import Click
from samtta_app.model.losses import ALPHA, EVEN, aware_loss, certain_dice, focal
from samtta_app.train.decoder.decoder_recipe import focal as sam_focal
from samtta_app.train.decoder.decoder_recipe import sam_loss


def row(*values: float) -> torch.Tensor:
    return torch.tensor([values])


def drawn(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits (2, 6, 5), predicted IoU (2,), binary targets (2, 6, 5), each with an object pixel."""
    generator = torch.Generator().manual_seed(seed)
    targets = (torch.rand(2, 6, 5, generator=generator) > 0.6).float()
    targets[:, 0, 0] = 1
    return torch.randn(2, 6, 5, generator=generator) * 3, torch.rand(2, generator=generator), targets


# --- losses ---------------------------------------------------------------------------------------------------------


def test_focal_of_one_undecided_pixel() -> None:
    # p = .5: alpha .25 for the object, .75 for the ground, (1 - .5)^2, -ln .5
    one = row(1.0)
    assert focal(row(0.0), row(1.0), one).item() == pytest.approx(0.25 * 0.25 * math.log(2))
    assert focal(row(0.0), row(0.0), one).item() == pytest.approx(0.75 * 0.25 * math.log(2))


def test_an_even_focal_loss_draws_the_outline_where_both_sides_are_as_likely() -> None:
    """A cell that is object in half of the cases: SAM's loss pulls its logit below 0, the even one leaves it there."""
    half = row(0.0).requires_grad_()
    pulls = []
    for alpha in (ALPHA, EVEN):
        loss = focal(half, row(1.0), alpha=alpha) + focal(half, row(0.0), alpha=alpha)
        (gradient,) = torch.autograd.grad(loss, half)
        pulls.append(float(gradient))
    assert pulls[0] > 0.1
    assert pulls[1] == pytest.approx(0, abs=1e-6)
    assert focal(row(0.0), row(1.0), alpha=EVEN).item() == pytest.approx(0.5 * 0.25 * math.log(2))


def test_focal_is_weighted_by_certainty_and_divided_by_all_pixels() -> None:
    whole = 0.25 * 0.25 * math.log(2)
    assert focal(row(0.0), row(1.0), row(0.3)).item() == pytest.approx(0.3 * whole)
    # the doubted pixel adds nothing, but counts: (1 * a + 0 * b) / 2
    assert focal(row(0.0, 9.0), row(1.0, 0.0), row(1.0, 0.0)).item() == pytest.approx(whole / 2)


def test_dice_counts_believed_pixels_only() -> None:
    # both p = .5, targets 1 and 0; with both: 1 - (2 * .5 + 1) / (1 + 1 + 1) = 1/3
    logits, targets = row(0.0, 0.0), row(1.0, 0.0)
    assert certain_dice(logits, targets, row(1.0, 1.0)).item() == pytest.approx(1 / 3)
    # the first alone: 1 - (2 * .5 + 1) / (.5 + 1 + 1) = .2; .6 is not above .6
    assert certain_dice(logits, targets, row(1.0, 0.6)).item() == pytest.approx(0.2)
    assert certain_dice(logits, targets, row(0.61, 0.0)).item() == pytest.approx(0.2)  # above it, all count the same


def test_dice_of_nothing_believed_is_zero() -> None:
    assert certain_dice(row(4.0, -4.0), row(0.0, 1.0), row(0.5, 0.1)).item() == 0.0


def test_the_predicted_iou_is_judged_by_the_mask() -> None:
    # shown: pixels 0 and 1, target: 0; IoU .5. All right but for that, focal and Dice are near 0
    logits, targets = row(30.0, 30.0), row(1.0, 0.0)
    doubted = row(1.0, 0.0)  # the wrong pixel is not believed: only the IoU term is left
    loss = aware_loss(logits[None], torch.tensor([0.8]), targets[None], doubted[None])
    assert loss.item() == pytest.approx((0.8 - 0.5) ** 2, abs=1e-5)


def test_weights_are_twenty_one_one() -> None:
    logits, iou, targets = drawn()
    certainty = torch.rand(2, 6, 5, generator=torch.Generator().manual_seed(4))
    shown, truth = logits > 0, targets > 0
    true = (shown & truth).sum((1, 2)) / (shown | truth).sum((1, 2))
    expected = 20 * focal(logits, targets, certainty) + certain_dice(logits, targets, certainty) + (iou - true) ** 2
    assert torch.allclose(aware_loss(logits, iou, targets, certainty), expected)


@pytest.mark.parametrize("seed", range(4))
def test_a_mask_that_a_person_made_gives_sams_own_loss(seed: int) -> None:
    logits, iou, targets = drawn(seed)
    theirs = sam_loss(logits[:, None], iou[:, None], targets)
    assert aware_loss(logits, iou, targets).mean().item() == pytest.approx(theirs.item(), rel=1e-5)
    ones = torch.ones_like(targets)
    assert torch.equal(aware_loss(logits, iou, targets, ones), aware_loss(logits, iou, targets))
    assert torch.allclose(focal(logits, targets, ones), sam_focal(logits[:, None], targets[:, None])[:, 0])


def test_no_gradient_comes_from_a_pixel_without_certainty() -> None:
    logits, iou, targets = drawn()
    certainty = torch.ones_like(targets)
    certainty[:, 2:4] = 0
    logits.requires_grad_()
    aware_loss(logits, iou, targets, certainty).sum().backward()
    assert logits.grad is not None
    assert (logits.grad[:, 2:4] == 0).all()
    assert (logits.grad[:, :2] != 0).all()


def test_soft_targets_are_learned_and_cut_at_one_half_for_the_iou() -> None:
    # shares .5 and .4: the first cell is object
    loss = aware_loss(row(20.0, -20.0)[None], torch.tensor([1.0]), row(0.5, 0.4)[None])
    terms = 20 * focal(row(20.0, -20.0), row(0.5, 0.4), row(1, 1)) + certain_dice(
        row(20.0, -20.0), row(0.5, 0.4), row(1, 1)
    )
    assert loss.item() == pytest.approx(terms.item())  # predicted IoU 1 is right


# --- clicks ---------------------------------------------------------------------------------------------------------


def test_pixels_are_drawn_in_proportion_to_their_certainty() -> None:
    region = np.array([[True, True, False], [True, False, False]])
    certainty = np.array([[0.2, 0.6, 1.0], [0.0, 1.0, 1.0]], np.float32)
    rng = np.random.default_rng(0)
    found = [sampled_pixel(region, certainty, rng) for _ in range(2000)]
    shares = {place: found.count(place) / 2000 for place in set(found)}
    assert set(shares) == {(0, 0), (1, 0)}  # (column, row): in the region, and not without certainty
    assert shares[1, 0] == pytest.approx(0.75, abs=0.04)  # .6 / (.2 + .6)


def test_equal_certainty_is_uniform() -> None:
    rng = np.random.default_rng(1)
    found = [sampled_pixel(np.ones((2, 2), np.bool_), np.full((2, 2), 0.3), rng) for _ in range(1000)]
    assert all(found.count((x, y)) > 190 for x in range(2) for y in range(2))  # of 250 expected


@pytest.mark.parametrize(
    ("region", "certainty"),
    [
        ([[False, False]], [[1.0, 1.0]]),
        ([[True, True]], [[0.0, 0.0]]),
        ([[True, True]], [[float("nan"), -1.0]]),
        ([[True, False]], [[float("inf"), 1.0]]),
    ],
)
def test_where_nothing_can_be_drawn_there_is_the_backup(region: list[list[bool]], certainty: list[list[float]]) -> None:
    rng, here = np.random.default_rng(0), np.array(region)
    assert sampled_pixel(here, np.array(certainty), rng) is None
    assert sampled_click(here, None, np.array(certainty), rng) is None
    backup = Click(7, 8, True)
    assert sampled_click(here, None, np.array(certainty), rng, backup) is backup


def test_the_first_click_lies_on_the_mask_that_is_learned() -> None:
    target = np.zeros((4, 5), np.bool_)
    target[1, 2] = target[3, 4] = True
    rng = np.random.default_rng(0)
    found = {sampled_click(target, None, np.ones((4, 5)), rng) for _ in range(40)}
    assert found == {Click(2, 1, True), Click(4, 3, True)}


def test_later_clicks_lie_on_errors_with_the_sign_that_they_need() -> None:
    target, shown = np.array([[True, True, False, False]]), np.array([[False, True, True, False]])
    rng = np.random.default_rng(0)
    found = {sampled_click(target, shown, np.ones((1, 4)), rng) for _ in range(40)}
    assert found == {Click(0, 0, True), Click(2, 0, False)}
    doubted = np.array([[0.0, 1.0, 1.0, 1.0]])
    assert {sampled_click(target, shown, doubted, rng) for _ in range(20)} == {Click(2, 0, False)}


def test_a_mask_without_an_error_needs_no_click() -> None:
    target = np.array([[True, False]])
    assert sampled_click(target, target, np.ones((1, 2)), np.random.default_rng(0)) is None
