"""What the workflow's parts share: the state, the draft, the store, and what is under way on the engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from samtta_app.core.looks import DisplayLook
from samtta_app.core.messages import AdaptRequest, LoadRequest, PredictRequest, Request, TwinRequest
from samtta_app.core.types import Annotation, Image
from samtta_app.errors import StoreError
from samtta_app.phrases import Phrase
from samtta_app.session.acts import UserAct
from samtta_app.session.object_records import GivenUpObject, ObjectRecord
from samtta_app.session.project.listing import image_name
from samtta_app.session.project.store import RECORDS_AT_ONCE, Store
from samtta_app.session.proposal_list import Proposals
from samtta_app.session.state import Activity, Adaptation, Display, ImageEntry, ImageStatus, Message, Severity, State
from samtta_app.session.statistics.tally import Tally
from samtta_app.session.workflow.blindfold import blinded
from samtta_app.session.workflow.draft import Draft
from samtta_app.session.workflow.history import History
from samtta_app.session.workflow.stored_history import StoredHistory
from samtta_app.session.workflow.under_way import (
    Ahead,
    Carried,
    Drawing,
    Lessons,
    Loading,
    MeasuringMap,
    ReviewPlace,
    Search,
)

Requests = tuple[Request, ...]

IMAGES_AT_ONCE = 8
"""The rows of so many images, with hundreds of objects each, are summed up in about 16 ms."""

_FROZEN = "frozen"
"""The strategy that never adapts."""


class SessionContext:
    """The only mutable part of the workflow; its other parts refer to it and hold no mutable state of their own."""

    def __init__(
        self,
        store: Store,
        *,
        learn: bool,
        strategy: str,
        in_order: bool,
        twin: bool,
        idle: float,
        control_share: float,
        clock: Callable[[], float],
    ) -> None:
        self._compares = twin
        self.learn_as(strategy, learn=learn, in_order=in_order)
        self.control_share = 0.0 if self.frozen or store.read_only else control_share
        self.store, self.idle, self.now = store, idle, clock
        self.history = History() if store.read_only else StoredHistory(store)
        self.draft: Draft | None = None
        self.loading: Loading | None = None
        self.encoded: dict[str, str] = {}  # an image's name -> its content's key, as the engine names it
        self.passed: set[str] = set()  # names of images that could not be encoded: not asked for again
        self.ahead, self.lessons, self.measuring, self.drawing = Ahead(), Lessons(), MeasuringMap(), Drawing()
        self.search, self.shelf = Search(), dict[str, Proposals]()  # by image, while another one is open
        self.reviewed = ReviewPlace()
        self.carried: Carried | None = None  # a mask on its way to the next image
        self.comparison = 0  # the request to the frozen twin that is under way, 0 where none is
        self.paused = False
        self.dropped: tuple[UserAct, ...] = ()
        self.tally = Tally()
        self.withdrawn: set[int] = set()
        self._unread: Iterator[None] | None = self._read()
        self._ids = itertools.count(1)
        self._under_way: dict[int, Request] = {}
        self._places: dict[str, int] = {}
        self.state = first_state(store, strategy)
        self._shown = (self.state, self.state)
        self._seen: tuple[Image, DisplayLook, Image] | None = None

    def learn_as(self, strategy: str, *, learn: bool, in_order: bool) -> None:
        """Learn by this strategy from now on, or not at all."""
        self.frozen, self.in_order = strategy == _FROZEN, in_order
        self.learn, self.twin = learn and not self.frozen, self._compares and not self.frozen

    # --- requests ---------------------------------------------------------------------------------------------------

    def id(self) -> int:
        """A new request's id."""
        return next(self._ids)

    def sent(self, requests: Requests) -> Requests:
        """Note requests as under way (predictions are known by the draft, and a newer load replaces an older one)."""
        for request in requests:
            if isinstance(request, LoadRequest):
                self._under_way = {k: r for k, r in self._under_way.items() if not isinstance(r, LoadRequest)}
            if not isinstance(request, PredictRequest):
                self._under_way[request.id] = request
        return requests

    def forget_requests(self) -> None:
        """Await no answer any more."""
        self._under_way = {}

    def answered(self, request_id: int) -> Request | None:
        """The request that a reply answers, None for a stale reply."""
        return self._under_way.pop(request_id, None)

    def background(self) -> tuple[Request, ...]:
        """The requests under way that teach, compare or look ahead, first sent first."""
        return tuple(r for r in self._under_way.values() if r.lane != "urgent" or isinstance(r, AdaptRequest))

    def name_of(self, path: Path) -> str:
        """What the project calls the image of a request."""
        return image_name(self.store.folder, path)

    # --- state ------------------------------------------------------------------------------------------------------

    def change(self, **changes: Any) -> None:  # noqa: ANN401 (fields of State)
        """Replace fields of the state."""
        self.state = replace(self.state, **changes)

    @property
    def shown(self) -> State:
        """The state as the window shows it; one state gives one value, so that views are drawn once."""
        if self._shown[0] is not self.state:
            self._shown = self.state, blinded(self.state)
        return self._shown[1]

    def seen(self) -> Image | None:
        """The open image as the model sees it; one look gives one value."""
        image, look = self.state.image, self.state.display.look
        if image is None or not look.for_model or look.plain:
            return image
        if self._seen is None or self._seen[:2] != (image, look):
            from samtta_app.images.adjusted_source import adjusted  # brings cv2, which the start does not need

            self._seen = image, look, adjusted(image, look)
        return self._seen[2]

    def say(self, severity: Severity, text: str, image: str = "") -> None:
        """Show one line in the message bar; what is about an `image` goes when another one is shown."""
        self.change(message=Message(severity, text, image))

    def put(self, draft: Draft | None) -> None:
        """Make `draft` the one being annotated."""
        self.draft = draft
        self.change(preview=draft.preview if draft else None)

    def image_name(self) -> str:
        """The name of the image that is open, "" when there is none."""
        return self.state.images[self.state.index].name if self.state.images else ""

    def draws_control(self) -> bool | None:
        """Whether the object that begins now is a control object; None where nothing is drawn."""
        with suppress(StoreError):  # the click itself stores nothing, and is answered all the same
            return self.store.draws_control(self.control_share) if self.control_share else None
        return None

    def class_name(self, class_id: int) -> str:
        """The name of a class, "" where there is none with this number."""
        return next((c.name for c in self.state.classes if c.id == class_id), "")

    def put_annotations(self, annotations: tuple[Annotation, ...]) -> None:
        """Replace the annotations of the open image."""
        self.change(annotations=annotations)
        self.mark(self.image_name(), unreadable=None)

    def mark(
        self,
        name: str,
        unreadable: str | None = "",
        more: int = 0,
        changed: str | None = None,
        empty: bool | None = None,
    ) -> None:
        """Bring an image's row up to date.

        Args:
            name: of the image.
            unreadable: why it cannot be shown, "" where it can; None where nothing new is known of that.
            more: so many objects came to it, while it was not open.
            changed: that it was replaced under its objects, "" where it was not; None where nothing new is known.
            empty: whether it is marked as done with nothing on it; None leaves that as it is.
        """
        place = self._place(name)
        if place is None:
            return
        entry = self.state.images[place]
        here = place == self.state.index
        number = len(self.state.annotations) if here else entry.objects + more
        nothing = entry.empty if empty is None else empty
        free: ImageStatus = "empty" if nothing else "encoded" if name in self.encoded else "todo"
        readable: ImageStatus = "annotated" if number else free
        text = entry.text if unreadable is None else unreadable
        status: ImageStatus = "unreadable" if text else readable
        was = entry.changed if changed is None else changed
        now = replace(entry, status=status, objects=number, text=text, changed=was, empty=nothing)
        self._put_entry(place, now)

    def _place(self, name: str) -> int | None:
        """Where an image stands in the list."""
        images = self.state.images
        place = self._places.get(name, len(images))
        if place >= len(images) or images[place].name != name:
            self._places = {entry.name: k for k, entry in enumerate(images)}
        return self._places.get(name)

    def _put_entry(self, place: int, entry: ImageEntry) -> None:
        images = self.state.images
        if entry != images[place]:
            self.change(images=(*images[:place], entry, *images[place + 1 :]))

    # --- all or nothing -----------------------------------------------------------------------------------------------

    def as_one(self, do: Callable[[], Requests]) -> Requests:
        """Do an act; what it stores and what undo needs of it is stored together, or else nothing has moved.

        Where the history cannot be stored, the act is done without it.

        Raises:
            StoreError: the act itself could not be stored.
        """
        if self.store.read_only:
            return do()
        before, past = dict(vars(self)), self.history.snapshot()
        acted = False
        try:
            with self.store.together():
                requests = do()
                acted = True
                if self.store.wrote:
                    self.history.save()
        except StoreError:
            self._restore(before, past)
            if not acted:
                raise
            return do()
        return requests

    def save_history(self) -> None:
        """Store what undo needs of acts that stored nothing themselves; the next accept reports a disk that refuses."""
        if self.history.changed:
            with suppress(StoreError), self.store.in_haste():
                self.history.save()

    def _restore(self, before: dict[str, Any], past: dict[str, Any]) -> None:
        """Be as before an act that was not stored; the figures are made again from what is stored."""
        vars(self).update(before)
        self.history.restore(past)
        with suppress(StoreError):
            self.tally = Tally(self.store.records(), self.store.attempts())
            self.withdrawn, self._unread = set(), None

    # --- records and figures ----------------------------------------------------------------------------------------

    @property
    def reading(self) -> bool:
        """Whether some records of earlier runs are not read yet."""
        return self._unread is not None

    def read_on(self) -> bool:
        """Read some more of the records of earlier runs, oldest first; whether there may be more.

        Until all are read, the figures say so and claim nothing.
        """
        if self._unread is None:
            return False
        if next(self._unread, "end") == "end":
            self._unread = None
            if self.store.left_out:  # found while reading: the notice at the start could not include it
                self.say("warning", self.store.notice)
        self.recount()
        return self.reading

    def _read(self, size: int = RECORDS_AT_ONCE) -> Iterator[None]:
        """Read records, then sum up the images' rows; pauses after so many records or a few images."""
        for some in self.store.records_in_steps(size):
            for record in some:
                if record.object_id not in self.withdrawn and self.tally.get(record.object_id) is None:
                    self.tally.put(record)
            yield
        for given_up in self.store.attempts_in_steps():
            for attempt in given_up:
                self.tally.put_attempt(attempt)
            yield
        for place, name in enumerate(self.tally.images()):
            self._recount_image(name)
            if place % IMAGES_AT_ONCE == 0:
                yield

    def put_record(self, record: ObjectRecord) -> None:
        """Take an object into the figures, at its place in the stream."""
        self.withdrawn.discard(record.object_id)
        self.tally.put(record)
        self.recount(record.image_name)

    def withdraw_record(self, object_id: int) -> None:
        """Take an object out of the figures."""
        record = self.tally.get(object_id)
        self.withdrawn.add(object_id)
        self.tally.drop(object_id)
        self.recount(record.image_name if record else "")

    def return_record(self, object_id: int) -> None:
        """Take a withdrawn object into the figures again, as it is in the store."""
        for record in self.store.records(object_id):
            self.put_record(record)

    def put_attempt(self, attempt: GivenUpObject) -> None:
        """Take a given-up object into the figures."""
        self.tally.put_attempt(attempt)
        self.recount()

    def withdraw_attempt(self, attempt_id: int) -> None:
        """Take a given-up object out of the figures: it goes on after all."""
        self.tally.drop_attempt(attempt_id)
        self.recount()

    def change_record(self, object_id: int, **changes: Any) -> None:  # noqa: ANN401 (fields of ObjectRecord)
        """Change an object's record; a record not in the figures now is read from the store when it is added."""
        record = self.tally.get(object_id)
        if record is not None:
            self.put_record(replace(record, **changes))

    def recount(self, image_name: str = "") -> None:
        """Bring the session's figures up to date, and what an image's row says of its objects."""
        if image_name:
            self._recount_image(image_name)
        if self._unread is None:
            self.change(statistics=self.tally.figures())
        else:
            every = sum(entry.objects for entry in self.state.images)
            sentence = Phrase(
                "Reading the records of earlier objects: {number} of {every}", number=len(self.tally), every=every
            )
            self.change(statistics=replace(self.state.statistics, sentence=sentence))

    def _recount_image(self, name: str) -> None:
        place, worst = self._place(name), self.tally.worst(name)
        if place is not None and self.state.images[place].worst != worst:
            self._put_entry(place, replace(self.state.images[place], worst=worst))

    def settle(self) -> None:
        """Update derived values: what can be undone, and what the engine is doing."""
        background = tuple(r for r in self.background() if r.lane != "asked")
        activity: Activity = "idle"
        if not self.learn:
            activity = "off"
        elif self.paused:
            activity = "paused"
        elif background and isinstance(background[0], AdaptRequest) and background[0].learn:
            activity = "learning"
        elif background and isinstance(background[0], TwinRequest):
            activity = "comparing"
        elif background and isinstance(background[0], AdaptRequest):
            activity = "remembering"
        waiting = background or self.loading or (self.draft and self.draft.preview.waiting)
        self.change(
            adaptation=replace(self.state.adaptation, activity=activity),
            activity=self.state.activity if waiting else "",
            can_undo=self.history.can_undo or bool(self.state.waiting),
            can_redo=self.history.can_redo or bool(self.dropped or self.state.waiting),
        )


def first_state(store: Store, strategy: str) -> State:
    """The state of a session that was just opened, with no image shown yet."""
    images, classes, reports = store.images(), store.classes(), store.adaptations()
    last = store.last_image()
    return State(
        folder=store.folder,
        project=store.home,
        images=images,
        index=next((k for k, entry in enumerate(images) if entry.name == last), 0),
        image=None,
        annotations=(),
        selected=None,
        classes=classes,
        current_class=last_class if (last_class := store.last_class()) in {c.id for c in classes} else classes[0].id,
        preview=None,
        adaptation=Adaptation("idle", 0, reports, reports[-1].memory_objects if reports else 0, strategy=strategy),
        statistics=Tally().figures(),
        display=Display(),
        message=Message("warning", store.notice) if store.notice else None,
        can_undo=False,
        can_redo=False,
        read_only=store.read_only,
        activity="",
    )
