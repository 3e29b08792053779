"""Which images a user marked as done with nothing on them, and which have objects of a class, as the project stores it."""

from __future__ import annotations

from samtta_app.core.names import to_text
from samtta_app.session.project import cells
from samtta_app.session.project.database import Database
from samtta_app.session.project.learning_log import now


class ImageMarks(Database):
    """The part of an open project that knows what images are marked as, and what is on them."""

    def empty_images(self) -> frozenset[str]:
        """The names of the images that are marked as empty."""
        found = self._rows("SELECT name FROM empty_images")
        return frozenset(self._good(found, lambda row: cells.name(row, "name"), lambda _: "mark of an empty image"))

    def pictures_seen(self) -> dict[str, tuple[int, int, str]]:
        """Width, height and content ("" where unknown) of every image that was opened, by name."""

        def made(row: cells.DbRow) -> tuple[str, tuple[int, int, str]]:
            size = (cells.whole(row, side, least=1, most=cells.LONGEST_SIDE) for side in ("width", "height"))
            width, height = size
            return cells.name(row, "name"), (width, height, cells.text(row, "picture") if row["picture"] else "")

        found = self._rows("SELECT name, width, height, picture FROM images ORDER BY name")
        return dict(self._good(found, made, lambda row: f"image {row['name']!r:.40}"))

    def images_of_class(self, class_id: int) -> frozenset[str]:
        """The names of the images with objects of a class."""
        query = "SELECT DISTINCT image FROM annotations WHERE class_id = ? AND deleted IS NOT 1"
        return frozenset(self._good(self._rows(query, class_id), _image, lambda _: "object of a class"))

    def set_empty(self, name: str, empty: bool) -> None:
        """Mark an image as done with nothing on it, or no longer.

        Raises:
            StoreError: nothing was stored.
        """
        with self._writing():
            if empty:
                self._db.execute("INSERT OR IGNORE INTO empty_images VALUES (?, ?)", (to_text(name), now()))
            else:
                self._db.execute("DELETE FROM empty_images WHERE name = ?", (to_text(name),))


def _image(row: cells.DbRow) -> str:
    return cells.name(row, "image")
