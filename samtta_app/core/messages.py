"""What goes to the engine: frozen requests, each with an id that its reply repeats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from samtta_app.core.automatic import EDGE_SETTINGS, SAM_SETTINGS, AutomaticSettings
from samtta_app.core.planes import FIRST_PLANE, PlaneChoice
from samtta_app.core.types import (
    Box,
    Candidate,
    Click,
    Example,
    Image,
    Mask,
    Prompt,
    WaitingExample,
    Window,
)

Lane = Literal["urgent", "asked", "background"]
"""Priority of a request.

"urgent": a click, served at once. "asked": what a user wants to see, served after clicks. "background": learning and
the like, served last.
"""

ReportProgress = Callable[[float, str], None]
"""Called with the completed share of long work, 0 .. 1, and a few words."""


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Read an image file; `planes` says which plane of a file with many."""

    lane: ClassVar[Lane] = "urgent"
    id: int
    path: Path
    planes: PlaneChoice = FIRST_PLANE


@dataclass(frozen=True, slots=True, eq=False)
class PredictRequest:
    """Answer a prompt.

    `window` None lets the engine choose: the whole image or `view`, then the surroundings of a small object. `twin`
    asks the frozen weights for a comparison beside the answer, `frozen` for the answer itself, and `larger` asks those
    of the larger model. `candidates` asks for three masks for any prompt. It also keeps a given `window` that holds the
    prompt. `whole` answers in the whole image, as SAM was evaluated, and looks no closer. `others` asks for the other
    masks of the decoder beside the one that answers, which stays the chosen one.
    """

    lane: ClassVar[Lane] = "urgent"
    id: int
    image: Image
    prompt: Prompt
    window: Window | None = None
    view: Window | None = None
    twin: bool = False
    larger: bool = False
    candidates: bool = False
    whole: bool = False
    frozen: bool = False
    others: bool = False

    @property
    def original(self) -> bool:
        """Whether weights that never learn are asked; the learner is not told of their answers."""
        return self.twin or self.frozen or self.larger


@dataclass(frozen=True, slots=True, eq=False)
class HoverRequest:
    """Show what a click would show, without making it; a newer one takes the place of one that waits."""

    lane: ClassVar[Lane] = "asked"
    id: int
    image: Image
    click: Click
    view: Window | None = None
    class_id: int | None = None
    class_name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class PrefetchRequest:
    """Encode an image's whole window ahead of the first click; reads the image when only its path is known."""

    lane: ClassVar[Lane] = "background"
    id: int
    path: Path
    image: Image | None = None
    planes: PlaneChoice = FIRST_PLANE


@dataclass(frozen=True, slots=True)
class ThumbnailRequest:
    """Make a picture of at most `side` pixels of an image file, when nothing else is to be done."""

    lane: ClassVar[Lane] = "background"
    id: int
    path: Path
    side: int
    planes: PlaneChoice = FIRST_PLANE


@dataclass(frozen=True, slots=True, eq=False)
class AdaptRequest:
    """Learn from one accepted object; with `learn` False it is only remembered (when a session is resumed).

    `at_once` is for strategies that learn in the order of the acts: the next click waits for this lesson. `whole`
    remembers the object in the window where it was accepted, which is then the whole image.
    """

    id: int
    example: Example | WaitingExample
    learn: bool = True
    at_once: bool = False
    whole: bool = False

    @property
    def lane(self) -> Lane:
        """It is urgent where the next click waits for it."""
        return "urgent" if self.at_once else "background"


@dataclass(frozen=True, slots=True)
class ForgetRequest:
    """Withdraw an object from the replay memory (its accept was undone or it was deleted)."""

    lane: ClassVar[Lane] = "urgent"
    id: int
    object_id: int


@dataclass(frozen=True, slots=True, eq=False)
class TwinRequest:
    """Replay an accepted object with RITM's annotator against its accepted mask, once per weights, in the same way.

    `weights_version` was published when the object was accepted, so it had not seen the object. `weights` are its
    bytes, for a replay that was postponed.
    """

    lane: ClassVar[Lane] = "background"
    id: int
    example: Example | WaitingExample
    weights_version: int
    weights: bytes = field(default=b"", repr=False)


