"""What the workflow's parts share: the state, the draft, the store, and what is under way on the engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from samtta_app.core.messages import AdaptRequest, LoadRequest, PredictRequest, Request, TwinRequest
from samtta_app.core.types import Annotation
from samtta_app.session.draft import Draft
from samtta_app.session.history import History
from samtta_app.session.numbers import worst
from samtta_app.session.records import ObjectRecord
from samtta_app.session.state import Activity, Adaptation, Display, ImageStatus, Message, Severity, State
from samtta_app.session.stats import statistics
from samtta_app.session.store import Store

Requests = tuple[Request, ...]
Then = Literal["", "undo", "redo"]

FROZEN = "frozen"
"""The strategy that never adapts."""


@dataclass(frozen=True, slots=True)
class Loading:
    """The image file that is being read: to be shown (and then to undo or redo), or only for the replay memory."""

    request_id: int
    name: str
    show: bool
    then: Then = ""


class Desk:
    """The one mutable thing of the workflow; only its parts hold it."""

    def __init__(
        self, store: Store, *, learn: bool, strategy: str, twin: bool, idle: float, clock: Callable[[], float]
    ) -> None:
        self.frozen = strategy == FROZEN
        self.learn, self.twin = learn and not self.frozen, twin and not self.frozen
        self.store, self.idle, self.now = store, idle, clock
        self.history = History()
        self.draft: Draft | None = None
        self.loading: Loading | None = None
        self.encoded: dict[str, str] = {}  # an image's name -> its content's key, as the engine names it
        self.passed: set[str] = set()  # names of images that could not be encoded: not asked for again
        self.paused = False
        self.records = {record.object_id: record for record in store.records()}
        self._withdrawn: dict[int, ObjectRecord] = {}
        self._ids = itertools.count(1)
        self._under_way: dict[int, Request] = {}
        self.state = first_state(store, strategy)
        self.recount()

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

    def answered(self, request_id: int) -> Request | None:
        """The request that a reply answers, None for a stale reply."""
        return self._under_way.pop(request_id, None)

    def background(self) -> tuple[Request, ...]:
        """The background requests under way, first sent first."""
        return tuple(r for r in self._under_way.values() if r.lane == "background")

    # --- state ------------------------------------------------------------------------------------------------------

    def change(self, **changes: Any) -> None:  # noqa: ANN401 (fields of State)
        """Replace fields of the state."""
        self.state = replace(self.state, **changes)

    def say(self, severity: Severity, text: str) -> None:
        """Show one line in the message bar."""
        self.change(message=Message(severity, text))

    def put(self, draft: Draft | None) -> None:
        """Make `draft` the one being annotated."""
        self.draft = draft
        self.change(preview=draft.preview if draft else None)

    def image_name(self) -> str:
        """The name of the image that is open, "" when there is none."""
        return self.state.images[self.state.index].name if self.state.images else ""

    def put_annotations(self, annotations: tuple[Annotation, ...]) -> None:
        """Replace the annotations of the open image."""
        self.change(annotations=annotations)
        self.mark(self.image_name())

    def mark(self, name: str, unreadable: str = "") -> None:
        """Bring an image's row up to date; `unreadable` is the reason why it cannot be shown."""
        objects = len(self.state.annotations) if name == self.image_name() else None
        entries = list(self.state.images)
        for k, entry in enumerate(entries):
            if entry.name == name:
                number = entry.objects if objects is None else objects
                readable: ImageStatus = "annotated" if number else "encoded" if name in self.encoded else "todo"
                status: ImageStatus = "unreadable" if unreadable else readable
                entries[k] = replace(entry, status=status, objects=number, text=unreadable)
        self.change(images=tuple(entries))

    def withdraw_record(self, object_id: int) -> None:
        """Take an object out of the figures; its record is kept for when it comes back."""
        self._withdrawn[object_id] = self.records.pop(object_id)
        self.recount()

    def return_record(self, object_id: int) -> None:
        """Take a withdrawn object into the figures again, at its place in the stream."""
        records = self.records | {object_id: self._withdrawn.pop(object_id)}
        self.records = dict(sorted(records.items()))
        self.recount()

    def change_record(self, object_id: int, **changes: Any) -> None:  # noqa: ANN401 (fields of ObjectRecord)
        """Change an object's record, also a withdrawn one's."""
        for records in (self.records, self._withdrawn):
            if object_id in records:
                records[object_id] = replace(records[object_id], **changes)
        self.recount()

    def recount(self) -> None:
        """Bring the session's figures up to date, and what the images' rows say of their objects."""
        found = worst(self.records.values())
        images = tuple(
            entry if entry.worst == found.get(entry.name, {}) else replace(entry, worst=found.get(entry.name, {}))
            for entry in self.state.images
        )
        self.change(statistics=statistics(tuple(self.records.values())))
        if any(new is not old for new, old in zip(images, self.state.images, strict=True)):
            self.change(images=images)

    def settle(self) -> None:
        """Bring what is derived up to date: what can be undone, and what the engine is doing."""
        background = self.background()
        activity: Activity = "idle"
        if not self.learn:
            activity = "off"
        elif self.paused:
            activity = "paused"
        elif background and isinstance(background[0], AdaptRequest) and background[0].learn:
            activity = "learning"
        elif background and isinstance(background[0], TwinRequest):
            activity = "comparing"
        elif (background and isinstance(background[0], AdaptRequest)) or (self.loading and not self.loading.show):
            activity = "remembering"
        waiting = background or self.loading or (self.draft and self.draft.preview.waiting)
        self.change(
            adaptation=replace(self.state.adaptation, activity=activity),
            activity=self.state.activity if waiting else "",
            can_undo=bool(self.history.done),
            can_redo=bool(self.history.undone),
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
        current_class=classes[0].id,
        preview=None,
        adaptation=Adaptation("idle", 0, reports, reports[-1].memory_objects if reports else 0, strategy=strategy),
        statistics=statistics(()),
        display=Display(),
        message=Message("warning", store.notice) if store.notice else None,
        can_undo=False,
        can_redo=False,
        read_only=store.read_only,
        activity="",
    )
