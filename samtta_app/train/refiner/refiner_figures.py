"""Quality of a refiner on a test split: the refined answers, and the reliability of its map."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from samtta_app.core.certainty import Reliability, certainty_in_window, certainty_reliability, pooled
from samtta_app.core.clicks import usam_clicks
from samtta_app.core.masks import bounding_box, crop
from samtta_app.core.metrics import boundary_iou, iou
from samtta_app.errors import DatasetError
from samtta_app.model.backbone import SamModel
from samtta_app.model.refiner import Refiner, mask_of, refined, refinement_difference, refining_window, untrained
from samtta_app.train.decoder.decoder_samples import encode_window
from samtta_app.train.refiner.refiner_samples import Windows, pictures, refined_in, sampled_answers, seen
from samtta_app.train.training_sets import read_sets

log = logging.getLogger(__name__)

OF_THE_REFINER = ("refined_iou", "refined_boundary_iou", "right_60", "pixels_60", "right_80", "pixels_80")
"""Figures that depend on the refiner; the others are the model's own."""

_Told = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """One object of a window, answered after one click as for a user: the answer, the refined mask, and the map."""

    iou: float
    boundary_iou: float
    refined_iou: float
    refined_boundary_iou: float
    reliability: Reliability


@torch.no_grad()
def check_window(model: SamModel, refiners: Sequence[Refiner], windows: Windows, number: int) -> list[list[Checked]]:
    """For each refiner, the objects of a picture whose answer is not empty, at its resolution.

    The map covers the whole picture; pixels that the refiner does not see count as certain.

    Raises:
        DatasetError: as in `Windows.draw`.
    """
    view, rng = windows.draw(number)
    image, objects = seen(view)
    features = encode_window(model, image, image.whole)
    found: list[list[Checked]] = [[] for _ in refiners]
    for target in objects:
        prompt, logits, shown = next(
            sampled_answers(model, features, target, usam_clicks(target, image.whole, rng, 2)[0], 0)
        )
        box = bounding_box(shown)
        if box is None:
            continue
        window = refining_window(model, image.whole, shown, prompt, image.whole)
        close, given = refined_in(model, image, features, window, logits)
        right = crop(shown, image.whole) == crop(target, image.whole)
        for refiner, rows in zip(refiners, found, strict=True):
            other, _ = refined(model, refiner, close.to(torch.float32), prompt, given, box)
            after = mask_of(model, close, other)
            uncertainty = certainty_in_window(refinement_difference(given, other).cpu().numpy(), window, image.whole)
            rows.append(
                Checked(
                    *(iou(shown, target), boundary_iou(shown, target, image.whole)),
                    *(iou(after, target), boundary_iou(after, target, image.whole)),
                    certainty_reliability(uncertainty, right),
                )
            )
    return found


def held_out_figures(
    model: SamModel, refiner: Refiner, datasets: Sequence[Path], count: int, seed: int, told: _Told
) -> dict[str, float]:
    """Figures on `count` windows of the test splits; empty without test windows.

    The figures `before_...` are those of the model's own decoder as an untrained refiner.
    """
    try:
        records = [of_set for of_set in read_sets(datasets, "test", datasets[0]).values() if of_set]
        windows = pictures(model, records, seed, change=False)
        rows: tuple[list[Checked], ...] = ([], [])
        for number in range(count):
            for of_refiner, more in zip(
                rows, check_window(model, (untrained(model), refiner), windows, number), strict=True
            ):
                of_refiner.extend(more)
            told((number + 1) / count, f"measuring on the test split: window {number + 1} of {count}")
    except DatasetError as e:
        log.warning("no figures on a test split: %s", e)
        return {}
    plain, trained = (refiner_figures(of_refiner) for of_refiner in rows)
    return {**{f"before_{name}": value for name, value in plain.items() if name in OF_THE_REFINER}, **trained}


def refiner_figures(rows: Sequence[Checked]) -> dict[str, float]:
    """Means over objects, and shares of pixels (`core.certainty`); empty without objects."""
    if not rows:
        return {}
    names = ("iou", "boundary_iou", "refined_iou", "refined_boundary_iou")
    means = {name: float(np.mean([getattr(row, name) for row in rows])) for name in names}
    return {"objects": float(len(rows)), **means, **asdict(pooled([row.reliability for row in rows]))}
