"""What may be opened: a folder of images, or one image, which stands for its folder and is shown first."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QMimeData

from samtta_app.core.names import IMAGE_SUFFIXES


def is_image_file(place: Path) -> bool:
    """Whether a path leads to a file that is listed as an image."""
    return place.suffix.lower() in IMAGE_SUFFIXES and os.path.isfile(place)


def folder_and_image(place: Path) -> tuple[Path, Path | None]:
    """The folder that a path stands for, and the image that is to be shown first, None where it names none."""
    return (place.parent, place) if is_image_file(place) else (place, None)


def place_dropped(data: QMimeData) -> Path | None:
    """The folder or image that was dropped; another file stands for its folder. None where there is nothing of them."""
    paths: Iterable[Path] = (Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile())
    found = next((path for path in paths if path.exists()), None)
    return found if found is None or found.is_dir() or is_image_file(found) else found.parent
