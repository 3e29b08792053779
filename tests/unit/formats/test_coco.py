"""COCO files that pycocotools loads and gives back bit by bit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from samtta_app.core.masks import full, trimmed
from samtta_app.errors import ExportError
from samtta_app.formats import FORMATS
from samtta_app.session.project.store import Store
from tests.unit.formats.values import SIZE, annotation, block, project, ring
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of


def loaded(folder: Path, capsys: pytest.CaptureFixture[str]) -> COCO:
    found = COCO(str(folder / "annotations/instances_default.json"))
    capsys.readouterr()  # it prints how long it took
    return found


def test_pycocotools_gives_back_the_identical_masks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    masks = [ring(), block(0, 0, 60, 40), block(59, 39, 60, 40), block(0, 10, 5, 12)]
    made = FORMATS["coco"].write(project(*(annotation(k, m) for k, m in enumerate(masks, 1))), tmp_path)
    assert made == [tmp_path / "annotations/instances_default.json"]
    coco = loaded(tmp_path, capsys)
    for number, mask in enumerate(masks, start=1):
        decoded = coco.annToMask(coco.anns[number])
        assert decoded.shape == SIZE
        assert (decoded.astype(bool) == full(mask, *SIZE)).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), density=st.floats(0.01, 1.0))
def test_any_mask_survives(tmp_path_factory: pytest.TempPathFactory, seed: int, density: float) -> None:
    bits = np.random.default_rng(seed).random(SIZE) < density
    folder = tmp_path_factory.mktemp("any")
    FORMATS["coco"].write(project(annotation(1, trimmed(bits))), folder)
    found = json.loads((folder / "annotations/instances_default.json").read_text("utf-8"))["annotations"][0]
    coco = COCO()
    coco.imgs = {1: {"height": SIZE[0], "width": SIZE[1]}}
    assert (coco.annToMask(found).astype(bool) == bits).all()
    assert found["area"] == int(bits.sum())


def test_boxes_areas_and_classes_are_those_of_the_masks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    FORMATS["coco"].write(project(annotation(7, block(3, 4, 13, 9), "b.png", 4)), tmp_path)
    coco = loaded(tmp_path, capsys)
    found = coco.anns[7]
    assert (found["bbox"], found["area"], found["iscrowd"], found["category_id"]) == ([3, 4, 10, 5], 50, 0, 4)
    size = {"width": 60, "height": 40}
    assert coco.imgs[found["image_id"]] == {"id": 2, "file_name": "b.png", **size, "samtta": {"status": "annotated"}}
    assert coco.cats[4]["name"] == "Zellkern äöü"
    assert coco.getAnnIds(imgIds=[2], catIds=[4], iscrowd=False) == [7]


def test_a_project_without_objects_is_a_valid_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    FORMATS["coco"].write(project(), tmp_path)
    coco = loaded(tmp_path, capsys)
    assert (len(coco.imgs), len(coco.anns), len(coco.cats)) == (2, 0, 2)


def test_what_the_store_holds_is_what_is_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(folder_of(tmp_path / "images", "a.png")) as store:
        gone = store.accept(accepted(), WIDTH, HEIGHT)
        kept = store.accept(accepted(mask=ring()), WIDTH, HEIGHT)
        store.set_deleted(gone.id, True)
        FORMATS["coco"].write(store.project(), tmp_path / "out")
    coco = loaded(tmp_path / "out", capsys)
    assert list(coco.anns) == [kept.id]
    assert (coco.annToMask(coco.anns[kept.id]).astype(bool) == full(ring(), HEIGHT, WIDTH)).all()


def test_an_export_over_an_older_one_replaces_it(tmp_path: Path) -> None:
    FORMATS["coco"].write(project(annotation(1, ring())), tmp_path)
    FORMATS["coco"].write(project(), tmp_path)
    assert json.loads((tmp_path / "annotations/instances_default.json").read_text("utf-8"))["annotations"] == []
    assert [p.name for p in tmp_path.iterdir()] == ["annotations"]


def test_a_folder_that_cannot_be_written_is_refused_and_left(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ExportError, match="taken"):
        FORMATS["coco"].write(project(), tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "a file"
