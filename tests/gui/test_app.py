"""The program opens, changes and closes projects in order; errors are said, and nothing goes on running."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from samtta_app.adapt.registry import STRATEGIES
from samtta_app.core.types import Click
from samtta_app.datasets.samples import sample_set as samples_module
from samtta_app.engine import dispatch as engine_module
from samtta_app.engine.dispatch import Engine
from samtta_app.errors import DatasetError, ProjectError
from samtta_app.gui import app, project_views
from samtta_app.gui.app import Application, run_window
from samtta_app.gui.controller import Controller
from samtta_app.gui.dialogs.crash_report import CrashReport
from samtta_app.gui.main_window import MainWindow
from samtta_app.model.model_registry import toy_model
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.settings import Settings
from tests.gui.scenes import WORDS
from tests.unit.values import picture

WAIT = 30_000
GIVEN = {"model": "vit_b", "strategy": "fbrs"}


def images(folder: Path, number: int = 2) -> Path:
    folder.mkdir()
    for k in range(number):
        cv2.imwrite(str(folder / f"{k}.png"), picture(k, discs=((60, 50, 18),)).pixels)
    return folder


@pytest.fixture
def application(qapp: QApplication, qtbot: QtBot) -> Iterator[Application]:
    made = Application(Settings(theme="light"), lambda _: Engine(toy_model()), strategies=WORDS)
    qtbot.addWidget(made.window)
    made.window.show()
    yield made
    made.close()
    made.window.close()


def words(window: MainWindow) -> str:
    """Everything that the message bar says."""
    return "\n".join(line.message.text for line in window.messages.lines)


def said(application: Application) -> str:
    return words(application.window)


def opened(application: Application) -> Controller:
    assert application.controller is not None
    return application.controller


def shows(application: Application) -> bool:
    return application.controller is not None and application.controller.state.image is not None


def test_a_folder_is_opened_and_its_image_shown(application: Application, qtbot: QtBot, tmp_path: Path) -> None:
    application.open(images(tmp_path / "a"))
    qtbot.waitUntil(lambda: shows(application), timeout=WAIT)
    assert application.window.canvas.view_window() is None
    qtbot.waitUntil(lambda: "toy" in application.window.status.model.text(), timeout=WAIT)


def test_another_folder_takes_the_place_and_the_first_is_released(
    application: Application, qtbot: QtBot, tmp_path: Path
) -> None:
    first, second = images(tmp_path / "a"), images(tmp_path / "b")
    application.open(first)
    qtbot.waitUntil(lambda: shows(application), timeout=WAIT)
    application.window.folder_chosen.emit(second)
    qtbot.waitUntil(lambda: shows(application), timeout=WAIT)
    assert opened(application).state.folder == second
    Store.open(first).close()
    assert sum(thread.name == "samtta-engine" for thread in threading.enumerate()) == 1


def test_a_folder_that_cannot_be_opened_is_said_and_the_present_one_stays(
    application: Application, qtbot: QtBot, tmp_path: Path
) -> None:
    application.open(images(tmp_path / "a"))
    qtbot.waitUntil(lambda: shows(application), timeout=WAIT)
    before = application.controller
    (tmp_path / "empty").mkdir()
    application.open_folder(tmp_path / "empty")
    assert application.controller is before
    assert "no images" in said(application)
    opened(application).do(acts.PlaceClick(Click(60, 50, True)))
    qtbot.waitUntil(lambda: not opened(application).state.preview.waiting, timeout=WAIT)  # type: ignore[union-attr]


def test_an_image_is_opened_with_its_folder_and_shown_first(
    application: Application, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = images(tmp_path / "a")
    first, second = sorted(folder.glob("*.png"))[:2]
    application.open(second)
    qtbot.waitUntil(lambda: shows(application), timeout=WAIT)
    assert (opened(application).state.folder, opened(application).state.images[1].path) == (folder, second)
    assert opened(application).state.index == 1
    before = opened(application)
    application.window.folder_chosen.emit(first)  # dropped while its project is open
    assert (application.controller, before.state.index) == (before, 0)


def test_the_folder_that_is_open_is_not_opened_again(application: Application, tmp_path: Path) -> None:
    application.open(images(tmp_path / "a"))
    before = application.controller
    application.open_folder(tmp_path / "a")
    assert application.controller is before


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("way", ["link", "through the parent", "project folder"])
def test_the_open_folder_under_another_name_is_the_open_folder(
    application: Application, tmp_path: Path, way: str
) -> None:
    folder = images(tmp_path / "a")
    application.open(folder)
    before = application.controller
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "parent").symlink_to(tmp_path)
    other = {
        "link": tmp_path / "link",
        "through the parent": tmp_path / "parent" / ".." / tmp_path.name / "a",
        "project folder": folder / ".samtta",
    }[way]
    application.open_folder(other)
    assert application.controller is before
    assert said(application) == ""


def test_the_model_is_loaded_behind_the_window(qtbot: QtBot, tmp_path: Path) -> None:
    asked: list[Settings] = []
    may = threading.Event()

    def slow(settings: Settings) -> Engine:
        asked.append(settings)
        may.wait(WAIT / 1000)
        return Engine(toy_model())

    made = Application(Settings(theme="light"), slow, strategies=WORDS)
    qtbot.addWidget(made.window)
    made.window.show()
    made.open(images(tmp_path / "a"))
    assert asked == []
    qtbot.waitUntil(lambda: bool(asked), timeout=WAIT)
    assert made.window.canvas.isVisible()
    assert "Loading" in made.window.status.model.text()
    may.set()
    qtbot.waitUntil(lambda: shows(made) and "toy" in made.window.status.model.text(), timeout=WAIT)
    made.close()


def test_closing_does_not_wait_for_a_model_that_is_being_loaded_and_the_project_is_free(
    qtbot: QtBot, tmp_path: Path
) -> None:
    began, may = threading.Event(), threading.Event()

    def slow(settings: Settings) -> Engine:
        began.set()
        may.wait(WAIT / 1000)
        return Engine(toy_model())

    made = Application(Settings(theme="light"), slow, strategies=WORDS)
    qtbot.addWidget(made.window)
    folder = images(tmp_path / "a")
    made.open(folder)
    qtbot.waitUntil(began.is_set, timeout=WAIT)
    said: list[str] = []
    opened(made).described.connect(said.append)
    made.close()
    assert not may.is_set()
    Store.open(folder).close()
    may.set()
    for thread in threading.enumerate():
        if thread.name == "samtta-engine":
            thread.join()
    QApplication.processEvents()
    assert said == []


def test_a_window_that_is_closed_at_once_loads_no_model(qtbot: QtBot, tmp_path: Path) -> None:
    asked: list[Settings] = []

    def engine(settings: Settings) -> Engine:
        asked.append(settings)
        return Engine(toy_model())

    made = Application(Settings(theme="light"), engine, strategies=WORDS)
    qtbot.addWidget(made.window)
    made.open(images(tmp_path / "a"))
    made.close()
    QApplication.processEvents()
    assert asked == []


def test_new_files_are_listed_and_gone_ones_are_marked_while_the_folder_is_open(
    application: Application, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = images(tmp_path / "a")
    application.open(folder)
    qtbot.waitUntil(lambda: shows(application), timeout=WAIT)
    opened(application).do(acts.OpenImage(1))
    qtbot.waitUntil(lambda: shows(application), timeout=WAIT)
    shown = opened(application).state.image
    cv2.imwrite(str(folder / "0a.png"), picture(5).pixels)
    (folder / "0.png").unlink()

    def listed() -> list[tuple[str, str]]:
        return [(entry.name, entry.status) for entry in opened(application).state.images]

    qtbot.waitUntil(lambda: len(listed()) == 3 and listed()[0] == ("0.png", "unreadable"), timeout=WAIT)
    state = opened(application).state
    assert [name for name, _ in listed()] == ["0.png", "0a.png", "1.png"]
    assert (state.index, state.image) == (2, shown)
    assert "1 new image" in said(application)
    opened(application).do(acts.OpenImage(1))
    qtbot.waitUntil(lambda: shows(application) and opened(application).state.image is not shown, timeout=WAIT)


def test_a_setting_given_for_the_run_holds_until_it_is_changed(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path
) -> None:
    asked: list[Settings] = []

    def engine(settings: Settings) -> Engine:
        asked.append(settings)
        return Engine(toy_model())

    made = Application(Settings(theme="light"), engine, strategies=WORDS, given={"strategy": "frozen"})
    qtbot.addWidget(made.window)
    made.window.show()
    made.open(images(tmp_path / "a"))
    qtbot.waitUntil(lambda: shows(made), timeout=WAIT)
    assert opened(made).state.adaptation.strategy == "frozen"
    assert opened(made).state.adaptation.activity == "off"
    made.window.use(replace(made.window.settings, model="other"))
    qtbot.waitUntil(lambda: len(asked) == 2, timeout=WAIT)
    made.window.use(replace(made.window.settings, strategy="fbrs"))
    qtbot.waitUntil(lambda: opened(made).state.adaptation.strategy == "fbrs", timeout=WAIT)
    assert [(settings.model, settings.strategy) for settings in asked] == [
        ("samtta-small", "frozen"),
        ("other", "frozen"),
        ("other", "fbrs"),
    ]
    made.close()
    made.window.close()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(strategy="lit-lora"), ("samtta-small", "lit-lora")),
        (Settings(model="vit_b", strategy="fbrs", learn=False), ("vit_b", "frozen")),
    ],
)
def test_without_learning_nothing_adapts_to_clicks_either(
    toy: list[object], settings: Settings, expected: tuple[str, str]
) -> None:
    app.engine_for(settings)
    assert toy == [expected]


def test_the_wheel_follows_the_settings(application: Application, tmp_path: Path) -> None:
    application.open(images(tmp_path / "a"))
    assert application.window.canvas.wheel == "zoom"
    application.window.use(Settings(theme="light", wheel="scroll"))
    assert application.window.canvas.wheel == "scroll"


def test_closing_the_window_ends_everything_and_can_happen_twice(application: Application, tmp_path: Path) -> None:
    application.open(images(tmp_path / "a"))
    application.window.close()
    application.close()
    assert not any(thread.name == "samtta-engine" for thread in threading.enumerate())
    Store.open(tmp_path / "a").close()


def test_a_simulated_person_works_until_there_is_nothing_left(
    application: Application, qtbot: QtBot, tmp_path: Path
) -> None:
    application.open(images(tmp_path / "a"))
    looks: list[bool] = []

    def person(controller: Controller) -> bool:
        looks.append(controller.state.image is not None)
        if looks[-1]:
            controller.do(acts.AddClass("made by the simulation"))
        return not looks[-1]

    application.simulate(person)
    qtbot.waitUntil(lambda: any(looks), timeout=WAIT)
    number = len(looks)
    qtbot.waitUntil(lambda: not application._person.isActive(), timeout=WAIT)
    assert len(looks) == number
    assert opened(application).state.classes[-1].name == "made by the simulation"


def test_the_samples_are_made_beside_the_window_and_opened(
    application: Application, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_by: list[str] = []

    def few_samples(progress: object) -> Path:
        made_by.append(threading.current_thread().name)
        (tmp_path / "samples").mkdir()
        images(tmp_path / "samples" / "images")
        return tmp_path / "samples"

    monkeypatch.setattr(samples_module, "ensure_samples", few_samples)
    application.window.samples_wanted.emit()
    application.window.samples_wanted.emit()
    qtbot.waitUntil(lambda: shows(application), timeout=WAIT)
    assert made_by == ["samtta-samples"]
    assert opened(application).state.folder == tmp_path / "samples" / "images"


def test_closing_gives_the_samples_up_after_the_image_at_hand(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    began, shares = threading.Event(), []

    def endless(progress) -> Path:
        while True:
            began.set()
            shares.append(progress(0.1))

    monkeypatch.setattr(samples_module, "ensure_samples", endless)
    made = Application(Settings(theme="light"), lambda _: Engine(toy_model()), strategies=WORDS)
    qtbot.addWidget(made.window)
    made.open_samples()
    qtbot.waitUntil(began.is_set, timeout=WAIT)
    made.close()
    assert not any(thread.name == "samtta-samples" for thread in threading.enumerate())


def test_samples_that_cannot_be_made_are_said(
    application: Application, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(progress: object) -> Path:
        raise DatasetError("There is no room for the samples", "/full", "Free some space")

    monkeypatch.setattr(samples_module, "ensure_samples", refuse)
    application.window.samples_wanted.emit()
    qtbot.waitUntil(lambda: "no room" in said(application), timeout=WAIT)


# --- the run ------------------------------------------------------------------------------------------------------------


def window() -> MainWindow:
    return next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The model that the run asks for; it gets the toy."""
    asked: list[object] = []

    def toy_engine(source: object, device: str, adapting: str, tidy: bool, **_: object) -> Engine:
        asked.append((source, adapting))
        assert tidy
        return Engine(toy_model(), adapting=STRATEGIES[adapting])

    monkeypatch.setattr(engine_module, "open_engine", toy_engine)
    return asked


