"""TIFF: the first page with its channels, interpreted by the file's own tags."""

from __future__ import annotations

import logging
import math
import struct
from dataclasses import dataclass

import numpy as np
import tifffile
from PIL.TiffImagePlugin import TiffImageFile

from samtta_app.errors import ImageError, LargeImageError
from samtta_app.images.decoding import (
    DAMAGED,
    ORIENTATION,
    DecodedImage,
    from_pillow,
    pillow_cost,
    rows_are_missing,
    webp_size,
)
from samtta_app.images.file_formats import ImageStream
from samtta_app.images.jpeg_structure import jpeg_structure
from samtta_app.images.read_limits import MAX_WHOLE_BYTES, WORK, check_cost, image_cost
from samtta_app.images.stretching import Array, Opacity, to_display, upright

for _name in ("tifffile", "PIL.TiffImagePlugin"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)  # a damaged file is reported once, as an ImageError

_COLOURS = {"MINISWHITE": 1, "MINISBLACK": 1, "RGB": 3}
"""TIFF colour models that need no conversion, with their channels.

Pillow converts the others (palette, CMYK, YCbCr ...).
"""

PACKED = {1, 2, 3, 4, 5, 8, 32773, 32946, 34925, 50000}
"""Compressions whose output is limited by the tags: none, CCITT, LZW, deflate, PackBits, LZMA, Zstandard."""

_JPEG, JPEG_2000, WEBP = (6, 7), (33003, 33004, 33005, 34712), (50001,)
"""Compressions of segments with their own image header, which is checked before they are unpacked."""

MOST_PAGES = 10_000
"""Of files with more pages only the first is read, because tifffile keeps some kilobytes for each page."""

MOST_CHANNELS = 64
"""Maximum number of channels in separate pages kept for the read-out; with more, only the three shown ones are kept."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which pages of a series make the image, and what their samples are."""

    series: tifffile.TiffPageSeries
    pages: tuple[int, ...]
    channels: int
    planes: int


def decode_tiff(source: ImageStream, share: float, *, dark: bool) -> DecodedImage:
    """Decode the first page of a TIFF that costs at most `share` of the limits; `dark` as in `to_display`.

    Raises:
        ImageError: it costs more, rows are missing, or it is packed in a way that is not read.
        DAMAGED: what the decoders raise.
    """
    pages = _count_pages(source)
    try:
        with tifffile.TiffFile(source.file, name=source.path.name, _multifile=False) as file:
            return _by_tifffile(source, file, pages, share, dark)
    except _NotPlainError as e:
        notice = e.notice
    except DAMAGED:
        notice = page_notice(pages)
    return _by_pillow(source, share, notice, dark)


def tiff_size(source: ImageStream) -> tuple[int, int]:
    """Width and height of the first page as it is shown, from its tags alone.

    Raises:
        DAMAGED: the tags are damaged.
    """
    source.file.seek(0)
    with tifffile.TiffFile(source.file, name=source.path.name, _multifile=False) as file:
        page = file.pages.first
        size = page.imagewidth, page.imagelength
        return (size[1], size[0]) if _turn(page) in (5, 6, 7, 8) else size


class _NotPlainError(Exception):
    """Pillow must convert the colours."""

    def __init__(self, notice: str) -> None:
        super().__init__(notice)
        self.notice = notice


