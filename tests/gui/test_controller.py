"""The controller passes acts on, says each new state once, and closes in order: real workflow, store, engine and thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QObject, Slot
from pytestqt.qtbot import QtBot

from samtta_app.core.replies import Loaded
from samtta_app.core.types import Box, Click
from samtta_app.engine.dispatch import Engine
from samtta_app.errors import CheckpointError, ExportError
from samtta_app.gui.controller import Controller
from samtta_app.gui.idle_controller import IdleController
from samtta_app.gui.worker import EngineProtocol, Worker
from samtta_app.model.model_registry import toy_model
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.state import State
from samtta_app.session.workflow.workflow import Workflow
from tests.gui.sessions import exported
from tests.unit.session.scripted import accepted
from tests.unit.values import picture

WAIT = 30_000


class Listener(QObject):
    """A view that keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[State] = []

    @Slot(object)
    def show(self, state: State) -> None:
        self.states.append(state)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for k in (1, 2):
        cv2.imwrite(str(tmp_path / f"{k}.png"), picture(k, discs=((60, 50, 18),)).pixels)
    return tmp_path


def make(folder: Path, factory: object = None) -> Controller:
    chosen = factory or (lambda: Engine(toy_model()))
    return Controller(Workflow(Store.open(folder)), Worker(chosen, IdleController))  # type: ignore[arg-type]


@pytest.fixture
def controller(folder: Path, qapp: object, qtbot: QtBot) -> Iterator[Controller]:
    made = make(folder)
    made.start()
    qtbot.waitUntil(lambda: made.state.image is not None, timeout=WAIT)
    yield made
    made.close()


def answered(controller: Controller) -> bool:
    preview = controller.state.preview
    return preview is not None and preview.candidate is not None and not preview.waiting


def accept_something(controller: Controller, qtbot: QtBot) -> None:
    """A toy's masks may be empty: ask until one is not."""
    for x, y in ((60, 50), (30, 30), (90, 70), (20, 80)):
        controller.do(acts.PlaceClick(Click(x, y, True)))
        qtbot.waitUntil(lambda: answered(controller), timeout=WAIT)
        for _ in range(3):
            preview = controller.state.preview
            if preview is not None and preview.candidate is not None and preview.candidate.mask.area:
                controller.do(acts.Accept())
                return
            controller.do(acts.NextCandidate())
        controller.do(acts.Cancel())
    pytest.fail("the toy model found nothing at all")


def test_each_new_state_is_said_once_and_in_order(controller: Controller, qtbot: QtBot) -> None:
    ear = Listener()
    controller.state_changed.connect(ear.show)
    controller.do(acts.PlaceClick(Click(60, 50, True)))
    assert ear.states[-1] is controller.state
    qtbot.waitUntil(lambda: answered(controller), timeout=WAIT)
    controller.do(acts.Show(overlay="entropy"))
    controller.do(acts.Show(overlay="off"))
    assert len(ear.states) == len({id(state) for state in ear.states})
    assert ear.states[-1] is controller.state


def test_many_states_in_one_turn_are_drawn_once_and_with_the_last(controller: Controller, qtbot: QtBot) -> None:
    said, drawn = Listener(), Listener()
    qtbot.waitUntil(lambda: not controller._pause.isActive(), timeout=WAIT)
    controller.state_changed.connect(said.show)
    controller.drawn.connect(drawn.show)
    for k in range(200):
        controller.do(acts.Show(opacity=k / 200))
    assert len(said.states) == 200
    assert drawn.states == [said.states[0]]
    qtbot.waitUntil(lambda: drawn.states[-1] is controller.state, timeout=WAIT)
    assert len(drawn.states) == 2
    assert drawn.states[-1].display.opacity == 199 / 200


def test_what_a_view_does_while_it_draws_is_drawn_afterwards(controller: Controller, qtbot: QtBot) -> None:
    drawn: list[State] = []

    class Meddler(QObject):
        @Slot(object)
        def show(self, state: State) -> None:
            drawn.append(state)
            if len(drawn) == 1:
                controller.do(acts.Show(masks=False))
                assert len(drawn) == 1

    meddler = Meddler()
    qtbot.waitUntil(lambda: not controller._pause.isActive(), timeout=WAIT)
    controller.drawn.connect(meddler.show)
    controller.do(acts.Show(opacity=0.3))
    qtbot.waitUntil(lambda: len(drawn) == 2, timeout=WAIT)
    assert not drawn[-1].display.masks


def test_another_image_is_drawn_at_once_so_that_no_click_is_aimed_at_the_one_before(
    controller: Controller, qtbot: QtBot
) -> None:
    drawn = Listener()
    controller.drawn.connect(drawn.show)
    controller.do(acts.Show(opacity=0.3))
    controller.do(acts.Show(opacity=0.4))
    controller.do(acts.NextImage())
    assert drawn.states[-1] is controller.state
    assert drawn.states[-1].image is None


