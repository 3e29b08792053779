"""The image on the canvas: a pyramid cut into tiles, made when they are first shown, so that its size does not matter."""

from __future__ import annotations

import math

from cachetools import LRUCache
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from samtta_app.core.types import Image, Window
from samtta_app.gui.canvas.markers import zoom_of
from samtta_app.gui.canvas.overlay import pixel_rect, rgb_image
from samtta_app.images.image_source import ImageSource, source_of

TILE_SIDE = 512
"""Side of a tile in pixels of its level; Qt cannot draw pixmaps of more than 32767."""

TILES_KEPT = 128
"""Tiles that stay ready: 1 MB each."""

CRISP = 2.0
"""From this many device pixels per image pixel on, pixels are shown as squares."""


class ImageItem(QGraphicsItem):
    """Draws an image of any size, smooth when it is small on the screen and with crisp pixels when it is large."""

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self._rect = QRectF()
        self._source: ImageSource | None = None
        self._tiles: LRUCache[tuple[int, int, int], QPixmap] = LRUCache(TILES_KEPT)

    def set_image(self, image: Image | None) -> None:
        """Show `image`, or nothing."""
        self.prepareGeometryChange()
        self._rect = pixel_rect(image.whole) if image is not None else QRectF()
        self._source = source_of(image) if image is not None else None
        self._tiles.clear()
        self.update()

    def boundingRect(self) -> QRectF:
        """The image's pixels, in image coordinates."""
        return self._rect

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the visible tiles."""
        if self._source is None:
            return
        zoom = zoom_of(painter, option)
        level = level_for(self._source.extent(), zoom)
        extent = self._source.extent(level)
        across, down = self._rect.width() / extent.width, self._rect.height() / extent.height
        seen = option.exposedRect.intersected(self._rect)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, zoom < CRISP and abs(zoom - 1) > 1e-6)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for row in _touched(seen.top() + 0.5, seen.bottom() + 0.5, down * TILE_SIDE, extent.height):
            for column in _touched(seen.left() + 0.5, seen.right() + 0.5, across * TILE_SIDE, extent.width):
                tile = self._tile(self._source, level, row, column)
                x, y = column * TILE_SIDE * across - 0.5, row * TILE_SIDE * down - 0.5
                target = QRectF(x, y, tile.width() * across, tile.height() * down)
                painter.drawPixmap(target, tile, QRectF(tile.rect()))

    def _tile(self, source: ImageSource, level: int, row: int, column: int) -> QPixmap:
        key = (level, row, column)
        tile = self._tiles.get(key)
        if tile is None:
            extent, y, x = source.extent(level), row * TILE_SIDE, column * TILE_SIDE
            seen = Window(x, y, min(TILE_SIDE, extent.width - x), min(TILE_SIDE, extent.height - y))
            tile = self._tiles[key] = QPixmap.fromImage(rgb_image(source.read(seen, level)))
        return tile


def level_for(extent: Window, zoom: float) -> int:
    """The smallest level that still has a pixel for each device pixel at `zoom` device pixels per image pixel."""
    deepest = max(0, math.ceil(math.log2(extent.side / TILE_SIDE)))
    return min(max(math.floor(math.log2(1 / zoom)), 0), deepest) if zoom > 0 else deepest


def _touched(start: float, stop: float, step: float, pixels: int) -> range:
    """Numbers of the tiles, `step` image pixels long, that start .. stop touches; `pixels` is the level's extent."""
    last = (pixels - 1) // TILE_SIDE
    return range(max(math.floor(start / step), 0), min(math.floor(stop / step), last) + 1)
