"""How the accepted masks of a project are formed: histograms of relative size, connected parts, and concavity.

They are computed from the stored masks when an export or the window asks, and are stored nowhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from samtta_app.core.mask_shape import MaskShape, mask_shape
from samtta_app.core.types import Annotation
from samtta_app.session.project.store import Store

SHARE_BINS = 20
"""Bins of a share 0 .. 1; 5 % is about what SAM's figure 6 resolves."""

MOST_PARTS = 10
"""Masks of so many parts or more share a bin: they are noise, however many specks there are."""


@dataclass(frozen=True, slots=True)
class HistogramBin:
    """`masks` whose value is at least `low` and less than `high`; the last bin of a measure has no upper end."""

    measure: str
    low: float
    high: float
    masks: int


def mask_shapes(store: Store, ids: Collection[int] | None = None) -> dict[int, MaskShape]:
    """The form of every accepted mask, or of those with these `ids`, by object id.

    One image's masks are in memory at a time. A mask that cannot be read, or whose image's size is not known, is left
    out.
    """
    sizes = store.image_sizes()
    return {a.id: mask_shape(a.mask, *sizes[a.image_name]) for a in _masks(store, sizes, ids) if a.image_name in sizes}


def _masks(store: Store, images: Iterable[str], ids: Collection[int] | None) -> Iterator[Annotation]:
    if ids is None:
        for name in images:
            yield from store.annotations(name)
    else:
        yield from (found for found in map(store.annotation, ids) if found is not None)


def histograms(shapes: Mapping[int, MaskShape]) -> tuple[HistogramBin, ...]:
    """The bins of all three measures, empty ones too, so that two projects have the same rows."""
    shares = np.linspace(0, 1, SHARE_BINS + 1)
    parts = [*range(1, MOST_PARTS + 1), np.inf]
    every = list(shapes.values())
    return (
        *_binned("size", [shape.size for shape in every], shares),
        *_binned("parts", [shape.parts for shape in every], parts),
        *_binned("concavity", [shape.concavity for shape in every], shares),
    )


def _binned(measure: str, values: Sequence[float], edges: Iterable[float]) -> Iterator[HistogramBin]:
    """A value on an edge belongs to the bin above it; 1 is in the last bin of shares."""
    bounds = np.array(list(edges), np.float64)
    counts, _ = np.histogram(values, bounds)
    for low, high, masks in zip(bounds, bounds[1:], counts, strict=False):
        yield HistogramBin(measure, round(float(low), 6), round(float(high), 6), int(masks))
