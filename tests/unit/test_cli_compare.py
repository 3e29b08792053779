"""samtta compare: the table of agreement, as text and as CSV, and one line for what cannot be compared."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from samtta_app.cli.entry import main
from samtta_app.session.project.store import Store
from tests.unit.session.annotators import BEN, Two, contents, fill, two_projects
from tests.unit.session.scripted import folder_of


def call(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


@pytest.fixture
def both(tmp_path: Path) -> Two:
    return two_projects(tmp_path)


def test_the_table_is_printed(both: Two, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(both.theirs)
    assert call("compare", both.mine, both.theirs) == 0
    said = capsys.readouterr()
    rows = [line.split() for line in said.out.splitlines()]
    assert rows[0] == ["class", "matched", "mean_iou", "only_here", "only_there", "other_class"]
    assert rows[1][:3] == ["all", "classes", "4"]
    assert rows[2][:2] == ["cell", "4"]
    assert rows[3] == ["debris", "0", "0", "0", "0"]
    assert "2 images compared with ben: 4 differences to look at" in said.out
    assert "Compare with another project" in said.out
    assert contents(both.theirs) == before


def test_the_table_is_written_as_csv(both: Two, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "agreement.csv"
    assert call("compare", both.mine, both.theirs, "--out", file) == 0
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [row["class"] for row in rows] == ["all classes", "cell", "debris"]
    assert rows[0]["matched"] == "4"
    assert "agreement.csv" in capsys.readouterr().out


def test_two_that_agree_have_nothing_to_look_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = two_projects(tmp_path, BEN, BEN)
    assert call("compare", both.mine, both.theirs) == 0
    said = capsys.readouterr().out
    assert "no differences to look at" in said
    assert "Compare with another project" not in said


def test_an_image_of_another_size_is_named(both: Two, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(both.theirs) as store:
        store.image_opened("b.png", 64, 48)
    assert call("compare", both.mine, both.theirs) == 0
    assert "b.png: 128 x 96 pixels here, 64 x 48 there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("bare", "no samtta project here"),
        ("nowhere", "no samtta project here"),
        ("anna", "This is the project itself"),
        ("cats", "no image in common"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    both: Two, tmp_path: Path, place: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of(tmp_path / "bare")
    fill(folder_of(tmp_path / "cats", "cat.png"), (("cat.png", 20, 20, 10, "cat"),), "carl")
    assert call("compare", both.mine, tmp_path / place) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_without_a_project_of_ones_own_nothing_is_made(
    both: Two, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = folder_of(tmp_path / "bare")
    assert call("compare", bare, both.theirs) == 2
    assert "no samtta project here" in capsys.readouterr().err
    assert [path.name for path in bare.iterdir()] == ["a.png"]


def test_a_table_that_cannot_be_written_is_one_line(
    both: Two, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("compare", both.mine, both.theirs, "--out", tmp_path / "nowhere" / "table.csv") == 2
    assert "The table was not written" in capsys.readouterr().err
