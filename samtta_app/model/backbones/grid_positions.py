"""The position code of a grid of features, which no prompt and no image changes: it is made once."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import torch
from torch import Tensor, nn

_KEPT = 4
"""Codes that are kept: those of two models at two sizes; each has 4 MB for official SAM."""


def grid_positions(layer: nn.Module, cells: int) -> Tensor:
    """SAM's position code (1, C, cells, cells) of a square grid, from its random frequencies; not to be changed.

    Args:
        layer: a `PositionEmbeddingRandom` of segment-anything or SAM 2.
        cells: along a side.
    """
    frequencies = cast(Tensor, layer.positional_encoding_gaussian_matrix)
    return _made(layer, frequencies, frequencies._version, cells)


@lru_cache(_KEPT)
def _made(layer: nn.Module, frequencies: Tensor, version: int, cells: int) -> Tensor:
    """The code of these frequencies, in their device's memory; a `version` counts changes in place."""
    del frequencies, version
    with torch.no_grad():
        return cast(Tensor, layer((cells, cells)))[None]
