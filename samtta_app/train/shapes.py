"""Random shapes and textures, the material of synthetic scenes; everything takes its generator by argument."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.train.records import Record

Mask = NDArray[np.uint8]
Texture = NDArray[np.float32]


def _filled(points: NDArray[np.float64], size: int) -> Mask:
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 1, lineType=cv2.LINE_8, shift=4)
    return mask


def blob(size: int, centre: NDArray[np.float64], side: float, rng: np.random.Generator) -> Mask:
    """A closed outline with a few random harmonics, stretched and turned."""
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    order = np.arange(2, 7)
    strength = rng.uniform(0, 0.35) * rng.standard_normal(5) / order
    radius = 1 + (strength[:, None] * np.cos(order[:, None] * angle + rng.uniform(0, 6.3, (5, 1)))).sum(0)
    stretch, turn = rng.uniform(0.35, 1), rng.uniform(0, np.pi)
    x, y = radius * np.cos(angle), stretch * radius * np.sin(angle)
    around = np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], 1)
    return _filled(centre + around * side / 2, size)


def polygon(size: int, centre: NDArray[np.float64], side: float, rng: np.random.Generator) -> Mask:
    """Three to eight corners, convex or star-like."""
    corners = int(rng.integers(3, 9))
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners) * 0.4 + np.linspace(0, 2 * np.pi, corners, endpoint=False) * 0.8)
    radius = rng.uniform(0.45, 1, corners)
    return _filled(centre + np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1) * side / 2, size)


def curve(size: int, centre: NDArray[np.float64], side: float, rng: np.random.Generator) -> Mask:
    """A thick or thin bent line: hair, fibre, crack, vessel."""
    knots = rng.uniform(-0.5, 0.5, (4, 2))
    knots[0], knots[-1] = (-0.5, rng.uniform(-0.3, 0.3)), (0.5, rng.uniform(-0.3, 0.3))
    t = np.linspace(0, 1, 40)[:, None]
    b = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3]
    line = sum(weight * knot for weight, knot in zip(b, knots, strict=True))
    turn = rng.uniform(0, np.pi)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = centre + side * (line @ rotation)
    mask = np.zeros((size, size), np.uint8)
    width = max(2, int(side * np.exp(rng.uniform(np.log(0.02), np.log(0.25)))))
    cv2.polylines(mask, [np.round(points * 16).astype(np.int32)], False, 1, width, cv2.LINE_8, 4)
    return mask


def stencil(
    records: Sequence[Record], size: int, centre: NDArray[np.float64], side: float, rng: np.random.Generator
) -> Mask:
    """The outline of an object of the training data, resized and turned."""
    record = records[int(rng.integers(len(records)))]
    box = record.objects[int(rng.integers(len(record.objects)))]
    cut = (record.layers[box.layer, box.y0 : box.y1, box.x0 : box.x1] == box.value).astype(np.float32)
    scale, turn = side / max(cut.shape), np.degrees(rng.uniform(0, 2 * np.pi))
    matrix = cv2.getRotationMatrix2D((cut.shape[1] / 2, cut.shape[0] / 2), turn, scale)
    matrix[:, 2] += centre - (cut.shape[1] / 2, cut.shape[0] / 2)
    return (cv2.warpAffine(cut, matrix, (size, size)) > 0.5).astype(np.uint8)


def draw_shape(
    records: Sequence[Record], size: int, centre: NDArray[np.float64], side: float, rng: np.random.Generator
) -> Mask:
    """One shape of a random family, now and then with holes."""
    families: tuple[Callable[[], Mask], ...] = (
        lambda: blob(size, centre, side, rng),
        lambda: polygon(size, centre, side, rng),
        lambda: curve(size, centre, side, rng),
        lambda: stencil(records, size, centre, side, rng),
    )
    mask = families[rng.choice(4, p=(0.35, 0.15, 0.15, 0.35))]()
    if rng.random() < 0.12:
        for _ in range(int(rng.integers(1, 4))):
            hole = blob(size, centre + rng.normal(0, side * 0.15, 2), side * rng.uniform(0.15, 0.5), rng)
            mask = mask * (1 - hole)
    return mask


def noise(size: int, rng: np.random.Generator) -> Texture:
    """Isotropic noise of random roughness, (S, S), mean 0 and standard deviation 1."""
    y = np.zeros((size, size), np.float32)
    slope = rng.uniform(0.3, 1.2)
    for octave in range(1, 8):
        cells = 2**octave
        if cells > size:
            break
        small = rng.standard_normal((cells, cells), dtype=np.float32)
        y += cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC) / cells**slope
    return np.asarray((y - y.mean()) / (y.std() + 1e-6), np.float32)


def texture(records: Sequence[Record], size: int, rng: np.random.Generator) -> Texture:
    """(S, S, 3) in 0..255: part of a photo, noise of one hue, stripes, or a plain tone."""
    kind = rng.choice(4, p=(0.5, 0.3, 0.08, 0.12))
    if kind == 0:
        pixels = records[int(rng.integers(len(records)))].pixels
        side = int(min(pixels.shape[:2]) * rng.uniform(0.15, 1))
        y = int(rng.integers(pixels.shape[0] - side + 1))
        x = int(rng.integers(pixels.shape[1] - side + 1))
        part = cv2.resize(pixels[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_LINEAR)
        return (part if part.ndim == 3 else np.repeat(part[..., None], 3, axis=2)).astype(np.float32)
    base = rng.uniform(20, 235) + rng.normal(0, 25, 3)
    if kind == 3:
        return np.broadcast_to(base, (size, size, 3)).astype(np.float32)
    amplitude = rng.uniform(5, 50) * rng.uniform(0.6, 1.2, 3)
    if kind == 1:
        field = noise(size, rng)
    else:
        grid = np.arange(size, dtype=np.float32)
        turn, period = rng.uniform(0, np.pi), rng.uniform(size / 40, size / 6)
        phase = (np.cos(turn) * grid[None] + np.sin(turn) * grid[:, None]) * (2 * np.pi / period)
        field = np.sin(phase + noise(size, rng) * rng.uniform(0, 1.5)).astype(np.float32)
    return (base + field[..., None] * amplitude).astype(np.float32)