def _by_tifffile(source: ImageStream, file: tifffile.TiffFile, pages: int, share: float, dark: bool) -> DecodedImage:
    page = file.pages.first
    _check_segments(source, page, share)
    if pages > MOST_PAGES:
        plan, others = None, 0
    else:
        plan, others = _plan(file.series[0]), sum(not s.keyframe.is_reduced for s in file.series[1:])
    planes = pages if plan is None else plan.planes + others
    name = tifffile.PHOTOMETRIC(page.photometric).name
    if name not in _COLOURS:
        raise _NotPlainError(page_notice(planes))
    raw = _page(source, page, share) if plan is None else _planes(source, file, plan, share)
    raw = np.ascontiguousarray(upright(raw, _turn(page)))
    separate = plan is not None and plan.channels > 1
    samples = raw.shape[2] if raw.ndim == 3 else 1
    by_page = plan is not None and not plan.pages
    meaning = ColourMeaning(None, "none") if separate or by_page else colour_meaning(page, samples, _COLOURS[name])
    shown = to_display(raw, separate=separate, colours=meaning.colours, opacity=meaning.opacity, dark=dark)
    channels = plan.channels if separate and plan is not None else samples
    used = min(channels, meaning.colours or 3) + (meaning.opacity != "none")
    notice = " ".join(filter(None, (page_notice(planes), channel_notice(used, channels))))
    return DecodedImage(raw, 255 - shown if name == "MINISWHITE" else shown, notice)


def _by_pillow(source: ImageStream, share: float, notice: str, dark: bool) -> DecodedImage:
    source.file.seek(0)
    with TiffImageFile(source.file) as file:
        tile = file.tag_v2.get(322, 1) * file.tag_v2.get(323, 1) * 4 * len(file.getbands())
        check_cost(source, pillow_cost(file, extra=tile), share)
        turn = int(file.getexif().get(ORIENTATION, 1))
        file.load()
        decoded = from_pillow(source, file, turn=turn, dark=dark)
    return DecodedImage(decoded.raw, decoded.pixels, notice)


# --- what the tags mean ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ColourMeaning:
    """Number of colour samples (None: the channels are no colours), and the meaning of the sample after them."""

    colours: int | None
    opacity: Opacity


def colour_meaning(page: tifffile.TiffPage, samples: int, colours: int) -> ColourMeaning:
    """What the samples of a page are, whose colour model has so many `colours`."""
    extra = page.extrasamples[:1]
    opacity: Opacity = "multiplied" if extra == (1,) else "straight" if extra == (2,) else "none"
    if colours == 1 and samples > 2 and opacity == "none":
        return ColourMeaning(3, "none")  # grey with several more of no stated meaning: the user's channels
    return ColourMeaning(min(colours, samples), opacity if samples > colours else "none")


def page_notice(pages: int) -> str:
    """A note that further pages are not shown, "" where there are none."""
    return f"This is page 1 of {pages}." if pages > 1 else ""


def channel_notice(used: int, channels: int) -> str:
    """A note that further channels are not shown, "" where there are none."""
    if channels <= used:
        return ""
    rest = f"Channel {channels} is" if channels == used + 1 else f"Channels {used + 1} to {channels} are"
    return f"{rest} not shown."


def _turn(page: tifffile.TiffPage) -> int:
    tag = page.tags.get(ORIENTATION)
    return int(tag.value) if tag and isinstance(tag.value, int) else 1


# --- which pages are read -------------------------------------------------------------------------------------------


def _count_pages(source: ImageStream) -> int:
    """Pages of the file, at most MOST_PAGES + 1; counting stops at a chain that loops."""
    file, places = source.file, set[int]()
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = 43 in (head[2], head[3])
    wide, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    place = struct.unpack_from(order + wide, head.ljust(16, b"\0"), 8 if big else 4)[0]
    while place and place not in places and place < source.size and len(places) <= MOST_PAGES:
        places.add(place)
        file.seek(place)
        tags = file.read(struct.calcsize(order + count))
        if len(tags) < struct.calcsize(order + count):
            break
        file.seek(struct.unpack(order + count, tags)[0] * entry, 1)
        following = file.read(struct.calcsize(order + wide))
        if len(following) < struct.calcsize(order + wide):
            break
        place = struct.unpack(order + wide, following)[0]
    file.seek(0)
    return len(places)


def _is_colour_by_rows(series: tifffile.TiffPageSeries) -> bool:
    """Whether colours were written without a tag for it: one "page" for each row."""
    return series.ndim == 3 and series.shape[-1] in (3, 4) and "S" not in series.axes and series.shape[1] > 4


