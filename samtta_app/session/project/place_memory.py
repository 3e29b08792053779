"""Where a session was left: the class, and the part of an image that was on the screen."""

from __future__ import annotations

import json
import math
from dataclasses import astuple, dataclass
from pathlib import Path

from samtta_app.session.project.cells import LARGEST_NUMBER
from samtta_app.session.project.location import FOLDER, FROM_HERE, near
from samtta_app.session.project.reading_memory import ReadingMemory

_CLASS, _VIEW = "last_class", "last_view"


@dataclass(frozen=True, slots=True)
class LastView:
    """The point of an image in the middle of the screen, in its pixels, and screen pixels per image pixel."""

    image: str
    x: float
    y: float
    zoom: float


class PlaceMemory(ReadingMemory):
    """The part of an open project that remembers where a session was left, and where its images are."""

    folder: Path

    def map_images(self, folder: Path) -> None:
        """Take the images from this folder from now on.

        Raises:
            StoreError: nothing was stored.
        """
        self._remember(FOLDER, str(folder))
        self._remember(FROM_HERE, near(folder, self.home))
        self.folder = folder

    def last_class(self) -> int:
        """The number of the class that was chosen last, 0 where none is known."""
        known = self._recall(_CLASS, "")
        return int(known) if known.isdecimal() and len(known) < len(str(LARGEST_NUMBER)) else 0

    def remember_class(self, class_id: int) -> None:
        """Remember the class that is chosen.

        Raises:
            StoreError: nothing was stored.
        """
        self._remember(_CLASS, str(class_id))

    def last_view(self) -> LastView | None:
        """What was on the screen last; None where the whole image was, and where nothing is known."""
        try:
            image, *numbers = json.loads(self._recall(_VIEW, "") or "[]")
            x, y, zoom = map(float, numbers)
        except (ValueError, TypeError, RecursionError, OverflowError):
            return None
        if not isinstance(image, str) or not all(map(math.isfinite, (x, y, zoom))) or zoom <= 0:
            return None
        return LastView(image, x, y, zoom)

    def remember_view(self, view: LastView | None) -> None:
        """Remember what is on the screen, None where that is the whole image.

        Raises:
            StoreError: nothing was stored.
        """
        self._remember(_VIEW, json.dumps(astuple(view)) if view is not None else "")
