"""Drives a Workflow and an Engine in one thread, the way the window's worker does: urgent requests before background ones."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from samtta_app.bench.annotator import Goal, Outcome, annotate, perform
from samtta_app.core.messages import Failure, Prefetched, PrefetchRequest, Reply, Request
from samtta_app.core.types import Mask
from samtta_app.engine import Engine, run
from samtta_app.errors import UserError
from samtta_app.session.state import State
from samtta_app.session.store import Store
from samtta_app.session.workflow import Workflow


class Driver:
    """One session without a window; use it in a `with` block, which closes its project.

    Args:
        folder: the images; `project` is where the session is kept.
        engine: answers; its state afterwards is what this session taught it.
        learn: False never adapts (the frozen side).
        twin: whether accepted objects are replayed for the session's own statistics.
    """

    def __init__(self, folder: Path, project: Path, engine: Engine, *, learn: bool, twin: bool = False) -> None:
        self.store = Store.open(folder, project)
        self.workflow = Workflow(self.store, learn=learn, twin=twin)
        self._engine = engine
        self._urgent: deque[Request] = deque()
        self._background: deque[Request] = deque()
        self.settle(self.workflow.start())
        self._places = {entry.path.name: index for index, entry in enumerate(self.state.images)}

    @property
    def state(self) -> State:
        """What a window would show."""
        return self.workflow.state

    def settle(self, requests: Iterable[Request]) -> None:
        """Answer `requests` and all that follows from them, urgent ones first, until nothing is left.

        Raises:
            UserError: the engine could not answer; in a bench that must not pass unseen.
        """
        self._queue(requests)
        while self._urgent or self._background:
            request = (self._urgent or self._background).popleft()
            reply = self._reply(request)
            self._queue(self.workflow.receive(reply))
            if isinstance(reply, Failure):
                raise UserError(f"The engine could not answer a {reply.kind}: {reply.text}")

    def annotate(self, image: str, target: Mask, goal: Goal, class_name: str | None = None) -> Outcome:
        """Let the simulated person annotate one object of the image with this file name, and learn from it."""
        person = annotate(self.state, target, self._places[image], goal, class_name)
        try:
            action = next(person)
            for _ in itertools.count():
                self.settle(perform(self.workflow, action, self.state))
                action = person.send(self.state)
        except StopIteration as finished:
            outcome: Outcome = finished.value
        return outcome

    def _queue(self, requests: Iterable[Request]) -> None:
        for request in requests:
            (self._urgent if request.lane == "urgent" else self._background).append(request)

    def _reply(self, request: Request) -> Reply:
        if isinstance(request, PrefetchRequest):  # the answers are the same without it, and a bench jumps about
            return Prefetched(request.id, request.path)
        return run(self._engine, request)

    def close(self) -> None:
        """Close the project."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
