"""Long work with weights files on a thread of its own, one task at a time: download, check, add, remove, measure."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from samtta_app.checkpoints.model_files import ModelRow, add_model, check_model, remove_model
from samtta_app.core.messages import ReportProgress
from samtta_app.errors import UserError
from samtta_app.phrases import Phrase
from samtta_app.session.state import Message

TELLS = 0.05
"""Least seconds between two reports of progress: a fast disk would flood the window with them."""

LOOKS_EVERY = 0.1
"""Seconds between two looks at a process that measures."""

CLOSING_PATIENCE = 2.0
"""Seconds that closing the window waits for the task; what it leaves undone goes on next time."""

log = logging.getLogger(__name__)


class WorkStoppedError(UserError):
    """The user gave a task up."""


@dataclass(frozen=True, slots=True)
class ModelTask:
    """A task: the model that it is about, what it does in words, and the work, which returns what to say at its end."""

    name: str
    words: str
    work: Callable[[ReportProgress], Message]


@dataclass(frozen=True, slots=True)
class TaskStage:
    """How far a task is: share 0 .. 1, and words."""

    name: str
    share: float
    words: str


class ModelWork(QObject):
    """Does tasks; made on the GUI thread, where its signals arrive.

    Signals:
        progressed(TaskStage): how far the task is.
        ended(Message): the task has ended, well or not; the files may have changed.
    """

    progressed = Signal(object)
    ended = Signal(object)
    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stopped = threading.Event()
        self._speaking, self._silent = threading.Lock(), False
        self._thread: threading.Thread | None = None
        self.stage: TaskStage | None = None
        self._arrived.connect(self._take)

    @property
    def busy(self) -> bool:
        """Whether a task is under way."""
        return self._thread is not None

    @property
    def stopping(self) -> bool:
        """Whether the task was given up and has not ended yet."""
        return self.busy and self._stopped.is_set()

    def start(self, task: ModelTask) -> bool:
        """Begin a task; False where another one is under way."""
        if self.busy or self._silent:
            return False
        self._stopped.clear()
        self.stage = TaskStage(task.name, 0.0, task.words)
        self._thread = threading.Thread(target=self._run, args=(task,), name="samtta-models", daemon=True)
        self._thread.start()
        self.progressed.emit(self.stage)
        return True

    def cancel(self) -> None:
        """Give the task up; it ends at its next step."""
        self._stopped.set()

    @Slot()
    def close(self) -> None:
        """Give the task up, and say nothing more; a second call does nothing."""
        self._stopped.set()
        with self._speaking:
            self._silent = True
        if self._thread is not None:
            self._thread.join(CLOSING_PATIENCE)
            self._thread = None

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _run(self, task: ModelTask) -> None:
        told = 0.0

        def tell(share: float, words: str) -> None:
            nonlocal told
            if self._stopped.is_set():
                raise WorkStoppedError("Stopped")
            if time.monotonic() - told >= TELLS:
                told = time.monotonic()
                self._say(
                    TaskStage(task.name, share, Phrase("{task}: {words}", task=task.words, words=Phrase.of(words)))
                )

        try:
            self._say(task.work(tell))
        except WorkStoppedError:
            self._say(Message("info", Phrase("{words}: stopped", words=task.words)))
        except UserError as error:
            self._say(Message("error", str(error)))
        except Exception as error:
            log.exception("A task with a model failed")
            self._say(
                Message(
                    "error",
                    Phrase("{words} failed: {kind}: {error}", words=task.words, kind=type(error).__name__, error=error),
                )
            )

    def _say(self, said: TaskStage | Message) -> None:
        with self._speaking:
            if not self._silent:
                self._arrived.emit(said)

    @Slot(object)
    def _take(self, said: TaskStage | Message) -> None:
        if self._silent:
            return
        if isinstance(said, TaskStage):
            self.stage = said
            self.progressed.emit(said)
            return
        if self._thread is not None:
            self._thread.join()
        self._thread = self.stage = None
        self.ended.emit(said)


# --- tasks ----------------------------------------------------------------------------------------------------------


def download_task(row: ModelRow) -> ModelTask:
    """Download a known model; a download that was broken off goes on."""

    def work(progress: ReportProgress) -> Message:
        from samtta_app.checkpoints.download import download  # with its network libraries, which no start needs

        assert row.known is not None, "only known models are downloaded"
        try:
            download(row.known, progress)
        except WorkStoppedError:
            stopped = "The download of {title} was stopped: what has arrived stays, and the next download goes on"
            return Message("info", Phrase(stopped, title=row.title))
        return Message("good", Phrase("{title} is here, whole and right", title=row.title))

    return ModelTask(row.name, Phrase("Downloading {title}", title=row.title), work)


def check_task(row: ModelRow) -> ModelTask:
    """Compare a model's hash with the known one."""

    def work(progress: ReportProgress) -> Message:
        found = check_model(row, progress)
        return Message({True: "good", False: "error", None: "info"}[found.well], found.words)  # type: ignore[arg-type]

    return ModelTask(row.name, Phrase("Checking {title}", title=row.title), work)


def add_task(file: Path) -> ModelTask:
    """Copy a file into the model folder."""

    def work(progress: ReportProgress) -> Message:
        row = add_model(file, progress)
        known, unknown = (
            "{title} was added; its hash is right",
            "{title} was added; there is no hash to compare it with",
        )
        return Message("good", Phrase(known if row.known else unknown, title=row.title))

    return ModelTask(str(file), Phrase("Adding {name}", name=file.name), work)


def remove_task(row: ModelRow) -> ModelTask:
    """Delete a model's file."""

    def work(progress: ReportProgress) -> Message:
        remove_model(row)
        return Message("good", Phrase("{title} was removed", title=row.title))

    return ModelTask(row.name, Phrase("Removing {title}", title=row.title), work)


def measure_task(row: ModelRow, device: str) -> ModelTask:
    """Measure a model in a process of its own, so that clicks are answered meanwhile."""
    return ModelTask(row.name, Phrase("Measuring {title}", title=row.title), partial(_measure, row, device))


def _measure(row: ModelRow, device: str, progress: ReportProgress) -> Message:
    name = row.path.name if row.known is None else row.name
    command = [sys.executable, "-m", "samtta_app", "models", "speed", name, "--device", device]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        try:
            while True:
                progress(0.0, "loading it and encoding windows")
                try:
                    said, complaint = process.communicate(timeout=LOOKS_EVERY)
                    break
                except subprocess.TimeoutExpired:
                    continue
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        lines = complaint.strip().splitlines() or [f"the process ended with {process.returncode}"]
        raise UserError(
            Phrase(
                "{title} was not measured: {why}",
                title=row.title,
                why=lines[-1].removeprefix("samtta: ").rstrip("."),
            )
        )
    return Message("good", said.strip())
