"""The workflow's part that feeds the learner, passes on the user's wishes, and logs what it reports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from samtta_app.core.messages import (
    AdaptRequest,
    ControlAction,
    ControlRequest,
    ForgetRequest,
    RestoreRequest,
    TwinRequest,
)
from samtta_app.core.replies import AdaptReport, Controlled, TwinReport
from samtta_app.core.types import Annotation, ImageFile, WaitingExample
from samtta_app.phrases import Phrase
from samtta_app.session.object_records import ObjectRecord
from samtta_app.session.project.pictures import picture_of, replaced
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.under_way import Lessons, LessonTask

MEMORY = 64
"""This many of the newest objects are in the replay memory, as many as it holds (`samtta_app.adapt.memory.MEMORY_LIMIT`)."""

MAX_LESSONS = 2
"""Most learning requests at the engine: an object's replay and its lesson. The others wait here as their numbers."""

LAG = 8
"""When more tasks than this wait, replays are put off: for a user who works fast, learning matters more than figures."""

REFUSED_AGAIN = "{refusal} It learns again from the project's {number} objects."
VERSION_GONE = "Version {version} is not kept any more: choose a newer one"

SAID = {
    "pause": "Learning is paused; what you accept is remembered",
    "resume": "Learning goes on",
    "reset": "Back to the original model",
}


