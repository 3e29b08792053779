"""Image files as the tool shows them: upright 8-bit RGB for display and encoder, the file's own values for the read-out.

The content decides the format, the header gives the cost, and only then is anything decoded.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import warnings
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from samtta_app.core.planes import FIRST_PLANE, PlaneChoice
from samtta_app.core.types import Image
from samtta_app.errors import ImageError
from samtta_app.images.decoding import (
    AGAIN,
    DAMAGED,
    ORIENTATION,
    DecodedImage,
    decode_image,
    joined_notices,
    upright_size,
    upright_turn,
)
from samtta_app.images.dicom_decoding import decode_dicom, dicom_size
from samtta_app.images.file_formats import GivenUp, ImageKind, ImageStream, opened_image
from samtta_app.images.other_decoding import decode_other, other_size
from samtta_app.images.read_limits import READ_AHEAD_SHARE
from samtta_app.images.stretching import Array, to_display, upright
from samtta_app.images.tiff_decoding import decode_tiff, tiff_size, tiff_turn
from samtta_app.images.tiff_tiles import LEAST_TILED, tiled_tiff
from samtta_app.phrases import Phrase

__all__ = [
    "DAMAGED",
    "ORIENTATION",
    "READ_AHEAD_SHARE",
    "from_array",
    "image_orientation",
    "image_size",
    "read_ids",
    "read_image",
    "reading",
    "stored_orientation",
    "to_display",
    "upright",
]

_OTHERS = frozenset({ImageKind.GIF, ImageKind.JPEG_2000, ImageKind.AVIF, ImageKind.PNM})

_Found = TypeVar("_Found")

POLL = 0.02
"""Seconds between two checks whether a read is done, so that other work of the engine waits no longer than this."""

MOST_ID = 65_535
"""The highest object number in a mask; counting objects allocates one place for every number up to it."""

PIL.Image.MAX_IMAGE_PIXELS = None  # read_limits has the limits, with a message that says what to do


def read_image(
    path: Path,
    *,
    share: float = 1.0,
    dark: bool = True,
    planes: PlaneChoice = FIRST_PLANE,
    tiled: bool = False,
) -> Image:
    """Read an image of an ImageKind, whatever its name.

    Args:
        path: the file.
        share: of the limits on memory and work that the image may cost.
        dark: whether dark 8-bit files are stretched for display as deeper ones are (see `to_display`).
        tiled: whether a large TIFF is read by tile (`Image.tiles`).
        planes: which plane and channel is shown; a file that has fewer gives its last one.

    Raises:
        LargeImageError: the image would take more than `share` of the limits.
        ImageError: the file is missing, empty, cut off, or no image.
    """
    return _read(path, share, planes, dark, lambda: None, tiled=tiled)


def reading(path: Path, *, share: float = 1.0, planes: PlaneChoice = FIRST_PLANE) -> Generator[None, None, Image]:
    """`read_image` in steps, on its own thread; closing the generator cancels the read. A large TIFF is read by tile.

    A decoder cannot be interrupted from outside. The thread checks at each piece of the file whether the read is still
    wanted. No other thread waits for it.

    Raises:
        LargeImageError, ImageError: as `read_image`.
    """
    given_up = threading.Event()
    done: queue.SimpleQueue[Image | BaseException] = queue.SimpleQueue()

    def check() -> None:
        if given_up.is_set():
            raise GivenUp

    def work() -> None:
        try:
            done.put(_read(path, share, planes, True, check, tiled=share == 1.0))
        except BaseException as error:  # noqa: BLE001 (raised again where it is waited for)
            done.put(error)

    threading.Thread(target=work, name="samtta-reader", daemon=True).start()
    try:
        while True:
            try:
                found = done.get(timeout=POLL)
                break
            except queue.Empty:
                yield None
    finally:
        given_up.set()
    if isinstance(found, BaseException):
        raise found
    return found


def read_ids(path: Path) -> NDArray[np.uint16]:
    """The numbers (H, W) of a mask file: 0 is background, 1 .. MOST_ID are objects; palette colours do not count.

    Raises:
        ImageError: the file cannot be read, has several channels, or other numbers.
    """
    labels = _decoded(path, 1.0, FIRST_PLANE, False, lambda: None).raw
    if labels.ndim != 2:
        text = Phrase("The mask has {shape} channels", shape=labels.shape[2])
        raise ImageError(text, path, "Save instance ids as one grey or palette channel")
    low, high = labels.min(), labels.max()
    if labels.dtype.kind not in "bui" or not 0 <= int(low) <= int(high) <= MOST_ID:
        text = Phrase("The mask holds {low} to {high}", low=low, high=high)
        raise ImageError(
            text, path, Phrase("Number the objects from 1 to {most_id} at most, 0 for the rest", most_id=MOST_ID)
        )
    return labels.astype(np.uint16)


def image_size(path: Path, planes: PlaneChoice = FIRST_PLANE) -> tuple[int, int]:
    """Width and height of an image as it is shown, from its header alone.

    Raises:
        ImageError: the file is missing, empty, incomplete in its header, or no image.
    """
    return _said(path, lambda: _size(path, planes))


def image_orientation(path: Path) -> int:
    """The orientation 1 .. 8 that a file of a camera names; 1 where it names none.

    Raises:
        ImageError: as `image_size`.
    """

    def found() -> int:
        with opened_image(path) as source:
            return 1 if source.kind in _OTHERS | {ImageKind.TIFF, ImageKind.DICOM} else upright_turn(source)

    return _said(path, found)


def stored_orientation(path: Path) -> int:
    """The orientation 1 .. 8 that is applied to the rows and columns of a file; 1 where they are shown as they are.

    Raises:
        ImageError: as `image_size`.
    """

    def found() -> int:
        with opened_image(path) as source:
            if source.kind is ImageKind.TIFF:
                return tiff_turn(source)
            return 1 if source.kind in _OTHERS | {ImageKind.DICOM} else upright_turn(source)

    return _said(path, found)


def from_array(raw: Array, path: Path = Path("array")) -> Image:
    """The image of an array (H, W) or (H, W, 1 .. 4), of any real dtype, as if it had been read from `path`."""
    return _image(path, DecodedImage(raw, to_display(raw, dark=False)))


def _read(
    path: Path, share: float, planes: PlaneChoice, dark: bool, check: Callable[[], None], *, tiled: bool = False
) -> Image:
    found = _by_tile(path, check) if tiled and planes == FIRST_PLANE else None
    return found or _image(path, _decoded(path, share, planes, dark, check), planes.channel, dark)


def _by_tile(path: Path, check: Callable[[], None]) -> Image | None:
    """The image of a large TIFF; None for other files, and where its tags are damaged: then it is read whole."""
    with opened_image(path, check) as source:
        if source.kind is not ImageKind.TIFF or source.size < LEAST_TILED:
            return None
        with suppress(*DAMAGED):
            found = tiled_tiff(source)
            if found is not None:
                tiles, notice = found
                nothing = np.zeros((0, 0, 3), np.uint8)
                return Image(tiles.key, path, nothing, nothing, notice, tiles)
    return None


def _size(path: Path, planes: PlaneChoice) -> tuple[int, int]:
    with opened_image(path) as source:
        if source.kind is ImageKind.TIFF:
            return tiff_size(source, planes)
        if source.kind is ImageKind.DICOM:
            return dicom_size(source)
        return other_size(source) if source.kind in _OTHERS else upright_size(source)


def _decoded(path: Path, share: float, planes: PlaneChoice, dark: bool, check: Callable[[], None]) -> DecodedImage:
    def found() -> DecodedImage:
        with opened_image(path, check) as source:
            return _by_kind(source, share, planes, dark)

    return _said(path, found)


def _by_kind(source: ImageStream, share: float, planes: PlaneChoice, dark: bool) -> DecodedImage:
    if source.kind is ImageKind.TIFF:
        return decode_tiff(source, share, planes, dark=dark)
    if source.kind is ImageKind.DICOM:
        return decode_dicom(source, share, planes, dark=dark)
    decode = decode_other if source.kind in _OTHERS else decode_image
    return decode(source, share, planes, dark=dark)


def _said(path: Path, action: Callable[[], _Found]) -> _Found:
    """Run `action`, which reads a file; every exception of the decoders becomes an ImageError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return action()
    except MemoryError as e:
        raise ImageError("There is not enough memory for this image", path, "Close other programs or cut it up") from e
    except DAMAGED as e:
        raise ImageError(
            Phrase("The image file is damaged or cut off ({value})", value=str(e)[:120]), path, AGAIN
        ) from e


def _image(path: Path, decoded: DecodedImage, channel: int | None = None, dark: bool = False) -> Image:
    pixels, raw = np.ascontiguousarray(decoded.pixels), np.ascontiguousarray(decoded.raw)
    scene, notice = "", decoded.notice
    if channel is not None and raw.ndim == 3:
        shown = min(channel, raw.shape[2] - 1)
        scene, notice = (
            _key(pixels),
            joined_notices(
                notice, Phrase("Channel {number} of {channels} is shown.", number=shown + 1, channels=raw.shape[2])
            ),
        )
        pixels = to_display(raw[..., shown], dark=dark, nodata=decoded.nodata)
    if raw.dtype == np.uint8 and raw.shape == pixels.shape and np.may_share_memory(raw, pixels):
        raw = pixels
    pixels.setflags(write=False)
    raw.setflags(write=False)
    return Image(_key(pixels), path, pixels, raw, notice, axes=decoded.axes, scene=scene)


def _key(pixels: NDArray[np.uint8]) -> str:
    digest = hashlib.blake2b(repr(pixels.shape).encode(), digest_size=16)
    digest.update(pixels.data)
    return digest.hexdigest()
