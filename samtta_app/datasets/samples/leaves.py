"""Sample look 3: veined leaves. On paper the blades are the objects; lit from behind, the lesions are."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.datasets.samples.patterns import (
    Colour,
    Field,
    MadeImage,
    as_field,
    blend,
    blur,
    cells_of,
    depth_inside,
    finished,
    grid,
    lit,
    main_piece,
    noise_field,
    scattered,
    smoothstep,
    star,
)

_SIZE = 704

_COLOURS: tuple[tuple[Colour, Colour], ...] = (
    ((0.16, 0.36, 0.10), (0.46, 0.62, 0.22)),
    ((0.25, 0.42, 0.16), (0.62, 0.66, 0.28)),
    ((0.74, 0.52, 0.10), (0.93, 0.78, 0.28)),
    ((0.66, 0.26, 0.07), (0.90, 0.55, 0.18)),
    ((0.50, 0.09, 0.09), (0.82, 0.30, 0.18)),
    ((0.30, 0.20, 0.12), (0.58, 0.42, 0.26)),
)
"""Dark and bright colour of a blade: two greens, yellow, orange, red, brown."""


@dataclass(frozen=True, slots=True)
class Blade:
    """A leaf's shape: length and width in pixels, widest place (0 stalk .. 1 tip), bend, teeth, veins per side."""

    length: float
    width: float
    widest: float
    bend: float
    teeth: float
    veins: int


def make_leaves(rng: np.random.Generator, index: int) -> MadeImage:
    """Samples 1 and 2: five to nine leaves on paper; 3 and 4: one leaf lit from behind with 9 to 16 lesions."""
    return _pressed(rng, index) if index % 4 < 2 else _backlit(rng, index)


# --- leaves on paper ------------------------------------------------------------------------------------------------


def _pressed(rng: np.random.Generator, index: int) -> MadeImage:
    count, length = ((6, 300), (9, 220))[index % 2]
    paper = 1 + 0.012 * noise_field(rng, _SIZE, 5, 2) + 0.02 * noise_field(rng, _SIZE, 200, 3)
    image = blend(np.zeros((_SIZE, _SIZE, 3), np.float32), (0.90, 0.87, 0.80), as_field(paper))
    labels = np.zeros((_SIZE, _SIZE), np.uint16)
    columns, rows = grid(_SIZE)
    mesh = cells_of(rng.uniform(0, _SIZE, (5200, 2)), columns + 2 * noise_field(rng, _SIZE, 20, 2), rows)
    for x, y in scattered(rng, _SIZE, length * 0.62, length * 0.34, count):
        blade = Blade(
            length=length * rng.uniform(0.85, 1.15),
            width=length * rng.uniform(0.36, 0.58),
            widest=rng.uniform(0.32, 0.48),
            bend=rng.normal(0, 0.16),
            teeth=float(rng.choice([0.0, 0.035, 0.06])),
            veins=int(rng.integers(6, 10)),
        )
        image = _lay(rng, image, labels, mesh, blade, (float(x), float(y)))
    return _tidy(MadeImage(f"leaves_{index + 1}", finished(image, rng, 0.008), labels, {}), "leaf")


def _lay(
    rng: np.random.Generator,
    image: NDArray[np.float32],
    labels: NDArray[np.uint16],
    mesh: Field,
    blade: Blade,
    middle: tuple[float, float],
) -> NDArray[np.float32]:
    """The picture with one more leaf and its shadow; the leaf's pixels get the next id in `labels`."""
    t, v = _along(middle, rng.uniform(0, 2 * np.pi), blade)
    edge = _outline(rng, blade, t) - np.abs(v)
    bits = main_piece((edge > 0) & (t > 0) & (t < 1))
    stalk = _stalk(blade, t, v) & ~bits
    cast = np.pad((bits | stalk).astype(np.float32), ((7, 0), (5, 0)), mode="edge")[:_SIZE, :_SIZE]
    image = image * (1 - 0.42 * blur(cast, 6) * (~(bits | stalk)))[..., None]
    veins, bulge = _veins(rng, blade, t, v, mesh)
    dark, bright = _COLOURS[int(rng.integers(len(_COLOURS)))]
    tone = smoothstep(0.5 * noise_field(rng, _SIZE, 90, 4) + 0.25 * bulge + 1.4 * (t - 0.5), -1.6, 1.6)
    body = blend(blend(np.zeros_like(image), dark, np.ones_like(t)), bright, tone)
    body = blend(body, np.asarray(bright) * 0.55 + 0.42, as_field(0.75 * veins))
    depth = depth_inside(bits)
    height = as_field(2.6 * bulge * smoothstep(depth, 0, 14) + 2.2 * np.sqrt(np.minimum(depth, 12)) + 3.0 * veins)
    shade = lit(blur(height, 1.0), (-0.5, -0.6, 1.1), 0.9) / lit(np.zeros_like(height), (-0.5, -0.6, 1.1), 0.9)
    body = body * (shade * (0.97 + 0.04 * noise_field(rng, _SIZE, 4, 2)))[..., None]
    image = blend(image, np.asarray(dark) * 0.5 + 0.18, blur(stalk.astype(np.float32), 0.7))
    labels[bits] = labels.max() + 1
    labels[stalk] = 0
    return blend(image, body, blur(bits.astype(np.float32), 0.6))


