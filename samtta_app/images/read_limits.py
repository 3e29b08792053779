"""Maximum cost of an image, in bytes and in work, computed from its header before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from samtta_app.errors import ImageError, LargeImageError
from samtta_app.images.file_formats import ImageStream
from samtta_app.phrases import Phrase

MAX_WHOLE_BYTES = 2 * 1024**3
"""Maximum bytes of all arrays of a whole read: 300 million pixels of 8-bit colour, or 240 million of 16-bit grey."""

READ_AHEAD_SHARE = 1 / 8
"""Share of every limit that a file may cost when it is read ahead."""

MAX_SMALL_BYTES = int(MAX_WHOLE_BYTES * READ_AHEAD_SHARE)
"""An image may always cost this many bytes, whatever the size of its file: plain areas pack to almost nothing."""

GROWTH = 20_000
"""Maximum bytes of a larger image per byte of its file.

Deflate packs 1,032 to 1, and about ten bytes are made of each unpacked one.
"""

WORK = 3_000_000_000
"""Samples that a JPEG's scans may go through: 12 s at 250 million a second (measured).

This allows 300 million pixels in ten scans.
"""


@dataclass(frozen=True, slots=True)
class ImageCost:
    """What reading an image takes: its size in pixels, `bytes` of all arrays at once, and `work` in samples."""

    width: int
    height: int
    bytes: int
    work: int = 0


def image_cost(width: int, height: int, *layers: float, extra: int = 0, work: int = 0) -> ImageCost:
    """The cost of an image whose `layers` (bytes per pixel each), display and `extra` bytes exist at the same time."""
    shown = 3 + 1  # colours, and the grey values that become them
    return ImageCost(width, height, round(width * height * (sum(layers) + shown)) + extra, work)


def check_cost(source: ImageStream, cost: ImageCost, share: float = 1.0) -> None:
    """Refuse what costs more than `share` of the limits, or more than its file can hold.

    Raises:
        LargeImageError: the image is too large or takes too long to read whole.
        ImageError: the file is far too small for the image that it claims to be.
    """
    size = f"{cost.width} x {cost.height}"
    if cost.bytes > max(MAX_SMALL_BYTES, GROWTH * source.size):
        text = Phrase(
            "The file claims an image of {size} pixels, which its {size_2} bytes cannot hold",
            size=size,
            size_2=source.size,
        )
        raise ImageError(text, source.path, "Copy it again from where it came from")
    if cost.bytes > MAX_WHOLE_BYTES * share:
        millions = cost.width * cost.height / 1e6
        text = Phrase(
            "The image has {size} = {millions:.0f} million pixels and would take {bytes:.1f} GB to read",
            size=size,
            millions=millions,
            bytes=cost.bytes / 1e9,
        )
        raise LargeImageError(
            Phrase("{text}, more than {max_whole_bytes:.1f}", text=text, max_whole_bytes=MAX_WHOLE_BYTES * share / 1e9),
            source.path,
            _SMALLER,
        )
    if cost.work > WORK * share:
        text = Phrase("The image of {size} pixels has so many scans that it would take minutes to read", size=size)
        raise LargeImageError(text, source.path, "Save it as PNG, or as a JPEG that is not progressive")


_SMALLER = "Cut it into tiles or reduce it, and open the tiles"
