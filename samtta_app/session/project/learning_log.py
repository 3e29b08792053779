"""What learning stores in the project: reports, versions of the weights, which model learned from what, and replays."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from samtta_app.core.replies import AdaptReport, Controlled, TwinReport
from samtta_app.session.project import rows
from samtta_app.session.project.cells import BadValueError, DbRow, text, whole
from samtta_app.session.project.database import Database
from samtta_app.session.project.location import WEIGHTS, OpenedDatabase
from samtta_app.session.project.weight_files import WeightsFolder, sha256_hex

WEIGHTS_KEPT = 20


class LearningLog(Database):
    """The part of an open project that stores the learner's replies and reads them again.

    A model is known by the SHA-256 of its weights; "" stands for one that is not known, as in projects of earlier versions.
    """

    def __init__(self, home: Path, opened: OpenedDatabase) -> None:
        super().__init__(home, opened)
        self._weights = WeightsFolder(home / WEIGHTS, tidy=not opened.read_only)

    def close(self) -> None:
        """Finish writing and let go of the lock."""
        self._weights.close()
        super().close()

    # --- reports ----------------------------------------------------------------------------------------------------

    def log_adaptation(self, report: AdaptReport) -> None:
        """Store a report, that the object was learned, and, when it was kept, its weights as those that are published.

        The weights themselves are written to their own folder.
        """
        discard: list[int] = []
        with self._writing():
            self._db.execute(
                f"INSERT INTO adaptations ({rows.REPORT}, created) VALUES ({rows.placeholders(rows.REPORT, more=1)})",
                (*rows.report_row(report), now()),
            )
            self._db.execute("INSERT OR IGNORE INTO learned VALUES (?, ?)", (report.object_id, report.model))
            if report.kept:
                self._db.execute(
                    "INSERT OR REPLACE INTO weights (version, sha256, created, model) VALUES (?, ?, ?, ?)",
                    (report.version, sha256_hex(report.weights), now(), report.model),
                )
                self._put("published", str(report.version))
                old = "SELECT version FROM weights ORDER BY sequence DESC LIMIT -1 OFFSET ?"
                discard = [row[0] for row in self._db.execute(old, (WEIGHTS_KEPT,)).fetchall()]
                self._db.executemany("DELETE FROM weights WHERE version = ?", [(v,) for v in discard])
        if report.kept:
            self._weights.write(report.version, report.weights, discard=discard)

    def log_control(self, reply: Controlled) -> None:
        """Store what the user told the learner, and which version is published since."""
        with self._writing():
            self._db.execute(
                "INSERT INTO controls (action, version, paused, created) VALUES (?, ?, ?, ?)",
                (reply.action, reply.version, int(reply.paused), now()),
            )
            self._put("published", str(reply.version))

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
        found = self._rows("SELECT * FROM adaptations ORDER BY id")
        return tuple(self._good(found, rows.report_of, lambda row: f"report {row['id']} of learning"))

    # --- versions of the weights ------------------------------------------------------------------------------------

    def published(self) -> int:
        """The version that was published last; 0 is the original."""
        value = self._recall("published", "0")
        if value.isascii() and value.isdecimal() and len(value) < 10:
            return int(value)
        self._leave_out('meta "published"', f"{value[:40]!r} is no version")
        return 0

    def newest_version(self) -> int:
        """The highest version that was ever stored and is still kept; 0 when there is none."""
        return max((version for version, _, _ in self._versions()), default=0)

    def weights(self, version: int) -> tuple[int, bytes] | None:
        """A version and its bytes, or the same model's next older one whose file is whole; None leaves the original."""
        older = sorted((found for found in self._versions() if found[0] <= version), reverse=True)
        for number, sha256, model in older:
            data = self._weights.read(number, sha256) if model == older[0][2] else None
            if data is not None:
                return number, data
        return None

    def version_of(self, version: int, model: str) -> bytes:
        """The bytes of one version of a model, b"" where it is not kept or not whole."""
        found = next((v for v in self._versions() if v[0] == version and v[2] == model), None)
        return (self._weights.read(version, found[1]) if found else None) or b""

    def weights_failures(self) -> list[str]:
        """Why weights files since the last call could not be written."""
        return self._weights.failures()

    def _versions(self) -> list[tuple[int, str, str]]:
        found = self._rows("SELECT version, sha256, model FROM weights")
        return list(self._good(found, _version, lambda row: f"weights {row['version']!r:.20}"))

    # --- which model learned from what ------------------------------------------------------------------------------

    def model(self) -> str:
        """The model that answered last in this project."""
        return self._recall("model", "")

    def use_model(self, model: str) -> None:
        """Another model answers from now on: what is published is its own newest version, or its original decoder."""
        before, published = self.model(), self.published()
        own = max((number for number, _, of in self._versions() if of == model), default=0)
        with self._writing():
            self._put("model", model)
            if before != model:
                self._put(f"published {before}", str(published))
                self._put("published", self._recall(f"published {model}", str(own)))

    def unlearned(self, model: str) -> tuple[int, ...]:
        """The objects that are to be learned from and were not yet by this model, in the order of their accept."""
        query = """
            SELECT id FROM annotations WHERE teaches = 1 AND deleted = 0 AND ignore IS NOT 1
            AND id NOT IN (SELECT object_id FROM learned WHERE model = ?) ORDER BY id
        """
        return tuple(row["id"] for row in self._rows(query, model))

    def put_off(self) -> dict[int, int]:
        """The objects that were learned without having been replayed, and a version each that had not seen them."""
        query = """
            SELECT object_id, version, object_id IN (SELECT id FROM annotations WHERE deleted = 0 AND teaches = 1) AS there
            FROM adaptations ORDER BY id
        """
        unreplayed, found, before = self.unreplayed(), dict[int, int](), 0
        for row in self._rows(query):
            if row["there"] and row["object_id"] in unreplayed:
                found.setdefault(row["object_id"], before)
            before = row["version"] if isinstance(row["version"], int) else before
        return found

    def unreplayed(self) -> frozenset[int]:
        """The objects without trajectories of both sides."""
        query = "SELECT id FROM annotations WHERE deleted = 0 AND id NOT IN (SELECT object_id FROM twins)"
        return frozenset(row["id"] for row in self._rows(query))


def now() -> str:
    """The date and time in ISO form, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _version(row: DbRow) -> tuple[int, str, str]:
    sha256 = text(row, "sha256")
    if len(sha256) != 64:
        raise BadValueError("sha256", sha256, "not 64 hexadecimal digits")
    return whole(row, "version", least=1), sha256, text(row, "model")
