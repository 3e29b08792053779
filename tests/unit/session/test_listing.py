"""Which files are images, and their order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samtta_app.errors import ProjectError
from samtta_app.session.listing import entries, image_files, natural


def names(folder: Path) -> list[str]:
    return [path.name for path in image_files(folder)]


def test_numbers_count_as_numbers_and_case_does_not_matter(tmp_path: Path) -> None:
    for name in ("cell10.png", "Cell2.png", "cell1.PNG", "b.tif", "A.jpeg"):
        (tmp_path / name).touch()
    assert names(tmp_path) == ["A.jpeg", "b.tif", "cell1.PNG", "Cell2.png", "cell10.png"]


def test_every_kind_of_image_is_listed_and_nothing_else(tmp_path: Path) -> None:
    for suffix in ("png", "jpg", "JPEG", "bmp", "tif", "tiff", "webp", "txt", "json", "db"):
        (tmp_path / f"x.{suffix}").touch()
    (tmp_path / ".hidden.png").touch()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / ".samtta").mkdir()
    (tmp_path / "noending").touch()
    assert {Path(n).suffix for n in names(tmp_path)} == {".png", ".jpg", ".JPEG", ".bmp", ".tif", ".tiff", ".webp"}
    assert len(names(tmp_path)) == 7


@given(st.lists(st.text(min_size=0, max_size=12), max_size=12))
def test_any_names_can_be_ordered_and_the_order_is_total(found: list[str]) -> None:
    backwards = found[::-1]
    assert sorted(backwards, key=natural) == sorted(found, key=natural)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="cannot be read"):
        image_files(tmp_path / "absent")


def test_images_that_are_gone_are_listed_only_with_objects(tmp_path: Path) -> None:
    (tmp_path / "b.png").touch()
    found = entries(tmp_path, image_files(tmp_path), {"a.png": 2, "b.png": 1, "c.png": 0})
    assert [(e.name, e.status, e.objects, bool(e.text)) for e in found] == [
        ("a.png", "unreadable", 2, True),
        ("b.png", "annotated", 1, False),
    ]
