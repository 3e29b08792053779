"""Where a project lies, what may lie there, and how a read-only or damaged project is still read."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from samtta_app.core.names import from_text, is_listed
from samtta_app.errors import ProjectError
from samtta_app.phrases import Phrase
from samtta_app.session.project import schema
from samtta_app.session.project.network_share import require_own_disk
from samtta_app.session.project.refusals import reason
from samtta_app.session.project.salvage import salvaged
from samtta_app.session.project.writer_lock import LOCK, WriterLock

HOME = ".samtta"
DATABASE = "project.db"
WEIGHTS = "weights"
FOLDER, FROM_HERE = "folder", "folder_from_here"
"""Under these keys a project remembers where its images are: the path, and the way there from its own folder."""
BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite keeps: the database, and files of its name with these endings."""
READING_SECONDS = 5.0
"""A reader waits this long while a writer begins or ends a session; it never waits for a single write."""


@dataclass(frozen=True, slots=True)
class OpenedDatabase:
    """A database that was opened, and what the user should know about how ("" when nothing).

    `lock` keeps other writers out.
    """

    db: sqlite3.Connection
    read_only: bool = False
    notice: str = ""
    lock: WriterLock | None = None


def places(folder: Path, project: Path | None) -> tuple[Path, Path]:
    """The images' folder and the project's own folder; `folder` may be either when `project` is None.

    A project knows where its images are: they may have been moved, alone or together with it.

    Raises:
        ProjectError: as in `require_ordinary`.
    """
    folder = folder.absolute()
    if project is not None:
        return folder, project.absolute()
    home = folder if exists(folder) else folder / HOME
    if exists(home):
        require_ordinary(home)
        return images_folder(home), home
    return folder, home


def exists(home: Path) -> bool:
    """Whether a project lies in this folder, as far as access rights show."""
    return os.path.isfile(home / DATABASE)  # unlike Path.is_file, False where access is denied


def require_ordinary(home: Path) -> None:
    """Refuse a project folder that has something else in the place of samtta's files; opens nothing.

    Through a link, files elsewhere would be written or deleted; a pipe or device would block. The way to the folder may
    lead through links, unless it is the hidden one that samtta makes itself.

    Raises:
        ProjectError: the hidden folder, its weights' folder, or the database or a file beside it is a link or another kind.
    """
    if home.name == HOME:
        _require(home, "folder", stat.S_ISDIR)
    _require(home / WEIGHTS, "folder", stat.S_ISDIR)
    for name in (*(DATABASE + ending for ending in BESIDE), LOCK):
        found = _require(home / name, "file", stat.S_ISREG)
        if found is not None and found.st_nlink > 1:
            place, do = home / name, "Put a copy of it in its place"
            raise ProjectError("A file of the project has a second name (a hard link) elsewhere", place, do)


def open_database(home: Path) -> OpenedDatabase:
    """Open the database in a project's folder, or make both; read-only where it cannot be written or is damaged.

    Raises:
        ProjectError: open elsewhere, foreign, newer, damaged beyond reading, or it cannot be made here. It is also raised
            for a folder on a network share.
    """
    require_own_disk(home)
    require_ordinary(home)
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = WriterLock(home)
        try:
            return OpenedDatabase(schema.connect(home / DATABASE), lock=lock)
        except BaseException:
            lock.release()
            raise
    except schema.DamagedError as error:
        return _open_damaged(home, error)
    except BlockingIOError as error:
        raise schema.OpenElsewhereError(schema.OPEN, home / DATABASE, schema.CLOSE) from error
    except (OSError, sqlite3.OperationalError) as error:
        return open_unwritable(home, error)


def open_beside(home: Path) -> OpenedDatabase:
    """Read a project that is open in another thread or process of this machine, as it is at this moment.

    The write-ahead log allows readers beside the writer; neither waits for the other. The connection belongs to
    the thread that opens it.

    Raises:
        ProjectError: an older samtta has it open, or it is foreign, newer or damaged.
    """
    require_ordinary(home)
    path = home / DATABASE
    with schema.explained(path):
        db = sqlite3.connect(f"{path.as_uri()}?mode=ro", isolation_level=None, uri=True, timeout=READING_SECONDS)
        try:
            db.execute("BEGIN")  # all reads see one moment
            if schema.lacking(db, path):
                raise schema.OpenElsewhereError(schema.OPEN, path, schema.CLOSE)
        except BaseException:
            db.close()
            raise
    return OpenedDatabase(db, read_only=True)


