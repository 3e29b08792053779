"""A project whose images were moved finds them again: by itself where both were moved, else it asks once."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from samtta_app.gui import recent
from samtta_app.session.project.location import places
from samtta_app.session.project.store import Store
from tests.gui.sessions import Sitting
from tests.unit.session.scripted import accepted
from tests.unit.values import disc


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "images"
    made.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(made / name), np.full((96, 128), 90, np.uint8))
    return made


def annotate(folder: Path, project: Path | None = None) -> None:
    with Store.open(folder, project) as store:
        store.accept(accepted("a.png", disc(60, 50, 10)), 128, 96)


def answers(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[str]:
    """Have the question for a folder answered; the places where it begins are noted."""
    asked: list[str] = []
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *given: asked.append(given[2]) or str(folder))
    return asked


def shows_image(one: Sitting) -> bool:
    return one.application.controller is not None and one.state.image is not None


def test_a_project_elsewhere_asks_once_and_then_knows(
    qtbot: QtBot, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "project"
    annotate(folder, home)
    moved = tmp_path / "other" / "machine"
    moved.parent.mkdir()
    folder.rename(moved)
    asked = answers(monkeypatch, moved)
    one = Sitting(qtbot, learn=False)
    one.application.open_folder(home)
    one.wait(lambda: shows_image(one))
    assert asked == [str(tmp_path)]
    assert (one.state.folder, one.state.images[0].objects) == (moved, 1)
    assert recent.folders()[0] == home, "a recent project is opened with its own folder"
    one.leaves()
    again = Sitting(qtbot, learn=False)
    again.opens(home)
    assert (again.state.folder, len(asked)) == (moved, 1)
    again.leaves()


def test_what_was_moved_together_is_found_without_a_question(folder: Path, tmp_path: Path) -> None:
    together = tmp_path / "all"
    together.mkdir()
    folder = folder.rename(together / "images")
    annotate(folder, together / "project")
    shutil.copytree(together, tmp_path / "copy")
    assert places(tmp_path / "copy" / "project", None)[0] == tmp_path / "copy" / "images"
    assert places(together / "project", None)[0] == folder


def test_images_that_left_their_folder_are_found_by_the_menu(
    qtbot: QtBot, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotate(folder)
    moved, wrong = tmp_path / "moved", tmp_path / "wrong"
    moved.mkdir()
    wrong.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).rename(moved / name)
    one = Sitting(qtbot, learn=False)
    one.application.open(folder)
    one.wait(lambda: "Find the images" in one.said)
    answers(monkeypatch, wrong)
    one.window.actions_made["find_images"].trigger()
    assert "None of the project's images is in this folder" in one.said
    assert one.state.folder == folder
    answers(monkeypatch, moved)
    one.window.actions_made["find_images"].trigger()
    one.wait(lambda: one.state.image is not None)
    assert next((entry.status, entry.objects) for entry in one.state.images) == ("annotated", 1)
    assert not any("the project's images" in line.message.text for line in one.window.messages.lines)
    cv2.imwrite(str(moved / "c.png"), np.full((96, 128), 90, np.uint8))
    one.wait(lambda: len(one.state.images) == 3)  # the new folder is watched
    one.leaves()
    with Store.open(folder) as store:
        assert (store.folder, store.home) == (moved, folder / ".samtta")


def test_no_answer_leaves_everything_as_it_is(
    qtbot: QtBot, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotate(folder, tmp_path / "project")
    shutil.rmtree(folder)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    one = Sitting(qtbot, learn=False)
    one.application.open_folder(tmp_path / "project")
    assert one.application.controller is None
    assert "not there any more" in one.said
    one.leaves()
