"""samtta import and samtta export on the command line: what comes, what does not, and what was chosen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from samtta_app.cli.entry import main
from samtta_app.formats import FORMATS
from samtta_app.formats.importers import IMPORTERS
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of

SQUARE = [[1, 1, 9, 1, 9, 9, 1, 9]]


def call(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "images", "a.png", "b.png", "c.png")


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    sides = {"width": WIDTH, "height": HEIGHT}
    names = ("a.png", "b.png", "elsewhere.png")
    values = {
        "images": [{"id": k, "file_name": name, **sides} for k, name in enumerate(names)],
        "categories": [{"id": 1, "name": "cell"}, {"id": 2, "name": "debris"}],
        "annotations": [
            {"id": 1, "image_id": 0, "category_id": 1, "segmentation": SQUARE},
            {"id": 2, "image_id": 1, "category_id": 2, "segmentation": SQUARE},
            {"id": 3, "image_id": 1, "category_id": 1, "segmentation": [[1, 1, 2, 2]]},
            {"id": 4, "image_id": 2, "category_id": 1, "segmentation": SQUARE},
        ],
    }
    (tmp_path / "c.json").write_text(json.dumps(values))
    return tmp_path / "c.json"


def test_a_preview_says_what_would_come_and_stores_nothing(
    folder: Path, coco: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("import", folder, coco, "--format", "coco", "--preview") == 0
    said = capsys.readouterr()
    assert "would come in: 2 objects on 2 images, 2 refused" in said.out
    assert "class cell: 1" in said.out
    assert "image b.png: 1" in said.out
    assert "refused object 3: a polygon has 2 corners" in said.err
    assert "refused elsewhere.png: no image of the project" in said.err
    with Store.open(folder) as store:
        assert store.annotations() == ()


@pytest.mark.parametrize("learn", [False, True])
def test_an_import_stores_the_objects_with_their_source(folder: Path, coco: Path, learn: bool) -> None:
    assert call("import", folder, coco, "--format", "coco", *(["--learn"] if learn else [])) == 0
    with Store.open(folder) as store:
        assert [a.source for a in store.annotations()] == ["coco: c.json"] * 2
        assert [c.name for c in store.classes()] == ["object", "cell", "debris"]
        assert len(store.unlearned("model")) == 2 * learn


def test_an_import_of_nothing_but_refused_objects_ends_with_1(tmp_path: Path, coco: Path) -> None:
    assert call("import", folder_of(tmp_path / "other", "x.png"), coco, "--format", "coco") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "gif"), "no import format 'gif'"),
        (("--format", "masks"), "--parts one, or --parts many"),
        (("--format", "coco", "--parts", "some"), "--parts one"),
        (("--format", "cvat"), "not a CVAT file"),
    ],
)
def test_what_cannot_be_imported_is_one_line_and_changes_nothing(
    folder: Path, coco: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("import", folder, coco, *arguments) == 2
    assert said in capsys.readouterr().err
    with Store.open(folder) as store:
        assert store.annotations() == ()


def test_every_import_format_is_named_when_one_is_unknown(
    folder: Path, coco: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("import", folder, coco, "--format", "?")
    said = capsys.readouterr().err
    assert all(name in said for name in IMPORTERS)
    assert call("import", folder / "nowhere", coco, "--format", "coco") == 2


# --- export -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(folder: Path) -> Path:
    with Store.open(folder) as store:
        cell = store.add_class("cell")
        first = store.accept(accepted("a.png"), WIDTH, HEIGHT)
        store.accept(accepted("b.png", class_id=cell.id), WIDTH, HEIGHT)
        store.set_reviewed(first.id)
    return folder


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ((), [1, 2]),
        (("--class", "cell"), [2]),
        (("--reviewed",), [1]),
        (("--min-area", "100000"), []),
        (("--merge", "cell=object"), [1, 2]),
    ],
)
def test_only_what_was_chosen_is_written(
    project: Path, tmp_path: Path, options: tuple[str, ...], ids: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("export", project, "--format", "coco", "--out", tmp_path / "out", *options) == 0
    found = json.loads((tmp_path / "out" / "annotations/instances_default.json").read_text())
    assert [a["id"] for a in found["annotations"]] == ids
    assert "not in coco: clicks" in capsys.readouterr().out
    if "--merge" in options:
        assert [c["name"] for c in found["categories"]] == ["object"]


def test_a_split_is_written_for_every_format(project: Path, tmp_path: Path) -> None:
    for name in FORMATS:
        assert call("export", project, "--format", name, "--out", tmp_path / name, "--split", "1/1/1") == 0
    assert (tmp_path / "yolo" / "data.yaml").is_file()
    assert any((tmp_path / "coco").glob("*/annotations/instances_default.json"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--split", "80/20"), "no split"),
        (("--split", "a/b/c"), "no split"),
        (("--split", "0/0/0"), "shares"),
        (("--merge", "cell"), "OLD=NEW"),
        (("--class", "nothing"), 'no class "nothing"'),
    ],
)
def test_a_choice_that_makes_no_sense_is_one_line(
    project: Path, tmp_path: Path, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("export", project, "--format", "coco", "--out", tmp_path / "out", *options) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
