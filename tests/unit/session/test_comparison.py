"""Two annotators' projects are compared: images by content or name, objects one to one, and nothing of the other changes."""

from __future__ import annotations

import csv
import io
import math
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from samtta_app.core.object_notes import ObjectNote
from samtta_app.errors import ProjectError, UserError
from samtta_app.session.project.comparison import (
    AGREEMENT_COLUMNS,
    ALL_CLASSES,
    MATCHED_FROM,
    SAME_PROJECT,
    agreement_csv,
    agreement_of,
    compare_projects,
    matched_masks,
)
from samtta_app.session.project.store import Store
from samtta_app.session.review_list import ClassAgreement, ProjectComparison, ReviewItem
from tests.unit.session.annotators import ANNA, BEN, Two, contents, fill, two_projects
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of
from tests.unit.values import disc

NAN = float("nan")


@pytest.fixture
def both(tmp_path: Path) -> Two:
    return two_projects(tmp_path)


def compared(both: Two) -> ProjectComparison:
    with Store.open(both.mine) as mine:
        return compare_projects(mine, both.theirs)


# --- objects ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "theirs", "pairs"),
    [
        ((), (), []),
        (((20, 20, 10),), (), []),
        ((), ((20, 20, 10),), []),
        (((20, 20, 10),), ((20, 20, 10),), [(0, 0)]),
        (((20, 20, 10),), ((80, 60, 10),), []),
        (((20, 20, 10), (80, 60, 10)), ((80, 60, 10), (20, 20, 10)), [(0, 1), (1, 0)]),
        (((40, 40, 20),), ((40, 40, 9),), []),
        (((40, 40, 20),), ((40, 40, 9), (42, 40, 18)), [(0, 1)]),
        (((40, 40, 12), (46, 40, 12)), ((46, 40, 12),), [(1, 0)]),
        (((40, 40, 12), (46, 40, 12)), ((43, 40, 12), (49, 40, 12)), [(0, 0), (1, 1)]),
    ],
    ids=[
        "nothing",
        "only here",
        "only there",
        "the same",
        "elsewhere",
        "crossed",
        "a nucleus in its cell",
        "the better of two",
        "one for two",
        "the best sum, not the best first pair",
    ],
)
def test_masks_are_matched_one_to_one(
    mine: tuple[tuple[int, int, int], ...],
    theirs: tuple[tuple[int, int, int], ...],
    pairs: list[tuple[int, int]],
) -> None:
    here, there = ([disc(*place) for place in places] for places in (mine, theirs))
    found = matched_masks(here, there)
    assert [(row, column) for row, column, _ in found] == pairs
    assert all(MATCHED_FROM <= overlap <= 1 for *_, overlap in found)


def test_the_sum_of_overlaps_is_greatest() -> None:
    """Taking the best pair first would leave the other two without a partner."""
    here = [disc(40, 40, 12), disc(52, 40, 12)]
    there = [disc(46, 40, 12), disc(34, 40, 12)]
    assert sorted((row, column) for row, column, _ in matched_masks(here, there)) == [(0, 1), (1, 0)]


# --- projects ---------------------------------------------------------------------------------------------------------


def test_every_kind_of_difference_is_found_and_what_agrees_is_not(both: Two) -> None:
    found = compared(both)
    assert (found.other, found.images, found.remarks) == ("ben", 2, ())
    said = [(item.image, item.object_id, item.reason, item.class_name, item.their_class) for item in found.differences]
    assert said == [
        ("a.png", 2, "differs", "cell", "cell"),
        ("a.png", 3, "here", "cell", ""),
        ("b.png", 4, "class", "cell", "debris"),
        ("b.png", None, "there", "", "cell"),
    ]
    by_reason = {item.reason: item for item in found.differences}
    assert by_reason["differs"].value == pytest.approx(64 / 144, abs=0.03)
    assert by_reason["class"].value == 1.0
    assert math.isnan(by_reason["here"].value)
    theirs = by_reason["there"].theirs
    assert theirs is not None
    assert theirs.annotator == "ben"
    assert by_reason["here"].key == (3, "")
    assert by_reason["there"].key == (0, f"{theirs.id}:{theirs.created}")


def test_agreement_is_told_over_all_and_by_class(both: Two) -> None:
    every, cell, debris = compared(both).agreement
    assert (every.name, every.matched, every.here, every.there, every.relabelled) == ("", 4, 1, 1, 1)
    assert (cell.name, cell.matched, cell.here, cell.there, cell.relabelled) == ("cell", 4, 1, 1, 1)
    assert (debris.name, debris.matched, debris.here, debris.there) == ("debris", 0, 0, 0)
    assert math.isnan(debris.mean_iou)
    assert every.mean_iou == pytest.approx((1 + 64 / 144 + 1 + 0.91) / 4, abs=0.03)


