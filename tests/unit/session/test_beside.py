"""A project that is open can be read beside, in another thread or process; nobody else can write to it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from contextlib import closing
from pathlib import Path

import pytest

from samtta_app.errors import ProjectError, StoreError
from samtta_app.formats import FORMATS
from samtta_app.session.project import schema
from samtta_app.session.project.location import open_beside
from samtta_app.session.project.store import Store
from samtta_app.session.project.writer_lock import LOCK, WriterLock
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted
from tests.unit.values import disc

ROOT = Path(__file__).parents[3]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be taken away there")


def accept(store: Store, x: int = 60) -> int:
    return store.accept(accepted(mask=disc(x, 50, 8, HEIGHT, WIDTH)), WIDTH, HEIGHT).id


def files(store: Store) -> set[str]:
    return {path.name for path in store.home.iterdir()}


# --- reading ----------------------------------------------------------------------------------------------------------


def test_what_was_accepted_is_read_beside_at_once(folder: Path, store: Store) -> None:
    for number in range(1, 4):
        accept(store, 20 * number)
        with Store.open_to_read(folder) as beside:
            assert beside.read_only
            assert [a.id for a in beside.annotations()] == list(range(1, number + 1))


def test_a_reader_sees_one_moment_whatever_is_written_meanwhile(folder: Path, store: Store) -> None:
    accept(store)
    with Store.open_to_read(folder) as beside:
        accept(store)
        store.add_class("leaf")
        assert len(beside.annotations()) == 1
        assert len(beside.classes()) == 1
        assert len(beside.project().annotations) == 1
    with Store.open_to_read(folder) as beside:
        assert len(beside.annotations()) == 2


def test_a_reader_cannot_write(folder: Path, store: Store) -> None:
    with Store.open_to_read(folder) as beside:
        for write in (lambda: accept(beside), lambda: beside.add_class("leaf"), lambda: beside.set_deleted(1, True)):
            with pytest.raises(StoreError, match="read-only"):
                write()
        with pytest.raises(sqlite3.OperationalError):
            beside._db.execute("INSERT INTO meta VALUES ('a', 'b')")
    accept(store)


def test_readers_come_and_go_and_the_writer_keeps_its_lock(folder: Path, store: Store) -> None:
    readers = [Store.open_to_read(folder) for _ in range(3)]
    for reader in readers:
        accept(store)
        reader.close()
        with pytest.raises(ProjectError, match="open in another samtta"):
            Store.open(folder)
    assert len(store.annotations()) == 3


def test_a_project_that_nobody_has_open_is_opened_as_ever(folder: Path) -> None:
    with Store.open(folder) as store:
        accept(store)
    with Store.open_to_read(folder) as alone:
        assert not alone.read_only
        assert len(alone.annotations()) == 1


def test_a_reader_may_outlive_the_writer_and_a_new_one_may_come(folder: Path) -> None:
    store = Store.open(folder)
    accept(store)
    with Store.open_to_read(folder) as beside:
        store.close()
        with Store.open(folder) as again:
            accept(again)
            assert len(beside.annotations()) == 1
    with Store.open(folder) as again:
        assert len(again.annotations()) == 2


READS = """
    import sys
    from pathlib import Path
    from samtta_app.session.project.store import Store
    with Store.open_to_read(Path(sys.argv[1])) as store:
        print(store.read_only, len(store.annotations()))
