"""What a user chooses is what is written: classes, sizes, reviewed objects, and a split that stays."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from samtta_app.core.project import Project
from samtta_app.datasets.folder import open_dataset
from samtta_app.errors import ExportError
from samtta_app.formats import FORMATS
from samtta_app.formats.base import ExportStoppedError
from samtta_app.formats.export_choice import SPLIT_PARTS, ExportChoice, chosen_objects, export_project, split_part
from tests.unit.formats.test_folders import content, hidden
from tests.unit.formats.values import annotation, block, project, ring

NAMES = tuple(f"{k}.png" for k in range(1, 31))
THIRDS = (1.0, 1.0, 1.0)


def mixed() -> Project:
    """Objects of both classes, large and small; the second is reviewed."""
    small = annotation(2, block(0, 0, 3, 3), class_id=4)
    return replace(project(annotation(1, ring()), small, annotation(3, ring(), "b.png", 4)), reviewed=frozenset({2}))


def ids(given: Project) -> list[int]:
    return [a.id for a in given.annotations]


@pytest.mark.parametrize(
    ("choice", "kept", "images"),
    [
        (ExportChoice(), [1, 2, 3], 2),
        (ExportChoice(frozenset({"object"})), [1], 1),
        (ExportChoice(frozenset({"Zellkern äöü"})), [2, 3], 2),
        (ExportChoice(least_area=10), [1, 3], 2),
        (ExportChoice(least_area=9), [1, 2, 3], 2),
        (ExportChoice(reviewed=True), [2], 1),
        (ExportChoice(frozenset({"object"}), reviewed=True), [], 0),
    ],
)
def test_only_what_was_chosen_is_exported(choice: ExportChoice, kept: list[int], images: int) -> None:
    found = chosen_objects(mixed(), choice)
    assert ids(found) == kept
    assert len(found.annotated) == images
    assert len(found.images) == 2  # the others are listed


def test_merged_classes_are_one(tmp_path: Path) -> None:
    choice = ExportChoice(merged={"object": "cell", "Zellkern äöü": "cell"})
    export_project(mixed(), FORMATS["coco"], tmp_path, choice)
    found = json.loads((tmp_path / "annotations/instances_default.json").read_text("utf-8"))
    assert [c["name"] for c in found["categories"]] == ["cell"]
    assert {a["category_id"] for a in found["annotations"]} == {found["categories"][0]["id"]}


def test_a_class_can_be_renamed_into_another() -> None:
    found = chosen_objects(mixed(), ExportChoice(merged={"object": "Zellkern äöü"}))
    assert [c.name for c in found.classes] == ["Zellkern äöü"]
    assert {a.class_id for a in found.annotations} == {found.classes[0].id}


@pytest.mark.parametrize("choice", [ExportChoice(frozenset({"nothing"})), ExportChoice(merged={"nothing": "x"})])
def test_a_class_that_does_not_exist_is_refused_with_those_that_do(choice: ExportChoice) -> None:
    with pytest.raises(ExportError, match=r'no class "nothing".*Zellkern äöü, object'):
        chosen_objects(mixed(), choice)


@pytest.mark.parametrize("shares", [(0.0, 0.0, 0.0), (-1.0, 1.0, 1.0), (float("inf"), 1.0, 1.0), (float("nan"),) * 3])
def test_shares_that_make_no_split_are_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(ExportError, match="shares"):
        ExportChoice(shares=shares)
    with pytest.raises(ExportError, match="-1 pixels"):
        ExportChoice(least_area=-1)


# --- splits -----------------------------------------------------------------------------------------------------------


def test_an_image_keeps_its_part_and_another_seed_gives_another_split() -> None:
    parts = {name: split_part(name, (0.8, 0.1, 0.1), 0) for name in map(str, range(2000))}
    shares = [list(parts.values()).count(part) / 2000 for part in SPLIT_PARTS]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.03)
    assert parts != {name: split_part(name, (0.8, 0.1, 0.1), 1) for name in parts}
    assert {split_part(name, (80, 0, 20), 0) for name in parts} == {"train", "test"}


def of_thirty(pictures: Path) -> Project:
    return project(*(annotation(k, ring(), n) for k, n in enumerate(NAMES, 1)), names=NAMES, folder=pictures)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_splits_by_image_and_loses_none(tmp_path: Path, pictures: Path, name: str) -> None:
    form, given_project = FORMATS[name], of_thirty(pictures)
    made = export_project(given_project, form, tmp_path / "out", ExportChoice(shares=THIRDS))
    assert all(path.is_file() for path in made)
    assert set(content(tmp_path / "out")) == {path.relative_to(tmp_path / "out").as_posix() for path in made}
    if form.splits:
        found = [o.image_name for o in form.read(tmp_path / "out")]
    else:
        found = [o.image_name for part in SPLIT_PARTS for o in form.read(tmp_path / "out" / part)]
        assert [o.image_name for o in form.read(tmp_path / "out" / "val")] == [
            n for n in NAMES if split_part(n, THIRDS, 0) == "val"
        ] or name in ("labelme", "geojson", "npz", "tiff")  # in the order of their files
    assert sorted(set(found)) == sorted(NAMES)


def test_a_split_of_yolo_and_of_a_data_set_is_their_own(tmp_path: Path, pictures: Path) -> None:
    choice = ExportChoice(shares=THIRDS, seed=3)
    export_project(of_thirty(pictures), FORMATS["yolo"], tmp_path / "yolo", choice)
    described = yaml.safe_load((tmp_path / "yolo" / "data.yaml").read_text("utf-8"))
    assert [described[part] for part in SPLIT_PARTS] == ["images/train", "images/val", "images/test"]
    test = sorted(p.stem for p in (tmp_path / "yolo" / "labels" / "test").iterdir())
    export_project(of_thirty(pictures), FORMATS["dataset"], tmp_path / "set", choice)
    assert sorted(open_dataset(tmp_path / "set").splits["test"]) == test
    export_project(of_thirty(pictures), FORMATS["voc"], tmp_path / "voc", choice)
    assert sorted((tmp_path / "voc" / "ImageSets" / "Segmentation" / "test.txt").read_text().split()) == test


def test_a_split_that_is_cancelled_leaves_what_was_there(tmp_path: Path, pictures: Path) -> None:
    choice, out = ExportChoice(shares=THIRDS), tmp_path / "out"
    export_project(of_thirty(pictures), FORMATS["coco"], out, choice)
    before = content(out)
    told: list[float] = []

    def stop(done: float, words: str) -> None:
        told.append(done)
        if done > 0.6:
            raise ExportStoppedError("The export was cancelled")

    with pytest.raises(ExportStoppedError):
        export_project(of_thirty(pictures), FORMATS["coco"], out, replace(choice, seed=5), stop)
    assert content(out) == before
    assert told == sorted(told)
    assert hidden(out) == []


def test_a_second_split_removes_the_files_of_the_first_and_keeps_the_users(tmp_path: Path, pictures: Path) -> None:
    choice = ExportChoice(shares=THIRDS)
    export_project(of_thirty(pictures), FORMATS["labelme"], tmp_path / "out", choice)
    (tmp_path / "out" / "train" / "mine.txt").write_text("mine")
    export_project(of_thirty(pictures), FORMATS["labelme"], tmp_path / "out", replace(choice, shares=(0.0, 0.0, 1.0)))
    left = set(content(tmp_path / "out"))
    assert {name.split("/")[0] for name in left} == {"train", "test", "samtta-labelme-split.json"}
    assert [name for name in left if name.startswith("train")] == ["train/mine.txt"]
