"""Entropy is one bit where the mask is undecided and nothing where it is sure."""

from __future__ import annotations

import torch

from samtta_app.uncertainty.maps import entropy, mean_entropy


def test_an_even_chance_is_one_bit_and_certainty_is_none() -> None:
    values = entropy(torch.tensor([0.0, 20.0, -20.0]))
    assert torch.allclose(values, torch.tensor([1.0, 0.0, 0.0]), atol=1e-4)


def test_entropy_does_not_depend_on_the_sign() -> None:
    logits = torch.linspace(-5, 5, 11)
    assert torch.allclose(entropy(logits), entropy(-logits), atol=1e-6)


def test_the_number_of_a_mask_looks_where_the_mask_is() -> None:
    logits = torch.full((2, 8, 8), -20.0)
    logits[0, :4], logits[1, :4] = 20.0, 0.5
    sure, unsure = mean_entropy(logits)
    assert sure < 0.001
    assert 0.9 < unsure <= 1.0


def test_extreme_logits_stay_finite() -> None:
    assert torch.isfinite(mean_entropy(torch.tensor([[[1e9, -1e9]]]))).all()


def test_the_number_is_the_same_where_the_map_is_at_hand() -> None:
    logits = torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(2)) * 4
    assert torch.equal(mean_entropy(logits, entropy(logits)), mean_entropy(logits))
