"""Images of subfolders belong to a project where the user wants it, under names that say where they lie."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from samtta_app.core.planes import PlaneChoice, ReadingChoice
from samtta_app.core.types import Mask
from samtta_app.errors import ProjectError
from samtta_app.formats import FORMATS
from samtta_app.formats.importers import ImportedObject, ProjectImages
from samtta_app.session.project.imported_objects import store_imported
from samtta_app.session.project.listing import passed_over
from samtta_app.session.project.store import Store
from samtta_app.session.workflow.workflow import Workflow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "one/a.png", "one/two/b.png", ".hidden/c.png", "out/images/d.png", "png/instances/a.png"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((20, 30, 3), np.uint8))
    (tmp_path / "images" / "out" / "samtta-yolo.json").write_text("{}")
    (tmp_path / "images" / "png" / "legend.json").write_text("{}")
    (tmp_path / "elsewhere").mkdir()
    cv2.imwrite(str(tmp_path / "elsewhere" / "e.png"), np.zeros((20, 30, 3), np.uint8))
    (tmp_path / "images" / "link").symlink_to(tmp_path / "elsewhere")
    return tmp_path / "images"


def names(store: Store) -> list[str]:
    return [entry.name for entry in store.images()]


def test_they_are_listed_where_they_are_wanted_and_the_project_keeps_that(folder: Path) -> None:
    with Store.open(folder) as store:
        assert names(store) == ["a.png"]
    with Store.open(folder, subfolders=True) as store:
        assert names(store) == ["a.png", "one/a.png", "one/two/b.png"]
    with Store.open(folder) as store:
        assert len(names(store)) == 3
        store.choose_reading(ReadingChoice(PlaneChoice((("Z", 2),))))
        assert names(store) == ["a.png"]
        assert store.reading.planes.position("Z", 9) == 2


def test_a_folder_that_holds_only_folders_of_images_is_opened_with_them(folder: Path, tmp_path: Path) -> None:
    (folder / "a.png").unlink()
    with Store.open(folder) as store:
        assert names(store) == ["one/a.png", "one/two/b.png"]
    (tmp_path / "empty").mkdir()
    for wanted in (None, True, False):
        with pytest.raises(ProjectError, match="no images"):
            Store.open(tmp_path / "empty", subfolders=wanted)


@pytest.mark.parametrize("form", [name for name in FORMATS if name != "crops"])
def test_their_objects_are_exported_and_read_back(folder: Path, tmp_path: Path, form: str) -> None:
    with Store.open(folder, subfolders=True) as store:
        masks = {"a.png": Mask(3, 4, np.ones((6, 8), bool)), "one/a.png": Mask(3, 4, np.ones((7, 8), bool))}
        objects = [ImportedObject(name, (20, 30), "object", mask) for name, mask in masks.items()]
        store_imported(store, objects, "test", teach=False)
        project = store.project()
        assert [image.name for image in project.annotated] == ["a.png", "one/a.png"]
        FORMATS[form].write(project, tmp_path / "out")
    found = list(FORMATS[form].read(tmp_path / "out"))
    assert sorted(each.mask.area for each in found) == [48, 56]


def test_an_import_finds_them_by_the_end_of_a_path(folder: Path) -> None:
    images = ProjectImages(folder, ("a.png", "one/a.png", "one/two/b.png"))
    assert images.find("data/images/one/a.png") == "one/a.png"
    assert images.find("a.png") == "a.png"
    assert images.find("two\\b") == "one/two/b.png"
    assert images.size_of("one/two/b.png") == (20, 30)


def test_what_is_passed_over_is_counted(folder: Path) -> None:
    for name in ("x.txt", "y.txt", "z.psd", "noending", ".hidden.txt"):
        (folder / name).touch()
    counted = "Passed over in the folder: 2 .txt, 1 .psd, 1 no ending"
    assert passed_over(folder, subfolders=False) == f"{counted}, 2 folders with images"
    assert passed_over(folder / "one" / "two", subfolders=True) == ""
    assert passed_over(folder / "nowhere", subfolders=True) == ""
    with Store.open(folder) as store:
        workflow = Workflow(store)
        workflow.start()
        assert workflow.state.message.text == f"{counted}, 2 folders with images"
