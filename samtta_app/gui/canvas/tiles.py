"""The image on the canvas: a pyramid cut into tiles, made when they are first shown, so that its size does not matter."""

from __future__ import annotations

import math

from cachetools import LRUCache
from PySide6.QtCore import QRectF, Slot
from PySide6.QtGui import QImage, QPainter, QPixmap
from PySide6.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from samtta_app.core.looks import PLAIN, DisplayLook
from samtta_app.core.types import Image, ImageSource, Window
from samtta_app.gui.canvas.markers import zoom_of
from samtta_app.gui.canvas.overlay import pixel_rect, rgb_image
from samtta_app.gui.canvas.tile_loader import TileKey, TileLoader
from samtta_app.images.image_source import source_of

TILE_SIDE = 512
"""Side of a tile in pixels of its level; Qt cannot draw pixmaps of more than 32767."""

TILES_KEPT = 128
"""Tiles that stay ready: 1 MB each."""

CRISP = 2.0
"""From this many device pixels per image pixel on, pixels are shown as squares."""


class ImageItem(QGraphicsObject):
    """Draws an image of any size, smooth when it is small on the screen and with crisp pixels when it is large.

    Tiles of an image that is read from its file are fetched on a thread. A coarser tile stands in until they are there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsObject.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self._rect = QRectF()
        self._source: ImageSource | None = None
        self._loader: TileLoader | None = None
        self._look = PLAIN
        self._shown: Image | None = None
        self._tiles: LRUCache[TileKey, QPixmap] = LRUCache(TILES_KEPT)

    def set_image(self, image: Image | None) -> None:
        """Show `image`, or nothing."""
        self.prepareGeometryChange()
        self._shown = image
        self._rect = pixel_rect(image.whole) if image is not None else QRectF()
        self._source = source_of(image) if image is not None else None
        self._tiles.clear()
        if self._loader is not None:
            self._loader.close()
            self._loader.deleteLater()
            self._loader = None
        if image is not None and image.tiles is not None:
            self._loader = TileLoader(image.tiles, self._look, self)
            self._loader.arrived.connect(self._take)
            coarsest = (level_for(image.whole, 0.0), 0, 0)
            self._loader.wish(coarsest, _tile_window(image.tiles, coarsest))
        self.update()

    def set_look(self, look: DisplayLook) -> None:
        """Show the image in another look."""
        if look.table().tobytes() == self._look.table().tobytes() and look.channel == self._look.channel:
            return
        self._look = look
        if self._shown is not None:
            self.set_image(self._shown)

    @Slot(object, QImage)
    def _take(self, key: TileKey, tile: QImage) -> None:
        """Show a tile that was fetched; one that cannot be read stays blurred."""
        if self.sender() is self._loader and not tile.isNull():
            self._tiles[key] = QPixmap.fromImage(tile)
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
                if tile is None:
                    self._draw_coarser(painter, level, row, column)
                    continue
                target = QRectF(x, y, tile.width() * across, tile.height() * down)
                painter.drawPixmap(target, tile, QRectF(tile.rect()))

    def _tile(self, source: ImageSource, level: int, row: int, column: int) -> QPixmap | None:
        """A tile; None where it is still to be fetched."""
        key = (level, row, column)
        tile = self._tiles.get(key)
        if tile is None:
            seen = _tile_window(source, key)
            if self._loader is not None:
                self._loader.wish(key, seen)
                return None
            tile = self._tiles[key] = QPixmap.fromImage(rgb_image(self._look.applied(source.read(seen, level))))
        return tile

    def _draw_coarser(self, painter: QPainter, level: int, row: int, column: int) -> None:
        """Draw the part of a coarser tile that lies where this one belongs."""
        assert self._source is not None, "a tile belongs to an image"
        for further in range(1, level_for(self._source.extent(), 0.0) - level + 1):
            scale = 2**further
            tile = self._tiles.get((level + further, row // scale, column // scale))
            if tile is None:
                continue
            window, step = _tile_window(self._source, (level, row, column)), 2**level
            left, top = (window.x / scale) % TILE_SIDE, (window.y / scale) % TILE_SIDE
            part = QRectF(left, top, window.width / scale, window.height / scale)
            place = QRectF(
                window.x * step - 0.5, window.y * step - 0.5, window.width * step, window.height * step
            ).intersected(self._rect)
            painter.drawPixmap(place, tile, part)
            return


def _tile_window(source: ImageSource, key: TileKey) -> Window:
    """The pixels of its level that a tile shows."""
    level, row, column = key
    extent, y, x = source.extent(level), row * TILE_SIDE, column * TILE_SIDE
    return Window(x, y, min(TILE_SIDE, extent.width - x), min(TILE_SIDE, extent.height - y))


def level_for(extent: Window, zoom: float) -> int:
    """The smallest level that still has a pixel for each device pixel at `zoom` device pixels per image pixel."""
    deepest = max(0, math.ceil(math.log2(extent.side / TILE_SIDE)))
    return min(max(math.floor(math.log2(1 / zoom)), 0), deepest) if zoom > 0 else deepest


def _touched(start: float, stop: float, step: float, pixels: int) -> range:
    """Numbers of the tiles, `step` image pixels long, that start .. stop touches; `pixels` is the level's extent."""
    last = (pixels - 1) // TILE_SIDE
    return range(max(math.floor(start / step), 0), min(math.floor(stop / step), last) + 1)
