"""Files appear whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from samtta_app.core.files import staged, write_whole


def test_a_file_takes_the_place_of_the_older_one(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    for data in (b"old", b"newer"):
        write_whole(path, data)
        assert path.read_bytes() == data
    assert [p.name for p in tmp_path.iterdir()] == ["x.bin"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_a_write_that_fails_leaves_the_older_file_and_no_partial_one(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "x.bin"
    write_whole(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            write_whole(path, b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.bin"]


def test_a_set_of_files_appears_together_with_its_folders(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "out"
    with staged(folder) as stage:
        (stage / "sub").mkdir()
        (stage / "sub" / "a").write_text("1")
        (stage / "b").write_text("2")
        assert [p for p in folder.iterdir() if p != stage] == []
    assert sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()) == sorted(
        ["b", str(Path("sub", "a"))]
    )


def test_when_one_fails_none_appears_and_older_ones_stay(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")

    def fail() -> None:
        with staged(tmp_path) as stage:
            (stage / "a").write_text("new")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "old")]


def test_a_folder_made_for_nothing_is_removed_again(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), staged(tmp_path / "new"):
        raise ValueError("broken")
    assert not (tmp_path / "new").exists()


def test_a_file_in_the_place_of_the_folder_is_an_oserror(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(OSError, match="taken"), staged(tmp_path / "taken"):
        pass


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_written_file_can_be_read_by_whoever_may_read_the_persons_other_files(tmp_path: Path) -> None:
    (tmp_path / "usual").write_bytes(b"")
    write_whole(tmp_path / "ours", b"data")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode
