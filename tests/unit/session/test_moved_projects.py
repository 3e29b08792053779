"""A project says where its images are: beside it, where they lay as seen from it, or at the path that is stored."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from samtta_app.errors import ProjectError
from samtta_app.session.project.location import images_folder, near, places
from samtta_app.session.project.store import Store
from samtta_app.session.workflow.image_mapping import all_gone, gone_words
from samtta_app.session.workflow.workflow import Workflow
from tests.unit.session.scripted import accepted, folder_of
from tests.unit.values import disc


def stored(home: Path, **values: object) -> None:
    """Put values into a project's memory, as a damaged or planted database has them."""
    with closing(sqlite3.connect(home / "project.db")) as db, db:
        for key, value in values.items():
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def test_images_beside_the_project_come_before_what_is_stored(folder: Path, tmp_path: Path) -> None:
    Store.open(folder).close()
    other = folder_of(tmp_path / "other", "a.png")
    stored(folder / ".samtta", folder=str(other), folder_from_here="../../other")
    assert images_folder(folder / ".samtta") == folder
    for path in folder.glob("*.png"):
        path.unlink()
    assert images_folder(folder / ".samtta") == other
    shutil.rmtree(other)
    assert images_folder(folder / ".samtta") == folder, "there it can be opened, and says what is gone"


def test_a_project_elsewhere_is_found_from_where_it_lies(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "project"
    Store.open(folder, home).close()
    assert places(home, None) == (folder, home)
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.move(home, moved / "project")
    assert images_folder(moved / "project") == folder, "alone it has moved, and the path that is stored still holds"
    shutil.move(folder, moved / "images")
    assert images_folder(moved / "project") == moved / "images", "both have moved"
    shutil.move(moved / "images", moved / "elsewhere")
    assert images_folder(moved / "project") == folder, "that is what a question can name"


@pytest.mark.parametrize("value", ["relative/way", b"\xff\xfe", "", 7, None, "\0"])
def test_what_makes_no_sense_names_no_folder(folder: Path, tmp_path: Path, value: object) -> None:
    home = tmp_path / "project"
    Store.open(folder, home).close()
    with closing(sqlite3.connect(home / "project.db")) as db, db:
        db.execute("DELETE FROM meta")
        if value is not None:
            db.execute("INSERT INTO meta VALUES ('folder', ?)", (value,))
    assert images_folder(home) == home


def test_the_way_between_two_folders(tmp_path: Path) -> None:
    assert near(tmp_path / "images", tmp_path / "project") == str(Path("..", "images"))
    assert near(tmp_path, tmp_path) == "."


def test_a_session_takes_its_images_from_another_folder(folder: Path, tmp_path: Path) -> None:
    with Store.open(folder) as store:
        store.accept(accepted("b.png", disc(60, 50, 10)), 128, 96)
        moved = tmp_path / "moved"
        shutil.copytree(folder, moved, ignore=shutil.ignore_patterns(".samtta"))
        for path in folder.glob("*.png"):
            path.unlink()
        workflow = Workflow(store)
        workflow.start()
        assert all_gone(workflow.state.images)
        assert workflow.state.message is not None
        assert workflow.state.message.text == gone_words(workflow.state)
        with pytest.raises(ProjectError, match="None of the project's images"):
            workflow.map_images(folder_of(tmp_path / "wrong", "x.png"))
        assert workflow.state.folder == folder
        workflow.map_images(moved)
        assert [(e.name, e.status, e.path.parent) for e in workflow.state.images] == [
            ("a.png", "todo", moved),
            ("b.png", "annotated", moved),
            ("c.png", "todo", moved),
        ]
        assert gone_words(workflow.state) == ""
    with Store.open(folder) as again:
        assert again.folder == moved
