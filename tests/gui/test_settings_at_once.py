"""Every setting is used at once: another engine or language takes over while an object is being annotated."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
import torch
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from samtta_app.adapt.registry import STRATEGIES
from samtta_app.core.messages import PredictRequest, Request
from samtta_app.core.replies import Reply
from samtta_app.engine import dispatch
from samtta_app.engine.dispatch import Engine
from samtta_app.engine.resources import Work
from samtta_app.errors import CheckpointError
from samtta_app.gui import app
from samtta_app.gui.dialogs.settings_dialog import SettingsDialog
from samtta_app.gui.model_work import ModelTask
from samtta_app.gui.widgets.translation import install_translators
from samtta_app.model.model_registry import toy_model
from samtta_app.session import acts
from samtta_app.session.state import Message
from samtta_app.settings import Settings, load_settings
from tests.gui.sessions import Sitting


class Listening(Engine):
    """A toy that goes by the name of the setting, and notes the clicks that it answers."""

    heard: ClassVar[list[tuple[str, int]]] = []

    def __init__(self, settings: Settings) -> None:
        strategy = STRATEGIES[settings.strategy if settings.learn else "frozen"]
        refusal = "cuda cannot be used (no driver)" if settings.device == "cuda" else ""
        super().__init__(replace(toy_model(), name=settings.model), adapting=strategy, device_refusal=refusal)

    def handle(self, request: Request) -> Work:
        if isinstance(request, PredictRequest) and not request.twin:
            self.heard.append((self.resources.model.name, len(request.prompt.clicks)))
        reply: Reply | None = yield from super().handle(request)
        return reply


def listening(settings: Settings) -> Engine:
    if settings.model == "gone":
        raise CheckpointError("There is no model of this name", "gone", "Choose another one")
    return Listening(settings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "images"
    made.mkdir()
    for name in ("a.png", "b.png"):
        pixels = np.full((96, 128, 3), 40, np.uint8)
        cv2.circle(pixels, (60, 50), 18, (200, 210, 220), -1)
        cv2.imwrite(str(made / name), pixels)
    return made


@pytest.fixture
def one(qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sitting]:
    monkeypatch.setattr(Listening, "heard", [])
    made = Sitting(qtbot)
    made.application._factory = listening
    made.opens(folder)
    made.wait(lambda: "samtta-small" in made.controller.description)
    yield made
    made.leaves()
    install_translators(QApplication.instance(), "en")


def dialog_of(one: Sitting) -> SettingsDialog:
    if "settings" not in one.window.dialogs:
        one.window.open_dialog("settings")
    dialog = one.window.dialogs["settings"]
    assert isinstance(dialog, SettingsDialog)
    return dialog


def writes(one: Sitting, name: str, text: str) -> None:
    """Write into a field of the dialog, and press Return."""
    field = dialog_of(one).fields[name]
    line = getattr(field, "line", field)
    line.setText(text)
    QTest.keyClick(line, Qt.Key.Key_Return)


def begins(one: Sitting) -> None:
    """Two clicks on an object of the second image, from close by, with a class of its own."""
    one.shows("b.png")
    one.controller.do(acts.AddClass("debris"))
    one.controller.do(acts.SetClass(2))
    one.window.canvas.zoom_at(QPointF(300, 200), 2.0)
    for x, y in ((60, 50), (62, 52)):
        one.clicks(x, y)
        one.wait(lambda: one.answered)


def place(one: Sitting) -> tuple[object, ...]:
    state, middle = one.state, one.window.canvas.visible_rect().center()
    view = round(one.window.canvas.zoom, 3), round(middle.x()), round(middle.y())
    clicks = state.preview.clicks if state.preview else ()
    return (state.index, state.current_class, state.display.tool, clicks, *view)


def test_another_model_answers_the_next_click_and_a_bad_one_changes_nothing(one: Sitting) -> None:
    begins(one)
    before, mask = place(one), one.state.preview.candidate.mask  # type: ignore[union-attr]
    writes(one, "model", "second")
    one.wait(lambda: "second" in one.window.status.model.text())
    assert place(one) == before
    assert one.state.preview.candidate.mask is mask  # type: ignore[union-attr]
    one.clicks(55, 48)
    one.wait(lambda: one.answered)
    assert Listening.heard[-2:] == [("samtta-small", 2), ("second", 3)]
    for name, value, why in (("model", "gone", "no model of this name"), ("device", "cuda", "cuda cannot be used")):
        writes(one, name, value)
        one.wait(lambda why=why: why in one.said)
        assert why in dialog_of(one).error.text()
        assert "as they were before" in one.said
        settings = Settings(theme="light", model="second")
        assert (one.window.settings, load_settings().model, load_settings().device) == (settings, "second", "auto")
        assert "second" in one.window.status.model.text()
        assert len(one.window.messages.lines) == 1, "the message before has left"
    one.presses(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    one.clicks(58, 44)
    one.wait(lambda: one.answered)
    assert Listening.heard[-1] == ("second", 3)
    # What is learned belongs to its model, and would be left with a message.
    one.controller.do(acts.ControlLearner("pause"))
    one.wait(lambda: one.state.adaptation.activity == "paused")
    one.controller.do(acts.Accept())
    assert [a.class_id for a in one.state.annotations] == [2], one.said
    writes(one, "model", "third")  # after what was refused, what can be used is
    one.wait(lambda: "third" in one.window.status.model.text())
    assert not dialog_of(one).error.isVisible()
    assert one.said == ""


def test_the_model_before_answers_until_the_new_one_is_loaded_which_may_be_given_up(one: Sitting) -> None:
    may, makers = threading.Event(), list[threading.Thread]()

    def slow(settings: Settings) -> Engine:
        makers.append(threading.current_thread())
        may.wait(30)
        return Listening(settings)

    one.application._exchange._factory = slow  # type: ignore[union-attr]
    writes(one, "model", "second")
    one.wait(lambda: "Loading" in one.window.status.model.text() and makers)
    one.clicks(60, 50)
    one.wait(lambda: one.answered)
    assert Listening.heard == [("samtta-small", 1)]
    writes(one, "model", "samtta-small")
    one.wait(lambda: "samtta-small" in one.window.status.model.text())
    writes(one, "model", "third")
    one.wait(lambda: len(makers) == 2)
    one.leaves()
    may.set()
    for maker in makers:
        maker.join()
    QApplication.processEvents()
    assert "samtta-small" in one.controller.description


def test_where_no_model_answers_another_bad_one_stays_and_a_good_one_answers(qtbot: QtBot, folder: Path) -> None:
    one = Sitting(qtbot)
    one.application._factory = listening
    one.window.use(replace(one.window.settings, model="gone"))
    one.opens(folder)
    one.wait(lambda: one.controller.description == "no model")
    dialog_of(one).fields["strategy"].setCurrentText("fbrs")  # type: ignore[attr-defined]
    one.wait(lambda: dialog_of(one).error.isVisible())
    assert "as they were" not in one.said
    assert (one.window.settings.model, one.window.settings.strategy) == ("gone", "fbrs")
    writes(one, "model", "second")
    one.wait(lambda: "second" in one.controller.description)
    one.clicks(60, 50)
    one.wait(lambda: one.answered)
    assert one.state.adaptation.strategy == "fbrs"
    one.leaves()


def test_the_way_of_learning_changes_at_once_and_pending_lessons_are_given(one: Sitting) -> None:
    one.accepts((60, 50), (62, 52), (50, 45))
    box = dialog_of(one).fields["strategy"]
    box.setCurrentText("lit-lora")  # type: ignore[attr-defined]
    one.wait(lambda: one.state.adaptation.strategy == "lit-lora")
    one.wait(lambda: [report.object_id for report in one.state.adaptation.reports] == [1])
    dialog_of(one).fields["learn"].click()  # type: ignore[attr-defined]
    one.wait(lambda: one.state.adaptation.activity == "off")
    begins(one)
    box.setCurrentText("frozen")  # type: ignore[attr-defined]
    one.wait(lambda: one.state.adaptation.strategy == "frozen")
    assert len(one.state.preview.clicks) == 2  # type: ignore[union-attr]
    assert [report.object_id for report in one.state.adaptation.reports] == [1]


def test_threads_crumbs_and_kept_images_reach_the_engine(
    one: Sitting, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[bool, int, int]] = []

    def toy(source: str, *, tidy: bool, feature_bytes: int, **_: object) -> Engine:
        made.append((tidy, feature_bytes, torch.get_num_threads()))
        return Engine(toy_model())

    monkeypatch.setattr(dispatch, "open_engine", toy)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr("samtta_app.threads.OWN_NUMBER", "1")
    one.application._exchange._factory = app.engine_for  # type: ignore[union-attr]
    fields = dialog_of(one).fields
    for change in (
        lambda: fields["threads"].setValue(2),  # type: ignore[attr-defined]
        lambda: fields["tidy_masks"].click(),  # type: ignore[attr-defined]
        lambda: fields["kept_features"].setValue(0),  # type: ignore[attr-defined]
        lambda: fields["threads"].setValue(0),  # type: ignore[attr-defined]
    ):
        number = len(made)
        change()
        one.wait(lambda number=number: len(made) > number and "toy" in one.window.status.model.text())
    megabytes = Settings().kept_features * 2**20
    assert made == [(True, megabytes, 2), (False, megabytes, 2), (False, 0, 2), (False, 0, 1)]


def test_the_language_changes_at_once_and_back(one: Sitting) -> None:
    begins(one)
    before, first = place(one), one.window
    may = threading.Event()
    task = ModelTask("second", "Checking second", lambda _: (may.wait(30), Message("good", "It is right"))[1])
    assert first.models.work.start(task)
    first.show_message(Message("warning", "There is nothing to undo"))
    dialog_of(one).fields["language"].setCurrentIndex(2)  # type: ignore[attr-defined]
    one.wait(lambda: one.window is not first and one.window.menuBar().actions()[0].text() == "&Datei")
    assert one.window.isVisible()
    assert dialog_of(one).windowTitle() == "Einstellungen"
    assert "nichts zurückzunehmen" in "".join(line.text.text() for line in one.window.messages.lines)
    assert place(one) == before
    may.set()
    one.wait(lambda: "It is right" in one.said)
    one.clicks(55, 48)
    one.wait(lambda: one.answered)
    assert Listening.heard[-1] == ("samtta-small", 3)
    one.controller.do(acts.Accept())
    one.presses(Qt.Key.Key_P)
    for x, y in ((20, 20), (40, 20), (40, 40)):
        one.clicks(x, y)
    second = one.window
    dialog_of(one).fields["language"].setCurrentIndex(1)  # type: ignore[attr-defined]
    one.wait(lambda: one.window is not second and one.window.menuBar().actions()[0].text() == "&File")
    assert dialog_of(one).windowTitle() == "Settings"
    assert one.state.display.tool == "polygon"
    assert one.state.preview is not None
    assert len(one.state.preview.polygon[0]) == 3, "the open ring is the mask"
    assert load_settings().language == "en"
