"""Synthetic scenes: cut-paste of shapes, crowds of one kind, partitions, things within things.

None of the scenes imitates the shipped samples (crowded round cells with halos, textured defects on metal, veined
leaves): those looks have to stay novel to the model.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.train.crops import View
from samtta_app.train.records import Record
from samtta_app.train.shapes import Mask, Texture, draw_shape, noise, texture

MIN_SHARE = 0.0008
MIN_LEFT = 0.5


def _paste(scene: Texture, fill: Texture, mask: Mask, rng: np.random.Generator) -> None:
    """Blend a filled shape into the scene with a soft edge, wholly or in part, in place."""
    alpha = mask.astype(np.float32)
    if rng.random() < 0.6:
        softness = float(rng.uniform(0.4, max(0.4, mask.shape[0] / 90)))
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), softness), np.float32)
    alpha *= 1.0 if rng.random() < 0.55 else rng.uniform(0.35, 0.9)
    scene += alpha[..., None] * (fill - scene)


def _fill_like(scene: Texture, records: Sequence[Record], rng: np.random.Generator) -> Texture:
    """What a shape is filled with: another texture, or the scene itself made lighter, darker or smoother."""
    u = rng.random()
    if u < 0.6:
        return texture(records, scene.shape[0], rng)
    if u < 0.85:
        shift = rng.uniform(14, 70) * (1 if rng.random() < 0.5 else -1)
        return scene * np.float32(np.exp(rng.normal(0, 0.15))) + shift
    smooth = cv2.GaussianBlur(scene, (0, 0), scene.shape[0] / 40)
    grain = noise(scene.shape[0], rng)[..., None] * rng.uniform(5, 30)
    return smooth + grain + np.float32(rng.uniform(-20, 20))


def _hide(masks: list[Mask], newer: Mask) -> list[Mask]:
    return [mask * (1 - newer) for mask in masks]


def scatter(scene: Texture, records: Sequence[Record], rng: np.random.Generator) -> list[Mask]:
    """Shapes of one kind or of many; later ones hide earlier ones, some touch."""
    size = scene.shape[0]
    count = int(rng.integers(1, 9))
    alike = rng.random() < 0.5
    side = size * np.exp(rng.uniform(np.log(0.06), np.log(0.8))) / np.sqrt(max(1, count / 2))
    fill = _fill_like(scene, records, rng)
    masks: list[Mask] = []
    areas = []
    for _ in range(count):
        own = side * np.exp(rng.normal(0, 0.2 if alike else 0.5))
        mask = draw_shape(records, size, rng.uniform(0, size, 2) * 0.9 + 0.05 * size, max(own, size / 22), rng)
        areas.append(int(mask.sum()))
        if not alike:
            fill = _fill_like(scene, records, rng)
        _paste(scene, fill, mask, rng)
        masks = [*_hide(masks, mask), mask]
    # What is left of a hidden thing is no thing any more.
    return [mask for mask, area in zip(masks, areas, strict=True) if mask.sum() > MIN_LEFT * area]


def partition(scene: Texture, records: Sequence[Record], rng: np.random.Generator) -> list[Mask]:
    """Cells that fill the plane, each with its tone; a group of neighbours is a target too."""
    size = scene.shape[0]
    count = int(rng.integers(4, 40))
    sites = rng.uniform(0, size, (count, 2)).astype(np.float32)
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1).astype(np.float32)
    grid += np.stack([noise(size, rng), noise(size, rng)], -1) * np.float32(rng.uniform(0, size / 50))
    distance = ((grid[:, :, None] - sites) ** 2).sum(-1)
    labels = distance.argmin(-1)
    tones = (rng.normal(0, rng.uniform(8, 45), count).astype(np.float32))[labels]
    scene += tones[..., None] * rng.uniform(0.7, 1.3, 3).astype(np.float32)
    if rng.random() < 0.6:
        edges = cv2.morphologyEx(labels.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        scene[edges] += np.float32(rng.uniform(-70, 70))
    middle = int(rng.integers(count))
    near = ((sites - sites[middle]) ** 2).sum(-1).argsort()[: max(2, count // 6)]
    chosen = rng.permutation(count)[:5]
    masks = [(labels == value).astype(np.uint8) for value in chosen]
    if rng.random() < 0.3:
        _paste(scene, _fill_like(scene, records, rng), group := np.isin(labels, near).astype(np.uint8), rng)
        masks = [*masks[:1], group]
    return masks


def nested(scene: Texture, records: Sequence[Record], rng: np.random.Generator) -> list[Mask]:
    """A thing with things in it: the whole with its parts, and each part, are targets."""
    size = scene.shape[0]
    side, centre = size * rng.uniform(0.25, 0.85), rng.uniform(0.3, 0.7, 2) * size
    whole = draw_shape(records, size, centre, side, rng)
    _paste(scene, _fill_like(scene, records, rng), whole, rng)
    masks = [whole]
    fill = _fill_like(scene, records, rng)
    for _ in range(int(rng.integers(1, 4))):
        part = (
            draw_shape(records, size, centre + rng.normal(0, side / 6, 2), side * rng.uniform(0.15, 0.5), rng) * whole
        )
        _paste(scene, fill, part, rng)
        masks = [whole, *_hide(masks[1:], part), part]
    return masks


def draw_scene(records: Sequence[Record], size: int, count: int, rng: np.random.Generator) -> View:
    """A scene with up to `count` targets; `records` lend textures and outlines."""
    for _ in range(10):
        scene = texture(records, size, rng).copy()
        kind = (scatter, partition, nested)[rng.choice(3, p=(0.62, 0.13, 0.25))]
        masks = [m for m in kind(scene, records, rng) if _usable(m)]
        if masks:
            order = rng.permutation(len(masks))[:count]
            pixels = scene.clip(0, 255).astype(np.uint8)
            return View(pixels, tuple(masks[i] for i in order), (size, size))
    raise RuntimeError("ten scenes in a row without a visible object")


def _usable(mask: NDArray[np.uint8]) -> bool:
    return bool(MIN_SHARE * mask.size <= mask.sum() <= 0.8 * mask.size)
