"""Weights stored in half precision answer as those that were trained."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch

from samtta_app.model.backbones.compact import CompactSam, load_compact, save_compact
from samtta_app.settings import resource
from samtta_app.train.compact.evaluate import measure_curve
from samtta_app.train.data.crops import TrainingView

MOST = 0.002
"""Difference of the mean IoU that storing may make."""


def views(count: int = 8, size: int = 256) -> list[TrainingView]:
    """Bright blobs on a grainy ground."""
    made = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        x, y, radius = rng.uniform(80, 170), rng.uniform(80, 170), rng.uniform(18, 50)
        rows, columns = np.mgrid[:size, :size]
        angle = np.arctan2(rows - y, columns - x)
        blob = np.hypot(rows - y, columns - x) < radius * (1 + 0.2 * np.sin(3 * angle + seed))
        pixels = np.where(blob, 165, 90)[..., None] + rng.normal(0, 14, (size, size, 3))
        made.append(TrainingView(pixels.clip(0, 255).astype(np.uint8), (blob.astype(np.uint8),), (size, size)))
    return made


def as_trained(stored: CompactSam) -> CompactSam:
    """Float32 weights anywhere between the neighbours of the stored ones: what training might have ended with."""
    generator = torch.Generator().manual_seed(0)
    model = copy.deepcopy(stored)
    for value in model.state_dict().values():
        if value.is_floating_point():
            step = torch.finfo(torch.float16).eps * value.abs()
            value += step * (torch.rand(value.shape, generator=generator) - 0.5)
    return model


def test_half_precision_does_not_change_the_mean_iou(tmp_path: Path) -> None:
    stored = load_compact(resource("models/samtta-small.safetensors"))
    trained = as_trained(stored)
    save_compact(trained, tmp_path / "model.safetensors")
    again = load_compact(tmp_path / "model.safetensors")
    name = "mask_decoder.iou_token.weight"
    assert not torch.equal(trained.state_dict()[name], again.state_dict()[name])
    before, after = (measure_curve(model, views(), 4) for model in (trained, again))
    assert before.at(1) > 0.6
    for click in (1, 2, 3, 4):
        assert abs(before.at(click) - after.at(click)) <= MOST
