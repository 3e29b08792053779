"""Image files as the tool shows them: upright 8-bit RGB for eye and encoder, the file's own values for the read-out."""

from __future__ import annotations

import hashlib
import logging
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps
import tifffile
from numpy.typing import NDArray

from samtta_app.core.types import Image
from samtta_app.errors import ImageError

LIMIT = 400_000_000
"""More pixels than this are not shown: pixels, raw values and masks together would no longer fit in memory."""

PERCENTILES = (1.0, 99.0)
"""The values that become black and white where a file is deeper than 8 bit."""

SAMPLE = 4_000_000
"""At most about this many values are looked at to find the percentiles."""

ORIENTATION = 274
"""EXIF's and TIFF's tag for how the camera was held, 1 .. 8."""

DAMAGED = (OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, RuntimeError, struct.error, zlib.error)
"""What the decoders raise on files that are cut off or hold nonsense."""

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""What TIFF and BigTIFF files begin with."""

PLAIN = {"MINISWHITE", "MINISBLACK", "RGB"}
"""TIFF colour models that need no conversion; the others (palette, CMYK, YCbCr ...) are Pillow's."""

Array = NDArray[Any]

PIL.Image.MAX_IMAGE_PIXELS = None  # the limit is LIMIT, with a text that says what to do
logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # a damaged file is reported once, as an ImageError


def read_image(path: Path) -> Image:
    """Read jpg, png, bmp, webp, tif and whatever else Pillow knows.

    Raises:
        ImageError: the file is missing, empty, cut off, no image, or has more than LIMIT pixels.
    """
    try:
        with path.open("rb") as file:
            head = file.read(32)
        if not head:
            raise ImageError("The image file is empty", path, "Copy it again from where it came from")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            raw, pixels = _decode(path, head)
    except PIL.UnidentifiedImageError as e:
        if head[:4] in TIFF:
            text, advice = "The TIFF file is cut off or packed in an unknown way", "Copy it again, or save it unpacked"
        else:
            text, advice = "This is not an image that samtta can read", "Save it as PNG, JPEG or TIFF"
        raise ImageError(text, path, advice) from e
    except (FileNotFoundError, IsADirectoryError, PermissionError) as e:
        raise ImageError(f"The image file cannot be opened: {e.strerror}", path, "Check the file and its rights") from e
    except MemoryError as e:
        raise ImageError("There is not enough memory for this image", path, "Close other programs or cut it up") from e
    except DAMAGED as e:
        text = f"The image file is damaged or cut off ({str(e)[:120]})"
        raise ImageError(text, path, "Copy it again, or save it anew as PNG from the program that made it") from e
    return _image(path, pixels, raw)


def from_array(raw: Array, path: Path = Path("array")) -> Image:
    """The image of an array (H, W) or (H, W, 1 .. 4), of any real dtype, as if it had been read from `path`."""
    return _image(path, display(raw), raw)


def display(raw: Array, *, separate: bool = False) -> NDArray[np.uint8]:
    """8-bit RGB (H, W, 3) of `raw` (H, W) or (H, W, C): percentile-stretched unless it is 8 bit already.

    One channel is grey, two are red and green, the last of four is alpha (laid over white), more are left out.
    `separate` stretches each channel by itself and takes none for alpha: fluorescence channels, not colours.
    """
    if raw.ndim == 2 or raw.shape[2] == 1:
        return np.repeat(_eight_bit(raw.reshape(raw.shape[:2]))[..., None], 3, axis=2)
    colours = raw[..., :3]
    if separate:
        shown = np.stack([_eight_bit(colours[..., i]) for i in range(colours.shape[2])], axis=2)
    else:
        shown = _eight_bit(colours)
    if shown.shape[2] == 2:
        shown = np.concatenate([shown, np.zeros_like(shown[..., :1])], axis=2)
    return _over_white(shown, raw[..., 3]) if raw.shape[2] == 4 and not separate else shown


def _image(path: Path, pixels: NDArray[np.uint8], raw: Array) -> Image:
    pixels, raw = np.ascontiguousarray(pixels), np.ascontiguousarray(raw)
    if raw.dtype == np.uint8 and raw.shape == pixels.shape and np.array_equal(raw, pixels):
        raw = pixels
    pixels.setflags(write=False)
    raw.setflags(write=False)
    digest = hashlib.blake2b(repr(pixels.shape).encode(), digest_size=16)
    digest.update(pixels.data)
    return Image(digest.hexdigest(), path, pixels, raw)


def _decode(path: Path, head: bytes) -> tuple[Array, NDArray[np.uint8]]:
    """The file's own values and their display, both upright."""
    if head[:4] in TIFF:
        found = _read_tiff(path)
        if found is not None:
            return found
    with PIL.Image.open(path) as file:
        _check_size(path, *file.size)
        if head[:8] == b"\x89PNG\r\n\x1a\n" and head[24] == 16 and file.mode not in ("I", "I;16", "I;16B"):
            raw = _read_deep_png(path)
            raw = upright(raw, int(file.getexif().get(ORIENTATION, 1)))
            return raw, display(raw)
        file.load()
        return _from_pillow(PIL.ImageOps.exif_transpose(file))


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > LIMIT:
        text = (
            f"The image has {width} x {height} = {width * height / 1e6:.0f} million pixels, more than {LIMIT / 1e6:.0f}"
        )
        raise ImageError(text, path, "Cut it into tiles or reduce it, and open the tiles")


