"""Edges of everything against the borders of label maps, by the BSDS protocol: the raw counts of every threshold.

Source: Martin, Fowlkes & Malik 2004, "Learning to detect natural image boundaries", and the benchmark of BSDS500. Edges
are cut off at a strength, thinned, and matched one to one with true border pixels that are near enough. Each label map
counts as one annotator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial import cKDTree
from skimage.morphology import thin

from samtta_app.bench.click_rows import known_rows, side_by_side, write_records
from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.edge_maps import label_borders
from samtta_app.core.messages import EdgesRequest, ReportProgress
from samtta_app.core.replies import Edges
from samtta_app.core.types import BoolArray, FloatArray
from samtta_app.datasets.folder import DataImage, open_dataset, read_labels
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import DatasetError, UserError
from samtta_app.parallel.mask_finding import loaded_image
from samtta_app.simulation.streams import Source, part_of

MATCH_DISTANCE = 0.0075
"""Largest distance of matched pixels in diagonals of the image (BSDS)."""

EDGES_FILE = "edges.jsonl"


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """The counts of one image at each threshold: pixels of edges, those of them that match, and border pixels.

    A border pixel matches at most one edge pixel, so `matched` counts on both sides.
    """

    set: str
    image: str
    thresholds: list[float]
    matched: list[int]
    found: list[int]
    true: int
    masks: int
    seconds: float
    model: str = ""


@dataclass(frozen=True, slots=True)
class EdgeAsking:
    """How sets are measured: `images` of each, and the number of thresholds, evenly between 0 and 1."""

    settings: AutomaticSettings
    images: int
    thresholds: int
    seed: int
    split: str | None


def measure_edge_sets(
    engine: Engine,
    opened: Sequence[Source],
    asking: EdgeAsking,
    *,
    model: str,
    out: Path | None,
    told: ReportProgress,
) -> tuple[EdgeRow, ...]:
    """Measure sets one after the other; the records in `out` of other models and sets come along.

    Raises:
        DatasetError: a set cannot be used, or the folder cannot be written or holds something else.
        UserError: an image cannot be read, or the engine refused.
    """
    known = known_rows(out / EDGES_FILE, EdgeRow) if out else ()
    for done, source in enumerate(opened):
        images = _images(source, asking)
        new = []
        for number, image in enumerate(images):
            told((done + number / len(images)) / len(opened), f"{source.name}: image {number + 1} of {len(images)}")
            new.append(replace(_row(engine, source.name, image, asking), model=model))
        known = side_by_side(known, new, lambda row: (row.set, row.model))
        if out is not None:
            write_records(known, out / EDGES_FILE)
    return known


def _images(source: Source, asking: EdgeAsking) -> list[DataImage]:
    data = open_dataset(source.folders[0])
    images = [image for image in data.part(part_of(data, asking.split)) if image.masks is not None]
    if not images:
        raise DatasetError("No image of the set has a label map", data.folder, "Choose another split")
    return [images[k] for k in np.random.default_rng(asking.seed).permutation(len(images))[: asking.images]]


def _row(engine: Engine, name: str, image: DataImage, asking: EdgeAsking) -> EdgeRow:
    loaded, borders = loaded_image(engine, image.path), thinned_lines(label_borders(read_labels(image)))
    reply = run(engine, EdgesRequest(1, loaded, asking.settings, frozen=True))
    if not isinstance(reply, Edges):
        raise UserError(f"The engine found no edges: {getattr(reply, 'text', '')}", image.path)
    thresholds = [round((k + 1) / (asking.thresholds + 1), 6) for k in range(asking.thresholds)]
    matched, found = edge_counts(reply.strength, borders, thresholds)
    return EdgeRow(name, image.name, thresholds, matched, found, int(borders.sum()), reply.masks, reply.seconds)


def edge_counts(strength: FloatArray, borders: BoolArray, thresholds: Sequence[float]) -> tuple[list[int], list[int]]:
    """Matched pixels and edge pixels at each threshold."""
    matched: list[int] = []
    found: list[int] = []
    earlier = None
    for threshold in thresholds:
        edges = strength >= threshold
        if earlier is not None and np.array_equal(edges, earlier):
            matched.append(matched[-1])
            found.append(found[-1])
            continue
        earlier, lines = edges, thinned_lines(edges)
        found.append(int(lines.sum()))
        matched.append(matching_pixels(lines, borders))
    return matched, found


def thinned_lines(edges: BoolArray) -> BoolArray:
    """Edges one pixel thin."""
    return np.asarray(thin(edges), np.bool_)  # type: ignore[no-untyped-call]


def matching_pixels(edges: BoolArray, borders: BoolArray) -> int:
    """The most pairs of an edge and a border pixel that are near enough, each in one pair."""
    near = MATCH_DISTANCE * float(np.hypot(*edges.shape))
    one, other = np.argwhere(edges), np.argwhere(borders)
    if not len(one) or not len(other):
        return 0
    pairs = cKDTree(one).sparse_distance_matrix(cKDTree(other), near, output_type="ndarray")
    graph = csr_array((np.ones(len(pairs)), (pairs["i"], pairs["j"])), shape=(len(one), len(other)))
    return int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())