def _along(middle: tuple[float, float], turn: float, blade: Blade) -> tuple[Field, Field]:
    """Place along the midrib (0 stalk .. 1 tip) and distance from it in pixels (signed), for every pixel."""
    columns, rows = grid(_SIZE)
    x, y = columns - middle[0], rows - middle[1]
    t = (x * np.cos(turn) + y * np.sin(turn)) / blade.length + 0.5
    v = -x * np.sin(turn) + y * np.cos(turn) - blade.bend * blade.length * (1 - (2 * t - 1) ** 2)
    return as_field(t), as_field(v)


def _outline(rng: np.random.Generator, blade: Blade, t: Field) -> Field:
    """Half the blade's width at each place along the midrib, teeth included."""
    s = np.clip(t, 1e-4, 1 - 1e-4)
    a = blade.widest / (1 - blade.widest)
    profile = (s / blade.widest) ** a * ((1 - s) / (1 - blade.widest))
    profile = profile**0.85
    saw = (t * blade.veins * 4 + rng.uniform(0, 1)) % 1.0
    return as_field(
        0.5 * blade.width * profile * (1 - blade.teeth * 2 * (1 - saw)) + 1.2 * noise_field(rng, _SIZE, 40, 2)
    )


def _stalk(blade: Blade, t: Field, v: Field) -> NDArray[np.bool_]:
    reach = blade.length * 0.16
    bow = v + 0.9 * blade.bend * blade.length * np.clip(t, -1, 0) * 2
    near = (t * blade.length > -reach) & (t < 0.04)
    return np.asarray(near & (np.abs(bow) < 2.6), dtype=np.bool_)


def _veins(rng: np.random.Generator, blade: Blade, t: Field, v: Field, mesh: Field) -> tuple[Field, Field]:
    """How much each pixel belongs to a vein (0 .. 1), and how far the blade bulges between the veins."""
    half = 0.5 * blade.width
    side = np.where(v >= 0, 0.5, 0.0)
    away = np.abs(v) / half
    phase = (t - 0.30 * away**0.8 * (half / blade.length) * 2.2) * blade.veins + side + rng.uniform(0, 1)
    phase = phase + 0.05 * noise_field(rng, _SIZE, 50, 2)
    gap = np.abs(phase - np.round(phase)) * blade.length / blade.veins
    taper = np.clip(1.15 - 0.75 * away, 0.25, 1)
    second = np.exp(-((gap / (1.5 * taper)) ** 2)) * smoothstep(as_field(away), 1.25, 0.75)
    first = np.exp(-((v / (0.6 + 2.6 * np.clip(1 - t, 0, 1))) ** 2)) * (t < 1)
    third = 0.34 * np.exp(-((mesh / 1.1) ** 2))
    bulge = np.cos(2 * np.pi * (phase - 0.5)) * np.clip(away * 3, 0, 1)
    return as_field(np.maximum.reduce([first, 0.85 * second, third])), as_field(bulge)


# --- a leaf lit from behind -----------------------------------------------------------------------------------------


def _backlit(rng: np.random.Generator, index: int) -> MadeImage:
    turn = rng.uniform(0.15, 0.6)
    blade = Blade(length=1150, width=1000, widest=0.45, bend=0.05, teeth=0, veins=9)
    t, v = _along((_SIZE * rng.uniform(0.45, 0.6), _SIZE * rng.uniform(0.4, 0.6)), turn, blade)
    main, bulge = _main_veins(rng, blade, t, v)
    columns, rows = grid(_SIZE)
    wobble_x, wobble_y = columns + 3 * noise_field(rng, _SIZE, 40, 2), rows + 3 * noise_field(rng, _SIZE, 40, 2)
    wide = np.exp(-((cells_of(rng.uniform(0, _SIZE, (330, 2)), wobble_x, wobble_y) / 2.6) ** 2))
    fine = np.exp(-((cells_of(rng.uniform(0, _SIZE, (5200, 2)), wobble_x, wobble_y) / 1.5) ** 2))
    veins = np.maximum.reduce([main, 0.62 * wide, 0.36 * fine])
    tone = smoothstep(noise_field(rng, _SIZE, 190, 4) + 0.4 * bulge - 0.5 * (fine + wide), -2.2, 2.0)
    dark, bright = (((0.13, 0.36, 0.05), (0.42, 0.66, 0.12)), ((0.42, 0.22, 0.04), (0.86, 0.60, 0.13)))[index % 2]
    image = blend(blend(np.zeros((_SIZE, _SIZE, 3), np.float32), dark, np.ones_like(t)), bright, tone)
    image = blend(image, np.asarray(bright) * 0.45 + 0.5, as_field(0.82 * veins))
    labels = np.zeros((_SIZE, _SIZE), np.uint16)
    wanted = int(rng.integers(10, 17))
    for x, y in scattered(rng, _SIZE, 92, 36, wanted):
        image = _lesion(rng, image, labels, veins, (float(x), float(y)))
    glow = as_field(1.08 - 0.35 * ((columns / _SIZE - 0.5) ** 2 + (rows / _SIZE - 0.5) ** 2))
    pixels = finished(blur_colours(image * glow[..., None], 0.6), rng, 0.010)
    return _tidy(MadeImage(f"leaves_{index + 1}", pixels, labels, {}), "lesion")


