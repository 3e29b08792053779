"""Likeness as pictures: what in a window looks like what was clicked, and like objects that were accepted before.

A prompt says where the object is. These maps also say what looks alike, so the decoder need not have learned the look.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from samtta_app.model.backbone import Look

COLOUR_WIDTHS = (0.15, 0.45)
"""Widths of the Gaussians over distances of colour; the colours' channels run from -1 to 1."""

SIMILARITY_CHANNELS = 2 * (3 + len(COLOUR_WIDTHS))
"""Include and exclude clicks, each in three depths of features and two widths of colour."""

CONTEXT_CHANNELS = 6
"""Accepted objects and their grounds, each in three depths of features."""

_CELL = 4
"""Pixels of a cell of the maps."""


class Context(NamedTuple):
    """Objects that were accepted before, as seen in three depths of features: unit vectors (B, K, C) of each depth."""

    objects: tuple[Tensor, ...]
    grounds: tuple[Tensor, ...]
    known: Tensor
    """(B, K) bool: which of the K rows hold an object."""


def similarity_maps(coords: Tensor, labels: Tensor, units: Sequence[Tensor], colours: Tensor, size: int) -> Tensor:
    """How much each place is like what was clicked: (B, 10, S/4, S/4), include then exclude.

    Of several clicks the greatest likeness counts. Without a click of a sign, its likeness is 0.

    Args:
        coords: (B, N, 2) as x, y in pixels of the window.
        labels: (B, N), 1 include, 0 exclude; anything else is padding.
        units: three maps (B or 1, C, h, w) of `unit_features`. They are compared by the cosine.
        colours: the window's (B or 1, 3, h, w). They are compared by their distance.
        size: S, the side of the window in pixels.
    """
    where = ((coords.float() + 0.5) / size * 2 - 1)[:, None]
    squared = _squared_distance(colours.float(), where)
    alike = [_cosine(part, where) for part in units]
    alike += [torch.exp(squared / (-2 * width * width)) for width in COLOUR_WIDTHS]
    signs = torch.stack([labels == 1, labels == 0], dim=1)
    return torch.stack([_best(part, signs, size) for part in alike], dim=2).flatten(1, 2)


def _best(alike: Tensor, chosen: Tensor, size: int) -> Tensor:
    """The greatest of likenesses (B, N, h, w) in each of K choices (B, K, N), 0 in an empty one: (B, K, S/4, S/4)."""
    cells, chosen = (size // _CELL,) * 2, chosen[..., None, None]
    best = torch.where(chosen, alike[:, None], -1.0).amax(2)
    best = torch.where(chosen.any(2), best, 0.0)
    return best if best.shape[2:] == cells else F.interpolate(best, size=cells, mode="bilinear", align_corners=False)


def pooled_vectors(features: Sequence[Tensor], masks: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Unit vectors (B, C) of objects and of the grounds about them, in each of the first three features (B, C, h, w).

    `masks` (B, S/4, S/4): the share of each cell that the object covers. The ground reaches as far as the object is wide.
    """
    objects, grounds = [], []
    side = masks.shape[-1]
    reach = (masks.sum((1, 2)).sqrt() / 2).clamp(1, side / 4)
    for part in features[:3]:
        values = unit_features(part)
        inside = F.interpolate(masks[:, None], size=values.shape[2:], mode="area")
        steps = (reach * values.shape[-1] / side).round().clamp(min=1)
        near = _dilated((inside > 0.05).float(), steps)
        ground = near * (inside < 0.05)
        objects.append(F.normalize((values * inside).sum((2, 3)), dim=1))
        grounds.append(F.normalize((values * ground).sum((2, 3)), dim=1))
    return tuple(objects), tuple(grounds)


def context_of(looks: Sequence[Look]) -> Context:
    """The context of one prompt: its accepted objects (at least one), whichever prompts it is repeated for."""
    objects, grounds = (
        tuple(torch.stack(depth)[None] for depth in zip(*(look[part] for look in looks), strict=True))
        for part in (0, 1)
    )
    return Context(objects, grounds, torch.ones(1, len(looks), dtype=torch.bool, device=objects[0].device))


def _dilated(bits: Tensor, steps: Tensor) -> Tensor:
    """Each of (B, 1, h, w) grown by its own number of cells, rounded up to a power of two."""
    grown, reach = bits, 1
    while bool((steps >= reach).any()):
        wide = F.max_pool2d(grown, 2 * reach + 1, stride=1, padding=reach)
        grown = torch.where((steps >= reach)[:, None, None, None], wide, grown)
        reach *= 2
    return grown


def context_maps(context: Context, units: Sequence[Tensor], size: int) -> Tensor:
    """How much each place is like the objects of the context, and like their grounds: (B, 6, S/4, S/4).

    `units`: three maps (B or 1, C, h, w) of `unit_features`.
    """
    known = context.known[:, None]
    maps = [
        _best(_product(vectors, part), known, size)
        for each in (context.objects, context.grounds)
        for vectors, part in zip(each, units, strict=True)
    ]
    return torch.cat(maps, dim=1)


def unit_features(features: Tensor) -> Tensor:
    """Features (B, C, h, w) float32 without their mean over the window, of length 1 at each place, or 0 where they are 0.

    `torch.nn.functional.normalize` gives the same and takes five to ten times as long: its norm strides over the channels.
    """
    centred = features.float()
    centred = centred - centred.mean((2, 3), keepdim=True)
    return centred * torch.rsqrt((centred * centred).sum(1, keepdim=True).clamp_min(1e-24))


def _product(vectors: Tensor, features: Tensor) -> Tensor:
    """Scalar products (B, N, h, w) of vectors (B or 1, N, C) with features (B or 1, C, h, w) at every place."""
    return (vectors @ features.flatten(2)).reshape(-1, vectors.shape[1], *features.shape[2:])


def _sampled(features: Tensor, where: Tensor) -> Tensor:
    """Vectors (B, N, C) of features (B or 1, C, h, w) at `where` (B, 1, N, 2), -1 .. 1 across the window."""
    every = features.expand(where.shape[0], -1, -1, -1)
    return F.grid_sample(every, where, padding_mode="border", align_corners=False)[:, :, 0].transpose(1, 2)


def _cosine(features: Tensor, where: Tensor) -> Tensor:
    """Cosines (B, N, h, w) of every place with those at `where`, both of unit features."""
    return _product(F.normalize(_sampled(features, where), dim=2), features)


def _squared_distance(colours: Tensor, where: Tensor) -> Tensor:
    """Squared distances (B, N, h, w) of every place's colour from those at `where`."""
    clicked = _sampled(colours, where)
    squared = (colours * colours).sum(1)[:, None] + (clicked * clicked).sum(2)[..., None, None]
    return (squared - 2 * _product(clicked, colours)).clamp(min=0)
