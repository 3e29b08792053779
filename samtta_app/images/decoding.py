"""PNG, JPEG, BMP and WebP: Pillow's decoders, each called by name after the file's cost is known."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, replace

import cv2
import numpy as np
import PIL.Image
import PIL.ImageCms
from numpy.typing import NDArray
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from samtta_app.core.planes import FIRST_PLANE, PlaneAxes, PlaneChoice
from samtta_app.errors import ImageError, LargeImageError
from samtta_app.images.colour_profiles import as_srgb, srgb_transform
from samtta_app.images.file_formats import ImageKind, ImageStream
from samtta_app.images.jpeg_structure import JpegStructure, jpeg_structure
from samtta_app.images.png_structure import PngStructure, missing_rows, png_structure, whole_png
from samtta_app.images.read_limits import MAX_WHOLE_BYTES, WORK, ImageCost, check_cost, image_cost
from samtta_app.images.stretching import Array, bands, to_display, upright
from samtta_app.phrases import Phrase

ORIENTATION = 274
"""EXIF's and TIFF's tag for the camera's orientation, 1 .. 8."""

DAMAGED = (
    *(OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, RuntimeError, struct.error, zlib.error),
    *(ArithmeticError, AssertionError, AttributeError),
)
"""Exceptions that the decoders raise on damaged or incomplete files."""

AGAIN = "Copy it again, or save it as PNG again from the program that made it"