class LessonQueue:
    """Accepted objects go to the learner; its reports go to the store.

    What is to be done is a function of the store. The newest MEMORY objects are remembered. What this model has not learned
    yet is learned, in the order of the accepts. So a resumed session learns the same as one that was never closed.
    """

    def __init__(self, desk: SessionContext) -> None:
        self._desk = desk

    # --- resuming ---------------------------------------------------------------------------------------------------

    def resume(self) -> Requests:
        """Publish the stored weights again, or ask which model answers, to know what is still to be done."""
        desk, store, published = self._desk, self._desk.store, self._desk.store.published()
        if desk.frozen:
            if published:
                desk.say(
                    "info",
                    Phrase("The original model answers; version {published} stays in the project", published=published),
                )
            return ()
        stored = store.weights(published)
        version = stored[0] if stored else 0
        if version != published:
            instead = Phrase("version {version}", version=version) if version else Phrase("the original model")
            desk.say(
                "warning",
                Phrase(
                    "The weights of version {published} are damaged or gone; going on with {instead}",
                    published=published,
                    instead=instead,
                ),
            )
        newest = store.newest_version()
        asks = newest > version or (stored is None and desk.learn and any(entry.objects for entry in desk.state.images))
        requests = [RestoreRequest(desk.id(), newest, b"")] if asks else []  # no version number is given twice
        requests += [RestoreRequest(desk.id(), *stored)] if stored else []
        self._change(resuming=frozenset(request.id for request in requests))
        return tuple(requests)

    def refused(self, request: RestoreRequest, text: str) -> Requests:
        """Stored weights are damaged or of another model: the original answers; which model it is remains to be asked."""
        if request.id not in self._lessons.resuming:  # the user asked for it: what answers goes on
            self._desk.say("warning", text)
            return ()
        resuming = self._lessons.resuming - {request.id}
        if not request.weights:
            self._change(resuming=resuming)
            self._desk.say("warning", text)
            return ()
        again = RestoreRequest(self._desk.id(), request.version, b"")
        self._change(resuming=resuming | {again.id}, refusal=text)
        return (again,)

    def _resumed(self, model: str) -> Requests:
        """The engine has said which model answers; where it is another than before, its own version is taken up."""
        desk, store = self._desk, self._desk.store
        if model != store.model() and not store.read_only:
            store.use_model(model)
            stored = store.weights(store.published())
            if stored is not None:
                request = RestoreRequest(desk.id(), *stored)
                self._change(resuming=self._lessons.resuming | {request.id}, refusal="")
                return (request,)
        self._change(model=model)
        again = self._plan() if desk.learn else 0
        if self._lessons.refusal:
            desk.say(
                "warning",
                Phrase(REFUSED_AGAIN, refusal=self._lessons.refusal, number=again)
                if again > 1
                else self._lessons.refusal,
            )
        return ()

    def _plan(self) -> int:
        """Find out what is to be remembered and learned; the number of objects to learn."""
        store = self._desk.store
        unlearned = () if store.read_only else store.unlearned(self._lessons.model)
        known = [a for a in store.newest(MEMORY) if a.id not in set(unlearned)]
        last, here = {a.image_name: a.id for a in known}, self._desk.image_name()
        known.sort(key=lambda a: (a.image_name != here, last[a.image_name], a.id))  # so that each image is read once
        unreplayed = store.unreplayed() if self._desk.twin else frozenset()
        waiting = [LessonTask("remember", a.id) for a in known]
        for number in unlearned:
            waiting += [LessonTask("replay", number)] if number in unreplayed else []
            waiting.append(LessonTask("learn", number))
        put_off = store.put_off() if self._desk.twin else {}
        late = tuple(LessonTask("replay", number, version) for number, version in put_off.items())
        self._change(waiting=tuple(waiting), late=late)
        return len(unlearned)

    # --- what is to be done -----------------------------------------------------------------------------------------

    def next(self) -> Requests:
        """What the engine is to do next; it never has more than MAX_LESSONS learning requests."""
        under_way = sum(isinstance(r, AdaptRequest | TwinRequest) for r in self._desk.background())
        requests: Requests = ()
        while not self._lessons.resuming and under_way + len(requests) < MAX_LESSONS and (task := self._take()):
            requests += self._request(task)
        return requests

    def _take(self) -> LessonTask | None:
        while self._lessons.waiting:
            task, *waiting = self._lessons.waiting
            self._change(waiting=tuple(waiting))
            if task.kind != "replay" or len(waiting) <= LAG:
                return task
            put_off = replace(task, version=self._desk.state.adaptation.version)
            self._change(late=(*self._lessons.late, put_off))
        if not self._lessons.late:
            return None
        task, *late = self._lessons.late
        self._change(late=tuple(late))
        return task

    def _request(self, task: LessonTask, *, at_once: bool = False) -> Requests:
        """The request for a task; none when its object is gone, or its image cannot be read."""
        desk = self._desk
        annotation = desk.store.annotation(task.object_id)
        if annotation is None or annotation.image_name in self._lessons.passed:
            return ()
        entry = next((e for e in desk.state.images if e.name == annotation.image_name), None)
        if entry is None or entry.status == "unreadable":
            return ()
        here = desk.state.image if entry.name == desk.image_name() else None
        if here is not None and replaced((annotation,), picture_of(here)):
            return ()  # the bar said so when the image was opened
        a, key = annotation, annotation.picture.partition(":")[2]
        named = a.class_id, next((c.name for c in desk.state.classes if c.id == a.class_id), "")
        file = ImageFile(entry.path, key, desk.store.reading.planes)
        example = WaitingExample(a.id, file, a.window, a.mask, a.clicks, a.box, *named)
        if task.kind == "replay" and task.version:
            weights = desk.store.version_of(task.version, self._lessons.model)
            return (TwinRequest(desk.id(), example, task.version, weights),) if weights else ()
        if task.kind == "replay":
            version = desk.state.adaptation.version if task.version is None else 0
            return (TwinRequest(desk.id(), example, version),)
        return (AdaptRequest(desk.id(), example, learn=task.kind == "learn", at_once=at_once),)

    def failed(self, request: AdaptRequest | TwinRequest, text: str) -> None:
        """An object could not be learned: the others of its image are passed over in this run, and learned in a later one."""
        image = self._desk.name_of(request.example.image.path)
        if image not in self._lessons.passed:
            self._desk.say("warning", text)
        if image != self._desk.image_name():
            self._change(passed=self._lessons.passed | {image})

    # --- accepted objects -------------------------------------------------------------------------------------------

    def accepted(self, annotation: Annotation) -> Requests:
        """An object was accepted: replay it with both weights that have not seen it, then learn from it.

        An ignore region is neither learned from nor counted.
        """
        desk = self._desk
        if annotation.note.ignore:
            return ()
        classes = {c.id: c.name for c in desk.state.classes}
        record = ObjectRecord(
            *(annotation.id, annotation.image_name, classes[annotation.class_id], annotation.created),
            *(annotation.seconds, annotation.weights_version, annotation.history),
            control=annotation.control,
        )
        desk.put_record(record)
        if self._lessons.resuming and desk.learn:
            return ()  # it will be found in the store
        if desk.twin and desk.in_order:  # the lesson goes first, so the replay names the weights that have not seen it
            replay = LessonTask("replay", annotation.id, desk.state.adaptation.version)
            self._change(late=(*self._lessons.late, replay))
        elif desk.twin:
            self._add(LessonTask("replay", annotation.id))
        return self.learn(annotation)

    def learn(self, annotation: Annotation) -> Requests:
        """Learn from an object; while learning is paused the engine only remembers it.

        A lesson of a strategy that learns in order is sent at once, unless earlier ones wait.
        """
        task = LessonTask("learn", annotation.id)
        if self._desk.learn and self._may_be_learned(annotation):
            if self._desk.in_order and not self._lessons.waiting:
                return self._request(task, at_once=True) + self.next()
            self._add(task)
        return self.next()

    def remember(self, annotation: Annotation) -> Requests:
        """Put an object into the replay memory again, or learn from it where it was withdrawn before it was learned."""
        desk = self._desk
        if desk.learn and self._may_be_learned(annotation):
            never = not desk.store.read_only and annotation.id in desk.store.unlearned(self._lessons.model)
            self._add(LessonTask("learn" if never else "remember", annotation.id))
        return self.next()

    def forget(self, annotation: Annotation) -> Requests:
        """An object was withdrawn: it leaves the replay memory, and the newest one that had no room comes back."""
        desk = self._desk
        waiting = tuple(task for task in self._lessons.waiting if task.object_id != annotation.id)
        late = tuple(task for task in self._lessons.late if task.object_id != annotation.id)
        self._change(waiting=waiting, late=late)
        newest = desk.store.newest(MEMORY) if desk.learn else ()
        if len(newest) == MEMORY and newest[0].id < annotation.id:
            self._add(LessonTask("remember", newest[0].id))
        return (ForgetRequest(desk.id(), annotation.id),)

    def _may_be_learned(self, annotation: Annotation) -> bool:
        """Whether it is no ignore region, and does not wait for its lesson already."""
        return not annotation.note.ignore and LessonTask("learn", annotation.id) not in self._lessons.waiting

    @property
    def _lessons(self) -> Lessons:
        return self._desk.lessons

    def _add(self, task: LessonTask) -> None:
        self._change(waiting=(*self._lessons.waiting, task))

    def _change(self, **changes: Any) -> None:  # noqa: ANN401 (fields of Lessons)
        self._desk.lessons = replace(self._desk.lessons, **changes)

    # --- control and reports ----------------------------------------------------------------------------------------

    def control(self, action: ControlAction) -> Requests:
        """Pause, resume, roll back or reset the learner."""
        return (ControlRequest(self._desk.id(), action),)

    def go_back_to(self, version: int) -> Requests:
        """Let a version that was kept before answer again; the versions after it stay, and can be gone back to as well."""
        desk = self._desk
        if not version:
            return self.control("reset")
        weights = desk.store.version_of(version, desk.store.model())
        if not weights:
            desk.say("warning", Phrase(VERSION_GONE, version=version))
            return ()
        return (RestoreRequest(desk.id(), version, weights),)

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
            if report.model != desk.store.model():
                desk.store.use_model(report.model)
            self._change(model=report.model)
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

    def controlled(self, reply: Controlled) -> Requests:
        """The learner carried out a control request."""
        desk = self._desk
        desk.paused = reply.paused
        desk.change(
            adaptation=replace(desk.state.adaptation, version=reply.version, can_roll_back=reply.version > 0),
        )
        if reply.request_id in self._lessons.resuming:
            self._change(resuming=self._lessons.resuming - {reply.request_id})
            return () if self._lessons.resuming else self._resumed(reply.model)
        desk.say("info", SAID.get(reply.action, Phrase("Back to version {version}", version=reply.version)))
        if not desk.store.read_only:
            desk.store.log_control(reply)
        return ()
