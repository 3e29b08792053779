"""Optimisation: AdamW, its learning rate along a stage, and the moving average that is shipped."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from timm.utils.model_ema import ModelEmaV3
from torch import nn

from samtta_app.model.backbones.compact import CompactSam
from samtta_app.model.backbones.compact_prompts import MAP_CHANNELS
from samtta_app.train.checkpoint import RunCounter
from samtta_app.train.compact.recipe import TrainingStage

BACKBONE = "image_encoder.backbone."
EMA_WARMUP = 9.0
"""Steps after which the average keeps half of itself: the first weights are no better than any others."""


def compact_optimiser(model: CompactSam, stage: TrainingStage) -> torch.optim.AdamW:
    """AdamW over the parameters that the stage trains: a lower rate for the backbone, no decay on vectors."""
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        of_backbone = name.startswith(BACKBONE)
        frozen = of_backbone and name.removeprefix(BACKBONE).startswith(stage.frozen or ("-",))
        parameter.requires_grad_(not frozen)
        if not frozen:
            groups.setdefault((of_backbone, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "share": stage.backbone_share if slow else 1.0, "weight_decay": 0.01 * decayed}
            for (slow, decayed), parameters in groups.items()
        ],
        lr=stage.lr,
    )


def stage_share(stage: TrainingStage, progress: RunCounter) -> float:
    """Completed share of a stage, 0..1, by its steps, else by its minutes."""
    if stage.steps:
        return min(1.0, progress.stage_step / stage.steps)
    return min(1.0, progress.stage_seconds / (60 * stage.minutes))


def cosine_rate(stage: TrainingStage, progress: RunCounter) -> float:
    """Cosine from `lr` to `lr_end`, after a linear warm-up."""
    falling = stage.lr_end + (stage.lr - stage.lr_end) * (1 + math.cos(math.pi * stage_share(stage, progress))) / 2
    return falling * min(1.0, (progress.stage_step + 1) / max(1, stage.warmup))


@contextmanager
def quickened(model: CompactSam, by: float) -> Iterator[None]:
    """While it lasts, the weights of the maps of likeness change `by` times as much.

    They begin at zero beside weights of some .13. Adam's steps are alike for all of them, so 790 steps brought them to .003.
    """
    prompts = model.prompt_encoder
    first = (cast(nn.Conv2d, layers[0]) for layers in (prompts.maps_to_dense, prompts.maps_to_skip))
    likeness = [layer.weight.detach()[:, MAP_CHANNELS:] for layer in first]
    before = [weights.clone() for weights in likeness]
    yield
    for weights, start in zip(likeness, before, strict=True):
        weights.lerp_(start, 1 - by)


def weight_average(model: CompactSam) -> ModelEmaV3:
    """Moving average of a model's weights; it follows faster at the start of a run."""
    return ModelEmaV3(model, use_warmup=True, warmup_gamma=EMA_WARMUP, warmup_power=1.0)


def update_average(average: ModelEmaV3, model: CompactSam, decay: float, step: int) -> None:
    """Move the average towards the model after step `step` (the first is 0), in place.

    Its weight stays min(decay, (1 + step) / (1 + step + EMA_WARMUP)).
    """
    average.decay = decay
    average.update(model, step + 2)  # timm counts from 1 and leaves the average alone only from the second on
