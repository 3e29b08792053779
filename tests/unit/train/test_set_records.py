"""A project may stand wherever a data set may: its accepted masks are read as they are, open or closed."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from samtta_app.core.masks import full
from samtta_app.core.types import Mask
from samtta_app.errors import DatasetError
from samtta_app.formats.dataset import DATASET
from samtta_app.session.project.store import Store
from samtta_app.train.data.labelled_images import LabelledImage, has_masks, is_project
from samtta_app.train.data.set_records import labelled_records, mask_layers, set_name
from samtta_app.train.training_sets import named_folders, read_held_out, read_sets
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of
from tests.unit.train.discs import write_discs
from tests.unit.train.projects import project_of
from tests.unit.values import disc


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Six images, d0 to d5, with one or two discs each; the fifth, d4, is for tests."""
    return project_of(write_discs(tmp_path / "discs", 4, 2), tmp_path / "annotated")


def essence(records: list[LabelledImage]) -> list[tuple[str, bytes, bytes, int]]:
    return [(r.name, r.pixels.tobytes(), r.layers.tobytes(), len(r.objects)) for r in records]


def state_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_project_teaches_what_its_exported_data_set_teaches(project: Path, tmp_path: Path, split: str) -> None:
    with Store.open(project) as store:
        DATASET.write(store.project(), tmp_path / "exported")
    assert essence(labelled_records(project, split)) == essence(labelled_records(tmp_path / "exported", split))


def test_the_masks_are_those_that_were_accepted(project: Path) -> None:
    with Store.open(project) as store:
        stored = {entry.name: store.annotations(entry.name) for entry in store.images()}
    records = labelled_records(project, "train") + labelled_records(project, "test")
    assert sorted(f"{record.name}.png" for record in records) == sorted(stored)
    for record in records:
        for box, annotation in zip(record.objects, stored[f"{record.name}.png"], strict=True):
            assert ((record.layers[box.layer] == box.value) == full(annotation.mask, 64, 64)).all()


def test_no_image_is_both_learned_from_and_measured_on(project: Path) -> None:
    names = [[record.name for record in labelled_records(project, split)] for split in ("train", "test")]
    assert names == [["d0", "d1", "d2", "d3", "d5"], ["d4"]]


@pytest.mark.parametrize("place", [".", ".samtta"])
def test_the_images_folder_and_the_project_folder_are_one_project(project: Path, place: str) -> None:
    assert is_project(project / place)
    assert has_masks(project / place)
    assert set_name(project / place) == "annotated"
    assert len(labelled_records(project / place, "train")) == 5


def test_a_project_that_is_open_is_read_beside_as_it_is_now(project: Path) -> None:
    with Store.open(project) as store:
        before = len(labelled_records(project, "train")[0].objects)
        store.accept(accepted("d0.png", disc(8, 56, 5, 64, 64)), 64, 64)
        assert len(labelled_records(project, "train")[0].objects) == before + 1


def test_reading_changes_no_file(project: Path) -> None:
    labelled_records(project, "train")
    before = state_of(project)
    labelled_records(project, "train")
    labelled_records(project, "test")
    assert state_of(project) == before


def test_a_deleted_object_teaches_nothing(project: Path) -> None:
    with Store.open(project) as store:
        for annotation in store.annotations("d0.png"):
            store.set_deleted(annotation.id, True)
    assert "d0" not in [record.name for record in labelled_records(project, "train")]


def test_objects_that_overlap_stay_whole_unlike_in_the_export(tmp_path: Path) -> None:
    cell, nucleus = disc(40, 40, 25, HEIGHT, WIDTH), disc(40, 40, 8, HEIGHT, WIDTH)
    with Store.open(folder_of(tmp_path / "cells", "a.png")) as store:
        for mask in (cell, nucleus):
            store.accept(accepted("a.png", mask), WIDTH, HEIGHT)
    (record,) = labelled_records(tmp_path / "cells", "train")
    areas = sorted(int((record.layers[box.layer] == box.value).sum()) for box in record.objects)
    assert areas == [nucleus.area, cell.area]


def test_masks_share_a_layer_where_they_do_not_overlap() -> None:
    masks = [Mask(x, 0, np.ones((4, 6), np.bool_)) for x in (0, 3, 6, 20)]
    layers = mask_layers(masks, 8, 30)
    assert layers.shape == (2, 8, 30)
    assert [np.unique(layer).tolist() for layer in layers] == [[0, 1, 3, 4], [0, 2]]
    assert all(int((layers == number).sum()) == 24 for number in range(1, 5))


# --- in a run ---------------------------------------------------------------------------------------------------------


def test_a_run_mixes_projects_and_data_sets_by_name(project: Path, tmp_path: Path) -> None:
    folders = [project / ".samtta", tmp_path / "discs"]
    assert list(named_folders(folders)) == ["annotated", "discs"]
    sets = read_sets(folders, "train", tmp_path / "cache")
    assert {name: len(records) for name, records in sets.items()} == {"annotated": 5, "discs": 4}
    assert set(read_held_out(folders)) == {"annotated", "discs"}
    assert not (tmp_path / "cache").exists()  # neither is a set of photos


def test_a_project_and_a_data_set_of_one_name_are_refused(project: Path, tmp_path: Path) -> None:
    twin = write_discs(tmp_path / "elsewhere" / "annotated", 1, 1)
    with pytest.raises(DatasetError, match="taken"):
        named_folders([project / ".samtta", twin])


def test_a_data_set_whose_images_were_opened_in_the_window_stays_a_data_set(tmp_path: Path) -> None:
    data = write_discs(tmp_path / "discs", 2, 1)
    Store.open(data / "images", data / ".samtta").close()
    assert not is_project(data)
    assert len(labelled_records(data, "train")) == 2


# --- what cannot be read ----------------------------------------------------------------------------------------------


def test_a_project_without_accepted_objects_is_refused_in_words(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "cells", "a.png")
    Store.open(folder).close()
    with pytest.raises(DatasetError, match=r"no accepted objects to learn from.*samtta open"):
        labelled_records(folder, "train")


def test_a_project_has_two_splits(project: Path) -> None:
    with pytest.raises(DatasetError, match=r"no split 'val'.*train, test"):
        labelled_records(project, "val")


def test_images_that_are_gone_or_replaced_are_skipped_and_named(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (project / "d0.png").unlink()
    shutil.copy(project / "d4.png", project / "d1.png")
    (project / "d2.png").write_bytes(b"no image")
    names = [record.name for record in labelled_records(project, "train")]
    assert names == ["d1", "d3", "d5"]
    for name in ("d0.png", "d2.png"):
        assert f"{name}: " in caplog.text


def test_a_damaged_row_is_named_and_the_rest_teaches(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(sqlite3.connect(project / ".samtta" / "project.db")) as db, db:
        db.execute("UPDATE annotations SET window = '[0, 0, 512' WHERE id = 1")
    assert "d0" not in [record.name for record in labelled_records(project, "train")]
    assert "object 1" in caplog.text
