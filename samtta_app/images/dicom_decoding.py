"""DICOM, read by pydicom (an extra): rescaled values, shown through the file's window. Source: DICOM PS3.3, C.7.6.3 and C.11.

Only the attributes that make the picture are read. No message holds a value of the file, so no patient's data leave it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from samtta_app.core.planes import PlaneChoice
from samtta_app.errors import ImageError
from samtta_app.extras import extra_advice
from samtta_app.images.decoding import DecodedImage, frame_axes, frame_notice
from samtta_app.images.file_formats import ImageStream
from samtta_app.images.jpeg2000_structure import jpeg2000_structure
from samtta_app.images.jpeg_structure import jpeg_structure
from samtta_app.images.read_limits import WORK, check_cost, image_cost
from samtta_app.images.stretching import Array, bands, to_display
from samtta_app.phrases import Phrase

if TYPE_CHECKING:
    from pydicom import Dataset

_PICTURE = (
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated", "BitsStored", "HighBit"),
    *("PixelRepresentation", "PhotometricInterpretation", "PlanarConfiguration", "PixelData", "FloatPixelData"),
    *("DoubleFloatPixelData", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "WindowCenter", "WindowWidth"),
    *("RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor"),
    *("BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData"),
    "BluePaletteColorLookupTableData",
)
"""The attributes that are read; everything else of a file is passed over by the parser."""


def decode_dicom(source: ImageStream, share: float, planes: PlaneChoice, *, dark: bool) -> DecodedImage:
    """Decode one frame of a DICOM file that costs at most `share` of the limits.

    Grey values are rescaled as the file says, for example to Hounsfield units. They are shown through the file's first
    window, without one between two percentiles. MONOCHROME1 is shown inverted.

    Raises:
        ImageError: it costs more, is damaged or packed in a way that is not read, or pydicom is missing.
    """
    with _quiet(source):
        from pydicom.pixels.utils import pixel_array

        head = _read(source, pixels_too=False)
        frames = int(head.get("NumberOfFrames") or 1)
        number = planes.position("frame", frames)
        width, height, samples = int(head.Columns), int(head.Rows), int(head.get("SamplesPerPixel", 1))
        stored = samples * max(1, int(head.BitsAllocated) // 8)
        check_cost(source, image_cost(width, height, 2 * stored, 8, 8, extra=2 * source.size), share)
        whole = _read(source, pixels_too=True)
        source.check()
        _check_frame(whole, number, frames, (width, height))
        values = np.asarray(pixel_array(whole, index=number))
        source.check()
        raw, shown = _seen(values, whole, dark)
    return DecodedImage(raw, shown, frame_notice(number, frames), frame_axes(frames))


def dicom_size(source: ImageStream) -> tuple[int, int]:
    """Width and height from the header alone.

    Raises:
        ImageError: it is damaged, or pydicom is missing.
    """
    with _quiet(source):
        head = _read(source, pixels_too=False)
        return int(head.Columns), int(head.Rows)


def _read(source: ImageStream, *, pixels_too: bool) -> Dataset:
    from pydicom import dcmread

    logging.getLogger("pydicom").setLevel(
        logging.CRITICAL
    )  # its warnings quote values; importing it sets another level
    source.file.seek(0)
    return dcmread(source.file, stop_before_pixels=not pixels_too, specific_tags=list(_PICTURE))


def _check_frame(whole: Dataset, number: int, frames: int, size: tuple[int, int]) -> None:
    """A packed frame claims the size that the file claims.

    Raises:
        ValueError: it does not.
    """
    from pydicom.encaps import get_frame

    syntax = whole.file_meta.TransferSyntaxUID
    if not syntax.is_compressed or not syntax.is_encapsulated:
        return
    data = get_frame(whole.PixelData, number, number_of_frames=frames)
    if data.startswith(b"\xff\xd8\xff"):
        jpeg = jpeg_structure(data, WORK)
        claimed = jpeg.width, jpeg.height
    elif data.startswith((b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP")):
        found = jpeg2000_structure(data)
        claimed = found.width, found.height
    else:
        return
    if claimed != size:
        raise ValueError("two sizes")


def _seen(values: Array, whole: Dataset, dark: bool) -> tuple[Array, NDArray[np.uint8]]:
    """The values as the file means them, and their display."""
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

    meaning = str(whole.PhotometricInterpretation)
    if meaning == "PALETTE COLOR":
        colours = np.asarray(apply_color_lut(values, whole))
        return values, _eight_bits(colours)
    if values.ndim == 3:
        return values, to_display(values, dark=False)
    raw = _whole_numbers(np.asarray(apply_modality_lut(values, whole)))
    window = _window(whole)
    shown = to_display(raw, dark=dark) if window is None else _through(raw, *window)
    return raw, 255 - shown if meaning == "MONOCHROME1" else shown


def _eight_bits(colours: Array) -> NDArray[np.uint8]:
    return np.asarray(colours >> 8 if colours.dtype == np.uint16 else colours, dtype=np.uint8)


def _whole_numbers(values: Array) -> Array:
    """Rescaled values as int32 where they are whole, as float32 otherwise."""
    if values.dtype.kind != "f":
        return values
    rounded = np.rint(values)
    return values.astype(np.int32) if np.array_equal(rounded, values) else values.astype(np.float32)


def _window(whole: Dataset) -> tuple[float, float] | None:
    """Centre and width of the first window, None without a usable one."""

    def first(name: str) -> float:
        value: Any = whole.get(name)
        several = value is not None and not isinstance(value, str) and hasattr(value, "__len__")
        return float(value[0] if several else value)

    try:
        centre, width = first("WindowCenter"), first("WindowWidth")
    except (TypeError, ValueError, LookupError):
        return None
    return (centre, width) if np.isfinite([centre, width]).all() and width >= 1 else None


def _through(values: Array, centre: float, width: float) -> NDArray[np.uint8]:
    """Grey (H, W, 3) by the function LINEAR of C.11.2.1.2."""
    shown = np.empty((*values.shape, 3), np.uint8)
    for rows in bands(values.shape[0], values.shape[1]):
        if width > 1:
            share = (values[rows].astype(np.float64) - (centre - 0.5)) / (width - 1) + 0.5
        else:
            share = (values[rows] > centre - 0.5).astype(np.float64)
        shown[rows] = np.rint(np.clip(np.nan_to_num(share), 0, 1) * 255)[..., None]
    return shown


@contextmanager
def _quiet(source: ImageStream) -> Iterator[None]:
    """Errors of the parser without their texts, which may quote the file."""
    try:
        yield
    except (ImageError, MemoryError):
        raise
    except ImportError as error:
        raise ImageError("DICOM files need pydicom", source.path, extra_advice("dicom")) from error
    except (NotImplementedError, RuntimeError) as error:
        text = "The DICOM file is packed in a way that this installation does not read"
        raise ImageError(text, source.path, "Save it unpacked, or install pylibjpeg") from error
    except Exception as error:  # noqa: BLE001 (the parser raises errors of many kinds)
        what = Phrase("The DICOM file is damaged or holds no picture ({kind})", kind=type(error).__name__)
        raise ImageError(what, source.path, "Copy it again from where it came from") from None
