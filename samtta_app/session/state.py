"""What the window shows, as one frozen value; only the workflow makes a new one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from samtta_app.core.calibration import UNCALIBRATED, Bin, Calibration
from samtta_app.core.looks import PLAIN, DisplayLook
from samtta_app.core.polygons import Rings
from samtta_app.core.rating_scale import MeanRating
from samtta_app.core.replies import AdaptReport, Answer
from samtta_app.core.types import Annotation, Box, Candidate, Click, ClickRecord, FloatArray, Image, Mask, Window
from samtta_app.session.acts import OverlayKind, ToolName, UserAct
from samtta_app.session.advice import Advice
from samtta_app.session.proposal_list import Proposals
from samtta_app.session.review_list import NOTHING_TO_REVIEW, ReviewList
from samtta_app.session.sort_keys import Worst

_NAN = float("nan")

_UNKNOWN: Worst = {}
"""What is known of an image without objects; one value for all of them, since a folder may hold 100,000."""

OWN_COLOUR = 1 << 24
"""Colours of classes below this are places in the palette."""

ImageStatus = Literal["todo", "encoded", "annotated", "empty", "unreadable"]
Activity = Literal["off", "idle", "remembering", "learning", "comparing", "paused"]
Severity = Literal["info", "good", "warning", "error"]


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One row of the image list; `text` is the reason where the image is unreadable, `changed` says that it was replaced.

    By each of the numbers, `worst` has the value of the object that most needs a review. `empty` is whether a user marked
    the image as done with nothing on it; objects come before that mark. `place` is the path, as text in a list of many:
    100,000 paths take a second to make.
    """

    name: str
    place: Path | str
    status: ImageStatus
    objects: int
    text: str = ""
    changed: str = ""
    worst: Worst = field(default_factory=lambda: _UNKNOWN)
    empty: bool = False

    @property
    def path(self) -> Path:
        """Where the file is."""
        return Path(self.place)


