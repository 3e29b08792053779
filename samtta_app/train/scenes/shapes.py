"""Random compact shapes, (S, S) of 0 and 1; everything takes its generator by argument."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from samtta_app.train.data.labelled_images import LabelledImage
from samtta_app.train.data.nested_masks import ByteMask
from samtta_app.train.scenes.thin_shapes import Points, draw_thin

GLYPHS = "ABDEGHKMPRSXY2345689&@#?"


def filled(outlines: Sequence[Points], size: int) -> ByteMask:
    """The inside of closed outlines (N, 2) of x, y; an outline within another is a hole."""
    mask = np.zeros((size, size), np.uint8)
    corners = [np.round(points * 16).astype(np.int32) for points in outlines]
    cv2.fillPoly(mask, corners, 1, lineType=cv2.LINE_8, shift=4)
    return mask


def rounded(rng: np.random.Generator) -> Points:
    """A closed outline of about unit radius with a few random harmonics, stretched and turned."""
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    order = np.arange(2, 7)
    strength = rng.uniform(0, 0.35) * rng.standard_normal(5) / order
    radius = 1 + (strength[:, None] * np.cos(order[:, None] * angle + rng.uniform(0, 6.3, (5, 1)))).sum(0)
    stretch, turn = rng.uniform(0.35, 1), rng.uniform(0, np.pi)
    x, y = radius * np.cos(angle), stretch * radius * np.sin(angle)
    return np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], 1)


def cornered(rng: np.random.Generator) -> Points:
    """An outline of unit radius: three to eight corners, convex or star-like, now and then a regular star."""
    corners = int(rng.integers(3, 9))
    if rng.random() < 0.25:
        angle = np.linspace(0, 2 * np.pi, 2 * corners, endpoint=False) + rng.uniform(0, 6.3)
        radius = np.tile([1.0, rng.uniform(0.3, 0.75)], corners)
    else:
        spread = np.linspace(0, 2 * np.pi, corners, endpoint=False)
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners) * 0.4 + spread * 0.8)
        radius = rng.uniform(0.45, 1, corners)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)


def ring(rng: np.random.Generator) -> list[Points]:
    """An outline and the same one smaller: a ring or a frame."""
    outer = rounded(rng) if rng.random() < 0.7 else cornered(rng)
    return [outer, outer * rng.uniform(0.4, 0.85) + rng.normal(0, 0.04, 2)]


def crescent(size: int, centre: Points, side: float, rng: np.random.Generator) -> ByteMask:
    """A crescent: a shape without the part that a shifted copy hides."""
    outline, turn = rounded(rng) * side / 2, rng.uniform(0, 2 * np.pi)
    shift = np.array([np.cos(turn), np.sin(turn)]) * side * rng.uniform(0.15, 0.35)
    return filled([centre + outline], size) & (1 - filled([centre + shift + outline * rng.uniform(0.8, 1.0)], size))


def glyph(size: int, centre: Points, side: float, rng: np.random.Generator) -> ByteMask:
    """A printed character: strokes, corners, holes."""
    text, font = GLYPHS[int(rng.integers(len(GLYPHS)))], int(rng.integers(0, 5))
    width = max(2, round(side * rng.uniform(0.06, 0.2)))
    scale = side / 30
    (w, h), _ = cv2.getTextSize(text, font, scale, width)
    mask = np.zeros((size, size), np.uint8)
    place = (round(centre[0] - w / 2), round(centre[1] + h / 2))
    return np.asarray(cv2.putText(mask, text, place, font, scale, 1, width, cv2.LINE_8), np.uint8)


def stencil(
    records: Sequence[LabelledImage], size: int, centre: Points, side: float, rng: np.random.Generator
) -> ByteMask:
    """The outline of an object of the training data, resized and turned."""
    record = records[int(rng.integers(len(records)))]
    box = record.objects[int(rng.integers(len(record.objects)))]
    cut = (record.layers[box.layer, box.y0 : box.y1, box.x0 : box.x1] == box.value).astype(np.float32)
    scale, turn = side / max(cut.shape), np.degrees(rng.uniform(0, 2 * np.pi))
    matrix = cv2.getRotationMatrix2D((cut.shape[1] / 2, cut.shape[0] / 2), turn, scale)
    matrix[:, 2] += centre - (cut.shape[1] / 2, cut.shape[0] / 2)
    return (cv2.warpAffine(cut, matrix, (size, size)) > 0.5).astype(np.uint8)


def draw_shape(
    records: Sequence[LabelledImage], size: int, centre: Points, side: float, rng: np.random.Generator
) -> ByteMask:
    """One shape of a random family about `side` pixels large around `centre` (x, y), now and then with holes."""
    families: tuple[Callable[[], ByteMask], ...] = (
        lambda: filled([centre + rounded(rng) * side / 2], size),
        lambda: filled([centre + cornered(rng) * side / 2], size),
        lambda: stencil(records, size, centre, side, rng),
        lambda: filled([centre + outline * side / 2 for outline in ring(rng)], size),
        lambda: crescent(size, centre, side, rng),
        lambda: glyph(size, centre, side, rng),
        lambda: draw_thin(size, centre, side, rng),
    )
    mask = families[rng.choice(7, p=(0.32, 0.14, 0.3, 0.06, 0.05, 0.04, 0.09))]()
    if rng.random() < 0.12:
        for _ in range(int(rng.integers(1, 4))):
            hole = centre + rng.normal(0, side * 0.15, 2) + rounded(rng) * side * rng.uniform(0.08, 0.22)
            mask = mask & (1 - filled([hole], size))
    return mask
