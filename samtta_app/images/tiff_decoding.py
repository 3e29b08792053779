"""TIFF: one page with its channels, interpreted by the file's own tags; which pages there are stands in tiff_pages."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

import numpy as np
import tifffile
from PIL.TiffImagePlugin import TiffImageFile

from samtta_app.core.planes import FIRST_PLANE, PlaneChoice
from samtta_app.errors import ImageError, LargeImageError
from samtta_app.images.colour_profiles import as_srgb
from samtta_app.images.decoding import (
    DAMAGED,
    ORIENTATION,
    DecodedImage,
    from_pillow,
    joined_notices,
    pillow_cost,
    rows_are_missing,
    webp_size,
)
from samtta_app.images.file_formats import ImageStream
from samtta_app.images.jpeg2000_structure import jpeg2000_structure
from samtta_app.images.jpeg_structure import jpeg_structure
from samtta_app.images.read_limits import MAX_WHOLE_BYTES, WORK, check_cost, image_cost
from samtta_app.images.stretching import Array, Opacity, to_display, upright
from samtta_app.images.tiff_pages import TiffPlan, count_pages, shown_page, tiff_plan
from samtta_app.phrases import Phrase

for _name in ("tifffile", "PIL.TiffImagePlugin"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)  # a damaged file is reported once, as an ImageError

_COLOURS = {"MINISWHITE": 1, "MINISBLACK": 1, "RGB": 3}
"""TIFF colour models that need no conversion, with their channels.

