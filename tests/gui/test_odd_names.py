"""Images and folders whose names are not UTF-8, or no plain text: opened, annotated, opened again, and exported."""

from __future__ import annotations

import csv
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from samtta_app.core.names import displayable
from samtta_app.gui.app import _log_file
from samtta_app.gui.recent import folders
from samtta_app.session.project.store import Store
from tests.gui.sessions import Key, Sitting, exported
from tests.unit.values import picture

BYTES = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are bytes on Linux only")
NAMES = (
    b"gr\xfcn.png",
    b"\xff\xfe.png",
    b"[b]x[-] $a$ <img src='x'>.png",
    b"a\nb\t\x01.png",
    b"=1+1.png",
    b"50%41.png",
)


def folder_with(place: Path, name: bytes) -> tuple[Path, str]:
    """A folder, its own name not UTF-8 either, with an image of this name and one of a plain name."""
    folder = place / os.fsdecode(b"f\xf6lder")
    folder.mkdir()
    for file in (name, b"plain.png"):
        Image.fromarray(picture(1, discs=((60, 50, 18),)).pixels).save(folder / os.fsdecode(file), format="PNG")
    return folder, os.fsdecode(name)


@contextmanager
def sitting(qtbot: QtBot) -> Iterator[Sitting]:
    one = Sitting(qtbot, learn=False)
    try:
        yield one
    finally:
        one.application.close()
        one.window.close()


@BYTES
@pytest.mark.parametrize("name", NAMES)
def test_such_an_image_is_annotated_opened_again_and_exported(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path, name: bytes
) -> None:
    folder, odd = folder_with(tmp_path, name)
    with sitting(qtbot) as one:
        one.opens(folder)
        one.shows(odd)
        one.wait(lambda: one.state.image is not None)
        row = next(k for k, entry in enumerate(one.state.images) if entry.name == odd)
        assert one.images.model.index(row).data(Qt.ItemDataRole.DisplayRole) == displayable(odd)
        one.clicks(60, 50)
        one.wait(lambda: one.answered)
        one.presses(Key.Key_Return)
        one.wait(lambda: one.state.annotations)
        exported(one.controller, "png", folder / "png")
        assert "2 images: 1 annotated, 1 only listed" in one.said
        one.said.encode()
    with sitting(qtbot) as again:
        again.opens(folder)
        assert (again.controller.state.images[again.state.index].name, len(again.state.annotations)) == (odd, 1)
        exported(again.controller, "coco", folder / "coco")
        exported(again.controller, "statistics", folder / "statistics")
    coco = json.loads((folder / "coco" / "annotations/instances_default.json").read_text("utf-8"))
    with Image.open(
        folder / next(image["file_name"] for image in coco["images"] if image["samtta"]["status"] == "annotated")
    ) as image:
        assert image.size == (128, 96)
    (mask,) = (folder / "png" / "instances").iterdir()
    assert mask.name.isprintable()
    with Image.open(mask) as image:
        assert np.asarray(image).max() == 1
    with (folder / "statistics" / "objects.csv").open(newline="", encoding="utf-8") as file:
        (line,) = csv.DictReader(file, strict=True)
    assert not line["image"].startswith("=")
    with Store.open(folder) as store:
        assert [a.image_name for a in store.annotations()] == [odd]


@BYTES
def test_a_log_takes_such_a_name(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    with _log_file() as file:
        logging.getLogger("samtta_app.names").warning("skipped %s", os.fsdecode(b"gr\xfcn.png"))
    assert "gr\\udcfcn.png" in file.read_text("utf-8")
    assert "Logging error" not in capsys.readouterr().err


@BYTES
def test_a_folder_of_such_a_name_is_among_the_recent_ones(qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> None:
    folder, _ = folder_with(tmp_path, b"a.png")
    with sitting(qtbot) as one:
        one.opens(folder)
    assert folders()[0] == folder
