"""How shapes get into a synthetic scene: their filling, the softness of their borders, their light."""

from collections.abc import Sequence

import cv2
import numpy as np

from samtta_app.train.data.labelled_images import LabelledImage
from samtta_app.train.data.nested_masks import ByteMask
from samtta_app.train.scenes.surfaces import Texture, field, noise_texture, ramp, texture

MIN_CHANGE, MIN_ROUGH_CHANGE = 8.0, 0.6
"""Minimum visible mean change of level (0..255) where a thing lies.

On a rough ground it must be larger, by the second figure times the ground's standard deviation there.
"""


def can_be_seen(mask: ByteMask, before: Texture, after: Texture) -> bool:
    """Whether `after` (H, W, 3) differs enough from `before` where the mask (H, W) lies."""
    inside = mask > 0
    if not inside.any():
        return False
    ground = before[inside].clip(0, 255)
    change = float(np.abs(after[inside].clip(0, 255) - ground).mean())
    return change >= MIN_CHANGE + MIN_ROUGH_CHANGE * float(ground.std(0).mean())


def fill_like(scene: Texture, records: Sequence[LabelledImage], rng: np.random.Generator) -> Texture:
    """A filling (S, S, 3): another texture, or the scene itself lighter, darker, smoother, or with another pattern."""
    size = scene.shape[0]
    u = rng.random()
    if u < 0.55:
        return texture(records, size, rng)
    if u < 0.8:
        shift = rng.uniform(14, 70) * (1 if rng.random() < 0.5 else -1)
        light = ramp(size, rng)[..., None] * np.float32(rng.uniform(10, 50)) if rng.random() < 0.3 else np.float32(0)
        return scene * np.float32(np.exp(rng.normal(0, 0.15))) + np.float32(shift) + light
    coarse = cv2.resize(scene, (size // 16, size // 16), interpolation=cv2.INTER_AREA)
    smooth = np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)
    pattern = noise_texture(size, rng) if u < 0.9 else field(size, rng)
    return smooth + pattern[..., None] * np.float32(rng.uniform(8, 35)) + np.float32(rng.uniform(-20, 20))


def _softness(mask: ByteMask, size: int, rng: np.random.Generator) -> float:
    """The blur of a border in pixels, small enough to keep thin shapes; 0 is sharp."""
    u = rng.random()
    if u < 0.35:
        return 0.0
    depth = float(cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3).max())
    if u < 0.45:  # diffuse: no visible border
        return max(0.5, depth * float(rng.uniform(0.25, 0.5)))
    return float(rng.uniform(0.4, max(0.45, min(size / 90, 0.5 * depth))))


def paste(
    scene: Texture, fill: Texture, mask: ByteMask, rng: np.random.Generator, opacity: float | None = None
) -> bool:
    """Blend a filled shape into the scene, in place; without `opacity` (0..1) it is whole or drawn at random.

    Returns whether the shape is visible there.
    """
    x, y, width, height = cv2.boundingRect(mask)
    if not width:
        return False
    size = scene.shape[0]
    softness = _softness(mask[y : y + height, x : x + width], size, rng)
    margin = int(3 * softness) + 1
    rows = slice(max(0, y - margin), min(size, y + height + margin))
    columns = slice(max(0, x - margin), min(size, x + width + margin))
    alpha = mask[rows, columns].astype(np.float32)
    if softness:
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), softness), np.float32)
    if opacity is None:
        opacity = 1.0 if rng.random() < 0.6 else rng.uniform(0.4, 0.9)
    part = scene[rows, columns]
    before = part.copy()
    part += (alpha * np.float32(opacity))[..., None] * (fill[rows, columns] - part)
    return can_be_seen(mask[rows, columns], before, part)


def _moved(mask: ByteMask, dx: int, dy: int) -> ByteMask:
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return np.asarray(cv2.warpAffine(mask, matrix, mask.shape[::-1], flags=cv2.INTER_NEAREST), np.uint8)


def light(scene: Texture, mask: ByteMask, rng: np.random.Generator) -> None:
    """A shadow beside a shape, or a bright or dark rim inside it, on one side only, in place."""
    size = scene.shape[0]
    turn, length = rng.uniform(0, 2 * np.pi), size * rng.uniform(0.01, 0.04)
    moved = _moved(mask, round(length * np.cos(turn)), round(length * np.sin(turn)))
    if rng.random() < 0.5:
        cast = cv2.GaussianBlur((moved & (1 - mask)).astype(np.float32), (0, 0), max(0.5, length / 3))
        scene *= (1 - np.asarray(cast, np.float32) * np.float32(rng.uniform(0.25, 0.6)))[..., None]
    else:
        rim = (mask & (1 - moved)).astype(np.float32) * np.float32(rng.uniform(25, 80) * rng.choice([-1, 1]))
        scene += rim[..., None]
