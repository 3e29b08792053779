"""Drives a Workflow and an Engine in one thread, the way the window's worker does: urgent requests before background ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np

from samtta_app.core.clicks import next_click
from samtta_app.core.messages import AdaptRequest, PredictRequest, PrefetchRequest, Request
from samtta_app.core.replies import AdaptReport, Answer, Failure, Prefetched, Reply
from samtta_app.core.types import Candidate, Logits, Mask
from samtta_app.engine.dispatch import Engine
from samtta_app.errors import UserError
from samtta_app.session.project.store import Store
from samtta_app.session.state import State
from samtta_app.session.workflow.workflow import Workflow
from samtta_app.simulation.annotator import AnnotatedObject, Goal, annotate
from samtta_app.simulation.clickers import Choice

Feedback = Literal["logits", "binary"]
"""What goes back to the model with the next click: the shown mask's logits (none with the first click), or zeros and ones."""


class Driver:
    """One session without a window; use it in a `with` block, which closes its project.

    Args:
        folder: the images; `project` is where the session is kept.
        engine: answers; its state afterwards is what this session taught it.
        learn: False never adapts (the frozen side).
        twin: whether accepted objects are replayed for the session's own statistics.
        feedback: "binary" puts the mask in the place of its logits on their way to the engine.
        whole: every answer is given in the whole image.

    Attributes:
        answer: the newest candidate that predicted IoU chose, with its maps; None before the first.
    """

    def __init__(
        self,
        folder: Path,
        project: Path,
        engine: Engine,
        *,
        learn: bool,
        twin: bool = False,
        feedback: Feedback = "logits",
        whole: bool = False,
    ) -> None:
        self.store = Store.open(folder, project)
        self.workflow = Workflow(self.store, learn=learn, twin=twin, in_order=engine.in_order)
        self._engine, self._feedback, self._whole = engine, feedback, whole
        self._learning_seconds = 0.0
        self.answer: Candidate | None = None
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
            UserError: the engine could not answer; a bench must not hide that.
        """
        self._queue(requests)
        while self._urgent or self._background:
            self._serve((self._urgent or self._background).popleft())

    def annotate(
        self,
        image: str,
        target: Mask,
        goal: Goal,
        class_name: str | None = None,
        choose: Choice = next_click,
        *,
        last_counts: bool = True,
    ) -> AnnotatedObject:
        """Let the simulated user annotate one object of the image with this file name, and learn from it."""
        self._learning_seconds = 0.0
        place = self._places[image]
        person = annotate(self.state, target, place, goal, class_name, choose, last_counts=last_counts)
        try:
            act = next(person)
            while True:
                self.settle(self.workflow.do(act))
                act = person.send(self.state)
        except StopIteration as finished:
            outcome: AnnotatedObject = finished.value
        return replace(outcome, learning_seconds=self._learning_seconds)

    def _queue(self, requests: Iterable[Request]) -> None:
        for request in requests:
            (self._urgent if request.lane == "urgent" else self._background).append(request)

    def _serve(self, request: Request) -> None:
        """Answer a request; an answer that comes before the learning from its click is passed on at once."""
        if isinstance(request, PrefetchRequest):  # answers are the same without it, and a bench often changes images
            self._take(Prefetched(request.id, request.path))
            return
        if isinstance(request, PredictRequest):
            request = replace(request, whole=self._whole)
            request = _binary(request) if self._feedback == "binary" else request
        if isinstance(request, AdaptRequest):
            request = replace(request, whole=self._whole)
        work = self._engine.handle(request)
        while True:
            try:
                part = next(work)
            except StopIteration as finished:
                if finished.value is not None:
                    self._take(finished.value)
                return
            if isinstance(part, Answer) and not part.more:  # a simulated user waits for the whole answer
                self._take(part)

    def _take(self, reply: Reply) -> None:
        if isinstance(reply, AdaptReport):
            self._learning_seconds += reply.seconds
        if isinstance(reply, Answer):
            self.answer = reply.candidates[reply.chosen] if reply.candidates else None
        self._queue(self.workflow.receive(reply))
        if isinstance(reply, Failure):
            raise UserError(f"The engine could not answer a {reply.kind}: {reply.text}")

    def close(self) -> None:
        """Close the project."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _binary(request: PredictRequest) -> PredictRequest:
    """The request with its mask as 0 and 1 in place of logits, and a mask of zeros with the first click.

    The mask has twice the grid's resolution: every cell becomes four equal ones. It reaches the prompt encoder unchanged,
    and is not mistaken for logits of an answer that a local update could start from.
    """
    before = request.prompt.logits
    if before is None:
        mask = Logits(request.window or request.image.whole, np.zeros((2, 2), dtype=np.float32))
    else:
        doubled = (before.values > 0).repeat(2, axis=0).repeat(2, axis=1)
        mask = Logits(before.window, doubled.astype(np.float32))
    return replace(request, prompt=replace(request.prompt, logits=mask))
