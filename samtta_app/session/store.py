"""The project on disk: every accepted mask with its history, in one transaction each; nothing is half written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Self

from samtta_app.core.messages import AdaptReport, Controlled, TwinReport
from samtta_app.core.names import from_text, storable, to_text
from samtta_app.core.project import Project, ProjectClass
from samtta_app.core.types import Annotation, ClickRecord
from samtta_app.errors import ProjectError, StoreError
from samtta_app.session import catalogue, listing, rows, schema
from samtta_app.session.places import DATABASE, exists, open_unwritable, places
from samtta_app.session.records import ObjectRecord
from samtta_app.session.state import ImageEntry, LabelClass
from samtta_app.session.weights import WeightsFolder, digest

WEIGHTS_KEPT = 20
PALETTE = 8


class Store:
    """One open project; it belongs to the thread that opened it.

    `folder` holds the images, `home` the project's files. With `read_only` every write is a StoreError; `notice` is
    what a person should know about how the project was opened ("" when nothing).
    """

    def __init__(self, folder: Path, home: Path, db: sqlite3.Connection, *, read_only: bool = False) -> None:
        self.folder, self.home, self.read_only = folder, home, read_only
        self.notice = f"{home} cannot be written: what you accept cannot be stored" if read_only else ""
        self._db = db
        self._db.row_factory = sqlite3.Row
        self._weights = WeightsFolder(home / "weights")

    @classmethod
    def open(cls, folder: Path, project: Path | None = None) -> Self:
        """Open the project of a folder of images, or make it; `project` names another place for the project's files.

        `folder` may also be a project's own folder (the one that holds project.db).

        Raises:
            ProjectError: no images, project open elsewhere, corrupt, newer, or it cannot be made here.
        """
        folder, home = places(folder, project)
        if not listing.image_files(folder) and not exists(home):
            kinds = " ".join(sorted(suffix[1:] for suffix in listing.SUFFIXES))
            raise ProjectError("There are no images in this folder", folder, f"Choose a folder with images ({kinds})")
        try:
            home.mkdir(parents=True, exist_ok=True)
            store = cls(folder, home, schema.connect(home / DATABASE))
            store._remember("folder", to_text(str(folder)))
            store._number_images()
        except (OSError, sqlite3.OperationalError, StoreError) as error:
            store = cls(folder, home, open_unwritable(home / DATABASE, error), read_only=True)
        return store

    def close(self) -> None:
        """Finish writing and let go of the lock."""
        self._weights.close()
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- images and classes -----------------------------------------------------------------------------------------

    def images(self) -> tuple[ImageEntry, ...]:
        """The image list: the folder's images in natural order, and annotated ones whose file is gone."""
        query = "SELECT image, count(*) FROM annotations WHERE NOT deleted GROUP BY image"
        objects = {from_text(name): count for name, count in self._db.execute(query)}
        return listing.entries(self.folder, listing.image_files(self.folder), objects)

    def last_image(self) -> str:
        """The image that was open last, "" for a new project."""
        return from_text(self._recall("last_image", ""))

    def image_opened(self, name: str, width: int, height: int) -> None:
        """Remember where one is and how large the image is (it can then be exported)."""
        with self._writing():
            self._image(name, width, height)
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('last_image', ?)", (to_text(name),))

    def classes(self) -> tuple[LabelClass, ...]:
        """The classes in the order in which they were added."""
        return tuple(LabelClass(*row) for row in self._db.execute("SELECT id, name, colour FROM classes ORDER BY id"))

    def add_class(self, name: str) -> LabelClass:
        """Add a class; the name must be new and not empty."""
        name = self._new_name(name)
        number = max((c.id for c in self.classes()), default=0) + 1
        added = LabelClass(number, name, (number - 1) % PALETTE)
        with self._writing():
            self._db.execute("INSERT INTO classes VALUES (?, ?, ?)", (added.id, added.name, added.colour))
        return added

    def rename_class(self, class_id: int, name: str) -> None:
        """Give a class another name, new and not empty."""
        name = self._new_name(name, but=class_id)
        with self._writing():
            self._db.execute("UPDATE classes SET name = ? WHERE id = ?", (name, class_id))

    # --- annotations ------------------------------------------------------------------------------------------------

    def accept(self, annotation: Annotation, width: int, height: int) -> Annotation:
        """Store an accepted mask with its whole history, for an image of this size; returns it with its id and date.

        Raises:
            StoreError: nothing was stored.
        """
        dated = replace(annotation, created=_now())
        with self._writing():
            self._image(annotation.image_name, width, height)
            cursor = self._db.execute(
                f"INSERT INTO annotations ({rows.ANNOTATION}) VALUES ({rows.placeholders(rows.ANNOTATION)})",
                rows.annotation_row(dated),
            )
            saved = replace(dated, id=int(cursor.lastrowid or 0))
            self._db.executemany(
                f"INSERT INTO steps (annotation_id, position, {rows.STEP}) "
                f"VALUES ({rows.placeholders(rows.STEP, more=2)})",
                [(saved.id, k, *rows.step_row(r, saved.box)) for k, r in enumerate(saved.history, start=1)],
            )
        return saved

    def set_deleted(self, annotation_id: int, deleted: bool) -> None:
        """Withdraw an annotation, or bring it back; its records stay."""
        with self._writing():
            self._db.execute("UPDATE annotations SET deleted = ? WHERE id = ?", (int(deleted), annotation_id))

    def set_reviewed(self, annotation_id: int) -> None:
        """A person looked at a mask again and found it right."""
        with self._writing():
            self._db.execute("UPDATE annotations SET reviewed = 1 WHERE id = ?", (annotation_id,))

    def set_class(self, annotation_id: int, class_id: int) -> None:
        """Give an annotation another class."""
        with self._writing():
            self._db.execute("UPDATE annotations SET class_id = ? WHERE id = ?", (class_id, annotation_id))

    def annotations(self, image_name: str | None = None) -> tuple[Annotation, ...]:
        """The annotations of an image (or of all), first accepted first."""
        if image_name is None:
            return self._annotations("NOT deleted ORDER BY id")
        return self._annotations("image = ? AND NOT deleted ORDER BY id", to_text(image_name))

    def newest(self, count: int) -> tuple[Annotation, ...]:
        """The `count` newest annotations, first accepted first."""
        return self._annotations("NOT deleted ORDER BY id DESC LIMIT ?", count)[::-1]

    def project(self) -> Project:
        """Everything that an export needs; images that have no number yet are given one where that can be stored."""
        with suppress(StoreError):
            self._number_images()
        classes = tuple(ProjectClass(c.id, c.name) for c in self.classes())
        return Project(self.folder, catalogue.catalogue(self._db, self.folder), classes, self.annotations)

    # --- learning ---------------------------------------------------------------------------------------------------

    def log_adaptation(self, report: AdaptReport) -> None:
        """Store a report and, when it was kept, its weights (written aside) as the ones that are published."""
        discard: list[int] = []
        with self._writing():
            self._db.execute(
                f"INSERT INTO adaptations ({rows.REPORT}, created) VALUES ({rows.placeholders(rows.REPORT, more=1)})",
                (*rows.report_row(report), _now()),
            )
            if report.kept:
                self._db.execute(
                    "INSERT OR REPLACE INTO weights (version, sha256, created) VALUES (?, ?, ?)",
                    (report.version, digest(report.weights), _now()),
                )
                self._publish(report.version)
                old = "SELECT version FROM weights ORDER BY sequence DESC LIMIT -1 OFFSET ?"
                discard = [row[0] for row in self._db.execute(old, (WEIGHTS_KEPT,))]
                self._db.executemany("DELETE FROM weights WHERE version = ?", [(v,) for v in discard])
        if report.kept:
            self._weights.write(report.version, report.weights, discard=discard)

    def log_control(self, reply: Controlled) -> None:
        """Store what the person told the learner, and which version is published since."""
        with self._writing():
            self._db.execute(
                "INSERT INTO controls (action, version, paused, created) VALUES (?, ?, ?, ?)",
                (reply.action, reply.version, int(reply.paused), _now()),
            )
            self._publish(reply.version)

    def log_twin(self, report: TwinReport) -> None:
        """Store the replayed trajectories of an object."""
        with self._writing():
            self._db.execute(
                "INSERT OR REPLACE INTO twins VALUES (?, ?, ?, ?, ?)",
                (
                    *(report.object_id, report.weights_version),
                    *(rows.packed_floats(report.frozen), rows.packed_floats(report.adapted), report.seconds),
                ),
            )

    def adaptations(self) -> tuple[AdaptReport, ...]:
        """Every report so far, oldest first, without weights."""
        return tuple(map(rows.report_of, self._db.execute("SELECT * FROM adaptations ORDER BY id")))

    def published(self) -> int:
        """The version that was published last; 0 is the original."""
        return int(self._recall("published", "0"))

    def newest_version(self) -> int:
        """The highest version that was ever stored and is still kept; 0 when there is none."""
        return int(self._db.execute("SELECT max(version) FROM weights").fetchone()[0] or 0)

    def weights(self, version: int) -> tuple[int, bytes] | None:
        """A version and its bytes, or the next older one whose file is whole; None leaves the original."""
        query = "SELECT version, sha256 FROM weights WHERE version <= ? ORDER BY version DESC"
        for row in self._db.execute(query, (version,)):
            data = self._weights.read(row["version"], row["sha256"])
            if data is not None:
                return row["version"], data
        return None

    def weights_failures(self) -> list[str]:
        """Why weights files since the last call could not be written."""
        return self._weights.failures()

    def records(self) -> tuple[ObjectRecord, ...]:
        """The raw records of all accepted objects in the order of the stream."""
        steps = self._steps("annotation_id IN (SELECT id FROM annotations WHERE NOT deleted)")
        query = """
            SELECT a.id, image, c.name AS class, a.created, a.seconds, a.weights_version, reviewed,
                   frozen, adapted, t.weights_version AS replayed
            FROM annotations a JOIN classes c ON c.id = a.class_id LEFT JOIN twins t ON t.object_id = a.id
            WHERE NOT deleted ORDER BY a.id
        """
        return tuple(
            ObjectRecord(
                *(
                    row["id"],
                    from_text(row["image"]),
                    row["class"],
                    row["created"],
                    row["seconds"],
                    row["weights_version"],
                ),
                steps=steps.get(row["id"], ()),
                frozen=None if row["frozen"] is None else rows.floats(row["frozen"]),
                adapted=None if row["adapted"] is None else rows.floats(row["adapted"]),
                replayed_version=row["replayed"] or 0,
                reviewed=bool(row["reviewed"]),
            )
            for row in self._db.execute(query)
        )

    # --- below the surface ------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[None]:
        if self.read_only:
            raise StoreError("The project was opened read-only", self.home, "Choose another project folder")
        try:
            with schema.transaction(self._db):
                yield
        except sqlite3.DatabaseError as error:
            do = "Free some space or make it writable, then try again; nothing that was stored is lost"
            raise StoreError(f"The project could not be written: {error}", self.home / DATABASE, do) from error

    def _annotations(self, condition: str, *values: str | int) -> tuple[Annotation, ...]:
        found = self._db.execute(f"SELECT * FROM annotations WHERE {condition}", values).fetchall()
        ids = ", ".join(str(row["id"]) for row in found)
        steps = self._steps(f"annotation_id IN ({ids})")
        return tuple(rows.annotation_of(row, steps.get(row["id"], ())) for row in found)

    def _steps(self, condition: str) -> dict[int, tuple[ClickRecord, ...]]:
        found = self._db.execute(f"SELECT * FROM steps WHERE {condition} ORDER BY annotation_id, position")
        return {key: tuple(map(rows.step_of, group)) for key, group in groupby(found, lambda row: row["annotation_id"])}

    def _image(self, name: str, width: int, height: int) -> None:
        self._db.execute(
            "INSERT INTO images VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET width = ?2, height = ?3",
            (to_text(name), width, height),
        )

    def _new_name(self, name: str, but: int = 0) -> str:
        name = storable(name).strip()
        if not name:
            raise StoreError("A class needs a name")
        if any(c.name == name and c.id != but for c in self.classes()):
            raise StoreError(f'There is already a class "{name}"')
        return name

    def _number_images(self) -> None:
        with self._writing():
            catalogue.number(self._db, self.folder)

    def _publish(self, version: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('published', ?)", (str(version),))

    def _remember(self, key: str, value: str) -> None:
        if self._recall(key, "") != value:
            with self._writing():
                self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _recall(self, key: str, default: str) -> str:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else default


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
