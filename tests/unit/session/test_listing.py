"""Which files are images, and their order."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samtta_app.errors import ProjectError
from samtta_app.session import acts
from samtta_app.session.project.listing import GONE, entries, image_files, image_names, merged_listing, natural
from samtta_app.session.project.store import Store
from samtta_app.session.state import ImageEntry
from samtta_app.session.workflow.workflow import Workflow
from tests.unit.session.scripted import folder_of


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


@pytest.mark.parametrize(
    "ordered",
    [
        ["a1.png", "a2.png", "a10.png", "a10b.png", "b.png"],
        ["1.png", "2.png", "010.png", "11.png", "x.png"],
        ["img_7 (1).png", "img_7 (2).png", "img_7 (10).png"],
        ["slide-1-2.tif", "slide-1-10.tif", "slide-2-1.tif"],
        ["x1.5.png", "x1.10.png"],
        ["Äpfel2.png", "äpfel10.png"],
        ["\udcff2.png", "\udcff10.png"],
        [f"{'9' * 5000}.png", "x.png"],
    ],
)
def test_the_order_is_that_of_a_person_who_counts(ordered: list[str]) -> None:
    assert sorted({*ordered}, key=natural) == ordered


def test_names_that_count_alike_have_one_order(tmp_path: Path) -> None:
    backwards = ["a01.png", "A1.png", "a1.png"]
    assert sorted(["a1.png", "A1.png", "a01.png"], key=natural) == sorted(backwards, key=natural)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="cannot be read"):
        image_files(tmp_path / "absent")


def test_images_that_are_gone_are_listed_only_with_objects(tmp_path: Path) -> None:
    (tmp_path / "b.png").touch()
    found = entries(tmp_path, image_names(tmp_path), {"a.png": 2, "b.png": 1, "c.png": 0})
    assert [(e.name, e.status, e.objects, bool(e.text)) for e in found] == [
        ("a.png", "unreadable", 2, True),
        ("b.png", "annotated", 1, False),
    ]


# --- listed again ---------------------------------------------------------------------------------------------------


def listed(folder: Path, **objects: int) -> tuple[ImageEntry, ...]:
    """The list of a folder, with so many objects by the names' stems."""
    return entries(folder, image_names(folder), {f"{stem}.png": number for stem, number in objects.items()})


def test_new_files_take_their_places_and_what_is_known_of_the_others_stays(tmp_path: Path) -> None:
    (tmp_path / "b.png").touch()
    before = tuple(replace(entry, status="encoded", worst={"prompt": 0.5}) for entry in listed(tmp_path))
    for name in ("a.png", "c.png"):
        (tmp_path / name).touch()
    after = merged_listing(before, listed(tmp_path))
    assert [entry.name for entry in after] == ["a.png", "b.png", "c.png"]
    assert after[1] is before[0]


@pytest.mark.parametrize("objects", [0, 3])
def test_a_file_that_is_gone_is_marked_and_comes_back_with_its_objects(tmp_path: Path, objects: int) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "b.png").touch()
    before = listed(tmp_path, b=objects)
    (tmp_path / "b.png").unlink()
    gone = merged_listing(before, listed(tmp_path, b=objects))
    assert (gone[1].status, gone[1].text, gone[1].objects) == ("unreadable", GONE, objects)
    assert merged_listing(gone, listed(tmp_path, b=objects)) == gone
    (tmp_path / "b.png").touch()
    assert merged_listing(gone, listed(tmp_path, b=objects)) == before


def test_the_reason_why_an_image_cannot_be_read_stays(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    before = tuple(replace(entry, status="unreadable", text="cut off") for entry in listed(tmp_path))
    assert merged_listing(before, listed(tmp_path)) == before


def test_a_session_lists_its_folder_again_and_stays_where_it_is(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "b.png", "c.png")
    with Store.open(folder) as store:
        workflow = Workflow(store)
        workflow.start()
        workflow.do(acts.OpenImage(1))
        before = workflow.state
        workflow.refresh_images()
        assert workflow.state.images == before.images
        assert workflow.state.message == before.message
        folder_of(tmp_path, "a.png", "d.png")
        workflow.refresh_images()
        assert [entry.name for entry in workflow.state.images] == ["a.png", "b.png", "c.png", "d.png"]
        assert workflow.state.images[workflow.state.index].name == "c.png"
        assert workflow.state.message is not None
        assert "2 new images" in workflow.state.message.text


def test_a_folder_that_is_gone_is_said_and_the_list_stays(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "images", "a.png")
    with Store.open(folder, tmp_path / "project") as store:
        workflow = Workflow(store)
        workflow.start()
        before = workflow.state.images
        folder.rename(tmp_path / "elsewhere")
        workflow.refresh_images()
        assert workflow.state.images == before
        assert workflow.state.message is not None
        assert "cannot be read" in workflow.state.message.text


def test_a_large_folder_is_listed_without_a_look_at_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for k in range(30):
        (tmp_path / f"{k}.png").touch()
    looks: list[object] = []
    real = os.stat

    def noted(path: Any, **choice: Any) -> os.stat_result:
        looks.append(path)
        return real(path, **choice)

    monkeypatch.setattr(os, "stat", noted)
    monkeypatch.setattr(Path, "stat", lambda path, **choice: noted(path, **choice))
    assert len(image_names(tmp_path)) == 30
    assert looks == []
