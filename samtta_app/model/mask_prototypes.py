"""What masks look like to the encoder, as vectors that compare: prototypes of classes, and of objects that are looked for.

It works with every encoder: all depths of features that it gives are read, and count alike. Source of prototypes:
Snell et al. 2017, "Prototypical Networks for Few-shot Learning", here of what was accepted and without training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from samtta_app.core.types import BoolArray, Mask
from samtta_app.model.backbone import SamModel
from samtta_app.model.predictor import ImageFeatures, to_input

SAMPLED_PIXELS = 64
"""Pixels of a mask that are read at most: they lie in more cells of the embedding than most objects cover."""

ALIKE_FROM = 0.5
"""A likeness above this is nearer to the objects than to the ground: what lies below is not proposed."""

LEAST_CONTRAST = 0.05
"""Where object and ground look the same, this difference of cosines stands for what tells them apart."""

FEWEST_OF_CLASS = 2
"""Accepted objects that a class needs before anything is said of it."""

CLEARLY_TOLD = 0.9
"""Share of accepted objects that the prototypes of the others must name rightly, before any proposal gets a class."""

CLEARLY_NEARER = 0.6
"""A mask gets a class where that one is nearer than the next one by this factor (distances are 1 - cosine)."""


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """What is looked for: unit vectors (C,) of the objects and of the ground about them."""

    objects: Tensor
    ground: Tensor

    def of(self, vectors: Tensor) -> Tensor:
        """How like the objects vectors (M, C) are: 1 the same, 0 as far away as the ground is, below that nothing like them."""
        apart = (1 - self.objects @ self.ground).clamp(min=LEAST_CONTRAST)
        return 1 - (1 - vectors @ self.objects) / apart


@torch.no_grad()
def vectors_at(model: SamModel, features: ImageFeatures, xy: Tensor) -> Tensor:
    """Unit vectors (N, C) of all depths of features at image points (N, 2), each less its mean over the window."""
    inside = to_input(model, features.window, features.valid, xy.float())
    where = ((inside + 0.5) / model.size * 2 - 1)[None, None].to(features.embedding.device)
    found = []
    for part in (features.embedding, *features.skips):
        if min(part.shape[2:]) > 1:  # one that is no map holds the window's size
            height, width = (max(round(length * part.shape[-1] / model.size), 1) for length in features.valid)
            mean = part[..., :height, :width].float().mean((2, 3))
            values = F.grid_sample(part.float(), where, padding_mode="border", align_corners=False)[0, :, 0].T
            found.append(F.normalize(values - mean, dim=1))
    return F.normalize(torch.cat(found, dim=1), dim=1)


def mask_vectors(model: SamModel, features: ImageFeatures, masks: Sequence[Mask]) -> Tensor:
    """Unit vectors (M, C) of masks, none of them empty."""
    return _pooled(model, features, [_pixels(mask.bits, mask.x, mask.y) for mask in masks])


def likeness_of(vectors: Sequence[tuple[Tensor, Tensor]]) -> Likeness:
    """What several objects have in common, given the vectors of each and of its ground."""
    objects, grounds = (F.normalize(torch.stack(part).mean(0), dim=0) for part in zip(*vectors, strict=True))
    return Likeness(objects, grounds)


def exemplar_vectors(model: SamModel, features: ImageFeatures, mask: Mask) -> tuple[Tensor, Tensor]:
    """Unit vectors (C,) of an object and of the ground about it, as far as it is wide."""
    height, width = mask.bits.shape
    reach = max(height, width) // 2 + 1
    around = np.pad(~mask.bits, reach, constant_values=True)
    ground = _pixels(around, mask.x - reach, mask.y - reach)
    window = features.window
    ends = window.x + window.width - 1, window.y + window.height - 1
    ground = np.clip(ground, (window.x, window.y), ends)
    both = _pooled(model, features, [_pixels(mask.bits, mask.x, mask.y), ground])
    return both[0], both[1]


@dataclass(frozen=True, slots=True, eq=False)
class ClassPrototypes:
    """Unit vectors (K, C) of K classes by their ids; none where accepted objects do not tell the classes apart."""

    ids: tuple[int, ...] = ()
    vectors: Tensor | None = None

    @staticmethod
    def of(objects: Sequence[tuple[int, Tensor]]) -> ClassPrototypes:
        """The prototypes of accepted objects, each with its class and its vector."""
        counts = {number: sum(number == other for other, _ in objects) for number, _ in objects}
        ids = tuple(sorted(number for number, count in counts.items() if count >= FEWEST_OF_CLASS))
        if len(ids) < 2:
            return ClassPrototypes()
        known = [(number, vector) for number, vector in objects if number in ids]
        sums = torch.stack([sum_of([vector for each, vector in known if each == number]) for number in ids])
        right = 0
        for number, vector in known:
            without = sums.clone()
            without[ids.index(number)] -= vector
            right += ids[int((F.normalize(without, dim=1) @ vector).argmax())] == number
        if right < CLEARLY_TOLD * len(known):
            return ClassPrototypes()
        return ClassPrototypes(ids, F.normalize(sums, dim=1))

    def named(self, vectors: Tensor) -> list[int | None]:
        """The class of each vector (M, C), None where two classes are nearly as like it."""
        if self.vectors is None:
            return [None] * len(vectors)
        best = (vectors @ self.vectors.T).topk(2, dim=1)
        clear = (1 - best.values[:, 0] <= CLEARLY_NEARER * (1 - best.values[:, 1])).tolist()
        return [self.ids[k] if sure else None for k, sure in zip(best.indices[:, 0].tolist(), clear, strict=True)]


def sum_of(vectors: Sequence[Tensor]) -> Tensor:
    """The sum of vectors, at least one."""
    return torch.stack(list(vectors)).sum(0)


def _pooled(model: SamModel, features: ImageFeatures, places: Sequence[NDArray[np.int64]]) -> Tensor:
    """Unit vectors of the means over some places each."""
    xy = torch.from_numpy(np.concatenate(places))
    rows = vectors_at(model, features, xy)
    parts = torch.split(rows, [len(each) for each in places])
    return F.normalize(torch.stack([part.mean(0) for part in parts]), dim=1)


def _pixels(bits: BoolArray, x: int, y: int) -> NDArray[np.int64]:
    """At most SAMPLED_PIXELS places (N, 2) of the bitmap's pixels, evenly spread over their order."""
    rows, columns = np.nonzero(bits)
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), SAMPLED_PIXELS)).round().astype(int)
    return np.stack([columns[chosen] + x, rows[chosen] + y], axis=1).astype(np.int64)
