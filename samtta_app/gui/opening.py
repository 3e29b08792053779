"""What may be opened: a folder of images, or one image, which stands for its folder and is shown first."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QFileDialog, QWidget

from samtta_app.core.names import IMAGE_SUFFIXES
from samtta_app.errors import ProjectError
from samtta_app.gui.widgets.translation import translated
from samtta_app.session.project.location import exists, places

FIND_TITLE = "The folder where the project's images are now"
IMAGES_GONE = "The folder of this project's images is not there any more"


class ImagesGoneError(ProjectError):
    """The folder of a project's images is gone; `home` is the project's own folder, where everything else still is."""

    def __init__(self, folder: Path, home: Path) -> None:
        super().__init__(IMAGES_GONE, folder, "Choose the folder where they are now: the project remembers it")
        self.home = home


def require_images(folder: Path, project: Path | None) -> None:
    """Refuse a project whose images' folder is gone.

    Raises:
        ImagesGoneError: it is gone.
    """
    of_images, home = places(folder, project)
    if exists(home) and not of_images.is_dir():
        raise ImagesGoneError(of_images, home)


def ask_images(parent: QWidget, before: Path) -> Path | None:
    """Ask for the folder where images are now that were in `before`; None where none is chosen."""
    start = next((above for above in before.parents if above.is_dir()), Path())
    chosen = QFileDialog.getExistingDirectory(parent, translated(FIND_TITLE), str(start))
    return Path(chosen) if chosen else None


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
