"""Independent tasks and what they return: one after the other, or several at the same time in their own processes.

A task is worked on anywhere; what it returned is kept here, by the process that began the run.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import queue
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.context import SpawnContext
from multiprocessing.managers import SyncManager
from multiprocessing.process import BaseProcess
from threading import Event, Thread
from typing import Any

from samtta_app.core.messages import ReportProgress
from samtta_app.errors import UserError
from samtta_app.threads import SINGLE

Failed = tuple[str, str]
"""A task's name, and what went wrong."""

BEAT = 0.2
"""Seconds between two checks of what the processes have reported."""

AHEAD = 2
"""Tasks per worker that are under way: one is worked on, one waits, so that no worker waits and memory stays flat."""

MOST_AGAIN = 2
"""A task whose process was ended is done again so many times: the fault may have been that of another task."""

log = logging.getLogger(__name__)


def keep_nothing(_: object) -> None:
    """For tasks that return nothing."""


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """A task: `work` is called with a function for its progress, anywhere; `keep` gets here what it returned.

    `cost` is in any unit that all tasks share.
    """

    name: str
    cost: float
    work: Callable[[ReportProgress], Any]
    keep: Callable[[Any], None] = keep_nothing


@dataclass(frozen=True, slots=True)
class TaskEnding:
    """What a task returned, or what went wrong in it ("" if nothing)."""

    failure: str = ""
    value: Any = None


def in_turn(tasks: Iterable[WorkerTask], tell: ReportProgress, whole: float | None = None) -> tuple[Failed, ...]:
    """Do the tasks here, in this order; a failed task does not stop the next ones.

    Args:
        tasks: made one by one as they are needed, where `whole` is given.
        tell: called with the completed share and a few words.
        whole: the cost of all tasks; None adds it up.
    """
    progress = RunShares(tasks, tell, whole)
    for index, task in progress.numbered:
        progress.ended(index, attempted(task, partial(progress.told, index)))
    return progress.failures


def in_processes(
    tasks: Iterable[WorkerTask], processes: int, tell: ReportProgress, whole: float | None = None
) -> tuple[Failed, ...]:
    """Do the tasks in up to `processes` new processes of one thread each; their `work` must be picklable.

    Raises:
        KeyboardInterrupt: Ctrl+C. Running tasks end at their next progress report; the others do not start.
    """
    progress = RunShares(tasks, tell, whole)
    context = multiprocessing.get_context("spawn")
    watched = SyncManager(ctx=context)
    watched.start(_end_with_the_parent)
    with _single_threads(), watched as manager:
        said: queue.Queue[tuple[int, float, str]] = manager.Queue()
        stop = manager.Event()
        workers, again = _Processes(processes, context), Counter[int]()
        waiting: dict[Future[TaskEnding], int] = {}

        def submit(index: int, task: WorkerTask) -> Future[TaskEnding]:
            return workers.submit(_elsewhere, index, replace(task, keep=keep_nothing), said, stop)

        try:
            while progress.filled(waiting, AHEAD * processes, submit):
                for future in _followed(set(waiting), said, progress):
                    index = waiting.pop(future)
                    if again[index] < MOST_AGAIN and isinstance(future.exception(), BrokenProcessPool):
                        again[index] += 1
                        waiting[submit(index, progress.task(index))] = index
                    else:
                        progress.ended(index, _ending(future))
        except BaseException:
            stop.set()
            raise
        finally:
            workers.end()
    return progress.failures


def attempted(task: WorkerTask, told: ReportProgress) -> TaskEnding:
    """Do a task."""
    try:
        return TaskEnding(value=task.work(told))
    except UserError as e:
        return TaskEnding(str(e))
    except Exception as e:  # one failed task must not end a run of many hours
        log.error("%s failed", task.name, exc_info=True)
        return TaskEnding(f"{type(e).__name__}: {e}")


