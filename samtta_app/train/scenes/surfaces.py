"""Random textures, the grounds and fillings of synthetic scenes: (S, S, 3) float32 in about 0..255."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.train.data.labelled_images import LabelledImage

Texture = NDArray[np.float32]


def noise_texture(size: int, rng: np.random.Generator) -> Texture:
    """Isotropic noise of random roughness, (S, S), mean 0 and standard deviation 1."""
    slope = rng.uniform(0.3, 1.2)
    cells = 2
    y = np.zeros((cells, cells), np.float32)
    while cells <= size:
        y = np.asarray(cv2.resize(y, (cells, cells), interpolation=cv2.INTER_LINEAR), np.float32)
        y += rng.standard_normal((cells, cells), dtype=np.float32) * np.float32(cells**-slope)
        cells *= 2
    y = np.asarray(cv2.resize(y, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
    return np.asarray((y - y.mean()) / (y.std() + np.float32(1e-6)), np.float32)


def grating(size: int, period: float, turn: float, bend: float, rng: np.random.Generator) -> Texture:
    """Parallel waves, (S, S) in -1..1: `period` in pixels, `turn` in radians, `bend` the phase noise in radians."""
    grid = np.arange(size, dtype=np.float32)
    phase = (np.cos(turn) * grid[None] + np.sin(turn) * grid[:, None]) * (2 * np.pi / period) + rng.uniform(0, 6.3)
    if bend:
        phase = phase + noise_texture(size, rng) * bend
    return np.asarray(np.sin(phase), np.float32)


def spots(size: int, grain: float, rng: np.random.Generator) -> Texture:
    """Spots of about `grain` pixels, (S, S), of two tones: -1 and 1 with soft borders."""
    cells = max(4, int(size / grain))
    small = rng.standard_normal((cells, cells), dtype=np.float32)
    return np.tanh(np.asarray(cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC), np.float32) * 3)


def ramp(size: int, rng: np.random.Generator) -> Texture:
    """Light that falls from one side, (S, S), mean 0, in -1..1."""
    grid = np.linspace(-0.7, 0.7, size, dtype=np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    return np.asarray(np.cos(turn) * grid[None] + np.sin(turn) * grid[:, None], np.float32)


def field(size: int, rng: np.random.Generator) -> Texture:
    """A pattern of one kind, (S, S), of about unit size: noise, waves or spots."""
    kind = rng.choice(3, p=(0.6, 0.22, 0.18))
    if kind == 0:
        return noise_texture(size, rng)
    if kind == 1:
        period = size * np.exp(rng.uniform(np.log(0.02), np.log(0.17)))
        return grating(size, period, rng.uniform(0, np.pi), rng.uniform(0, 1.5), rng)
    return spots(size, max(2.0, size * rng.uniform(0.01, 0.06)), rng)


def photo(records: Sequence[LabelledImage], size: int, rng: np.random.Generator) -> Texture:
    """A square part of an image of the sets."""
    pixels = records[int(rng.integers(len(records)))].pixels
    side = int(min(pixels.shape[:2]) * rng.uniform(0.15, 1))
    y = int(rng.integers(pixels.shape[0] - side + 1))
    x = int(rng.integers(pixels.shape[1] - side + 1))
    part = cv2.resize(pixels[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_LINEAR)
    return (part if part.ndim == 3 else np.repeat(part[..., None], 3, axis=2)).astype(np.float32)


def texture(records: Sequence[LabelledImage], size: int, rng: np.random.Generator) -> Texture:
    """(S, S, 3) in 0..255: part of a photo, a pattern of one hue, or a plain tone, lit evenly or from one side."""
    kind = rng.choice(3, p=(0.5, 0.38, 0.12))
    if kind == 0:
        return photo(records, size, rng)
    base = (rng.uniform(20, 235) + rng.normal(0, 25, 3)).astype(np.float32)
    made = np.broadcast_to(base, (size, size, 3))
    if kind == 1:
        made = made + field(size, rng)[..., None] * (rng.uniform(5, 50) * rng.uniform(0.6, 1.2, 3)).astype(np.float32)
    if rng.random() < 0.25:
        made = made + ramp(size, rng)[..., None] * np.float32(rng.uniform(15, 60))
    return np.array(made, np.float32)
