"""Tasks that are told, fail, die and are stopped, here and in real processes."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from samtta_app.core.messages import ReportProgress
from samtta_app.errors import UserError
from samtta_app.parallel.workers import WorkerTask, attempted, in_processes, in_turn


def leave(path: Path, told: ReportProgress) -> None:
    """Half way, then a file that says by which process, with how many threads, it was made."""
    told(0.5, "half")
    path.write_text(f"{os.getpid()} {os.environ.get('OMP_NUM_THREADS')} {os.environ.get('OPENCV_FOR_THREADS_NUM')}")
    told(1.0, "done")


def refuse(told: ReportProgress) -> None:
    raise UserError("The set is empty", "here", "Choose another")


def break_down(told: ReportProgress) -> None:
    raise ZeroDivisionError("by nothing")


def die(told: ReportProgress) -> None:
    os._exit(9)


def die_once(path: Path, told: ReportProgress) -> int:
    if not path.exists():
        path.touch()
        os._exit(9)
    return os.getpid()


def go_on_for_long(path: Path, told: ReportProgress) -> None:
    path.touch()
    for k in range(10_000):
        told(k / 10_000, "working")
        time.sleep(0.01)


def give_signs(path: Path, told: ReportProgress) -> None:
    """A byte every hundredth of a second, whatever becomes of others."""
    with path.open("ab", buffering=0) as file:
        for _ in range(10_000):
            file.write(b".")
            time.sleep(0.01)


def wait_until(met: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end
        time.sleep(0.1)


def nothing(share: float, words: str) -> None:
    """Told to nobody."""


def test_tasks_are_done_in_turn_and_progress_is_weighed_by_their_cost(tmp_path: Path) -> None:
    said: list[tuple[float, str]] = []
    tasks = [WorkerTask(name, cost, partial(leave, tmp_path / name)) for name, cost in (("a", 3), ("b", 1))]
    assert in_turn(tasks, lambda *told: said.append(told)) == ()
    assert said == [(0.375, "a: half"), (0.75, "a: done"), (0.875, "b: half"), (1.0, "b: done")]


def test_a_task_that_fails_does_not_hold_up_the_next(tmp_path: Path) -> None:
    tasks = [WorkerTask("bad", 1, refuse), WorkerTask("good", 1, partial(leave, tmp_path / "good"))]
    assert in_turn(tasks, nothing) == (("bad", "The set is empty (here). Choose another."),)
    assert (tmp_path / "good").exists()


def test_a_mistake_of_the_program_is_a_failure_that_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert attempted(WorkerTask("odd", 1, break_down), nothing).failure == "ZeroDivisionError: by nothing"
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert record.exc_info is not None
    caplog.clear()


def test_ctrl_c_in_a_task_is_no_failure() -> None:
    def stop(told: ReportProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_turn([WorkerTask("a", 1, stop)], nothing)


def test_processes_do_all_tasks_elsewhere_with_one_thread_and_fail_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENCV_FOR_THREADS_NUM", "7")
    said: list[tuple[float, str]] = []
    names = ["a", "b", "c"]
    tasks = [WorkerTask("bad", 1, refuse), *(WorkerTask(name, 1, partial(leave, tmp_path / name)) for name in names)]
    failures = in_processes(tasks, 2, lambda *told: said.append(told))
    assert failures == (("bad", "The set is empty (here). Choose another."),)
    made = [(tmp_path / name).read_text().split() for name in names]
    assert os.getpid() not in {int(process) for process, *_ in made}
    assert {word for _, *threads in made for word in threads} == {"1"}
    assert "OMP_NUM_THREADS" not in os.environ
    assert os.environ["OPENCV_FOR_THREADS_NUM"] == "7"
    assert said[-1][0] == pytest.approx(0.75)
    assert sorted(words for _, words in said) == sorted(f"{n}: {w}" for n in names for w in ("half", "done"))


def test_a_process_that_is_killed_is_a_failure_with_advice() -> None:
    (failure,) = in_processes([WorkerTask("big", 1, die)], 2, nothing)
    assert failure[0] == "big"
    assert "memory" in failure[1]


def test_a_process_that_dies_is_replaced_and_its_task_done_again(tmp_path: Path) -> None:
    kept: list[int] = []
    tasks = [WorkerTask("odd", 1, partial(die_once, tmp_path / "died"), keep=kept.append)]
    assert in_processes(tasks, 1, nothing) == ()
    assert len(kept) == 1


def test_what_a_task_returns_is_kept_here_and_only_those_under_way_are_made() -> None:
    made, kept = list[int](), list[int]()

    def tasks() -> Iterator[WorkerTask]:
        for k in range(3):
            made.append(k)
            yield WorkerTask(f"t{k}", 1, lambda told, k=k: (k, len(made)), keep=lambda found: kept.append(found))

    assert in_turn(tasks(), nothing, 3.0) == ()
    assert kept == [(0, 1), (1, 2), (2, 3)]


def test_what_cannot_be_kept_is_a_failure_of_its_task() -> None:
    tasks = [WorkerTask("a", 1, lambda told: 1, keep=lambda found: refuse(nothing)), WorkerTask("b", 1, lambda told: 2)]
    assert in_turn(tasks, nothing) == (("a", "The set is empty (here). Choose another."),)


def test_when_the_main_process_is_killed_its_processes_end_too(tmp_path: Path) -> None:
    signs = tmp_path / "signs"
    code = f"""
from functools import partial
from pathlib import Path
from samtta_app.parallel.workers import WorkerTask, in_processes
from tests.unit.parallel.test_workers import give_signs, nothing
if __name__ == "__main__":
    in_processes([WorkerTask("a", 1, partial(give_signs, Path({str(signs)!r})))], 1, nothing)
"""
    (tmp_path / "main.py").write_text(code)
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, tmp_path / "main.py"], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    ) as main:
        wait_until(lambda: signs.exists() and signs.stat().st_size > 5)
        main.kill()
    grown: list[int] = []

    def silent() -> bool:
        grown.append(signs.stat().st_size)
        return len(grown) > 10 and grown[-10] == grown[-1]  # a second without a sign

    wait_until(silent)


def test_ctrl_c_ends_the_processes_at_their_next_progress(tmp_path: Path) -> None:
    began = tmp_path / "began"
    tasks = [WorkerTask(name, 1, partial(go_on_for_long, began)) for name in "abc"]

    def interrupt(share: float, words: str) -> None:
        if threading.current_thread() is threading.main_thread() and share > 0:
            signal.raise_signal(signal.SIGINT)

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        in_processes(tasks, 1, interrupt)
    assert began.exists()
    assert time.monotonic() - started < 90  # undisturbed, each would go on for more than 100 seconds
