"""Recipes: what a training run is made of, read from TOML and checked.

A recipe is one TOML file with the keys of `Recipe`. A table `[mixture]` holds data set names and their shares. Each
`TrainingStage` has a table `[[stage]]`. Optional tables `[augmentation]` and `[zoom]` change the defaults of
`Augmentation` and `Zoom`. Unknown keys are refused, so that a misspelt key is not taken for a default.
"""

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from samtta_app import toml_text
from samtta_app.errors import SettingsError
from samtta_app.regular_files import SETTINGS_BYTES, read_text
from samtta_app.settings import resource
from samtta_app.train.data.augment import Augmentation
from samtta_app.train.data.crops import Zoom

_TABLES = {"stages": "stage", "mixture": "mixture", "augmentation": "augmentation", "zoom": "zoom"}
"""Parts of a recipe that are separate tables, and the tables' names."""
_KINDS = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple[str, ...]: "a list of texts",
    tuple[float, float]: "two numbers",
}

Shares = TypeVar("Shares", Augmentation, Zoom)


@dataclass(frozen=True, slots=True)
class TrainingStage:
    """A part of a run with one input size and one falling learning rate; it ends after `steps`, else `minutes`."""

    name: str
    size: int
    """Side of the input in pixels, a multiple of 32."""
    images: int
    """Images in a batch."""
    targets: int
    """Objects of each image."""
    lr: float
    lr_end: float
    minutes: float = 0.0
    steps: int = 0
    backbone_share: float = 0.2
    """The backbone's learning rate is this share of `lr`."""
    likeness_share: float = 1.0
    """The weights of the maps of likeness change by this many times what `lr` changes others."""
    frozen: tuple[str, ...] = ()
    """Prefixes of backbone parameters that are not trained."""
    warmup: int = 100
    """Steps in which the learning rate rises to `lr`."""
    ema: float = 0.998
    """Decay of the averaged weights per step; short stages need a smaller one, or the average stays behind."""
    gpu_images: int = 0
    """Images in a batch on a GPU; 0: the same as elsewhere."""

    def with_images(self, images: int) -> "TrainingStage":
        """The stage with another batch size, and learning rates scaled by the square root of the ratio.

        The square root is the rule for Adam (Malladi et al. 2022, On the SDEs and Scaling Rules for Adaptive Gradient
        Algorithms).
        """
        by = math.sqrt(images / self.images)
        return replace(self, images=images, lr=self.lr * by, lr_end=self.lr_end * by)