"""


def test_another_process_reads_beside(folder: Path, store: Store) -> None:
    accept(store)
    words = [sys.executable, "-c", textwrap.dedent(READS), str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "True 1"
    accept(store)
    with pytest.raises(ProjectError, match="open in another samtta"):
        Store.open(folder)


def test_where_the_log_serves_one_process_alone_a_reader_is_refused_in_words(folder: Path, store: Store) -> None:
    """As with earlier versions of the program, which kept all others out."""
    store.close()
    database = folder / ".samtta" / "project.db"
    with closing(schema._connected(database, alone=True)), pytest.raises(ProjectError, match="open in another samtta"):
        Store.open_to_read(folder)


def test_an_older_layout_is_not_read_beside(folder: Path, store: Store) -> None:
    store._db.execute("DELETE FROM migrations WHERE name = 'pictures'")
    with pytest.raises(ProjectError, match="open in another samtta"):
        open_beside(store.home)


@pytest.mark.parametrize("code", schema.NO_SHARED_MEMORY)
def test_without_shared_memory_the_project_opens_for_one_process_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    connected = schema._connected

    def refuse(path: Path, *, alone: bool) -> sqlite3.Connection:
        if alone:
            return connected(path, alone=True)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr(schema, "_connected", refuse)
    with Store.open(folder) as store:
        accept(store)
        assert store._db.execute("PRAGMA locking_mode").fetchone()[0] == "exclusive"
        with store.reader()() as copy:
            assert len(copy.annotations()) == 1


# --- in another thread ------------------------------------------------------------------------------------------------


def exported_in_a_thread(store: Store, out: Path) -> str:
    read = store.reader()

    def run() -> None:
        with read() as beside:
            FORMATS["coco"].write(beside.project(), out)

    thread = threading.Thread(target=run)
    thread.start()
    accept(store)
    thread.join(60)
    return (out / "annotations/instances_default.json").read_text()


def test_a_thread_exports_while_the_store_goes_on(store: Store, tmp_path: Path) -> None:
    accept(store)
    assert '"annotations": [{"id": 1' in exported_in_a_thread(store, tmp_path / "out")
    assert len(store.annotations()) == 2


def test_images_that_came_meanwhile_have_the_same_number_in_every_export(folder: Path, store: Store) -> None:
    (folder / "d.png").write_bytes((folder / "a.png").read_bytes())
    with store.reader()() as beside:
        assert beside.project().images == store.project().images


@POSIX
@pytest.mark.parametrize("how", ["deleted", "moved", "read-only"])
def test_what_was_stored_is_read_in_a_thread_though_the_file_is_gone(folder: Path, store: Store, how: str) -> None:
    accept(store)
    if how == "deleted":
        (store.home / "project.db").unlink()
    elif how == "moved":
        store.home.rename(folder / "elsewhere")
    else:
        store._files = {}
    found: list[int] = []
    read = store.reader()

    def run() -> None:
        with read() as beside:
            found.extend(a.id for a in beside.annotations())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert found == [1]


# --- the lock -----------------------------------------------------------------------------------------------------------


def test_the_lock_is_a_file_only_while_the_project_is_open(folder: Path) -> None:
    with Store.open(folder) as store:
        assert files(store) == {"project.db", "project.db-wal", "project.db-shm", LOCK}
        assert (store.home / LOCK).stat().st_size == 0
    assert files(store) == {"project.db"}


def test_one_lock_keeps_others_out_until_it_is_released(tmp_path: Path) -> None:
    for _ in range(3):
        lock = WriterLock(tmp_path)
        with pytest.raises(BlockingIOError):
            WriterLock(tmp_path)
        lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_a_killed_process_left_holds_nobody_up(folder: Path) -> None:
    (folder / ".samtta").mkdir()
    (folder / ".samtta" / LOCK).touch()
    with Store.open(folder) as store:
        accept(store)
    assert files(store) == {"project.db"}


@POSIX
def test_threads_that_open_and_close_never_hold_the_lock_together(tmp_path: Path) -> None:
    inside, most, tries = 0, [0], [0]
    guard = threading.Lock()

    def run() -> None:
        nonlocal inside
        while tries[0] < 3000:
            tries[0] += 1
            try:
                lock = WriterLock(tmp_path)
            except BlockingIOError:
                continue
            with guard:
                inside += 1
                most[0] = max(most[0], inside)
            with guard:
                inside -= 1
            lock.release()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most[0] == 1


@POSIX
def test_a_link_in_the_place_of_the_lock_is_refused_and_what_it_leads_to_stays(folder: Path, tmp_path: Path) -> None:
    (folder / ".samtta").mkdir()
    (tmp_path / "mine.txt").write_text("mine")
    os.symlink(tmp_path / "mine.txt", folder / ".samtta" / LOCK)
    with pytest.raises(ProjectError, match="link"):
        Store.open(folder)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_project_that_is_refused_is_left_without_a_lock(folder: Path) -> None:
    home = folder / ".samtta"
    home.mkdir()
    with closing(sqlite3.connect(home / "project.db")) as db:
        db.execute("CREATE TABLE other (a)")
    before = (home / "project.db").read_bytes()
    with pytest.raises(ProjectError, match="not a samtta project"):
        Store.open(folder)
    assert {path.name for path in home.iterdir()} == {"project.db"}
    assert (home / "project.db").read_bytes() == before
