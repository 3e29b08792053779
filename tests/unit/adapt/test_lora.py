"""LoRA factors: which weights they change, by how much, and from where they begin."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samtta_app.adapt.strategies.lora import PROJECTIONS, merged_lora, new_factors
from samtta_app.model.model_registry import toy_model
from tests.unit.adapt.test_strategy import COMPACT, same

TENSORS = toy_model().frozen.tensors


@pytest.mark.parametrize("tensors", [TENSORS, COMPACT.frozen.tensors], ids=["sam", "compact"])
def test_query_key_and_value_of_every_attention_are_adapted_and_nothing_else(tensors: dict[str, torch.Tensor]) -> None:
    names = {key.rpartition(".")[0] for key in new_factors(tensors, 2, np.random.default_rng(0))}
    assert len(names) == 3 * (3 * 1 + 1)  # three attentions in the one layer, and the final one
    assert all(".q_proj." in name or ".k_proj." in name or ".v_proj." in name for name in names)
    assert all(PROJECTIONS.fullmatch(name) for name in names)


def test_fresh_factors_change_nothing_and_follow_the_seed() -> None:
    one, two, other = (new_factors(TENSORS, 4, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert same(merged_lora(TENSORS, one, 1.0), TENSORS)
    assert same(one, two)
    assert not same(one, other)
    a = one["transformer.layers.0.self_attn.q_proj.weight.A"]
    assert a.shape == (4, 32)
    assert 0.1 < float(a.abs().max()) <= 32**-0.5
    assert one["transformer.final_attn_token_to_image.v_proj.weight.B"].shape == (16, 4)


def test_the_merged_weight_is_the_original_plus_the_scaled_product() -> None:
    name = "w.transformer.attn.q_proj.weight".removeprefix("w.")
    tensors = {name: torch.ones(2, 3), "other": torch.zeros(1)}
    factors = {f"{name}.A": torch.tensor([[1.0, 2.0, 3.0]]), f"{name}.B": torch.tensor([[10.0], [-1.0]])}
    result = merged_lora(tensors, factors, 0.5)
    assert result[name].tolist() == [[6.0, 11.0, 16.0], [0.5, 0.0, -0.5]]
    assert result["other"] is tensors["other"]
    assert tensors[name].tolist() == [[1.0] * 3] * 2


def test_gradients_reach_the_factors_and_not_the_original() -> None:
    factors = {key: value.requires_grad_() for key, value in new_factors(TENSORS, 2, np.random.default_rng(0)).items()}
    total = torch.stack([tensor.sum() for tensor in merged_lora(TENSORS, factors, 1.0).values()]).sum()
    total.backward()
    assert all(value.grad is not None for value in factors.values())
    assert all(value.grad is None for value in TENSORS.values())


@pytest.mark.parametrize(("tensors", "rank"), [(TENSORS, 0), ({"bias": torch.zeros(2)}, 4)])
def test_no_rank_or_no_projection_is_refused(tensors: dict[str, torch.Tensor], rank: int) -> None:
    with pytest.raises(ValueError, match="no factors"):
        new_factors(tensors, rank, np.random.default_rng(0))
