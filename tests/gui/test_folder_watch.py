"""Images that come and go while a project is open are listed, in the folders that belong to the project."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from samtta_app.gui import folder_watch
from samtta_app.gui.folder_watch import FolderWatch
from samtta_app.session.project.listing import image_folders
from tests.gui.sessions import Sitting


def put(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), np.full((48, 64), 90, np.uint8))


def test_images_of_subfolders_come_and_go_where_they_were_chosen(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_watch, "PAUSE", 20)
    folder = tmp_path / "images"
    for name in ("a.png", "more/b.png"):
        folder.mkdir(exist_ok=True)
        put(folder / name)
    one = Sitting(qtbot, learn=False)
    one.opens(folder)

    def listed() -> list[str]:
        return [entry.name for entry in one.state.images if entry.status != "unreadable"]

    assert listed() == ["a.png"]
    put(folder / "more" / "unasked.png")
    put(folder / "c.png")
    one.wait(lambda: listed() == ["a.png", "c.png"])
    one.controller.choose_reading(replace(one.controller.store.reading, subfolders=True))
    one.wait(lambda: listed() == ["a.png", "c.png", "more/b.png", "more/unasked.png"])
    put(folder / "more" / "d.png")
    one.wait(lambda: "more/d.png" in listed())
    put(folder / "new" / "e.png")
    one.wait(lambda: "new/e.png" in listed())
    put(folder / "new" / "f.png")  # the new folder is watched, too
    one.wait(lambda: "new/f.png" in listed())
    shutil.rmtree(folder / "more")
    one.wait(lambda: listed() == ["a.png", "c.png", "new/e.png", "new/f.png"])
    one.leaves()


def test_more_folders_than_are_watched_are_seen_when_the_user_comes_back(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_watch, "MOST_WATCHED", 1)
    put(tmp_path / "more" / "a.png")
    parent = QObject()
    watch = FolderWatch(lambda: image_folders(tmp_path, subfolders=True), parent)
    with qtbot.assertNotEmitted(watch.changed):
        watch.look()
    put(tmp_path / "more" / "b.png")
    with qtbot.waitSignal(watch.changed, timeout=1000):
        watch.look()
