"""Checkpoints of a run: everything needed to continue at the next step."""

import io
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from samtta_app.core.files import write_whole
from samtta_app.errors import CheckpointError
from samtta_app.model.backbones.compact import CompactConfig, CompactSam

_PARTS = ("model", "ema", "optimiser", "progress")


@dataclass(slots=True)
class RunCounter:
    """Position of a run. Mutable, because it is the loop's own counter."""

    step: int = 0
    """Steps of the whole run; also the number of the next samples."""
    stage: int = 0
    stage_step: int = 0
    stage_seconds: float = 0.0
    seconds: float = 0.0
    masks: int = 0
    first_iou: float = 0.0
    last_iou: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    """Held-out figures: step, seconds, and the mean IoU `SET@CLICK` of each set after 1, 3 and 5 clicks."""
    halved: bool = False
    """Whether batches have half as many images as in the recipe, because memory was too small."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint as it was read: weights, their average, the optimiser's state, and the run's position."""

    model: dict[str, torch.Tensor]
    ema: dict[str, torch.Tensor]
    optimiser: dict[str, Any]
    progress: RunCounter


def save_checkpoint(
    path: Path, model: CompactSam, ema: CompactSam, optimiser: torch.optim.Optimizer, progress: RunCounter
) -> None:
    """Write a checkpoint whole or not at all.

    Raises:
        OSError: nothing was written (a full disk, for example); the previous checkpoint stays.
    """
    stored = io.BytesIO()
    values = {
        "config": asdict(model.config),
        "model": model.state_dict(),
        "ema": ema.state_dict(),
        "optimiser": optimiser.state_dict(),
        "progress": asdict(progress),
    }
    torch.save(values, stored)
    write_whole(path, stored.getvalue())


def read_checkpoint(path: Path, config: CompactConfig) -> Checkpoint:
    """Read a checkpoint; code inside is refused, not run.

    Raises:
        CheckpointError: it is missing, damaged, or belongs to a model of another architecture.
    """
    if not path.is_file():
        raise CheckpointError("There is no such checkpoint", path, "Give --resume a file that ends in .resume.pt")
    try:
        values: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found, parts = values["config"], {name: values[name] for name in _PARTS}
        progress = RunCounter(**parts.pop("progress"))
    except Exception as e:  # torch raises any exception of the damaged pickle
        raise CheckpointError(
            "The file is no training checkpoint, or it is damaged", path, "Start again with --fresh"
        ) from e
    if found != asdict(config):
        raise CheckpointError(
            f"The run in this file trains another architecture: {found}, wanted {asdict(config)}",
            path,
            "Give the --size that it was started with",
        )
    return Checkpoint(**parts, progress=progress)
