"""Full disks, missing locks, and files that are taken away while they are open: said as what they are, nothing is lost."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from samtta_app.core.masks import trimmed
from samtta_app.errors import ProjectError, StoreError
from samtta_app.session import acts
from samtta_app.session.project import refusals, schema
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import HEIGHT, WIDTH, Person, accepted, folder_of
from tests.unit.session.test_opening import OPENS, output

FIRST = Path(__file__).parent / "data" / "first"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="mounts, signals and links of Linux")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]
    if not shutil.which("mount"):
        pytest.skip("there is no program to mount a small disk with")
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["mount", "-o", "remount,rw", str(place)], check=False)
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> None:
    free = shutil.disk_usage(place).free
    (place / "filler").write_bytes(bytes(free))
    assert shutil.disk_usage(place).free == 0


def noise(seed: int = 0) -> object:
    return trimmed(np.random.default_rng(seed).random((HEIGHT, WIDTH)) < 0.5)


def project_in(folder: Path) -> Path:
    with Store.open(folder) as store:
        store.accept(accepted(), WIDTH, HEIGHT)
    return folder


# --- full disks -------------------------------------------------------------------------------------------------------


@LINUX
def test_a_project_that_is_moved_onto_a_full_disk_opens_read_only_and_holds_no_lock(
    small_disk: Path, tmp_path: Path
) -> None:
    shutil.copytree(project_in(folder_of(tmp_path / "images", "a.png")), small_disk / "images")
    fill(small_disk)
    with Store.open(small_disk / "images") as store:
        assert store.read_only
        assert "the disk is full" in store.notice
        assert len(store.annotations()) == 1
        assert "another" not in output(OPENS, small_disk / "images")
    (small_disk / "filler").unlink()
    with Store.open(small_disk / "images") as store:
        assert not store.read_only
        store.accept(accepted(), WIDTH, HEIGHT)
    assert output(OPENS, small_disk / "images").strip() == "opened"


@LINUX
def test_after_a_read_only_opening_the_project_can_be_written_in_the_same_run_once_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    shutil.copytree(project_in(folder_of(tmp_path / "images", "a.png")), small_disk / "images")
    fill(small_disk)
    full = Store.open(small_disk / "images")
    (small_disk / "filler").unlink()
    with Store.open(small_disk / "images") as store:  # while the other still shows what it read
        assert full.read_only
        assert not store.read_only
    full.close()


@LINUX
def test_an_older_project_on_a_full_disk_is_shown_and_the_disk_is_called_full(small_disk: Path) -> None:
    shutil.copytree(FIRST / "images", small_disk / "images")
    shutil.copytree(FIRST / "project", small_disk / "images" / ".samtta", ignore=shutil.ignore_patterns("weights"))
    before = (small_disk / "images" / ".samtta" / "project.db").read_bytes()
    fill(small_disk)
    with Store.open(small_disk / "images") as store:
        assert store.read_only
        assert "the disk is full" in store.notice
        assert "layout" not in store.notice
        assert len(store.annotations()) == 6
    assert (small_disk / "images" / ".samtta" / "project.db").read_bytes() == before


@LINUX
def test_a_disk_that_fills_up_refuses_the_accept_and_takes_it_once_there_is_room(small_disk: Path) -> None:
    folder = folder_of(small_disk / "images", "a.png")
    with Store.open(folder) as store:
        store.accept(accepted(), WIDTH, HEIGHT)
        fill(small_disk)
        with pytest.raises(StoreError, match="the disk is full") as caught:
            store.accept(accepted(mask=noise()), WIDTH, HEIGHT)
        assert "Free some space" in str(caught.value)
        assert len(store.annotations()) == 1
        (small_disk / "filler").unlink()
        store.accept(accepted(mask=noise()), WIDTH, HEIGHT)
    with Store.open(folder) as store:
        assert len(store.annotations()) == 2


@LINUX
def test_a_new_project_on_a_full_disk_is_refused_as_such(small_disk: Path) -> None:
    folder = folder_of(small_disk / "images", "a.png")
    fill(small_disk)
    with pytest.raises(ProjectError, match="the disk is full") as caught:
        Store.open(folder)
    assert "--project" in str(caught.value)


@LINUX
def test_a_read_only_disk_is_shown_and_says_so(small_disk: Path) -> None:
    folder = project_in(folder_of(small_disk / "images", "a.png"))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with Store.open(folder) as store:
        assert store.read_only
        assert "cannot be stored" in store.notice
        assert "full" not in store.notice
        assert len(store.annotations()) == 1


@LINUX
def test_an_io_error_of_a_disk_that_a_system_made_read_only_is_called_that(small_disk: Path) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
    assert refusals.reason(error, small_disk)[0] == "disk I/O error"
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert refusals.reason(error, small_disk) == ("its disk is read-only", "Make it writable")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_without_room_for_a_folder_is_called_full(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(ProjectError, match="the disk is full"):
        Store.open(folder)


# --- locks ------------------------------------------------------------------------------------------------------------

NO_LOCKS = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdarg.h>

    static int answer(const char *name, int file, int command, void *argument) {
        if (command == F_SETLK || command == F_SETLKW) { errno = ENOLCK; return -1; }
        return ((int (*)(int, int, ...))dlsym(RTLD_NEXT, name))(file, command, argument);
    }
    int fcntl(int file, int command, ...) {
        va_list rest; va_start(rest, command); void *argument = va_arg(rest, void *); va_end(rest);
        return answer("fcntl", file, command, argument);
    }
    int fcntl64(int file, int command, ...) {
        va_list rest; va_start(rest, command); void *argument = va_arg(rest, void *); va_end(rest);
        return answer("fcntl64", file, command, argument);
    }
"""

