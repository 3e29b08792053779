"""Averages of probabilities and their entropy, against values worked by hand."""

from __future__ import annotations

import math

import pytest
import torch

from samtta_app.uncertainty.entropies import (
    answer_entropy,
    deviation,
    mixed,
    picked,
    probabilities_on_grid,
    shares,
    task_entropy,
)
from samtta_app.uncertainty.maps import bits, entropy, mean_bits, mean_entropy

SURE, NOT = 1 - 1e-6, 1e-6


def h2(p: float) -> float:
    return -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def flat(*values: float) -> torch.Tensor:
    """Candidates (1, m, 2, 2) that are the same everywhere."""
    return torch.tensor(values).reshape(1, -1, 1, 1).expand(-1, -1, 2, 2)


def test_the_entropy_of_probabilities_is_that_of_their_logits() -> None:
    logits = torch.linspace(-6, 6, 48).reshape(3, 4, 4)
    assert torch.allclose(bits(torch.sigmoid(logits)), entropy(logits))
    assert torch.allclose(mean_bits(torch.sigmoid(logits)), mean_entropy(logits))


def test_the_mean_is_weighted_by_the_probability() -> None:
    p = torch.tensor([[0.8, 0.2]])
    assert float(mean_bits(p)) == pytest.approx(0.8 * h2(0.8) + 0.2 * h2(0.2), abs=1e-6)
    p = torch.tensor([[0.9, 0.5]])
    assert float(mean_bits(p)) == pytest.approx((0.9 * h2(0.9) + 0.5) / 1.4, abs=1e-6)


def test_candidates_count_by_their_predicted_iou() -> None:
    assert torch.allclose(shares(torch.tensor([0.6, 0.3, 0.1])), torch.tensor([0.6, 0.3, 0.1]))
    assert torch.allclose(shares(torch.tensor([1.8, 0.9, 0.3])), torch.tensor([0.6, 0.3, 0.1]))
    assert torch.allclose(shares(torch.tensor([0.5, -0.2, 0.5])), torch.tensor([0.5, 0.0, 0.5]))
    assert torch.allclose(shares(torch.tensor([-0.1, 0.0, -3.0])), torch.full((3,), 1 / 3))


def test_the_entropy_of_the_task_is_that_of_the_weighted_candidates() -> None:
    iou = torch.tensor([[0.6, 0.3, 0.1]])
    # .6 * 1 + .3 * 0 + .1 * 0
    assert task_entropy(flat(SURE, NOT, NOT), iou) == pytest.approx(h2(0.6), abs=1e-4)
    assert task_entropy(flat(SURE, SURE, SURE), iou) == pytest.approx(0, abs=1e-4)
    assert task_entropy(flat(0.5, 0.5, 0.5), iou) == pytest.approx(1)


def test_the_candidate_of_the_highest_predicted_iou_stands_for_an_answer() -> None:
    p = torch.cat([flat(0.1, 0.2, 0.3), flat(0.4, 0.5, 0.6)])
    found = picked(p, torch.tensor([[0.1, 0.9, 0.2], [0.8, 0.1, 0.2]]))
    assert found.shape == (2, 2, 2)
    assert found[:, 0, 0].tolist() == pytest.approx([0.2, 0.4])


def test_answers_that_agree_are_certain_and_answers_that_differ_are_not() -> None:
    agree = torch.full((4, 2, 2), SURE)
    assert answer_entropy(agree) == pytest.approx(0, abs=1e-4)
    differ = agree.clone()
    differ[0] = NOT
    assert answer_entropy(differ) == pytest.approx(h2(0.75), abs=1e-4)


def test_every_answer_counts_the_same_over_all_candidates() -> None:
    p, iou = torch.cat([flat(SURE, NOT, NOT), flat(NOT, SURE, NOT)]), torch.tensor([[0.5, 0.5, 0.0], [0.2, 0.6, 0.2]])
    # the answers are .5 and .6; their mean is .55
    assert mixed(p, iou)[:, 0, 0].tolist() == pytest.approx([0.5, 0.6], abs=1e-5)
    assert answer_entropy(mixed(p, iou)) == pytest.approx(h2(0.55), abs=1e-4)


def test_the_deviation_is_that_of_all_answers() -> None:
    p = torch.tensor([0.0, 0.0, 1.0, 1.0]).reshape(4, 1, 1).expand(-1, 3, 3)
    assert torch.allclose(deviation(p), torch.full((3, 3), 0.5))
    assert torch.equal(deviation(torch.full((8, 3, 3), 0.7)), torch.zeros(3, 3))


def test_another_grid_shows_the_same_place() -> None:
    p = torch.zeros(2, 8, 8)
    p[:, 4:, 4:] = 1
    small = probabilities_on_grid(p, 4)
    assert small.shape == (2, 4, 4)
    assert (small[:, 2:, 2:] == 1).all()
    assert (small[:, :2] == 0).all()
    assert probabilities_on_grid(p, 8) is p


def test_one_candidate_is_the_answer_itself() -> None:
    p = torch.rand(5, 1, 3, 3)
    assert torch.allclose(mixed(p, torch.rand(5, 1)), p[:, 0])
    assert torch.equal(picked(p, torch.rand(5, 1)), p[:, 0])
