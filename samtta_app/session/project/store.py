"""The project on disk: every accepted mask with its history, in one transaction each; nothing is half written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Self, TypeVar

from samtta_app.core.names import to_text
from samtta_app.core.project import Project, ProjectClass
from samtta_app.core.types import Annotation, ClickRecord
from samtta_app.errors import StoreError
from samtta_app.session.object_records import ObjectRecord
from samtta_app.session.project import cells, listing, pictures, rows
from samtta_app.session.project.attempt_log import AttemptLog
from samtta_app.session.project.catalogue import SeenImage, catalogue, files, numbered
from samtta_app.session.project.cells import BadValueError, DbRow, Value
from samtta_app.session.project.class_list import THERE
from samtta_app.session.project.control_draws import ControlDraws
from samtta_app.session.project.history_log import HistoryLog
from samtta_app.session.project.image_marks import ImageMarks
from samtta_app.session.project.learning_log import now
from samtta_app.session.project.location import (
    OpenedDatabase,
    exists,
    open_beside,
    open_database,
    open_unwritable,
    places,
)
from samtta_app.session.project.note_list import NoteList
from samtta_app.session.project.note_rows import SEEN
from samtta_app.session.project.place_memory import PlaceMemory
from samtta_app.session.project.proposal_log import ProposalLog
from samtta_app.session.project.rating_log import RatingLog
from samtta_app.session.project.schema import OpenElsewhereError
from samtta_app.session.proposal_list import ALL_TEACH, Judgements
from samtta_app.session.state import ImageEntry

_T = TypeVar("_T")
RECORDS_AT_ONCE = 200
"""So many are read in about 16 ms: the window draws a frame in between."""
LAST = 2**63 - 1
"""SQLite has no higher number."""


class Store(RatingLog, AttemptLog, ProposalLog, ControlDraws, NoteList, PlaceMemory, HistoryLog, ImageMarks):
    """One open project; it belongs to the thread that opened it.

    `folder` holds the images, `home` the project's files. With `read_only` every write is a StoreError; `notice` is
    what the user should know about how the project was opened ("" when nothing). A damaged row is left out and named in
    `notice` and `left_out`; nothing of it is deleted.
    """

    def __init__(self, folder: Path, home: Path, opened: OpenedDatabase) -> None:
        super().__init__(home, opened)
        self.folder = folder
        self._bad: set[int] = set()

    @classmethod
    def open(cls, folder: Path, project: Path | None = None, *, subfolders: bool | None = None) -> Self:
        """Open the project of a folder of images, or make it; `project` names another place for the project's files.

        `folder` may also be a project's own folder (the one that holds project.db). `subfolders` says whether images of
        subfolders belong to it; None leaves that as it was. A new project takes them where there are no others.

        Raises:
            ProjectError: no images, project open elsewhere, damaged beyond reading, newer, or it cannot be made here.
        """
        folder, home = places(folder, project)
        subfolders = listing.first_subfolders(folder, subfolders) if not exists(home) else subfolders
        store = cls(folder, home, open_database(home))
        try:
            if not store.read_only:
                store.map_images(folder)
                if subfolders is not None:
                    store.choose_reading(replace(store.reading, subfolders=subfolders))
        except StoreError as error:
            store.close()  # the lock goes with it
            store = cls(folder, home, open_unwritable(home, error))
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def open_to_read(cls, folder: Path, project: Path | None = None) -> Self:
        """Open a project; where it is open already, in another thread or process, read it beside as it is now.

        Raises:
            ProjectError: as in `open`, but for a project that is open elsewhere.
        """
        try:
            return cls.open(folder, project)
        except OpenElsewhereError:
            folder, home = places(folder, project)
            return cls(folder, home, open_beside(home))

    def reader(self) -> Callable[[], Store]:
        """How another thread opens what is stored now, to read it while this store goes on."""
        self._image_ids()  # while they can be stored
        return self.glance()

    def glance(self) -> Callable[[], Store]:
        """As `reader`, for what needs no number of an image: nothing is listed or stored."""
        read = self._reader()
        return lambda: Store(self.folder, self.home, read())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- images and classes -----------------------------------------------------------------------------------------

    def images(self) -> tuple[ImageEntry, ...]:
        """The image list: the folder's images in natural order, and annotated ones whose file is gone."""
        objects, others = self._counted()
        found = listing.image_names(self.folder, subfolders=self.reading.subfolders)
        return listing.entries(self.folder, found, objects, others, self.empty_images())

    def _counted(self) -> tuple[Counter[str], Counter[str]]:
        """The number of objects by image, and of those that were accepted on another picture than it has now."""
        query = f"""
            SELECT a.id, a.image, a.picture IS NOT NULL AND i.picture IS NOT NULL AND a.picture IS NOT i.picture AS other
            FROM annotations a LEFT JOIN images i ON i.name = a.image WHERE {THERE}
        """
        found = list(self._objects(self._rows(query), lambda row: (cells.name(row, "image"), row["id"], row["other"])))
        objects = Counter(name for name, number, _ in found if number not in self._bad)
        others = Counter(name for name, number, other in found if number not in self._bad and other)
        return objects, others

    def number_images(self) -> None:
        """Give every image its number in exports now, where that can be stored: an export is to change nothing."""
        self._image_ids()

    def image_sizes(self) -> dict[str, tuple[int, int]]:
        """Width and height of every image that was opened, by name."""
        return {seen.image.name: (seen.image.width, seen.image.height) for seen in self._seen()}

    def last_image(self) -> str:
        """The image that was open last, "" for a new project."""
        return self._recall("last_image", "")

    def image_opened(self, name: str, width: int, height: int, picture: str = "") -> None:
        """Remember the open image, its size (it can then be exported), and which picture it holds."""
        with self._writing():
            before = next(self._seen("WHERE name = ?", to_text(name)), None)
            if picture and before is not None:  # objects of a version that did not keep what they were accepted on
                was = before.image
                known = picture if (was.width, was.height) == (width, height) else f"{was.width}x{was.height}:"
                adopt = "UPDATE annotations SET picture = ? WHERE image = ? AND picture IS NULL"
                self._db.execute(adopt, (known, to_text(name)))
            self._image(name, width, height, picture)
            self._put("last_image", name)

    # --- annotations ------------------------------------------------------------------------------------------------

    def accept(self, annotation: Annotation, width: int, height: int, *, teaches: bool = False) -> Annotation:
        """Store an accepted mask with its whole history, for an image of this size; returns it with its id and date.

        `teaches` says that it is to be learned from; it waits for that, even in a later run, until learning is
        reported. The masks that it replaces are withdrawn in the same transaction.

        Raises:
            StoreError: nothing was stored.
        """
        return self.accept_all((annotation,), width, height, teaches=teaches)[0]

    def accept_all(
        self, found: Sequence[Annotation], width: int, height: int, of: Judgements = ALL_TEACH, *, teaches: bool = False
    ) -> tuple[Annotation, ...]:
        """Store masks of one image as `accept` does, all or none of them; `of` are the proposals that they were."""
        taught = [teaches and of.teaches(k) for k in range(len(found))]
        with self._writing():
            dated = (replace(each, created=now(), annotator=each.annotator or self.annotator) for each in found)
            saved = tuple(self._accept(each, width, height, t) for each, t in zip(dated, taught, strict=True))
            self._log_accepted(of.proposals, saved)
        return saved

    def _accept(self, dated: Annotation, width: int, height: int, teaches: bool) -> Annotation:
        self._image(dated.image_name, width, height, dated.picture)
        cursor = self._db.execute(
            f"INSERT INTO annotations ({rows.ANNOTATION}, teaches) "
            f"VALUES ({rows.placeholders(rows.ANNOTATION, more=1)})",
            (*rows.annotation_row(dated), int(teaches)),
        )
        saved = replace(dated, id=int(cursor.lastrowid or 0))
        self._db.executemany("UPDATE annotations SET deleted = 1 WHERE id = ?", [(each,) for each in saved.replaces])
        self._db.executemany(
            f"INSERT INTO steps (annotation_id, position, {rows.STEP_COLUMNS}) "
            f"VALUES ({rows.placeholders(rows.STEP_COLUMNS, more=2)})",
            [(saved.id, k, *rows.step_row(r, saved.box)) for k, r in enumerate(saved.history, start=1)],
        )
        return saved

    def set_deleted(self, annotation_id: int, deleted: bool) -> None:
        """Withdraw an annotation, or bring it back; its records stay."""
        with self._writing():
            self._db.execute("UPDATE annotations SET deleted = ? WHERE id = ?", (int(deleted), annotation_id))

    def exchange(self, gone: Iterable[Annotation], back: Iterable[Annotation]) -> None:
        """Withdraw annotations and bring others back, all or none of them."""
        with self._writing():
            self._db.executemany("UPDATE annotations SET deleted = 1 WHERE id = ?", [(one.id,) for one in gone])
            query = "UPDATE annotations SET deleted = 0, class_id = ? WHERE id = ?"
            self._db.executemany(query, [(one.class_id, one.id) for one in back])

    def earlier(self, annotation: Annotation) -> tuple[Annotation, ...]:
        """The masks that an annotation took the place of, and those before them, newest first; they are kept for ever."""
        found: list[Annotation] = []
        wanted = list(annotation.replaces)
        while wanted:
            number = wanted.pop(0)
            for one in self._annotations("id = ?", number):
                if all(one.id != other.id for other in found):
                    found.append(one)
                    wanted += one.replaces
        return tuple(found)

    def set_reviewed(self, annotation_id: int, reviewed: bool = True) -> None:
        """Store that the user confirmed a mask, or that this was taken back."""
        with self._writing():
            self._db.execute("UPDATE annotations SET reviewed = ? WHERE id = ?", (int(reviewed), annotation_id))

    def set_class(self, annotation_id: int, class_id: int) -> None:
        """Give an annotation another class."""
        with self._writing():
            self._db.execute("UPDATE annotations SET class_id = ? WHERE id = ?", (class_id, annotation_id))

    def annotations(self, image_name: str | None = None) -> tuple[Annotation, ...]:
        """The annotations of an image (or of all), first accepted first."""
        if image_name is None:
            return self._annotations(f"{THERE} ORDER BY id")
        return self._annotations(f"image = ? AND {THERE} ORDER BY id", to_text(image_name))

    def annotation(self, annotation_id: int) -> Annotation | None:
        """One annotation, None when it was withdrawn or is damaged."""
        return next(iter(self._annotations(f"id = ? AND {THERE}", annotation_id)), None)

    def newest(self, count: int) -> tuple[Annotation, ...]:
        """The `count` newest annotations that are no ignore regions, first accepted first."""
        return self._annotations(f"{THERE} AND {SEEN} ORDER BY id DESC LIMIT ?", count)[::-1]

    def project(self) -> Project:
        """Everything that an export needs; images that have no number yet are given one where that can be stored.

        Objects that do not fit their image are left out, and their image says so.
        """
        seen = {found.image.name: found for found in self._seen()}
        marked = self._counted()[0], self.empty_images()
        listed = catalogue(self.folder, self._image_ids(), *marked, seen, self.annotations, self.reading)

        def of_image(name: str) -> tuple[Annotation, ...]:
            return tuple(a for a in self.annotations(name) if a.id not in listed.misfits)

        classes = tuple(ProjectClass(c.id, c.name) for c in self.classes())
        ignored = frozenset(row["id"] for row in self._rows(f"SELECT id FROM annotations WHERE {THERE} AND NOT {SEEN}"))
        remarks = (*listed.remarks, *self.left_out)
        own = (remarks, self.confirmed(), self.reading.planes, ignored)
        return Project(self.folder, listed.images, classes, of_image, *own)

    def confirmed(self) -> frozenset[int]:
        """The ids of the objects that a user confirmed."""
        return frozenset(row["id"] for row in self._rows("SELECT id FROM annotations WHERE reviewed = 1"))

    def records(self, object_id: int | None = None) -> tuple[ObjectRecord, ...]:
        """The raw records of all accepted objects, or of one, in the order of the stream; imported ones were not worked on."""
        return self._records(0, LAST) if object_id is None else self._records(object_id, object_id)

    def records_in_steps(self, size: int = RECORDS_AT_ONCE) -> Iterator[tuple[ObjectRecord, ...]]:
        """`records`, some objects at a time; objects accepted meanwhile come too."""
        last = 0
        query = f"SELECT id FROM annotations WHERE {THERE} AND {SEEN} AND id > ? ORDER BY id LIMIT ?"
        while some := [row["id"] for row in self._rows(query, last, size)]:
            last = some[-1]
            yield self._records(some[0], last)

    # --- below the surface ------------------------------------------------------------------------------------------

    def _image_ids(self) -> dict[str, int]:
        """The images' numbers in exports, by name; new ones are stored where that is possible."""

        def made(row: DbRow) -> tuple[str, int]:
            return cells.name(row, "name"), row["id"]

        query = "SELECT id, name FROM image_ids"
        known = dict(self._good(self._rows(query), made, lambda row: f"image number {row['id']}"))
        opened = (found.image.name for found in self._seen())
        ids = numbered(known, opened, {*files(self.folder, self.reading), *self._counted()[0]})
        new = [(number, to_text(name)) for name, number in ids.items() if name not in known]
        if new:
            with suppress(StoreError), self._writing():
                self._db.executemany("INSERT INTO image_ids (id, name) VALUES (?, ?)", new)
        return ids

    def _records(self, first: int, last: int) -> tuple[ObjectRecord, ...]:
        """The records of the objects with these numbers, both included."""
        chosen = f"{THERE} AND id BETWEEN ? AND ?"
        steps = self._steps(f"annotation_id IN (SELECT id FROM annotations WHERE {chosen})", first, last)
        classes = {c.id: c.name for c in self.classes()}
        twins, ratings = self._twins(first, last), self._ratings(first, last)

        def made(row: DbRow) -> ObjectRecord:
            _require_class(row, set(classes))
            rows.check_annotation(row)
            replayed, frozen, adapted = twins.get(row["id"], (0, None, None))
            return ObjectRecord(
                *(row["id"], cells.name(row, "image"), classes[row["class_id"]], row["created"], row["seconds"]),
                *(row["weights_version"], steps.get(row["id"], ())),
                frozen=frozen,
                adapted=adapted,
                replayed_version=replayed,
                reviewed=bool(row["reviewed"]),
                rating=ratings.get(row["id"]),
                control=cells.flag_or_none(row, "control"),
            )

        query = f"SELECT * FROM annotations WHERE {chosen} AND {SEEN} AND source IS NULL ORDER BY id"
        return tuple(self._objects(self._rows(query, first, last), made))

    def _annotations(self, condition: str, *values: Value) -> tuple[Annotation, ...]:
        classes = {c.id for c in self.classes()}
        found = list(self._rows(f"SELECT * FROM annotations WHERE {condition}", *values))
        ids = ", ".join(str(row["id"]) for row in found)
        steps = self._steps(f"annotation_id IN ({ids})")

        def made(row: DbRow) -> Annotation:
            _require_class(row, classes)
            return rows.annotation_of(row, steps.get(row["id"], ()))

        return tuple(self._objects(found, made))

    def _objects(self, found: Iterable[DbRow], make: Callable[[DbRow], _T]) -> Iterator[_T]:
        """As `_good`; objects that are left out are counted nowhere."""
        for row in found:
            try:
                yield make(row)
            except BadValueError as error:
                self._bad.add(row["id"])
                self._leave_out(f"object {row['id']}", error)

    def _seen(self, condition: str = "", *values: Value) -> Iterator[SeenImage]:
        """Images that were opened, as they were seen last."""
        found = self._rows(f"SELECT * FROM images {condition}", *values)

        def made(row: DbRow) -> SeenImage:
            picture = "" if row["picture"] is None else cells.text(row, "picture")
            size = None if row["bytes"] is None else cells.whole(row, "bytes", most=2**62)
            return SeenImage(rows.image_of(row), picture, size)

        return self._good(found, made, lambda row: f"image {row['name']!r:.40}")

    def _twins(self, first: int, last: int) -> dict[int, tuple[int, tuple[float, ...], tuple[float, ...]]]:
        query = "SELECT * FROM twins WHERE object_id BETWEEN ? AND ?"
        found = self._good(self._rows(query, first, last), rows.twin_of, lambda row: f"replay of {_object(row)}")
        return {number: (version, frozen, adapted) for number, version, frozen, adapted in found}

    def _steps(self, condition: str, *values: Value) -> dict[int, tuple[ClickRecord, ...]]:
        found = self._rows(f"SELECT * FROM steps WHERE {condition} ORDER BY annotation_id, position", *values)
        return {
            key: tuple(self._good(group, rows.step_of, _step))
            for key, group in groupby(found, lambda row: row["annotation_id"])
        }

    def image_imported(self, name: str, height: int, width: int) -> str:
        """Remember the size of an image that objects are imported on; returns the picture that it is known to hold, "" if none.

        To be called while writing.
        """
        before = next(self._seen("WHERE name = ?", to_text(name)), None)
        if before is not None and (before.image.width, before.image.height) == (width, height):
            return before.picture
        self._image(name, width, height, "")
        return ""

    def _image(self, name: str, width: int, height: int, picture: str) -> None:
        self._db.execute(
            "INSERT INTO images (name, width, height, picture, bytes) VALUES (?1, ?2, ?3, ?4, ?5) "
            "ON CONFLICT (name) DO UPDATE SET width = ?2, height = ?3, picture = ?4, bytes = ?5",
            (to_text(name), width, height, picture or None, pictures.file_size(self.folder / name)),
        )


def _object(row: DbRow) -> str:
    return f"object {row['object_id']}"


def _step(row: DbRow) -> str:
    return f"object {row['annotation_id']}, step {row['position']}"


def _require_class(row: DbRow, classes: set[int]) -> None:
    if row["class_id"] not in classes:
        raise BadValueError("class_id", row["class_id"], "no class")
