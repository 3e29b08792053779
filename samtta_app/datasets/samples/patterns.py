"""Noise, shapes and light of the sample images; everything is a function of a seeded generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Field = NDArray[np.float32]
"""One value per pixel (H, W)."""

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class MadeImage:
    """One made image: `pixels` (H, W, 3) uint8, `labels` (H, W) uint16 instance ids, and each id's class."""

    name: str
    pixels: NDArray[np.uint8]
    labels: NDArray[np.uint16]
    classes: dict[int, str]


def grid(size: int) -> tuple[Field, Field]:
    """Column and row of every pixel: two (size, size) float32."""
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    return columns, rows


def noise_field(rng: np.random.Generator, size: int, scale: float, octaves: int = 4, gain: float = 0.5) -> Field:
    """Smooth noise of zero mean and unit deviation; its largest features are about `scale` pixels wide."""
    total = np.zeros((size, size), np.float32)
    weight = 1.0
    for _ in range(octaves):
        cells = max(4, round(size / scale) + 3)
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        grown = cv2.resize(coarse, None, fx=size / (cells - 3), fy=size / (cells - 3), interpolation=cv2.INTER_CUBIC)
        offset = (grown.shape[0] - size) // 2
        total += weight * grown[offset : offset + size, offset : offset + size]
        weight, scale = weight * gain, scale / 2
        if scale < 1:
            break
    return as_field((total - total.mean()) / total.std())


def streaks(rng: np.random.Generator, size: int, length: float, width: float) -> Field:
    """Noise stretched along the rows, as on brushed metal; zero mean, unit deviation."""
    drawn = blur(rng.standard_normal((size, size)), length, width)
    return as_field((drawn - drawn.mean()) / drawn.std())


def blur(values: NDArray[Any], sigma_x: float, sigma_y: float | None = None) -> Field:
    """Gaussian blur, mirrored at the frame."""
    flat = np.asarray(values, dtype=np.float32)
    return as_field(cv2.GaussianBlur(flat, (0, 0), sigma_x, sigmaY=sigma_y or sigma_x, borderType=cv2.BORDER_REFLECT))


def smoothstep(values: Field, low: float, high: float) -> Field:
    """0 below `low`, 1 above `high`, smooth between; `low` may be the larger one."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return as_field(t * t * (3 - 2 * t))


def depth_inside(bits: NDArray[np.bool_]) -> Field:
    """Distance of object pixels to the nearest background pixel, 0 elsewhere."""
    return as_field(cv2.distanceTransform(bits.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))


def main_piece(bits: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected part of `bits`, its holes filled."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(bits.astype(np.uint8), connectivity=4)
    if count < 2:
        return bits
    kept = pieces == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    _, around = cv2.connectedComponents(np.pad(~kept, 1, constant_values=True).astype(np.uint8), connectivity=4)
    return np.asarray(around[1:-1, 1:-1] != around[0, 0], dtype=np.bool_)


def cells_of(points: NDArray[Any], columns: Field, rows: Field) -> Field:
    """Distance of each pixel from the border between its two nearest points: 0 on the edges of the Voronoi cells."""
    where = np.stack([columns.ravel(), rows.ravel()], axis=1)
    distance, _ = cKDTree(points).query(where, k=2)
    return as_field((distance[:, 1] - distance[:, 0]).reshape(columns.shape))


def scattered(rng: np.random.Generator, size: int, spacing: float, margin: float, most: int) -> NDArray[np.float32]:
    """Up to `most` points (n, 2), at least `spacing` apart and `margin` from the frame, in random order."""
    points = rng.uniform(margin, size - margin, (4000, 2)).astype(np.float32)
    free, kept = np.ones(len(points), np.bool_), list[NDArray[np.float32]]()
    while len(kept) < most and free.any():
        point = points[int(free.argmax())]
        kept.append(point)
        free &= np.hypot(*(points - point).T) >= spacing
    return np.array(kept, dtype=np.float32)


def star(rng: np.random.Generator, offset: tuple[Field, Field], radius: float, long: float, rough: float) -> Field:
    """A lobed, turned ellipse around the origin of `offset`: 0 on the outline, positive inside, 1 in the middle."""
    turn, waves = rng.uniform(0, np.pi), [(k, rough * rng.normal() / k, rng.uniform(0, 2 * np.pi)) for k in range(2, 8)]
    shape = 1 - np.hypot(*offset) / radius
    near = shape > -1.3 * np.sqrt(long)
    x, y = offset[0][near], offset[1][near]
    u = (x * np.cos(turn) + y * np.sin(turn)) / (radius * np.sqrt(long))
    v = (-x * np.sin(turn) + y * np.cos(turn)) / (radius / np.sqrt(long))
    angle = np.arctan2(v, u)
    outline = np.ones_like(u)
    for k, height, start in waves:
        outline += height * np.cos(k * angle + start)
    shape[near] = 1 - np.hypot(u, v) / np.maximum(outline, 0.35)
    return as_field(shape)


def lit(height: Field, direction: tuple[float, float, float], strength: float) -> Field:
    """Brightness of a surface under one light, 1 where it is flat; `height` in pixels."""
    dx = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    dy = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    x, y, z = np.asarray(direction) / np.linalg.norm(direction)
    length = np.sqrt((strength * dx) ** 2 + (strength * dy) ** 2 + 1)
    return as_field((-strength * dx * x - strength * dy * y + z) / (length * z))


def blend(under: NDArray[Any], over: NDArray[Any] | Colour, share: Field) -> NDArray[np.float32]:
    """`over` laid on `under` (H, W, 3), `share` 0 .. 1 per pixel."""
    part = share[..., None]
    return np.asarray(under * (1 - part) + np.asarray(over, dtype=np.float32) * part, dtype=np.float32)


def finished(colours: NDArray[Any], rng: np.random.Generator, grain: float) -> NDArray[np.uint8]:
    """Colours 0 .. 1 as 8-bit RGB with a camera's grain (deviation `grain`)."""
    grains = rng.normal(0, grain, colours.shape[:2]).astype(np.float32)[..., None]
    return np.clip(np.rint((colours + grains) * 255), 0, 255).astype(np.uint8)


def as_field(values: NDArray[Any]) -> Field:
    """`values` as float32."""
    return np.asarray(values, dtype=np.float32)
