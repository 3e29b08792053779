"""Another annotator's project beside this one: which images and objects are the same, and how far both agree.

Objects of an image are matched one to one, so that the sum of their IoUs is greatest. Source: Kuhn 1955, "The Hungarian
method for the assignment problem". The other project is only read.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samtta_app.core.messages import ReportProgress
from samtta_app.core.metrics import iou
from samtta_app.core.names import displayable
from samtta_app.core.texts import csv_text
from samtta_app.core.types import Annotation, Mask
from samtta_app.errors import ProjectError
from samtta_app.phrases import Phrase
from samtta_app.session.project.location import DATABASE, HOME, open_copy
from samtta_app.session.project.store import Store
from samtta_app.session.proposal_list import corners_of
from samtta_app.session.review_list import ClassAgreement, ProjectComparison, ReviewItem

MATCHED_FROM = 0.3
"""From this IoU on two masks are outlines of one object: a nucleus and its cell overlap less."""

AGREED_FROM = 0.8
"""Outlines that overlap less are looked at, as are masks of a lower expected IoU (`REVIEW_BELOW`)."""

AGREEMENT_COLUMNS = ("class", "matched", "mean_iou", "only_here", "only_there", "other_class")
ALL_CLASSES = "all classes"
"""The first row of the table."""

SAME_PROJECT = "This is the project itself"
NONE_IN_COMMON = "The two projects have no image in common"
NONE_COMPARED = "The two projects have no image in common: {reason}"
OTHER_SIZE = "{name}: {here} pixels here, {there} there, so it was not compared"
OTHER_PIXELS = "{name}: not the same picture in both projects, compared by its name"

Pair = tuple[int, int, float]
"""Places of two masks that are one object, and their IoU."""


def matched_masks(mine: Sequence[Mask], theirs: Sequence[Mask]) -> tuple[Pair, ...]:
    """The pairs of masks that are one object; a mask is in one pair at most."""
    from scipy.optimize import linear_sum_assignment  # the window's start does not need it

    overlaps = np.zeros((len(mine), len(theirs)))
    corners = corners_of(theirs)
    for row, (mask, (x0, y0, x1, y1)) in enumerate(zip(mine, corners_of(mine).tolist(), strict=True)):
        near = (corners[:, 0] <= x1) & (corners[:, 2] >= x0) & (corners[:, 1] <= y1) & (corners[:, 3] >= y0)
        for column in np.flatnonzero(near).tolist():
            overlaps[row, column] = iou(mask, theirs[column])
    overlaps[overlaps < MATCHED_FROM] = 0
    rows, columns = linear_sum_assignment(overlaps, maximize=True)
    found = zip(rows.tolist(), columns.tolist(), strict=True)
    return tuple((row, column, float(overlaps[row, column])) for row, column in found if overlaps[row, column])


def compare_projects(
    mine: Store, place: Path, progress: ReportProgress = lambda done, words: None
) -> ProjectComparison:
    """Compare a project with another annotator's, which lies at `place` or in the folder of images there.

    Ignore regions are left out. No file of the other project changes.

    Raises:
        ProjectError: there is no project, it is this one, newer or damaged, or no image is in both.
        StoreError: one of both cannot be read.
    """
    home = place if (place / DATABASE).is_file() else place / HOME
    if os.path.exists(home / DATABASE) and os.path.samefile(home / DATABASE, mine.home / DATABASE):
        raise ProjectError(SAME_PROJECT, place, "Choose the project of another annotator")
    home, opened = open_copy(place)
    folder = home.parent if home.name == HOME else home
    with Store(folder, home, opened) as theirs:
        pairs, remarks = _common_images(mine, theirs)
        if not pairs:
            what = Phrase(NONE_COMPARED, reason=remarks[0]) if remarks else NONE_IN_COMMON
            raise ProjectError(what, place, "Choose a project of the same images")
        name = theirs.annotator
        label = displayable(folder.name) if name in ("", mine.annotator) else name  # a copy of one's own has one's name
        told = _told(mine, theirs)
        items: list[ReviewItem] = []
        for number, (own, other) in enumerate(pairs):
            progress(number / len(pairs), own)
            items += _compared(own, _objects(mine, own), _objects(theirs, other), *told)
        notes = (*remarks, *((theirs.notice,) if theirs.notice else ()))
    differences = tuple(item for item in items if _differs(item))
    return ProjectComparison(label, len(pairs), agreement_of(items), differences, notes)


def agreement_of(items: Iterable[ReviewItem]) -> tuple[ClassAgreement, ...]:
    """How far two annotators agree: over all classes, then by class; `items` are all pairs and all objects without one."""
    every = tuple(items)
    names = sorted({item.class_name or item.their_class for item in every} | {i.their_class for i in every} - {""})
    return tuple(_agreement(every, name) for name in ("", *names))


def agreement_csv(agreement: Iterable[ClassAgreement]) -> str:
    """The agreement as a table, one row a class, the first for all."""
    return csv_text(AGREEMENT_COLUMNS, map(agreement_row, agreement))


def agreement_row(one: ClassAgreement) -> list[object]:
    """The cells of a row; the mean IoU has four digits, "" without a pair."""
    mean = "" if math.isnan(one.mean_iou) else f"{one.mean_iou:.4f}"
    return [one.name or ALL_CLASSES, one.matched, mean, one.here, one.there, one.relabelled]


# --- below the surface ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _ClassNames:
    """The names of a project's classes by id."""

    names: dict[int, str]

    def of(self, annotation: Annotation) -> str:
        """The name of an object's class."""
        return self.names.get(annotation.class_id, "")


