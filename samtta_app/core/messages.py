"""What goes to the engine and what comes back: frozen requests with an id, frozen replies that repeat it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from samtta_app.core.types import (
    Candidate,
    Click,
    Example,
    FloatArray,
    Gaps,
    Image,
    Logits,
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
    """Read an image file."""

    lane: ClassVar[Lane] = "urgent"
    id: int
    path: Path


@dataclass(frozen=True, slots=True, eq=False)
class PredictRequest:
    """Answer a prompt.

    `window` None lets the engine choose: the whole image or `view`, then the surroundings of a small object. `twin`
    asks the frozen weights for a comparison beside the answer, `frozen` for the answer itself, and `larger` asks those
    of the larger model. `candidates` asks for three masks for any prompt. It also keeps a given `window` that holds the
    prompt. `whole` answers in the whole image, as SAM was evaluated, and looks no closer.
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

    @property
    def original(self) -> bool:
        """Whether weights that never learn are asked; the learner is not told of their answers."""
        return self.twin or self.frozen or self.larger


@dataclass(frozen=True, slots=True, eq=False)
class PrefetchRequest:
    """Encode an image's whole window ahead of the first click; reads the image when only its path is known."""

    lane: ClassVar[Lane] = "background"
    id: int
    path: Path
    image: Image | None = None


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
class PseudoLabelRequest:
    """Show what an accepted object taught, or what a mask would teach if it were accepted now."""

    lane: ClassVar[Lane] = "asked"
    id: int
    example: Example


Request = (
    LoadRequest
    | PredictRequest
    | PrefetchRequest
    | AdaptRequest
    | ForgetRequest
    | TwinRequest
    | ControlRequest
    | RestoreRequest
    | RefineRequest
    | MeasureRequest
    | PseudoLabelRequest
)


# --- replies: what comes back ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """An image file was read."""

    request_id: int
    image: Image


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The answer to a prompt, from the engine to the window: one to three candidates, `chosen` by predicted IoU, in `window`.

    A prompt of exclude clicks alone has no candidates. An empty candidate occurs only where all are empty. `no_gaps`
    tells the user why the candidates have no gaps ("" where they have). `advise_from` holds the minimum gaps for
    showing advice. `larger` is whether the larger model answered.
    """

    request_id: int
    window: Window
    candidates: tuple[Candidate, ...]
    chosen: int
    weights_version: int
    seconds: float
    twin: bool = False
    no_gaps: str = ""
    advise_from: Gaps | None = None
    larger: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """A refined answer: the refined `mask`, its predicted IoU, and the difference of both masks, over `window`.

    `uncertainty` (g, g) float32, 0 .. 1, is |probability of the answer - refined probability| per low-resolution pixel
    of the window padded to a square. Without a refiner or an object to refine, mask and map are None, and `reason`
    tells the user why. `seconds` counts the refining alone.
    """

    request_id: int
    mask: Mask | None
    predicted_iou: float
    uncertainty: FloatArray | None
    window: Window
    seconds: float
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class PseudoLabel:
    """What a mask teaches: `values` (G, G) over `window` padded to a square, 1 object, -1 background, 0 left out.

    Without values, `reason` tells the user why.
    """

    request_id: int
    window: Window
    values: FloatArray | None
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """How unsure the shown mask of an answer is; each requested name is in `numbers`, `maps` or both, or in `absent`.

    `numbers` by name; those of the heads by the heads' names.

    `maps` (g, g) over the answer's window, not logits: "entropy" in bits, the others in probability.

    `seconds` of each measure alone, with the encoded image and the answer given; "decoder" is one bare pass over the
    prompt.

    `absent`: why a name has no value, for users.
    """

    request_id: int
    numbers: Mapping[str, float]
    maps: Mapping[str, Logits]
    seconds: Mapping[str, float]
    absent: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Prefetched:
    """An image is encoded; its first click is answered at once, until `Evicted` names its `image_key`.

    `encoded` is False where the image was skipped, because reading it ahead would cost too much.
    """

    request_id: int
    path: Path
    image_key: str = ""
    encoded: bool = True


@dataclass(frozen=True, slots=True)
class Evicted:
    """Encoded images that were dropped to free memory; their next first click has to wait. `image_keys` are `Image.key`s."""

    image_keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class AdaptReport:
    """Result of one adaptation.

    `kept` says whether `version` was published, `reason` why or why not, for users. The three guard figures are mean
    IoU on held-back accepted objects (nan when there are none). `weights` are the published decoder's tensors as
    safetensors bytes (empty when dropped). `losses` has one value per optimiser step. `model` is the SHA-256 of the
    learning model's weights.
    """

    request_id: int
    object_id: int
    kept: bool
    reason: str
    version: int
    losses: tuple[float, ...]
    guard_candidate: float
    guard_published: float
    guard_frozen: float
    guard_objects: int
    memory_objects: int
    seconds: float
    weights: bytes = field(default=b"", repr=False)
    model: str = ""


@dataclass(frozen=True, slots=True)
class TwinReport:
    """IoU with the accepted mask after click 1, 2, ..., for the frozen weights and for those published at the accept.

    A trajectory ends at the first IoU >= .90 or after 30 clicks.
    """

    request_id: int
    object_id: int
    weights_version: int
    frozen: tuple[float, ...]
    adapted: tuple[float, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Controlled:
    """A control or restore request was carried out: the version now published, and whether learning is paused.

    `model` is the SHA-256 of the answering model's weights (after a restore request).
    """

    request_id: int
    action: str
    version: int
    paused: bool
    model: str = ""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """An object was withdrawn from the replay memory."""

    request_id: int
    object_id: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that could not be answered; `text` is for users, `kind` is the request's class name."""

    request_id: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of long work: `stage` in plain words ("encoding", "learning", "comparing with the original")."""

    stage: str
    fraction: float


Partial = Progress | Evicted | Answer
"""What may come before the reply to a request, any number of times. One that holds a result repeats the request's id."""

Reply = (
    Loaded
    | Answer
    | Refined
    | Measured
    | PseudoLabel
    | Prefetched
    | AdaptReport
    | TwinReport
    | Controlled
    | Forgotten
    | Failure
    | Partial
)
