"""Hands are faster than the engine: real mouse and key events, and answers that come when the test lets them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from samtta_app.adapt.registry import STRATEGIES
from samtta_app.core.messages import PredictRequest, Request
from samtta_app.core.replies import Progress, Reply
from samtta_app.engine.dispatch import Engine
from samtta_app.gui import controller as controller_module
from samtta_app.gui.app import Application
from samtta_app.gui.panels.status import hint
from samtta_app.model.model_registry import toy_model
from samtta_app.session import acts
from samtta_app.session.acts import Accept
from samtta_app.session.project.store import Store
from samtta_app.settings import Settings
from tests.gui.scenes import WORDS, scene
from tests.gui.sessions import Sitting
from tests.unit.session.real import pictures_in
from tests.unit.session.scripted import Script, folder_of

Key = Qt.Key
CTRL = Qt.KeyboardModifier.ControlModifier


class Late:
    """Answers clicks only when the test lets it; everything else at once."""

    description = "late"
    tasks = ()

    def __init__(self) -> None:
        self.script = Script()
        self.gate = threading.Semaphore(0)
        self.asked = threading.Semaphore(0)
        self.clicks: list[tuple[float, ...]] = []

    def handle(self, request: Request) -> Generator[Progress | None, None, Reply | None]:
        if isinstance(request, PredictRequest):
            self.clicks.append(tuple(c.x for c in request.prompt.clicks))
            self.asked.release()
            self.gate.acquire()
        yield None
        return self.script.answer(request)


class Typist(Sitting):
    """A person at a window whose engine the test made."""

    def __init__(self, qtbot: QtBot, engine: object) -> None:
        self._qtbot = qtbot
        self.application = Application(
            Settings(theme="light", learn=False),
            lambda chosen: engine,  # type: ignore[arg-type, return-value]
            strategies=WORDS,
        )
        self.window.resize(1200, 800)
        self.window.show()

    def types(self, *strokes: tuple[float, float] | Qt.Key) -> None:
        """Click image points and press keys as fast as possible; places are given by their image pixels."""
        for stroke in strokes:
            if isinstance(stroke, tuple):
                self.clicks(*stroke)
            else:
                QTest.keyClick(self.window.canvas, stroke)

    @property
    def objects(self) -> list[list[int]]:
        """The columns of each stored object's clicks, in the order of their accept."""
        found = self.controller.store.annotations()
        return [[round(c.x) for c in annotation.clicks] for annotation in found]


@pytest.fixture
def late() -> Late:
    return Late()


@pytest.fixture
def typist(qtbot: QtBot, tmp_path: Path, late: Late) -> Iterator[Typist]:
    typist = Typist(qtbot, late)
    typist.opens(folder_of(tmp_path / "images", "a.png", "b.png", "c.png"))
    typist.window.activateWindow()
    typist.wait(typist.window.isActiveWindow)
    typist.window.canvas.setFocus()
    yield typist
    late.gate.release(1000)
    typist.leaves()


def test_twenty_objects_typed_ahead_are_twenty_objects_in_order(typist: Typist, late: Late) -> None:
    for k in range(20):
        typist.types((10 + 5 * k, 40), Key.Key_Return)
    late.asked.acquire()  # the first click is with the engine, which has answered nothing
    assert typist.objects == []
    assert len(typist.state.waiting) == 39
    late.gate.release(1000)
    typist.wait(lambda: not typist.state.waiting and len(typist.objects) == 20)
    assert typist.objects == [[10 + 5 * k] for k in range(20)]
    assert late.clicks == [(x,) for x in _columns(typist)]


def _columns(typist: Typist) -> list[float]:
    return [annotation.clicks[0].x for annotation in typist.controller.store.annotations()]


def test_every_answer_lets_the_next_object_begin_and_the_status_bar_says_what_waits(typist: Typist, late: Late) -> None:
    typist.types((20, 40), Key.Key_Return, (60, 40), Key.Key_Return)
    typist.wait(lambda: "Waiting for the mask, then: accept, click, accept" in typist.window.status.hint.text())
    late.gate.release()
    typist.wait(lambda: typist.objects == [[20]])
    typist.wait(lambda: typist.window.status.hint.text() == "Waiting for the mask, then: accept")
    late.gate.release()
    typist.wait(lambda: typist.objects == [[20], [60]])


def test_enter_is_possible_before_the_first_answer(typist: Typist, late: Late) -> None:
    typist.types((20, 40))
    actions = typist.window.actions_made
    assert all(actions[name].isEnabled() for name in ("accept", "accept_next", "cancel", "remove_click", "next"))


