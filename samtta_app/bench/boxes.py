"""The first answer to a box around each object, as a user draws it, with the original weights.

Source: Kirillov et al. 2023, "Segment Anything", appendix A, gives the noise of the box's sides.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from samtta_app.bench.points import seen_objects
from samtta_app.core.clicks import BOX_NOISE, BOX_NOISE_LIMIT
from samtta_app.core.masks import bounding_box
from samtta_app.core.messages import PredictRequest, ReportProgress
from samtta_app.core.metrics import iou
from samtta_app.core.replies import Answer
from samtta_app.core.types import Box, Prompt, Window
from samtta_app.datasets.folder import TargetObject
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import UserError
from samtta_app.simulation.streams import Source


@dataclass(frozen=True, slots=True)
class BoxRow:
    """One box and its answer: `x0` .. `y1` in image pixels, IoU of the shown mask and of the best candidate."""

    set: str
    image: str
    object: int
    x0: float
    y0: float
    x1: float
    y1: float
    iou: float
    best_iou: float
    model: str = ""


def drawn_box(target: TargetObject, seed: int, extent: Window) -> Box | None:
    """The true box with SAM's noise, within the image; None for an empty object."""
    box = bounding_box(target.mask)
    if box is None:
        return None
    rng = np.random.default_rng([seed, target.instance, *os.fsencode(target.image.name)])
    lengths = np.array([box.x1 - box.x0 + 1, box.y1 - box.y0 + 1] * 2)
    limit = BOX_NOISE_LIMIT * extent.side
    noise = np.clip(rng.standard_normal(4) * BOX_NOISE * lengths, -limit, limit)
    corners = np.array([box.x0, box.y0, box.x1, box.y1]) + noise
    (x0, x1), (y0, y1) = np.sort(corners[::2]), np.sort(corners[1::2])
    right, bottom = extent.width - 1.0, extent.height - 1.0
    return Box(*(float(np.clip(v, 0.0, end)) for v, end in ((x0, right), (y0, bottom), (x1, right), (y1, bottom))))


def run_boxes(
    engine: Engine, source: Source, *, objects: int, seed: int, split: str | None, told: ReportProgress
) -> tuple[BoxRow, ...]:
    """One box around every object.

    Raises:
        DatasetError: the set cannot be used.
        UserError: an image cannot be read.
    """
    found: list[BoxRow] = []
    for image, target, numbers in seen_objects(engine, source, objects=objects, seed=seed, split=split, told=told):
        box = drawn_box(target, seed, image.whole)
        if box is None:
            continue
        reply = run(engine, PredictRequest(next(numbers), image, Prompt(box=box), twin=True))
        if not isinstance(reply, Answer):
            raise UserError(f"The engine could not answer: {getattr(reply, 'text', '')}", target.image.path)
        offered = [iou(candidate.mask, target.mask) for candidate in reply.candidates] or [0.0]
        shown = offered[reply.chosen] if reply.candidates else 0.0
        corners = (box.x0, box.y0, box.x1, box.y1)
        found.append(BoxRow(source.name, target.image.name, target.instance, *corners, shown, max(offered)))
    return tuple(found)
