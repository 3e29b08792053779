"""Sample look 1: crowded cells under a phase-contrast microscope, dark bodies inside bright halos."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from samtta_app.datasets.samples.patterns import (
    Field,
    MadeImage,
    as_field,
    blur,
    depth_inside,
    finished,
    grid,
    main_piece,
    noise_field,
    scattered,
    smoothstep,
    star,
)

_SIZE = 672
_SPECK = 24
"""Pixels about a speck of dirt beyond which its ring is below a millionth."""


@dataclass(frozen=True, slots=True)
class Culture:
    """Parameters of one dish: cells of `radius`, `spacing` apart (pixels), `long` times as long as wide, some round."""

    count: int
    radius: float
    spacing: float
    long: float
    rough: float
    rounded: float


CULTURES = (
    Culture(count=25, radius=78, spacing=112, long=1.3, rough=0.24, rounded=0.12),
    Culture(count=22, radius=72, spacing=106, long=2.6, rough=0.2, rounded=0.05),
    Culture(count=15, radius=100, spacing=150, long=1.25, rough=0.45, rounded=0.1),
    Culture(count=25, radius=58, spacing=98, long=1.6, rough=0.26, rounded=0.35),
)


@dataclass(frozen=True, slots=True, eq=False)
class Dish:
    """Cells, and `nuclei` (H, W) uint16: the exact outline of each cell's nucleus under its id; round cells have none."""

    cells: MadeImage
    nuclei: NDArray[np.uint16]


def make_cells(rng: np.random.Generator, index: int) -> MadeImage:
    """One dish of cells, 10 to 25 of them, with the exact outline of each."""
    return make_dish(rng, index).cells


def make_dish(rng: np.random.Generator, index: int) -> Dish:
    """The cells of `make_cells` from the same draws, with nuclei; a nucleus is one piece inside its cell."""
    culture = CULTURES[index % len(CULTURES)]
    labels, rounded = _lay_out(rng, culture)
    thickness, nuclei = _bodies(rng, labels, rounded)
    columns, rows = grid(_SIZE)
    light = (
        0.58
        + 0.05 * noise_field(rng, _SIZE, 420, 2)
        - 0.10 * ((columns / _SIZE - 0.5) ** 2 + (rows / _SIZE - 0.5) ** 2)
    )
    near, far = blur(thickness, 7), blur(thickness, 20)
    image = light + 0.55 * (0.62 * near + 0.38 * far - thickness)
    image += (
        0.17 * _rim(labels, blur(rounded, 8)) * (0.35 + 0.65 * smoothstep(noise_field(rng, _SIZE, 70, 2), -1.2, 1.2))
    )
    image += 0.015 * noise_field(rng, _SIZE, 9, 3) * (labels == 0) + _debris(rng, labels)
    image = blur(image, 0.9)
    pixels = finished(np.repeat(image[..., None], 3, axis=2), rng, 0.012)
    names = {int(i): "cell" for i in np.unique(labels) if i}
    return Dish(MadeImage(f"cells_{index + 1}", pixels, labels, names), nuclei)


def _lay_out(rng: np.random.Generator, culture: Culture) -> tuple[NDArray[np.uint16], Field]:
    """Instance ids, and where cells are rounded."""
    columns, rows = grid(_SIZE)
    warp_x, warp_y = (culture.radius * 0.16 * noise_field(rng, _SIZE, culture.radius * 1.1, 3) for _ in range(2))
    labels = np.zeros((_SIZE, _SIZE), np.uint16)
    best, rounded = np.zeros((_SIZE, _SIZE), np.float32), np.zeros((_SIZE, _SIZE), np.float32)
    for x, y in scattered(rng, _SIZE, culture.spacing, culture.radius * 0.4, culture.count):
        ball = bool(rng.random() < culture.rounded)
        radius = culture.radius * (0.42 if ball else rng.uniform(0.85, 1.15))
        long, rough = (1.08, 0.04) if ball else (culture.long * rng.uniform(0.8, 1.2), culture.rough)
        soft = 0.1 if ball else 1.0
        inner = star(rng, (columns - x + soft * warp_x, rows - y + soft * warp_y), radius, max(long, 1.0), rough)
        wins = inner > np.maximum(best, 0)
        labels[wins] = labels.max() + 1
        rounded[wins] = ball
        best = np.maximum(best, inner)
    return _apart(labels), rounded


