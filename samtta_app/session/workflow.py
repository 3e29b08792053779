"""The only place that decides: a person's acts and the engine's replies go in, requests and a new state come out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from samtta_app.core.messages import (
    AdaptReport,
    AdaptRequest,
    ControlAction,
    Controlled,
    Evicted,
    Failure,
    Forgotten,
    Loaded,
    LoadRequest,
    Measured,
    MeasureRequest,
    Prediction,
    Prefetched,
    PrefetchRequest,
    Progress,
    Refined,
    RefineRequest,
    Reply,
    Request,
    TwinReport,
)
from samtta_app.core.types import Box, Click, Window
from samtta_app.errors import StoreError
from samtta_app.session.annotating import Annotating
from samtta_app.session.browsing import Browsing
from samtta_app.session.desk import Desk, Requests
from samtta_app.session.learning import Learning
from samtta_app.session.objects import Objects
from samtta_app.session.overlays import Overlays
from samtta_app.session.reviewing import Reviewing
from samtta_app.session.state import Display, OverlayKind, Severity, State
from samtta_app.session.store import Store
from samtta_app.session.undoing import Undoing


class Workflow:
    """One session. Every method returns the requests to send to the engine; `state` is a new value after each change.

    Args:
        store: the open project; every accept is in it before anything else moves.
        learn: have the learner adapt to accepted objects.
        strategy: name of how the engine adapts, for people; with "frozen" the original weights answer, nothing is learned
            or replayed, and stored weights stay where they are.
        twin: have accepted objects replayed with the adapted and the original weights.
        idle_seconds: a longer pause between two acts on an object counts as this many seconds of work.
        opacity: of the uncertainty map, 0 .. 1.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        store: Store,
        *,
        learn: bool = True,
        strategy: str = "samtta",
        twin: bool = True,
        idle_seconds: float = 15,
        opacity: float = 0.8,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = Desk(store, learn=learn, strategy=strategy, twin=twin, idle=idle_seconds, clock=clock)
        self._browsing = Browsing(self._desk)
        self._learning = Learning(self._desk, self._browsing)
        self._annotating = Annotating(self._desk)
        self._overlays = Overlays(self._desk)
        self._objects = Objects(self._desk, self._learning)
        self._reviewing = Reviewing(self._desk, self._browsing)
        self._undoing = Undoing(self._desk, self._browsing, self._annotating, self._objects)
        self._desk.change(display=Display(opacity=opacity))
        self._desk.settle()

    @property
    def state(self) -> State:
        """What the window shows."""
        return self._desk.state

    @property
    def store(self) -> Store:
        """The open project, for exports and statistics."""
        return self._desk.store

    # --- images -----------------------------------------------------------------------------------------------------

    def start(self) -> Requests:
        """Resume: the published weights, the image where one left off, and (when idle) the replay memory."""
        return self._out((*self._learning.resume(), *self._browsing.open(self.state.index)))

    def open_image(self, index: int) -> Requests:
        """Show an image; a preview is put aside (undo brings it back)."""
        return self._act(lambda: self._open(index))

    def next_image(self, step: int = 1) -> Requests:
        """Show the next image, or with -1 the previous."""
        return self._act(lambda: self._open(self._browsing.next_index(step)))

    def next_unreviewed(self) -> Requests:
        """Show the next image without an annotation."""
        return self._act(lambda: self._open(self._browsing.unreviewed_index()))

    # --- one object -------------------------------------------------------------------------------------------------

    def click(self, x: float, y: float, positive: bool, view: Window | None = None) -> Requests:
        """Include or exclude a point (image pixels); `view` is the visible part of the image, None for all of it."""
        return self._act(lambda: self._annotating.click(Click(x, y, positive), view))

    def box(self, box: Box, view: Window | None = None) -> Requests:
        """Ask for the object in a box."""
        return self._act(lambda: self._annotating.box(box, view))

    def next_candidate(self, step: int = 1) -> Requests:
        """Show another candidate mask."""
        return self._act(lambda: self._annotating.next_candidate(step))

    def ask_larger(self) -> Requests:
        """Have the larger model answer the object at hand."""
        return self._act(self._annotating.ask_larger)

    def accept(self, then_next: bool = False) -> Requests:
        """Store the shown mask, in one transaction, before anything else moves; then learn from it."""
        return self._act(lambda: self._accept(then_next))

    def cancel(self) -> Requests:
        """Put the preview aside, or drop the selection."""
        return self._act(lambda: self._annotating.cancel() if self._desk.draft else self._objects.select(None))

    def undo(self) -> Requests:
        """Undo the newest prompt step, accept, cancel, deletion or class change."""
        return self._act(self._undoing.undo)

    def redo(self) -> Requests:
        """Do again what was undone last."""
        return self._act(self._undoing.redo)

    # --- annotations and classes ------------------------------------------------------------------------------------

    def select(self, annotation_id: int | None) -> Requests:
        """Select an annotation of the open image, or none."""
        return self._act(lambda: self._objects.select(annotation_id))

    def select_next(self, step: int = 1) -> Requests:
        """Select the next annotation."""
        return self._act(lambda: self._objects.select_next(step))

    def next_review(self) -> Requests:
        """Show the accepted mask that needs a second look most."""
        return self._act(lambda: self._away(self._reviewing.next))

    def confirm_review(self) -> Requests:
        """The selected mask is right; show the next one that needs a look."""
        return self._act(lambda: self._away(self._reviewing.confirm))

    def delete_selected(self) -> Requests:
        """Delete the selected annotation; undo brings it back."""
        return self._act(self._objects.delete_selected)

    def set_class(self, class_id: int) -> Requests:
        """Choose the current class, also for the selected annotation when no object is being annotated."""
        return self._act(lambda: self._objects.set_class(class_id))

    def add_class(self, name: str) -> Requests:
        """Add a class and make it the current one."""
        return self._act(lambda: self._objects.add_class(name))

    def rename_class(self, class_id: int, name: str) -> Requests:
        """Give a class another name."""
        return self._act(lambda: self._objects.rename_class(class_id, name))

    # --- the view and the learner -----------------------------------------------------------------------------------

    def show(
        self,
        *,
        masks: bool | None = None,
        overlay: OverlayKind | None = None,
        opacity: float | None = None,
        compare: bool | None = None,
    ) -> Requests:
        """Show or hide masks, a map of uncertainty (`opacity` 0 .. 1), and the answer of the original weights."""
        wanted = {"masks": masks, "overlay": overlay, "opacity": opacity, "compare": compare}
        changes: dict[str, Any] = {key: value for key, value in wanted.items() if value is not None}
        self._desk.change(display=replace(self.state.display, **changes))
        return self._out(self._annotating.compare() if compare else ())

    def say(self, severity: Severity, text: str) -> None:
        """Show one line in the message bar: something happened beside the session (an export, a model that is missing)."""
        self._desk.say(severity, text)

    def control(self, action: ControlAction) -> Requests:
        """Pause, resume, roll back one version, or reset to the original weights."""
        return self._act(lambda: self._learning.control(action))

    # --- the engine's answers ---------------------------------------------------------------------------------------

    def receive(self, reply: Reply) -> Requests:
        """Take a reply; one to a request that no longer matters changes nothing."""
        try:
            requests = self._desk.sent(self._take(reply))
        except StoreError as error:
            self._desk.say("warning", str(error))
            requests = ()
        for reason in self.store.weights_failures():
            self._desk.say("warning", f"The newest weights could not be saved: {reason}")
        requests += self._desk.sent(self._learning.next_memory() if self._prefetched_here() else ())
        requests += self._desk.sent(self._learning.released())
        return requests + self._out(self._browsing.prefetch())

    def _take(self, reply: Reply) -> Requests:
        match reply:
            case Progress():
                self._browsing.progressed(reply)
                return ()
            case Evicted():
                self._browsing.evicted(reply)
                return ()
            case Prediction():
                return self._annotating.answered(reply)
        request = self._desk.answered(reply.request_id)
        match reply, request:
            case Failure(), _:
                return self._failed(reply, request)
            case Loaded(), LoadRequest():
                return self._loaded(reply)
            case Prefetched(), PrefetchRequest():
                self._browsing.encoded(reply)
            case AdaptReport(), AdaptRequest():
                return self._learning.adapted(request, reply)
            case TwinReport(), _ if request is not None:
                self._learning.replayed(reply)
            case Controlled(), _ if request is not None:
                self._learning.controlled(reply)
            case Refined() | Measured(), _:
                self._overlays.answered(reply)
            case Forgotten(), _:
                pass
        return ()

    def _loaded(self, reply: Loaded) -> Requests:
        loading, self._desk.loading = self._desk.loading, None
        if loading is None or loading.request_id != reply.request_id:
            return ()
        requests = self._learning.image_loaded(loading.name, reply.image)
        if not loading.show:
            return requests
        try:
            self._browsing.shown(reply.image)
        except StoreError as error:
            self._desk.say("warning", str(error))
        if loading.then:
            requests += self._undoing.undo() if loading.then == "undo" else self._undoing.redo()
        return requests

    def _failed(self, reply: Failure, request: Request | None) -> Requests:
        desk = self._desk
        match request:
            case None:
                return self._annotating.refused(reply.request_id, reply.text)
            case LoadRequest(path=path):
                show, desk.loading = desk.loading is not None and desk.loading.show, None
                self._learning.pass_over(path.name)
                desk.mark(path.name, unreadable=reply.text)
                if show:
                    desk.say("error", reply.text)
            case PrefetchRequest(path=path, image=None):
                desk.mark(path.name, unreadable=reply.text)
            case PrefetchRequest(path=path):
                desk.passed.add(path.name)  # not asked for again; the first click says what is wrong
                desk.say("warning", reply.text)
            case RefineRequest() | MeasureRequest():
                self._overlays.answered(reply)
            case _:
                desk.say("warning", reply.text)
        return ()

    # --- below the surface ------------------------------------------------------------------------------------------

    def _open(self, index: int | None) -> Requests:
        if index is None or not 0 <= index < len(self.state.images):
            return ()
        self._annotating.cancel()
        return self._browsing.open(index)

    def _away(self, action: Callable[[], Requests]) -> Requests:
        """Do what may show another object; a preview is put aside (undo brings it back)."""
        if self._desk.draft is not None:
            self._annotating.cancel()
        return action()

    def _accept(self, then_next: bool) -> Requests:
        saved = self._annotating.accept()
        if saved is None:
            return ()
        self._objects.add(saved)
        requests = self._learning.accepted(saved)
        if then_next:
            requests += self._open(self._browsing.next_index(1))
        return requests

    def _act(self, action: Callable[[], Requests]) -> Requests:
        """Do what a person asked for; when it cannot be stored, nothing has moved and a line says so."""
        self._desk.change(message=None)
        try:
            return self._out(action())
        except StoreError as error:
            self._desk.say("error", str(error))
            return self._out(())

    def _out(self, requests: Requests) -> Requests:
        requests += self._overlays.ask()
        self._desk.sent(requests)
        self._desk.settle()
        return requests

    def _prefetched_here(self) -> bool:
        """Whether the open image is encoded (or cannot be), so that older ones may be read again."""
        return self.state.image is None or self._desk.image_name() in self._desk.encoded.keys() | self._desk.passed