SHOWS = """
    import sys
    from pathlib import Path
    from samtta_app.errors import ProjectError
    from samtta_app.session.project.store import Store
    try:
        with Store.open(Path(sys.argv[1])) as store:
            print(store.read_only, len(store.annotations()), store.notice)
    except ProjectError as error:
        print(error)
"""


@LINUX
def test_a_file_system_without_locks_is_told_from_a_lock_that_is_held(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_in(folder)
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler to take the locks away with")
    (tmp_path / "locks.c").write_text(textwrap.dedent(NO_LOCKS))
    build = [compiler, "-shared", "-fPIC", "-o", str(tmp_path / "locks.so"), str(tmp_path / "locks.c"), "-ldl"]
    subprocess.run(build, check=True)
    with monkeypatch.context() as patch:
        patch.setenv("LD_PRELOAD", str(tmp_path / "locks.so"))
        said = output(SHOWS, folder)
    assert said.startswith("True 1 ")
    assert "gives no locks" in said
    assert "--project" in said
    with Store.open(folder):
        assert "open in another samtta" in output(SHOWS, folder)
    assert output(SHOWS, folder).startswith("False 1 ")


@pytest.mark.parametrize("code", sorted(refusals.LOCKING))
def test_every_refusal_of_a_lock_opens_read_only_and_says_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    project_in(folder)

    def refuse(path: Path) -> sqlite3.Connection:
        error = sqlite3.OperationalError("locking protocol")
        error.sqlite_errorcode = code
        with schema.explained(path):
            raise error

    monkeypatch.setattr(schema, "connect", refuse)
    monkeypatch.setattr(schema, "locks_work", lambda _: False)
    with Store.open(folder) as store:
        assert store.read_only
        assert "gives no locks" in store.notice


def test_the_search_for_locks_gives_none_of_ours_up(folder: Path) -> None:
    with Store.open(folder):
        assert refusals.locks_work(folder / ".samtta")
        with pytest.raises(ProjectError, match="another samtta"):
            Store.open(folder)
        assert "another samtta" in output(OPENS, folder)
    assert sorted(path.name for path in (folder / ".samtta").iterdir()) == ["project.db"]


# --- what is taken away while it is open --------------------------------------------------------------------------------

TAKEN = ["deleted", "replaced", "journal deleted", "project moved", "images moved"]


@pytest.mark.parametrize("how", TAKEN)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not let open files go")
def test_an_accept_into_a_file_that_was_taken_away_is_refused_and_the_preview_stays(
    folder: Path, tmp_path: Path, how: str
) -> None:
    home = folder / ".samtta"
    with Store.open(folder) as store:
        person = Person(store).starts()
        person.accepts(30, 30)
        person.clicks(60, 50)
        if how == "deleted":
            (home / "project.db").unlink()
        elif how == "replaced":
            shutil.copyfile(home / "project.db", tmp_path / "copy.db")
            os.replace(tmp_path / "copy.db", home / "project.db")
        elif how == "journal deleted":
            (home / "project.db-wal").unlink()
        elif how == "project moved":
            home.rename(folder / "elsewhere")
        else:
            folder.rename(tmp_path / "elsewhere")
        person.do(acts.Accept())
        message, preview = person.state.message, person.state.preview
        assert (message.severity, preview is not None, len(person.state.annotations)) == ("error", True, 1)
        assert ("replaced" if how == "replaced" else "deleted, moved") in message.text
        assert "Put it back" in message.text
        for write in (
            lambda: store.set_deleted(1, True),
            lambda: store.add_class("leaf"),
            lambda: store.image_opened("a.png", 5, 5),
        ):
            with pytest.raises(StoreError, match="while it was open"):
                write()
        assert [a.id for a in store.project().annotations] == [1]  # what was stored can still be exported


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not let open files go")
def test_once_it_is_put_back_the_same_accept_is_stored(folder: Path, tmp_path: Path) -> None:
    with Store.open(folder) as store:
        person = Person(store).starts()
        person.clicks(60, 50)
        folder.rename(tmp_path / "elsewhere")
        person.do(acts.Accept())
        assert person.state.preview is not None
        (tmp_path / "elsewhere").rename(folder)
        person.do(acts.Accept())
        assert person.state.preview is None
    with Store.open(folder) as store:
        assert len(store.annotations()) == 1


@LINUX
def test_a_disk_that_is_taken_away_refuses_the_accept(small_disk: Path) -> None:
    folder = folder_of(small_disk / "images", "a.png")
    with Store.open(folder) as store:
        store.accept(accepted(), WIDTH, HEIGHT)
        subprocess.run(["umount", "-l", str(small_disk)], check=True)
        with pytest.raises(StoreError, match="disk taken away"):
            store.accept(accepted(), WIDTH, HEIGHT)
    subprocess.run(["mount", "-t", "tmpfs", "none", str(small_disk)], check=True)  # for the fixture to take down


def test_the_projects_writes_are_still_synchronised(folder: Path) -> None:
    with Store.open(folder) as store:
        assert store._db.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert store._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    with closing(sqlite3.connect(folder / ".samtta" / "project.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
