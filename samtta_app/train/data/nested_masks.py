"""Nests: masks of one place, part within whole within group, so that three candidates learn to mean these three."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ByteMask = NDArray[np.uint8]

SHARE = 0.35
"""Probability that the targets of a window are a nest, where it has one."""
MAX_IOU = 0.8
MIN_WITHIN = 0.85


def _follows(inner: ByteMask, outer: ByteMask) -> bool:
    both, small, large = int((inner & outer).sum()), int(inner.sum()), int(outer.sum())
    return both >= MIN_WITHIN * small and both < MAX_IOU * (small + large - both)


def nest_at(masks: Sequence[ByteMask], x: int, y: int) -> list[ByteMask]:
    """The masks (S, S) that contain a pixel, small to large, each nearly inside the next, no two alike."""
    chain: list[ByteMask] = []
    for mask in sorted((mask for mask in masks if mask[y, x]), key=lambda mask: int(mask.sum())):
        if all(_follows(inner, mask) for inner in chain):
            chain.append(mask)
    return chain


def find_nest(masks: Sequence[ByteMask], count: int, rng: np.random.Generator) -> list[ByteMask]:
    """At most `count` masks of a nest around some pixel, small to large; empty without two nested masks."""
    for i in rng.permutation(len(masks))[:6]:
        rows, columns = np.nonzero(masks[i])
        j = int(rng.integers(rows.size))
        chain = nest_at(masks, int(columns[j]), int(rows[j]))
        if len(chain) > 1:
            return [chain[k] for k in sorted(rng.permutation(len(chain))[:count])]
    return []