def test_records_of_earlier_runs_are_read_between_the_windows_events(folder: Path, qapp: object, qtbot: QtBot) -> None:
    with Store.open(folder) as store:
        for _ in range(3):
            store.accept(accepted("1.png"), 128, 96)
    made = make(folder)
    try:
        made.start()
        assert made.state.statistics.objects == 0
        qtbot.waitUntil(lambda: made.state.statistics.objects == 3, timeout=WAIT)
        assert not made._reading.isActive()
    finally:
        made.close()


def test_a_click_is_answered_accepted_and_learned_from(controller: Controller, qtbot: QtBot) -> None:
    accept_something(controller, qtbot)
    assert len(controller.state.annotations) == 1
    assert controller.state.preview is None
    qtbot.waitUntil(lambda: len(controller.state.adaptation.reports) == 1, timeout=WAIT)


def test_every_act_reaches_the_workflow(controller: Controller, qtbot: QtBot) -> None:
    controller.do(acts.DrawBox(Box(40, 30, 80, 70)))
    qtbot.waitUntil(lambda: answered(controller), timeout=WAIT)
    controller.do(acts.Undo())
    assert controller.state.preview is None
    controller.do(acts.Redo())
    qtbot.waitUntil(lambda: answered(controller), timeout=WAIT)
    controller.do(acts.Cancel())
    assert controller.state.preview is None
    controller.do(acts.AddClass("leaf"))
    newest = controller.state.classes[-1]
    assert (newest.name, controller.state.current_class) == ("leaf", newest.id)
    controller.do(acts.RenameClass(newest.id, "frond"))
    assert controller.state.classes[-1].name == "frond"
    controller.do(acts.SetClass(controller.state.classes[0].id))
    assert controller.state.current_class == controller.state.classes[0].id
    controller.do(acts.ControlLearner("pause"))
    qtbot.waitUntil(lambda: controller.state.adaptation.activity == "paused", timeout=WAIT)


def test_objects_are_selected_and_deleted(controller: Controller, qtbot: QtBot) -> None:
    accept_something(controller, qtbot)
    number = controller.state.annotations[0].id
    controller.do(acts.Select(number))
    assert controller.state.selected == number
    controller.do(acts.Select(None))
    controller.do(acts.SelectNext())
    assert controller.state.selected == number
    controller.do(acts.DeleteSelected())
    assert controller.state.annotations == ()


def test_images_are_changed(controller: Controller, qtbot: QtBot) -> None:
    for act, index in (
        (acts.NextImage(), 1),
        (acts.NextImage(-1), 0),
        (acts.NextUnreviewed(), 1),
        (acts.OpenImage(0), 0),
    ):
        controller.do(act)
        qtbot.waitUntil(lambda: controller.state.image is not None, timeout=WAIT)
        assert controller.state.index == index


def test_exports_say_where_the_files_are(controller: Controller, qtbot: QtBot, tmp_path: Path) -> None:
    accept_something(controller, qtbot)
    files = exported(controller, "coco", tmp_path / "out")
    assert [file.name for file in files] == ["instances_default.json"]
    assert controller.state.message is not None
    assert str(tmp_path / "out") in controller.state.message.text
    assert all(file.exists() for file in exported(controller, "statistics", tmp_path / "figures"))


def test_an_export_that_does_not_work_ends_in_an_error(controller: Controller, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(ExportError):
        exported(controller, "coco", tmp_path / "taken")


def test_the_model_is_named(controller: Controller, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: "toy" in controller.description, timeout=WAIT)


def test_close_ends_the_thread_and_releases_the_project(folder: Path, qapp: object, qtbot: QtBot) -> None:
    made = make(folder)
    made.start()
    made.close()
    made.close()
    assert not any(thread.name == "samtta-engine" for thread in threading.enumerate())
    Store.open(folder).close()


def test_after_close_late_replies_change_nothing(folder: Path, qapp: object, qtbot: QtBot) -> None:
    made = make(folder)
    made.start()
    qtbot.waitUntil(lambda: made.state.image is not None, timeout=WAIT)
    made.close()
    before = made.state
    assert before.image is not None
    made.receive(Loaded(99, before.image))
    QCoreApplication.processEvents()
    assert made.state is before


def test_without_a_model_the_reason_is_shown_and_images_can_be_looked_at(
    folder: Path, qapp: object, qtbot: QtBot
) -> None:
    def broken() -> EngineProtocol:
        raise CheckpointError("The file is truncated", "sam.pth", "Get it again")

    made = make(folder, broken)
    try:
        made.start()
        qtbot.waitUntil(lambda: made.state.image is not None, timeout=WAIT)
        assert made.state.message is not None
        assert "sam.pth" in made.state.message.text
        made.do(acts.PlaceClick(Click(60, 50, True)))
        qtbot.waitUntil(lambda: made.state.preview is None, timeout=WAIT)
        assert made.state.message is not None
        assert "truncated" in made.state.message.text
        made.do(acts.NextImage())
        qtbot.waitUntil(lambda: made.state.image is not None, timeout=WAIT)
        assert np.asarray(made.state.image.pixels).any()  # type: ignore[union-attr]
    finally:
        made.close()
