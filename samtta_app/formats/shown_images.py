"""Copies of images for exports: the upright pixels that the masks were drawn on, without any other data of the file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.names import is_inside
from samtta_app.core.project import Project, ProjectImage
from samtta_app.errors import ImageError


def shown_pixels(project: Project, image: ProjectImage) -> NDArray[np.uint8] | str:
    """The image (height, width, 3) uint8 RGB as the window shows it, or the reason in words why there is none."""
    from samtta_app.images.read import read_image  # imports the decoders, which the window's start does not need

    path = project.folder / image.name
    if not is_inside(image.name) or not path.is_file():
        return "its file is gone"
    try:
        found = read_image(path, planes=project.planes)
    except ImageError as error:
        return f"its file cannot be read: {error.what}"
    if (found.width, found.height) != (image.width, image.height):
        return f"it is {found.width} x {found.height} now, its masks are {image.width} x {image.height}"
    return found.pixels


def save_png(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write RGB or RGBA (height, width, 3 or 4) as a PNG, which holds no position, date or name of a camera.

    Raises:
        OSError: it cannot be written.
    """
    turned = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR if pixels.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    path.write_bytes(cv2.imencode(".png", turned)[1].tobytes())
