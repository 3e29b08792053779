"""Decoder weights travel as bytes and come back bit for bit, or are refused."""

from __future__ import annotations

import pytest
import torch

from samtta_app.errors import CheckpointError
from samtta_app.model.sam import toy_model
from samtta_app.model.weights import Weights, all_finite, from_bytes, published, to_bytes, trainable_copy


def test_bytes_come_back_bit_for_bit() -> None:
    frozen = toy_model().frozen
    again = from_bytes(7, to_bytes(frozen, "toy"), "toy", frozen)
    assert again.version == 7
    assert all(torch.equal(again.tensors[key], value) for key, value in frozen.tensors.items())


def test_weights_of_another_model_are_refused_with_both_names() -> None:
    frozen = toy_model().frozen
    with pytest.raises(CheckpointError, match=r"'other'.*'toy'"):
        from_bytes(1, to_bytes(frozen, "other"), "toy", frozen)


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_damaged_bytes_are_refused(cut: int) -> None:
    frozen = toy_model().frozen
    with pytest.raises(CheckpointError, match="damaged"):
        from_bytes(1, to_bytes(frozen, "toy")[:cut], "toy", frozen)


def test_other_shapes_and_nan_are_refused() -> None:
    frozen = toy_model().frozen
    key = next(iter(frozen.tensors))
    for wrong in (torch.zeros(1), torch.full_like(frozen.tensors[key], float("nan"))):
        changed = Weights(1, {**frozen.tensors, key: wrong})
        with pytest.raises(CheckpointError, match="do not fit"):
            from_bytes(1, to_bytes(changed, "toy"), "toy", frozen)


def test_a_trainable_copy_shares_nothing_with_the_original() -> None:
    frozen = toy_model().frozen
    copy = trainable_copy(frozen)
    kept = published(1, copy)
    with torch.no_grad():
        for tensor in copy.values():
            tensor.add_(1)
    for key, value in frozen.tensors.items():
        assert torch.equal(kept.tensors[key], value)
        assert not torch.equal(copy[key], value)
        assert not kept.tensors[key].requires_grad


def test_an_infinity_is_not_finite() -> None:
    assert all_finite({"a": torch.zeros(2)})
    assert not all_finite({"a": torch.zeros(2), "b": torch.tensor([float("inf")])})