class Visitor:
    """Does something once the window shows its image, then closes the window."""

    def __init__(self, act: object) -> None:
        self._act, self._timer = act, QTimer()
        self._timer.timeout.connect(self._look)
        self._timer.start(10)

    def _look(self) -> None:
        if window()._controller is None or window().state.image is not None:
            self._timer.stop()
            shown = window()
            self._act(shown)  # type: ignore[operator]
            shown.close()


def test_a_run_shows_the_folder_with_the_chosen_model_and_ends_with_0(
    qapp: QApplication, tmp_path: Path, toy: list[object], samtta_home: Path
) -> None:
    titles: list[str] = []
    visitor = Visitor(lambda shown: titles.append(shown.windowTitle()))
    hook, handler = sys.excepthook, signal.getsignal(signal.SIGTERM)
    project = tmp_path / "elsewhere"
    assert (
        run_window(
            images(tmp_path / "a"), project=project, settings=Settings(theme="dark"), strategies=WORDS, given=GIVEN
        )
        == 0
    )
    assert visitor is not None
    assert toy == [("vit_b", "fbrs")]
    assert titles[0].startswith("a")
    assert (project / "project.db").exists()
    assert (samtta_home / "samtta.log").exists()
    assert (sys.excepthook, signal.getsignal(signal.SIGTERM)) == (hook, handler)


