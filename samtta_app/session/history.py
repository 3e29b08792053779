"""What can be undone and redone in this run: prompt steps, accepts, cancels, deletions and class changes, in order."""

from __future__ import annotations

from dataclasses import dataclass, replace

from samtta_app.core.types import Annotation
from samtta_app.session.draft import Draft, unanswered

LEVELS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Prompted:
    """A click or box was made; `before` is None for an object's first."""

    image: str
    before: Draft | None
    after: Draft


@dataclass(frozen=True, slots=True, eq=False)
class Accepted:
    """A draft became an annotation; `steps` led to it."""

    image: str
    annotation: Annotation
    draft: Draft
    steps: tuple[Prompted, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Cancelled:
    """A draft was put aside; `steps` led to it."""

    image: str
    draft: Draft
    steps: tuple[Prompted, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Deleted:
    """An annotation was deleted."""

    image: str
    annotation: Annotation


@dataclass(frozen=True, slots=True, eq=False)
class Relabelled:
    """An annotation got another class."""

    image: str
    annotation_id: int
    before: int
    after: int


Entry = Prompted | Accepted | Cancelled | Deleted | Relabelled


class History:
    """Two stacks; the newest LEVELS entries are kept."""

    def __init__(self) -> None:
        self.done: list[Entry] = []
        self.undone: list[Entry] = []

    def push(self, entry: Entry) -> None:
        """Something new was done: what was undone before is forgotten."""
        self.undone.clear()
        self.done.append(entry)
        del self.done[:-LEVELS]

    def refresh(self, draft: Draft) -> None:
        """The newest step's draft changed (its answer came, or another candidate was chosen)."""
        if self.done and isinstance(newest := self.done[-1], Prompted):
            self.done[-1] = replace(newest, after=draft)

    def take_steps(self) -> tuple[Prompted, ...]:
        """Take the steps of the present draft off the stack, made light."""
        steps: list[Prompted] = []
        while self.done and isinstance(step := self.done[-1], Prompted):
            self.done.pop()
            before = unanswered(step.before) if step.before else None
            steps.append(replace(step, before=before, after=unanswered(step.after)))
        return tuple(reversed(steps))

    def withdraw_step(self) -> Draft | None:
        """Drop the newest step as if it had not been made; what was there before it."""
        if self.done and isinstance(newest := self.done[-1], Prompted):
            self.done.pop()
            return newest.before
        return None
