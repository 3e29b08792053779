"""The learning rate rises and falls, frozen parts stay, and the average follows."""

from dataclasses import replace

import pytest
import torch

from samtta_app.model.backbones.compact import build_compact
from samtta_app.train.checkpoint import RunCounter
from samtta_app.train.compact.recipe import TrainingStage
from samtta_app.train.compact.schedule import (
    compact_optimiser,
    cosine_rate,
    quickened,
    stage_share,
    update_average,
    weight_average,
)
from tests.unit.train.toy import TOY

STAGE = TrainingStage(name="a", size=64, images=2, targets=2, lr=1e-3, lr_end=1e-5, steps=4, warmup=1)


def test_the_learning_rate_warms_up_and_falls() -> None:
    progress = [RunCounter(stage_step=step) for step in range(5)]
    rates = [cosine_rate(STAGE, p) for p in progress]
    assert rates[0] == pytest.approx(1e-3)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(1e-5)
    assert stage_share(TrainingStage("b", 64, 1, 1, 1e-3, 0, minutes=2), RunCounter(stage_seconds=60)) == 0.5


def test_frozen_parts_are_not_trained_and_a_later_stage_frees_them() -> None:
    model = build_compact(TOY)
    compact_optimiser(model, TrainingStage("a", 64, 1, 1, 1e-3, 0, steps=1, frozen=("conv_stem",)))
    stem = model.image_encoder.backbone.conv_stem.weight
    assert not stem.requires_grad
    optimiser = compact_optimiser(model, STAGE)
    assert stem.requires_grad
    held = sum(len(group["params"]) for group in optimiser.param_groups)
    assert held == len(list(model.parameters()))


def test_vectors_do_not_decay_and_the_backbone_is_slower() -> None:
    model = build_compact(TOY)
    groups = compact_optimiser(model, STAGE).param_groups
    assert {(group["share"], group["weight_decay"]) for group in groups} == {
        *((0.2, 0.0), (0.2, 0.01)),
        *((1.0, 0.0), (1.0, 0.01)),
    }
    assert all((p.ndim > 1) == (group["weight_decay"] > 0) for group in groups for p in group["params"])


@pytest.mark.parametrize("by", [1.0, 15.0, 0.0])
def test_maps_of_likeness_change_many_times_as_much(by: float) -> None:
    model = build_compact(replace(TOY, similarity=True, context=True))
    parts = [layers[0].weight for layers in (model.prompt_encoder.maps_to_dense, model.prompt_encoder.maps_to_skip)]
    optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    with quickened(model, by):
        optimiser.step()
    for part, name in zip(parts, ("maps_to_dense", "maps_to_skip"), strict=True):
        change = before.pop(f"prompt_encoder.{name}.0.weight") - part.detach()
        assert torch.allclose(change[:, :8], torch.tensor(0.5), atol=1e-6)
        assert torch.allclose(change[:, 8:], torch.tensor(0.5 * by), atol=1e-5)
        assert change.shape[1] == 24
    assert all(
        torch.allclose(before[n] - p.detach(), torch.tensor(0.5)) for n, p in model.named_parameters() if n in before
    )


def test_a_model_without_such_maps_changes_as_ever() -> None:
    model = build_compact(TOY)
    before = model.prompt_encoder.maps_to_dense[0].weight.detach().clone()
    with quickened(model, 15.0):
        torch.nn.init.zeros_(model.prompt_encoder.maps_to_dense[0].weight)
    assert before.shape[1] == 8
    assert not model.prompt_encoder.maps_to_dense[0].weight.any()


def test_the_average_follows_the_model() -> None:
    model, average = build_compact(TOY), weight_average(build_compact(TOY))
    before = average.module.mask_decoder.iou_token.weight.clone()
    target = model.mask_decoder.iou_token.weight
    update_average(average, model, 0.9, step=1000)
    after = average.module.mask_decoder.iou_token.weight
    assert torch.allclose(after, 0.9 * before + 0.1 * target, atol=1e-6)
