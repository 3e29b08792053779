"""Ignore regions and notes go out as each format can hold them, and come back from COCO."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samtta_app.core.object_notes import ObjectNote
from samtta_app.core.project import Project
from samtta_app.formats import FORMATS
from samtta_app.formats.base import IGNORED_LOST, NOTES_LOST, Reading
from samtta_app.formats.coco_reading import read_coco
from samtta_app.formats.export_choice import ExportChoice, export_project
from tests.unit.formats.values import annotation, block, project

NOTE = ObjectNote(attributes=(("stage", "late"),), comment="Ask Ada")
REGION = ObjectNote(ignore=True, comment="blurred")


@pytest.fixture
def some(tmp_path: Path) -> Project:
    """An object, and an ignore region on the same image; a second image has a region only."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((40, 60), np.uint8)).save(folder / name)
    made = project(
        replace(annotation(1, block(8, 5, 30, 20)), note=NOTE),
        replace(annotation(2, block(40, 2, 50, 12)), note=REGION),
        replace(annotation(3, block(4, 4, 20, 20), "b.png"), note=REGION),
        folder=folder,
    )
    return replace(made, ignored=frozenset({2, 3}))


def export(some: Project, name: str, out: Path) -> list[Path]:
    return export_project(some, FORMATS[name], out, ExportChoice())


@pytest.mark.parametrize("name", ["coco", "coco-polygons"])
def test_coco_holds_all_and_gives_it_back(some: Project, tmp_path: Path, name: str) -> None:
    (file,) = export(some, name, tmp_path / "out")
    values = json.loads(file.read_text())["annotations"]
    assert [v["iscrowd"] for v in values] == [0, 1, 1]
    assert isinstance(values[1]["segmentation"], dict)
    assert values[0]["samtta"]["attributes"] == {"stage": "late"}
    assert values[0]["samtta"]["comment"] == "Ask Ada"
    assert [found.note for found in read_coco(file, Reading())] == [NOTE, REGION, REGION]
    assert IGNORED_LOST not in FORMATS[name].lost
    assert NOTES_LOST not in FORMATS[name].lost


def test_index_pngs_have_a_class_for_ignore_regions(some: Project, tmp_path: Path) -> None:
    export(some, "png", tmp_path / "out")
    classes = np.asarray(Image.open(tmp_path / "out" / "classes" / "a.png"))
    assert classes[5, 45] == 255
    assert classes[6, 25] == 1
    legend = json.loads((tmp_path / "out" / "legend.json").read_text())
    assert legend["ignored"] == 255
    found = list(FORMATS["png"].read(tmp_path / "out"))
    assert [each.note.ignore for each in found] == [False, True, True]


def test_pascal_voc_calls_them_undecided(some: Project, tmp_path: Path) -> None:
    export(some, "voc", tmp_path / "out")
    for part in ("SegmentationClass", "SegmentationObject"):
        assert np.asarray(Image.open(tmp_path / "out" / part / "a.png"))[5, 45] == 255
    assert (tmp_path / "out" / "Annotations" / "a.xml").read_text().count("<object>") == 1
    assert len(list(FORMATS["voc"].read(tmp_path / "out"))) == 1


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if not form.holds_ignored])
def test_other_formats_leave_them_out_and_say_so(some: Project, tmp_path: Path, name: str) -> None:
    assert IGNORED_LOST in FORMATS[name].lost
    export(some, name, tmp_path / "out")
    assert len(list(FORMATS[name].read(tmp_path / "out"))) == 1
