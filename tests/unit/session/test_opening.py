"""A project is opened by one process alone, and a file that cannot be understood is never written to."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from samtta_app.errors import ProjectError, StoreError
from samtta_app.session.project import migrations, schema
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of, report

ROOT = Path(__file__).parents[3]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and permissions of POSIX")


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another Python process that runs `code`."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


def output(code: str, *arguments: object) -> str:
    """What another process prints until it ends."""
    with child(code, *arguments) as process:
        return process.communicate(timeout=60)[0]


OPENS = """
    import sys
    from pathlib import Path
    from samtta_app.errors import ProjectError
    from samtta_app.session.project.store import Store
    try:
        Store.open(Path(sys.argv[1])).close()
        print("opened")
    except ProjectError as error:
        print(error)
"""


def database(folder: Path) -> Path:
    return folder / ".samtta" / "project.db"


def test_a_project_cannot_be_opened_twice_in_one_process(folder: Path, store: Store) -> None:
    with pytest.raises(ProjectError, match="open in another samtta"):
        Store.open(folder)
    store.accept(accepted(), WIDTH, HEIGHT)


def test_a_project_cannot_be_opened_by_another_process(folder: Path, store: Store) -> None:
    text = output(OPENS, folder)
    assert "open in another samtta" in text
    assert str(database(folder)) in text
    store.accept(accepted(), WIDTH, HEIGHT)


def test_a_project_elsewhere_cannot_be_opened_twice_by_its_own_folder(folder: Path, tmp_path: Path) -> None:
    with Store.open(folder, tmp_path / "project"):
        with pytest.raises(ProjectError, match="open in another samtta"):
            Store.open(folder, tmp_path / "project")
        with pytest.raises(ProjectError, match="open in another samtta"):
            Store.open(tmp_path / "project")


def test_once_closed_it_can_be_opened_again(folder: Path) -> None:
    for _ in range(3):
        Store.open(folder).close()
    assert output(OPENS, folder).strip() == "opened"


HOLDS = """
    import sys
    from pathlib import Path
    from samtta_app.session.project.store import Store
    store = Store.open(Path(sys.argv[1]))
    print("open", flush=True)
    sys.stdin.read()
"""


@POSIX
def test_the_lock_vanishes_with_the_process_that_held_it(folder: Path) -> None:
    with child(HOLDS, folder) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "open"
        with pytest.raises(ProjectError, match="another"):
            Store.open(folder)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    with Store.open(folder) as store:
        store.accept(accepted(), WIDTH, HEIGHT)


ACCEPTS = """
    import sys
    from pathlib import Path
    from samtta_app.session.project.store import Store
    from tests.unit.session.scripted import Person
    with Store.open(Path(sys.argv[1])) as store:
        person = Person(store).starts()
        for k in range(1000):
            saved = person.accepts(10 + k % 100, 50, clicks=1 + k % 3)
            print(saved.id, len(saved.history), saved.mask.area, flush=True)
