"""What is to be looked at again: masks in doubt, or the differences between two annotators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from samtta_app.core.types import Annotation

ReviewReason = Literal["outline", "clicks", "candidate", "larger", "differs", "class", "here", "there"]
"""Why it is there: four ways of doubt in a mask, and four differences."""

OutlineVerdict = Literal["mine", "theirs", "both"]

ObjectDeed = Literal["accepted", "changed", "reviewed", "unreviewed", "deleted", "returned", "class", "note"]
"""What is done to an object: it is accepted, comes in the place of others, and so on."""

DifferenceKey = tuple[int, str]
"""The object here, 0 without one, and the other annotator's by its number and date, "" without one."""


@dataclass(frozen=True, slots=True)
class ObjectAct:
    """Something that was done to an object: what, by whom ("" where unknown), and when (ISO, UTC)."""

    what: ObjectDeed
    annotator: str
    created: str


@dataclass(frozen=True, slots=True, eq=False)
class ReviewItem:
    """One object to be looked at.

    `object_id` is the object here, None where only the other annotator has it. `value` is the expected IoU, or that of both
    masks (nan without a pair). `theirs` is the other annotator's object, `their_class` the name of its class.
    """

    image: str
    object_id: int | None
    reason: ReviewReason
    value: float
    class_name: str = ""
    theirs: Annotation | None = None
    their_class: str = ""

    @property
    def key(self) -> DifferenceKey:
        """What identifies a difference, also after a restart."""
        other = self.theirs
        return self.object_id or 0, f"{other.id}:{other.created}" if other is not None else ""


@dataclass(frozen=True, slots=True)
class ClassAgreement:
    """How far two annotators agree on objects of one class; `name` "" stands for all classes.

    `mean_iou` is over the `matched` pairs, nan without any. `relabelled` of them have another class there. `here` and
    `there` are objects that only one of both has.
    """

    name: str
    matched: int
    mean_iou: float
    here: int
    there: int
    relabelled: int


@dataclass(frozen=True, slots=True, eq=False)
class ProjectComparison:
    """Another annotator's project beside this one: images compared, agreement (all classes first), and differences.

    `other` is the annotator's name, or the folder's where that is unknown or one's own. `remarks` name images that were not
    compared, and why.
    """

    other: str
    images: int
    agreement: tuple[ClassAgreement, ...]
    differences: tuple[ReviewItem, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ReviewList:
    """The queue: the first `items` of all `waiting`, out of `total` objects or differences; `current` is one's place.

    `other` names the annotator whose outlines are compared, "" where masks in doubt are reviewed. `moves` counts how often
    the queue led somewhere. `deeds` is what was done to the selected object.
    """

    items: tuple[ReviewItem, ...] = ()
    waiting: int = 0
    total: int = 0
    current: int | None = None
    moves: int = 0
    other: str = ""
    agreement: tuple[ClassAgreement, ...] = ()
    deeds: tuple[ObjectAct, ...] = ()

    @property
    def chosen(self) -> ReviewItem | None:
        """The item that keys accept, fix or reject."""
        return None if self.current is None else self.items[self.current]


NOTHING_TO_REVIEW = ReviewList()