def test_a_project_that_is_the_same_agrees_in_all(tmp_path: Path) -> None:
    found = compared(two_projects(tmp_path, BEN, BEN))
    assert found.differences == ()
    assert found.agreement[0].mean_iou == 1.0
    assert (found.agreement[0].matched, found.agreement[0].relabelled) == (5, 0)


@pytest.mark.parametrize(
    ("mine", "theirs", "here", "there"),
    [
        (ANNA, (), 5, 0),
        ((), BEN, 0, 5),
        ((), (), 0, 0),
    ],
)
def test_one_side_may_be_empty(
    tmp_path: Path, mine: tuple[object, ...], theirs: tuple[object, ...], here: int, there: int
) -> None:
    both = two_projects(tmp_path, mine, theirs)  # type: ignore[arg-type]
    for folder in (both.mine, both.theirs):
        with Store.open(folder) as store:
            for name in ("a.png", "b.png"):
                store.image_opened(name, WIDTH, HEIGHT)
    found = compared(both)
    assert (found.agreement[0].here, found.agreement[0].there) == (here, there)
    assert len(found.differences) == here + there


def test_ignore_regions_are_left_out(both: Two) -> None:
    with Store.open(both.mine) as store:
        store.set_note(3, ObjectNote(ignore=True))
    with Store.open(both.theirs) as store:
        store.set_note(4, ObjectNote(ignore=True))
    assert [item.reason for item in compared(both).differences] == ["differs", "class"]


def test_the_other_project_keeps_every_byte_and_gets_no_file(both: Two) -> None:
    before = contents(both.theirs)
    compared(both)
    assert contents(both.theirs) == before


def test_the_other_project_may_be_read_only_or_named_by_its_own_folder(both: Two) -> None:
    home = both.theirs / ".samtta"
    home.chmod(0o555)
    try:
        with Store.open(both.mine) as mine:
            assert len(compare_projects(mine, home).differences) == 4
    finally:
        home.chmod(0o755)


def test_a_project_that_is_open_elsewhere_is_read_beside_as_it_is_now(both: Two) -> None:
    with Store.open(both.theirs) as theirs:
        theirs.set_deleted(4, True)
        assert [item.reason for item in compared(both).differences] == ["differs", "here", "class"]


def test_an_older_project_is_brought_up_to_date_in_memory_alone(both: Two) -> None:
    database = both.theirs / ".samtta" / "project.db"
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("DROP TRIGGER object_changed")
        for table in ("object_acts", "compared_objects"):
            db.execute(f"DROP TABLE {table}")
        db.execute("ALTER TABLE annotations DROP COLUMN annotator")
        db.execute("DELETE FROM migrations WHERE name = 'object_acts'")
        db.execute("DELETE FROM meta WHERE key = 'annotator'")
    before = contents(both.theirs)
    found = compared(both)
    assert found.other == "ben", "without a name it is called by its folder"
    assert len(found.differences) == 4
    assert contents(both.theirs) == before


def test_without_a_name_the_annotator_is_called_by_the_folder(tmp_path: Path) -> None:
    both = two_projects(tmp_path)
    with Store.open(both.theirs) as store:
        store.sign_as("")
    assert compared(both).other == "ben"


# --- images -----------------------------------------------------------------------------------------------------------

HERE, OTHERWISE = f"{WIDTH}x{HEIGHT}:here", f"{WIDTH}x{HEIGHT}:otherwise"


def seen(folder: Path, **pictures: str) -> None:
    """Images of a project hold these pictures."""
    with Store.open(folder) as store:
        for name, picture in pictures.items():
            store.image_opened(f"{name}.png", WIDTH, HEIGHT, picture)


def test_an_image_with_another_name_is_known_by_its_content(tmp_path: Path) -> None:
    both = Two(tmp_path / "anna", tmp_path / "ben")
    fill(folder_of(both.mine, "plate.png"), (("plate.png", 20, 20, 10, "cell"),), "anna", picture=HERE)
    fill(folder_of(both.theirs, "copy.png"), (("copy.png", 60, 50, 10, "cell"),), "ben", picture=HERE)
    found = compared(both)
    assert [(item.image, item.reason) for item in found.differences] == [("plate.png", "here"), ("plate.png", "there")]


def test_of_two_equal_pictures_that_of_the_same_name_is_meant(tmp_path: Path) -> None:
    both = two_projects(tmp_path)
    for folder in (both.mine, both.theirs):
        seen(folder, a=HERE, b=HERE)
    assert len(compared(both).differences) == 4


