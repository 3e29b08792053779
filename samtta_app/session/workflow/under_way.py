"""What the workflow remembers between two acts beside the state that is shown, as frozen values; the context holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from samtta_app.core.calibration import Calibration
from samtta_app.core.replies import Answer
from samtta_app.core.types import Annotation, Box, Candidate, Image, Mask
from samtta_app.formats.detections import DetectedBox, Detections, inside_image
from samtta_app.session.acts import OverlayKind
from samtta_app.session.proposal_list import Origin
from samtta_app.session.review_list import DifferenceKey, ProjectComparison
from samtta_app.session.state import Statistics

Then = Literal["", "undo", "redo"]


@dataclass(frozen=True, slots=True)
class Loading:
    """The image file that is being read, to be shown, and then to undo or redo; `back` was open before it."""

    request_id: int
    name: str
    then: Then = ""
    back: int = 0


@dataclass(frozen=True, slots=True)
class LessonTask:
    """What is to be done with an object; a replay that was put off names the version that had not seen the object."""

    kind: Literal["remember", "replay", "learn"]
    object_id: int
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Lessons:
    """What is still to be learned.

    `waiting` are the next tasks in their order, `late` the replays that were put off. `passed` names the images that failed
    in this run. `resuming` are the requests whose answers say with which weights the session begins. `model` is the model
    that they named. `refusal` is why stored weights are not used.
    """

    waiting: tuple[LessonTask, ...] = ()
    late: tuple[LessonTask, ...] = ()
    passed: frozenset[str] = frozenset()
    resuming: frozenset[int] = frozenset()
    model: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What limits encoding ahead: images too `large` for it, and no room for the open image and the next (`crowded`)."""

    large: frozenset[str] = frozenset()
    crowded: bool = False


Subject = tuple[OverlayKind, Candidate | Annotation | Image]
"""What a map shows: its kind, and the mask on the screen, the selected object, or the image."""


@dataclass(frozen=True, slots=True, eq=False)
class MeasuringMap:
    """The newest map: `known` says what the shown one is of; `request_id` and `asked` belong to the one under way (0: none)."""

    known: Subject | None = None
    request_id: int = 0
    asked: Subject | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """Hypotheses: `known` is the answer that they were asked for; `request_id` and `asked` belong to those under way."""

    known: Answer | None = None
    request_id: int = 0
    asked: Answer | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """A mask on its way to another image, which is being opened."""

    image: str
    mask: Mask


@dataclass(frozen=True, slots=True, eq=False)
class ReviewPlace:
    """Where the review is.

    `comparison` is with another annotator's project, None while masks in doubt are reviewed. Its `settled` differences are
    done, and `current` is the one that is looked at. `moves` counts how often the queue led somewhere. `fixing` is the
    object that is being corrected. `counted` are the figures that the shown masks in doubt belong to.
    """

    comparison: ProjectComparison | None = None
    settled: frozenset[DifferenceKey] = frozenset()
    current: DifferenceKey | None = None
    moves: int = 0
    fixing: int | None = None
    counted: Statistics | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """The search for masks that is under way (`request_id` 0: none), and what it needs to know.

    `exemplars` are objects that more are looked for like, `boxes` a detector's, from the file `source`. Both go on with the
    next image, where it was not `tried`. `rejected` are masks of the open image. `moved`: the user has set limits.
    """

    request_id: int = 0
    exemplars: tuple[Annotation, ...] = ()
    boxes: Detections | None = None
    source: str = ""
    tried: frozenset[str] = frozenset()
    rejected: tuple[Mask, ...] = ()
    calibrations: dict[Origin, Calibration] = field(default_factory=dict)
    moved: bool = False

    def asked_boxes(self, name: str, width: int, height: int) -> Iterator[tuple[Box, DetectedBox]]:
        """The boxes of an image, each with its part that lies in the image, highest score first."""
        for each in sorted(self.boxes.of(name) if self.boxes else (), key=lambda one: -one.score):
            box = inside_image(each.box, width, height)
            if box is not None:
                yield box, each
