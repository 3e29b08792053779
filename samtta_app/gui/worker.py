"""The engine's thread: one plain thread, two lanes, values in and values out.

Urgent requests (a click, an image, a button) come before background ones (learning, encoding ahead). Background work is a
generator that gives way at each of its yields, so that a click waits for one step at most. The only lock is the condition
inside the mailbox, and nothing but requests passes through it.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from samtta_app.core.messages import Evicted, Failure, LoadRequest, PredictRequest, Progress, Reply, Request
from samtta_app.errors import UserError

Work = Generator[Progress | Evicted | None, None, Reply | None]

MODEL = "Model"
"""`Failure.kind` when the model itself could not be used."""

log = logging.getLogger(__name__)


class Answering(Protocol):
    """What the worker drives: the engine, or what stands in for it while there is no model."""

    @property
    def description(self) -> str:
        """The model and its device, for people."""

    def handle(self, request: Request) -> Work:
        """Answer a request step by step; no reply (None) is one that nobody waits for."""


Factory = Callable[[], Answering]


class Worker(QObject):
    """Runs whatever `factory` makes, on a thread of its own; made on the GUI thread, where its signals arrive.

    A newer PredictRequest or LoadRequest takes the place of a waiting one, and an unfinished PredictRequest is given up for
    it; a question to the frozen twin never takes the place of a click's. Everything else is served in order.

    Signals:
        replied(object): a Reply; the receiver must be a `@Slot(object)` method of an object of the GUI thread.
        described(str): another model answers from now on.

    Args:
        factory: makes the engine, on the worker's thread; a UserError of it becomes a Failure of kind MODEL.
        fallback: makes what answers while there is no model, from the reason why there is none.
    """

    replied = Signal(object)
    described = Signal(str)

    def __init__(self, factory: Factory, fallback: Callable[[str], Answering]) -> None:
        super().__init__()
        self._factory, self._fallback = factory, fallback
        self._mailbox = _Mailbox()
        self._thread = threading.Thread(target=self._run, name="samtta-engine", daemon=False)

    def start(self) -> None:
        """Begin to make the model and to answer; to be called when the signals have their receivers."""
        self._thread.start()

    def send(self, request: Request) -> None:
        """Queue `request`, also before `start`; after `close` it is dropped."""
        self._mailbox.put(request)

    def close(self) -> None:
        """End the thread after the step that is under way; nothing is emitted once this has returned."""
        self._mailbox.close()
        if self._thread.ident is not None:
            self._thread.join()

    # --- on the worker's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        engine = self._built()
        self.described.emit(engine.description)
        background: tuple[Request, Work] | None = None
        while self._mailbox.open:
            request = self._mailbox.take(idle=background is None)
            if request is not None and request.lane == "urgent":
                self._finish(request, _work(engine, request))
                continue
            if request is not None:
                background = request, _work(engine, request)
            if background is not None and not self._step(*background):
                background = None
        if background is not None:
            background[1].close()

    def _built(self) -> Answering:
        try:
            return self._factory()
        except UserError as e:
            text = str(e)
        except Exception as e:
            log.exception("The model could not be made ready")
            text = f"The model could not be made ready ({type(e).__name__}: {e})."
        self.replied.emit(Failure(0, MODEL, text))
        return self._fallback(text)

    def _finish(self, request: Request, work: Work) -> None:
        while self._step(request, work):
            if self._mailbox.overtaken(request):
                work.close()
                return

    def _step(self, request: Request, work: Work) -> bool:
        """One step of `work`; False when it has ended."""
        try:
            progress = next(work)
        except StopIteration as end:
            if end.value is not None:
                self.replied.emit(end.value)
            return False
        except Exception as e:
            kind = type(request).__name__
            log.exception("%s was not answered", kind)
            self.replied.emit(Failure(request.id, kind, f"Something went wrong inside ({type(e).__name__}: {e})."))
            return False
        if progress is not None:
            self.replied.emit(progress)
        return True


class _Mailbox:
    """Requests that wait, in two lanes."""

    def __init__(self) -> None:
        self.open = True
        self._changed = threading.Condition()
        self._urgent: deque[Request] = deque()
        self._background: deque[Request] = deque()

    def put(self, request: Request) -> None:
        """Queue `request`, in place of waiting ones that it makes pointless."""
        with self._changed:
            if self.open and request.lane == "urgent":
                self._urgent = deque(r for r in self._urgent if not _replaces(request, r))
                self._urgent.append(request)
            elif self.open:
                self._background.append(request)
            self._changed.notify()

    def take(self, *, idle: bool) -> Request | None:
        """The next urgent request; when `idle`, else the next background one, waiting for either. None: none, or closed."""
        with self._changed:
            if idle:
                self._changed.wait_for(lambda: self._urgent or self._background or not self.open)
            if not self.open:
                return None
            if self._urgent:
                return self._urgent.popleft()
            return self._background.popleft() if idle and self._background else None

    def overtaken(self, request: Request) -> bool:
        """Whether nobody waits for the answer to `request` any more."""
        with self._changed:
            newer = isinstance(request, PredictRequest) and any(_replaces(r, request) for r in self._urgent)
            return newer or not self.open

    def close(self) -> None:
        """Drop everything that waits and wake the thread."""
        with self._changed:
            self.open = False
            self._urgent.clear()
            self._background.clear()
            self._changed.notify()


def _work(engine: Answering, request: Request) -> Work:
    """The engine's generator, made at the first step, so that whatever goes wrong goes wrong there."""
    return (yield from engine.handle(request))


def _replaces(newer: Request, older: Request) -> bool:
    if isinstance(newer, PredictRequest) and isinstance(older, PredictRequest):
        return older.twin or not newer.twin
    return isinstance(newer, LoadRequest) and isinstance(older, LoadRequest)
