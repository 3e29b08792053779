"""Checkpoints of a run: everything that is needed to go on at the very next step."""

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from samtta_app.model.compact import CompactConfig, CompactSam


@dataclass(slots=True)
class Progress:
    """Where a run is. Mutable: it is the loop's own counter."""

    step: int = 0
    """Steps of the whole run; it also numbers the samples."""
    stage: int = 0
    stage_step: int = 0
    stage_seconds: float = 0.0
    seconds: float = 0.0
    masks: int = 0
    first_iou: float = 0.0
    last_iou: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


def save_checkpoint(
    path: Path, model: CompactSam, ema: CompactSam, optimiser: torch.optim.Optimizer, progress: Progress
) -> None:
    """Write a checkpoint atomically: when the disk is full, the previous one stands."""
    temporary = path.with_name(path.name + ".part")
    try:
        torch.save(
            {
                "config": asdict(model.config),
                "model": model.state_dict(),
                "ema": ema.state_dict(),
                "optimiser": optimiser.state_dict(),
                "progress": asdict(progress),
            },
            temporary,
        )
        os.replace(temporary, path)
    except (OSError, RuntimeError):  # torch reports a full disk as a RuntimeError
        temporary.unlink(missing_ok=True)
        raise


def read_checkpoint(path: Path, config: CompactConfig) -> dict[str, Any]:
    """Read a checkpoint. Raises `ValueError` where it is unreadable or belongs to another architecture."""
    try:
        values: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found = values["config"]
    except Exception as e:  # torch raises whatever the broken pickle raises
        raise ValueError(f"{path}: cannot be read as a training checkpoint: {e}") from e
    if found != asdict(config):
        raise ValueError(f"{path}: is a run of another architecture: {found}, wanted {asdict(config)}")
    return values
