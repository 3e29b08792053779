"""What the window shows, as one frozen value; only the workflow makes a new one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from samtta_app.core.messages import AdaptReport
from samtta_app.core.types import Annotation, Box, Candidate, Click, ClickRecord, Image, Window

ImageStatus = Literal["todo", "encoded", "annotated", "unreadable"]
Activity = Literal["off", "idle", "remembering", "learning", "comparing", "paused"]
Severity = Literal["info", "good", "warning", "error"]


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One row of the image list; `text` is the reason where the image is unreadable."""

    name: str
    path: Path
    status: ImageStatus
    objects: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class LabelClass:
    """A class of objects; `colour` indexes the Okabe-Ito palette."""

    id: int
    name: str
    colour: int


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """The object being annotated: its prompt so far and the newest answer.

    `candidates` is empty until the first answer; `waiting` is True while an answer to the newest prompt is under way;
    `frozen` is the frozen twin's candidate for the same prompt, once asked for (hold C).
    """

    clicks: tuple[Click, ...]
    box: Box | None
    candidates: tuple[Candidate, ...]
    chosen: int
    window: Window | None
    weights_version: int
    waiting: bool
    history: tuple[ClickRecord, ...] = ()
    frozen: Candidate | None = None

    @property
    def candidate(self) -> Candidate | None:
        """The mask on the screen."""
        return self.candidates[self.chosen] if self.candidates else None


@dataclass(frozen=True, slots=True)
class Adaptation:
    """The learner as the panel shows it: what it does, and the `strategy` by which it adapts ("frozen": by none)."""

    activity: Activity
    version: int
    reports: tuple[AdaptReport, ...]
    memory_objects: int = 0
    can_roll_back: bool = False
    strategy: str = "samtta"

    @property
    def last(self) -> AdaptReport | None:
        """The newest report."""
        return self.reports[-1] if self.reports else None


@dataclass(frozen=True, slots=True)
class StreamPoint:
    """Clicks that one object of the stream needed for IoU .85 with its accepted mask (20 when it was not reached)."""

    object_id: int
    person: int
    adapted: int | None
    frozen: int | None


@dataclass(frozen=True, slots=True)
class Side:
    """Figures of one side (adapted or frozen) over `objects` replayed objects; nan when there are none."""

    objects: int
    noc_85: float
    noc_90: float
    fr_20_85: float
    fr_30_90: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """The session's figures from its raw records; `sentence` is what the panel opens with."""

    objects: int
    person_clicks: float
    seconds_per_object: float
    adapted: Side
    frozen: Side
    stream: tuple[StreamPoint, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Message:
    """One line for the message bar."""

    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class Display:
    """What the person chose to see."""

    masks: bool = True
    uncertainty: bool = False
    compare: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Everything a view needs; every action's enabled state is a function of it."""

    folder: Path
    project: Path
    images: tuple[ImageEntry, ...]
    index: int
    image: Image | None
    annotations: tuple[Annotation, ...]
    selected: int | None
    classes: tuple[LabelClass, ...]
    current_class: int
    preview: Preview | None
    adaptation: Adaptation
    statistics: Statistics
    display: Display
    message: Message | None
    can_undo: bool
    can_redo: bool
    read_only: bool
    activity: str
