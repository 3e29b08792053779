"""Scenes of many similar things side by side; each paints into a ground (S, S, 3) in place and returns its masks."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.train.data.labelled_images import LabelledImage
from samtta_app.train.data.nested_masks import ByteMask
from samtta_app.train.scenes.paint import fill_like, paste
from samtta_app.train.scenes.surfaces import Texture, noise_texture
from samtta_app.train.scenes.thin_shapes import Points

_MIN_LEFT = 0.6
"""Minimum visible share of a packed thing."""


def _regions(size: int, sites: Points, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The nearest site (N < 256, 2) of each pixel, with bent borders."""
    seeds = np.ones((size, size), np.uint8)
    columns, rows = sites.astype(int).clip(0, size - 1).T
    seeds[rows, columns] = 0
    _, nearest = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    numbers = np.zeros(int(nearest.max()) + 1, np.uint8)
    numbers[nearest[rows, columns]] = np.arange(len(sites))
    grid = np.arange(size, dtype=np.float32)
    bend = np.float32(rng.uniform(0, size / 50))
    x, y = grid[None] + noise_texture(size, rng) * bend, grid[:, None] + noise_texture(size, rng) * bend
    return np.asarray(cv2.remap(numbers[nearest], x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def partition(scene: Texture, records: Sequence[LabelledImage], rng: np.random.Generator) -> list[ByteMask]:
    """Regions that fill the plane, each with its own tone or wave direction; a group of neighbours is a target."""
    size = scene.shape[0]
    count = int(rng.integers(4, 40))
    sites = rng.uniform(0, size, (count, 2))
    labels = _regions(size, sites, rng)
    if rng.random() < 0.25:
        grid = np.arange(size, dtype=np.float32)
        turns = rng.uniform(0, np.pi, count).astype(np.float32)
        phase = np.cos(turns)[labels] * grid[None] + np.sin(turns)[labels] * grid[:, None]
        waves = np.sin(phase * np.float32(2 * np.pi / (size * rng.uniform(0.02, 0.06))))
        scene += (waves * np.float32(rng.uniform(20, 60)))[..., None]
    else:
        tones = rng.normal(0, rng.uniform(12, 45), (count, 1)) * rng.uniform(0.7, 1.3, 3)
        scene += tones.astype(np.float32)[labels]
    if rng.random() < 0.6:
        edges = cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        scene[edges] += np.float32(rng.uniform(-70, 70))
    masks = [(labels == value).astype(np.uint8) for value in rng.permutation(count)[:5]]
    if rng.random() < 0.4:
        near = ((sites - sites[int(rng.integers(count))]) ** 2).sum(-1).argsort()[: max(2, count // 6)]
        group = np.isin(labels, near).astype(np.uint8)
        paste(scene, fill_like(scene, records, rng), group, rng, rng.uniform(0.3, 0.7))
        masks = [*((labels == value).astype(np.uint8) for value in near[:3]), masks[0] * (1 - group), group]
    return masks


def packed_shapes(scene: Texture, records: Sequence[LabelledImage], rng: np.random.Generator) -> list[ByteMask]:
    """Touching ovals, rods or bricks of one kind, with a thin dark line between them or none; and all of them together."""
    size = scene.shape[0]
    length = size * np.exp(rng.uniform(np.log(0.1), np.log(0.35)))
    width, kind = length * rng.uniform(0.3, 0.7), int(rng.integers(3))
    turn, order = rng.uniform(0, 2 * np.pi), rng.choice([0.03, 0.15, 0.6])
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    ways = rng.integers(2, 7, 2)
    middle = rng.uniform(0.3, 0.7, 2) * size
    labels = np.zeros((size, size), np.uint8)
    full = [0.0]
    for i in range(int(ways[0])):
        for j in range(int(ways[1])):
            place = along * (i - ways[0] / 2 + j % 2 / 2) * length * 0.97 + across * (j - ways[1] / 2) * width * 0.95
            centre = middle + place + rng.normal(0, order * width / 3, 2)
            half = np.array([length, width]) / 2 * np.exp(rng.normal(0, 0.08, 2))
            full.append(_put(labels, centre, half, turn + rng.normal(0, order), kind, len(full)))
    shown = labels > 0
    tones = rng.normal(0, rng.uniform(2, 20), len(full)).astype(np.float32)
    body = fill_like(scene, records, rng) + tones[labels][..., None]
    paste(scene, body, shown.astype(np.uint8), rng, rng.uniform(0.75, 1.0))
    edges = (cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0) & shown
    scene[edges] -= np.float32(rng.uniform(15, 80))
    if rng.random() < 0.4:  # with the light of solid bodies, not of sheets
        depth = cv2.distanceTransform((shown & ~edges).astype(np.uint8), cv2.DIST_L2, 3)
        scene += (np.minimum(depth / (width / 3), 1) * np.float32(rng.uniform(15, 60)))[..., None]
    areas = np.bincount(labels.ravel(), minlength=len(full))
    whole = [k for k in range(1, len(full)) if areas[k] > _MIN_LEFT * full[k]]
    masks = [(labels == k).astype(np.uint8) for k in rng.permutation(whole)[:4]]
    return [*masks, shown.astype(np.uint8)] if rng.random() < 0.6 else masks


def _put(labels: NDArray[np.uint8], centre: Points, half: Points, turn: float, kind: int, number: int) -> float:
    """Draw an oval (0), a rod (1) or a brick (2) over the labels; returns its full area."""
    x, y = (round(float(v)) for v in centre)
    if kind == 0:
        axes = (max(1, round(half[0])), max(1, round(half[1])))
        cv2.ellipse(labels, (x, y), axes, np.degrees(turn), 0, 360, number, -1)
        return float(np.pi * half[0] * half[1])
    direction = np.array([np.cos(turn), np.sin(turn)])
    if kind == 1:
        reach = direction * max(1.0, half[0] - half[1])
        ends = [tuple(round(float(v)) for v in centre + sign * reach) for sign in (-1, 1)]
        cv2.line(labels, ends[0], ends[1], number, max(2, round(2 * half[1])))
        return float(np.pi * half[1] ** 2 + 4 * half[1] * max(1.0, half[0] - half[1]))
    box = cv2.boxPoints(((x, y), (2 * half[0], 2 * half[1]), np.degrees(turn)))
    cv2.fillConvexPoly(labels, np.round(box).astype(np.int32), number)
    return float(4 * half[0] * half[1])
