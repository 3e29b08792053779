"""Small pictures of image files, for lists."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from samtta_app.core.planes import FIRST_PLANE, PlaneChoice
from samtta_app.errors import ImageError
from samtta_app.images.read import reading
from samtta_app.images.read_limits import READ_AHEAD_SHARE


def read_thumbnail(
    path: Path, side: int, planes: PlaneChoice = FIRST_PLANE
) -> Generator[None, None, NDArray[np.uint8] | None]:
    """An upright picture (h, w, 3) uint8 of at most `side` pixels, read in steps; None where a file is too large or bad.

    The reason is said when the image is opened.
    """
    try:
        pixels = (yield from reading(path, share=READ_AHEAD_SHARE, planes=planes)).pixels
    except ImageError:
        return None
    height, width = pixels.shape[:2]
    scale = min(side / max(height, width), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