def test_other_pixels_under_the_same_name_are_said(tmp_path: Path) -> None:
    both = two_projects(tmp_path)
    seen(both.mine, a=HERE)
    seen(both.theirs, a=OTHERWISE)
    found = compared(both)
    assert found.remarks == ("a.png: not the same picture in both projects, compared by its name",)
    assert len(found.differences) == 4


def test_an_image_of_another_size_is_named_and_not_compared(tmp_path: Path) -> None:
    both = two_projects(tmp_path)
    with Store.open(both.theirs) as store:
        store.image_opened("b.png", 64, 48)
    found = compared(both)
    assert found.images == 1
    assert found.remarks == ("b.png: 128 x 96 pixels here, 64 x 48 there, so it was not compared",)
    assert {item.image for item in found.differences} == {"a.png"}


def test_an_image_that_was_never_opened_here_is_known_by_its_name(tmp_path: Path) -> None:
    both = two_projects(tmp_path, ANNA[:3])
    found = compared(both)
    assert [item.reason for item in found.differences if item.image == "b.png"] == ["there"] * 3


# --- bad input --------------------------------------------------------------------------------------------------------


def refusal(both: Two, place: Path) -> str:
    with Store.open(both.mine) as mine, pytest.raises(UserError) as refused:
        compare_projects(mine, place)
    return str(refused.value)


def test_a_folder_without_a_project_is_refused(both: Two, tmp_path: Path) -> None:
    for place in (tmp_path, folder_of(tmp_path / "bare"), tmp_path / "nowhere", both.mine / "a.png"):
        before = contents(tmp_path / "bare") if (tmp_path / "bare").exists() else {}
        assert "no samtta project here" in refusal(both, place)
        assert contents(tmp_path / "bare") == before or not before


