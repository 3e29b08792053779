"""The import dialog shows what comes before anything is stored, and the window shows it afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from PySide6.QtWidgets import QWidget

from samtta_app.errors import UserError
from samtta_app.formats.importers import IMPORTERS
from samtta_app.gui.actions.action_table import ACTION_TABLE
from samtta_app.gui.controller import Controller
from samtta_app.gui.dialogs import import_dialog
from samtta_app.gui.dialogs.import_dialog import ImportDialog
from tests.gui.scenes import scene
from tests.gui.sessions import until
from tests.gui.test_controller import make
from tests.unit.values import picture

SQUARE = [[1, 1, 9, 1, 9, 9, 1, 9]]


@pytest.fixture
def controller(tmp_path: Path, qapp: object) -> Iterator[Controller]:
    (tmp_path / "images").mkdir()
    for k in (1, 2):
        cv2.imwrite(str(tmp_path / "images" / f"{k}.png"), picture(k, discs=((60, 50, 18),)).pixels)
    made = make(tmp_path / "images")
    made.start()
    until(lambda: made.state.image is not None)
    yield made
    made.close()


@pytest.fixture
def dialog(controller: Controller, qtbot) -> Iterator[ImportDialog]:
    parent = QWidget()
    qtbot.addWidget(parent)
    made = ImportDialog(parent, controller)
    made.show()
    yield made
    made.close()


def coco(path: Path, controller: Controller) -> Path:
    image = controller.state.image
    sides = {"width": image.width, "height": image.height}
    listed = [{"id": k, "file_name": f"{k}.png", **sides} for k in (1, 2)]
    shapes = ((1, SQUARE), (1, [[1, 2]]), (2, SQUARE))
    objects = [{"id": k, "image_id": i, "category_id": 1, "segmentation": shape} for k, (i, shape) in enumerate(shapes)]
    path.write_text(json.dumps({"images": listed, "categories": [{"id": 1, "name": "cell"}], "annotations": objects}))
    return path


def test_what_comes_is_shown_first_and_stored_on_import(
    dialog: ImportDialog, controller: Controller, tmp_path: Path
) -> None:
    assert not dialog.read.isEnabled()
    dialog.path.line.setText(str(coco(tmp_path / "c.json", controller)))
    assert not dialog.go.isEnabled()
    dialog.read.click()
    until(dialog.go.isEnabled)
    said = dialog.preview.toPlainText().splitlines()
    assert said[0] == "Would come in: 2 objects on 2 images, 1 refused"
    assert "class cell: 2" in said
    assert "refused object 1: a polygon has 1 corners" in said
    assert controller.store.annotations() == ()
    dialog.go.click()
    assert not dialog.isVisible()
    stored, other = controller.store.annotations()
    assert (stored.image_name, other.image_name) == ("1.png", "2.png")
    assert stored.source == "coco: c.json"
    assert [c.name for c in controller.state.classes] == ["object", "cell"]
    assert [a.id for a in controller.state.annotations] == [stored.id]
    assert [(entry.objects, entry.status) for entry in controller.state.images] == [(1, "annotated"), (1, "annotated")]
    assert controller.state.message is not None
    assert controller.state.message.text == "Imported 2 objects from coco: c.json"


def test_a_file_that_cannot_be_read_is_said_and_the_dialog_stays(
    dialog: ImportDialog, controller: Controller, tmp_path: Path
) -> None:
    said: list[UserError] = []
    dialog.failed.connect(said.append)
    dialog.path.line.setText(str(tmp_path / "nowhere"))
    dialog.read.click()
    until(lambda: bool(said))
    assert "no such file" in str(said[0])
    assert dialog.isVisible()
    assert not dialog.go.isEnabled()
    assert dialog.read.isEnabled()


def test_a_file_of_too_many_objects_is_refused_in_words_and_nothing_is_kept(
    dialog: ImportDialog, controller: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_dialog, "MOST_IMPORTED", 1)
    said: list[UserError] = []
    dialog.failed.connect(said.append)
    dialog.path.line.setText(str(coco(tmp_path / "c.json", controller)))
    dialog.read.click()
    until(lambda: bool(said))
    assert "imports 1 objects at most" in str(said[0])
    assert "samtta import" in str(said[0])
    assert not dialog.go.isEnabled()


def test_another_choice_takes_the_preview_back(dialog: ImportDialog, controller: Controller, tmp_path: Path) -> None:
    dialog.path.line.setText(str(coco(tmp_path / "c.json", controller)))
    dialog.read.click()
    until(dialog.go.isEnabled)
    dialog.format.setCurrentIndex(dialog.format.findData("masks"))
    assert not dialog.go.isEnabled()
    assert dialog.preview.toPlainText() == ""
    assert dialog.parts.isEnabled()
    dialog.format.setCurrentIndex(dialog.format.findData("coco"))
    assert not dialog.parts.isEnabled()


def test_every_format_can_be_chosen(dialog: ImportDialog) -> None:
    assert [dialog.format.itemData(k) for k in range(dialog.format.count())] == list(IMPORTERS)


def test_closing_while_it_reads_ends_the_reading(dialog: ImportDialog, controller: Controller, tmp_path: Path) -> None:
    dialog.path.line.setText(str(coco(tmp_path / "c.json", controller)))
    dialog.read.click()
    dialog.close()
    assert controller.store.annotations() == ()


def test_import_needs_a_project_that_can_be_written() -> None:
    row = next(row for row in ACTION_TABLE if row.name == "import")
    assert not row.enabled(None)
    assert row.enabled(scene())
    assert not row.enabled(scene(read_only=True))
