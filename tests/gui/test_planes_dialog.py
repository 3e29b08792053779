"""The dialog of pages and subfolders: what is chosen is shown, kept in the project, and read again at the next start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PySide6.QtWidgets import QDialogButtonBox, QWidget

from samtta_app.core.types import Click
from samtta_app.errors import UserError
from samtta_app.gui.controller import Controller
from samtta_app.gui.dialogs.planes_dialog import ONE_PLANE, PlanesDialog
from samtta_app.gui.panels.status import pixel_text
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from tests.gui.sessions import until
from tests.gui.test_controller import make
from tests.unit.values import picture

STACK = np.random.default_rng(2).integers(0, 60_000, (3, 2, 60, 80), dtype=np.uint16)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    images = tmp_path / "images"
    (images / "more").mkdir(parents=True)
    tifffile.imwrite(images / "a.ome.tif", STACK, metadata={"axes": "ZCYX"}, photometric="minisblack")
    for name in ("b.png", "more/c.png"):
        cv2.imwrite(str(images / name), picture(1, discs=((60, 50, 18),)).pixels)
    (images / "notes.txt").touch()
    return images


@pytest.fixture
def controller(folder: Path, qapp: object) -> Iterator[Controller]:
    made = make(folder)
    made.start()
    until(lambda: made.state.image is not None)
    yield made
    made.close()


def opened(controller: Controller, qtbot) -> PlanesDialog:
    parent = QWidget()
    qtbot.addWidget(parent)
    made = PlanesDialog(parent, controller)
    made.parent_kept = parent
    made.show()
    return made


def confirm(dialog: PlanesDialog) -> None:
    dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok).click()


def test_a_page_and_a_channel_are_shown_and_kept(controller: Controller, folder: Path, qtbot) -> None:
    dialog = opened(controller, qtbot)
    assert (list(dialog.places), dialog.places["Z"].maximum(), dialog.channel.count()) == (["Z"], 3, 3)
    dialog.places["Z"].setValue(3)
    dialog.channel.setCurrentIndex(2)
    controller.do(acts.PlaceClick(Click(30, 30, True), image="a.ome.tif"))
    confirm(dialog)
    assert not dialog.isVisible()
    until(lambda: controller.state.image is not None)
    image = controller.state.image
    assert controller.state.preview is None
    assert np.array_equal(image.raw, STACK[2].transpose(1, 2, 0))
    assert image.notice == "This is page 3 of 3. Channel 2 of 2 is shown."
    assert pixel_text(image, 5, 4) == f"5, 4   {STACK[2, 0, 4, 5]} {STACK[2, 1, 4, 5]}"
    again = opened(controller, qtbot)
    assert (again.places["Z"].value(), again.channel.currentIndex()) == (3, 2)
    again.close()
    controller.close()
    with Store.open(folder) as store:
        assert dict(store.reading.planes.positions) == {"Z": 2}
        assert store.reading.planes.channel == 1


def test_a_plain_image_keeps_what_was_chosen_for_stacks(controller: Controller, qtbot) -> None:
    dialog = opened(controller, qtbot)
    dialog.places["Z"].setValue(2)
    confirm(dialog)
    controller.do(acts.NextImage())
    until(lambda: controller.state.image is not None and controller.state.image.path.name == "b.png")
    plain = opened(controller, qtbot)
    assert plain.places == {}
    assert plain.choice == controller.store.reading
    assert plain.note.text() != ONE_PLANE  # it has channels


def test_subfolders_are_listed_and_passed_over_files_are_counted(controller: Controller, qtbot) -> None:
    dialog = opened(controller, qtbot)
    assert dialog.passed.text() == "Passed over in the folder: 1 .txt, 1 folder with images"
    dialog.subfolders.setChecked(True)
    confirm(dialog)
    assert [entry.name for entry in controller.state.images] == ["a.ome.tif", "b.png", "more/c.png"]
    controller.do(acts.OpenImage(2))
    until(lambda: controller.state.image is not None)
    assert controller.state.image.path.parent.name == "more"
    until(lambda: controller.state.images[2].status == "encoded")
    dialog = opened(controller, qtbot)
    dialog.subfolders.setChecked(False)
    confirm(dialog)
    assert [entry.name for entry in controller.state.images] == ["a.ome.tif", "b.png"]


def test_where_nothing_can_be_stored_nothing_changes(controller: Controller, qtbot) -> None:
    dialog, said = opened(controller, qtbot), list[UserError]()
    dialog.failed.connect(said.append)
    controller.store.read_only = True
    dialog.places["Z"].setValue(2)
    confirm(dialog)
    assert len(said) == 1
    assert dialog.isVisible()
    assert controller.state.image.notice.startswith("This is page 1 of 3.")
