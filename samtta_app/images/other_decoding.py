"""GIF, JPEG 2000, AVIF and PNM: decoders called by name after the file's cost is known."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import PIL.features
from PIL.AvifImagePlugin import AvifImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from samtta_app.core.planes import PlaneChoice
from samtta_app.errors import ImageError, LargeImageError
from samtta_app.images.decoding import DecodedImage, camera_turn, frame_axes, frame_notice, from_pillow, joined_notices
from samtta_app.images.file_formats import ImageKind, ImageStream
from samtta_app.images.jpeg2000_structure import jpeg2000_structure
from samtta_app.images.pnm_decoding import pnm_header, pnm_values
from samtta_app.images.read_limits import MAX_WHOLE_BYTES, check_cost, image_cost
from samtta_app.images.stretching import to_display
from samtta_app.phrases import Phrase

_AVIF_BYTES = 8 + 4
"""Bytes per pixel that libavif holds: planes of up to 16 bits with opacity, and the colours made of them."""


def decode_other(source: ImageStream, share: float, planes: PlaneChoice, *, dark: bool) -> DecodedImage:
    """Decode one of these formats that costs at most `share` of the limits; `dark` as in `to_display`.

    Raises:
        ImageError: it costs more, rows are missing, or this installation cannot read AVIF.
        DAMAGED: what the decoders raise.
    """
    if source.kind is ImageKind.PNM:
        raw = pnm_values(source, share)
        return DecodedImage(raw, to_display(raw, dark=dark))
    if source.kind is ImageKind.JPEG_2000:
        return _jpeg2000(source, share, dark)
    if source.kind is ImageKind.AVIF:
        return _avif(source, share, planes, dark)
    return _gif(source, share, planes, dark)


def other_size(source: ImageStream) -> tuple[int, int]:
    """Width and height of such an image as it is shown, from its header alone.

    Raises:
        ImageError: this installation cannot read AVIF, or the file is too large.
        DAMAGED: the header is damaged.
    """
    if source.kind is ImageKind.PNM:
        header = pnm_header(source)
        return header.width, header.height
    if source.kind is ImageKind.JPEG_2000:
        found = jpeg2000_structure(_whole(source, 1.0))
        return found.width, found.height
    if source.kind is ImageKind.AVIF:
        with _opened_avif(source, 1.0) as file:
            return (file.height, file.width) if camera_turn(file) in (5, 6, 7, 8) else file.size
    source.file.seek(0)
    with GifImageFile(source.file) as file:
        return file.size


def _gif(source: ImageStream, share: float, planes: PlaneChoice, dark: bool) -> DecodedImage:
    source.file.seek(0)
    with GifImageFile(source.file) as file:
        width, height = file.size
        check_cost(source, image_cost(width, height, 1, 4, 4, 4), share)  # a frame is laid over the one before
        frames = file.n_frames
        number = planes.position("frame", frames)
        check_cost(source, image_cost(width, height, 1, 4, 4, 4, work=width * height * (number + 1)), share)
        file.seek(number)
        source.check()
        file.load()
        check_cost(source, image_cost(*file.size, 1, 4, 4, 4), share)
        decoded = from_pillow(source, file, turn=1, dark=dark)
    return DecodedImage(decoded.raw, decoded.pixels, frame_notice(number, frames), frame_axes(frames))


def _avif(source: ImageStream, share: float, planes: PlaneChoice, dark: bool) -> DecodedImage:
    with _opened_avif(source, share) as file:
        check_cost(source, image_cost(*file.size, _AVIF_BYTES, 4, 4, extra=2 * source.size), share)
        frames = getattr(file, "n_frames", 1)
        number = planes.position("frame", frames)
        work = file.width * file.height * (number + 1)
        check_cost(source, image_cost(*file.size, _AVIF_BYTES, 4, 4, extra=2 * source.size, work=work), share)
        file.seek(number)
        file.load()
        decoded = from_pillow(source, file, turn=camera_turn(file), dark=dark)
    source.file.seek(0)
    bits = _avif_bits(source.file.read())
    depth = Phrase("Its values of {bits} bits are read with 8.", bits=bits) if bits > 8 else ""
    notice = joined_notices(frame_notice(number, frames), depth)
    return DecodedImage(decoded.raw, decoded.pixels, notice, frame_axes(frames))


def _opened_avif(source: ImageStream, share: float) -> AvifImageFile:
    if not PIL.features.check("avif"):
        raise ImageError("This installation of Pillow reads no AVIF", source.path, "Save it as PNG")
    return AvifImageFile(io.BytesIO(_whole(source, share)))


def _avif_bits(data: bytes) -> int:
    """Bits of a sample, from the configuration of the codec (AV1-ISOBMFF 2.3.3)."""
    place = data.find(b"av1C")
    flags = data[place + 6] if 0 <= place < len(data) - 6 else 0
    return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10


def _jpeg2000(source: ImageStream, share: float, dark: bool) -> DecodedImage:
    data = _whole(source, share)
    found = jpeg2000_structure(data)
    kept = 2 if found.bits > 8 else 1
    check_cost(
        source, image_cost(found.width, found.height, found.components * (4 + 2 * kept), extra=2 * len(data)), share
    )
    if found.bits > 8 or found.components not in (1, 3, 4):  # Pillow would keep only 8 bits of colours
        raw = np.asarray(imagecodecs.jpeg2k_decode(data))
        source.check()
        return DecodedImage(raw, to_display(raw, dark=dark))
    with Jpeg2KImageFile(io.BytesIO(data)) as file:
        if file.size != (found.width, found.height):
            raise ValueError("two sizes")
        file.load()
        return from_pillow(source, file, turn=1, dark=dark)


def _whole(source: ImageStream, share: float) -> bytes:
    """The file's bytes.

    Raises:
        LargeImageError: there are too many of them.
    """
    if source.size > MAX_WHOLE_BYTES * share:
        raise LargeImageError(Phrase("The file has {size:.1f} GB", size=source.size / 1e9), source.path, "Reduce it")
    source.file.seek(0)
    return source.file.read()
