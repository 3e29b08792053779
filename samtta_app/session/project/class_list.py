"""The classes of a project."""

from __future__ import annotations

from collections.abc import Iterable

from samtta_app.core.names import storable
from samtta_app.errors import StoreError
from samtta_app.phrases import Phrase
from samtta_app.session.project import rows
from samtta_app.session.project.cells import BadValueError
from samtta_app.session.project.database import Database
from samtta_app.session.state import LabelClass

PALETTE = 8

THERE = "deleted IS NOT 1"
"""An object that was not withdrawn; a mark that is neither yes nor no is reported when the row is read."""


class ClassList(Database):
    """The part of an open project that stores classes."""

    def classes(self) -> tuple[LabelClass, ...]:
        """The classes in the order that the user gave them; new ones come last."""
        found: list[LabelClass] = []
        for row in self._rows("SELECT * FROM classes ORDER BY position IS NULL, position, id"):
            try:
                found.append(rows.class_of(row))
            except BadValueError as error:  # its objects are undamaged: they keep a class, under a temporary name
                self._leave_out(f"class {row['id']}", error)
                found.append(LabelClass(row["id"], f"class {row['id']}", (row["id"] - 1) % PALETTE))
        return tuple(found) or (LabelClass(1, "object", 0),)

    def add_class(self, name: str) -> LabelClass:
        """Add a class; the name must be new and not empty."""
        name = self._new_name(name)
        number = max((c.id for c in self.classes()), default=0) + 1
        added = LabelClass(number, name, (number - 1) % PALETTE)
        with self._writing():
            self._db.execute(
                "INSERT INTO classes (id, name, colour) VALUES (?, ?, ?)", (added.id, added.name, added.colour)
            )
        return added

    def rename_class(self, class_id: int, name: str) -> None:
        """Give a class another name, new and not empty."""
        name = self._new_name(name, but=class_id)
        with self._writing():
            self._db.execute("UPDATE classes SET name = ? WHERE id = ?", (name, class_id))

    def remove_class(self, class_id: int) -> bool:
        """Remove a class that was added by mistake; False where it has objects, and stays.

        Deleted objects of it go to the first class, since a row must have one; `exchange` gives them theirs again.
        """
        used = "SELECT count(*) FROM annotations WHERE class_id = ? AND " + THERE
        if self._db.execute(used, (class_id,)).fetchone()[0]:
            return False
        with self._writing():
            first = "(SELECT min(id) FROM classes WHERE id <> ?1)"
            self._db.execute(f"UPDATE annotations SET class_id = {first} WHERE class_id = ?1", (class_id,))
            self._db.execute("DELETE FROM classes WHERE id = ?", (class_id,))
        return True

    def return_class(self, removed: LabelClass) -> None:
        """Bring a removed class back, with its number and colour."""
        with self._writing():
            row = (removed.id, removed.name, removed.colour, removed.tidy)
            self._db.execute("INSERT INTO classes (id, name, colour, tidy) VALUES (?, ?, ?, ?)", row)

    def members(self, class_id: int) -> tuple[int, ...]:
        """The ids of a class's objects, withdrawn ones included."""
        return tuple(row["id"] for row in self._rows("SELECT id FROM annotations WHERE class_id = ?", class_id))

    def used(self, class_id: int) -> int:
        """How many objects a class has."""
        query = f"SELECT count(*) AS number FROM annotations WHERE class_id = ? AND {THERE}"
        return int(next(iter(self._rows(query, class_id)))["number"])

    def put_classes(self, classes: Iterable[LabelClass], moves: Iterable[tuple[int, int]] = ()) -> None:
        """Replace the list of classes in one transaction; `moves` are ids of objects, each with its new class.

        Raises:
            StoreError: nothing was stored.
        """
        ordered = tuple(classes)
        with self._writing():
            self._db.execute("UPDATE classes SET name = char(1) || id")  # a name may go from one class to another
            self._db.executemany(
                "INSERT INTO classes (id, name, colour, tidy, position) VALUES (?1, ?2, ?3, ?4, ?5) "
                "ON CONFLICT (id) DO UPDATE SET name = ?2, colour = ?3, tidy = ?4, position = ?5",
                [(c.id, storable(c.name), c.colour, int(c.tidy), k) for k, c in enumerate(ordered, start=1)],
            )
            self._db.executemany("UPDATE annotations SET class_id = ?2 WHERE id = ?1", tuple(moves))
            self._db.execute(f"DELETE FROM classes WHERE id NOT IN ({', '.join(str(c.id) for c in ordered)})")

    def _new_name(self, name: str, but: int = 0) -> str:
        name = storable(name).strip()
        if not name:
            raise StoreError("A class needs a name")
        if any(c.name == name and c.id != but for c in self.classes()):
            raise StoreError(Phrase('There is already a class "{name}"', name=name))
        return name