def test_escape_backspace_tab_and_classes_are_typed_ahead(typist: Typist, late: Late) -> None:
    typist.controller.do(acts.AddClass("leaf"))
    typist.types(Key.Key_1, (20, 40), Key.Key_Return)
    typist.types((40, 40), Key.Key_Escape)
    typist.types((60, 40), (70, 40), Key.Key_Backspace, Key.Key_2, Key.Key_Tab, Key.Key_Return)
    typist.types(Key.Key_1, (90, 40), Key.Key_Return)
    late.gate.release(1000)
    typist.wait(lambda: len(typist.objects) == 3)
    assert typist.objects == [[20], [60], [90]]
    found = typist.controller.store.annotations()
    assert [annotation.class_id for annotation in found] == [1, 2, 1]
    assert found[1].mask.bits.shape == (11, 11)  # Tab: the second candidate, 5 pixels wide


def test_accept_and_next_changes_the_image_after_the_accept(typist: Typist, late: Late) -> None:
    typist.types((20, 40))
    QTest.keyClick(typist.window.canvas, Key.Key_Return, CTRL)
    assert typist.state.index == 0
    late.gate.release(1000)
    typist.wait(lambda: typist.state.index == 1 and typist.state.image is not None)
    assert typist.objects == [[20]]


def test_d_after_enter_waits_for_the_accept_and_undo_comes_back(typist: Typist, late: Late) -> None:
    typist.types((20, 40), Key.Key_Return, Key.Key_D)
    QTest.keyClick(typist.window.canvas, Key.Key_Z, CTRL)
    late.gate.release(1000)
    typist.wait(lambda: not typist.state.waiting and typist.state.preview is not None)
    assert (typist.state.index, typist.objects) == (0, [])


def test_closing_waits_for_the_mask_of_what_was_accepted(qtbot: QtBot, tmp_path: Path, late: Late) -> None:
    typist = Typist(qtbot, late)
    folder = folder_of(tmp_path / "images", "a.png")
    typist.opens(folder)
    typist.types((20, 40))
    typist.controller.do(acts.Accept())
    late.asked.acquire()
    late.gate.release(1000)  # the answer is on its way, and the window closes first
    typist.leaves()
    with Store.open(folder) as store:
        assert len(store.annotations()) == 1


def test_closing_gives_up_a_mask_that_does_not_come_and_says_so(
    qtbot: QtBot, tmp_path: Path, late: Late, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(controller_module, "CLOSING_SECONDS", 0.01)
    typist = Typist(qtbot, late)
    folder = folder_of(tmp_path / "images", "a.png")
    typist.opens(folder)
    typist.types((20, 40))
    typist.controller.do(acts.Accept())
    late.asked.acquire()
    real = typist.controller._worker.close
    typist.controller._worker.close = lambda: (late.gate.release(1000), real())  # type: ignore[method-assign]
    typist.leaves()
    assert "accept" in caplog.text
    assert [record.levelno for record in caplog.records if "before these acts" in record.message] == [logging.WARNING]
    with Store.open(folder) as store:
        assert store.annotations() == ()


def test_the_toy_model_typed_ahead_makes_the_same_objects(qtbot: QtBot, tmp_path: Path) -> None:
    typist = Typist(qtbot, Engine(toy_model(), adapting=STRATEGIES["frozen"]))
    typist.opens(pictures_in(tmp_path / "images", "a.png"))
    typist.window.activateWindow()
    typist.wait(typist.window.isActiveWindow)
    typist.window.canvas.setFocus()
    places = []
    for x in range(12, 120, 9):
        typist.clicks(x, 50)
        typist.wait(lambda: typist.answered)
        if typist.state.preview.candidate.mask.area:  # type: ignore[union-attr]  # a toy's masks may be empty
            places.append((x, 50))
        typist.types(Key.Key_Escape)
    assert len(places) > 3, "the toy model found next to nothing"
    for place in places:
        typist.types(place, Key.Key_Return)
    typist.wait(lambda: not typist.state.waiting)
    assert [x for (x,) in typist.objects] == pytest.approx([x for x, _ in places], abs=1)
    typist.leaves()


def test_the_hint_speaks_of_what_waits() -> None:
    assert hint(scene(waiting=(Accept(),))) == "Waiting for the mask, then: accept"


def test_events_are_processed_between_strokes_too(typist: Typist, late: Late) -> None:
    for k in range(5):
        typist.types((20 + 15 * k, 40))
        QCoreApplication.processEvents()
        typist.types(Key.Key_Return)
        QCoreApplication.processEvents()
    late.gate.release(1000)
    typist.wait(lambda: len(typist.objects) == 5)
    assert typist.objects == [[20], [35], [50], [65], [80]]
