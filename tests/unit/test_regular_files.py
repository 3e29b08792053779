"""Only regular files of a bounded size are read, and what is no JSON is refused in one way."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from samtta_app.bench.click_rows import read_click_rows
from samtta_app.datasets.folder import open_dataset
from samtta_app.errors import UserError
from samtta_app.formats.coco import COCO
from samtta_app.regular_files import read_bytes, read_json, read_text
from samtta_app.train.compact.recipe import read_recipe
from samtta_app.train.data.labelled_images import image_paths
from tests.unit.train.material import write_set


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_bytes(tmp_path / "a", 5) == b"12345"
    with pytest.raises(OSError, match="larger than 0 MB"):
        read_bytes(tmp_path / "a", 4)


def test_text_that_is_not_utf_8_is_a_value_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xff")
    with pytest.raises(UnicodeDecodeError):
        read_text(tmp_path / "a", 9)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "1" * 5000, "\x00"])
def test_what_is_no_json_is_a_value_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_text(text)
    with pytest.raises(ValueError, match=r"."):
        read_json(tmp_path / "a")


NOT_FILES = ["folder", "pipe", "/dev/zero", "nowhere"]


def put(path: Path, kind: str) -> None:
    """Something else in the place of a file."""
    path.unlink(missing_ok=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(kind)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in folders")
@pytest.mark.parametrize("kind", NOT_FILES)
def test_what_is_no_file_is_an_os_error_at_once(tmp_path: Path, kind: str) -> None:
    put(tmp_path / "a", kind)
    with pytest.raises(OSError, match=r"."):
        read_bytes(tmp_path / "a", 100)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in folders")
@pytest.mark.parametrize("kind", NOT_FILES[:3])
@pytest.mark.parametrize("name", ["split.json", "classes.json"])
def test_lists_of_a_data_set_that_are_no_files_are_refused_in_words(tmp_path: Path, name: str, kind: str) -> None:
    folder = write_set(tmp_path / "set")
    put(folder / name, kind)
    with pytest.raises(UserError, match=name):
        open_dataset(folder)
    if name == "split.json":
        with pytest.raises(UserError, match=name):
            image_paths(folder, "train")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in folders")
@pytest.mark.parametrize("kind", NOT_FILES[:3])
def test_records_recipes_and_exports_that_are_no_files_are_refused_in_words(tmp_path: Path, kind: str) -> None:
    put(tmp_path / "a.jsonl", kind)
    if kind != "folder":  # a folder of records is read through
        with pytest.raises(UserError, match=r"a\.jsonl"):
            read_click_rows([tmp_path / "a.jsonl"])
    put(tmp_path / "a.toml", kind)
    with pytest.raises(UserError, match=r"a\.toml"):
        read_recipe(tmp_path / "a.toml")
    put(tmp_path / "a.json", kind)
    with pytest.raises(UserError, match=r"a\.json|annotations\.json"):
        next(COCO.read(tmp_path / "a.json"))


@pytest.mark.parametrize("text", ["seed = " + "1" * 5000, "a = " + "[" * 2000 + "]" * 2000])
def test_a_recipe_of_endless_digits_or_brackets_is_refused_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(UserError, match="cannot be read"):
        read_recipe(tmp_path / "a.toml")