class RunShares:
    """Takes the tasks one by one, keeps what they return, and combines their progress.

    Args:
        tasks: of which only those under way are held.
        tell: called with the completed share of all, and a few words.
        whole: the cost of all tasks; None adds it up.
    """

    def __init__(self, tasks: Iterable[WorkerTask], tell: ReportProgress, whole: float | None) -> None:
        tasks = tasks if whole is not None else tuple(tasks)
        self._tell = tell
        self._whole = sum(task.cost for task in tasks) if whole is None else whole
        self._done, self._failed = 0.0, dict[int, Failed]()
        self._running: dict[int, tuple[WorkerTask, float]] = {}
        self.numbered = self._taken(tasks)

    def _taken(self, tasks: Iterable[WorkerTask]) -> Iterator[tuple[int, WorkerTask]]:
        for index, task in enumerate(tasks):
            self._running[index] = task, 0.0
            yield index, task

    def filled(self, waiting: dict[Any, int], most: int, submit: Callable[[int, WorkerTask], Any]) -> bool:
        """Submit tasks until `most` are under way; whether any is. `waiting` are their numbers by what `submit` gave."""
        while len(waiting) < most and (found := next(self.numbered, None)):
            waiting[submit(*found)] = found[0]
        return bool(waiting)

    def task(self, index: int) -> WorkerTask:
        """A task that is under way."""
        return self._running[index][0]

    def told(self, index: int, share: float, words: str) -> None:
        """A task reports its progress."""
        if index in self._running:  # a report may come after the end
            task = self._running[index][0]
            self._running[index] = task, share
            self._said(f"{task.name}: {words}")

    def ended(self, index: int, ending: TaskEnding) -> None:
        """A task has ended: what it returned is kept. What cannot be kept is a failure of the task."""
        task, share = self._running.pop(index)
        failure = ending.failure or _kept(task, ending.value)
        if failure:
            self._failed[index] = task.name, failure
            self._done += task.cost * share
        else:
            self._done += task.cost
            if share < 1:  # it has not said so itself
                self._said(f"{task.name}: done")

    def _said(self, words: str) -> None:
        under_way = sum(task.cost * share for task, share in self._running.values())
        self._tell((self._done + under_way) / max(self._whole, 1e-9), words)

    @property
    def failures(self) -> tuple[Failed, ...]:
        """The failed tasks, in order."""
        return tuple(self._failed[index] for index in sorted(self._failed))


def _kept(task: WorkerTask, value: object) -> str:
    try:
        task.keep(value)
    except UserError as e:
        return str(e)
    return ""


class _Processes:
    """Processes that are replaced when one of them has died."""

    def __init__(self, number: int, context: SpawnContext) -> None:
        self._make = partial(ProcessPoolExecutor, number, context, initializer=_begin)
        self._pool = self._make()

    def submit(self, work: Callable[..., TaskEnding], *given: object) -> Future[TaskEnding]:
        """Have a task done."""
        try:
            return self._pool.submit(work, *given)
        except BrokenProcessPool:
            self.end()
            self._pool = self._make()
            return self._pool.submit(work, *given)

    def end(self) -> None:
        """Wait for what runs; what waits is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _elsewhere(index: int, task: WorkerTask, said: queue.Queue[tuple[int, float, str]], stop: Event) -> TaskEnding:
    """In a worker: run a task; after Ctrl+C in the main process it ends at its next progress report."""

    def told(share: float, words: str) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        said.put((index, share, words))

    return attempted(task, told)


def _followed(
    left: set[Future[TaskEnding]], said: queue.Queue[tuple[int, float, str]], progress: RunShares
) -> set[Future[TaskEnding]]:
    """The futures that have ended; until one has, the workers' reports are passed on."""
    while True:
        ended, _ = wait(left, timeout=BEAT, return_when=FIRST_COMPLETED)
        while not said.empty():
            progress.told(*said.get())
        if ended:
            return ended


def _ending(future: Future[TaskEnding]) -> TaskEnding:
    try:
        return future.result()
    except BrokenProcessPool:
        return TaskEnding("Its process was ended from outside, perhaps because memory ran out. Try fewer --jobs.")


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
    before = {name: os.environ.get(name) for name in SINGLE}
    os.environ.update(SINGLE)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
