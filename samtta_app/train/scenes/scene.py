"""Scenes of a few things; each paints into a ground (S, S, 3) in place and returns its masks, parts and groups too."""

from collections.abc import Sequence

import numpy as np

from samtta_app.train.data.labelled_images import LabelledImage
from samtta_app.train.data.nested_masks import ByteMask
from samtta_app.train.scenes.paint import fill_like, light, paste
from samtta_app.train.scenes.shapes import draw_shape
from samtta_app.train.scenes.surfaces import Texture, field, grating, spots
from samtta_app.train.scenes.thin_shapes import Points, draw_thin

_MIN_LEFT = 0.5


def _hide(masks: list[ByteMask], newer: ByteMask) -> list[ByteMask]:
    return [mask * (1 - newer) for mask in masks]


def _inside(mask: ByteMask, rng: np.random.Generator) -> Points:
    rows, columns = np.nonzero(mask)
    i = int(rng.integers(rows.size))
    return np.array([columns[i], rows[i]], np.float64)


def scatter(scene: Texture, records: Sequence[LabelledImage], rng: np.random.Generator) -> list[ByteMask]:
    """Shapes of one kind or of several; later ones hide earlier ones or are transparent, some touch."""
    size = scene.shape[0]
    count = int(rng.integers(1, 9))
    alike, clear = rng.random() < 0.5, rng.random() < 0.15
    side = size * np.exp(rng.uniform(np.log(0.06), np.log(0.8))) / np.sqrt(max(1, count / 2))
    fill, lit = fill_like(scene, records, rng), rng.random() < 0.25
    masks: list[ByteMask] = []
    areas = []
    for _ in range(count):
        own = side * np.exp(rng.normal(0, 0.2 if alike else 0.5))
        mask = draw_shape(records, size, rng.uniform(0, size, 2) * 0.9 + 0.05 * size, max(own, size / 22), rng)
        areas.append(int(mask.sum()))
        if not alike:
            fill = fill_like(scene, records, rng)
        paste(scene, fill, mask, rng, rng.uniform(0.35, 0.6) if clear else None)
        if lit:
            light(scene, mask, rng)
        masks = [*(masks if clear else _hide(masks, mask)), mask]
    # The remains of a hidden thing do not count as a thing.
    return [mask for mask, area in zip(masks, areas, strict=True) if mask.sum() > _MIN_LEFT * area]


def thin(scene: Texture, records: Sequence[LabelledImage], rng: np.random.Generator) -> list[ByteMask]:
    """One to four thin structures that may cross; each is whole."""
    size = scene.shape[0]
    fill = fill_like(scene, records, rng)
    masks = []
    for _ in range(int(rng.integers(1, 5))):
        masks.append(draw_thin(size, rng.uniform(0.2, 0.8, 2) * size, size * rng.uniform(0.25, 0.9), rng))
        paste(scene, fill, masks[-1], rng, rng.uniform(0.6, 1.0))
    return masks


def nested_scene(scene: Texture, records: Sequence[LabelledImage], rng: np.random.Generator) -> list[ByteMask]:
    """A thing with things in it, these with things in them, or two such things side by side: all are targets."""
    size = scene.shape[0]
    side, centre = size * rng.uniform(0.25, 0.85), rng.uniform(0.3, 0.7, 2) * size
    paired = rng.random() < 0.35
    side = side * 0.6 if paired else side
    whole = draw_shape(records, size, centre, side, rng)
    fill = fill_like(scene, records, rng)
    paste(scene, fill, whole, rng)
    masks, group = [whole], whole
    if paired:
        turn = rng.uniform(0, 2 * np.pi)
        shift = np.array([np.cos(turn), np.sin(turn)]) * side * rng.uniform(0.7, 0.95)
        twin = draw_shape(records, size, centre + shift, side * rng.uniform(0.8, 1.1), rng) & (1 - whole)
        paste(scene, fill, twin, rng)
        group = whole | twin
    fill, host = fill_like(scene, records, rng), whole
    for _ in range(int(rng.integers(1, 4))):
        if not host.any():  # the whole lies outside
            break
        own = np.sqrt(host.sum()) * rng.uniform(0.3, 0.75)
        part = draw_shape(records, size, _inside(host, rng), max(own, size / 22), rng) & host
        if not paste(scene, fill, part, rng):
            continue
        masks = [*(mask if mask is whole or mask is host else mask * (1 - part) for mask in masks), part]
        deeper = rng.random() < 0.5
        host = part if deeper else whole
        fill = fill_like(scene, records, rng) if deeper else fill
    return [*masks, group] if paired else masks


def woven(scene: Texture, records: Sequence[LabelledImage], rng: np.random.Generator) -> list[ByteMask]:
    """Things with the ground's tone that differ in texture only: the direction of waves, the size of grains."""
    size = scene.shape[0]
    tone = scene.mean((0, 1)) * np.float32(0.6) + np.float32(50)
    scale = size * np.exp(rng.uniform(np.log(0.015), np.log(0.05)))
    colour = (rng.uniform(20, 50) * rng.uniform(0.7, 1.3, 3)).astype(np.float32)
    waves, turn, bend = rng.random() < 0.5, rng.uniform(0, np.pi), rng.uniform(0, 0.6)

    def pattern(turn: float, scale: float) -> Texture:
        drawn = grating(size, max(3.0, 2 * scale), turn, bend, rng) if waves else spots(size, max(2.0, scale), rng)
        return np.asarray(drawn[..., None] * colour + tone, np.float32)

    scene[:] = pattern(turn, scale)
    ratio = rng.uniform(2.2, 3.5)
    other = pattern(turn + rng.uniform(0.6, 2.5), scale if waves else scale * ratio)
    if rng.random() < 0.25:
        other = tone + field(size, rng)[..., None] * np.float32(6)
    masks: list[ByteMask] = []
    for _ in range(int(rng.integers(1, 4))):
        side = max(size * rng.uniform(0.2, 0.6), min(6 * scale, 0.6 * size))
        mask = draw_shape(records, size, rng.uniform(0.15, 0.85, 2) * size, side, rng)
        paste(scene, other, mask, rng, 1.0)
        masks = [m for m in _hide(masks, mask) if m.sum() > size]
        masks.append(mask)
    return masks
