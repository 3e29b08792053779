"""The engine's thread: one plain thread, three lanes, values in and values out.

Urgent requests (a click, an image, a button) come first. Then comes what a user asked to see (a map), and last background
work (learning, encoding ahead). The work of the lower lanes is a generator that can be interrupted at each yield. A click
thus waits for one step at most. The only lock is the condition inside the mailbox, and only requests pass through it.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator
from typing import Protocol

from PySide6.QtCore import QObject, Signal, SignalInstance

from samtta_app.core.messages import HoverRequest, Lane, LoadRequest, PredictRequest, Request
from samtta_app.core.replies import Failure, Partial, Reply
from samtta_app.errors import UserError
from samtta_app.phrases import Phrase

_Work = Generator[Partial | None, None, Reply | None]

LANES: tuple[Lane, ...] = ("urgent", "asked", "background")
"""Which lane comes before which."""

MODEL = "Model"
"""`Failure.kind` when the model itself could not be used."""

PATIENCE = 0.5
"""Seconds that closing waits for the step under way; a learning step takes some hundredths of one."""

SOON = 0.1
"""Seconds that an image waits for a model that is being made; torch alone takes seconds."""

log = logging.getLogger(__name__)


class EngineProtocol(Protocol):
    """What the worker drives: the engine, or what stands in for it while there is no model."""

    @property
    def description(self) -> str:
        """The model and its device, as shown to the user."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks of the model's file, of which a class may take one."""

    @property
    def device_refusal(self) -> str:
        """Why the model is not on the device that was asked for, "" where it is."""

    def handle(self, request: Request) -> _Work:
        """Answer a request step by step, with partial replies on the way; None where no reply is awaited."""


_Factory = Callable[[], EngineProtocol]


class Worker(QObject):
    """Runs whatever `factory` makes, on a thread of its own; made on the GUI thread, where its signals arrive.

    A newer PredictRequest or LoadRequest replaces a waiting one, and cancels an unfinished one. A request to the frozen
    twin never replaces that of a click. Everything else is served in order.

    Signals:
        replied(object): a Reply. Its receiver must be a `@Slot(object)` method of an object of the GUI thread.

        described(object, object): another model answers from now on, with these tasks (a tuple of names).

    Args:
        factory: makes the engine, on the worker's thread; a UserError of it becomes a Failure of kind MODEL.
        fallback: makes what answers while there is no model, from the reason why there is none. It also reads the
            images that are to be opened while the model is being made.
    """

    replied = Signal(object)
    described = Signal(object, object)  # a signal of str would lose what a Phrase is made of

    def __init__(self, factory: _Factory, fallback: Callable[[str], EngineProtocol]) -> None:
        super().__init__()
        self._factory, self._fallback = factory, fallback
        self._mailbox = _Mailbox()
        self._speaking, self._silent = threading.Lock(), False
        self._told = threading.Event()
        self._thread = threading.Thread(target=self._run, name="samtta-engine", daemon=True)

    def start(self) -> None:
        """Begin to make the model and to answer; to be called when the signals have their receivers."""
        self._thread.start()

    def send(self, request: Request) -> None:
        """Queue `request`, also before `start`; after `close` it is dropped."""
        self._mailbox.put(request)

    def close(self, patience: float = PATIENCE) -> None:
        """End the thread after the step that is under way; nothing is emitted once this has returned.

        Closing does not wait longer than `patience` seconds for a step (torch being loaded, a slow disk). Such a step
        holds nothing that is to be stored.
        """
        self._mailbox.close()
        if self._thread.ident is not None:
            self._thread.join(patience)
        with self._speaking:
            self._silent = True

    def wait(self, seconds: float) -> bool:
        """Wait until something was emitted since the last call, for so many seconds at most; whether it was."""
        told = self._told.wait(seconds)
        self._told.clear()
        return told

    # --- on the worker's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        made = threading.Event()
        reading = threading.Thread(target=self._read_until, args=(made,), name="samtta-reading", daemon=True)
        reading.start()
        engine = self._built()
        made.set()
        self._mailbox.wake()
        reading.join()
        self._say(self.described, engine.description, engine.tasks)
        begun: list[tuple[Request, _Work]] = []  # a lower lane's work rests below that of the lane that it gave way to
        while self._mailbox.open:
            request = self._mailbox.take(above=begun[-1][0].lane if begun else None)
            if request is not None and request.lane == "urgent":
                self._finish(engine, request)
                continue
            if request is not None:
                begun.append((request, _work(engine, request)))
            if begun and not self._step(*begun[-1]):
                begun.pop()
        for _, work in reversed(begun):
            work.close()

    def _read_until(self, made: threading.Event) -> None:
        """Read images that are to be opened, until the model is made."""
        if made.wait(SOON):
            return
        reader = self._fallback("")
        while (request := self._mailbox.image(made)) is not None:
            work = _work(reader, request)
            while self._step(request, work):
                if self._mailbox.overtaken(request):
                    work.close()
                    break

    def _say(self, signal: SignalInstance, *values: object) -> None:
        with self._speaking:
            if not self._silent:
                signal.emit(*values)

    def _built(self) -> EngineProtocol:
        try:
            return self._factory()
        except UserError as e:
            text = str(e)
        except Exception as e:
            log.exception("The model could not be made ready")
            text = Phrase("The model could not be made ready ({kind}: {error}).", kind=type(e).__name__, error=e)
        self._tell(Failure(0, MODEL, text))
        return self._fallback(text)

    def _finish(self, engine: EngineProtocol, request: Request) -> None:
        work = _work(engine, request)
        while self._step(request, work):
            if self._mailbox.overtaken(request):
                work.close()
                return
            # reading waits for a file, not for the engine: a click is answered meanwhile
            click = self._mailbox.click() if isinstance(request, LoadRequest) else None
            if click is not None:
                self._finish(engine, click)

    def _step(self, request: Request, work: _Work) -> bool:
        """One step of `work`; False when it has ended."""
        try:
            part = next(work)
        except StopIteration as end:
            if end.value is not None:
                self._tell(end.value)
            return False
        except Exception as e:
            kind = type(request).__name__
            log.exception("%s was not answered", kind)
            self._tell(
                Failure(
                    request.id,
                    kind,
                    Phrase("Something went wrong inside ({kind}: {error}).", kind=type(e).__name__, error=e),
                )
            )
            return False
        if part is not None:
            self._tell(part)
        return True

    def _tell(self, reply: Reply) -> None:
        self._say(self.replied, reply)
        self._told.set()


