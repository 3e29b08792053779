"""Copies of images for exports: the upright pixels that the masks were drawn on, without any other data of the file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.names import is_inside
from samtta_app.core.planes import FIRST_PLANE
from samtta_app.core.project import Project, ProjectImage
from samtta_app.errors import ImageError
from samtta_app.formats.clean_copies import clean_copy

COPIED_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
"""Endings of files that are copied as they are; a data set holds no others."""


def image_path(project: Project, image: ProjectImage) -> Path | None:
    """The image's file; None where it is gone, or a damaged project's name for it leads elsewhere."""
    path = project.folder / image.name
    try:
        return path if is_inside(image.name) and path.is_file() else None
    except (OSError, ValueError):  # no file can have such a name
        return None


def shown_pixels(project: Project, image: ProjectImage) -> NDArray[np.uint8] | str:
    """The image (height, width, 3) uint8 RGB as the window shows it, or the reason in words why there is none."""
    from samtta_app.images.read import read_image  # imports the decoders, which the window's start does not need

    path = image_path(project, image)
    if path is None:
        return "its file is gone"
    try:
        found = read_image(path, planes=project.planes)
    except ImageError as error:
        return f"its file cannot be read: {error.what}"
    if (found.width, found.height) != (image.width, image.height):
        return f"it is {found.width} x {found.height} now, its masks are {image.width} x {image.height}"
    return found.pixels


def copy_cleaned(project: Project, image: ProjectImage, place: Path, stem: str) -> tuple[Path, bool]:
    """Copy an image's file into the folder `place` without private data; returns the copy and whether it was packed again.

    A file that cannot be cleaned as it is, or of which another plane was chosen, becomes a PNG of what is shown.

    Raises:
        OSError: it cannot be read or written.
        ImageError: it cannot be read as an image.
    """
    from samtta_app.images.read import image_orientation, image_size

    path = project.folder / image.name
    if project.planes == FIRST_PLANE and path.suffix.lower() in COPIED_SUFFIXES:
        cleaned = clean_copy(path.read_bytes(), image_orientation(path))
        if cleaned is not None:
            copy = place / f"{stem}{path.suffix}"
            copy.write_bytes(cleaned)
            with suppress(ImageError):
                if image_size(copy) == image_size(path):
                    return copy, False
            copy.unlink()
    pixels = shown_pixels(project, image)
    if isinstance(pixels, str):
        raise ImageError(pixels, path)
    copy = place / f"{stem}.png"
    save_png(pixels, copy)
    return copy, True


def save_png(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write RGB or RGBA (height, width, 3 or 4) as a PNG, which holds no position, date or name of a camera.

    Raises:
        OSError: it cannot be written.
    """
    turned = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    path.write_bytes(cv2.imencode(".png", turned)[1].tobytes())