ControlAction = Literal["pause", "resume", "rollback", "reset"]


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """Pause, resume, roll back one version, or reset to the original weights."""

    lane: ClassVar[Lane] = "urgent"
    id: int
    action: ControlAction


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """Publish stored decoder weights (safetensors bytes) as `version`, when a session is resumed.

    Without bytes nothing is published. The version's number is never used again, and the reply names the model that
    answers.
    """

    lane: ClassVar[Lane] = "urgent"
    id: int
    version: int
    weights: bytes


@dataclass(frozen=True, slots=True, eq=False)
class RefineRequest:
    """Show where the answer to a prompt is unsure, by refining it (SUM).

    `answer` is refined in its own window. Without it, the published weights answer the prompt again, in `window`; None
    chooses the window of a new object.
    """

    lane: ClassVar[Lane] = "asked"
    id: int
    image: Image
    prompt: Prompt
    window: Window | None = None
    answer: Candidate | None = None


@dataclass(frozen=True, slots=True, eq=False)
class MeasureRequest:
    """Measure how unsure the answer to a prompt is, by measures beyond those that come with it.

    The published weights are used in `window`, without anything fitted to the current object.

    Args:
        names: of `samtta_app.uncertainty.measures.MEASURES`.
        clicks: alternatives to the newest click. Those outside the window are left out. Without any, eight clicks near
            the newest one are used.
        heads: a file of heads to use instead of the model's own.
        frozen: measure the frozen weights' answer instead.
    """

    lane: ClassVar[Lane] = "asked"
    id: int
    image: Image
    prompt: Prompt
    window: Window | None
    names: tuple[str, ...]
    clicks: tuple[Click, ...] = ()
    heads: Path | None = None
    frozen: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class HypothesesRequest:
    """Show which outlines are plausible for a prompt that was answered in `window`.

    `shown` is the answer's mask. `frozen`: by the original weights and without what was learned. `masks`: give the mask
    of every hypothesis, too.
    """

    lane: ClassVar[Lane] = "asked"
    id: int
    image: Image
    prompt: Prompt
    window: Window
    shown: Mask | None = None
    frozen: bool = False
    masks: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class PseudoLabelRequest:
    """Show what an accepted object taught, or what a mask would teach if it were accepted now."""

    lane: ClassVar[Lane] = "asked"
    id: int
    example: Example


@dataclass(frozen=True, slots=True, eq=False)
class AutomaticRequest:
    """Find masks everywhere in an image, by a grid of clicks.

    `class_id` and `class_name` say what is looked for: they bring a task prompt and the looks of accepted objects.
    `settings` None are the model's own. `learned`: accepted objects lower the limits of `settings` and say which sizes are
    looked for. `frozen`: by the original weights and without what was learned. `slack`: masks so far below the limits are
    found too, for a user who moves them. `alike`: only objects that look like these are found. `accepted`: objects whose
    classes are said of masks that look like them.
    """

    lane: ClassVar[Lane] = "asked"
    id: int
    image: Image
    settings: AutomaticSettings | None = SAM_SETTINGS
    class_id: int | None = None
    class_name: str = ""
    learned: bool = True
    frozen: bool = False
    slack: float = 0.0
    alike: tuple[Example | WaitingExample, ...] = ()
    accepted: tuple[Example | WaitingExample, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class BoxesRequest:
    """Find the mask in each of some boxes; they come as those of `AutomaticRequest` do."""

    lane: ClassVar[Lane] = "asked"
    id: int
    image: Image
    boxes: tuple[Box, ...]
    class_id: int | None = None
    class_name: str = ""
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class StopRequest:
    """End the search for masks that the request of this number began, at its next step; it is answered by what it found."""

    lane: ClassVar[Lane] = "urgent"
    id: int
    stopped: int


@dataclass(frozen=True, slots=True, eq=False)
class EdgesRequest:
    """Show the edges of everything in an image, by the published weights; `frozen`: by the original ones."""

    lane: ClassVar[Lane] = "asked"
    id: int
    image: Image
    settings: AutomaticSettings = EDGE_SETTINGS
    frozen: bool = False


Request = (
    LoadRequest
    | PredictRequest
    | HoverRequest
    | PrefetchRequest
    | AdaptRequest
    | ForgetRequest
    | TwinRequest
    | ControlRequest
    | RestoreRequest
    | RefineRequest
    | MeasureRequest
    | PseudoLabelRequest
    | HypothesesRequest
    | AutomaticRequest
    | BoxesRequest
    | StopRequest
    | EdgesRequest
    | ThumbnailRequest
)