def _apart(labels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """One piece per id, smooth outlines, a gap between neighbours, ids without gaps in their order."""
    out = np.zeros_like(labels)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    place = 0
    for instance in range(1, int(labels.max()) + 1):
        bits = cv2.morphologyEx((labels == instance).astype(np.uint8), cv2.MORPH_OPEN, kernel)
        bits = cv2.erode(bits, kernel[2:5, 2:5])
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(bits)
        if count > 1 and stats[1:, cv2.CC_STAT_AREA].max() >= 900:
            place += 1
            out[pieces == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))] = place
    return out


def _bodies(rng: np.random.Generator, labels: NDArray[np.uint16], rounded: Field) -> tuple[Field, NDArray[np.uint16]]:
    """Optical thickness and the nuclei's ids: a flat dome, a nucleus with nucleoli, and grains around it."""
    grains = blur(rng.standard_normal(labels.shape), 1.6)
    texture = as_field(0.13 * grains / grains.std() + 0.09 * noise_field(rng, _SIZE, 26, 4, 0.7))
    thickness, nuclei = np.zeros(labels.shape, np.float32), np.zeros_like(labels)
    for instance, place in enumerate(scipy.ndimage.find_objects(labels), start=1):
        bits = np.pad(labels[place] == instance, 1)
        depth = depth_inside(bits)[1:-1, 1:-1]
        ball = bool(rounded[place][np.unravel_index(int(np.argmax(depth)), depth.shape)])
        body, nucleus = _body(rng, depth, texture[place], ball)
        thickness[place] += np.where(depth > 0, body, 0)
        if not ball:
            nuclei[place][main_piece((nucleus > 0) & (depth > 0)) & (depth > 0)] = instance
    return thickness, nuclei


def _body(rng: np.random.Generator, depth: Field, texture: Field, ball: bool) -> tuple[Field, Field]:
    """Thickness of one cell, and its nucleus: 0 on the outline, positive inside (not used for a ball)."""
    row, column = np.unravel_index(int(np.argmax(depth)), depth.shape)
    reach = float(depth.max())
    dome = np.sqrt(np.clip(depth / reach, 0, 1)) * (1.5 if ball else rng.uniform(0.55, 0.8))
    x, y = (
        np.arange(n, dtype=np.float32) - m + rng.normal(0, reach * 0.1)
        for n, m in zip(depth.shape[::-1], (column, row), strict=True)
    )
    offset = (np.repeat(x[None], y.size, 0), np.repeat(y[:, None], x.size, 1))
    nucleus = star(rng, offset, reach * rng.uniform(0.5, 0.62), 1.25, 0.08)
    core = smoothstep(nucleus, 0.0, 0.25)
    rough = texture * (1 - 0.75 * core) * smoothstep(depth, 2, 12)
    spots = sum((_dot(rng, offset, reach * 0.25, reach * 0.09) for _ in range(int(rng.integers(1, 4)))), 0.0 * dome)
    if ball:
        return as_field(dome + 0.4 * rough), nucleus
    edge = 0.20 * np.exp(-((nucleus / 0.07) ** 2))
    return as_field(dome * (1 - 0.25 * core) + edge + 0.45 * spots * core + rough), nucleus


def _dot(rng: np.random.Generator, offset: tuple[Field, Field], spread: float, radius: float) -> Field:
    x, y = offset[0] - rng.normal(0, spread), offset[1] - rng.normal(0, spread)
    return as_field(np.exp(-(x * x + y * y) / (2 * radius * radius)))


def _rim(labels: NDArray[np.uint16], rounded: Field) -> Field:
    """The bright fringe outside each outline, fading over the halo; stronger and wider around rounded cells."""
    away = depth_inside(labels == 0)
    fringe = np.exp(-(((away - 1.5) / 2.6) ** 2)) + 0.5 * np.exp(-away / 10.0)
    return as_field(np.where(labels == 0, fringe, 0) * (1 + 2.5 * rounded) + 1.2 * rounded * smoothstep(-away, -8, 0))


def _debris(rng: np.random.Generator, labels: NDArray[np.uint16]) -> Field:
    """Small specks of dirt in the medium, dark with a bright ring; they are no objects."""
    columns, rows = grid(_SIZE)
    total = np.zeros(labels.shape, np.float32)
    for x, y in rng.uniform(0, _SIZE, (26, 2)):
        near = np.s_[max(int(y) - _SPECK, 0) : int(y) + _SPECK, max(int(x) - _SPECK, 0) : int(x) + _SPECK]
        distance = np.hypot(columns[near] - x, rows[near] - y)
        radius = rng.uniform(1.0, 2.6)
        ring = 0.22 * np.exp(-(((distance - 2.2 * radius) / radius) ** 2))
        total[near] += ring - 0.35 * np.exp(-((distance / radius) ** 2))
    return as_field(total * (labels == 0))
