"""How good a refiner is on a test split: what it makes of the model's answers, and how far its map can be trusted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from samtta_app.core.certainty import Reliability, pooled, reliability
from samtta_app.core.masks import bounding_box, trimmed
from samtta_app.core.metrics import boundary_iou, iou
from samtta_app.errors import DatasetError
from samtta_app.model.predictor import upscaled
from samtta_app.model.sam import SamModel
from samtta_app.train.gap_samples import clicks_on
from samtta_app.train.refiner_samples import Windows, answers, mask_of, seen
from samtta_app.train.sets import read_sets
from samtta_app.uncertainty.refine import Refiner, difference_in_window, refined, untrained

log = logging.getLogger(__name__)

OF_THE_REFINER = ("refined_iou", "refined_boundary_iou", "right_60", "pixels_60", "right_80", "pixels_80")
"""Figures that depend on the refiner; the others are the model's own."""

Told = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """One object of a window, answered after one click as a person is: the answer, the refined mask, and the map."""

    iou: float
    boundary_iou: float
    refined_iou: float
    refined_boundary_iou: float
    reliability: Reliability


@torch.no_grad()
def checked(model: SamModel, refiners: Sequence[Refiner], windows: Windows, number: int) -> list[list[Checked]]:
    """For each refiner, the objects of a window whose answer is not empty, at window resolution.

    Raises:
        DatasetError: as in `Windows.draw`.
    """
    view, rng = windows.draw(number)
    kept, objects = seen(model, view)
    features = kept.to(torch.float32)
    found: list[list[Checked]] = [[] for _ in refiners]
    for bits in objects:
        target, click = trimmed(bits), clicks_on(bits, rng, 2)[0]
        prompt, _, logits, shown = next(answers(model, features, target, click, 0))
        box = bounding_box(shown)
        if box is None:
            continue
        right = (upscaled(model, logits[None], features)[0] > 0).cpu().numpy() == bits
        for refiner, rows in zip(refiners, found, strict=True):
            other, _ = refined(model, refiner, features, prompt, logits, box)
            uncertainty = difference_in_window(model, logits[None], other[None], features)[0].cpu().numpy()
            after = mask_of(model, features, other)
            rows.append(
                Checked(
                    *(iou(shown, target), boundary_iou(shown, target, features.window)),
                    *(iou(after, target), boundary_iou(after, target, features.window)),
                    reliability(uncertainty, right),
                )
            )
    return found


def held_out_figures(
    model: SamModel, refiner: Refiner, datasets: Sequence[Path], count: int, seed: int, told: Told
) -> dict[str, float]:
    """Figures on `count` windows of the test splits; empty where there is nothing to test on.

    What the model's own decoder makes of its answers, untrained, is there as `before_...`.
    """
    try:
        records = [of_set for of_set in read_sets(datasets, "test", datasets[0]).values() if of_set]
        windows = Windows(records, model.size, seed, change=False)
        rows: tuple[list[Checked], ...] = ([], [])
        for number in range(count):
            for of_refiner, more in zip(
                rows, checked(model, (untrained(model), refiner), windows, number), strict=True
            ):
                of_refiner.extend(more)
            told((number + 1) / count, f"measuring on the test split: window {number + 1} of {count}")
    except DatasetError as e:
        log.warning("no figures on a test split: %s", e)
        return {}
    before, after = (figures(of_refiner) for of_refiner in rows)
    return {**{f"before_{name}": value for name, value in before.items() if name in OF_THE_REFINER}, **after}


def figures(rows: Sequence[Checked]) -> dict[str, float]:
    """Means over objects, and shares of pixels (`core.certainty`); empty without objects."""
    if not rows:
        return {}
    names = ("iou", "boundary_iou", "refined_iou", "refined_boundary_iou")
    means = {name: float(np.mean([getattr(row, name) for row in rows])) for name in names}
    return {"objects": float(len(rows)), **means, **asdict(pooled([row.reliability for row in rows]))}