class _Mailbox:
    """Requests that wait, in lanes."""

    def __init__(self) -> None:
        self.open = True
        self._changed = threading.Condition()
        self._lanes: dict[Lane, deque[Request]] = {lane: deque() for lane in LANES}

    def put(self, request: Request) -> None:
        """Queue `request`, in place of waiting ones that it makes pointless."""
        with self._changed:
            if self.open:
                lane = deque(r for r in self._lanes[request.lane] if not _replaces(request, r))
                self._lanes[request.lane] = lane
                lane.append(request)
            self._changed.notify_all()

    def take(self, *, above: Lane | None) -> Request | None:
        """The next request of a lane higher than `above`; where that is None of any, waiting for it. None: none, or closed."""
        lanes = LANES if above is None else LANES[: LANES.index(above)]
        with self._changed:
            if above is None:
                self._changed.wait_for(lambda: any(self._lanes.values()) or not self.open)
            waiting = (self._lanes[lane] for lane in lanes if self._lanes[lane])
            found = next(waiting, None) if self.open else None
            return found.popleft() if found else None

    def click(self) -> Request | None:
        """The prediction that is the next urgent request; None where another one comes first, or closed."""
        with self._changed:
            urgent = self._lanes["urgent"]
            if not self.open or not urgent or not isinstance(urgent[0], PredictRequest):
                return None
            return urgent.popleft()

    def image(self, made: threading.Event) -> Request | None:
        """The image that is to be opened, waiting for it; None once the model is made, or closed."""
        with self._changed:
            while self.open and not made.is_set():
                found = next((r for r in self._lanes["urgent"] if isinstance(r, LoadRequest)), None)
                if found is not None:
                    self._lanes["urgent"].remove(found)
                    return found
                self._changed.wait()
            return None

    def overtaken(self, request: Request) -> bool:
        """Whether the answer to `request` is no longer awaited."""
        with self._changed:
            return not self.open or any(_replaces(r, request) for r in self._lanes["urgent"])

    def close(self) -> None:
        """Drop everything that waits and wake the thread."""
        with self._changed:
            self.open = False
            for lane in self._lanes.values():
                lane.clear()
            self._changed.notify_all()

    def wake(self) -> None:
        """Let those who wait look again at what they wait for."""
        with self._changed:
            self._changed.notify_all()


def _work(engine: EngineProtocol, request: Request) -> _Work:
    """The engine's generator, made at the first step, so that whatever goes wrong goes wrong there."""
    return (yield from engine.handle(request))


def _replaces(newer: Request, older: Request) -> bool:
    if isinstance(newer, PredictRequest) and isinstance(older, PredictRequest):
        return older.twin or not newer.twin
    if isinstance(newer, HoverRequest) and isinstance(older, HoverRequest):
        return True
    return isinstance(newer, LoadRequest) and isinstance(older, LoadRequest)
