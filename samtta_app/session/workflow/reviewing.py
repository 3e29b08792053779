"""The workflow's part that leads through what is to be looked at again: masks in doubt, or another annotator's."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from itertools import islice

from samtta_app.core.types import Annotation
from samtta_app.errors import StoreError
from samtta_app.phrases import Phrase
from samtta_app.session import review_acts
from samtta_app.session.object_records import ObjectRecord
from samtta_app.session.review_acts import OnReview
from samtta_app.session.review_list import ObjectAct, OutlineVerdict, ReviewItem, ReviewList, ReviewReason
from samtta_app.session.workflow.choosing import NO_COMPARISON, choose_outline, open_differences
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.history import Reviewed
from samtta_app.session.workflow.image_opening import ImageOpener
from samtta_app.session.workflow.lessons import LessonQueue
from samtta_app.session.workflow.object_acts import Objects

LISTED_ITEMS = 200
"""So many are listed: the others follow as these are judged."""

WORTH_SAYING = 0.05
"""A gain of five points of IoU or more is named as the reason, as in the advice on a mask."""

READING = "The records of earlier objects are still being read"
NONE_TO_REVIEW, NO_OTHER_LEFT = "No mask needs a second look", "No other mask needs a second look"
ALL_CHOSEN = "Every difference with {other} is settled"
IMAGE_GONE = "The image {image} of that object is gone"
NONE_SELECTED_YET = "Select an object first"
MINE_OR_THEIRS = "Two annotators are compared: keep the mask here, take the other one, or keep both"


class Reviewing:
    """Goes through the queue; a verdict is an act on an object, and leads to the next one."""

    def __init__(self, desk: SessionContext, browsing: ImageOpener, objects: Objects, learning: LessonQueue) -> None:
        self._desk, self._browsing, self._objects, self._learning = desk, browsing, objects, learning

    def refresh(self) -> None:
        """Bring the queue that is shown up to date."""
        desk, before, draft = self._desk, self._desk.state.review, self._desk.draft
        if desk.reviewed.fixing is not None and (draft is None or draft.edits is None):  # it was put aside
            desk.reviewed = replace(desk.reviewed, fixing=None)
        place = desk.reviewed
        now = open_differences(place) if place.comparison is not None else _in_doubt(desk)
        shown = replace(now, moves=place.moves, deeds=self._deeds())
        same = shown.items is before.items or _rows_of(shown) == _rows_of(before)
        if not same or _numbers_of(shown) != _numbers_of(before):
            desk.change(review=shown)

    def _deeds(self) -> tuple[ObjectAct, ...]:
        """The history of the selected object; a disk that does not answer is reported by what must be read."""
        number = self._desk.state.selected
        with suppress(StoreError):
            return (
                self._desk.store.object_acts(number) if number is not None and self._desk.state.rating is None else ()
            )
        return ()

    def do(self, act: OnReview) -> Requests:
        """Do an act on the queue, but for `FixReview`; the mask on the screen was put aside."""
        self.refresh()
        match act:
            case review_acts.NextReview(step=step):
                return self._step(step)
            case review_acts.ConfirmReview() if self._desk.reviewed.comparison is not None:
                return self.do(review_acts.ChooseOutline("mine"))
            case review_acts.ConfirmReview():
                return self._confirm()
            case review_acts.RejectReview():
                return self._reject()
            case review_acts.ChooseOutline(verdict=verdict):
                return self._choose(verdict)
            case review_acts.EndComparison():
                self._desk.reviewed = replace(self._desk.reviewed, comparison=None, current=None)
        return ()

    def fixed(self, saved: Annotation) -> Requests:
        """A mask was corrected and accepted; in a review that is its second look, and the next one comes."""
        desk = self._desk
        fixing, desk.reviewed = desk.reviewed.fixing, replace(desk.reviewed, fixing=None)
        if fixing is None or fixing not in saved.replaces:
            return ()
        self._objects.review(saved.id, reviewed=True)
        self.refresh()
        return self._visit(0) if desk.reviewed.comparison is None else ()

    def unchanged(self, fixing: int | None) -> Requests:
        """A mask was taken up to be corrected, and accepted as it was: it is right, and the next one comes."""
        put_aside = fixing is not None and self._desk.draft is None and self._desk.state.selected == fixing
        if not put_aside or self._desk.reviewed.comparison is not None:
            return ()
        return self._confirm()

    # --- below the surface --------------------------------------------------------------------------------------------

    def _step(self, step: int) -> Requests:
        review = self._desk.state.review
        number = len(review.items)
        if number == 1 and review.current is not None and not review.other:
            self._desk.say("good", NO_OTHER_LEFT)
            return ()
        begin = review.current if review.current is not None else -1 if step > 0 else 0
        return self._visit((begin + step) % number if number else 0)

    def _visit(self, place: int) -> Requests:
        """Show and select the item at a place, or the next one whose image is there."""
        desk, review = self._desk, self._desk.state.review
        if not review.items:
            desk.say("info" if desk.reading else "good", self._empty_words())
            return ()
        names = {entry.name: k for k, entry in enumerate(desk.state.images)}
        order = (*review.items[place:], *review.items[:place])
        if order[0].image not in names:
            desk.say("warning", Phrase(IMAGE_GONE, image=order[0].image))
        item = next((each for each in order if each.image in names), None)
        if item is None:
            return ()
        requests = self._browsing.open(names[item.image]) if item.image != desk.image_name() else ()
        desk.change(selected=item.object_id)
        desk.reviewed = replace(desk.reviewed, current=item.key, moves=desk.reviewed.moves + 1)
        self.refresh()
        return requests

    def _empty_words(self) -> str:
        if self._desk.state.review.other:
            return Phrase(ALL_CHOSEN, other=self._desk.state.review.other)
        return READING if self._desk.reading else NONE_TO_REVIEW

    def _onward(self, place: int | None) -> Requests:
        """A verdict was given: what was behind that item has its place now."""
        self.refresh()
        number = len(self._desk.state.review.items)
        return self._visit((place or 0) % number if number else 0)

    def _confirm(self) -> Requests:
        """The selected mask is right: it leaves the queue, and the next one comes."""
        desk, place = self._desk, self._desk.state.review.current
        if desk.state.selected is None:
            desk.say("info", NONE_SELECTED_YET)
            return ()
        record = desk.tally.get(desk.state.selected)
        if record is None or not record.reviewed:
            self._objects.review(desk.state.selected, reviewed=True)
            desk.history.push(Reviewed(desk.image_name(), desk.state.selected))
        return self._onward(place)

    def _reject(self) -> Requests:
        desk, place = self._desk, self._desk.state.review.current
        if desk.reviewed.comparison is not None:
            desk.say("info", MINE_OR_THEIRS)
            return ()
        if desk.state.selected is None:
            desk.say("info", NONE_SELECTED_YET)
            return ()
        return self._objects.delete_selected() + self._onward(place)

    def _choose(self, verdict: OutlineVerdict) -> Requests:
        desk, review = self._desk, self._desk.state.review
        item = review.chosen
        if desk.reviewed.comparison is None:
            desk.say("info", NO_COMPARISON)
            return ()
        if item is None or item.image != desk.image_name():
            return self._visit(review.current or 0)
        requests = choose_outline(desk, self._objects, self._learning, item, verdict)
        return () if requests is None else requests + self._onward(review.current)


def reason_of(record: ObjectRecord) -> ReviewReason:
    """Why an accepted mask is in doubt: what would gain most, where that is worth it, else its outline as such."""
    gaps = record.steps[-1].gaps if record.steps else None
    if gaps is None:
        return "outline"
    gains: tuple[tuple[float, ReviewReason], ...] = (
        (gaps.prompt, "clicks"),
        (gaps.task, "candidate"),
        (gaps.model, "larger"),
    )
    gain, reason = max((each for each in gains if not math.isnan(each[0])), default=(0.0, "outline"))
    return reason if gain >= WORTH_SAYING else "outline"


def _in_doubt(desk: SessionContext) -> ReviewList:
    """The masks in doubt, most of all first; the one that is selected or being changed is the current one."""
    state, figures = desk.state, desk.state.statistics
    items = state.review.items
    if desk.reviewed.counted is not figures or state.rating is not None or state.review.other:
        desk.reviewed = replace(desk.reviewed, counted=figures if state.rating is None else None)
        known = figures.confidence
        records = islice(desk.tally.queue(), LISTED_ITEMS) if state.rating is None and figures.review else ()
        items = tuple(
            ReviewItem(r.image_name, r.object_id, reason_of(r), known(r.steps[-1].expected_iou), r.class_name)
            for r in records
        )
    edited = state.preview.edits if state.preview is not None else None
    meant = edited if edited is not None else state.selected
    current = next((k for k, item in enumerate(items) if item.object_id == meant), None)
    return ReviewList(items, state.statistics.review, state.statistics.objects, current)


def _rows_of(review: ReviewList) -> list[tuple[object, ...]]:
    """What the rows of a queue say, to be compared with those of another."""
    return [(i.key, i.image, i.reason, i.class_name, None if math.isnan(i.value) else i.value) for i in review.items]


def _numbers_of(review: ReviewList) -> tuple[object, ...]:
    """What else a queue says."""
    numbers = review.waiting, review.total, review.current, review.moves
    return numbers, review.other, id(review.agreement), review.deeds
