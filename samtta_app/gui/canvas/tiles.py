"""The image on the canvas: a pyramid cut into tiles, made when they are first looked at, so that its size does not matter."""

from __future__ import annotations

import math
from collections import OrderedDict

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from samtta_app.core.types import Image
from samtta_app.gui.canvas.markers import zoom_of
from samtta_app.gui.canvas.overlay import pixel_rect, rgb_image

TILE_SIDE = 512
"""Side of a tile in pixels of its level; Qt cannot draw pixmaps of more than 32767."""

TILES_KEPT = 128
"""Tiles that stay ready: 1 MB each."""

CRISP = 2.0
"""From this many device pixels per image pixel on, pixels are shown as squares."""


class Pyramid:
    """An image (H, W, 3) at full size and halved again and again, each level made when it is first asked for."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._levels = [pixels]

    def level_for(self, zoom: float) -> int:
        """The smallest level that still has a pixel for each device pixel at `zoom` device pixels per image pixel."""
        deepest = max(0, math.ceil(math.log2(max(self._levels[0].shape[:2]) / TILE_SIDE)))
        return min(max(math.floor(math.log2(1 / zoom)), 0), deepest) if zoom > 0 else deepest

    def level(self, number: int) -> NDArray[np.uint8]:
        """Level `number`; 0 is the image itself."""
        while len(self._levels) <= number:
            height, width = self._levels[-1].shape[:2]
            half = cv2.resize(self._levels[-1], ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
            self._levels.append(np.asarray(half, dtype=np.uint8))
        return self._levels[number]


class ImageItem(QGraphicsItem):
    """Draws an image of any size, smooth when it is small on the screen and with crisp pixels when it is large."""

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self._rect = QRectF()
        self._pyramid: Pyramid | None = None
        self._tiles: OrderedDict[tuple[int, int, int], QPixmap] = OrderedDict()

    def set_image(self, image: Image | None) -> None:
        """Show `image`, or nothing."""
        self.prepareGeometryChange()
        self._rect = pixel_rect(image.whole) if image is not None else QRectF()
        self._pyramid = Pyramid(image.pixels) if image is not None else None
        self._tiles.clear()
        self.update()

    def boundingRect(self) -> QRectF:
        """The image's pixels, in image coordinates."""
        return self._rect

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the tiles that are to be seen."""
        if self._pyramid is None:
            return
        zoom = zoom_of(painter, option)
        level = self._pyramid.level_for(zoom)
        height, width = self._pyramid.level(level).shape[:2]
        across, down = self._rect.width() / width, self._rect.height() / height
        seen = option.exposedRect.intersected(self._rect)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, zoom < CRISP and abs(zoom - 1) > 1e-6)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for row in _touched(seen.top() + 0.5, seen.bottom() + 0.5, down * TILE_SIDE, height):
            for column in _touched(seen.left() + 0.5, seen.right() + 0.5, across * TILE_SIDE, width):
                tile = self._tile(self._pyramid, level, row, column)
                x, y = column * TILE_SIDE * across - 0.5, row * TILE_SIDE * down - 0.5
                target = QRectF(x, y, tile.width() * across, tile.height() * down)
                painter.drawPixmap(target, tile, QRectF(tile.rect()))

    def _tile(self, pyramid: Pyramid, level: int, row: int, column: int) -> QPixmap:
        key = (level, row, column)
        if key not in self._tiles:
            y, x = row * TILE_SIDE, column * TILE_SIDE
            self._tiles[key] = QPixmap.fromImage(rgb_image(pyramid.level(level)[y : y + TILE_SIDE, x : x + TILE_SIDE]))
            while len(self._tiles) > TILES_KEPT:
                self._tiles.popitem(last=False)
        self._tiles.move_to_end(key)
        return self._tiles[key]


def _touched(start: float, stop: float, step: float, pixels: int) -> range:
    """Numbers of the tiles, `step` image pixels long, that start .. stop touches; `pixels` is the level's extent."""
    last = (pixels - 1) // TILE_SIDE
    return range(max(math.floor(start / step), 0), min(math.floor(stop / step), last) + 1)
