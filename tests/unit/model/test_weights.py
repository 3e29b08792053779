"""Decoder weights travel as bytes and come back bit for bit, or are refused."""

from __future__ import annotations

import pytest
import torch

from samtta_app.errors import CheckpointError
from samtta_app.model.model_registry import toy_model
from samtta_app.model.weights import all_finite, detached, from_bytes, to_bytes, trainable_copy

FROZEN = toy_model().frozen.tensors


def test_bytes_come_back_bit_for_bit_without_facts_of_their_own() -> None:
    tensors, facts = from_bytes(7, to_bytes(FROZEN, "toy"), "toy", FROZEN)
    assert facts == {}
    assert tensors.keys() == FROZEN.keys()
    assert all(torch.equal(tensors[key], value) for key, value in FROZEN.items())


def test_odd_values_come_back_bit_for_bit() -> None:
    key = next(iter(FROZEN))
    odd = torch.full_like(FROZEN[key], 5e-45)
    odd.view(-1)[0] = -0.0
    tensors, _ = from_bytes(1, to_bytes({**FROZEN, key: odd}, "toy"), "toy", FROZEN)
    assert torch.equal(tensors[key].view(torch.int32), odd.view(torch.int32))


def test_facts_come_back_as_they_were() -> None:
    facts = {"strategy": "samtta", "evidence": "[[0.1, 0.2, 0.3]]", "words": 'Schön "et al."\n'}
    assert from_bytes(1, to_bytes(FROZEN, "toy", facts), "toy", FROZEN)[1] == facts


def test_a_fact_cannot_pretend_to_be_of_another_model() -> None:
    data = to_bytes(FROZEN, "toy", {"model": "other"})
    assert from_bytes(1, data, "toy", FROZEN)[1] == {}


def test_tensors_that_are_not_contiguous_or_need_a_gradient_are_stored() -> None:
    key, value = next((key, value) for key, value in FROZEN.items() if value.dim() == 2)
    turned = value.clone().t().contiguous().t().requires_grad_()
    assert not turned.is_contiguous()
    tensors, _ = from_bytes(1, to_bytes({**FROZEN, key: turned}, "toy"), "toy", FROZEN)
    assert torch.equal(tensors[key], value)
    assert not tensors[key].requires_grad


def test_weights_of_another_model_are_refused_with_both_names() -> None:
    with pytest.raises(CheckpointError, match=r"'other'.*'toy'"):
        from_bytes(1, to_bytes(FROZEN, "other"), "toy", FROZEN)


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_damaged_bytes_are_refused(cut: int) -> None:
    with pytest.raises(CheckpointError, match="damaged"):
        from_bytes(1, to_bytes(FROZEN, "toy")[:cut], "toy", FROZEN)


def test_other_shapes_and_nan_are_refused() -> None:
    key = next(iter(FROZEN))
    for wrong in (torch.zeros(1), torch.full_like(FROZEN[key], float("nan"))):
        with pytest.raises(CheckpointError, match="do not fit"):
            from_bytes(1, to_bytes({**FROZEN, key: wrong}, "toy"), "toy", FROZEN)


def test_missing_and_additional_tensors_are_refused() -> None:
    key = next(iter(FROZEN))
    fewer = {name: tensor for name, tensor in FROZEN.items() if name != key}
    for wrong in (fewer, {**FROZEN, "another": torch.zeros(1)}):
        with pytest.raises(CheckpointError, match="do not fit"):
            from_bytes(3, to_bytes(wrong, "toy"), "toy", FROZEN)


def test_a_trainable_copy_shares_nothing_with_the_original() -> None:
    copy = trainable_copy(FROZEN)
    kept = detached(copy)
    assert all(tensor.requires_grad and tensor.is_leaf for tensor in copy.values())
    with torch.no_grad():
        for tensor in copy.values():
            tensor.add_(1)
    for key, value in FROZEN.items():
        assert torch.equal(kept[key], value)
        assert not torch.equal(copy[key], value)
        assert not kept[key].requires_grad


def test_an_infinity_is_not_finite() -> None:
    assert all_finite({"a": torch.zeros(2)})
    assert not all_finite({"a": torch.zeros(2), "b": torch.tensor([float("inf")])})
