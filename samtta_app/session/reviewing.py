"""The workflow's part that leads back to accepted masks of which little was expected."""

from __future__ import annotations

from samtta_app.session.browsing import Browsing
from samtta_app.session.desk import Desk, Requests
from samtta_app.session.trust import to_review


class Reviewing:
    """Goes through the queue."""

    def __init__(self, desk: Desk, browsing: Browsing) -> None:
        self._desk, self._browsing = desk, browsing

    def next(self) -> Requests:
        """Show and select the object that needs a look most; another one than the one that is selected."""
        desk = self._desk
        queue = to_review(desk.records.values())
        found = next((r for r in queue if r.object_id != desk.state.selected), None)
        if found is None:
            desk.say("good", "No other mask needs a second look" if queue else "No mask needs a second look")
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
        desk.store.set_reviewed(desk.state.selected)
        desk.change_record(desk.state.selected, reviewed=True)
        return self.next()
