"""The workflow's part that feeds the learner, tells it what the person wants, and logs what it reports."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from samtta_app.core.messages import (
    AdaptReport,
    AdaptRequest,
    ControlAction,
    Controlled,
    ControlRequest,
    ForgetRequest,
    Request,
    RestoreRequest,
    TwinReport,
    TwinRequest,
)
from samtta_app.core.types import Annotation, Example, Image
from samtta_app.session.browsing import Browsing
from samtta_app.session.desk import Desk, Requests
from samtta_app.session.records import ObjectRecord

MEMORY = 64
"""This many of the newest objects are in the replay memory, as many as it holds (`samtta_app.adapt.memory.LIMIT`)."""

SAID = {
    "pause": "Learning is paused; what you accept is remembered",
    "resume": "Learning goes on",
    "reset": "Back to the original weights",
}


class Learning:
    """Accepted objects go to the learner; its reports go to the store.

    The replay memory is a function of the store: the newest MEMORY objects. What is accepted while objects of an earlier run
    are still being remembered waits for them, so that a resumed session learns the same as one that was never closed.
    """

    def __init__(self, desk: Desk, browsing: Browsing) -> None:
        self._desk, self._browsing = desk, browsing
        self._unremembered: list[tuple[str, tuple[Annotation, ...]]] = []
        self._held: list[AdaptRequest] = []
        self._resuming: set[int] = set()

    # --- resuming ---------------------------------------------------------------------------------------------------

    def resume(self) -> Requests:
        """Publish the stored weights again, and plan to remember the newest objects."""
        desk, published = self._desk, self._desk.store.published()
        if desk.frozen:
            if published:
                desk.say("info", f"The original weights answer; version {published} stays in the project")
            return ()
        if desk.learn:
            newest = sorted(desk.store.newest(MEMORY), key=lambda a: a.image_name)
            groups = [(name, tuple(group)) for name, group in groupby(newest, lambda a: a.image_name)]
            self._unremembered = sorted(groups, key=lambda group: group[1][-1].id)
        stored = desk.store.weights(published)
        version = stored[0] if stored else 0
        if version != published:
            instead = f"version {version}" if version else "the original weights"
            desk.say("warning", f"The weights of version {published} are damaged or gone; going on with {instead}")
        return self._restore(desk.store.newest_version(), stored)

    def _restore(self, newest: int, stored: tuple[int, bytes] | None) -> Requests:
        """After a roll-back or reset the newest version goes first, so that the engine gives no number twice."""
        desk = self._desk
        requests: list[Request] = []
        highest = desk.store.weights(newest) if newest > (stored[0] if stored else 0) else None
        if highest and highest[0] != (stored[0] if stored else 0):
            requests.append(RestoreRequest(desk.id(), *highest))
        if stored:
            requests.append(RestoreRequest(desk.id(), *stored))
        elif requests:
            requests.append(ControlRequest(desk.id(), "reset"))
        self._resuming = {request.id for request in requests}
        return tuple(requests)

    def image_loaded(self, name: str, image: Image) -> Requests:
        """Have the objects of an image remembered that were accepted in an earlier run."""
        wanted = [a for group, found in self._unremembered if group == name for a in found]
        self._unremembered = [group for group in self._unremembered if group[0] != name]
        alive = [a for a in wanted if a.id not in self._desk.withdrawn]
        return tuple(AdaptRequest(self._desk.id(), _example(a, image), learn=False) for a in alive)

    def pass_over(self, name: str) -> None:
        """An image cannot be read: its objects cannot be remembered."""
        self._unremembered = [group for group in self._unremembered if group[0] != name]

    def next_memory(self) -> Requests:
        """Have the next image read whose objects are to be remembered, when nothing else is to do."""
        desk = self._desk
        if desk.background() or desk.loading or not self._unremembered:
            return ()
        name = self._unremembered[0][0]
        entry = next((e for e in desk.state.images if e.name == name and e.status != "unreadable"), None)
        if entry is None:
            self.pass_over(name)
            return self.next_memory()
        return self._browsing.load(entry, show=False)

    def released(self) -> Requests:
        """What waited to be learned, once everything older is remembered."""
        if self._unremembered:
            return ()
        held, self._held = tuple(self._held), []
        return held

    # --- accepted objects -------------------------------------------------------------------------------------------

    def accepted(self, annotation: Annotation) -> Requests:
        """An object was accepted: replay it with both weights that have not seen it, then learn from it."""
        desk = self._desk
        classes = {c.id: c.name for c in desk.state.classes}
        record = ObjectRecord(
            *(annotation.id, annotation.image_name, classes[annotation.class_id], annotation.created),
            *(annotation.seconds, annotation.weights_version, annotation.history),
        )
        desk.put_record(record)
        image = desk.state.image
        if not desk.twin or image is None:
            return self.learn(annotation)
        replay = TwinRequest(desk.id(), _example(annotation, image), desk.state.adaptation.version)
        return (replay, *self.learn(annotation))

    def learn(self, annotation: Annotation) -> Requests:
        """Learn from an object of the open image; while learning is paused the engine only remembers it."""
        requests = self._adapt(annotation, learn=True)
        if self._unremembered:
            self._held += requests
            return ()
        return requests

    def remember(self, annotation: Annotation) -> Requests:
        """Put an object of the open image into the replay memory again."""
        return self._adapt(annotation, learn=False)

    def forget(self, annotation: Annotation) -> Requests:
        """An object was withdrawn: it leaves the replay memory, and the newest one that had no room comes back."""
        desk = self._desk
        self._held = [request for request in self._held if request.example.object_id != annotation.id]
        newest = desk.store.newest(MEMORY) if desk.learn else ()
        if len(newest) == MEMORY and newest[0].id < annotation.id:
            self._unremembered.append((newest[0].image_name, newest[:1]))
        return (ForgetRequest(desk.id(), annotation.id),)

    def _adapt(self, annotation: Annotation, *, learn: bool) -> tuple[AdaptRequest, ...]:
        image = self._desk.state.image
        if not self._desk.learn or image is None:
            return ()
        return (AdaptRequest(self._desk.id(), _example(annotation, image), learn),)

    # --- control and reports ----------------------------------------------------------------------------------------

    def control(self, action: ControlAction) -> Requests:
        """Pause, resume, roll back or reset the learner."""
        return (ControlRequest(self._desk.id(), action),)

    def adapted(self, request: AdaptRequest, report: AdaptReport) -> Requests:
        """Show a report and store it, with its weights when they were published; remembering alone is not logged.

        An object that was withdrawn while it waited to be learned is forgotten now.
        """
        desk = self._desk
        gone = report.object_id in desk.withdrawn
        withdrawn = (ForgetRequest(desk.id(), report.object_id),) if gone else ()
        adaptation = replace(desk.state.adaptation, memory_objects=report.memory_objects)
        if not request.learn:
            desk.change(adaptation=adaptation)
            return withdrawn
        light = replace(report, weights=b"")
        desk.change(
            adaptation=replace(
                adaptation,
                version=report.version,
                reports=(*adaptation.reports, light),
                can_roll_back=report.version > 0,
            )
        )
        if not desk.store.read_only:
            desk.store.log_adaptation(report)
        return withdrawn

    def replayed(self, report: TwinReport) -> None:
        """Take the twins' trajectories of an object into the figures, and store them."""
        desk = self._desk
        desk.change_record(
            report.object_id, frozen=report.frozen, adapted=report.adapted, replayed_version=report.weights_version
        )
        if not desk.store.read_only:
            desk.store.log_twin(report)

    def controlled(self, reply: Controlled) -> None:
        """The learner did what it was told."""
        desk = self._desk
        desk.paused = reply.paused
        desk.change(
            adaptation=replace(desk.state.adaptation, version=reply.version, can_roll_back=reply.version > 0),
        )
        if reply.request_id in self._resuming:
            return
        desk.say("info", SAID.get(reply.action, f"Back to version {reply.version}"))
        if not desk.store.read_only:
            desk.store.log_control(reply)


def _example(annotation: Annotation, image: Image) -> Example:
    a = annotation
    return Example(a.id, image, a.window, a.mask, a.clicks, a.box, a.class_id)