Pillow converts the others (palette, CMYK, YCbCr ...).
"""

_GDAL_NODATA, _ICC_PROFILE = 42113, 34675

PACKED = {1, 2, 3, 4, 5, 8, 32773, 32946, 34925, 50000}
"""Compressions whose output is limited by the tags: none, CCITT, LZW, deflate, PackBits, LZMA, Zstandard."""

_JPEG, JPEG_2000, WEBP = (6, 7), (33003, 33004, 33005, 34712), (50001,)
"""Compressions of segments with their own image header, which is checked before they are unpacked."""


def decode_tiff(source: ImageStream, share: float, planes: PlaneChoice = FIRST_PLANE, *, dark: bool) -> DecodedImage:
    """Decode one page of a TIFF that costs at most `share` of the limits; `dark` as in `to_display`.

    Raises:
        ImageError: it costs more, rows are missing, or it is packed in a way that is not read.
        DAMAGED: what the decoders raise.
    """
    pages = count_pages(source)
    try:
        with tifffile.TiffFile(source.file, name=source.path.name, _multifile=False) as file:
            return _by_tifffile(source, file, tiff_plan(file, pages, planes), share, dark)
    except _NotPlainError as e:
        plan, place = e.plan, e.place
    except DAMAGED:
        plan, place = TiffPlan(None, (0,), 1, pages), 0
    return _by_pillow(source, share, plan, place, dark)


def tiff_size(source: ImageStream, planes: PlaneChoice = FIRST_PLANE) -> tuple[int, int]:
    """Width and height of the page as it is shown, from its tags alone.

    Raises:
        DAMAGED: the tags are damaged.
    """
    pages = count_pages(source)
    source.file.seek(0)
    with tifffile.TiffFile(source.file, name=source.path.name, _multifile=False) as file:
        page = shown_page(file, pages, planes)
        size = page.imagewidth, page.imagelength
        return (size[1], size[0]) if _turn(page) in (5, 6, 7, 8) else size


class _NotPlainError(Exception):
    """Pillow must convert the colours of the page at `place` in the file."""

    def __init__(self, plan: TiffPlan, place: int) -> None:
        super().__init__(place)
        self.plan, self.place = plan, place


def _by_tifffile(
    source: ImageStream, file: tifffile.TiffFile, plan: TiffPlan, share: float, dark: bool
) -> DecodedImage:
    page = file.pages.first if plan.series is None else plan.page
    _check_segments(source, page, share)
    name = tifffile.PHOTOMETRIC(page.photometric).name
    if name not in _COLOURS:
        raise _NotPlainError(plan, page.index if isinstance(page.index, int) else 0)
    raw = _page(source, page, share) if plan.series is None else _planes(source, file, plan, share)
    raw = np.ascontiguousarray(upright(raw, _turn(page)))
    separate = plan.channels > 1
    samples = raw.shape[2] if raw.ndim == 3 else 1
    meaning = (
        ColourMeaning(None, "none") if separate or not plan.pages else colour_meaning(page, samples, _COLOURS[name])
    )
    nodata = _nodata(page)
    shown = to_display(
        raw, separate=separate, colours=meaning.colours, opacity=meaning.opacity, dark=dark, nodata=nodata
    )
    if name == "RGB" and raw.dtype == np.uint8:
        shown = as_srgb(shown, _profile(page))
    channels = plan.channels if separate else samples
    used = min(channels, meaning.colours or 3) + (meaning.opacity != "none")
    notice = joined_notices(page_notice(plan.number, plan.total), channel_notice(used, channels))
    return DecodedImage(raw, 255 - shown if name == "MINISWHITE" else shown, notice, plan.axes, nodata)


def _by_pillow(source: ImageStream, share: float, plan: TiffPlan, place: int, dark: bool) -> DecodedImage:
    source.file.seek(0)
    with TiffImageFile(source.file) as file:
        if place:
            file.seek(place)
        tile = file.tag_v2.get(322, 1) * file.tag_v2.get(323, 1) * 4 * len(file.getbands())
        check_cost(source, pillow_cost(file, extra=tile), share)
        turn = int(file.getexif().get(ORIENTATION, 1))
        file.load()
        decoded = from_pillow(source, file, turn=turn, dark=dark)
    return DecodedImage(decoded.raw, decoded.pixels, page_notice(plan.number, plan.total), plan.axes)


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


def page_notice(number: int, pages: int) -> str:
    """A note that further pages than that of this number, from 0, are not shown, "" where there are none."""
    return Phrase("This is page {number} of {pages}.", number=number + 1, pages=pages) if pages > 1 else ""


def _nodata(page: tifffile.TiffPage) -> float | None:
    """The value that stands for nothing, as GDAL writes it."""
    tag = page.tags.get(_GDAL_NODATA)
    try:
        value = float(str(tag.value).strip("\0 ")) if tag else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _profile(page: tifffile.TiffPage) -> bytes | None:
    tag = page.tags.get(_ICC_PROFILE)
    return bytes(tag.value) if tag and isinstance(tag.value, bytes) else None


def channel_notice(used: int, channels: int) -> str:
    """A note that further channels are not shown, "" where there are none."""
    if channels <= used:
        return ""
    if channels == used + 1:
        return Phrase("Channel {number} is not shown.", number=channels)
    return Phrase("Channels {first} to {last} are not shown.", first=used + 1, last=channels)


def tiff_turn(source: ImageStream) -> int:
    """The orientation 1 .. 8 that the first page of a TIFF names, else 1."""
    source.file.seek(0)
    with tifffile.TiffFile(source.file) as file:
        found = _turn(file.pages.first)
    return found if 1 <= found <= 8 else 1


def _turn(page: tifffile.TiffPage) -> int:
    tag = page.tags.get(ORIENTATION)
    return int(tag.value) if tag and isinstance(tag.value, int) else 1


# --- values ---------------------------------------------------------------------------------------------------------


def _planes(source: ImageStream, file: tifffile.TiffFile, plan: TiffPlan, share: float) -> Array:
    """(H, W) or (H, W, C)."""
    series, page = plan.known, plan.page
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


def _one(source: ImageStream, file: tifffile.TiffFile, plan: TiffPlan, channel: int, share: float) -> Array:
    index, series = plan.pages[channel], plan.known
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
        text = Phrase("The TIFF file is packed in a way that samtta does not read ({name})", name=name)
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
            text = Phrase(
                "A part of the TIFF file claims {width} x {height} pixels where {across} x {down} belong",
                width=width,
                height=height,
                across=across,
                down=down,
            )
            raise ImageError(text, source.path, "Copy it again from where it came from")
    check_cost(source, image_cost(page.imagewidth, page.imagelength, work=work), share)


def inner_size(compression: int, data: bytes, most_work: int) -> tuple[int, int, int, int]:
    """Width, height, channels and work of a packed segment, from its own header."""
    if compression in _JPEG:
        jpeg = jpeg_structure(data, most_work)
        return jpeg.width, jpeg.height, jpeg.components, jpeg.work if jpeg.scans > 1 else 0
    if compression in WEBP:
        return *webp_size(data[:30]), 4, 0
    found = jpeg2000_structure(data)
    return found.width, found.height, found.components, 0
