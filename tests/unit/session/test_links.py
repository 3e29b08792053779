"""Only what samtta made is opened, written or deleted: links, pipes and files of other names stay as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from samtta_app.errors import ProjectError
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of, report

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need rights there that a test does not have")


def finished(folder: Path, project: Path | None = None) -> Path:
    """A project with one object and one version of the weights; its own folder."""
    with Store.open(folder, project) as store:
        saved = store.accept(accepted(), WIDTH, HEIGHT)
        store.log_adaptation(report(saved.id, 1))
        return store.home


def contents(place: Path) -> dict[str, bytes]:
    return {str(p.relative_to(place)): p.read_bytes() for p in place.rglob("*") if p.is_file() and not p.is_symlink()}


# --- files that are deleted -------------------------------------------------------------------------------------------


def test_only_our_own_unfinished_files_are_deleted(folder: Path, tmp_path: Path) -> None:
    weights = finished(folder) / "weights"
    mine = (
        ".vimrc",
        ".v0001.safetensors",
        ".v0001.safetensors.abc",
        ".v1.safetensors.abcdefgh",
        "v0001.safetensors.old",
    )
    for name in mine:
        (weights / name).write_text("mine")
    (tmp_path / "elsewhere").write_text("mine, too")
    (weights / ".v0007.safetensors.link0000").symlink_to(tmp_path / "elsewhere")
    (weights / ".v0007.safetensors.folder00").mkdir()
    (weights / ".v0007.safetensors.abcd_123").write_text("cut short")
    with Store.open(folder) as store:
        store.log_adaptation(report(1, 2))
    assert {p.name for p in weights.iterdir()} == {
        *mine,
        ".v0007.safetensors.link0000",
        ".v0007.safetensors.folder00",
        "v0001.safetensors",
        "v0002.safetensors",
    }
    assert (tmp_path / "elsewhere").read_text() == "mine, too"


def test_a_weights_folder_that_becomes_a_link_while_open_is_not_written_through(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".vimrc").write_text("mine")
    (home / ".v0001.safetensors.abcdefgh").write_text("mine")
    store = Store.open(folder)
    saved = store.accept(accepted(), WIDTH, HEIGHT)
    (store.home / "weights").symlink_to(home)
    before = contents(home)
    store.log_adaptation(report(saved.id, 1))
    store.close()
    assert contents(home) == before
    (failure,) = store.weights_failures()
    assert "not a folder" in failure


def test_a_version_that_became_a_link_or_a_pipe_is_not_read(folder: Path, tmp_path: Path) -> None:
    weights = finished(folder) / "weights"
    (tmp_path / "copy").write_bytes((weights / "v0001.safetensors").read_bytes())
    (weights / "v0001.safetensors").unlink()
    (weights / "v0001.safetensors").symlink_to(tmp_path / "copy")
    with Store.open(folder) as store:
        assert store.weights(1) is None
    (weights / "v0001.safetensors").unlink()
    os.mkfifo(weights / "v0001.safetensors")
    with Store.open(folder) as store:
        assert store.weights(1) is None


# --- what lies in the project folder -------------------------------------------------------------------------------------


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "pipe", "folder"])
@pytest.mark.parametrize("name", ["project.db", "project.db-wal", "project.db-shm", "project.db-journal"])
def test_a_database_that_is_no_ordinary_file_is_refused_and_nothing_is_written(
    folder: Path, tmp_path: Path, name: str, kind: str, elsewhere: bool
) -> None:
    project = tmp_path / "project" if elsewhere else None
    place = finished(folder, project) / name
    other = tmp_path / "other"
    other.mkdir()
    place.unlink(missing_ok=True)
    if kind == "link":
        (other / "file").write_bytes(b"")
        place.symlink_to(other / "file")
    elif kind == "dangling link":
        place.symlink_to(other / "file")
    elif kind == "hard link":
        (other / "file").write_bytes(b"")
        os.link(other / "file", place)
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()
    before = contents(other)
    with pytest.raises(ProjectError) as caught:
        Store.open(folder, project)
    assert str(place) in str(caught.value)
    assert "link" in str(caught.value) or "no ordinary file" in str(caught.value)
    assert contents(other) == before


def test_a_device_in_the_place_of_the_database_is_refused(folder: Path) -> None:
    place = finished(folder) / "project.db"
    place.unlink()
    try:
        os.mknod(place, 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("making a device is not permitted here: it takes root with that right")
    with pytest.raises(ProjectError, match="no ordinary file"):
        Store.open(folder)


@pytest.mark.parametrize("target", ["folder", "file", "nothing"])
@pytest.mark.parametrize("name", [".samtta", ".samtta/weights"])
def test_a_folder_of_the_project_that_is_a_link_is_refused(
    folder: Path, tmp_path: Path, name: str, target: str
) -> None:
    other = tmp_path / "other"
    if target == "folder":
        other.mkdir()
        (other / ".vimrc").write_text("mine")
    elif target == "file":
        other.write_text("mine")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).symlink_to(other)
    with pytest.raises(ProjectError, match="a link"):
        Store.open(folder)
    with pytest.raises(ProjectError, match="a link"):
        Store.open(folder, folder / ".samtta")
    if target == "folder":
        assert contents(other) == {".vimrc": b"mine"}


def test_a_folder_of_the_project_that_is_a_file_is_refused_and_kept(folder: Path) -> None:
    (folder / ".samtta").write_text("mine")
    with pytest.raises(ProjectError, match="no ordinary folder"):
        Store.open(folder)
    assert (folder / ".samtta").read_text() == "mine"


# --- ways that lead through links ----------------------------------------------------------------------------------------


def test_images_and_projects_that_are_reached_through_links_go_on_working(tmp_path: Path) -> None:
    folder_of(tmp_path / "disk" / "images", "a.png")
    (tmp_path / "images").symlink_to(tmp_path / "disk" / "images")
    finished(tmp_path / "images")
    with Store.open(tmp_path / "images") as store:
        assert len(store.annotations()) == 1
    (tmp_path / "disk" / "projects").mkdir()
    (tmp_path / "project").symlink_to(tmp_path / "disk" / "projects")
    finished(tmp_path / "images", tmp_path / "project")
    with Store.open(tmp_path / "project") as store:
        assert store.folder == tmp_path / "images"
        assert len(store.annotations()) == 1


@pytest.mark.parametrize("command", ["stats", "export"])
def test_the_command_line_refuses_a_linked_database_in_one_line(folder: Path, tmp_path: Path, command: str) -> None:
    home = finished(folder)
    (home / "project.db").rename(tmp_path / "real.db")
    (home / "project.db").symlink_to(tmp_path / "real.db")
    before = (tmp_path / "real.db").read_bytes()
    options = ["--format", "png"] if command == "export" else []
    words = [sys.executable, "-m", "samtta_app", command, str(folder), *options, "--out", str(tmp_path / "out")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2
    assert "a link" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "real.db").read_bytes() == before
