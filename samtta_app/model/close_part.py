"""The part of an encoded window that is about one object: its hypotheses are decoded there, at the same resolution.

Sixteen passes over a quarter of the cells cost a quarter of the time. It needs a model that answers at any size.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from samtta_app.core.masks import bounding_box
from samtta_app.core.types import Mask, Prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.predictor import ImageFeatures, to_input

PART_SHARE = 0.5
"""Side of the part, in sides of the window."""

FILLED = 0.5
"""What the object and its prompt may fill of the part: larger readings, such as a neighbour as well, must fit in too."""

OUTSIDE = -10.0
"""Logits outside of the part: surely background."""


class WindowPart(NamedTuple):
    """A square of `side` cells of the embedding from `row`, `column` on."""

    row: int
    column: int
    side: int


def part_about(model: SamModel, features: ImageFeatures, prompt: Prompt, shown: Mask) -> WindowPart | None:
    """The part about a mask and its prompt; None where they need the whole window, or the model has one size only."""
    cells = features.embedding.shape[-1]
    side = round(cells * PART_SHARE)
    found = bounding_box(shown)
    if not model.policy.any_size or found is None or side < 1:
        return None
    corners = [(found.x0, found.y0), (found.x1, found.y1), *((click.x, click.y) for click in prompt.clicks)]
    if prompt.box is not None:
        corners += [(prompt.box.x0, prompt.box.y0), (prompt.box.x1, prompt.box.y1)]
    places = to_input(model, features.window, features.valid, torch.tensor(corners, dtype=torch.float32))
    low, high = (places.amin(dim=0) / model.size * cells).tolist(), (places.amax(dim=0) / model.size * cells).tolist()
    if max(b - a for a, b in zip(low, high, strict=True)) > FILLED * side:
        return None
    column, row = (min(max(round((a + b - side) / 2), 0), cells - side) for a, b in zip(low, high, strict=True))
    return WindowPart(row, column, side)


def part_features(model: SamModel, features: ImageFeatures, part: WindowPart | None) -> ImageFeatures:
    """The features of a part; prompts are still given in image pixels."""
    if part is None:
        return features
    stride = model.size // features.embedding.shape[-1]
    return replace(
        features,
        embedding=part_cells(features.embedding, part, 1).contiguous(),
        skips=tuple(
            part_cells(skip, part, skip.shape[-1] // features.embedding.shape[-1]).contiguous()
            for skip in features.skips
        ),
        origin=(part.column * stride, part.row * stride),
        side=part.side * stride,
    )


def part_cells(values: Tensor, part: WindowPart | None, fine: int) -> Tensor:
    """A part of maps (..., fine * g, fine * g)."""
    if part is None:
        return values
    rows, columns = (slice(start * fine, (start + part.side) * fine) for start in (part.row, part.column))
    return values[..., rows, columns]


def onto_window(logits: Tensor, part: WindowPart | None, grid: int) -> Tensor:
    """Logits (m, g, g) of a part, in the grid (m, G, G) of the whole window."""
    if part is None:
        return logits
    fine = logits.shape[-1] // part.side
    whole = logits.new_full((len(logits), grid, grid), OUTSIDE)
    part_cells(whole, part, fine).copy_(logits)
    return whole


def cut_off(logits: Tensor, part: WindowPart, cells: int) -> bool:
    """Whether the part's edge, where it is not the window's, cuts any of the masks of logits (m, g, g).

    Args:
        cells: of the window's embedding along one side.
    """
    inside = logits > 0
    ends = part.row + part.side < cells, part.column + part.side < cells
    edges = (
        (part.row > 0, inside[:, 0]),
        (part.column > 0, inside[:, :, 0]),
        (ends[0], inside[:, -1]),
        (ends[1], inside[:, :, -1]),
    )
    return any(inner and bool(edge.any()) for inner, edge in edges)
