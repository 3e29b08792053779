"""Thin structures: fibres, cracks, branches, spirals, nets; 1.5 pixels wide up to a twenty-fifth of the window."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.train.data.nested_masks import ByteMask

Points = NDArray[np.float64]
Stroke = tuple[Points, float]
"""A line (N, 2) of x, y and its width, both in pixels."""

KNOTS = 24


def strokes_mask(strokes: list[Stroke], size: int) -> ByteMask:
    """(S, S) of 0 and 1: cells that the strokes cover by at least half.

    Strokes are drawn at twice the size, to allow half pixels of width. They are drawn 2 thinner, because OpenCV's thick
    lines are 2 too thick.
    """
    large = np.zeros((2 * size, 2 * size), np.uint8)
    for points, width in strokes:
        corners = np.round((points * 2 + 0.5) * 16).astype(np.int32)
        cv2.polylines(large, [corners], False, 255, max(2, round(2 * width) - 2), cv2.LINE_8, 4)
    return (cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA) > 127).astype(np.uint8)


def thickness(size: int, rng: np.random.Generator) -> float:
    """A width in pixels, log-uniform in 1.5 .. size / 25."""
    return float(np.exp(rng.uniform(np.log(1.5), np.log(max(1.6, size / 25)))))


def walk(start: Points, heading: float, length: float, wiggle: float, rng: np.random.Generator) -> Points:
    """A line that turns a little at each of its knots."""
    headings = heading + np.cumsum(rng.normal(0, wiggle, KNOTS))
    steps = np.stack([np.cos(headings), np.sin(headings)], 1) * (length / KNOTS)
    return np.cumsum(np.vstack([start, steps]), 0)


def fibre(size: int, side: float, rng: np.random.Generator) -> list[Stroke]:
    """One long line, smooth or jagged."""
    wiggle = rng.choice([0.05, 0.15, 0.5])
    return [(walk(np.zeros(2), rng.uniform(0, 6.3), side * 1.2, wiggle, rng), thickness(size, rng))]


def branches(size: int, side: float, rng: np.random.Generator) -> list[Stroke]:
    """A line with side lines, each thinner than what it grows from."""
    heading, wiggle = rng.uniform(0, 6.3), rng.choice([0.08, 0.2, 0.5])
    strokes = [(walk(np.zeros(2), heading, side, wiggle, rng), max(2.0, thickness(size, rng)))]
    for _ in range(int(rng.integers(2, 8))):
        parent, width = strokes[int(rng.integers(len(strokes)))]
        knot = int(rng.integers(2, KNOTS - 1))
        along = np.arctan2(*(parent[knot + 1] - parent[knot])[::-1])
        leave = along + rng.choice([-1, 1]) * rng.uniform(0.4, 1.3)
        strokes.append((walk(parent[knot], leave, side * rng.uniform(0.2, 0.6), wiggle, rng), max(1.5, width * 0.7)))
    return strokes


def spiral(size: int, side: float, rng: np.random.Generator) -> list[Stroke]:
    """One and a half to four turns, with gaps wider than the line."""
    turns = rng.uniform(1.5, 4)
    angle = np.linspace(0, 2 * np.pi * turns, 120)
    radius = np.linspace(rng.uniform(0.05, 0.2), 1, 120) * side / 2
    width = min(thickness(size, rng), max(1.5, side / turns / 4))
    around = angle * rng.choice([-1, 1]) + rng.uniform(0, 6.3)
    return [(np.stack([np.cos(around), np.sin(around)], 1) * radius[:, None], width)]


def net(size: int, side: float, rng: np.random.Generator) -> list[Stroke]:
    """Lines that cross at some angle: a fence, a sieve, a ladder."""
    turn, cross = rng.uniform(0, np.pi), rng.uniform(1.0, 2.1)
    ways = np.stack([[np.cos(turn), np.sin(turn)], [np.cos(turn + cross), np.sin(turn + cross)]]) * side / 2
    counts = rng.integers(2, 7, 2)
    width = min(thickness(size, rng), max(1.5, side / counts.max() / 4))
    strokes = []
    for count, way, other in zip(counts, ways, ways[::-1], strict=True):
        for place in np.linspace(-0.9, 0.9, count):
            strokes.append((np.stack([other * place - way, other * place + way]), width))
    return strokes


def comb(size: int, side: float, rng: np.random.Generator) -> list[Stroke]:
    """A bar with teeth, or a star of rays."""
    count, width = int(rng.integers(4, 10)), thickness(size, rng)
    width = min(width, max(1.5, side / count / 2.5))
    turn = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.4:
        angles = turn + np.linspace(0, 2 * np.pi, count, endpoint=False)
        return [(np.stack([np.zeros(2), np.array([np.cos(a), np.sin(a)]) * side / 2]), width) for a in angles]
    along, across = np.array([np.cos(turn), np.sin(turn)]) * side / 2, np.array([-np.sin(turn), np.cos(turn)]) * side
    teeth = [
        (np.stack([along * p, along * p + across * rng.uniform(0.3, 0.5)]), width) for p in np.linspace(-1, 1, count)
    ]
    return [(np.stack([-along, along]), width * 1.5), *teeth]


THIN_KINDS: tuple[Callable[[int, float, np.random.Generator], list[Stroke]], ...] = (fibre, branches, spiral, net, comb)
_SHARES = (0.3, 0.32, 0.1, 0.16, 0.12)


def draw_thin(size: int, centre: Points, side: float, rng: np.random.Generator) -> ByteMask:
    """One thin structure of a random kind, its bounding box around `centre` (x, y)."""
    strokes = THIN_KINDS[rng.choice(len(THIN_KINDS), p=_SHARES)](size, side, rng)
    points = np.concatenate([points for points, _ in strokes])
    shift = centre - (points.min(0) + points.max(0)) / 2
    return strokes_mask([(points + shift, width) for points, width in strokes], size)
