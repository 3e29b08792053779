"""The workflow's part that goes on with another engine: what it waits for is asked again, and all else stays."""

from __future__ import annotations

from dataclasses import replace

from samtta_app.session.workflow.annotating import Annotating
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.image_opening import ImageOpener
from samtta_app.session.workflow.lessons import LessonQueue
from samtta_app.session.workflow.proposing import Proposing
from samtta_app.session.workflow.under_way import Ahead, Drawing, Lessons, MeasuringMap
from samtta_app.settings import Settings, learns_in_order


def change_engine(
    desk: SessionContext,
    settings: Settings,
    browsing: ImageOpener,
    annotating: Annotating,
    learning: LessonQueue,
    proposing: Proposing,
) -> Requests:
    """What to ask an engine that knows nothing of the session: the image, the click and the search that wait, the lessons.

    The mask on the screen stays until the next click. What this engine's model has learned is taken from the project,
    and what is to be learned is found there, as at a start.
    """
    desk.learn_as(settings.strategy, learn=settings.learn, in_order=learns_in_order(settings.strategy))
    desk.forget_requests()
    browsing.forget_encoded()
    desk.ahead, desk.lessons, desk.measuring = Ahead(), Lessons(), MeasuringMap()
    desk.drawing = Drawing() if desk.drawing.request_id else Drawing(desk.drawing.known)
    desk.comparison, desk.paused = 0, False
    fresh = replace(desk.state.adaptation, version=0, memory_objects=0, can_roll_back=False)
    desk.change(adaptation=replace(fresh, strategy=settings.strategy))
    asked: Requests = ()
    if desk.draft is not None:
        desk.put(replace(desk.draft, larger=False, preview=replace(desk.draft.preview, frozen=None)))
        asked = annotating.ask(desk.draft) if desk.draft.preview.waiting else annotating.compare()
    return (*browsing.read_again(), *asked, *learning.resume(), *proposing.search_again(), *browsing.prefetch())