PIECE_WORK = 50_000_000
"""Samples of a JPEG's scans between two checks whether the read is still wanted: a fifth of a second."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """An upright image: the file's own values, their 8-bit RGB display, and a note on what is not shown.

    `axes` are those of the file beside rows, columns and channels. Pixels with the value `nodata` hold nothing.
    """

    raw: Array
    pixels: NDArray[np.uint8]
    notice: str = ""
    axes: PlaneAxes = ()
    nodata: float | None = None


def joined_notices(*notices: str) -> str:
    """Notices one after the other; those that are "" say nothing."""
    said = [notice for notice in notices if notice]
    return Phrase.joined(" ", said) if said else ""


def frame_notice(number: int, frames: int) -> str:
    """Which frame of how many this is, "" for a single one; `number` is from 0."""
    return Phrase("This is frame {number} of {frames}.", number=number + 1, frames=frames) if frames > 1 else ""


def frame_axes(frames: int) -> PlaneAxes:
    """The axis of a file with so many frames."""
    return (("frame", frames),) if frames > 1 else ()


def of_frame(decoded: DecodedImage, number: int, frames: int) -> DecodedImage:
    """A decoded frame that says which it is."""
    return replace(decoded, notice=frame_notice(number, frames), axes=frame_axes(frames))


def rows_are_missing(source: ImageStream, missing: int, height: int) -> ImageError:
    """The error for an image that lacks rows."""
    text = Phrase(
        "The image file is damaged or cut off: {missing} of its {height} rows are missing",
        missing=missing,
        height=height,
    )
    return ImageError(text, source.path, AGAIN)


def decode_image(source: ImageStream, share: float, planes: PlaneChoice = FIRST_PLANE, *, dark: bool) -> DecodedImage:
    """Decode a PNG, JPEG, BMP or WebP that costs at most `share` of the limits; `dark` as in `to_display`.

    Raises:
        ImageError: it costs more, or rows are missing.
        DAMAGED: what the decoders raise.
    """
    if source.kind is ImageKind.JPEG:
        return _jpeg(source, share, dark)
    if source.kind is ImageKind.PNG:
        return _png(source, share, dark)
    if source.kind is ImageKind.WEBP:
        width, height = _webp_size(source)
        check_cost(source, image_cost(width, height, 4, 4, 8, extra=source.size), share)  # two canvases of an animation
    source.file.seek(0)
    opened = WebPImageFile(source.file) if source.kind is ImageKind.WEBP else BmpImageFile(source.file)
    with opened as file:
        check_cost(source, pillow_cost(file), share)
        frames = getattr(file, "n_frames", 1)
        number = planes.position("frame", frames)
        if number:
            check_cost(source, ImageCost(*file.size, 0, file.width * file.height * number), share)
            file.seek(number)
        file.load()
        return of_frame(from_pillow(source, file, turn=camera_turn(file), dark=dark), number, frames)


def upright_size(source: ImageStream) -> tuple[int, int]:
    """Width and height of a PNG, JPEG, BMP or WebP as it is shown, from its header alone.

    Raises:
        ImageError: the file is too large to be read.
        DAMAGED: the header is damaged.
    """
    (width, height), orientation = _size_and_turn(source)
    return (height, width) if orientation in (5, 6, 7, 8) else (width, height)


def upright_turn(source: ImageStream) -> int:
    """The orientation 1 .. 8 of a PNG, JPEG, BMP or WebP; errors as in `upright_size`."""
    found = _size_and_turn(source)[1]
    return found if 1 <= found <= 8 else 1


def _size_and_turn(source: ImageStream) -> tuple[tuple[int, int], int]:
    if source.kind is ImageKind.PNG:
        png = png_structure(source)
        return (png.width, png.height), _png_turn(png)
    source.file.seek(0)
    readers: dict[ImageKind, type[JpegImageFile | WebPImageFile | BmpImageFile]] = {
        ImageKind.JPEG: JpegImageFile,
        ImageKind.WEBP: WebPImageFile,
        ImageKind.BMP: BmpImageFile,
    }
    with readers[source.kind](source.file) as file:
        return file.size, camera_turn(file)


def webp_size(head: bytes) -> tuple[int, int]:
    """Width and height that a WebP file claims; `head` is its first 30 bytes.

    Raises:
        ValueError: the header is incomplete or invalid.
    """
    kind, head = head[12:16], head[20:30]
    if kind == b"VP8X" and len(head) == 10:
        return int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1
    if kind == b"VP8L" and len(head) >= 5:
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and len(head) == 10:
        width, height = struct.unpack("<HH", head[6:10])
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("the header is cut off")


def pillow_cost(file: PIL.Image.Image, extra: int = 0) -> ImageCost:
    """The cost of an image as Pillow holds it, with its values and its display."""
    stored = 1 if file.mode in ("1", "L", "P") else 2 if file.mode.startswith("I;16") else 4
    values = 4 if file.has_transparency_data else 3 if file.mode == "RGB" else stored
    return image_cost(*file.size, stored, values, extra=extra)


def from_pillow(source: ImageStream, file: PIL.Image.Image, *, turn: int, dark: bool) -> DecodedImage:
    """The values and the display of a loaded image, turned upright, copied band by band; ICC profiles become sRGB."""
    mode, through, profile = file.mode, file.has_transparency_data, file.info.get("icc_profile")
    plain = not through and (mode in ("L", "1", "RGB", "F") or mode.startswith("I"))
    inks = srgb_transform(profile, mode) if mode == "CMYK" else None
    stored = _copied(source, file, "") if not through or mode == "P" else None
    colours = None if plain else _copied(source, file, "RGBA" if through else "RGB", inks)
    values = colours if stored is None else stored
    assert values is not None
    raw = np.ascontiguousarray(upright(values, turn))
    own = colours is None or colours is values
    seen = raw if own or colours is None else np.ascontiguousarray(upright(colours, turn))
    return DecodedImage(raw, to_display(as_srgb(seen, profile), dark=dark and own))


def _copied(
    source: ImageStream, file: PIL.Image.Image, mode: str, transform: PIL.ImageCms.ImageCmsTransform | None = None
) -> Array:
    """The pixels as an array, in another mode or by a transform of colours if one is given."""
    width, height = file.size
    values: Array | None = None
    for rows in bands(height, width * 4):
        source.check()
        band = file.crop((0, rows.start, width, rows.stop))
        if transform is not None:
            band = PIL.ImageCms.applyTransform(band, transform) or band
        part = np.asarray(band.convert(mode) if mode else band)
        if values is None:
            values = np.empty((height, *part.shape[1:]), part.dtype)
        values[rows] = part
    assert values is not None
    return values


def _webp_size(source: ImageStream) -> tuple[int, int]:
    source.file.seek(0)
    return webp_size(source.file.read(30))


def camera_turn(file: PIL.Image.Image) -> int:
    """The camera's orientation; 1 (upright) also where the EXIF block is damaged, since the picture is not."""
    try:
        return int(file.getexif().get(ORIENTATION, 1))
    except DAMAGED:
        return 1


def _first_frame(decoded: DecodedImage, frames: int) -> DecodedImage:
    """The first frame of an animated PNG; the others are parts that are laid over it."""
    return replace(decoded, notice=frame_notice(0, frames))


# --- PNG ------------------------------------------------------------------------------------------------------------


def _png(source: ImageStream, share: float, dark: bool) -> DecodedImage:
    png = png_structure(source)
    if png.depth == 16 and png.colour != 0:  # Pillow would keep only 8 bits of these
        values = 8 if png.colour in (4, 6) else 6
        check_cost(source, image_cost(png.width, png.height, values, values, extra=2 * source.size), share)
        if missing := missing_rows(source, png):
            raise rows_are_missing(source, missing, png.height)
        raw = np.ascontiguousarray(upright(_deep_png(source, png), _png_turn(png)))
        return _first_frame(DecodedImage(raw, to_display(raw)), png.frames)
    source.file.seek(0)
    with PngImageFile(source.file) as file:
        check_cost(source, pillow_cost(file), share)
        try:
            file.load()
            suspicious = not _has_last_row(file)  # Pillow takes a stream that ends early for a complete one
        except DAMAGED:
            if missing := missing_rows(source, png):
                raise rows_are_missing(source, missing, png.height) from None
            raise
        if suspicious and (missing := missing_rows(source, png)):
            raise rows_are_missing(source, missing, png.height)
        return _first_frame(from_pillow(source, file, turn=camera_turn(file), dark=dark), png.frames)


