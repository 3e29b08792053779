"""Refiners for tests: a model's own decoder and prompt encoder, moved a little, on disk or in memory."""

from __future__ import annotations

from pathlib import Path

import torch

from samtta_app.core.types import Window
from samtta_app.model.backbone import SamModel
from samtta_app.model.predictor import ImageFeatures
from samtta_app.model.refiner import Refiner, of_tensors, refiner_bytes, save_refiner, untrained
from samtta_app.settings import model_folder
from samtta_app.train.decoder.decoder_samples import encode_window
from tests.unit.values import picture


def moved(model: SamModel, seed: int = 0, by: float = 0.05) -> Refiner:
    """A refiner that differs from its model, in the precision of a file."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {
        name: tensor + by * torch.randn(tensor.shape, generator=generator)
        for name, tensor in untrained(model).tensors.items()
    }
    return refiner_bytes(of_tensors(tensors, {}))


def put(model: SamModel, refiner: Refiner) -> Path:
    """Write a refiner where the engine looks for it: into the model folder."""
    path = model_folder() / f"{model.name}.refiner.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_refiner(refiner, model, path, {"data": "made for a test"})
    return path


def encoded(model: SamModel, height: int = 96, width: int = 128, window: Window | None = None) -> ImageFeatures:
    """Features of a picture with a bright disc."""
    image = picture(1, height, width, ((width // 2, height // 2, min(height, width) // 5),))
    return encode_window(model, image, window or image.whole)


def state(model: SamModel) -> dict[str, torch.Tensor]:
    """Copies of all that a model holds."""
    return {name: value.clone() for name, value in model.net.state_dict().items()}


def unchanged(model: SamModel, before: dict[str, torch.Tensor]) -> bool:
    """Whether it still holds the same, bit for bit, and nothing in it is to be trained."""
    same = all(torch.equal(value, before[name]) for name, value in model.net.state_dict().items())
    return same and not any(p.requires_grad or p.grad is not None for p in model.net.parameters())
