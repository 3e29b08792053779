"""Weights files are whole or absent, and nobody waits for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from samtta_app.session.project import weight_files
from samtta_app.session.project.weight_files import WeightsFolder, sha256_hex


@pytest.fixture
def files(tmp_path: Path) -> Iterator[WeightsFolder]:
    folder = WeightsFolder(tmp_path / "weights")
    yield folder
    folder.close()


def test_what_was_written_is_read(files: WeightsFolder) -> None:
    files.write(7, b"seven")
    files.close()
    assert files.path(7).name == "v0007.safetensors"
    assert files.read(7, sha256_hex(b"seven")) == b"seven"


def test_a_file_that_is_missing_cut_or_another_is_not_read(files: WeightsFolder) -> None:
    files.write(7, b"seven")
    files.close()
    assert files.read(8, sha256_hex(b"eight")) is None
    assert files.read(7, sha256_hex(b"other")) is None
    files.path(7).write_bytes(b"sev")
    assert files.read(7, sha256_hex(b"seven")) is None


def test_writing_does_not_wait_for_the_disk(files: WeightsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, real = threading.Event(), weight_files.write_whole

    def write(path: Path, data: bytes) -> None:
        assert slow.wait(60)
        real(path, data)

    monkeypatch.setattr(weight_files, "write_whole", write)
    files.write(1, b"one")
    assert files.read(1, sha256_hex(b"one")) == b"one", "what waits for the disk is known"
    assert files.read(1, sha256_hex(b"other")) is None
    assert not files.path(1).exists()
    slow.set()
    files.close()
    assert files.read(1, sha256_hex(b"one")) == b"one"


def test_old_files_go_only_after_the_new_one_is_there(files: WeightsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(1, b"one")
    files.close()
    later = WeightsFolder(files.path(1).parent)

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weight_files, "write_whole", full)
    later.write(2, b"two", discard=[1])
    later.close()
    assert ["No space" in reason for reason in later.failures()] == [True]
    assert files.path(1).exists()
    assert not files.path(2).exists()


@pytest.mark.parametrize("tidy", [True, False])
def test_what_a_killed_process_left_half_written_goes_when_the_folder_is_opened(tmp_path: Path, tidy: bool) -> None:
    half, vimrc, link = (tmp_path / n for n in (".v0002.safetensors.tlh0non_", ".vimrc", ".v0003.safetensors.abcdefgh"))
    half.write_bytes(b"se")
    vimrc.write_text("set number")
    link.symlink_to(vimrc)
    WeightsFolder(tmp_path, tidy=tidy).close()
    assert half.exists() is not tidy
    assert vimrc.exists()
    assert link.is_symlink()


def test_a_folder_that_is_a_link_or_not_there_is_not_tidied(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".v0002.safetensors.tlh0non_").write_bytes(b"se")
    (tmp_path / "weights").symlink_to(home)
    for name in ("weights", "nowhere"):
        files = WeightsFolder(tmp_path / name, tidy=True)
        files.close()
        assert files.failures() == []
    assert len(list(home.iterdir())) == 1
    assert not (tmp_path / "nowhere").exists()
