"""The worker serves clicks first, drops what nobody waits for, and never dies of a mistake."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QObject, QThread, Slot
from pytestqt.qtbot import QtBot

from samtta_app.core.messages import (
    AdaptRequest,
    ControlRequest,
    LoadRequest,
    MeasureRequest,
    PredictRequest,
    PrefetchRequest,
    RefineRequest,
    Request,
)
from samtta_app.core.replies import Answer, Controlled, Failure, Loaded, Prefetched, Progress, Reply
from samtta_app.core.types import Click, Example, Prompt
from samtta_app.engine.dispatch import Engine
from samtta_app.errors import CheckpointError
from samtta_app.gui.idle_controller import IdleController
from samtta_app.gui.worker import MODEL, EngineProtocol, Worker
from samtta_app.images import read
from samtta_app.model.model_registry import toy_model
from tests.unit.core.crafted import many_scans, png, stored, written
from tests.unit.values import disc, picture

WAIT = 20_000


class Scripted:
    """Answers in steps that the test lets happen one by one, and writes down what it worked on."""

    description = "scripted"
    tasks = ("leaf",)

    def __init__(self, steps: int = 3, *, gated: bool = True) -> None:
        self.steps, self.gated = steps, gated
        self.log: list[str] = []
        self.gate, self.began = threading.Semaphore(0), threading.Semaphore(0)

    def handle(self, request: Request) -> Generator[Progress | None, None, Reply | None]:
        name = f"{type(request).__name__.removesuffix('Request')} {request.id}"
        try:
            for step in range(self.steps):
                self.log.append(f"{name} step {step}")
                self.began.release()
                if self.gated:
                    self.gate.acquire()
                yield Progress("working", step / self.steps) if request.lane == "background" else None
        except GeneratorExit:
            self.log.append(f"{name} given up")
            raise
        self.log.append(f"{name} done")
        return Prefetched(request.id, Path("a.png"))

    def release(self) -> None:
        """No more waiting."""
        self.gated = False
        self.gate.release(100)


class Ear(QObject):
    """Keeps every reply, with the thread it arrived on."""

    def __init__(self) -> None:
        super().__init__()
        self.replies: list[Reply] = []
        self.threads: list[QThread] = []
        self.names: list[str] = []
        self.tasks: list[object] = []

    @Slot(object)
    def hear(self, reply: Reply) -> None:
        self.replies.append(reply)
        self.threads.append(QThread.currentThread())

    @Slot(str, object)
    def learn(self, name: str, tasks: object) -> None:
        self.names.append(name)
        self.tasks.append(tasks)

    def ids(self) -> list[int]:
        return [reply.request_id for reply in self.replies if not isinstance(reply, Progress)]


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "samtta-reader"]


Start = Callable[[Callable[[], EngineProtocol]], tuple[Worker, Ear]]


@pytest.fixture
def start(qapp: object) -> Iterator[Start]:
    workers: list[Worker] = []

    def make(factory: Callable[[], EngineProtocol]) -> tuple[Worker, Ear]:
        worker, ear = Worker(factory, IdleController), Ear()
        worker.replied.connect(ear.hear)
        worker.described.connect(ear.learn)
        worker.start()
        workers.append(worker)
        return worker, ear

    yield make
    for worker in workers:
        worker.close()


def predict(number: int, *, twin: bool = False) -> PredictRequest:
    return PredictRequest(number, picture(), Prompt((Click(60, 50, True),)), twin=twin)


def load(number: int) -> LoadRequest:
    return LoadRequest(number, Path("missing.png"))


def prefetch(number: int) -> PrefetchRequest:
    return PrefetchRequest(number, Path("a.png"))


def test_replies_arrive_on_the_thread_of_the_window(qtbot: QtBot, start: Start) -> None:
    worker, ear = start(lambda: Scripted(gated=False))
    worker.send(prefetch(1))
    qtbot.waitUntil(lambda: ear.ids() == [1], timeout=WAIT)
    assert set(ear.threads) == {QThread.currentThread()}
    assert ear.replies[0] == Progress("working", 0.0)


def test_a_click_is_served_between_two_steps_of_background_work(qtbot: QtBot, start: Start) -> None:
    engine = Scripted()
    worker, ear = start(lambda: engine)
    worker.send(prefetch(1))
    engine.began.acquire()  # the first step is under way
    worker.send(predict(2))
    engine.release()
    qtbot.waitUntil(lambda: len(ear.ids()) == 2, timeout=WAIT)
    assert ear.ids() == [2, 1]
    assert engine.log[:2] == ["Prefetch 1 step 0", "Predict 2 step 0"]


def test_partial_replies_arrive_in_order_before_the_reply_and_a_click_between_them(qtbot: QtBot, start: Start) -> None:
    engine = Scripted()
    worker, ear = start(lambda: engine)
    worker.send(prefetch(1))
    engine.gate.release()
    qtbot.waitUntil(lambda: len(ear.replies) == 1, timeout=WAIT)  # the first part is there while the rest is made
    worker.send(predict(2))
    engine.release()
    qtbot.waitUntil(lambda: len(ear.ids()) == 2, timeout=WAIT)
    said = [reply.fraction if isinstance(reply, Progress) else reply.request_id for reply in ear.replies]
    assert said in ([0, 2, 1 / 3, 2 / 3, 1], [0, 1 / 3, 2, 2 / 3, 1])


def test_nothing_partial_arrives_of_work_that_was_given_up(qtbot: QtBot, start: Start) -> None:
    engine = Scripted()
    worker, ear = start(lambda: engine)
    worker.send(prefetch(1))
    engine.gate.release()
    qtbot.waitUntil(lambda: len(ear.replies) == 1, timeout=WAIT)
    worker.close()
    engine.release()
    assert ear.replies == [Progress("working", 0.0)]


def test_background_requests_are_finished_in_their_order(qtbot: QtBot, start: Start) -> None:
    engine = Scripted(gated=False)
    worker, ear = start(lambda: engine)
    for number in (1, 2, 3):
        worker.send(prefetch(number))
    qtbot.waitUntil(lambda: len(ear.ids()) == 3, timeout=WAIT)
    assert ear.ids() == [1, 2, 3]
    assert engine.log.index("Prefetch 1 done") < engine.log.index("Prefetch 2 step 0")


def measure(number: int) -> MeasureRequest:
    return MeasureRequest(number, picture(), Prompt((Click(60, 50, True),)), None, ("ensemble",))


def test_a_map_that_was_asked_for_comes_before_waiting_learning_and_after_a_click(qtbot: QtBot, start: Start) -> None:
    engine = Scripted()
    worker, ear = start(lambda: engine)
    worker.send(prefetch(1))
    engine.began.acquire()  # the first step of background work is under way
    for request in (prefetch(2), measure(3), predict(4)):
        worker.send(request)
    engine.release()
    qtbot.waitUntil(lambda: len(ear.ids()) == 4, timeout=WAIT)
    assert ear.ids() == [4, 3, 1, 2]


def test_a_map_gives_way_to_a_click_and_learning_goes_on_where_it_was(qtbot: QtBot, start: Start) -> None:
    engine = Scripted()
    worker, ear = start(lambda: engine)
    worker.send(prefetch(1))
    engine.began.acquire()
    worker.send(RefineRequest(2, picture(), Prompt((Click(60, 50, True),))))
    engine.gate.release()
    engine.began.acquire()  # the first step of the map: learning rests
    worker.send(predict(3))
    engine.release()
    qtbot.waitUntil(lambda: len(ear.ids()) == 3, timeout=WAIT)
    assert ear.ids() == [3, 2, 1]
    assert engine.log.count("Prefetch 1 step 0") == 1
    assert "Prefetch 1 given up" not in engine.log


def test_maps_are_served_in_the_order_in_which_they_were_asked_for(qtbot: QtBot, start: Start) -> None:
    engine = Scripted()
    worker, ear = start(lambda: engine)
    worker.send(ControlRequest(1, "pause"))
    engine.began.acquire()
    for number in (2, 3):
        worker.send(measure(number))
    engine.release()
    qtbot.waitUntil(lambda: len(ear.ids()) == 3, timeout=WAIT)
    assert ear.ids() == [1, 2, 3]


def test_closing_ends_the_work_of_every_lane(start: Start) -> None:
    engine = Scripted()
    worker, _ = start(lambda: engine)
    worker.send(prefetch(1))
    engine.began.acquire()
    worker.send(measure(2))
    engine.gate.release()
    engine.began.acquire()
    closing = threading.Thread(target=worker.close)
    closing.start()
    engine.release()
    closing.join()
    assert not any("done" in line for line in engine.log if "Prefetch" in line)


def test_waiting_ends_when_something_was_said(start: Start) -> None:
    engine = Scripted(gated=False)
    worker, _ = start(lambda: engine)
    worker.send(predict(1))
    assert worker.wait(WAIT)
    assert not worker.wait(0)


def test_a_burst_of_clicks_costs_one_answer(qtbot: QtBot, start: Start) -> None:
    engine = Scripted()
    worker, ear = start(lambda: engine)
    worker.send(ControlRequest(1, "pause"))
    engine.began.acquire()  # busy: the clicks have to wait
    for number in range(2, 12):
        worker.send(predict(number))
    engine.release()
    qtbot.waitUntil(lambda: len(ear.ids()) == 2, timeout=WAIT)
    assert ear.ids() == [1, 11]


def test_an_unfinished_answer_is_given_up_for_a_newer_click(qtbot: QtBot, start: Start) -> None:
    engine = Scripted()
    worker, ear = start(lambda: engine)
    worker.send(predict(1))
    engine.began.acquire()
    worker.send(predict(2))
    engine.release()
    qtbot.waitUntil(lambda: ear.ids() == [2], timeout=WAIT)
    assert "Predict 1 given up" in engine.log


def test_asking_the_twin_never_takes_the_place_of_a_click(qtbot: QtBot, start: Start) -> None:
    engine = Scripted()
    worker, ear = start(lambda: engine)
    worker.send(predict(1))
    engine.began.acquire()
    worker.send(predict(2, twin=True))
    engine.release()
    qtbot.waitUntil(lambda: len(ear.ids()) == 2, timeout=WAIT)
    assert ear.ids() == [1, 2]


def test_a_click_takes_the_place_of_a_waiting_question_to_the_twin(qtbot: QtBot, start: Start) -> None:
    engine = Scripted()
    worker, ear = start(lambda: engine)
    worker.send(ControlRequest(1, "pause"))
    engine.began.acquire()
    worker.send(predict(2, twin=True))
    worker.send(predict(3))
    engine.release()
    qtbot.waitUntil(lambda: len(ear.ids()) == 2, timeout=WAIT)
    assert ear.ids() == [1, 3]


def test_of_waiting_images_only_the_newest_is_read_and_buttons_are_all_obeyed(qtbot: QtBot, start: Start) -> None:
    engine = Scripted()
    worker, ear = start(lambda: engine)
    worker.send(ControlRequest(1, "pause"))
    engine.began.acquire()
    for request in (load(2), ControlRequest(3, "rollback"), load(4), ControlRequest(5, "rollback")):
        worker.send(request)
    engine.release()
    qtbot.waitUntil(lambda: len(ear.ids()) == 4, timeout=WAIT)
    assert ear.ids() == [1, 3, 4, 5]


def test_a_slow_read_is_given_up_for_a_newer_image(qtbot: QtBot, start: Start, tmp_path: Path) -> None:
    slow = written(tmp_path, "slow.jpg", many_scans(2_000, 650))
    quick = written(tmp_path, "quick.png", stored("PNG"))
    worker, ear = start(lambda: Engine(toy_model()))
    worker.send(LoadRequest(1, slow))
    qtbot.waitUntil(lambda: bool(readers()), timeout=WAIT)
    (reader,) = readers()
    worker.send(LoadRequest(2, quick))
    qtbot.waitUntil(lambda: ear.ids() == [2], timeout=WAIT)
    reader.join()
    assert ear.ids() == [2]
    assert isinstance(ear.replies[-1], Loaded)


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("model", [False, True])
def test_closing_does_not_wait_for_a_slow_read(
    qtbot: QtBot, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: bool, model: bool
) -> None:
    made: list[Path] = []
    monkeypatch.setattr(read, "_image", lambda path, _: made.append(path))
    slow = written(tmp_path, "slow.jpg", many_scans(700, 650) if ahead else many_scans(2_000, 650))
    worker, ear = start((lambda: Engine(toy_model())) if model else (lambda: IdleController("no model")))
    worker.send(PrefetchRequest(1, slow) if ahead and model else LoadRequest(1, slow))
    qtbot.waitUntil(lambda: bool(readers()), timeout=WAIT)
    (reader,) = readers()
    worker.close()
    assert not any(thread.name == "samtta-engine" for thread in threading.enumerate())
    reader.join()
    assert made == []
    assert ear.ids() == []


def test_a_click_is_answered_while_an_image_is_read(qtbot: QtBot, start: Start) -> None:
    engine = Scripted()
    worker, ear = start(lambda: engine)
    worker.send(load(1))
    engine.began.acquire()
    worker.send(predict(2))
    worker.send(ControlRequest(3, "pause"))
    engine.release()
    qtbot.waitUntil(lambda: len(ear.ids()) == 3, timeout=WAIT)
    assert ear.ids() == [2, 1, 3]


def test_a_button_that_was_pressed_before_a_click_is_obeyed_before_it(qtbot: QtBot, start: Start) -> None:
    engine = Scripted()
    worker, ear = start(lambda: engine)
    worker.send(load(1))
    engine.began.acquire()
    worker.send(ControlRequest(2, "rollback"))
    worker.send(predict(3))
    engine.release()
    qtbot.waitUntil(lambda: len(ear.ids()) == 3, timeout=WAIT)
    assert ear.ids() == [1, 2, 3]


def test_a_file_too_large_to_be_read_ahead_is_passed_over_and_can_be_opened(
    qtbot: QtBot, start: Start, tmp_path: Path
) -> None:
    large = written(tmp_path, "large.png", png(9_000, 6_000))
    worker, ear = start(lambda: Engine(toy_model()))
    worker.send(PrefetchRequest(1, large))
    worker.send(PrefetchRequest(2, written(tmp_path, "bad.png", b"GIF89a")))
    qtbot.waitUntil(lambda: len(ear.ids()) == 2, timeout=WAIT)
    assert ear.replies[0] == Prefetched(1, large, encoded=False)
    assert isinstance(ear.replies[1], Failure)
    worker.send(LoadRequest(3, large))
    qtbot.waitUntil(lambda: len(ear.ids()) == 3, timeout=60_000)
    assert isinstance(ear.replies[-1], Loaded)


def test_a_programming_error_becomes_a_failure_and_the_worker_lives_on(
    qtbot: QtBot, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Scripted):
        def handle(self, request: Request) -> Generator[Progress | None, None, Reply | None]:
            if request.id == 1:
                raise ZeroDivisionError("by nought")
            return super().handle(request)

    class Late(Scripted):
        def handle(self, request: Request) -> Generator[Progress | None, None, Reply | None]:
            yield None
            if request.id == 1:
                raise ZeroDivisionError("by nought")
            return (yield from super().handle(request))

    for engine in (Broken(gated=False), Late(gated=False)):
        worker, ear = start(lambda engine=engine: engine)  # type: ignore[misc]
        worker.send(predict(1))
        qtbot.waitUntil(lambda ear=ear: ear.ids() == [1], timeout=WAIT)  # type: ignore[misc]
        failure = ear.replies[-1]
        assert isinstance(failure, Failure)
        assert failure.kind == "PredictRequest"
        assert "by nought" in failure.text
        worker.send(predict(2))
        qtbot.waitUntil(lambda ear=ear: ear.ids() == [1, 2], timeout=WAIT)  # type: ignore[misc]
    assert "ZeroDivisionError" in caplog.text


def test_close_gives_up_what_is_under_way_and_ends_the_thread(start: Start) -> None:
    engine = Scripted()
    worker, _ = start(lambda: engine)
    worker.send(prefetch(1))
    engine.began.acquire()
    engine.release()
    worker.close()
    assert not any(thread.name == "samtta-engine" for thread in threading.enumerate())
    worker.send(predict(2))
    worker.close()
    assert not any("Predict 2" in line for line in engine.log)


def test_close_ends_a_worker_that_has_nothing_to_do(start: Start) -> None:
    worker, _ = start(lambda: Scripted())
    worker.close()
    assert not any(thread.name == "samtta-engine" for thread in threading.enumerate())


def test_a_worker_that_was_never_started_can_be_closed(qapp: object) -> None:
    worker = Worker(lambda: Scripted(), IdleController)
    worker.send(predict(1))
    worker.close()


def test_the_model_is_made_on_the_workers_thread_and_named(qtbot: QtBot, start: Start) -> None:
    threads: list[str] = []

    def factory() -> Scripted:
        threads.append(threading.current_thread().name)
        return Scripted(gated=False)

    _, ear = start(factory)
    qtbot.waitUntil(lambda: ear.names == ["scripted"], timeout=WAIT)
    assert threads == ["samtta-engine"]


def test_while_the_model_is_made_an_image_is_shown_and_a_click_waits(
    qtbot: QtBot, start: Start, tmp_path: Path
) -> None:
    ready, engine = threading.Event(), Scripted(gated=False)

    def factory() -> Scripted:
        ready.wait(WAIT / 1000)
        return engine

    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((10, 20, 3), np.uint8))
    worker, ear = start(factory)
    worker.send(predict(1))
    worker.send(LoadRequest(2, tmp_path / "a.png"))
    qtbot.waitUntil(lambda: ear.ids() == [2], timeout=WAIT)
    (shown,) = (reply for reply in ear.replies if isinstance(reply, Loaded))
    assert (shown.image.width, shown.image.height) == (20, 10)
    worker.send(LoadRequest(3, tmp_path / "missing.png"))
    qtbot.waitUntil(lambda: ear.ids() == [2, 3], timeout=WAIT)
    assert isinstance(ear.replies[-1], Failure)
    assert not engine.log
    ready.set()
    qtbot.waitUntil(lambda: ear.ids() == [2, 3, 1], timeout=WAIT)
    assert any("Predict 1" in line for line in engine.log)


def test_a_worker_is_closed_while_its_model_is_made(start: Start) -> None:
    ready = threading.Event()

    def factory() -> Scripted:
        ready.wait(WAIT / 1000)
        return Scripted()

    worker, _ = start(factory)
    worker.close(patience=0.3)
    ready.set()
    deadline = time.monotonic() + WAIT / 1000
    while any(thread.name in ("samtta-engine", "samtta-reading") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_without_a_model_its_error_is_said_and_requests_still_get_their_answers(qtbot: QtBot, start: Start) -> None:
    def factory() -> EngineProtocol:
        raise CheckpointError("The file is truncated", "sam.pth", "Get it again")

    worker, ear = start(factory)
    worker.send(predict(1))
    qtbot.waitUntil(lambda: len(ear.replies) == 2, timeout=WAIT)
    assert ear.replies[0] == Failure(0, MODEL, "The file is truncated (sam.pth). Get it again.")
    assert ear.replies[1] == Failure(1, "PredictRequest", "The file is truncated (sam.pth). Get it again.")


def test_a_model_that_breaks_in_an_unknown_way_is_logged_and_said(
    qtbot: QtBot, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    def factory() -> EngineProtocol:
        raise RuntimeError("no memory")

    _, ear = start(factory)
    qtbot.waitUntil(lambda: len(ear.replies) == 1, timeout=WAIT)
    assert "no memory" in str(ear.replies[0])
    assert "RuntimeError" in caplog.text


def test_the_real_engine_answers_a_click_while_it_learns(qtbot: QtBot, start: Start) -> None:
    worker, ear = start(lambda: Engine(toy_model()))
    image = picture(1, discs=((60, 50, 18),))
    example = Example(1, image, image.whole, disc(60, 50, 18), (Click(60, 50, True),), None)
    other = Example(2, image, image.whole, disc(60, 50, 18), (Click(60, 50, True),), None)
    worker.send(AdaptRequest(1, example))
    worker.send(AdaptRequest(2, other))
    worker.send(PredictRequest(3, image, Prompt((Click(60, 50, True),))))
    worker.send(ControlRequest(4, "pause"))
    qtbot.waitUntil(lambda: sorted(ear.ids()) == [1, 2, 3, 4], timeout=60_000)
    answers = {r.request_id: r for r in ear.replies if not isinstance(r, Progress)}
    assert isinstance(answers[3], Answer)
    assert isinstance(answers[4], Controlled)
    assert ear.ids().index(3) < ear.ids().index(2)


def test_without_a_model_images_are_read_and_what_nobody_waits_for_is_not_answered(tmp_path: Path) -> None:

    cv2.imwrite(str(tmp_path / "a.png"), picture().pixels)
    (tmp_path / "b.png").write_bytes(b"no image")

    def answer(request: Request) -> Reply | None:
        work = IdleController("No model").handle(request)
        while True:
            try:
                next(work)
            except StopIteration as end:
                return end.value

    found = answer(LoadRequest(1, tmp_path / "a.png"))
    assert isinstance(found, Loaded)
    assert (found.image.height, found.image.width) == (96, 128)
    refused = answer(LoadRequest(2, tmp_path / "b.png"))
    assert isinstance(refused, Failure)
    assert "b.png" in refused.text
    assert answer(prefetch(3)) is None
