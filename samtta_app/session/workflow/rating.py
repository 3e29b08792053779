"""The workflow's part that shows accepted masks one at a time, in a random order, to be rated without their numbers.

Source: Kirillov et al. 2023, "Segment Anything", section 7.1 and appendix E (human study). What made a mask is hidden by
`blindfold`. During a run only rating, skipping, undo, redo and its end are possible: other acts would tell masks apart.
"""

from __future__ import annotations

import numpy as np

from samtta_app.core.rating_scale import HIGHEST, LOWEST
from samtta_app.phrases import Phrase
from samtta_app.session import acts
from samtta_app.session.acts import UserAct
from samtta_app.session.state import Rating
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.history import Entry, Rated
from samtta_app.session.workflow.image_opening import ImageOpener
from samtta_app.session.workflow.object_acts import Objects
from samtta_app.session.workflow.undoing import Undoing

NOT_NOW = "Masks are being rated: press 1 to 9, 0 for 10, Tab to skip, or Esc to end"


class Rater:
    """Runs through the masks that have no rating yet."""

    def __init__(self, desk: SessionContext, browsing: ImageOpener, objects: Objects, undoing: Undoing) -> None:
        self._desk, self._browsing, self._objects, self._undoing = desk, browsing, objects, undoing

    def start(self, seed: int) -> Requests:
        """Show the first mask; masks without a rating come in an order drawn with `seed`."""
        desk = self._desk
        if desk.state.read_only:
            desk.say("info", "The project is read-only: ratings cannot be saved")
            return ()
        if desk.reading:
            desk.say("info", "The records of earlier objects are still being read")
            return ()
        ids = desk.tally.unrated()
        if not ids:
            desk.say("good", "Every mask is rated" if len(desk.tally) else "There is no mask to rate yet")
            return ()
        drawn = np.random.default_rng(seed).permutation(len(ids))
        return self._go_on(tuple(ids[k] for k in drawn), 0)

    def take(self, act: UserAct, rating: Rating) -> Requests:
        """Do an act while a run is on."""
        match act:
            case acts.Rate(value=value):
                return self._rate(value, rating)
            case acts.Turn() | acts.SelectNext():
                return self._go_on((*rating.left, rating.object_id), rating.done)
            case acts.StopRating() | acts.Cancel():
                return self._end(rating.done)
            case acts.Undo():
                return self._undo(rating)
            case acts.Redo():
                return self._redo(rating)
        self._desk.say("info", NOT_NOW)
        return ()

    def _rate(self, value: int, rating: Rating) -> Requests:
        desk, number = self._desk, rating.object_id
        record = desk.tally.get(number)
        if desk.state.image is None or record is None:
            desk.say("info", "The mask is not on the screen yet")
            return ()
        if not LOWEST <= value <= HIGHEST:
            desk.say("info", Phrase("Ratings go from {lowest} to {highest}", lowest=LOWEST, highest=HIGHEST))
            return ()
        self._objects.rate(number, value)
        desk.history.push(Rated(number, record.rating, value))
        return self._go_on(rating.left, rating.done + 1)

    def _undo(self, rating: Rating) -> Requests:
        """Take the newest rating back, and show its mask again."""
        entry = _newest(self._desk.history.done)
        if entry is None:
            self._desk.say("info", "There is no rating to undo")
            return ()
        self._undoing.undo()
        return self._go_on((entry.annotation_id, rating.object_id, *rating.left), max(rating.done - 1, 0))

    def _redo(self, rating: Rating) -> Requests:
        entry = _newest(self._desk.history.undone)
        if entry is None:
            self._desk.say("info", "There is no rating to redo")
            return ()
        self._undoing.redo()
        left = tuple(number for number in (rating.object_id, *rating.left) if number != entry.annotation_id)
        return self._go_on(left, rating.done + 1)

    def _go_on(self, left: tuple[int, ...], done: int) -> Requests:
        """Show the first mask of `left` whose image can be shown; without one the run is over."""
        desk = self._desk
        for place, number in enumerate(left):
            index = self._index(number)
            if index is not None:
                here = index == desk.state.index and (desk.state.image is not None or desk.loading is not None)
                requests = () if here else self._browsing.open(index)
                desk.change(rating=Rating(number, left[place + 1 :], done), selected=number)
                return requests
        return self._end(done)

    def _end(self, done: int) -> Requests:
        self._desk.change(rating=None, selected=None)
        self._desk.say(
            "good" if done else "info", Phrase("Rated: 1 mask" if done == 1 else "Rated: {number} masks", number=done)
        )
        return ()

    def _index(self, number: int) -> int | None:
        """Where the image of an object stands in the list; None where it cannot be shown, or the object is gone."""
        record = self._desk.tally.get(number)
        images = enumerate(self._desk.state.images)
        if record is None:
            return None
        return next((k for k, e in images if e.name == record.image_name and e.status != "unreadable"), None)


def _newest(entries: list[Entry]) -> Rated | None:
    """The newest entry, if it is a rating."""
    return entries[-1] if entries and isinstance(entries[-1], Rated) else None