def _plan(series: tifffile.TiffPageSeries) -> _Plan | None:
    """The pages at index 0 of every axis that is not a row, a column or a channel."""
    page = series.keyframe
    if _is_colour_by_rows(series):
        return _Plan(series, (), 1, 1)
    lead = series.ndim - page.ndim
    if lead < 0 or series.axes[lead:] != page.axes:
        raise ValueError("the series is not made of pages")
    sizes = series.shape[:lead]
    of_channels = [k for k in range(lead) if series.axes[k] == "C"]
    channels = sizes[of_channels[0]] if of_channels and page.samplesperpixel == 1 else 1
    kept = channels if channels <= MOST_CHANNELS else 3
    indices = []
    for channel in range(kept):
        index = [channel if of_channels and k == of_channels[0] else 0 for k in range(lead)]
        indices.append(int(np.ravel_multi_index(index, sizes)) if lead else 0)
    return _Plan(series, tuple(indices), channels, math.prod(sizes) // max(1, channels))


def _planes(source: ImageStream, file: tifffile.TiffFile, plan: _Plan, share: float) -> Array:
    """(H, W) or (H, W, C)."""
    series, page = plan.series, plan.series.keyframe
    if not plan.pages:
        _check_room(source, series.shape[0], series.shape[1], series.nbytes, share)
        return np.asarray(series.asarray())
    if len(plan.pages) == 1:
        return _one(source, file, plan, 0, share)
    _check_room(source, page.imagelength, page.imagewidth, (len(plan.pages) + 2) * page.nbytes, share)
    values: Array | None = None
    for channel in range(len(plan.pages)):
        source.check()
        plane = _one(source, file, plan, channel, share)
        if values is None:
            values = np.empty((*plane.shape[:2], len(plan.pages)), plane.dtype)
        values[..., channel] = plane
    assert values is not None
    return values


def _one(source: ImageStream, file: tifffile.TiffFile, plan: _Plan, channel: int, share: float) -> Array:
    index, series = plan.pages[channel], plan.series
    if index < len(series.pages):
        page = series.pages[index]
        if page is None:
            raise ValueError("a page is missing")
        return _page(source, page.aspage(), share)
    if series.dataoffset is None:
        raise ValueError("a page is missing")
    page = series.keyframe  # a stack that lies behind its only page
    _check_room(source, page.imagelength, page.imagewidth, page.nbytes, share)
    file.filehandle.seek(series.dataoffset + index * page.nbytes)
    packed = file.filehandle.read(page.nbytes)
    if len(packed) < page.nbytes:
        raise rows_are_missing(
            source, page.imagelength - len(packed) * page.imagelength // page.nbytes, page.imagelength
        )
    dtype = np.dtype(page.dtype).newbyteorder(file.byteorder)
    return _rows_and_columns(np.frombuffer(packed, dtype).reshape(page.shape).astype(page.dtype), page.axes)


def _page(source: ImageStream, page: tifffile.TiffPage, share: float) -> Array:
    _check_segments(source, page, share)
    return _rows_and_columns(np.asarray(page.asarray()), page.axes)


def _rows_and_columns(values: Array, axes: str) -> Array:
    """(H, W) or (H, W, S) from a page's array."""
    for place in reversed(range(len(axes))):
        if axes[place] not in "YXS":
            values = np.take(values, 0, axis=place)
    kept = [a for a in axes if a in "YXS"]
    return values.transpose([kept.index(a) for a in "YXS" if a in kept])


# --- what is checked before anything is unpacked --------------------------------------------------------------------


def _check_room(source: ImageStream, height: int, width: int, size: int, share: float) -> None:
    """Check the cost of `size` bytes of values; the display may need a turned or ordered copy of them."""
    check_cost(source, image_cost(width, height, extra=2 * size), share)


def _check_segments(source: ImageStream, page: tifffile.TiffPage, share: float) -> None:
    """Refuse a page whose strips or tiles lie outside the file, or unpack to more than its tags claim."""
    height, width, samples = page.imagelength, page.imagewidth, page.samplesperpixel
    if not height or not width or not samples or page.dtype is None:
        raise ValueError("an empty page or an unknown type of values")
    item = np.dtype(page.dtype).itemsize
    across, down = (page.tilewidth, page.tilelength) if page.is_tiled else (width, min(page.rowsperstrip, height))
    within = samples if page.planarconfig == 1 else 1
    segment = across * down * max(1, page.tiledepth) * within * item
    total = height * width * max(1, page.imagedepth) * samples * item
    unpacked = 0 if page.is_contiguous else segment
    check_cost(source, image_cost(width, height, extra=2 * total + unpacked), share)
    if page.compression not in PACKED and page.compression not in _JPEG + JPEG_2000 + WEBP:
        name = getattr(page.compression, "name", page.compression)
        text = f"The TIFF file is packed in a way that samtta does not read ({name})"
        raise ImageError(text, source.path, "Save it unpacked, or packed with LZW or deflate")
    check_presence(source, page, math.ceil(width / across), down, total)
    if page.compression not in PACKED:
        _check_inner(source, page, (across, down, within), share)


def check_presence(source: ImageStream, page: tifffile.TiffPage, columns: int, down: int, total: int) -> None:
    """Each strip or tile lies within the file; uncompressed, all together are as long as the image."""
    height = page.imagelength
    rows = math.ceil(height / down)
    planes = 1 if page.planarconfig == 1 else page.samplesperpixel
    wanted = rows * columns * planes * math.ceil(page.imagedepth / max(1, page.tiledepth))
    places = list(zip(page.dataoffsets, page.databytecounts, strict=False))[:wanted]
    if page.is_contiguous or (len(places) == 1 and page.compression == 1):
        packed = total * page.bitspersample // (8 * np.dtype(page.dtype).itemsize)
        packed = packed // 3 if page.is_subsampled else packed  # the brightness alone, at least
        here = max(0, source.size - places[0][0]) if places and places[0][0] else 0
        if here < packed:
            raise rows_are_missing(source, math.ceil((packed - here) * height / packed), height)
        return
    there = [offset > 0 and count > 0 and offset + count <= source.size for offset, count in places]
    there += [False] * (wanted - len(there))
    lost = {k // columns % rows for k, found in enumerate(there) if not found}
    if lost:
        raise rows_are_missing(source, sum(min(down, height - row * down) for row in lost), height)


def _check_inner(source: ImageStream, page: tifffile.TiffPage, room: tuple[int, int, int], share: float) -> None:
    """Check the headers of segments that are images themselves: none may be larger than its place."""
    across, down, within = room
    work = 0
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False):
        if count > MAX_WHOLE_BYTES * share:
            raise LargeImageError("The TIFF file is too large to be read whole", source.path, "Cut it into tiles")
        source.file.seek(offset)
        data = source.file.read(count)
        width, height, channels, scans = inner_size(page.compression, data, round(WORK * share))
        work += scans
        if width > across or height > down or channels > max(within, 4):
            text = f"A part of the TIFF file claims {width} x {height} pixels where {across} x {down} belong"
            raise ImageError(text, source.path, "Copy it again from where it came from")
    check_cost(source, image_cost(page.imagewidth, page.imagelength, work=work), share)


def inner_size(compression: int, data: bytes, most_work: int) -> tuple[int, int, int, int]:
    """Width, height, channels and work of a packed segment, from its own header."""
    if compression in _JPEG:
        jpeg = jpeg_structure(data, most_work)
        return jpeg.width, jpeg.height, jpeg.components, jpeg.work if jpeg.scans > 1 else 0
    if compression in WEBP:
        return *webp_size(data[:30]), 4, 0
    start = data.find(b"\xff\x4f\xff\x51")  # codestream, SIZ
    if start < 0 or len(data) < start + 42:
        raise ValueError("no header")
    right, bottom, left, top = struct.unpack_from(">IIII", data, start + 8)
    return right - left, bottom - top, struct.unpack_from(">H", data, start + 40)[0], 0