"""


@POSIX
@pytest.mark.parametrize("after", [1, 7])
def test_nothing_that_was_accepted_is_lost_when_the_process_is_killed(folder: Path, after: int) -> None:
    with child(ACCEPTS, folder) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
        process.wait(60)
    told = [tuple(map(int, line.split())) for line in said if line.endswith("\n")]
    with Store.open(folder) as store:
        found = [(a.id, len(a.history), a.mask.area) for a in store.annotations()]
        assert found[: len(told)] == told
        assert len(told) >= after
        assert len(found) <= len(told) + 1
        version, weights = store.weights(store.published()) or (0, b"weights 0")
        assert weights == f"weights {version}".encode()
        assert store.accept(accepted(), WIDTH, HEIGHT).id > len(told)


# --- files that are not understood ------------------------------------------------------------------------------------


def refused(folder: Path, match: str) -> None:
    """Opening is refused with a text that names the file, and the file stays as it is, byte by byte."""
    before = database(folder).read_bytes()
    with pytest.raises(ProjectError, match=match) as caught:
        Store.open(folder)
    assert str(database(folder)) in str(caught.value)
    assert database(folder).read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_not_overwritten(folder: Path) -> None:
    (folder / ".samtta").mkdir()
    database(folder).write_bytes(b"this was a project once" * 400)
    refused(folder, "damaged or no database")


def test_a_truncated_database_is_refused_and_not_overwritten(folder: Path) -> None:
    with Store.open(folder) as store:
        for _ in range(40):
            store.accept(accepted(), WIDTH, HEIGHT)
    content = database(folder).read_bytes()
    database(folder).write_bytes(content[: len(content) // 2])
    refused(folder, "damaged")


def test_a_database_with_damaged_pages_is_shown_as_far_as_it_can_be_read_and_not_overwritten(folder: Path) -> None:
    with Store.open(folder) as store:
        for _ in range(40):
            store.accept(accepted(), WIDTH, HEIGHT)
    content = bytearray(database(folder).read_bytes())
    content[4096 * 5 : 4096 * 8] = b"\xff" * (4096 * 3)
    database(folder).write_bytes(content)
    with Store.open(folder) as store:
        assert store.read_only
        assert "damaged" in store.notice
        assert "rows are missing" in store.notice
        assert [a.id for a in store.annotations()] == [record.object_id for record in store.records()]
        with pytest.raises(StoreError, match="read-only"):
            store.accept(accepted(), WIDTH, HEIGHT)
    assert database(folder).read_bytes() == bytes(content)


def test_a_project_of_a_newer_samtta_is_refused_and_not_changed(folder: Path) -> None:
    Store.open(folder).close()
    with closing(sqlite3.connect(database(folder))) as db, db:
        db.execute("INSERT INTO migrations VALUES ('tracks', '2031-01-01')")
    refused(folder, r"newer samtta \(tracks\)")


def test_another_programs_database_is_refused_and_not_changed(folder: Path) -> None:
    (folder / ".samtta").mkdir()
    with closing(sqlite3.connect(database(folder))) as db, db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    refused(folder, "not a samtta project")


def test_an_empty_file_is_a_project_whose_making_was_cut_short(folder: Path) -> None:
    (folder / ".samtta").mkdir()
    database(folder).touch()
    with Store.open(folder) as store:
        assert len(store.classes()) == 1


def test_an_older_layout_is_brought_up_to_date_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(folder).close()
    later = ("tracks", "CREATE TABLE tracks (text TEXT); INSERT INTO tracks VALUES ('hello')")
    monkeypatch.setattr(schema, "MIGRATIONS", (*migrations.MIGRATIONS, later))
    for _ in range(2):
        Store.open(folder).close()
    with closing(sqlite3.connect(database(folder))) as db:
        assert db.execute("SELECT count(*) FROM tracks").fetchone() == (1,)
        applied = [row[0] for row in db.execute("SELECT name FROM migrations ORDER BY rowid")]
        assert applied == [name for name, _ in schema.MIGRATIONS]
        assert applied[-1] == "tracks"


def test_a_migration_that_fails_leaves_the_older_layout(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(folder).close()
    broken = ("tracks", "CREATE TABLE notes (text TEXT); INSERT INTO nowhere VALUES (1)")
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*migrations.MIGRATIONS, broken))
        with pytest.raises(sqlite3.OperationalError, match="nowhere"):
            schema.connect(database(folder))
    with Store.open(folder) as store:
        assert store.annotations() == ()
        assert not store.read_only


# --- folders that cannot be written -----------------------------------------------------------------------------------

AS_NOBODY = """
    import os, sys
    from pathlib import Path
    import samtta_app.images.read  # while its libraries can be read
    from samtta_app.session.acts import Accept
    from samtta_app.errors import ProjectError, StoreError
    from samtta_app.session.project.store import Store
    from tests.unit.session.scripted import WIDTH, HEIGHT, Person, accepted
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        with Store.open(Path(sys.argv[1])) as store:
            print(store.read_only, len(store.annotations()), len(store.project().annotations), store.notice)
            person = Person(store).starts()
            print(person.state.read_only, len(person.state.annotations), person.state.message.text)
            person.clicks(30, 30)
            person.do(Accept())
            print(person.state.preview is not None, person.state.message.severity, person.state.message.text)
    except ProjectError as error:
        print(error)
"""


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder of images that every user of the machine can reach."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        folder = folder_of(Path(place, "images"), "a.png")
        yield folder
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755)


def as_nobody(folder: Path) -> list[str]:
    """What is said when someone opens the folder who may not write to it."""
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    return output(AS_NOBODY, folder).splitlines()


@POSIX
@pytest.mark.parametrize("crashed", [False, True])
def test_a_project_in_a_read_only_folder_is_shown_and_says_that_nothing_can_be_stored(
    public: Path, crashed: bool
) -> None:
    with Store.open(public) as store:
        store.accept(accepted(), WIDTH, HEIGHT)
        kept = {path: path.read_bytes() for path in store.home.iterdir() if path.is_file()}
    if crashed:  # the accept is in the journal only
        for path, content in kept.items():
            path.write_bytes(content)
        assert kept[database(public).with_name("project.db-wal")]
    first, second, third = as_nobody(public)
    assert first.startswith("True 1 1 ")
    assert "cannot be stored" in first
    assert second.startswith("True 1 ")
    assert third.startswith("True error The project was opened read-only")


@POSIX
def test_a_read_only_folder_without_a_project_is_refused_with_a_way_out(public: Path) -> None:
    (text,) = as_nobody(public)
    assert "cannot be made here" in text
    assert "another place" in text


def test_a_read_only_project_refuses_every_write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(folder) as store:
        saved = store.accept(accepted(), WIDTH, HEIGHT)
        store.log_adaptation(report(saved.id, 1))

    def unwritable(path: Path) -> sqlite3.Connection:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(schema, "connect", unwritable)
    with Store.open(folder) as store:
        assert store.read_only
        assert store.weights(1) == (1, b"weights 1")
        for write in (
            lambda: store.accept(accepted(), WIDTH, HEIGHT),
            lambda: store.set_deleted(1, True),
            lambda: store.add_class("leaf"),
            lambda: store.image_opened("a.png", 1, 1),
        ):
            with pytest.raises(StoreError, match="read-only"):
                write()
        assert len(store.annotations()) == 1