def _from_pillow(file: PIL.Image.Image) -> tuple[Array, NDArray[np.uint8]]:
    raw = np.asarray(file)
    if file.mode in ("L", "1", "RGB", "F") or file.mode.startswith("I"):
        return raw, display(raw)
    if file.has_transparency_data:
        rgba = np.asarray(file.convert("RGBA"))
        return (rgba if file.mode != "P" else raw), display(rgba)
    return raw, np.asarray(file.convert("RGB"))


def _read_deep_png(path: Path) -> Array:
    """A PNG with 16 bits per channel, of which Pillow would keep 8: (H, W, 3 or 4) uint16."""
    values = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise ValueError("broken PNG data")
    if values.ndim == 2:
        return values
    order = (2, 1, 0, 3) if values.shape[2] == 4 else (2, 1, 0)
    return np.asarray(values[..., order])


def _read_tiff(path: Path) -> tuple[Array, NDArray[np.uint8]] | None:
    """First plane of the first series with its channels; None when tifffile cannot decode it and Pillow may."""
    try:
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            page = series.keyframe
            colours = tifffile.PHOTOMETRIC(page.photometric).name
            if colours not in PLAIN:
                return None
            sizes = dict(zip(series.axes, series.shape, strict=True))
            _check_size(path, sizes.get("X", 1), sizes.get("Y", 1))
            raw = _first_plane(series)
            tag = page.tags.get(ORIENTATION)
            raw = upright(raw, int(tag.value) if tag else 1)
            shown = display(raw, separate="C" in series.axes and "S" not in series.axes)
            return raw, (255 - shown if colours == "MINISWHITE" else shown)
    except DAMAGED:
        return None


def _first_plane(series: tifffile.TiffPageSeries) -> Array:
    """(H, W) or (H, W, C): index 0 of every axis that is neither a row, a column nor a channel."""
    if series.ndim == 3 and series.shape[-1] in (3, 4) and "S" not in series.axes and series.shape[1] > 4:
        return np.asarray(series.asarray())  # colours that were written without saying so: one "page" per row
    axes = series.axes
    pages = len(axes) - (3 if "S" in axes and series.keyframe.samplesperpixel > 1 else 2)
    if pages > 0 and "C" not in axes[:pages] and len(series.pages) > 1:
        first = series.pages[0]
        if first is None:
            raise ValueError("the first page is missing")
        values, axes = np.asarray(first.asarray()), axes[pages:]
    else:
        values = np.asarray(series.asarray())
    for place in reversed(range(len(axes))):
        if axes[place] not in "YXSC":
            values = np.take(values, 0, axis=place)
    kept = [a for a in axes if a in "YXSC"]
    if "S" in kept and "C" in kept:
        values = np.take(values, 0, axis=kept.index("C"))
        kept.remove("C")
    order = [kept.index(a) for a in ("Y", "X", "S", "C") if a in kept]
    return values.transpose(order)


def upright(values: Array, orientation: int) -> Array:
    """`values` (H, W, ...) as it looks with EXIF `orientation` 1 .. 8 applied; anything else changes nothing."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return values


def _eight_bit(values: Array) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return np.asarray(values, dtype=np.uint8)
    if values.dtype == np.bool_:
        return np.asarray(np.where(values, 255, 0), dtype=np.uint8)
    if np.iscomplexobj(values):
        values = np.abs(values)
    low, high = _range(values)
    if not high > low:
        return np.zeros(values.shape, dtype=np.uint8)
    scaled = values.astype(np.float32)
    scaled -= np.float32(low)
    scaled *= np.float32(255.0 / (high - low))
    np.nan_to_num(scaled, copy=False, nan=0.0, posinf=255.0, neginf=0.0)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _range(values: Array) -> tuple[float, float]:
    """What becomes black and white: the percentiles of the finite values, or their extremes when those coincide."""
    step = max(1, round((values.size / SAMPLE) ** 0.5))
    seen = values[::step, ::step]
    seen = seen[np.isfinite(seen)].astype(np.float64)
    if not seen.size:
        return 0.0, 0.0
    low, high = (float(v) for v in np.percentile(seen, PERCENTILES))
    return (low, high) if high > low else (float(seen.min()), float(seen.max()))


def _over_white(colours: NDArray[np.uint8], alpha: Array) -> NDArray[np.uint8]:
    opaque = float(np.iinfo(alpha.dtype).max) if np.issubdtype(alpha.dtype, np.integer) else 1.0
    share = np.nan_to_num(alpha.astype(np.float32) / opaque, nan=1.0).clip(0, 1)[..., None]
    if bool((share == 1).all()):
        return colours
    return np.asarray(np.rint(colours * share + 255 * (1 - share)), dtype=np.uint8)
