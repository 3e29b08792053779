"""What of the folder's files is an image, as the project remembers it: subfolders, and the plane of files with many."""

from __future__ import annotations

from samtta_app.core.planes import ReadingChoice, parsed_planes
from samtta_app.session.project.database import Database

_PLANES, _SUBFOLDERS = "planes", "subfolders"


class ReadingMemory(Database):
    """The part of an open project that knows how its files are read."""

    @property
    def reading(self) -> ReadingChoice:
        """How the project's files are read."""
        return ReadingChoice(parsed_planes(self._recall(_PLANES, "")), self._recall(_SUBFOLDERS, "") == "1")

    def choose_reading(self, choice: ReadingChoice) -> None:
        """Read the files otherwise from now on.

        Raises:
            StoreError: nothing was stored.
        """
        with self._writing():
            self._put(_PLANES, choice.planes.as_text())
            self._put(_SUBFOLDERS, "1" if choice.subfolders else "")
