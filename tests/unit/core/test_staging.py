"""Sets of files: old or new whatever happens, only inside their folder, never over or instead of a user's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from samtta_app.core.atomic_exchange import exchanged
from samtta_app.core.files import marked, path_inside, staged
from samtta_app.errors import ExportError
from tests.unit.forks import ROOT, Forks, forks

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links, signals and modes of POSIX")

OURS = b"ours"
"""Files that begin so are from an earlier run."""
FIRST = {"legend": "ours 1", "a/x": "ours 1", "a/gone": "ours 1", "b/x": "ours 1"}
SECOND = {"legend": "ours 2", "a/x": "ours 2", "a/new": "ours 2", "b/x": "ours 2"}


def earlier(folder: Path) -> list[str]:
    files = content(folder).items()
    return [name for name, text in files if text.encode().startswith(OURS) and not name.startswith(".samtta")]


def write(folder: Path, files: Mapping[str, str]) -> None:
    with staged(folder, earlier) as stage:
        for name, text in files.items():
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            (stage / name).write_text(text)


def content(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def hidden(folder: Path) -> list[str]:
    return [p.name for home in (folder, folder.parent) for p in home.iterdir() if p.name.startswith(".samtta")]


@pytest.mark.parametrize("with_user_files", [False, True])
def test_a_second_run_takes_away_what_it_does_not_write_again(tmp_path: Path, with_user_files: bool) -> None:
    out = tmp_path / "out"
    write(out, FIRST)
    user = {"notes.txt": "mine", "a/own.png": "mine"} if with_user_files else {}
    for name, text in user.items():
        (out / name).write_text(text)
    write(out, SECOND)
    assert content(out) == {**SECOND, **user}
    write(out, {"legend": "ours 3"})
    assert content(out) == {"legend": "ours 3", **user}
    assert (out / "b").exists() is False
    assert hidden(out) == []


@pytest.mark.parametrize("name", ["legend", "a/new", "a"])
def test_a_file_of_the_user_in_the_way_is_refused_and_all_stays(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    first = {key: text for key, text in FIRST.items() if not f"{key}/".startswith(f"{name}/")}
    write(out, first)
    (out / name).parent.mkdir(exist_ok=True)
    if (out / name).is_dir():
        (out / name).rmdir()
    (out / name).write_text("mine")
    before = content(out)
    with pytest.raises(ExportError, match=rf"not from an earlier export.*{name}"):
        write(out, SECOND)
    assert content(out) == before
    assert hidden(out) == []


@POSIX
@pytest.mark.parametrize("link", ["a", "b", "legend", "a/new"])
def test_a_link_that_leads_outside_is_refused_and_what_it_leads_to_stays(tmp_path: Path, link: str) -> None:
    out, outside = tmp_path / "out", tmp_path / "photos"
    outside.mkdir()
    for name in ("x", "new", "legend"):
        (outside / name).write_text("ours, but not here")
    (out / link).parent.mkdir(parents=True)
    (out / link).symlink_to(outside if link in ("a", "b") else outside / Path(link).name)
    before = content(outside)
    with pytest.raises(ExportError, match=r"outside|not from an earlier export"):
        write(out, SECOND)
    assert content(outside) == before
    assert (out / link).is_symlink()


@POSIX
def test_a_folder_that_is_named_by_a_link_is_written_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for files in (FIRST, SECOND):
        write(tmp_path / "link", files)
        assert content(tmp_path / "real") == files
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "..", "a/.."])
def test_a_name_that_leads_out_has_no_place_inside(tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportError, match="outside"):
        path_inside(tmp_path, name)
    assert path_inside(tmp_path, "a/b") == tmp_path / "a" / "b"


@POSIX
def test_the_folder_keeps_its_permissions_and_new_files_are_readable(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, FIRST)
    assert (out.stat().st_mode & 0o777) == 0o777 & ~_umask()
    out.chmod(0o750)
    write(out, SECOND)
    assert (out.stat().st_mode & 0o777) == 0o750
    assert content(out) == SECOND


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_folder_that_a_process_stands_in_stays_the_same_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write(out, FIRST)
    monkeypatch.chdir(out)
    write(Path(), SECOND)
    assert content(Path()) == content(out) == SECOND


def test_what_a_user_saved_there_while_files_were_written_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, FIRST)
    with staged(out, earlier) as stage:
        (stage / "legend").write_text("ours 2")
        (out / "late.txt").write_text("mine")
    assert content(out) == {"legend": "ours 2", "late.txt": "mine"}


def test_files_are_ones_own_by_the_mark_in_their_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,name\n1,x\n")
    (tmp_path / "b.csv").write_text("name,id\n")
    (tmp_path / "c.csv").mkdir()
    assert list(marked(dict.fromkeys(("a.csv", "b.csv", "c.csv", "d.csv"), b"id,name"))(tmp_path)) == ["a.csv"]


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="no other system swaps folders in one step")
def test_two_folders_are_swapped_in_one_step(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "which").write_text(name)
    assert exchanged(tmp_path / "a", tmp_path / "b")
    assert ((tmp_path / "a" / "which").read_text(), (tmp_path / "b" / "which").read_text()) == ("b", "a")
    assert not exchanged(tmp_path / "a", tmp_path / "absent")


# --- several at once --------------------------------------------------------------------------------------------------


def test_a_second_process_or_thread_is_refused_while_the_first_one_writes(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with staged(out, earlier) as stage:
        (stage / "legend").write_text("ours 1")
        with pytest.raises(ExportError, match="Another export is writing"):
            write(out, SECOND)
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(out), "", "0"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120, check=False)
        assert b"Another export is writing" in done.stderr
        write(tmp_path / "elsewhere", FIRST)
        write(tmp_path, {"other": "ours"})
    assert content(out) == {"legend": "ours 1"}
    write(out, SECOND)
    assert content(out) == SECOND


# --- killed -----------------------------------------------------------------------------------------------------------

KILLED = """
    import os, signal, sys
    from pathlib import Path
    import samtta_app.core.files as files
    from samtta_app.errors import ExportError
    from tests.unit.core.test_staging import SECOND, write

    out, step, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

    def deadly(real):
        def call(*arguments, **more):
            global number
            number -= 1
            if number == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **more)
        return call

    if step:
        for name in ("rename", "replace", "mkdir", "rmdir", "unlink", "chmod", "fsync"):
            setattr(os, name, deadly(getattr(os, name)))
        files.exchanged = deadly(files.exchanged)
        if step == "without swapping":
            files.exchanged = lambda one, other: False
    try:
        write(out, SECOND)
    except ExportError as error:
        sys.exit(str(error))
    print("whole")
