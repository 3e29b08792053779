"""The only place that decides: a user's acts and the engine's replies go in, requests and a new state come out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from samtta_app.core.messages import (
    AdaptRequest,
    AutomaticRequest,
    BoxesRequest,
    EdgesRequest,
    HypothesesRequest,
    LoadRequest,
    MeasureRequest,
    PrefetchRequest,
    PseudoLabelRequest,
    RefineRequest,
    Request,
    RestoreRequest,
    TwinRequest,
)
from samtta_app.core.planes import ReadingChoice
from samtta_app.core.replies import (
    AdaptReport,
    Answer,
    AutomaticFound,
    AutomaticMasks,
    Controlled,
    Edges,
    Evicted,
    Failure,
    Hypotheses,
    Loaded,
    Measured,
    Prefetched,
    Progress,
    PseudoLabel,
    Refined,
    Reply,
    TwinReport,
)
from samtta_app.core.types import Image
from samtta_app.errors import StoreError
from samtta_app.formats.detections import Detections
from samtta_app.formats.importers import ImportedObject
from samtta_app.phrases import Phrase
from samtta_app.session.acts import UserAct
from samtta_app.session.project.listing import passed_over, row_of_file
from samtta_app.session.project.store import Store
from samtta_app.session.review_list import ProjectComparison
from samtta_app.session.state import Display, Severity, State
from samtta_app.session.workflow.act_queue import Acting
from samtta_app.session.workflow.annotating import Annotating
from samtta_app.session.workflow.choosing import begin_comparison
from samtta_app.session.workflow.class_editing import ClassEditing
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.engine_change import change_engine
from samtta_app.session.workflow.handwork import Handwork
from samtta_app.session.workflow.image_mapping import gone_words, map_images
from samtta_app.session.workflow.image_opening import ImageOpener
from samtta_app.session.workflow.importing import take_imported
from samtta_app.session.workflow.judging import Judging
from samtta_app.session.workflow.lessons import LessonQueue
from samtta_app.session.workflow.object_acts import Objects
from samtta_app.session.workflow.overlays import Overlays
from samtta_app.session.workflow.plausible import Plausible
from samtta_app.session.workflow.proposing import Proposing
from samtta_app.session.workflow.rating import Rater
from samtta_app.session.workflow.reviewing import Reviewing
from samtta_app.session.workflow.reworking import Reworking
from samtta_app.session.workflow.undoing import Undoing
from samtta_app.settings import Settings, annotator_of

NUMBERED_AT_ONCE = 10_000
"""A folder of at most so many images is numbered for exports when it is opened, in about 50 ms; else at the first export."""


class Workflow:
    """One session. Every method returns the requests to send to the engine; `state` is a new value after each change.

    The order of acts decides, not the order or the speed of answers. An act that needs an awaited answer waits in
    `state.waiting`, and so do all acts after it.

    Args:
        store: the open project; every accept is in it before anything else moves.
        learn: have the learner adapt to accepted objects.
        strategy: name of how the engine adapts, shown to the user. With "frozen" the original weights answer, nothing is
            learned or replayed, and stored weights stay where they are.
        in_order: the strategy learns in the order of the acts: the next click waits for the lesson before it.
        twin: have accepted objects replayed with the adapted and the original weights.
        control_share: share of objects that the original weights answer, unseen by the user until the accept. While it is
            above 0, nothing shows the original model's answer beside the preview.
        idle_seconds: a longer pause between two acts on an object counts as this many seconds of work.
        opacity: of the uncertainty map, 0 .. 1.
        clock: monotonic time in seconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        learn: bool = True,
        strategy: str = "samtta",
        in_order: bool = False,
        twin: bool = True,
        control_share: float = 0.0,
        idle_seconds: float = 15,
        opacity: float = 0.8,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = SessionContext(
            store,
            learn=learn,
            strategy=strategy,
            in_order=in_order,
            twin=twin,
            idle=idle_seconds,
            control_share=control_share,
            clock=clock,
        )
        self._browsing = ImageOpener(self._desk)
        self._learning = LessonQueue(self._desk)
        self._annotating = Annotating(self._desk)
        self._overlays, self._plausible = Overlays(self._desk), Plausible(self._desk)
        objects = Objects(self._desk, self._learning)
        reviewing = self._reviewing = Reviewing(self._desk, self._browsing, objects, self._learning)
        self._proposing = Proposing(self._desk)
        judging = Judging(self._desk, self._learning, self._proposing)
        self._undoing = Undoing(self._desk, self._browsing, self._annotating, objects, judging)
        rater = Rater(self._desk, self._browsing, objects, self._undoing)
        parts = (self._browsing, self._annotating, objects, self._learning, reviewing, self._undoing, rater)
        self._reworking = Reworking(self._desk, self._browsing, self._annotating, objects, self._learning)
        last = (Handwork(self._desk), self._reworking, ClassEditing(self._desk, objects), self._proposing, judging)
        self._acting = Acting(self._desk, *parts, self._plausible, *last)
        self._desk.change(display=Display(opacity=opacity))
        self._desk.settle()

    @property
    def state(self) -> State:
        """What the window shows."""
        return self._desk.shown

    @property
    def store(self) -> Store:
        """The open project, for exports and statistics."""
        return self._desk.store

    # --- acts -------------------------------------------------------------------------------------------------------

    def begin_at(self, path: Path | None) -> None:
        """Let the session begin with the image at this path, where the project lists it; to be called before `start`."""
        place = row_of_file(self.state.images, path) if path is not None else None
        if place is not None:
            self._desk.change(index=place)

    def start(self, *, at_once: bool = True) -> Requests:
        """Resume: the published weights, the image where one left off, and (when idle) the replay memory.

        Args:
            at_once: read all records of earlier runs now; else the caller calls `read_on` until it returns False.
        """
        while at_once and self._desk.read_on():
            pass
        gone = gone_words(self.state)
        if gone and self.state.message is None:
            self.say("warning", gone)
        words = passed_over(self.store.folder, subfolders=self.store.reading.subfolders)
        if words and self.state.message is None:
            self.say("info", words)
        if len(self.state.images) <= NUMBERED_AT_ONCE:
            self.store.number_images()
        self._desk.history.fetch_steps()
        return self._out((*self._learning.resume(), *self._browsing.open(self.state.index)))

    def read_on(self) -> bool:
        """Read some more of the records of earlier runs; whether there may be more."""
        more = self._desk.read_on()
        self._reviewing.refresh()
        return more

    def do(self, act: UserAct) -> Requests:
        """Do what a user asked for, now or when its turn comes; where storing fails nothing changes, and a message says so."""
        return self._out(self._acting.take(act))

    def save(self) -> None:
        """Store what is only in memory: the steps of the object that is not accepted yet.

        Raises:
            StoreError: they could not be stored.
        """
        self._desk.history.save()

    def end(self) -> None:
        """The session is about to be closed: what was begun and not accepted is stored as given up."""
        self._desk.as_one(lambda: self._annotating.cancel("closed"))
        with suppress(StoreError):
            if not self.store.read_only:
                self.store.remember_class(self.state.current_class)
        self._desk.save_history()

    def images_to_look_at(self) -> frozenset[str]:
        """The names of the images with a mask that needs a look; none while masks are rated."""
        if self.state.rating is not None:
            return frozenset()
        return frozenset(record.image_name for record in self._desk.tally.queue())

    def seen_image(self) -> Image | None:
        """The open image as the model sees it."""
        return self._desk.seen()

    def refresh_images(self) -> Requests:
        """List the folder's images again: some have come or gone; the open one stays open."""
        self._browsing.refresh()
        return self._out(self._browsing.prefetch())

    def take_imported(self, objects: Sequence[ImportedObject], source: str, *, teach: bool) -> Requests:
        """Store the objects of an import in one transaction, and show them; `teach` is for the next session.

        Raises:
            StoreError: nothing was stored, and nothing has changed.
        """
        take_imported(self._desk, objects, source, teach=teach)
        return self.refresh_images()

    def map_images(self, folder: Path) -> Requests:
        """Take the project's images from another folder, where they are now.

        Raises:
            ProjectError: none of them is there; nothing has changed.
        """
        self._annotating.cancel("left")
        return self._out(map_images(self._desk, self._browsing, folder))

    def choose_reading(self, choice: ReadingChoice) -> Requests:
        """Read the folder's files otherwise, and show the open image again; what was encoded ahead is read again.

        Raises:
            StoreError: nothing was stored, and nothing has changed.
        """
        self.store.choose_reading(choice)
        self._annotating.cancel("left")
        self._browsing.list_anew()
        return self._out(self._browsing.open(self.state.index))

    def adjust(self, settings: Settings) -> None:
        """Take other values of these settings from the next step on."""
        desk = self._desk
        with suppress(StoreError):  # an object without the name of its annotator is better than none
            if not desk.store.read_only:
                desk.store.sign_as(annotator_of(settings))
        desk.idle = settings.idle_seconds
        desk.control_share = 0.0 if desk.frozen or desk.store.read_only else settings.control_share

    def take_engine(self, settings: Settings) -> Requests:
        """Go on with another engine, the one that these settings name."""
        parts = self._browsing, self._annotating, self._learning, self._proposing
        requests = change_engine(self._desk, settings, *parts)
        self.adjust(settings)
        return self._out(requests)

    def take_detections(self, detections: Detections, source: str) -> Requests:
        """Have the masks in a detector's boxes proposed, on this image and on those that are opened next."""
        return self._out(self._proposing.take_detections(detections, source))

    def compare(self, comparison: ProjectComparison) -> Requests:
        """Let the review lead through the differences with another annotator's project."""
        begin_comparison(self._desk, comparison)
        return self._out(())

    def say(self, severity: Severity, text: str) -> None:
        """Show one line in the message bar: something happened beside the session (an export, a model that is missing)."""
        self._desk.say(severity, text)

    def show_export(self, words: str) -> None:
        """Say in the status bar how far an export is, "" once it has ended."""
        self._desk.change(exporting=words)

    # --- the engine's answers ---------------------------------------------------------------------------------------

    def receive(self, reply: Reply) -> Requests:
        """Take a reply; one to a request that no longer matters changes nothing."""
        try:
            requests = self._desk.sent(self._take(reply))
        except StoreError as error:
            self._desk.say("warning", str(error))
            requests = ()
        requests += self._desk.sent(self._acting.serve())
        for reason in self.store.weights_failures():
            self._desk.say("warning", Phrase("The newest weights could not be saved: {reason}", reason=reason))
        requests += self._desk.sent(self._learning.next() if self._prefetched_here() else ())
        return requests + self._out(self._browsing.prefetch())

    def _take(self, reply: Reply) -> Requests:
        match reply:
            case Progress():
                self._browsing.progressed(reply)
                return ()
            case Evicted():
                self._browsing.evicted(reply)
                return ()
            case Answer():
                return self._annotating.answered(reply)
            case AutomaticFound():
                self._proposing.found(reply)
                return ()
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
                return self._learning.controlled(reply)
            case AutomaticMasks(), _:
                self._proposing.ended(reply)
            case Refined() | Measured() | PseudoLabel() | Edges(), _:
                self._overlays.answered(reply)
            case Hypotheses(), _:
                self._plausible.answered(reply)
        return ()

    def _loaded(self, reply: Loaded) -> Requests:
        loading, self._desk.loading = self._desk.loading, None
        if loading is None or loading.request_id != reply.request_id:
            return ()
        try:
            self._browsing.shown(reply.image)
            self._reworking.set_down()
        except StoreError as error:
            self._desk.say("warning", str(error))
        if loading.then:
            return self._desk.as_one(self._undoing.undo if loading.then == "undo" else self._undoing.redo)
        return self._undoing.resume()

    def _failed(self, reply: Failure, request: Request | None) -> Requests:
        desk = self._desk
        match request:
            case None:
                awaited = desk.draft is not None and desk.draft.request_id == reply.request_id
                requests = self._annotating.refused(reply.request_id, reply.text)
                if awaited:
                    self._acting.drop(self.state.waiting)
                return requests
            case LoadRequest(path=path):
                loading, desk.loading = desk.loading, None
                desk.mark(desk.name_of(path), unreadable=reply.text)
                desk.say("error", reply.text, desk.name_of(path))
                if loading is not None and loading.then:
                    requests = desk.as_one(partial(self._undoing.without_image, loading.then))
                    return requests + (self._browsing.open(loading.back) if loading.back != self.state.index else ())
            case RestoreRequest():
                return self._learning.refused(request, reply.text)
            case AdaptRequest() | TwinRequest():
                self._learning.failed(request, reply.text)
            case PrefetchRequest(path=path, image=None):
                desk.mark(desk.name_of(path), unreadable=reply.text)
            case PrefetchRequest(path=path):
                desk.passed.add(desk.name_of(path))  # not asked for again; the first click says what is wrong
                desk.say("warning", reply.text, desk.name_of(path))
            case AutomaticRequest() | BoxesRequest():
                self._proposing.failed(reply.request_id, reply.text)
            case RefineRequest() | MeasureRequest() | PseudoLabelRequest() | EdgesRequest():
                self._overlays.answered(reply)
            case HypothesesRequest():
                self._plausible.answered(reply)
            case _:
                desk.say("warning", reply.text)
        return ()

    def _out(self, requests: Requests) -> Requests:
        requests += (*self._overlays.ask(), *self._plausible.ask(), *self._proposing.ask())
        self._desk.sent(requests)
        self._desk.save_history()
        self._reviewing.refresh()
        self._desk.settle()
        return requests

    def _prefetched_here(self) -> bool:
        """Whether the open image is encoded (or cannot be), so that older images may be read again."""
        here, desk = self.state.image, self._desk
        return not desk.loading if here is None else desk.image_name() in desk.encoded.keys() | desk.passed