@dataclass(frozen=True, slots=True)
class LabelClass:
    """A class of objects; `tidy` is whether crumbs and pinholes of its masks go.

    `colour` indexes the Okabe-Ito palette. From OWN_COLOUR on it is OWN_COLOUR + 0xRRGGBB, a colour that a user chose.
    """

    id: int
    name: str
    colour: int
    tidy: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """The object being annotated: its prompt so far, the newest answer, and what the session adds to it.

    `answer` is None until the first one, and has no candidates where it showed nothing. `chosen` is the candidate on the
    screen, which the user may change. `window` is where the object was last found, and where the next prompt is
    answered. `waiting` is True while an answer to the newest prompt is under way. `frozen` is the frozen twin's
    candidate for the same prompt, once asked for (hold C). `advice` is the next step that the uncertainty heads
    recommend. `alternatives` are outlines that the object keeps beside the one that is accepted. `polygon` is the newest
    step's, while the mask is what it encloses. `edits` is the accepted object that is being changed.
    """

    clicks: tuple[Click, ...]
    box: Box | None
    answer: Answer | None
    chosen: int
    window: Window | None
    waiting: bool
    history: tuple[ClickRecord, ...] = ()
    frozen: Candidate | None = None
    advice: Advice | None = None
    alternatives: tuple[Mask, ...] = ()
    polygon: Rings = ()
    edits: int | None = None

    @property
    def drawn(self) -> bool:
        """Whether a hand has shaped the mask since the model's last answer."""
        return bool(self.history) and self.history[-1].hand is not None and not self.waiting

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The masks to choose from."""
        return self.answer.candidates if self.answer else ()

    @property
    def candidate(self) -> Candidate | None:
        """The mask on the screen."""
        return self.candidates[self.chosen] if self.candidates else None

    @property
    def weights_version(self) -> int:
        """The weights that answered; 0 before the first answer."""
        return self.answer.weights_version if self.answer else 0

    @property
    def no_gaps(self) -> str:
        """Why the candidates have no gaps, as a text for the user; "" where they have."""
        return self.answer.no_gaps if self.answer else ""

    @property
    def larger(self) -> bool:
        """Whether the larger model answered."""
        return self.answer is not None and self.answer.larger


@dataclass(frozen=True, slots=True)
class Adaptation:
    """The learner as the panel shows it: what it does, and the `strategy` by which it adapts ("frozen": none)."""

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
class SideFigures:
    """Figures of one side over `objects` objects; nan when there are none.

    The sides are the user, and the replays with adapted and with frozen weights.
    """

    objects: int
    noc_85: float
    noc_90: float
    fr_20_85: float
    fr_30_90: float


NO_FIGURES = SideFigures(0, _NAN, _NAN, _NAN, _NAN)
"""The figures of no objects."""


@dataclass(frozen=True, slots=True)
class AttemptFigures:
    """The figures over accepted objects and the `given_up` ones, which count as failed and with the limit as their clicks.

    A given-up object has no mask to be replayed against: it counts as failed on each side that has replays.
    """

    given_up: int = 0
    user: SideFigures = NO_FIGURES
    adapted: SideFigures = NO_FIGURES
    frozen: SideFigures = NO_FIGURES


@dataclass(frozen=True, slots=True)
class Trust:
    """How well the expected IoUs of `answers` answers match the true ones: reliability and calibration error.

    `raw` is as the heads (or the decoder) said it, `calibrated` as it was calibrated on the answers before each.
    """

    answers: int
    raw: tuple[Bin, ...]
    calibrated: tuple[Bin, ...]
    raw_error: float
    calibrated_error: float


@dataclass(frozen=True, slots=True)
class Ratings:
    """Mean ratings of masks, 1 .. 10: of the original weights' (version 0), of all later versions', and by version.

    `difference` is adapted less frozen.
    """

    frozen: MeanRating
    adapted: MeanRating
    difference: MeanRating
    versions: tuple[tuple[int, MeanRating], ...]


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """Mean clicks and working seconds per object of one group, given-up objects included; nan without objects."""

    objects: int = 0
    clicks: float = _NAN
    seconds: float = _NAN


@dataclass(frozen=True, slots=True)
class MeanDifference:
    """How much more one group needs than another, and the 95 % interval of that; nan while it is not known."""

    value: float = _NAN
    low: float = _NAN
    high: float = _NAN


@dataclass(frozen=True, slots=True)
class ControlFigures:
    """Objects that were answered with learning, and control objects, as the draw divided them.

    `clicks` and `seconds` are learned minus control. `sentence` says what may be concluded, "" where nothing was drawn.
    """

    learned: GroupFigures = field(default_factory=GroupFigures)
    control: GroupFigures = field(default_factory=GroupFigures)
    clicks: MeanDifference = field(default_factory=MeanDifference)
    seconds: MeanDifference = field(default_factory=MeanDifference)
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The session's figures from its raw records.

    `sentence` is what the panel opens with. `review` counts the masks that need a review. `confidence` turns an
    expected IoU into the one calibrated on this session. `ratings` is None where no mask was rated, and while masks are
    being rated. `user` is the user's own side. `attempts` are the same figures with the objects that were given up; all
    others are over accepted objects. `controls` compares control objects with the others. `by_hand` counts the objects
    with a step by hand.
    """

    objects: int
    person_clicks: float
    seconds_per_object: float
    adapted: SideFigures
    frozen: SideFigures
    stream: tuple[StreamPoint, ...]
    sentence: str
    trust: Trust = Trust(0, (), (), _NAN, _NAN)
    review: int = 0
    confidence: Calibration = UNCALIBRATED
    ratings: Ratings | None = None
    user: SideFigures = NO_FIGURES
    attempts: AttemptFigures = field(default_factory=AttemptFigures)
    controls: ControlFigures = field(default_factory=ControlFigures)
    by_hand: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One line for the message bar; `image` is the image that it is about, "" where it is about no one image."""

    severity: Severity
    text: str
    image: str = ""


@dataclass(frozen=True, slots=True)
class Rating:
    """A run in which masks are rated: the object that is shown, those that are `left`, and how many are `done`."""

    object_id: int
    left: tuple[int, ...]
    done: int


@dataclass(frozen=True, slots=True)
class Display:
    """What the user chose to see and to work with.

    `opacity` 0 .. 1 is that of the uncertainty map, `size` the diameter of the brush in image pixels. `look` is that of the
    image, `fill` the opacity of masks in shares of the usual one. `hidden` and `behind` are ids of objects.
    """

    masks: bool = True
    overlay: OverlayKind = "off"
    opacity: float = 0.8
    compare: bool = False
    tool: ToolName = "prompt"
    size: float = 12.0
    look: DisplayLook = PLAIN
    fill: float = 1.0
    outlines: bool = False
    hidden: frozenset[int] = frozenset()
    behind: frozenset[int] = frozenset()

    @property
    def filled(self) -> float:
        """Opacity of the masks, in shares of the usual one."""
        return 0.0 if self.outlines else self.fill


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """A map of how unsure the answer on the screen is: `values` (g, g) over `window` padded to a square.

    "entropy" is in bits, 0 .. 1. "disagreement", 0 .. 1, is 4 p (1 - p) of the hypotheses. "refiner" and "adapted" are
    differences of probability, 0 .. 1. "ensemble" is a standard
    deviation of probability, 0 .. 0.5. "lesson" is 1 object, -1 background, 0 left out.
    Both are None, and `reason` says why for the user, where there is no map.
    """

    kind: OverlayKind
    window: Window | None
    values: FloatArray | None
    reason: str = ""

    def at(self, x: float, y: float) -> float | None:
        """The value at an image point; None outside the window, and where there is no map."""
        if self.window is None or self.values is None or not self.window.contains(x, y):
            return None
        last, cells = len(self.values) - 1, len(self.values) / self.window.side
        row, column = (int((value + 0.5) * cells) for value in (y - self.window.y, x - self.window.x))
        return float(self.values[min(row, last), min(column, last)])


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Everything a view needs; every action's enabled state is a function of it.

    `overlay` is the map that was asked for last, of the answer on the screen. `waiting` are the acts that were done before
    their time, in order. They follow once the awaited answer is there. `exporting` is how far an export is, in words, ""
    while there is none. `proposals` are those of the open image. `rating` is the run in which masks are rated, None while
    there is none. `joining` is the object that waits for another to be merged with it. `review` is
    what is to be looked at again.
    """

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
    overlay: Overlay | None = None
    waiting: tuple[UserAct, ...] = ()
    exporting: str = ""
    rating: Rating | None = None
    joining: int | None = None
    proposals: Proposals = field(default_factory=Proposals)
    review: ReviewList = NOTHING_TO_REVIEW
