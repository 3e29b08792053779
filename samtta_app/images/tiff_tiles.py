"""TIFF and BigTIFF files that are too large to be held whole: strips and tiles are unpacked where they are looked at."""

from __future__ import annotations

import math
import threading
import weakref
from functools import partial
from typing import Any

import numpy as np
import tifffile
from cachetools import LRUCache
from numpy.typing import NDArray

from samtta_app.core.types import Window
from samtta_app.errors import ImageError
from samtta_app.images.decoding import AGAIN, DAMAGED, joined_notices
from samtta_app.images.file_formats import ImageStream
from samtta_app.images.read_limits import MAX_WHOLE_BYTES, image_cost
from samtta_app.images.stretching import Array, display_limits, to_display
from samtta_app.images.tiff_decoding import (
    JPEG_2000,
    PACKED,
    WEBP,
    channel_notice,
    check_presence,
    colour_meaning,
    inner_size,
    page_notice,
)
from samtta_app.images.tiled_source import TiledSource
from samtta_app.phrases import Phrase

WHOLE_SHARE = 0.25
"""Share of MAX_WHOLE_BYTES up to which a TIFF is read whole: 512 MB, about 50 million pixels of 8-bit colour."""

LEAST_TILED = 2**20
"""Bytes of a file that is worth a look: large images that are smaller are plain areas, and are read whole."""

SEGMENT_BYTES = 128 * 2**20
"""Bytes of one strip or tile at most."""

UNPACKED_BYTES = 32 * 2**20
"""Bytes of all that stay unpacked: some 40 tiles of 512 pixels. The canvas keeps pictures of its own."""

LOOKED_AT = 64
"""Segments, evenly spread, of which the limits of the display are found."""

_COLOURS = {"MINISWHITE": 1, "MINISBLACK": 1, "RGB": 3, "YCBCR": 3}
_JPEG = (7,)


