"""Imported objects are annotations with their source named, stored all together or not at all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from samtta_app.core.types import Mask
from samtta_app.errors import DatasetError, ProjectError, StoreError
from samtta_app.formats import FORMATS
from samtta_app.formats.importers import IMPORTERS, ImportCount, ImportedObject, ProjectImages, import_objects
from samtta_app.session.project.imported_objects import store_imported
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of
from tests.unit.values import disc

SIZE = (HEIGHT, WIDTH)


def imported(image: str = "a.png", label: str = "object", mask: Mask | None = None) -> ImportedObject:
    return ImportedObject(image, SIZE, label, mask or disc(60, 50, 18, HEIGHT, WIDTH))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "images", "a.png", "b.png")


def test_an_imported_object_is_an_annotation_with_its_source(folder: Path) -> None:
    with Store.open(folder) as store:
        assert store_imported(store, [imported(), imported("b.png", "cell")], "coco: x.json") == 2
    with Store.open(folder) as store:
        one, other = store.annotations()
        assert {c.id: c.name for c in store.classes()} == {1: "object", 2: "cell"}
        assert (one.image_name, one.class_id, other.image_name, other.class_id) == ("a.png", 1, "b.png", 2)
        assert (one.source, one.history, one.seconds) == ("coco: x.json", (), 0.0)
        assert math.isnan(one.predicted_iou)
        assert one.mask.area == imported().mask.area
        assert store.image_sizes() == {"a.png": (WIDTH, HEIGHT), "b.png": (WIDTH, HEIGHT)}
        assert [entry.objects for entry in store.images()] == [1, 1]


def test_an_object_that_was_drawn_here_has_no_source(folder: Path) -> None:
    with Store.open(folder) as store:
        assert store.accept(accepted(), WIDTH, HEIGHT).source == ""
        assert store.annotations()[0].source == ""


def broken(error: Exception) -> Iterator[ImportedObject]:
    yield imported(label="new class")
    yield imported("b.png")
    raise error


@pytest.mark.parametrize("error", [DatasetError("The file is cut off"), KeyboardInterrupt(), MemoryError()])
def test_an_import_that_breaks_off_leaves_the_project_as_it_was(folder: Path, error: Exception) -> None:
    with Store.open(folder) as store:
        store.accept(accepted(), WIDTH, HEIGHT)
        before = (store.classes(), store.image_sizes(), [a.id for a in store.annotations()])
        with pytest.raises(type(error)):
            store_imported(store, broken(error), "coco: x.json")
        assert (store.classes(), store.image_sizes(), [a.id for a in store.annotations()]) == before
    with Store.open(folder) as store:
        assert (store.classes(), store.image_sizes(), [a.id for a in store.annotations()]) == before


def test_an_import_needs_a_source_and_a_project_that_can_be_written(folder: Path) -> None:
    with Store.open(folder) as store, pytest.raises(StoreError, match="source"):
        store_imported(store, [imported()], "")
    with Store.open(folder), Store.open_to_read(folder) as beside, pytest.raises(StoreError, match="read-only"):
        store_imported(beside, [imported()], "x")
    with Store.open(folder), pytest.raises(ProjectError, match="another samtta"):
        Store.open(folder)


def test_a_known_picture_stays_known_and_another_size_is_forgotten(folder: Path) -> None:
    with Store.open(folder) as store:
        store.image_opened("a.png", WIDTH, HEIGHT, "128x96:key")
        store.image_opened("b.png", 5, 5, "5x5:key")
        store_imported(store, [imported(), imported("b.png")], "x")
        assert [a.picture for a in store.annotations()] == ["128x96:key", ""]
        assert store.image_sizes()["b.png"] == (WIDTH, HEIGHT)


def test_figures_of_the_session_leave_imported_objects_out(folder: Path) -> None:
    with Store.open(folder) as store:
        mine = store.accept(accepted(), WIDTH, HEIGHT)
        store_imported(store, [imported(), imported()], "x")
        assert [record.object_id for record in store.records()] == [mine.id]
        assert [r.object_id for some in store.records_in_steps(1) for r in some] == [mine.id]


def test_imported_objects_are_exported_with_their_source(folder: Path, tmp_path: Path) -> None:
    with Store.open(folder) as store:
        store_imported(store, [imported()], "labelme: a.json")
        FORMATS["coco"].write(store.project(), tmp_path / "out")
    assert '"source": "labelme: a.json"' in (tmp_path / "out" / "annotations/instances_default.json").read_text()


@pytest.mark.parametrize("teach", [False, True])
def test_only_what_is_to_teach_waits_for_its_lesson(folder: Path, teach: bool) -> None:
    with Store.open(folder) as store:
        store_imported(store, [imported(), imported("b.png")], "x", teach=teach)
        assert len(store.unlearned("any model")) == (2 if teach else 0)


def test_a_whole_project_travels_through_every_format_into_another(folder: Path, tmp_path: Path) -> None:
    with Store.open(folder) as store:
        store.accept(accepted(), WIDTH, HEIGHT)
        store.accept(replace(accepted("b.png"), mask=disc(30, 30, 9, HEIGHT, WIDTH)), WIDTH, HEIGHT)
        content = store.project()
        masks = [(a.image_name, a.mask.x, a.mask.y, a.mask.bits.tobytes()) for a in store.annotations()]
        for name in IMPORTERS:
            if name != "masks":
                FORMATS[name].write(content, tmp_path / name)
    for name in IMPORTERS:
        if name == "masks":
            continue
        target = folder_of(tmp_path / f"into-{name}", "a.png", "b.png")
        with Store.open(target) as store:
            images = ProjectImages(store.folder, (entry.name for entry in store.images()))
            objects = import_objects(IMPORTERS[name], tmp_path / name, images, ImportCount())
            assert store_imported(store, objects, name) == 2, name
            found = [(a.image_name, a.mask.x, a.mask.y, a.mask.bits.tobytes()) for a in store.annotations()]
        assert found == masks, name