def _told(mine: Store, theirs: Store) -> tuple[_ClassNames, _ClassNames]:
    here, there = (_ClassNames({c.id: c.name for c in store.classes()}) for store in (mine, theirs))
    return here, there


def _objects(store: Store, image: str) -> tuple[Annotation, ...]:
    return tuple(a for a in store.annotations(image) if not a.note.ignore)


def _common_images(mine: Store, theirs: Store) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Images that both have, by content or else by name, and remarks on those that only seem to be the same."""
    here, there = mine.pictures_seen(), theirs.pictures_seen()
    listed = {entry.name for entry in mine.images()}
    by_content = {picture: name for name, (_, _, picture) in here.items() if picture}
    pairs, remarks, taken = [], [], set[str]()
    for name, (width, height, picture) in there.items():
        same = name if name in here and picture and here[name][2] == picture else by_content.get(picture)
        own = same or (name if name in listed else None)
        if own is None or own in taken:
            continue
        known = here.get(own)
        if known is not None and known[:2] != (width, height):
            sizes = {"here": f"{known[0]} x {known[1]}", "there": f"{width} x {height}"}
            remarks.append(Phrase(OTHER_SIZE, name=displayable(own), **sizes))
            continue
        if known is not None and same is None and picture and known[2]:
            remarks.append(Phrase(OTHER_PIXELS, name=displayable(own)))
        taken.add(own)
        pairs.append((own, name))
    return pairs, tuple(remarks)


def _compared(
    image: str, mine: Sequence[Annotation], theirs: Sequence[Annotation], here: _ClassNames, there: _ClassNames
) -> Iterator[ReviewItem]:
    """Every pair of an image, and every object without one."""
    pairs = matched_masks([a.mask for a in mine], [a.mask for a in theirs])
    for row, column, overlap in pairs:
        one, other = mine[row], theirs[column]
        names = here.of(one), there.of(other)
        yield ReviewItem(
            image, one.id, "differs" if names[0] == names[1] else "class", overlap, names[0], other, names[1]
        )
    alone, others = ({pair[k] for pair in pairs} for k in (0, 1))
    for k, one in enumerate(mine):
        if k not in alone:
            yield ReviewItem(image, one.id, "here", math.nan, here.of(one))
    for k, other in enumerate(theirs):
        if k not in others:
            yield ReviewItem(image, None, "there", math.nan, "", other, there.of(other))


def _differs(item: ReviewItem) -> bool:
    """Whether it is to be looked at: all but pairs of one class whose outlines hardly differ."""
    return item.reason != "differs" or item.value < AGREED_FROM


def _agreement(items: Sequence[ReviewItem], name: str) -> ClassAgreement:
    """The row of a class, or of all: a pair belongs to the class that it has here."""
    pairs = [i for i in items if i.theirs is not None and i.object_id is not None and name in ("", i.class_name)]
    return ClassAgreement(
        name,
        len(pairs),
        float(np.mean([pair.value for pair in pairs])) if pairs else math.nan,
        sum(i.reason == "here" and name in ("", i.class_name) for i in items),
        sum(i.reason == "there" and name in ("", i.their_class) for i in items),
        sum(pair.reason == "class" for pair in pairs),
    )
