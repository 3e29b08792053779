"""An export runs beside the window: it tells how far it is, can be cancelled, and never holds the window up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from pytestqt.qtbot import QtBot

from samtta_app.core.messages import ReportProgress
from samtta_app.datasets.folder import open_dataset, read_objects
from samtta_app.errors import ExportError, UserError
from samtta_app.gui.actions.action_table import ACTION_TABLE
from samtta_app.gui.controller import Controller
from samtta_app.gui.exporting import Exported, ExportTask
from samtta_app.gui.panels.status import StatusBar
from samtta_app.phrases import Phrase
from samtta_app.session.project.store import Store
from tests.gui.scenes import scene
from tests.gui.sessions import until
from tests.gui.test_controller import accept_something, make
from tests.unit.values import picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for k in (1, 2):
        cv2.imwrite(str(tmp_path / "images" / f"{k}.png"), picture(k, discs=((60, 50, 18),)).pixels)
    return tmp_path / "images"


@pytest.fixture
def controller(folder: Path, qapp: object) -> Iterator[Controller]:
    made = make(folder)
    made.start()
    until(lambda: made.state.image is not None)
    yield made
    made.close()


class Slow:
    """A task that waits at its second image until it is let go on."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.begun, self.go = folder, threading.Event(), threading.Event()
        self.thread = ""

    def __call__(self, progress: ReportProgress) -> Exported:
        self.thread = threading.current_thread().name
        progress(0.0, "image 1 of 2")
        self.begun.set()
        assert self.go.wait(30)
        progress(0.5, "image 2 of 2")
        return Exported(self.folder, (self.folder / "a.json",), "Exported")


def begin(controller: Controller, task: ExportTask) -> list[Exported | UserError]:
    ends: list[Exported | UserError] = []
    controller.exported.connect(ends.append)
    controller._export(task)
    return ends


def test_an_export_runs_in_a_thread_of_its_own_and_says_how_far_it_is(controller: Controller, tmp_path: Path) -> None:
    slow = Slow(tmp_path)
    ends = begin(controller, slow)
    until(lambda: controller.state.exporting == "Exporting image 1 of 2")
    assert isinstance(controller.state.exporting, Phrase)  # so that the window says it in its language
    assert slow.thread == "samtta-export"
    bar = StatusBar()
    bar.show_state(controller.state)
    assert "Exporting image 1 of 2" in bar.work.text()
    slow.go.set()
    until(lambda: bool(ends))
    assert controller.state.exporting == ""
    assert controller.state.message is not None
    assert controller.state.message.severity == "good"
    assert f"Exported: 1 file in {tmp_path}" in controller.state.message.text


def test_a_second_export_is_refused_in_words_until_the_first_has_ended(controller: Controller, tmp_path: Path) -> None:
    slow = Slow(tmp_path)
    ends = begin(controller, slow)
    for export in (lambda: controller.export("coco", tmp_path / "b"), lambda: controller.export_statistics(tmp_path)):
        with pytest.raises(ExportError, match="Another export is under way"):
            export()
    slow.go.set()
    until(lambda: bool(ends))
    controller.export("coco", tmp_path / "b")
    until(lambda: len(ends) == 2)
    assert isinstance(ends[1], Exported)


def test_a_cancelled_export_says_so_and_writes_nothing(controller: Controller, tmp_path: Path) -> None:
    slow = Slow(tmp_path)
    ends = begin(controller, slow)
    assert slow.begun.wait(30)
    controller.cancel_export()
    slow.go.set()
    until(lambda: bool(ends))
    assert controller.state.message is not None
    assert (controller.state.message.severity, controller.state.message.text) == (
        "info",
        "The export was cancelled.",
    )
    controller.cancel_export()  # there is none any more


def test_what_goes_wrong_is_said_whatever_it_is(controller: Controller, caplog: pytest.LogCaptureFixture) -> None:
    def broken(progress: ReportProgress) -> Exported:
        raise RuntimeError("a bug")

    ends = begin(controller, broken)
    until(lambda: bool(ends))
    assert controller.state.message is not None
    assert controller.state.message.severity == "error"
    assert "RuntimeError: a bug" in controller.state.message.text
    assert "An export failed" in caplog.text
    assert controller.state.exporting == ""


def test_the_session_goes_on_during_an_export(controller: Controller, qtbot: QtBot, tmp_path: Path) -> None:
    slow = Slow(tmp_path)
    ends = begin(controller, slow)
    accept_something(controller, qtbot)
    assert len(controller.state.annotations) == 1
    assert controller.state.exporting
    slow.go.set()
    until(lambda: bool(ends))


def test_what_is_accepted_during_an_export_is_in_the_next_one(
    controller: Controller, qtbot: QtBot, tmp_path: Path
) -> None:
    accept_something(controller, qtbot)
    ends: list[object] = []
    controller.exported.connect(ends.append)
    controller.export("coco", tmp_path / "out")
    until(lambda: len(ends) == 1)
    assert (tmp_path / "out" / "annotations/instances_default.json").read_text().count('"segmentation"') == 1


def test_a_data_set_that_the_window_exports_is_one_that_bench_and_train_open(
    controller: Controller, qtbot: QtBot, tmp_path: Path
) -> None:
    accept_something(controller, qtbot)
    ends: list[object] = []
    controller.exported.connect(ends.append)
    controller.export("dataset", tmp_path / "out")
    until(lambda: len(ends) == 1)
    (image,) = open_dataset(tmp_path / "out").part("train")
    (stored,) = controller.state.annotations
    (found,) = read_objects(image)
    assert image.path.read_bytes() == controller.state.image.path.read_bytes()
    assert (found.mask.x, found.mask.y, found.mask.area) == (stored.mask.x, stored.mask.y, stored.mask.area)


def test_closing_cancels_an_export_and_leaves_nothing_of_it(
    folder: Path, tmp_path: Path, qapp: object, caplog: pytest.LogCaptureFixture
) -> None:
    made = make(folder)
    made.start()
    slow = Slow(tmp_path / "out")
    ends = begin(made, slow)
    assert slow.begun.wait(30)
    threading.Timer(0.2, slow.go.set).start()
    made.close()
    assert not any(thread.name == "samtta-export" for thread in threading.enumerate())
    assert [str(end) for end in ends] == ["The export was cancelled."]
    assert "closed while an export was under way" in caplog.text
    assert not (tmp_path / "out").exists()
    Store.open(folder).close()


def test_the_export_can_be_cancelled_from_the_menu_while_there_is_one() -> None:
    row = next(row for row in ACTION_TABLE if row.name == "cancel_export")
    assert row.menu == "File"
    assert not row.enabled(None)
    assert not row.enabled(scene())
    assert row.enabled(scene(exporting="Exporting"))
