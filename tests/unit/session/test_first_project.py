"""A project of the first version (data/first) opens in every later one, with the same objects and the same exports.

It was made with the toy model, three images, seven objects of which one was deleted, two classes, and one kept version.
Its table of figures holds no path of the machine that made it.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from samtta_app.adapt.registry import STRATEGIES
from samtta_app.formats import FORMATS
from samtta_app.images.read import read_ids
from samtta_app.session.project.store import Store
from samtta_app.session.statistics.statistics_export import write_statistics
from tests.unit.session.real import Real
from tests.unit.session.scripted import Person

FIRST = Path(__file__).parent / "data" / "first"
EXPECTED = FIRST / "expected"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The project in its usual place."""
    folder = tmp_path / "images"
    shutil.copytree(FIRST / "images", folder)
    shutil.copytree(FIRST / "project", folder / ".samtta")
    return folder


@pytest.fixture
def out(images: Path, tmp_path: Path) -> Path:
    """What today's version exports of it."""
    with Store.open(images) as store:
        assert (store.notice, store.read_only) == ("", False)
        project = store.project()
        assert project.remarks == ()
        for kind, form in FORMATS.items():
            form.write(project, tmp_path / "out" / kind)
        write_statistics(store, tmp_path / "out" / "stats")
    return tmp_path / "out"


def test_its_objects_classes_and_history_are_there(images: Path) -> None:
    with Store.open(images) as store:
        found = store.annotations()
        assert [a.id for a in found] == [1, 2, 3, 4, 5, 7]
        assert [a.class_id for a in found] == [1, 1, 2, 2, 2, 1]
        assert [len(a.history) for a in found] == [2, 2, 2, 2, 1, 2]
        assert [c.name for c in store.classes()] == ["object", "leaf"]
        assert [entry.objects for entry in store.images()] == [3, 3, 0]
        assert store.last_image() == "cell2.png"
        assert (store.published(), len(store.adaptations())) == (7, 7)
        assert all(record.frozen is not None for record in store.records())


def test_its_coco_export_is_the_same(out: Path) -> None:
    expected = json.loads((EXPECTED / "annotations.json").read_text())
    found = json.loads((out / "coco" / "annotations/instances_default.json").read_text())
    assert found["categories"] == expected["categories"]
    names = [{image["id"]: image["file_name"] for image in content["images"]} for content in (found, expected)]
    for mine, its in zip(found["annotations"], expected["annotations"], strict=True):
        assert mine | {"image_id": 0} == mine | its | {"image_id": 0}  # fields may be added
        assert names[0][mine["image_id"]] == names[1][its["image_id"]]
    sizes = {image["file_name"]: (image["width"], image["height"]) for image in found["images"]}
    assert all(sizes[image["file_name"]] == (image["width"], image["height"]) for image in expected["images"])


@pytest.mark.parametrize("kind", ["instances", "classes"])
def test_its_png_export_is_the_same_to_the_pixel(out: Path, kind: str) -> None:
    for expected in (EXPECTED / kind).iterdir():
        assert np.array_equal(read_ids(out / "png" / kind / expected.name), read_ids(expected)), expected.name
    legends = [json.loads((place / "legend.json").read_text()) for place in (out / "png", EXPECTED)]
    objects = [{image["image"]: image["objects"] for image in legend["images"]} for legend in legends]
    assert all(objects[0][name] == expected for name, expected in objects[1].items())


def test_its_figures_are_the_same(out: Path) -> None:
    files = (out / "stats" / "objects.csv", EXPECTED / "objects.csv")
    rows = [list(csv.DictReader(file.read_text().splitlines())) for file in files]
    assert len(rows[0]) == len(rows[1]) == 6
    for mine, its in zip(*rows, strict=True):
        assert {name: mine[name] for name in its} == its


def test_its_weights_whose_model_is_not_known_are_not_loaded_and_all_is_learned_again(images: Path) -> None:
    real = Real(STRATEGIES["schoen2024"])
    with Store.open(images) as store:
        person = Person(store, real, strategy="schoen2024").starts()  # type: ignore[arg-type]
        assert real.learned == [1, 2, 3, 4, 5, 7]
        assert person.state.adaptation.version == 13
        assert "learns again from the project's 6 objects" in person.state.message.text
        assert store.weights(13) is not None or store.weights_failures() == []
    again = Real(STRATEGIES["schoen2024"])
    with Store.open(images) as store:
        person = Person(store, again, strategy="schoen2024").starts()  # type: ignore[arg-type]
        assert again.learned == []
        assert person.state.adaptation.version == 13
        assert person.state.message is None


def test_nothing_in_it_tells_of_the_machine_that_made_it() -> None:
    places = (b"/tmp/", b"/home/", b"/opt/", b"/Users/", os.fsencode(Path.home()))
    for path in FIRST.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(place in content for place in places)