def _main_veins(rng: np.random.Generator, blade: Blade, t: Field, v: Field) -> tuple[Field, Field]:
    """Midrib and side veins of a close-up, and the bulge between them."""
    half = 0.5 * blade.width
    away = np.abs(v) / half
    phase = (t - 0.42 * away**0.85) * blade.veins + np.where(v >= 0, 0.45, 0.0) + 0.03 * noise_field(rng, _SIZE, 120, 2)
    gap = np.abs(phase - np.round(phase)) * blade.length / blade.veins * 0.75
    second = 0.95 * np.exp(-((gap / (1.2 + 3.2 * np.clip(1 - 1.3 * away, 0, 1))) ** 2))
    first = np.exp(-((v / (3 + 7 * np.clip(1 - t, 0, 1))) ** 2))
    return as_field(np.maximum(first, second)), as_field(np.cos(2 * np.pi * (phase - 0.5)))


def _lesion(
    rng: np.random.Generator,
    image: NDArray[np.float32],
    labels: NDArray[np.uint16],
    veins: Field,
    middle: tuple[float, float],
) -> NDArray[np.float32]:
    """The picture with one more dead spot: dark rim, dry middle with rings, and a yellow zone around it (no object)."""
    columns, rows = grid(_SIZE)
    warp_x, warp_y = 7 * noise_field(rng, _SIZE, 40, 3), 7 * noise_field(rng, _SIZE, 40, 3)
    radius = rng.uniform(17, 44)
    offset = (columns - middle[0] + warp_x, rows - middle[1] + warp_y)
    inner = star(rng, offset, radius, rng.uniform(1, 1.7), 0.14) - 0.10 * veins
    bits = main_piece(inner > 0)
    grown = cv2.dilate(bits.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    if np.count_nonzero(bits) < 300 or bool((labels[grown] > 0).any()):
        return image
    inner = as_field(np.where(bits | (inner <= 0), inner, 0.0))
    image = blend(image, (0.90, 0.80, 0.22), as_field(0.62 * np.exp(-np.clip(-inner, 0, None) * radius / 9) * ~bits))
    rings = 0.5 + 0.5 * np.sin(inner * radius / 2.1 + noise_field(rng, _SIZE, 30, 2))
    dry = smoothstep(noise_field(rng, _SIZE, 12, 3) + rings, -1.0, 2.0)
    body = blend(blend(np.zeros_like(image), (0.27, 0.13, 0.05), np.ones_like(dry)), (0.62, 0.44, 0.24), dry)
    body = blend(body, (0.13, 0.055, 0.02), as_field(0.85 * np.exp(-((inner / 0.13) ** 2))))
    body = blend(body, (0.75, 0.58, 0.36), as_field(0.35 * veins))
    labels[bits] = labels.max() + 1
    return blend(image, body, blur(bits.astype(np.float32), 0.6))


def blur_colours(colours: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Each colour channel (H, W, 3) with the same blur."""
    return np.asarray(cv2.GaussianBlur(colours, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), dtype=np.float32)


def _tidy(sample: MadeImage, name: str) -> MadeImage:
    """Ids without gaps; a covered leaf keeps its largest visible piece, and pieces below 300 pixels are dropped."""
    labels = np.zeros_like(sample.labels)
    for instance in range(1, int(sample.labels.max()) + 1):
        count, pieces, stats, _ = cv2.connectedComponentsWithStats((sample.labels == instance).astype(np.uint8))
        if count > 1 and stats[1:, cv2.CC_STAT_AREA].max() >= 300:
            labels[pieces == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))] = labels.max() + 1
    return MadeImage(sample.name, sample.pixels, labels, dict.fromkeys(range(1, int(labels.max()) + 1), name))