def test_the_same_project_is_refused(both: Two, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(both.mine)
    for place in (both.mine, both.mine / ".samtta", tmp_path / "link"):
        assert SAME_PROJECT in refusal(both, place)


def test_a_newer_project_is_refused(both: Two) -> None:
    with closing(sqlite3.connect(both.theirs / ".samtta" / "project.db")) as db, db:
        db.execute("INSERT INTO migrations VALUES ('holograms', 'now')")
    assert "newer samtta (holograms)" in refusal(both, both.theirs)


def test_a_foreign_database_is_refused(both: Two, tmp_path: Path) -> None:
    home = folder_of(tmp_path / "foreign") / ".samtta"
    home.mkdir()
    with closing(sqlite3.connect(home / "project.db")) as db, db:
        db.execute("CREATE TABLE birds (name TEXT)")
    assert "not a samtta project" in refusal(both, home.parent)


def test_what_is_no_database_is_refused(both: Two, tmp_path: Path) -> None:
    home = folder_of(tmp_path / "broken") / ".samtta"
    home.mkdir()
    (home / "project.db").write_bytes(b"nothing of the kind" * 100)
    assert "damaged" in refusal(both, home.parent)


def test_an_empty_database_is_refused(both: Two, tmp_path: Path) -> None:
    home = folder_of(tmp_path / "hollow") / ".samtta"
    home.mkdir()
    (home / "project.db").touch()
    assert "Nothing was ever stored" in refusal(both, home.parent)


def test_no_image_in_common_is_said(both: Two, tmp_path: Path) -> None:
    fill(folder_of(tmp_path / "cats", "cat.png"), (("cat.png", 20, 20, 10, "cat"),), "carl")
    assert "no image in common" in refusal(both, tmp_path / "cats")


def test_only_images_of_another_size_are_none_in_common_and_one_is_named(tmp_path: Path) -> None:
    both = two_projects(tmp_path)
    with Store.open(both.theirs) as store:
        for name in ("a.png", "b.png"):
            store.image_opened(name, 64, 48)
    said = refusal(both, both.theirs)
    assert "no image in common" in said
    assert "a.png: 128 x 96 pixels here, 64 x 48 there" in said


def test_a_link_in_the_place_of_the_database_is_refused(both: Two, tmp_path: Path) -> None:
    home = folder_of(tmp_path / "linked") / ".samtta"
    home.mkdir()
    (home / "project.db").symlink_to(both.theirs / ".samtta" / "project.db")
    assert "a link" in refusal(both, home.parent)


def test_a_damaged_object_is_left_out_and_named(both: Two) -> None:
    with closing(sqlite3.connect(both.theirs / ".samtta" / "project.db")) as db, db:
        db.execute("UPDATE annotations SET rle = X'00' WHERE id = 4")
    found = compared(both)
    assert [item.reason for item in found.differences] == ["differs", "here", "class"]
    assert len(found.remarks) == 1
    assert "object 4" in found.remarks[0]


def test_reading_can_be_stopped(both: Two) -> None:
    def stop(done: float, words: str) -> None:
        raise ProjectError(f"stopped at {words}")

    with Store.open(both.mine) as mine, pytest.raises(ProjectError, match=r"stopped at a\.png"):
        compare_projects(mine, both.theirs, stop)


def test_a_copy_of_ones_own_project_is_another_project(both: Two, tmp_path: Path) -> None:
    shutil.copytree(both.mine, tmp_path / "copy")
    with Store.open(both.mine) as mine:
        assert compare_projects(mine, tmp_path / "copy").differences == ()


def test_a_real_picture_that_was_compressed_otherwise_is_the_same(tmp_path: Path) -> None:
    from samtta_app.images.read import read_image
    from samtta_app.session.project.pictures import picture_of

    both = Two(tmp_path / "anna", tmp_path / "ben")
    pixels = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    for folder, name, level in ((both.mine, "x.png", 0), (both.theirs, "y.png", 9)):
        folder.mkdir()
        cv2.imwrite(str(folder / name), pixels, [cv2.IMWRITE_PNG_COMPRESSION, level])
        fill(folder, ((name, 20, 20, 10, "cell"),), "someone", picture=picture_of(read_image(folder / name)))
    assert compared(both).agreement[0].mean_iou == 1.0


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_is_read_back_as_it_was(both: Two) -> None:
    rows = list(csv.reader(io.StringIO(agreement_csv(compared(both).agreement))))
    assert rows[0] == list(AGREEMENT_COLUMNS)
    assert rows[1][0] == ALL_CLASSES
    assert [row[0] for row in rows[2:]] == ["cell", "debris"]
    assert rows[1][1:2] + rows[1][3:] == ["4", "1", "1", "1"]
    assert 0.8 < float(rows[1][2]) < 0.9
    assert rows[3] == ["debris", "0", "", "0", "0", "0"]


def test_a_spreadsheet_runs_no_name_of_a_class() -> None:
    table = agreement_csv([ClassAgreement("=1+1", 1, 0.5, 0, 0, 0)])
    assert "'=1+1,1,0.5000" in table


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ((), (0, NAN, 0, 0, 0)),
        ((ReviewItem("a", 1, "here", NAN, "x"),), (0, NAN, 1, 0, 0)),
        ((ReviewItem("a", None, "there", NAN, "", accepted(), "x"),), (0, NAN, 0, 1, 0)),
        ((ReviewItem("a", 1, "differs", 0.5, "x", accepted(), "x"),), (1, 0.5, 0, 0, 0)),
        (
            (
                ReviewItem("a", 1, "differs", 0.5, "x", accepted(), "x"),
                ReviewItem("a", 2, "class", 0.7, "x", accepted(), "y"),
            ),
            (2, 0.6, 0, 0, 1),
        ),
    ],
)
def test_agreement_over_all(items: tuple[ReviewItem, ...], expected: tuple[float, ...]) -> None:
    first = agreement_of(items)[0]
    found = (first.matched, first.mean_iou, first.here, first.there, first.relabelled)
    assert np.allclose(found, expected, equal_nan=True)


def test_a_pair_belongs_to_the_class_that_it_has_here() -> None:
    pair = ReviewItem("a", 2, "class", 0.7, "x", accepted(), "y")
    rows = {one.name: one for one in agreement_of([pair])}
    assert list(rows) == ["", "x", "y"]
    assert (rows["x"].matched, rows["x"].relabelled) == (1, 1)
    assert (rows["y"].matched, rows["y"].relabelled) == (0, 0)


def test_the_key_of_a_difference_names_both_objects() -> None:
    theirs = replace(accepted(), id=7, created="2026-11-28T10:00:00+00:00")
    assert ReviewItem("a", 3, "differs", 0.5, "x", theirs, "x").key == (3, "7:2026-11-28T10:00:00+00:00")
    assert ReviewItem("a", None, "there", NAN, "", theirs, "x").key == (0, "7:2026-11-28T10:00:00+00:00")
    assert ReviewItem("a", 3, "here", NAN, "x").key == (3, "")


def test_a_project_signed_with_the_same_name_goes_by_its_folder(tmp_path: Path) -> None:
    both = two_projects(tmp_path)
    theirs = both.theirs.rename(tmp_path / "copy")
    with Store.open(both.mine) as store:
        store.sign_as("ben")
    with Store.open(both.mine) as store:
        assert compare_projects(store, theirs).other == "copy"
        store.sign_as("anna")
        assert compare_projects(store, theirs).other == "ben"