def open_unwritable(home: Path, error: Exception) -> OpenedDatabase:
    """Open a project that cannot be written at its place: in memory, with what its journal still holds.

    SQLite can neither lock nor recover a journal in a folder without write permission, so a copy is recovered.

    Raises:
        ProjectError: there is no project yet, it cannot be read, or it is foreign, newer or damaged beyond reading.
    """
    why, do = reason(error, home)
    refusal = ProjectError(
        Phrase("A project cannot be made here: {why}", why=why),
        home,
        Phrase("{do}, or name another place for the project with --project", do=do),
    )
    if not exists(home):
        raise refusal from error
    try:
        with _copied(home / DATABASE) as copy:
            db = schema.connect_copy(copy, home / DATABASE)
    except schema.DamagedError as damage:
        return _open_damaged(home, damage)
    if db is None:
        raise refusal from error
    return OpenedDatabase(
        db,
        True,
        Phrase(
            "{home} cannot be written ({why}): what you accept cannot be stored. {do}, then open it again",
            home=home,
            why=why,
            do=do,
        ),
    )


def open_copy(place: Path) -> tuple[Path, OpenedDatabase]:
    """Read a project through a copy in memory, so that no file of it changes; returns its own folder too.

    Args:
        place: the project's own folder, or that of its images.

    Raises:
        ProjectError: there is none, or it is foreign, newer or damaged beyond reading.
    """
    home = place.absolute() if exists(place) else place.absolute() / HOME
    if not exists(home):
        raise ProjectError("There is no samtta project here", place, "Choose a folder that was annotated with samtta")
    require_ordinary(home)
    if os.path.lexists(home / LOCK):
        with suppress(ProjectError, sqlite3.Error):  # a copy of what is being written might be torn
            return home, open_beside(home)
    try:
        with _copied(home / DATABASE) as copy:
            db = schema.connect_copy(copy, home / DATABASE)
    except schema.DamagedError as damage:
        return home, _open_damaged(home, damage)
    if db is None:
        raise ProjectError("Nothing was ever stored in this project", home, "Choose another one")
    return home, OpenedDatabase(db, read_only=True)


def _open_damaged(home: Path, damage: ProjectError) -> OpenedDatabase:
    with _copied(home / DATABASE) as copy:
        db, lost = salvaged(copy, home / DATABASE, damage)
    notice = Phrase("{what}. What can be read is shown, and nothing can be stored: put back a copy", what=damage.what)
    return OpenedDatabase(db, True, Phrase("{notice} ({lost})", notice=notice, lost=lost) if lost else notice)


@contextmanager
def _copied(database: Path) -> Iterator[Path]:
    """A copy of the database and its journal in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="samtta-") as elsewhere:
        copy = Path(elsewhere, DATABASE)
        try:
            shutil.copyfile(database, copy)
            journal = database.with_name(DATABASE + "-wal")
            if journal.is_file():
                shutil.copyfile(journal, copy.with_name(journal.name))
        except OSError as error:
            what = Phrase(
                "The project cannot be read through a copy in {elsewhere}: {strerror}",
                elsewhere=elsewhere,
                strerror=error.strerror,
            )
            raise ProjectError(what, database, "Check the disk and its free space") from error
        yield copy


def _require(path: Path, expected: str, fits: Callable[[int], bool]) -> os.stat_result | None:
    """What is at the path, without following a link; None when nothing is, or when access is denied."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return None
    if fits(found.st_mode):
        return found
    kind = Phrase("a link") if stat.S_ISLNK(found.st_mode) else Phrase("no ordinary {expected}", expected=expected)
    do = Phrase(
        "Take it away or put an ordinary {expected} in its place; nothing was opened or changed", expected=expected
    )
    raise ProjectError(Phrase("A part of the project is {kind}", kind=kind), path, do)


def images_folder(home: Path) -> Path:
    """The images' folder of a project; where nothing says so, it is the one that holds the project's own folder.

    A folder beside which the project's own lies comes first while it holds images. Then comes what lies where the images
    lay as seen from the project, in case both were moved, and then the place that is stored.
    """
    beside = home.parent if home.name == HOME else home
    if home.name == HOME and any(map(is_listed, _names(beside))):
        return beside
    stored = _stored(home / DATABASE)
    found = (
        Path(os.path.normpath(home / stored.get(FROM_HERE, ""))) if stored.get(FROM_HERE) else None,
        stored.get(FOLDER),
    )
    known = [Path(path) for path in found if path and os.path.isabs(path)]
    return next((path for path in known if path.is_dir()), known[-1] if known and home.name != HOME else beside)


def near(folder: Path, home: Path) -> str:
    """The way from a project's own folder to that of its images; "" where there is none (another drive)."""
    try:
        return os.path.relpath(folder, home)
    except ValueError:
        return ""


def _names(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as found:
            yield from (entry.name for entry in found)
    except OSError:
        return


def _stored(database: Path) -> dict[str, str]:
    """What a project says of its images' folder."""
    try:
        with closing(sqlite3.connect(database, timeout=0.0)) as db:
            rows = db.execute("SELECT key, value FROM meta WHERE key IN (?, ?)", (FOLDER, FROM_HERE)).fetchall()
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return {}  # opening it properly, right after this, says what is wrong
    known = {key: from_text(value) for key, value in rows if isinstance(value, str)}
    return {key: value for key, value in known.items() if "\0" not in value}
