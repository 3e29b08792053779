"""The page of models: real files, a real server, real clicks; nothing is downloaded, removed or used without one."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from samtta_app.checkpoints import model_catalogue, model_files
from samtta_app.checkpoints.download import MIRROR_VARIABLE
from samtta_app.checkpoints.measured_speeds import MeasuredSpeed, remember_speed
from samtta_app.checkpoints.model_catalogue import MODELS
from samtta_app.checkpoints.model_files import place_of
from samtta_app.checkpoints.partial_files import part_of_download
from samtta_app.errors import UserError
from samtta_app.gui.dialogs.models_dialog import COLUMNS, ModelsDialog
from samtta_app.gui.dialogs.models_page import ModelsPage
from samtta_app.gui.dialogs.open_dialogs import OpenDialogs
from samtta_app.gui.main_window import MainWindow
from samtta_app.gui.model_work import ModelTask, ModelWork, TaskStage
from samtta_app.gui.widgets import theme
from samtta_app.session.state import Message
from samtta_app.settings import Settings, load_settings, model_folder
from tests.gui.scenes import WORDS, Recorder, scene
from tests.unit.checkpoints.file_server import CONTENT, OTHER, Served, known, serving

WAIT = 30_000
CLOSED = "http://models.invalid"


@pytest.fixture(autouse=True)
def small_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped models, one that may be downloaded, and one that may not; no address that leads anywhere."""
    for name in ("http_proxy", "https_proxy", "all_proxy", MIRROR_VARIABLE):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    lone = known(CLOSED, name="lone", title="Lone", file="lone.pth", sha256="1" * 64, sources=("one",))
    models = (*MODELS[:2], known(CLOSED), lone)
    monkeypatch.setattr(model_files, "MODELS", models)
    monkeypatch.setattr(model_catalogue, "MODELS", models)


class Desk(QWidget):
    """A window with nothing but the page of models, which makes these tests quick."""

    def __init__(self) -> None:
        super().__init__()
        self.settings, self.told = Settings(), []
        self.dialogs = OpenDialogs(self)
        self.models = ModelsPage(self, self.dialogs, lambda: self.settings, self.use, self.told.append)

    def use(self, settings: Settings) -> None:
        self.settings = settings


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[Desk]:
    made = Desk()
    qtbot.addWidget(made)
    yield made
    made.models.work.close()


