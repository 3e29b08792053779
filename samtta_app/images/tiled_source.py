"""Large images that are read by tile: the file gives full size, a scratch file holds the smaller levels."""

from __future__ import annotations

import hashlib
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.types import Window
from samtta_app.images.stretching import Array

SCRATCH_TILE = 512
"""Side of a tile of a smaller level in pixels; 0.8 MB each."""

SMALLEST_LEVEL = 1024
"""Levels are made until the longer side is no longer than this many pixels."""

_Rgb = NDArray[np.uint8]


class FullSize(Protocol):
    """The file's own values at full size, read where they are asked for."""

    def extent(self) -> Window:
        """The whole image."""

    def values(self, window: Window) -> Array:
        """The file's own values (H, W) or (H, W, C) of a window."""

    def known(self, x: int, y: int) -> NDArray[Any] | None:
        """Those of a pixel that was read of late, without reading the file."""


class TiledSource:
    """An image at full size from its file, and at smaller sizes from a scratch file without a name.

    Every method may be called on any thread.

    Args:
        base: the file's own values.
        shown: makes 8-bit RGB of them.
        check: called between two tiles; raises where the image is no longer wanted.

    Attributes:
        key: identifies the content as it is shown.
    """

    def __init__(self, base: FullSize, shown: Callable[[Array], _Rgb], check: Callable[[], None]) -> None:
        self._base, self._shown = base, shown
        self._lock = threading.Lock()
        self._scratch = tempfile.TemporaryFile(prefix="samtta-levels")  # noqa: SIM115 (closed below)
        weakref.finalize(self, self._scratch.close)
        self._starts = self._layout()
        self.key = self._make_levels(check)

    def extent(self, level: int = 0) -> Window:
        """The whole image in pixels of a level."""
        whole = self._base.extent()
        return Window(0, 0, *(max(-(-side // 2**level), 1) for side in (whole.width, whole.height)))

    def read(self, window: Window, level: int = 0) -> _Rgb:
        """The pixels of a window of a level; a level beyond the smallest one is made of that."""
        if level == 0:
            return self._shown(self._base.values(window))
        if level >= len(self._starts):
            return self._beyond(window, level)
        found = np.empty((window.height, window.width, 3), dtype=np.uint8)
        for tile in _tiles(window, SCRATCH_TILE):
            x0, y0 = max(tile.x, window.x), max(tile.y, window.y)
            x1, y1 = (
                min(tile.x + SCRATCH_TILE, window.x + window.width),
                min(tile.y + SCRATCH_TILE, window.y + window.height),
            )
            part = self._tile(level, tile.x // SCRATCH_TILE, tile.y // SCRATCH_TILE)
            found[y0 - window.y : y1 - window.y, x0 - window.x : x1 - window.x] = part[
                y0 - tile.y : y1 - tile.y, x0 - tile.x : x1 - tile.x
            ]
        return found

    def value_at(self, x: int, y: int) -> NDArray[Any] | None:
        """The file's own values of a pixel, without reading the file; None where its tile was not read of late."""
        return self._base.known(x, y)

    # --- the smaller levels -------------------------------------------------------------------------------------------

    def _layout(self) -> tuple[int, ...]:
        """Where each level begins in the scratch file; level 0 is not in it."""
        starts, place, level = [0], 0, 1
        while self.extent(level - 1).side > SMALLEST_LEVEL:
            starts.append(place)
            extent = self.extent(level)
            place += -(-extent.width // SCRATCH_TILE) * -(-extent.height // SCRATCH_TILE) * SCRATCH_TILE**2 * 3
            level += 1
        return tuple(starts)

    def _make_levels(self, check: Callable[[], None]) -> str:
        """Make every level of the one before it; the key of what was read for the first."""
        extent = self.extent()
        digest = hashlib.blake2b(repr((extent.height, extent.width, 3)).encode(), digest_size=16)
        for level in range(1, len(self._starts)):
            below = self.extent(level - 1)
            for tile in _tiles(self.extent(level), SCRATCH_TILE):
                check()
                x, y = 2 * tile.x, 2 * tile.y
                side = 2 * SCRATCH_TILE
                pixels = self.read(Window(x, y, min(side, below.width - x), min(side, below.height - y)), level - 1)
                if level == 1:
                    digest.update(np.ascontiguousarray(pixels).data)
                self._keep(level, tile.x // SCRATCH_TILE, tile.y // SCRATCH_TILE, _halved(pixels))
        return digest.hexdigest()

    def _place(self, level: int, column: int, row: int) -> int:
        across = -(-self.extent(level).width // SCRATCH_TILE)
        return self._starts[level] + (row * across + column) * SCRATCH_TILE**2 * 3

    def _keep(self, level: int, column: int, row: int, pixels: _Rgb) -> None:
        tile = np.zeros((SCRATCH_TILE, SCRATCH_TILE, 3), dtype=np.uint8)
        tile[: pixels.shape[0], : pixels.shape[1]] = pixels
        with self._lock:
            self._scratch.seek(self._place(level, column, row))
            self._scratch.write(tile.data)

    def _tile(self, level: int, column: int, row: int) -> _Rgb:
        with self._lock:
            self._scratch.seek(self._place(level, column, row))
            data = self._scratch.read(SCRATCH_TILE**2 * 3)
        return np.frombuffer(data, dtype=np.uint8).reshape(SCRATCH_TILE, SCRATCH_TILE, 3)

    def _beyond(self, window: Window, level: int) -> _Rgb:
        last, extent = len(self._starts) - 1, self.extent(level)
        smallest = self.read(self.extent(last), last)
        small = cv2.resize(smallest, (extent.width, extent.height), interpolation=cv2.INTER_AREA)
        part = small[window.y : window.y + window.height, window.x : window.x + window.width]
        return np.asarray(part, dtype=np.uint8)


def _tiles(window: Window, side: int) -> Iterator[Window]:
    """The tiles of a grid with this side that a window touches, row by row."""
    for y in range(window.y // side * side, window.y + window.height, side):
        for x in range(window.x // side * side, window.x + window.width, side):
            yield Window(x, y, side, side)


def _halved(pixels: _Rgb) -> _Rgb:
    """The means of squares of four pixels; an odd last row or column is doubled."""
    height, width = pixels.shape[:2]
    even = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge") if height % 2 or width % 2 else pixels
    half = cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(half, dtype=np.uint8)
