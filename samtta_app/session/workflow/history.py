"""What can be undone and redone in this run: prompt steps and every stored act, in order, each with what was shown for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from samtta_app.core.object_notes import ObjectNote
from samtta_app.core.types import Annotation, BoolArray, FloatArray
from samtta_app.session.object_records import GivenUpObject
from samtta_app.session.proposal_list import ProposedMask
from samtta_app.session.state import LabelClass
from samtta_app.session.workflow.draft import Draft

LEVELS = 100

HISTORY_BYTES = 256 * 2**20
"""Bytes of masks and logits held at most: the steps of seventy objects of two clicks, at 256 x 256 logits each."""


@dataclass(frozen=True, slots=True, eq=False)
class Prompted:
    """A click, a box or a step by hand was made; `before` is None for an object's first."""

    image: str
    before: Draft | None
    after: Draft


@dataclass(frozen=True, slots=True, eq=False)
class Accepted:
    """A draft became an annotation; `steps` led to it, and `held` are the bytes of what they showed.

    `replaced` are the annotations that it took the place of.
    """

    image: str
    annotation: Annotation
    draft: Draft
    steps: tuple[Prompted, ...]
    held: int = 0
    replaced: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Exchanged:
    """Annotations took the place of others: two were merged, or one was cut."""

    image: str
    gone: tuple[Annotation, ...]
    come: tuple[Annotation, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Cancelled:
    """A draft was discarded; `steps` led to it, `held` are the bytes of what they showed, `given_up` is what was stored."""

    image: str
    draft: Draft
    steps: tuple[Prompted, ...]
    held: int = 0
    given_up: GivenUpObject | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Deleted:
    """An annotation was deleted; `given_up` is the attempt that was stored where that was right after its accept."""

    image: str
    annotation: Annotation
    given_up: GivenUpObject | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Relabelled:
    """An annotation got another class."""

    image: str
    annotation_id: int
    before: int
    after: int


@dataclass(frozen=True, slots=True, eq=False)
class Reviewed:
    """The user reviewed a mask and confirmed it."""

    image: str
    annotation_id: int


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """A mask was rated; its image need not be shown to take that back."""

    annotation_id: int
    before: int | None
    after: int
    image: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Proposals were accepted, and became the annotations that have `come`, of which some teach, or they were rejected.

    `rejections` are the numbers of the stored verdicts.
    """

    image: str
    proposals: tuple[ProposedMask, ...]
    come: tuple[Annotation, ...] = ()
    taught: tuple[int, ...] = ()
    rejections: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ClassAdded:
    """A class was added; `before` was the current one."""

    added: LabelClass
    before: int
    image: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ClassRenamed:
    """A class got another name."""

    class_id: int
    before: str
    after: str
    image: str = ""


Moves = tuple[tuple[int, int, int], ...]
"""Objects that went from one class to another: id, the class before, the class after."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassesChanged:
    """The list of classes became another one; `moves` are its objects, `current` and `then` the chosen class."""

    before: tuple[LabelClass, ...]
    after: tuple[LabelClass, ...]
    moves: Moves
    current: int
    then: int
    image: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Noted:
    """An object got another note."""

    image: str
    annotation_id: int
    before: ObjectNote
    after: ObjectNote


@dataclass(frozen=True, slots=True, eq=False)
class Emptied:
    """An image was marked as done with nothing on it, or no longer."""

    image: str
    empty: bool


@dataclass(frozen=True, slots=True, eq=False)
class OutlineChosen:
    """Of two annotators' outlines one was chosen, or both: annotations that are `gone` and have `come`.

    `mine` and `theirs` identify the difference, `other` is the other annotator, `number` that of the stored choice.
    """

    image: str
    mine: int
    theirs: str
    other: str
    number: int
    gone: tuple[Annotation, ...] = ()
    come: tuple[Annotation, ...] = ()


Entry = (
    Prompted
    | Accepted
    | Exchanged
    | Cancelled
    | Deleted
    | Relabelled
    | Reviewed
    | Rated
    | Judged
    | ClassAdded
    | ClassRenamed
    | ClassesChanged
    | Noted
    | Emptied
    | OutlineChosen
)
"""`image` is where it was done, "" where that does not matter."""


class History:
    """Two stacks; the newest LEVELS entries are kept, and fewer where they hold more than `budget` bytes."""

    def __init__(self, budget: int = HISTORY_BYTES) -> None:
        self.done: list[Entry] = []
        self.undone: list[Entry] = []
        self._budget = budget

    def push(self, entry: Entry) -> None:
        """Add a new entry; undone entries are forgotten."""
        self.undone.clear()
        if isinstance(entry, Accepted | Cancelled):
            entry = replace(entry, held=_bytes((entry.draft, *_drafts(entry.steps))))
        self.done.append(entry)
        self.drop(len(self.done) - LEVELS)
        held = sum(e.held for e in self.done if isinstance(e, Accepted | Cancelled))
        while held > self._budget and len(self.done) > 1:
            oldest = self.done[0]
            self.drop(1)
            held -= oldest.held if isinstance(oldest, Accepted | Cancelled) else 0

    def drop(self, number: int) -> None:
        """Drop so many of the oldest entries from memory."""
        del self.done[: max(number, 0)]

    @property
    def can_undo(self) -> bool:
        """Whether there is an entry to undo."""
        return bool(self.done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an entry to redo."""
        return bool(self.undone)

    def newest(self) -> Entry | None:
        """What is undone next, None where there is nothing."""
        return self.done[-1] if self.done else None

    def newest_undone(self) -> Entry | None:
        """What is redone next, None where there is nothing."""
        return self.undone[-1] if self.undone else None

    def fetch_steps(self) -> None:
        """The steps of the object being annotated are in memory."""

    @property
    def changed(self) -> bool:
        """Whether there is something to save."""
        return False

    def save(self) -> None:
        """What is only in memory is kept nowhere else."""

    def snapshot(self) -> dict[str, Any]:
        """The history as it is now, for `restore`."""
        return vars(self) | {"done": list(self.done), "undone": list(self.undone)}

    def restore(self, past: dict[str, Any]) -> None:
        """Be as at a snapshot."""
        vars(self).update(past)

    def refresh(self, draft: Draft) -> None:
        """The newest step's draft changed (its answer came, or another candidate was chosen)."""
        found = self.newest_step()
        if found is not None:
            place, step = found
            self.done[place] = replace(step, after=draft)

    def take_steps(self) -> tuple[Prompted, ...]:
        """Take the steps of the present draft off the stack."""
        steps: list[Prompted] = []
        while self.done and isinstance(step := self.done[-1], Prompted):
            self.done.pop()
            steps.append(step)
        return tuple(reversed(steps))

    def withdraw_step(self, present: Draft | None) -> Draft | None:
        """Undo the newest step; `present` is kept for redo, and the draft before the step is returned."""
        found = self.newest_step()
        if found is None:
            return None
        place, step = found
        del self.done[place]
        self.undone.append(replace(step, after=present or step.after))
        return step.before

    def newest_step(self) -> tuple[int, Prompted] | None:
        """Place and entry of the draft's newest step: acts on classes may lie above it."""
        for place in range(len(self.done) - 1, -1, -1):
            entry = self.done[place]
            if isinstance(entry, Prompted):
                return place, entry
            if isinstance(entry, Accepted | Cancelled):
                break
        return None


def _drafts(steps: Iterable[Prompted]) -> Iterator[Draft]:
    for step in steps:
        yield step.after
        if step.before is not None:
            yield step.before


def _bytes(drafts: Iterable[Draft]) -> int:
    """Bytes of the arrays of some drafts, which share most of them."""
    return sum({id(array): array.nbytes for draft in drafts for array in _arrays(draft)}.values())


def _arrays(draft: Draft) -> Iterator[BoolArray | FloatArray]:
    frozen = draft.preview.frozen
    for candidate in (*draft.preview.candidates, *((frozen,) if frozen else ())):
        yield from (candidate.mask.bits, candidate.logits.values, candidate.entropy)
    drawn = (draft.strokes.painted, draft.strokes.erased)
    yield from (mask.bits for mask in (*draft.masks, *drawn) if mask is not None)
    if draft.asked.logits is not None:
        yield draft.asked.logits.values