class TiffSegments:
    """The values of a TIFF's first page, unpacked segment by segment; every method may be called on any thread.

    Args:
        file: the open file, which belongs to this object from now on.
        source: names it in errors.

    Attributes:
        down, across: rows and columns of a segment.
        columns: segments side by side.
    """

    def __init__(self, file: tifffile.TiffFile, source: ImageStream) -> None:
        self._file, self._path, self._page = file, source.path, file.pages.first
        weakref.finalize(self, file.close)
        page = self._page
        self.down, self.across = (
            (page.tilelength, page.tilewidth)
            if page.is_tiled
            else (min(page.rowsperstrip, page.imagelength), page.imagewidth)
        )
        self.columns = math.ceil(page.imagewidth / self.across)
        self._lock = threading.Lock()
        self._unpacked: LRUCache[int, Array] = LRUCache(
            UNPACKED_BYTES, lambda values: min(values.nbytes, UNPACKED_BYTES)
        )

    @property
    def rows_alone(self) -> bool:
        """Whether rows are read from the file as they lie there: nothing is packed."""
        return bool(self._page.is_contiguous)

    def extent(self) -> Window:
        """The whole page."""
        return Window(0, 0, self._page.imagewidth, self._page.imagelength)

    def values(self, window: Window) -> Array:
        """The file's own values (H, W) or (H, W, C) of a window.

        Raises:
            ImageError: the part of the file that holds them is damaged.
        """
        try:
            with self._lock:
                return self._lying(window) if self.rows_alone else self._pieced(window)
        except DAMAGED as e:
            raise ImageError(
                Phrase("A part of the image file is damaged ({value})", value=str(e)[:120]), self._path, AGAIN
            ) from e

    def known(self, x: int, y: int) -> NDArray[Any] | None:
        """The values of a pixel that was unpacked of late, without reading the file."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            found = self._unpacked.get(self._index(x, y))
            if found is None:
                return None
            rows, columns = (self.down, self.across) if not self.rows_alone else (_PIECE, _PIECE)
            return np.atleast_1d(found[y % rows, x % columns])
        finally:
            self._lock.release()

    def some(self) -> Array:
        """Values of some segments (n, 1) or (n, 1, C), from everywhere in the page."""
        extent, found = self.extent(), []
        side = math.ceil(LOOKED_AT**0.5)
        for row in range(side):
            for column in range(side):
                width, height = min(_PIECE, extent.width), min(_PIECE, extent.height)
                x = (extent.width - width) * column // max(side - 1, 1)
                y = (extent.height - height) * row // max(side - 1, 1)
                values = self.values(Window(x, y, width, height))[::4, ::4]
                found.append(values.reshape(-1, 1, *values.shape[2:]))
        return np.concatenate(found)

    # --- the file -----------------------------------------------------------------------------------------------------

    def _index(self, x: int, y: int) -> int:
        if self.rows_alone:
            return y // _PIECE * math.ceil(self._page.imagewidth / _PIECE) + x // _PIECE
        return y // self.down * self.columns + x // self.across

    def _lying(self, window: Window) -> Array:
        """Read rows; pieces of a fixed grid stay known for the read-out."""
        page, handle = self._page, self._file.filehandle
        kind = np.dtype(page.dtype).newbyteorder(self._file.byteorder)
        pixel = kind.itemsize * page.samplesperpixel
        rows = bytearray()
        for y in range(window.y, window.y + window.height):
            handle.seek(page.dataoffsets[0] + (y * page.imagewidth + window.x) * pixel)
            rows += handle.read(window.width * pixel)
        shape = (window.height, window.width, *((page.samplesperpixel,) if page.samplesperpixel > 1 else ()))
        values = np.frombuffer(bytes(rows), kind).reshape(shape).astype(page.dtype, copy=False)
        if window.x % _PIECE == 0 and window.y % _PIECE == 0 and window.side <= _PIECE:
            self._unpacked[self._index(window.x, window.y)] = values
        return values

    def _pieced(self, window: Window) -> Array:
        page = self._page
        found: Array | None = None
        for top in range(window.y // self.down * self.down, window.y + window.height, self.down):
            for left in range(window.x // self.across * self.across, window.x + window.width, self.across):
                part = self._segment(self._index(left, top))
                if found is None:
                    found = np.zeros((window.height, window.width, *part.shape[2:]), page.dtype)
                x0, y0 = max(left, window.x), max(top, window.y)
                part = part[y0 - top : window.y + window.height - top, x0 - left : window.x + window.width - left]
                to = found[y0 - window.y :, x0 - window.x :]
                to[: part.shape[0], : part.shape[1]] = part[: to.shape[0], : to.shape[1]]
        assert found is not None, "a window holds pixels"
        return found

    def _segment(self, index: int) -> Array:
        """(h, w) or (h, w, C), unpacked."""
        kept = self._unpacked.get(index)
        if kept is not None:
            return kept
        page, handle = self._page, self._file.filehandle
        handle.seek(page.dataoffsets[index])
        data = handle.read(page.databytecounts[index])
        given: dict[str, Any] = {}
        if page.compression not in PACKED:
            width, height, channels, _ = inner_size(page.compression, data, MAX_WHOLE_BYTES)
            if width > self.across or height > self.down or channels > max(page.samplesperpixel, 4):
                raise ValueError(f"a part claims {width} x {height} pixels where {self.across} x {self.down} belong")
        if page.compression in _JPEG:
            given = {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader}
        values, _, _ = page.decode(data, index, **given)
        if values is None:
            raise ValueError("a part is missing")
        values = np.asarray(values)[0]
        unpacked: Array = np.asarray(values[..., 0] if page.samplesperpixel == 1 else values)
        self._unpacked[index] = unpacked
        return unpacked


_PIECE = 512
"""Side of the pieces of an unpacked page that stay known, as the canvas asks for them."""


def tiled_tiff(source: ImageStream) -> tuple[TiledSource, str] | None:
    """A source of a TIFF's first page, and a note on what is not shown; None for one that is to be read whole.

    Raises:
        ImageError: strips or tiles are missing.
        DAMAGED: what the decoders raise.
    """
    file = tifffile.TiffFile(source.path, _multifile=False)
    try:
        page = file.pages.first
        if not _by_segments(page):
            file.close()
            return None
        source.check()
        segments = TiffSegments(file, source)
        check_presence(source, page, segments.columns, segments.down, page.nbytes)
        meaning = colour_meaning(page, page.samplesperpixel, _COLOURS[_colour_model(page)])
        seen = segments.some()
        limits = display_limits(seen[..., : meaning.colours or 3] if seen.ndim == 3 else seen, dark=True)
        shown = partial(to_display, colours=meaning.colours, opacity=meaning.opacity, limits=limits)
        inverted = _colour_model(page) == "MINISWHITE"
        tiles = TiledSource(segments, (lambda values: 255 - shown(values)) if inverted else shown, source.check)
    except BaseException:
        file.close()
        raise
    used = min(page.samplesperpixel, meaning.colours or 3) + (meaning.opacity != "none")
    others = sum(not series.keyframe.is_reduced for series in file.series[1:])
    return tiles, joined_notices(page_notice(0, 1 + others), channel_notice(used, page.samplesperpixel))


def _by_segments(page: tifffile.TiffPage) -> bool:
    """Whether a page is large, and of a kind that is unpacked segment by segment."""
    name = _colour_model(page)
    if page.dtype is None or name not in _COLOURS or (name == "YCBCR" and page.compression not in _JPEG):
        return False
    turned = page.tags.get(274) is not None and page.tags[274].value != 1
    plain = page.planarconfig == 1 and page.imagedepth == 1 and not turned and page.dtype.kind in "uif"
    if not plain or page.compression not in (*PACKED, *_JPEG, *JPEG_2000, *WEBP):
        return False
    segment = page.nbytes if page.is_contiguous else page.chunks[0] * math.prod(page.chunks[1:]) * page.dtype.itemsize
    if not page.is_contiguous and segment > SEGMENT_BYTES:
        return False
    return image_cost(page.imagewidth, page.imagelength, extra=2 * page.nbytes).bytes > MAX_WHOLE_BYTES * WHOLE_SHARE


def _colour_model(page: tifffile.TiffPage) -> str:
    """Its name in the TIFF standard."""
    return tifffile.PHOTOMETRIC(page.photometric).name
