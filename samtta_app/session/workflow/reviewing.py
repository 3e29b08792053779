"""The workflow's part that leads back to accepted masks with a low expected IoU."""

from __future__ import annotations

from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.history import Reviewed
from samtta_app.session.workflow.image_opening import ImageOpener
from samtta_app.session.workflow.object_acts import Objects


class Reviewing:
    """Goes through the queue."""

    def __init__(self, desk: SessionContext, browsing: ImageOpener, objects: Objects) -> None:
        self._desk, self._browsing, self._objects = desk, browsing, objects

    def next(self) -> Requests:
        """Show and select the object that most needs a review, but not the one that is selected."""
        desk = self._desk
        found = next((r for r in desk.tally.queue() if r.object_id != desk.state.selected), None)
        if found is None and desk.reading:
            desk.say("info", "The records of earlier objects are still being read")
            return ()
        if found is None:
            other = any(True for _ in desk.tally.queue())
            desk.say("good", "No other mask needs a second look" if other else "No mask needs a second look")
            return ()
        requests: Requests = ()
        if found.image_name != desk.image_name():
            names = [entry.name for entry in desk.state.images]
            if found.image_name not in names:
                desk.say("warning", f"The image {found.image_name} of that object is gone")
                return ()
            requests = self._browsing.open(names.index(found.image_name))
        desk.change(selected=found.object_id)
        return requests

    def confirm(self) -> Requests:
        """The selected mask is right: it leaves the queue, and the next one comes."""
        desk = self._desk
        if desk.state.selected is None:
            desk.say("info", "Select an object first")
            return ()
        record = desk.tally.get(desk.state.selected)
        if record is None or not record.reviewed:
            self._objects.review(desk.state.selected, reviewed=True)
            desk.history.push(Reviewed(desk.image_name(), desk.state.selected))
        return self.next()