@pytest.fixture
def whole_window(qtbot: QtBot) -> MainWindow:
    made = MainWindow(Recorder(scene()), settings=Settings(theme="light"), strategies=WORDS)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    return made


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server that the mirror of the environment leads to."""
    made = Served()
    with serving(made) as address:
        monkeypatch.setenv(MIRROR_VARIABLE, address)
        yield made


class Page:
    """Works the page with the mouse."""

    def __init__(self, window: Desk | MainWindow, qtbot: QtBot) -> None:
        self.window, self._qtbot = window, qtbot
        window.models.open()

    @property
    def dialog(self) -> ModelsDialog:
        dialog = self.window.dialogs["models"]
        assert isinstance(dialog, ModelsDialog)
        return dialog

    @property
    def said(self) -> str:
        return self.dialog.said.text()

    @property
    def work(self) -> ModelWork:
        return self.window.models.work

    def cell(self, title: str, column: str) -> str:
        (item,) = self.dialog.table.findItems(title, Qt.MatchFlag.MatchExactly)
        return item.text(COLUMNS.index(column))

    def select(self, title: str) -> None:
        table = self.dialog.table
        (item,) = table.findItems(title, Qt.MatchFlag.MatchExactly)
        table.scrollToItem(item)
        QTest.mouseClick(
            table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualItemRect(item).center() - QPoint(40, 0)
        )
        assert self.dialog.selected is not None
        assert self.dialog.selected.title == title

    def press(self, name: str) -> None:
        QTest.mouseClick(self.dialog.buttons[name], Qt.MouseButton.LeftButton)

    def can(self) -> set[str]:
        return {name for name, button in self.dialog.buttons.items() if button.isEnabled() and button.isVisible()}

    def ended(self) -> None:
        self._qtbot.waitUntil(lambda: not self.work.busy, timeout=WAIT)

    def answer(self, text: str) -> None:
        """Click on a button of the question."""
        (question,) = [box for box in self.dialog.findChildren(QMessageBox) if box.isVisible()]
        (button,) = [each for each in question.buttons() if each.text().replace("&", "") == text]
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def page(window: Desk, qtbot: QtBot) -> Page:
    return Page(window, qtbot)


def put(name: str = "tiny.pth", content: bytes = CONTENT) -> Path:
    model_folder().mkdir(parents=True, exist_ok=True)
    (model_folder() / name).write_bytes(content)
    return model_folder() / name


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_page_is_reached_from_the_menu_and_lists_every_model(whole_window: MainWindow):
    menus = {action.text().replace("&", ""): action.menu() for action in whole_window.menuBar().actions()}
    (action,) = [each for each in menus["File"].actions() if each.text() == "Models…"]
    action.trigger()
    dialog = whole_window.dialogs["models"]
    assert isinstance(dialog, ModelsDialog)
    table = dialog.table
    assert [table.topLevelItem(k).text(0) for k in range(4)] == ["samtta small", "samtta base", "Tiny", "Lone"]
    assert not dialog.isModal()
    heights = {table.visualItemRect(table.topLevelItem(k)).height() for k in range(4)}
    assert len(heights) == 1
    assert min(heights) >= 3 * theme.GRID


def test_the_table_says_size_licence_speed_and_place(window: Desk, qtbot: QtBot):
    remember_speed(place_of(MODELS[0]), MeasuredSpeed(61.0, "cpu"))
    put("mine.safetensors", OTHER)
    page = Page(window, qtbot)
    assert [page.cell("samtta small", name) for name in COLUMNS[1:]] == [
        "6.2 MB",
        "Apache-2.0",
        "61 ms (cpu)",
        "comes with samtta",
    ]
    assert page.cell("samtta base", "Speed here") == "not measured"
    assert page.cell("Tiny", "Where") == "not here"
    assert (page.cell("mine.safetensors", "Licence"), page.cell("mine.safetensors", "Where")) == (
        "not known",
        "in the model folder",
    )


def test_only_what_makes_sense_can_be_clicked(window: Desk, qtbot: QtBot):
    put("mine.safetensors", OTHER)
    page = Page(window, qtbot)
    page.select("samtta small")
    assert page.can() == {"add", "check", "measure"}  # it is used already
    page.select("samtta base")
    assert page.can() == {"add", "check", "measure", "use"}
    page.select("Tiny")
    assert page.can() == {"add", "download"}
    page.select("Lone")
    assert page.can() == {"add"}
    assert "one source only, so it is never downloaded" in page.dialog.about.text()
    page.select("mine.safetensors")
    assert page.can() == {"add", "check", "measure", "remove", "use"}


def test_opening_the_page_asks_no_server(page: Page, served: Served):
    page.select("Tiny")
    assert served.asked == []
    assert not page.work.busy


def test_escape_closes_the_page_and_no_key_starts_anything(page: Page, served: Served):
    page.select("Tiny")
    QTest.keyClick(page.dialog.table, Qt.Key.Key_Return)
    assert served.asked == []
    QTest.keyClick(page.dialog, Qt.Key.Key_Escape)
    assert "models" not in page.window.dialogs


# --- downloading ------------------------------------------------------------------------------------------------------


def test_a_click_downloads_the_model_and_the_table_shows_it(page: Page, served: Served):
    page.select("Tiny")
    page.press("download")
    page.ended()
    assert page.said == "Tiny is here, whole and right"
    assert page.cell("Tiny", "Where") == "in the model folder"
    assert page.dialog.selected is not None
    assert page.dialog.selected.title == "Tiny"
    assert place_of(model_files.MODELS[2]).read_bytes() == CONTENT


def test_a_download_shows_how_far_it_is_and_can_be_cancelled_and_gone_on_with(page: Page, served: Served, qtbot: QtBot):
    served.gate = threading.Event()
    page.select("Tiny")
    page.press("download")
    qtbot.waitUntil(lambda: page.dialog.bar.value() > 0, timeout=WAIT)
    assert page.dialog.bar.isVisible()
    assert page.said.startswith("Downloading Tiny: ")
    assert page.can() == {"cancel"}
    page.press("cancel")
    served.gate.set()
    page.ended()
    assert "was stopped: what has arrived stays" in page.said
    assert page.cell("Tiny", "Where").endswith("% downloaded")
    assert page.dialog.buttons["download"].text() == "Go on downloading"
    assert "remove" in page.can()
    assert not page.dialog.bar.isVisible()
    served.gate = None
    page.press("download")
    page.ended()
    assert page.said == "Tiny is here, whole and right"
    assert served.asked[-1][1].startswith("bytes=")


def test_another_file_is_refused_in_one_line(page: Page, served: Served):
    served.content = OTHER
    page.select("Tiny")
    page.press("download")
    page.ended()
    assert "Tiny was not downloaded (127.0.0.1" in page.said
    assert "another hash" in page.said
    assert page.dialog.said.property("role") == "bad"
    assert page.cell("Tiny", "Where") == "not here"


def test_without_a_network_the_page_says_what_to_do(page: Page):
    page.select("Tiny")
    page.press("download")
    page.ended()
    assert "there is no connection" in page.said
    assert "Check network and proxy" in page.said


def test_a_download_goes_on_while_the_page_is_closed_and_the_window_tells_its_end(
    page: Page, served: Served, qtbot: QtBot
):
    served.gate = threading.Event()
    page.select("Tiny")
    page.press("download")
    assert served.begun.wait(30)
    page.dialog.close()
    assert page.work.busy
    again = Page(page.window, qtbot)
    assert again.said.startswith("Downloading Tiny")
    assert again.can() == {"cancel"}
    again.dialog.close()
    served.gate.set()
    again.ended()
    assert page.window.told == [Message("good", "Tiny is here, whole and right")]


def test_closing_the_window_stops_a_download_and_what_arrived_stays(
    whole_window: MainWindow, served: Served, qtbot: QtBot
):
    page = Page(whole_window, qtbot)
    served.gate = threading.Event()
    page.select("Tiny")
    page.press("download")
    assert served.begun.wait(30)
    threading.Timer(0.05, served.gate.set).start()
    page.window.close()
    assert not page.work.busy
    assert not place_of(model_files.MODELS[2]).exists()
    assert part_of_download(model_files.MODELS[2]).received > 0


# --- adding, checking, removing -----------------------------------------------------------------------------------------


def test_a_file_from_disk_is_added_under_its_own_name(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "copy of a model.pth"
    file.write_bytes(CONTENT)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    page.press("add")
    page.ended()
    assert page.said == "Tiny was added; its hash is right"
    assert page.cell("Tiny", "Where") == "in the model folder"


def test_a_file_of_another_model_under_a_known_name_is_refused(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "tiny.pth"
    file.write_bytes(OTHER)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    page.press("add")
    page.ended()
    assert "This is not Tiny" in page.said
    assert page.cell("Tiny", "Where") == "not here"


def test_choosing_no_file_adds_none(page: Page, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    page.press("add")
    assert not page.work.busy


@pytest.mark.parametrize(
    ("content", "words", "role"), [(CONTENT, "whole and right", "good"), (OTHER, "damaged, or another file", "bad")]
)
def test_a_check_tells_right_from_wrong(window: Desk, qtbot: QtBot, content: bytes, words: str, role: str):
    put(content=content)
    page = Page(window, qtbot)
    page.select("Tiny")
    page.press("check")
    page.ended()
    assert words in page.said
    assert page.dialog.said.property("role") == role


def test_a_model_is_removed_after_a_question_and_not_before(window: Desk, qtbot: QtBot):
    path = put()
    page = Page(window, qtbot)
    page.select("Tiny")
    page.press("remove")
    question = page.dialog.findChild(QMessageBox)
    assert str(path) in question.informativeText()
    assert path.exists()
    QTest.keyClick(question, Qt.Key.Key_Return)  # the careful answer is the one that a key gives
    qtbot.waitUntil(lambda: not question.isVisible(), timeout=WAIT)
    assert path.exists()
    assert not page.work.busy
    page.press("remove")
    page.answer("Delete")
    page.ended()
    assert not path.exists()
    assert page.cell("Tiny", "Where") == "not here"
    assert page.said == "Tiny was removed"


def test_a_file_that_is_gone_by_then_is_said(window: Desk, qtbot: QtBot):
    path = put()
    page = Page(window, qtbot)
    page.select("Tiny")
    path.unlink()
    page.press("check")
    page.ended()
    assert "cannot be read" in page.said
    assert page.cell("Tiny", "Where") == "not here"


# --- using and measuring ------------------------------------------------------------------------------------------------


def test_a_model_is_used_from_now_on(whole_window: MainWindow, qtbot: QtBot):
    page = Page(whole_window, qtbot)
    page.select("samtta base")
    page.press("use")
    assert page.window.settings.model == load_settings().model == "samtta-base"
    assert "answers as soon as it is loaded" in page.said
    assert "use" not in page.can()
    page.select("samtta small")
    assert "use" in page.can()
    page.window.dialogs.refuse(Settings(), "It is damaged.")
    assert (page.said, "use" in page.can()) == ("It is damaged.", False)


def test_a_file_of_the_users_own_is_used_by_its_path(window: Desk, qtbot: QtBot):
    path = put("mine.safetensors", OTHER)
    page = Page(window, qtbot)
    page.select("mine.safetensors")
    page.press("use")
    assert window.settings.model == str(path)


def test_a_speed_is_measured_in_a_process_of_its_own(page: Page, monkeypatch: pytest.MonkeyPatch):
    asked: list[list[str]] = []
    real = subprocess.Popen

    def fast(command: list[str], **options: object) -> subprocess.Popen[str]:
        asked.append(command[1:])
        return real([command[0], "-c", "print('samtta small: 61 ms (cpu) a window')"], **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(subprocess, "Popen", fast)
    page.select("samtta small")
    page.press("measure")
    page.ended()
    assert asked == [["-m", "samtta_app", "models", "speed", "samtta-small", "--device", "auto"]]
    assert page.said == "samtta small: 61 ms (cpu) a window"


def test_a_measurement_that_fails_says_why(page: Page, monkeypatch: pytest.MonkeyPatch):
    real = subprocess.Popen
    code = "import sys; sys.exit('samtta: The model cannot answer')"
    monkeypatch.setattr(subprocess, "Popen", lambda command, **options: real([command[0], "-c", code], **options))
    page.select("samtta small")
    page.press("measure")
    page.ended()
    assert page.said == "samtta small was not measured: The model cannot answer."


def test_a_measurement_can_be_cancelled(page: Page, monkeypatch: pytest.MonkeyPatch):
    real, made = subprocess.Popen, []

    def endless(command: list[str], **options: object) -> subprocess.Popen[str]:
        made.append(real([command[0], "-c", "import time; time.sleep(600)"], **options))  # type: ignore[call-overload]
        return made[-1]

    monkeypatch.setattr(subprocess, "Popen", endless)
    page.select("samtta small")
    page.press("measure")
    page.press("cancel")
    page.ended()
    assert page.said == "Measuring samtta small: stopped"
    assert made[0].returncode not in (None, 0)


# --- the work by itself -------------------------------------------------------------------------------------------------


def test_one_task_at_a_time(qtbot: QtBot):
    work, go = ModelWork(), threading.Event()

    def wait(progress: object) -> Message:
        assert go.wait(30)
        return Message("good", "done")

    assert work.start(ModelTask("a", "A", wait))
    assert not work.start(ModelTask("b", "B", wait))
    with qtbot.waitSignal(work.ended) as ended:
        go.set()
    assert ended.args == [Message("good", "done")]
    assert not work.busy


@pytest.mark.parametrize(
    ("error", "text"), [(UserError("The disk is full"), "The disk is full."), (ValueError("odd"), "failed: ValueError")]
)
def test_a_task_that_fails_ends_in_one_line(qtbot: QtBot, caplog, error: Exception, text: str):
    def fail(progress: object) -> Message:
        raise error

    work = ModelWork()
    with qtbot.waitSignal(work.ended) as ended:
        work.start(ModelTask("a", "A", fail))
    assert ended.args[0].severity == "error"
    assert text in ended.args[0].text
    assert "\n" not in ended.args[0].text


def test_nothing_arrives_after_the_work_was_closed(qtbot: QtBot):
    work, heard = ModelWork(), []
    work.ended.connect(heard.append)
    work.start(ModelTask("a", "A", lambda progress: Message("good", "done")))
    work.close()
    work.close()
    assert not work.start(ModelTask("b", "B", lambda progress: Message("good", "done")))
    qtbot.wait(1)
    assert heard == []


def test_progress_does_not_flood_the_window(qtbot: QtBot):
    work, heard = ModelWork(), []
    work.progressed.connect(heard.append)

    def fast(progress) -> Message:
        for k in range(20_000):
            progress(k / 20_000, "on the way")
        return Message("good", "done")

    with qtbot.waitSignal(work.ended, timeout=WAIT):
        work.start(ModelTask("a", "A", fast))
    assert heard[0] == TaskStage("a", 0.0, "A")
    assert len(heard) < 2000


def test_every_button_says_what_it_does(page: Page):
    buttons = page.dialog.findChildren(QPushButton)
    assert all(button.text() for button in buttons)
    assert not any(button.autoDefault() for button in buttons)
    assert page.dialog.findChildren(QToolButton) == []