def test_a_run_without_a_folder_shows_the_start_page(qapp: QApplication, toy: list[object]) -> None:
    seen: list[object] = []
    visitor = Visitor(lambda shown: seen.append(shown._controller))
    assert run_window(None, settings=Settings(), strategies=WORDS) == 0
    assert visitor is not None
    assert seen == [None]
    assert toy == []


def test_a_run_on_a_folder_without_images_is_an_error_before_the_window(
    qapp: QApplication, tmp_path: Path, toy: list[object]
) -> None:
    with pytest.raises(ProjectError):
        run_window(tmp_path, settings=Settings(), strategies=WORDS)
    assert not any(w.isVisible() for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))


def test_an_unexpected_error_is_said_and_logged_and_the_window_goes_on(
    qapp: QApplication,
    tmp_path: Path,
    toy: list[object],
    samtta_home: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    texts: list[str] = []

    def crash(shown: MainWindow) -> None:
        error = ZeroDivisionError("by nought")
        sys.excepthook(type(error), error, None)
        texts.append(words(shown))
        report = shown.dialogs["crash"]
        assert isinstance(report, CrashReport)
        report.copy.click()
        texts.append(QApplication.clipboard().text())
        sys.excepthook(type(error), error, None)
        assert shown.dialogs["crash"] is report

    visitor = Visitor(crash)
    assert run_window(images(tmp_path / "a"), settings=Settings(), strategies=WORDS) == 0
    assert visitor is not None
    assert "by nought" in texts[0]
    assert "stored" in texts[0]
    assert "ZeroDivisionError: by nought" in texts[1]
    assert "PySide6" in texts[1]
    assert "ZeroDivisionError" in (samtta_home / "samtta.log").read_text()
    assert any(record.levelno == logging.CRITICAL for record in caplog.records)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send to oneself")
def test_the_terminals_interrupt_closes_the_window_in_order(
    qapp: QApplication, tmp_path: Path, toy: list[object]
) -> None:
    started = QTimer()
    started.setSingleShot(True)
    started.timeout.connect(lambda: os.kill(os.getpid(), signal.SIGTERM))
    started.start(50)
    assert run_window(images(tmp_path / "a"), settings=Settings(), strategies=WORDS) == 0
    Store.open(tmp_path / "a").close()


class Cycle:
    """Something that only the collector can take away; it notes on which thread that was."""

    def __init__(self, threads: list[int]) -> None:
        self._self, self._threads = self, threads

    def __del__(self) -> None:
        self._threads.append(threading.get_ident())


def test_what_another_thread_leaves_behind_is_collected_on_the_windows_thread(qtbot: QtBot) -> None:
    threads: list[int] = []

    def litter() -> None:
        for _ in range(5000):
            Cycle(threads)

    gc.enable()  # as in the program; the tests have switched it off
    try:
        with app.collected_here():
            other = threading.Thread(target=litter)
            other.start()
            other.join()
            assert not threads
            qtbot.waitUntil(lambda: bool(threads), timeout=WAIT)
        assert gc.isenabled()
    finally:
        gc.disable()
    assert set(threads) == {threading.get_ident()}


def test_a_log_that_cannot_be_written_does_not_stop_the_program(
    qapp: QApplication, tmp_path: Path, toy: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("SAMTTA_HOME", str(tmp_path / "file" / "home"))
    with app._log_file() as file:
        logging.getLogger("samtta_app").info("unheard")
    assert not file.exists()


@pytest.mark.parametrize("where", ["workflow", "panel"])
def test_a_project_that_cannot_be_shown_after_it_was_opened_leaves_the_present_one_at_work_and_is_let_go(
    application: Application, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    application.open(images(tmp_path / "one"))
    before = application.controller
    assert before is not None
    qtbot.waitUntil(lambda: before.state.image is not None, timeout=WAIT)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("cannot be shown")

    with monkeypatch.context() as patch:
        if where == "workflow":
            patch.setattr(app, "Workflow", broken)
        else:
            patch.setattr(project_views, "ImagesPanel", broken)
        with pytest.raises(RuntimeError, match="cannot be shown"):
            application.open(images(tmp_path / "two"))
    assert application.controller is before
    before.do(acts.NextImage())
    qtbot.waitUntil(lambda: before.state.index == 1 and before.state.image is not None, timeout=WAIT)
    before.do(acts.AddClass("leaf"))
    assert [c.name for c in before.state.classes] == ["object", "leaf"]
    application.open(tmp_path / "two")  # its lock was given back
    assert application.controller is not before
