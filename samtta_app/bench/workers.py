"""Independent tasks, one after the other or several at the same time in their own processes."""

from __future__ import annotations

import logging
import multiprocessing
import os
import queue
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.managers import SyncManager
from multiprocessing.process import BaseProcess
from threading import Event, Thread

from samtta_app.core.messages import ReportProgress
from samtta_app.errors import UserError

Failed = tuple[str, str]
"""A task's name, and what went wrong."""

BEAT = 0.2
"""Seconds between two checks of what the processes have reported."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """A task: `work` is called with a function for its progress. `cost` is in any unit that all tasks share."""

    name: str
    cost: float
    work: Callable[[ReportProgress], None]


def in_turn(tasks: Sequence[WorkerTask], tell: ReportProgress) -> tuple[Failed, ...]:
    """Run the tasks here, in this order; a failed task does not stop the next ones."""
    progress = _Progress(tasks, tell)
    return progress.failures(
        {index: attempted(task, partial(progress.told, index)) for index, task in enumerate(tasks)}
    )


def in_processes(tasks: Sequence[WorkerTask], processes: int, tell: ReportProgress) -> tuple[Failed, ...]:
    """Run the tasks in up to `processes` new processes of one thread each; their `work` must be picklable.

    Raises:
        KeyboardInterrupt: Ctrl+C. Running tasks end at their next progress report; the others do not start.
    """
    progress = _Progress(tasks, tell)
    context = multiprocessing.get_context("spawn")
    watched = SyncManager(ctx=context)
    watched.start(_end_with_the_parent)
    with _single_threads(), watched as manager:
        said: queue.Queue[tuple[int, float, str]] = manager.Queue()
        stop = manager.Event()
        pool = ProcessPoolExecutor(min(processes, max(len(tasks), 1)), context, initializer=_begin)
        with pool:
            futures = {pool.submit(_elsewhere, i, task, said, stop): i for i, task in enumerate(tasks)}
            try:
                return progress.failures({i: _ending(f) for f, i in _followed(futures, said, progress)})
            except KeyboardInterrupt:
                stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise


def attempted(task: WorkerTask, told: ReportProgress) -> str:
    """Run a task; returns "" or what went wrong."""
    try:
        task.work(told)
    except UserError as e:
        return str(e)
    except Exception as e:  # one failed task must not end a run of many hours
        log.error("%s failed", task.name, exc_info=True)
        return f"{type(e).__name__}: {e}"
    return ""


class _Progress:
    """Combines the progress of all tasks."""

    def __init__(self, tasks: Sequence[WorkerTask], tell: ReportProgress) -> None:
        self._tasks, self._tell = tasks, tell
        self._shares = [0.0] * len(tasks)

    def told(self, index: int, share: float, words: str) -> None:
        """A task reports its progress."""
        self._shares[index] = share
        whole = sum(task.cost for task in self._tasks)
        done = sum(task.cost * part for task, part in zip(self._tasks, self._shares, strict=True))
        self._tell(done / whole, f"{self._tasks[index].name}: {words}")

    def failures(self, endings: dict[int, str]) -> tuple[Failed, ...]:
        """The failed tasks, in order."""
        return tuple((self._tasks[index].name, endings[index]) for index in sorted(endings) if endings[index])


def _elsewhere(index: int, task: WorkerTask, said: queue.Queue[tuple[int, float, str]], stop: Event) -> str:
    """In a worker: run a task; after Ctrl+C in the main process it ends at its next progress report."""

    def told(share: float, words: str) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        said.put((index, share, words))

    return attempted(task, told)


def _followed(
    futures: dict[Future[str], int], said: queue.Queue[tuple[int, float, str]], progress: _Progress
) -> Iterator[tuple[Future[str], int]]:
    """The futures as they end; meanwhile the workers' reports are passed on."""
    left = set(futures)
    while left:
        ended, left = wait(left, timeout=BEAT)
        while not said.empty():
            progress.told(*said.get())
        for future in ended:
            yield future, futures[future]


def _ending(future: Future[str]) -> str:
    try:
        return future.result()
    except BrokenProcessPool:
        return "Its process was ended from outside, perhaps because memory ran out. Try fewer --jobs."


def _begin() -> None:
    """A worker ends when the main process tells it to or is gone, but not at Ctrl+C in the middle of its work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_the_parent()


def _end_with_the_parent() -> None:
    """End this process when its parent is gone: a killed parent cannot end its children."""
    Thread(target=_end_after, args=(multiprocessing.parent_process(),), daemon=True).start()


def _end_after(parent: BaseProcess | None) -> None:
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _single_threads() -> Iterator[None]:
    """Processes started in this block use one thread for arithmetic, so that they do not slow each other down."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