def on_device(stages: Sequence[TrainingStage], device: str, *, halved: bool) -> tuple[TrainingStage, ...]:
    """Stages with the batch sizes of this type of device, halved where memory was too small."""
    placed = [s.with_images(s.gpu_images) if device == "cuda" and s.gpu_images else s for s in stages]
    return tuple(s.with_images(max(1, s.images // 2)) if halved else s for s in placed)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole run."""

    stages: tuple[TrainingStage, ...]
    mixture: Mapping[str, float]
    """Shares of the sets by name."""
    others: float = 0.5
    """Total share of the sets that the mixture does not name."""
    seed: int = 1
    checkpoint_minutes: float = 4
    export_minutes: float = 8
    report_minutes: float = 5
    """Minutes between two measurements of held-out images."""
    workers: int = 1
    """Processes that make samples; on a GPU at least the number of processors minus two."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    zoom: Zoom = field(default_factory=Zoom)


def shipped_recipe(name: str = "small") -> Path:
    """The recipe of this name that samtta ships, else the small model's.

    Recipes have the name of the size that they train from scratch. `continue` continues a trained model. An installed
    wheel has them among its resources, a checkout in `packaging/recipes`.
    """
    inside = resource("recipes")
    folder = inside if inside.is_dir() else resource("").parent / "packaging" / "recipes"
    own = folder / f"{name}.toml"
    return own if own.is_file() else folder / "small.toml"


def read_recipe(path: Path, minutes: float | None = None) -> Recipe:
    """Read and check a recipe; with `minutes`, its stages are scaled to this total length.

    Raises:
        SettingsError: the recipe is invalid; it names the file, the place and the problem.
    """
    try:
        values = toml_text.loads(read_text(path, SETTINGS_BYTES))
    except (OSError, ValueError) as e:
        raise SettingsError(
            f"The recipe cannot be read: {e}", path, "Give a TOML file; --help tells the default"
        ) from e
    where = str(path)
    own = {name: value for name, value in values.items() if name not in _TABLES.values()}
    stages = values.get("stage")
    _require(isinstance(stages, list) and bool(stages), where, "there must be at least one [[stage]]")
    recipe = Recipe(
        stages=tuple(_stage(stage, f"{where}, stage {i + 1}") for i, stage in enumerate(values["stage"])),
        mixture=_mixture(values.get("mixture"), f"{where}, [mixture]"),
        augmentation=_shares(Augmentation(), values.get("augmentation", {}), f"{where}, [augmentation]"),
        zoom=_shares(Zoom(), values.get("zoom", {}), f"{where}, [zoom]"),
        **_checked(Recipe, own, where),
    )
    _require(0 <= recipe.others < 1, where, "others must be from 0 to below 1")
    _require(recipe.seed >= 0 and recipe.workers >= 0, where, "seed and workers must not be negative")
    lengths = (recipe.checkpoint_minutes, recipe.export_minutes, recipe.report_minutes)
    _require(min(lengths) > 0, where, "checkpoint_minutes, export_minutes and report_minutes must be above 0")
    return recipe if minutes is None else _lasting(recipe, minutes, where)


def _lasting(recipe: Recipe, minutes: float, where: str) -> Recipe:
    scalable = minutes > 0 and all(stage.minutes > 0 for stage in recipe.stages)
    _require(scalable, where, f"only stages with minutes can be scaled to {minutes:g} minutes in all")
    by = minutes / sum(stage.minutes for stage in recipe.stages)
    return replace(recipe, stages=tuple(replace(s, minutes=s.minutes * by, steps=0) for s in recipe.stages))


def _stage(values: object, where: str) -> TrainingStage:
    stage = TrainingStage(**_checked(TrainingStage, values, where))
    _require(stage.size % 32 == 0 and stage.size >= 32, where, f"size must be a multiple of 32, not {stage.size}")
    _require(stage.images > 0 and stage.targets > 0, where, "images and targets must be above 0")
    _require(stage.steps > 0 or stage.minutes > 0, where, "either steps or minutes must be above 0")
    _require(0 <= stage.lr_end <= stage.lr and stage.lr > 0, where, "lr must be above 0 and lr_end from 0 to lr")
    _require(0 <= stage.ema < 1, where, "ema must be from 0 to below 1")
    least = min(
        *(stage.steps, stage.minutes, stage.warmup, stage.gpu_images), *(stage.backbone_share, stage.likeness_share)
    )
    _require(least >= 0, where, "nothing may be negative")
    return stage


def _mixture(values: object, where: str) -> dict[str, float]:
    shares = dict(values) if isinstance(values, Mapping) else {}
    fit = all(_is(share, float) and share >= 0 for share in shares.values())
    _require(
        fit and sum(shares.values()) > 0, where, "shares of data sets by name are needed, none negative, one above 0"
    )
    return {name: float(share) for name, share in shares.items()}


def _shares(default: Shares, values: object, where: str) -> Shares:
    """Shares of 0..1 and ranges above 0 from a table, replacing some defaults."""
    changed = _checked(type(default), values, where)
    for name, value in changed.items():
        if isinstance(value, tuple):
            _require(0 < value[0] <= value[1], where, f"{name} must be two numbers above 0, the lower one first")
        else:
            _require(0 <= value <= 1, where, f"{name} must be from 0 to 1")
    return replace(default, **changed)


def _checked(cls: type, values: object, where: str) -> dict[str, Any]:
    """The values of a TOML table for the plain fields of a class; checks names, kinds, and missing keys."""
    _require(isinstance(values, Mapping), where, "this must be a table")
    given = dict(values) if isinstance(values, Mapping) else {}
    plain = [entry for entry in fields(cls) if entry.name not in _TABLES]
    kinds = {entry.name: get_type_hints(cls)[entry.name] for entry in plain}
    for name, value in given.items():
        near = difflib.get_close_matches(name, kinds, n=1)
        _require(name in kinds, where, f"there is no key {name!r}", f"Did you mean {near[0]}" if near else "")
        _require(_is(value, kinds[name]), where, f"{name} must be {_KINDS[kinds[name]]}, not {value!r}")
    lacking = [entry.name for entry in plain if entry.default is MISSING and entry.name not in given]
    _require(not lacking, where, f"there is no {' and no '.join(lacking)}")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def _is(value: object, kind: object) -> bool:
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if kind is str:
        return isinstance(value, str)
    if kind == tuple[str, ...]:
        return isinstance(value, list) and all(_is(part, str) for part in value)
    return isinstance(value, list) and len(value) == 2 and all(_is(part, float) for part in value)


def _require(holds: bool, where: str, wrong: str, do: str = "") -> None:
    if not holds:
        raise SettingsError(f"The recipe cannot be used: {wrong}", where, do)