def _has_last_row(file: PIL.Image.Image) -> bool:
    width, height = file.size
    return any(file.crop((0, height - 1, width, height)).tobytes())


def _png_turn(png: PngStructure) -> int:
    exif = PIL.Image.Exif()
    try:
        exif.load(png.exif)
        return int(exif.get(ORIENTATION, 1))
    except DAMAGED:
        return 1


def _deep_png(source: ImageStream, png: PngStructure) -> Array:
    """A PNG with 16 bits per channel and several channels: (H, W, 3 or 4) uint16."""
    values = cv2.imdecode(np.frombuffer(whole_png(source, png), dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise ValueError("broken PNG data")
    if values.ndim == 2:
        return np.asarray(values)
    order = (2, 1, 0, 3) if values.shape[2] == 4 else (2, 1, 0)
    return np.asarray(values[..., order])


# --- JPEG -----------------------------------------------------------------------------------------------------------


def _jpeg(source: ImageStream, share: float, dark: bool) -> DecodedImage:
    if source.size > MAX_WHOLE_BYTES * share:
        raise LargeImageError(Phrase("The file has {size:.1f} GB", size=source.size / 1e9), source.path, "Reduce it")
    source.file.seek(0)
    data = source.file.read()
    jpeg = jpeg_structure(data, round(WORK * share))
    held = 2 * jpeg.samples if jpeg.scans > 1 else 0  # several scans are decoded together at the end
    copies = (4, 3) if jpeg.components == 3 else (4, 4)
    twice = jpeg.width * jpeg.height * 4 if jpeg.scans > 1 and not jpeg.closed else 0
    cost = image_cost(jpeg.width, jpeg.height, *copies, extra=len(data) + held + twice, work=jpeg.work)
    check_cost(source, cost, share)
    if not jpeg.complete:
        text = "The image file is damaged or cut off: it lacks some of the scans that make its rows"
        raise ImageError(text, source.path, AGAIN)
    with _Jpeg(source, data, jpeg) as file:
        file.load()
        if missing := file.missing():
            raise rows_are_missing(source, missing, jpeg.height)
        return from_pillow(source, file, turn=camera_turn(file), dark=dark)


class _Jpeg(JpegImageFile):
    """A JPEG whose decoder gets the data up to its end mark, then filling bytes, then an end mark.

    Rows decoded before the end mark exist in the file. Rows that appear only with the end mark are missing.
    """

    FILLING = b"\0" * 12
    """Bytes that the decoder reads ahead of what it needs for the last block."""

    def __init__(self, source: ImageStream, data: bytes, jpeg: JpegStructure, filling: bytes = FILLING) -> None:
        self._source, self._data, self._jpeg = source, data, jpeg
        self._tail = [filling, b"\xff\xd9"]
        self._reached: int | None = None
        self._piece = max(64, min(65_536, len(data) * PIECE_WORK // max(1, jpeg.work)))
        super().__init__(io.BytesIO(data))

    def load_read(self, read_bytes: int) -> bytes:
        """The next bytes; few at a time where each is much work."""
        self._source.check()
        assert self.fp is not None
        data = self.fp.read(max(0, min(read_bytes, self._piece, self._jpeg.end - self.fp.tell())))
        if data or not self._tail:
            return data
        if len(self._tail) == 1:
            self._reached = self._bottom()
        return self._tail.pop(0)

    def missing(self) -> int:
        """How many rows of the loaded image the decoder made up."""
        if self._jpeg.scans == 1:  # a decoder that never asked for the end mark had all its data
            return 0 if self._reached is None else max(1, self._bottom() - self._reached)
        if self._jpeg.closed:
            return 0
        return self._differing()

    def _bottom(self) -> int:
        box = self.im.getbbox()
        return box[3] if box else 0

    def _differing(self) -> int:
        """Number of rows from the first one that depends on the bytes after the data.

        With several scans, no row is complete before the end.
        """
        with _Jpeg(self._source, self._data, self._jpeg, b"\xa5\x5a\x3c" * 40) as other:
            other.load()
            width, height = self.size
            for rows in bands(height, width * 4):
                box = (0, rows.start, width, rows.stop)
                here, there = (np.asarray(file.crop(box)) for file in (self, other))
                differs = (here != there).reshape(len(here), -1).any(axis=1)
                if differs.any():
                    return int(height - rows.start - differs.argmax())
        return 0
