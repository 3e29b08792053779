"""Outlines drawn again at the full resolution of the window, by a small network that sees the picture.

The decoder's grid has a cell of four input pixels. Nearly all errors left after a few clicks lie within two pixels of
the outline. The network reads the answer's logits, the picture and the clicks. It adds to the logits.

Related: the guided filter (He et al. 2013), which gained nothing here, and CascadePSP (Cheng et al. 2020), a larger
network for the same end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.types import Click
from samtta_app.model.backbone import SamModel
from samtta_app.model.companions import companion_of, read_companion, save_companion
from samtta_app.model.predictor import ImageFeatures, to_input

OUTLINE_WIDTH = 20
"""Channels. The network works at half of the input's resolution, where a mask costs some 3 billion multiplications."""

DILATIONS = (1, 2, 4, 2, 1)
"""Of the five convolutions in between; together they see 21 of their pixels each way, 42 of the input."""

CLICK_SPOT = 4.0
"""Standard deviation of a click's spot, in input pixels."""

_MARGIN = 0.25, 32
"""Around a mask that is drawn again: a share of its longer side, and at least so many input pixels."""

_CALM = 4.0
"""Divisor of the logits before tanh: beyond some 4 the decoder is sure."""


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """The network's `layers` by name, and the `facts` of its training."""

    layers: Mapping[str, Tensor]
    facts: Mapping[str, str]

    def __call__(self, logits: Tensor, picture: Tensor, clicks: Tensor) -> Tensor:
        """New logits (m, 1, h, w), differentiable; h and w are even.

        Args:
            logits: (m, 1, h, w), enlarged to the input's resolution.
            picture: (m, 3, h, w), see `normalised`; clicks: (m, 2, h, w), see `click_spots`.
        """
        w = self.layers
        x = F.pixel_unshuffle(torch.cat([torch.tanh(logits / _CALM), picture, clicks], 1), 2)
        x = F.relu(F.conv2d(x, w["in"], w["in_bias"], padding=1))
        for k, reach in enumerate(DILATIONS):
            x = x + F.relu(F.conv2d(x, w[f"block{k}"], w[f"block{k}_bias"], padding=reach, dilation=reach))
        return logits + F.pixel_shuffle(F.conv2d(x, w["out"], w["out_bias"]), 2)

    def to(self, device: torch.device) -> Outline:
        """The same on a device."""
        return Outline({name: layer.to(device) for name, layer in self.layers.items()}, self.facts)


def outline_shapes(width: int = OUTLINE_WIDTH) -> dict[str, tuple[int, ...]]:
    """The shape of every layer by name."""
    shapes: dict[str, tuple[int, ...]] = {"in": (width, 24, 3, 3), "in_bias": (width,)}
    for k in range(len(DILATIONS)):
        shapes |= {f"block{k}": (width, width, 3, 3), f"block{k}_bias": (width,)}
    return shapes | {"out": (4, width, 1, 1), "out_bias": (4,)}


def normalised(picture: NDArray[np.uint8]) -> Tensor:
    """A picture (h, w, 3) as (3, h, w), each channel about its mean, in units of the spread of all."""
    values = torch.from_numpy(picture).permute(2, 0, 1).float() / 127.5
    return (values - values.mean((1, 2), keepdim=True)) / (values.std(correction=0) + 0.05)


def click_spots(places: Tensor, signs: Sequence[bool], height: int, width: int) -> Tensor:
    """Maps (2, h, w) of include and of exclude clicks: round spots, 1 in their middle.

    Args:
        places: (n, 2) as x, y in input pixels.
        signs: of each click.
    """
    maps = torch.zeros(2, height, width)
    rows, columns = torch.arange(height, dtype=torch.float32), torch.arange(width, dtype=torch.float32)
    for (x, y), sign in zip(places.tolist(), signs, strict=True):
        down, along = (torch.exp((line - at).square() / (-2 * CLICK_SPOT**2)) for line, at in ((rows, y), (columns, x)))
        layer = maps[0 if sign else 1]
        torch.maximum(layer, down[:, None] * along[None], out=layer)
    return maps


def enlarged(model: SamModel, logits: Tensor) -> Tensor:
    """Logits (m, G, G) at the input's resolution (m, S, S)."""
    return F.interpolate(logits[None].float(), (model.size, model.size), mode="bilinear", align_corners=False)[0]


def redrawn(
    model: SamModel, outline: Outline, features: ImageFeatures, logits: Tensor, clicks: Sequence[Click]
) -> Tensor:
    """Logits (m, S, S) of masks whose outlines were drawn again; without gradient.

    Only the surroundings of each mask are looked at. Logits that would not be finite stay as they were, and so does a
    mask of which nothing would be left.

    Args:
        features: of the window, with its picture.
        logits: (m, G, G) of the masks.
    """
    found = enlarged(model, logits)
    if features.picture is None:
        return found
    height, width = features.valid
    picture, signs = normalised(features.picture), [click.positive for click in clicks]
    xy = torch.tensor([[click.x, click.y] for click in clicks], dtype=torch.float32).reshape(-1, 2)
    spots = click_spots(to_input(model, features.window, features.valid, xy), signs, height, width)
    with torch.no_grad():
        for layer in found:
            place = _surroundings(layer[:height, :width])
            if place is None:
                continue
            parts = (layer[place][None, None], picture[:, *place][None], spots[:, *place][None])
            new = outline(*_even(*(part.to(layer.device) for part in parts)))[0, 0]
            new = new[: place[0].stop - place[0].start, : place[1].stop - place[1].start]
            if (new > 0).any():  # an outline without a mask is no outline
                layer[place] = torch.where(torch.isfinite(new), new, layer[place])
    return found


def _even(*parts: Tensor) -> tuple[Tensor, ...]:
    """The parts with an even number of rows and columns, their last ones doubled."""
    height, width = parts[0].shape[-2:]
    return tuple(F.pad(part, (0, width % 2, 0, height % 2), mode="replicate") for part in parts)


def _surroundings(logits: Tensor) -> tuple[slice, slice] | None:
    """Rows and columns about a mask, None where it is empty."""
    inside = logits > 0
    spans = []
    for axis, length in ((1, logits.shape[0]), (0, logits.shape[1])):
        at = np.flatnonzero(inside.any(dim=axis).cpu().numpy())
        if not at.size:
            return None
        spans.append((int(at[0]), int(at[-1]) + 1, length))
    share, least = _MARGIN
    margin = max(round(share * max(stop - start for start, stop, _ in spans)), least)
    rows, columns = (slice(max(start - margin, 0), min(stop + margin, length)) for start, stop, length in spans)
    return rows, columns


# --- files ----------------------------------------------------------------------------------------------------------


def save_outline(outline: Outline, model: SamModel, path: Path, facts: Mapping[str, str]) -> None:
    """Write an outline network of `model`.

    Raises:
        ValueError, OSError: as in `save_companion`.
    """
    save_companion("outline", outline.layers, model, path, facts)


def load_outline(path: Path, model: SamModel) -> Outline:
    """Read the outline network that was trained for `model`.

    Raises:
        CheckpointError: as in `read_companion`.
    """
    return Outline(*read_companion("outline", path, model, outline_shapes())).to(model.device)


def outline_for(model: SamModel) -> Outline | None:
    """The outline network that is shipped or kept in the model folder for `model`."""
    return companion_of("outline", model, load_outline)
