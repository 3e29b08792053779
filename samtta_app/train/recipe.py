"""Recipes: what a training run is made of, read from TOML and checked."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a run with one input size and one falling learning rate; it ends after `steps`, else `minutes`."""

    name: str
    size: int
    images: int
    targets: int
    lr: float
    lr_end: float
    minutes: float = 0.0
    steps: int = 0
    backbone_share: float = 0.2
    """The backbone's learning rate is this share of `lr`."""
    frozen: tuple[str, ...] = ()
    """Prefixes of backbone parameters that are not trained."""
    warmup: int = 100
    ema: float = 0.998
    """Decay of the averaged weights per step; a short stage needs a smaller one, or it never arrives."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole run."""

    stages: tuple[Stage, ...]
    mixture: dict[str, float]
    seed: int = 1
    checkpoint_minutes: float = 4
    export_minutes: float = 8
    report_minutes: float = 5
    workers: int = 1


def _known(cls: type[Stage] | type[Recipe], values: dict[str, Any], where: str) -> dict[str, Any]:
    unknown = set(values) - {field.name for field in fields(cls)}
    if unknown:
        raise ValueError(f"{where}: unknown keys {', '.join(sorted(unknown))}")
    return values


def _stage(values: dict[str, Any], where: str) -> Stage:
    try:
        stage = Stage(**{**_known(Stage, values, where), "frozen": tuple(values.get("frozen", ()))})
    except TypeError as e:
        raise ValueError(f"{where}: {e}") from e
    if stage.size % 32 or stage.size < 32:
        raise ValueError(f"{where}: size must be a multiple of 32, not {stage.size}")
    if stage.steps <= 0 and stage.minutes <= 0:
        raise ValueError(f"{where}: either steps or minutes must be above 0")
    return stage


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe. Raises `ValueError` that names the file, the place and what is wrong."""
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as e:
        raise ValueError(f"{path}: cannot be read as a recipe: {e}") from e
    stages = values.pop("stage", [])
    if not stages or not values.get("mixture"):
        raise ValueError(f"{path}: a recipe needs a [mixture] and at least one [[stage]]")
    built = tuple(_stage(stage, f"{path}, stage {i + 1}") for i, stage in enumerate(stages))
    return Recipe(**{**_known(Recipe, values, str(path)), "stages": built})