"""


@pytest.fixture(scope="module")
def program() -> Iterator[Forks]:
    """Another process, which writes and may be killed."""
    with forks("samtta_app.core.files", "tests.unit.core.test_staging") as loaded:
        yield loaded


@POSIX
@pytest.mark.parametrize("number", range(1, 26, 2))
def test_a_killed_run_leaves_the_old_set_or_the_new_one(program: Forks, tmp_path: Path, number: int) -> None:
    """Killed at this call that changes the disk; a run has some twenty of them, so that the last numbers end whole."""
    out = tmp_path / "out"
    write(out, FIRST)
    done = program.run(KILLED, out, "swapping", number)
    assert done.code == -signal.SIGKILL or (done.code, done.said) == (0, "whole\n"), done.said
    assert content(out) in (FIRST, SECOND)
    write(out, SECOND)
    assert content(out) == SECOND
    assert hidden(out) == []


@POSIX
@pytest.mark.parametrize("number", range(1, 60, 5))
def test_what_a_killed_run_left_among_a_users_files_is_done_by_the_next(
    program: Forks, tmp_path: Path, number: int
) -> None:
    out, user = tmp_path / "out", {"notes.txt": "mine", "a/own": "mine"}
    write(out, FIRST)
    for name, text in user.items():
        (out / name).write_text(text)
    done = program.run(KILLED, out, "without swapping", number)
    assert done.code == -signal.SIGKILL or (done.code, done.said) == (0, "whole\n"), done.said
    assert {name: text for name, text in content(out).items() if name in user} == user
    write(out, {"legend": "ours 3"})
    assert content(out) == {"legend": "ours 3", **user}
    assert hidden(out) == []


@POSIX
def test_only_what_is_surely_a_leftover_is_removed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, FIRST)
    older, backup, link = out / ".samtta-ab3_cd9x", out / ".samtta-mybackup", out / ".samtta-zzzzzzzz"
    older.mkdir(0o700)
    (older / "legend").write_text("half")
    backup.mkdir()
    (backup / "legend").write_text("mine")
    foreign = out / ".samtta-here-notes123"
    foreign.mkdir()
    (foreign / "diary.txt").write_text("mine")
    link.symlink_to(backup)
    write(out, SECOND)
    assert not older.exists()
    assert (backup / "legend").read_text() == (foreign / "diary.txt").read_text().replace("diary", "") == "mine"
    assert link.is_symlink()


@POSIX
@pytest.mark.parametrize(
    "plan", ['{"whole": ["../photos"], "files": []}', '{"whole": [], "files": ["../photos/p"]}', "{"]
)
def test_a_planted_plan_moves_nothing_out_of_or_outside_the_folder(tmp_path: Path, plan: str) -> None:
    out, photos = tmp_path / "out", tmp_path / "photos"
    out.mkdir()
    photos.mkdir()
    (photos / "p").write_text("mine")
    planted = out / ".samtta-here-abcdefgh"
    for part in ("new", "old"):
        (planted / part).mkdir(parents=True)
    (planted / "plan.json").write_text(plan)
    write(out, FIRST)
    assert content(photos) == {"p": "mine"}
