"""How large an image will be shown, from its file's header alone: no pixel is decoded."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import PIL.Image
import tifffile

from samtta_app.core.images import DAMAGED, ORIENTATION, TIFF

FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
"""What Pillow may take a file for; TIFF is read by tifffile."""


def shown_size(path: Path) -> tuple[int, int] | None:
    """Width and height in pixels once the image is upright; None where the header cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            width, height, held = _of_tiff(path) if head in TIFF else _of_others(path)
    except (*DAMAGED, struct.error, MemoryError):
        return None
    return (height, width) if held in (5, 6, 7, 8) else (width, height)


def _of_tiff(path: Path) -> tuple[int, int, int]:
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        tag = page.tags.get(ORIENTATION)
        return int(page.imagewidth), int(page.imagelength), int(tag.value) if tag else 1


def _of_others(path: Path) -> tuple[int, int, int]:
    with PIL.Image.open(path, formats=FORMATS) as file:
        # Pillow decodes a whole PNG in search of EXIF that stands behind the pixels
        there = file.format != "PNG" or "exif" in file.info
        return (*file.size, int(file.getexif().get(ORIENTATION, 1)) if there else 1)
