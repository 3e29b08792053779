"""Sample look 2: brushed, milled and tempered metal with scratches, pits, stains and blisters."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

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
    depth_inside,
    finished,
    grid,
    lit,
    main_piece,
    noise_field,
    scattered,
    smoothstep,
    star,
    streaks,
)

_SIZE = 704
_LIGHT = (-0.55, -0.65, 0.9)
_LEAST = 160
"""Minimum visible pixels of a defect; a smaller one is not made."""


@dataclass(slots=True, eq=False)
class Plate:
    """A surface in progress: height in pixels, colours 0 .. 1, gloss, and the ids of the defects so far."""

    height: Field
    colours: NDArray[np.float32]
    labels: NDArray[np.uint16] = field(default_factory=lambda: np.zeros((_SIZE, _SIZE), np.uint16))
    classes: dict[int, str] = field(default_factory=dict)

    def claim(self, bits: NDArray[np.bool_], name: str) -> bool:
        """Give the pixels `bits` to a new defect, unless they touch an older one or are too few."""
        grown = cv2.dilate(bits.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        if np.count_nonzero(bits) < _LEAST or bool((self.labels[grown] > 0).any()):
            return False
        number = len(self.classes) + 1
        self.labels[bits] = number
        self.classes[number] = name
        return True


def make_metal(rng: np.random.Generator, index: int) -> MadeImage:
    """One plate with 8 to 18 defects and the exact outline of each."""
    finish, tint, plan = PLATES[index % len(PLATES)]
    height, shade = finish(rng)
    plate = Plate(height, blend(np.zeros((_SIZE, _SIZE, 3), np.float32), tint, shade))
    for name, count in plan.items():
        spots = scattered(rng, _SIZE, 60, 50, 400)
        made = 0
        for x, y in spots:
            made += DEFECTS[name](rng, plate, float(x), float(y))
            if made == count:
                break
    light = lit(plate.height, _LIGHT, 1.0) / lit(np.zeros_like(plate.height), _LIGHT, 1.0)
    columns, rows = grid(_SIZE)
    sheen = 0.82 + 0.30 * np.exp(-(((columns * 0.35 + rows * 0.9) / _SIZE - rng.uniform(0.4, 0.8)) ** 2) / 0.06)
    glint = np.clip(light - 1.35, 0, 1)[..., None] * 0.9
    image = plate.colours * (light * sheen)[..., None] + glint
    return MadeImage(f"metal_{index + 1}", finished(image, rng, 0.008), plate.labels, plate.classes)


def brushed(rng: np.random.Generator) -> tuple[Field, Field]:
    """Height and brightness of a sheet brushed along the rows."""
    fine, coarse = streaks(rng, _SIZE, 70, 0.5), streaks(rng, _SIZE, 160, 2.2)
    shade = 1 + 0.075 * fine + 0.05 * coarse + 0.03 * noise_field(rng, _SIZE, 300, 2)
    return as_field(0.12 * fine), as_field(shade)


def milled(rng: np.random.Generator) -> tuple[Field, Field]:
    """Height and brightness of a face cut by a round cutter: sets of crossing arcs."""
    columns, rows = grid(_SIZE)
    height = np.zeros((_SIZE, _SIZE), np.float32)
    shade = np.ones((_SIZE, _SIZE), np.float32)
    for sign in (-1, 1):
        distance = np.hypot(columns - _SIZE * (0.5 + 1.15 * sign), rows - _SIZE * rng.uniform(0.3, 0.7))
        pitch = 15.0 + sign * 1.7
        wobble = 0.35 * noise_field(rng, _SIZE, 220, 2)
        groove = np.abs(np.sin(np.pi * (distance / pitch + wobble)))
        height += (0.75 if sign > 0 else 0.35) * groove
        shade += (0.07 if sign > 0 else 0.04) * (groove - 0.6)
    grain = blur(rng.standard_normal((_SIZE, _SIZE)), 0.8)
    return as_field(height + 0.1 * grain), as_field(shade + 0.06 * grain + 0.02 * noise_field(rng, _SIZE, 200, 2))


def blasted(rng: np.random.Generator) -> tuple[Field, Field]:
    """Height and brightness of a painted or blasted surface: orange peel."""
    peel = noise_field(rng, _SIZE, 9, 2)
    return as_field(0.28 * peel), as_field(1 + 0.03 * peel + 0.05 * noise_field(rng, _SIZE, 260, 3))


def _turned(rng: np.random.Generator) -> tuple[Field, Field]:
    """Height and brightness of a face turned on a lathe: fine rings and the fan of light across them."""
    columns, rows = grid(_SIZE)
    x, y = columns - _SIZE * 0.42, rows - _SIZE * 0.56
    distance, angle = np.hypot(x, y), np.arctan2(y, x)
    line = np.interp(distance, np.arange(0, _SIZE * 2, 1.2), rng.standard_normal(np.arange(0, _SIZE * 2, 1.2).size))
    fan = np.cos(2 * (angle - 0.9)) ** 5 + 0.35 * np.cos(3 * (angle + 0.4)) ** 4
    return as_field(0.16 * line), as_field(0.92 + 0.22 * fan + 0.055 * line + 0.02 * noise_field(rng, _SIZE, 240, 2))


def scratch(rng: np.random.Generator, plate: Plate, x: float, y: float) -> bool:
    """A bent groove with raised edges, its bare ground brighter than the surface."""
    turn, length = rng.uniform(0, np.pi), rng.uniform(130, 300)
    steps = np.linspace(-0.5, 0.5, 60)
    bend = rng.normal(0, 26) * (4 * steps**2) + rng.normal(0, 12) * np.sin(5 * steps)
    line = np.stack(
        [
            x + length * steps * np.cos(turn) - bend * np.sin(turn),
            y + length * steps * np.sin(turn) + bend * np.cos(turn),
        ],
        axis=1,
    )
    core = np.zeros((_SIZE, _SIZE), np.uint8)
    width = rng.uniform(3.4, 5.4)
    for k, (a, b) in enumerate(itertools.pairwise(line)):
        thick = max(2, round(2 * width * np.sin(np.pi * (k + 3) / 66) ** 0.5))
        ends = [tuple(round(float(v) * 16) for v in point) for point in (a, b)]
        cv2.line(core, ends[0], ends[1], 1, thick, cv2.LINE_8, shift=4)
    ragged = depth_inside(core == 0) - depth_inside(core > 0) + 0.8 * noise_field(rng, _SIZE, 7, 2)
    bits = ragged < 0
    if not plate.claim(bits, "scratch"):
        return False
    depth = smoothstep(as_field(-ragged), 0, width)
    lip = np.exp(-(((ragged - 1.0) / 1.4) ** 2))
    plate.height += -3.2 * depth + 0.7 * as_field(lip)
    chatter = 0.5 + 0.5 * smoothstep(noise_field(rng, _SIZE, 10, 2), -1, 1)
    plate.colours[...] = blend(plate.colours, (0.93, 0.93, 0.95), as_field(0.5 * depth * chatter))
    return True


def pit(rng: np.random.Generator, plate: Plate, x: float, y: float) -> bool:
    """A corroded hole with a steep dark wall and a crumbly rim."""
    columns, rows = grid(_SIZE)
    warp = 4.5 * noise_field(rng, _SIZE, 26, 3)
    radius = rng.uniform(15, 36)
    inner = star(rng, (columns - x + warp, rows - y + warp[::-1]), radius, rng.uniform(1, 1.5), 0.12)
    bits = main_piece(inner > 0)
    inner = as_field(np.where(bits | (inner <= 0), inner, -0.2))
    if not plate.claim(bits, "pit"):
        return False
    depth = smoothstep(inner, 0.0, 0.35)
    rubble = noise_field(rng, _SIZE, 8, 3)
    plate.height += -0.28 * radius * depth + 0.9 * depth * rubble + 0.8 * as_field(np.exp(-((inner / 0.07) ** 2)))
    plate.colours[...] = blend(plate.colours, (0.13, 0.10, 0.085), as_field(0.80 * depth))
    plate.colours[...] = blend(plate.colours, (0.42, 0.24, 0.12), as_field(0.35 * depth * smoothstep(rubble, 0.2, 1.5)))
    return True


def stain(rng: np.random.Generator, plate: Plate, x: float, y: float) -> bool:
    """A dried drop of rust or heat colours, darkest along its edge; the surface below is visible."""
    columns, rows = grid(_SIZE)
    warp_x, warp_y = 16 * noise_field(rng, _SIZE, 80, 4), 16 * noise_field(rng, _SIZE, 80, 4)
    inner = star(rng, (columns - x + warp_x, rows - y + warp_y), rng.uniform(48, 86), rng.uniform(1, 1.6), 0.18)
    bits = main_piece(inner > 0)
    inner = as_field(np.where(bits | (inner <= 0), inner, -0.2))
    if not plate.claim(bits, "stain"):
        return False
    rust = bool(rng.random() < 0.5)
    body: Colour = (0.50, 0.24, 0.08) if rust else (0.36, 0.30, 0.52)
    edge: Colour = (0.30, 0.12, 0.04) if rust else (0.55, 0.36, 0.16)
    cloud = smoothstep(noise_field(rng, _SIZE, 30, 4, 0.65), -1.6, 1.6)
    cover = smoothstep(inner, 0.0, 0.05) * (0.30 + 0.35 * cloud)
    plate.colours[...] = blend(plate.colours, body, as_field(cover))
    plate.colours[...] = blend(plate.colours, edge, as_field(0.55 * np.exp(-(((inner - 0.05) / 0.05) ** 2)) * bits))
    return True


def blister(rng: np.random.Generator, plate: Plate, x: float, y: float) -> bool:
    """A smooth bump under the surface, visible by its light and shadow."""
    columns, rows = grid(_SIZE)
    radius = rng.uniform(20, 44)
    inner = star(rng, (columns - x, rows - y), radius, rng.uniform(1, 1.3), 0.05)
    bits = inner > 0
    if not plate.claim(bits, "blister"):
        return False
    dome = np.sqrt(np.clip(1 - (1 - np.clip(inner, 0, 1)) ** 2, 0, 1))
    plate.height += blur(0.42 * radius * dome, 1.2)
    shadow = star(rng, (columns - x - 0.3 * radius, rows - y - 0.36 * radius), radius, 1.0, 0.0)
    shade = smoothstep(shadow, -0.25, 0.35) * (~bits)
    plate.colours[...] *= (1 - 0.35 * shade)[..., None]
    plate.colours[...] = blend(plate.colours, (1.0, 1.0, 1.0), as_field(0.10 * dome * bits))
    return True


Finish = Callable[[np.random.Generator], tuple[Field, Field]]
Defect = Callable[[np.random.Generator, Plate, float, float], bool]

DEFECTS: dict[str, Defect] = {"scratch": scratch, "pit": pit, "stain": stain, "blister": blister}

PLATES: tuple[tuple[Finish, Colour, dict[str, int]], ...] = (
    (brushed, (0.60, 0.615, 0.64), {"stain": 2, "scratch": 5, "pit": 5}),
    (milled, (0.57, 0.58, 0.60), {"stain": 2, "scratch": 3, "pit": 7}),
    (blasted, (0.26, 0.38, 0.43), {"blister": 11, "scratch": 3}),
    (_turned, (0.66, 0.57, 0.40), {"stain": 3, "scratch": 4, "pit": 4, "blister": 3}),
)
"""Finish, colour and number of defects by class of each plate."""
