"""A picture of simulated annotation: for each object its image, its true mask, the accepted mask, and where it is unsure."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from samtta_app.core.masks import bounding_box, crop
from samtta_app.core.types import BoolArray, Candidate, FloatArray, Image, Logits, Mask, Window
from samtta_app.core.windows import around
from samtta_app.images.image_source import source_of

Pixels = NDArray[np.uint8]

HEADS = ("image", "truth", "mask", "uncertainty")

SHEET_TILE, GAP, LINE = 128, 4, 20
"""Side of a tile, space between tiles, and height of a line of text, in pixels."""

PER_COLUMN = 10
"""Objects one below the other: 30 of them make about a square."""

_NEAR = 2.5
"""Side of what a tile shows, in object sides: the object and its surroundings."""

DARKENED = 0.3
"""Brightness outside a mask: what is there can still be seen."""

_INK, PAPER = (40, 40, 40), 255


def strip(image: Image, truth: Mask, answer: Candidate, caption: str) -> Pixels:
    """One object: a line of text above four tiles, as `HEADS` names them; (height, width, 3) uint8 RGB."""
    box = bounding_box(truth)
    view = around(box, image.whole, _NEAR) if box else image.whole
    pixels = source_of(image).read(view)
    unsure = _sampled(Logits(answer.logits.window, answer.entropy), view)
    coloured = cv2.applyColorMap(np.round(unsure * 255).astype(np.uint8), cv2.COLORMAP_PLASMA)[..., ::-1]
    shown = [pixels, _lit(pixels, crop(truth, view)), _lit(pixels, crop(answer.mask, view)), coloured]
    tiles = [_tile(np.asarray(each, dtype=np.uint8)) for each in shown]
    return np.vstack([_text(caption, _width()), _beside(tiles)])


def contact_sheet(strips: Sequence[Pixels]) -> Pixels:
    """All objects in columns under the tiles' names; (height, width, 3) uint8 RGB.

    Raises:
        ValueError: there is no object.
    """
    heads = _beside([_text(name, SHEET_TILE) for name in HEADS])
    columns = [np.vstack([heads, *strips[start : start + PER_COLUMN]]) for start in range(0, len(strips), PER_COLUMN)]
    height = max(len(column) for column in columns)
    return _beside([np.pad(c, ((0, height - len(c)), (0, 0), (0, 0)), constant_values=PAPER) for c in columns])


def _sampled(values: Logits, view: Window) -> FloatArray:
    """The map at each pixel of `view`, 0 .. 1; nothing is unsure where it does not reach or is not finite."""
    grid = np.nan_to_num(values.values, nan=0.0, posinf=0.0, neginf=0.0).clip(0, 1).astype(np.float32)
    cells = grid.shape[0] / values.window.side
    columns = (np.arange(view.width, dtype=np.float32) + view.x - values.window.x + 0.5) * cells - 0.5
    rows = (np.arange(view.height, dtype=np.float32) + view.y - values.window.y + 0.5) * cells - 0.5
    at_columns, at_rows = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    found = cv2.remap(grid, at_columns, at_rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(found, dtype=np.float32)


def _lit(pixels: Pixels, bits: BoolArray) -> Pixels:
    """The image, dark outside the mask."""
    return np.where(bits[..., None], pixels, np.round(pixels * DARKENED)).astype(np.uint8)


def _tile(pixels: Pixels) -> Pixels:
    """Fitted into the middle of a square."""
    height, width = pixels.shape[:2]
    scale = SHEET_TILE / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    fitted = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    out = np.full((SHEET_TILE, SHEET_TILE, 3), PAPER, dtype=np.uint8)
    top, left = (SHEET_TILE - size[1]) // 2, (SHEET_TILE - size[0]) // 2
    out[top : top + size[1], left : left + size[0]] = fitted
    return out


def _width() -> int:
    return len(HEADS) * (SHEET_TILE + GAP) - GAP


def _beside(parts: Sequence[Pixels]) -> Pixels:
    """Parts of one height next to each other."""
    gap = np.full((len(parts[0]), GAP, 3), PAPER, dtype=np.uint8)
    return np.hstack([each for part in parts for each in (gap, part)][1:])


def _text(words: str, width: int) -> Pixels:
    """One line of text, cut off where it is too long."""
    line = Picture.new("RGB", (width, LINE), (PAPER, PAPER, PAPER))
    ImageDraw.Draw(line).text((2, 3), words, fill=_INK, font=ImageFont.load_default(size=12))
    return np.asarray(line, dtype=np.uint8)
