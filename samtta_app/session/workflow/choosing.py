"""The workflow's part that chooses between two annotators' outlines; each choice is one step of undo."""

from __future__ import annotations

import math
from dataclasses import replace

from samtta_app.core.masks import bounding_box
from samtta_app.core.project import ProjectImage, fits
from samtta_app.core.types import Annotation, Image
from samtta_app.core.windows import around
from samtta_app.phrases import Phrase
from samtta_app.session.project.pictures import picture_of
from samtta_app.session.review_list import OutlineVerdict, ProjectComparison, ReviewItem, ReviewList
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.history import ClassAdded, OutlineChosen
from samtta_app.session.workflow.lessons import LessonQueue
from samtta_app.session.workflow.object_acts import Objects
from samtta_app.session.workflow.under_way import ReviewPlace

NO_COMPARISON = "No other project is compared: File, Compare with another project"
NOT_THERE_YET = "The image is not shown yet"
DOES_NOT_FIT = "The mask of {other} does not fit this image: keep the one here"
FROM_PROJECT = "project of {other}"
"""The source of an object that was taken from another annotator."""

COMPARED_WITH = "{images} compared with {other}: {differences} to look at"


def compared_words(comparison: ProjectComparison, number: int) -> Phrase:
    """What was compared, and how many differences are to be looked at."""
    images = Phrase("1 image") if comparison.images == 1 else Phrase("{number} images", number=comparison.images)
    many = Phrase("{number} differences", number=number) if number else Phrase("no differences")
    differences = Phrase("1 difference") if number == 1 else many
    return Phrase(COMPARED_WITH, images=images, other=comparison.other, differences=differences)


def begin_comparison(desk: SessionContext, comparison: ProjectComparison) -> None:
    """Let the queue lead through the differences with another annotator that are not settled yet."""
    settled = desk.store.choices(comparison.other)
    desk.reviewed = replace(desk.reviewed, comparison=comparison, settled=settled, current=None)
    number = sum(item.key not in settled for item in comparison.differences)
    said = compared_words(comparison, number)
    if comparison.remarks:
        desk.say("warning", Phrase.joined(". ", (said, *comparison.remarks)))
    else:
        desk.say("info" if number else "good", said)


def open_differences(place: ReviewPlace) -> ReviewList:
    """The differences that are not settled."""
    comparison = place.comparison
    if comparison is None:
        return ReviewList()
    items = tuple(item for item in comparison.differences if item.key not in place.settled)
    current = next((k for k, item in enumerate(items) if item.key == place.current), None)
    total = len(comparison.differences)
    return ReviewList(items, len(items), total, current, other=comparison.other, agreement=comparison.agreement)


def choose_outline(
    desk: SessionContext, objects: Objects, learning: LessonQueue, item: ReviewItem, verdict: OutlineVerdict
) -> Requests | None:
    """Keep the object here, take the other annotator's in its place, or keep both; None where that cannot be done.

    Raises:
        StoreError: nothing was stored, and nothing has changed.
    """
    image, comparison = desk.state.image, desk.reviewed.comparison
    if image is None or comparison is None:
        desk.say("info", NOT_THERE_YET)
        return None
    mine = objects.find(item.object_id)
    if mine is None and item.object_id is not None:  # it was corrected since
        mine = next((a for a in desk.state.annotations if item.object_id in a.replaces), None)
    gone = (mine,) if mine is not None and verdict == "theirs" else ()
    wanted = item.theirs if verdict != "mine" else None
    if wanted is not None and not fits(wanted, ProjectImage(item.image, image.width, image.height)):
        desk.say("warning", Phrase(DOES_NOT_FIT, other=comparison.other))
        return None
    come: tuple[Annotation, ...] = ()
    if wanted is not None:
        class_id = _class_named(desk, item.their_class)
        made = replace(_taken(wanted, image, item.image, comparison.other), class_id=class_id)
        made = replace(made, replaces=tuple(one.id for one in gone))
        come = desk.store.accept_all((made,), image.width, image.height, teaches=desk.learn)
    elif gone:
        desk.store.exchange(gone, ())
    number = desk.store.log_choice(item.key, item.image, comparison.other, verdict)
    entry = OutlineChosen(item.image, item.key[0], item.key[1], comparison.other, number, gone, come)
    desk.history.push(entry)
    requests: Requests = ()
    for one in gone:
        requests += objects.take_away(one)
    for one in come:
        objects.add(one)
        requests += learning.learn(one)
    _settle(desk, entry, settled=True)
    return requests


def take_back_choice(desk: SessionContext, objects: Objects, entry: OutlineChosen) -> Requests:
    """Undo a choice: the difference is open again."""
    requests = objects.exchange(entry.come, entry.gone, learn=False)
    desk.store.withdraw_choice(entry.number, True)
    _settle(desk, entry, settled=False)
    if entry.mine:
        objects.select(entry.mine)
    return requests


def choose_again(desk: SessionContext, objects: Objects, entry: OutlineChosen) -> Requests:
    """Redo a choice."""
    requests = objects.exchange(entry.gone, entry.come, learn=True)
    desk.store.withdraw_choice(entry.number, False)
    _settle(desk, entry, settled=True)
    return requests


# --- below the surface ------------------------------------------------------------------------------------------------


def _settle(desk: SessionContext, entry: OutlineChosen, *, settled: bool) -> None:
    """Take a difference off the queue, or put it back as the current one."""
    place, key = desk.reviewed, (entry.mine, entry.theirs)
    if settled:
        desk.reviewed = replace(place, settled=place.settled | {key})
    else:
        desk.reviewed = replace(place, settled=place.settled - {key}, current=key)


def _class_named(desk: SessionContext, name: str) -> int:
    """The class of a name; it is made where there is none, which is a step of undo by itself."""
    known = next((c.id for c in desk.state.classes if c.name == name), None)
    if known is not None:
        return known
    added, current = desk.store.add_class(name), desk.state.current_class
    desk.change(classes=desk.store.classes())
    desk.history.push(ClassAdded(added, current))
    return added.id


def _taken(theirs: Annotation, image: Image, name: str, other: str) -> Annotation:
    """Another annotator's object as one of this project: its clicks were not made here."""
    box = bounding_box(theirs.mask)
    return replace(
        theirs,
        id=0,
        image_name=name,
        box=None,
        history=(),
        window=around(box, image.whole) if box else image.whole,
        weights_version=0,
        predicted_iou=math.nan,
        uncertainty=math.nan,
        gaps=None,
        seconds=0.0,
        control=None,
        picture=picture_of(image),
        source=FROM_PROJECT.format(other=other),
        annotator=theirs.annotator or other,
    )
