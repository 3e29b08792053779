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
"""How soon a request is served: a click at once, what a user asked to see after clicks, learning and the like after both."""

ReportProgress = Callable[[float, str], None]
"""Called with the share of long work that is done, 0 .. 1, and a few words."""


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Read an image file."""

    lane: ClassVar[Lane] = "urgent"
    id: int
    path: Path


@dataclass(frozen=True, slots=True, eq=False)
class PredictRequest:
    """Answer a prompt. `window` None lets the engine choose (whole image or `view`, then around a small object).

    `twin` asks the frozen weights instead of the published ones, `larger` those of the larger model. `candidates` asks for
    three masks whatever the prompt, and for no other window than `window` where that is given and holds the prompt.
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


@dataclass(frozen=True, slots=True, eq=False)
class PrefetchRequest:
    """Read (when only the path is known) and encode an image's whole window ahead of the first click."""

    lane: ClassVar[Lane] = "background"
    id: int
    path: Path
    image: Image | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AdaptRequest:
    """Learn from one accepted object; with `learn` False it is only remembered (a session being resumed)."""

    lane: ClassVar[Lane] = "background"
    id: int
    example: Example | WaitingExample
    learn: bool = True


@dataclass(frozen=True, slots=True)
class ForgetRequest:
    """Withdraw an object from the replay memory (its accept was undone or it was deleted)."""

    lane: ClassVar[Lane] = "urgent"
    id: int
    object_id: int


@dataclass(frozen=True, slots=True, eq=False)
class TwinRequest:
    """Replay an accepted object with RITM's clicker against its accepted mask, once per weights, both the same way.

    `weights_version` is the version that was published when the object was accepted: it had not seen the object. `weights`
    are its bytes, for a replay that was put off.
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
    """Publish stored decoder weights (safetensors bytes) as `version`: a session being resumed.

    Without bytes nothing is published; neither number is given again, and the reply says which model answers.
    """

    lane: ClassVar[Lane] = "urgent"
    id: int
    version: int
    weights: bytes


@dataclass(frozen=True, slots=True, eq=False)
class RefineRequest:
    """Say where the answer to a prompt is unsure, by refining it (SUM).

    `answer` is what is refined, in its own window; without it the prompt is answered anew by the published weights, in
    `window` or, where that is None, as for a new object.
    """

    lane: ClassVar[Lane] = "asked"
    id: int
    image: Image
    prompt: Prompt
    window: Window | None = None
    answer: Candidate | None = None


@dataclass(frozen=True, slots=True, eq=False)
class MeasureRequest:
    """Say how unsure the answer to a prompt is, by other measures than those that come with it.

    Asked are the published weights, without what was fitted to the object at hand, in `window`.

    Args:
        names: of `samtta_app.uncertainty.measures.MEASURES`.
        clicks: what else might have been clicked in place of the newest click; those outside the window are left out; without
            any, eight clicks near it.
        heads: a file of heads to ask instead of the model's own.
    """

    lane: ClassVar[Lane] = "asked"
    id: int
    image: Image
    prompt: Prompt
    window: Window | None
    names: tuple[str, ...]
    clicks: tuple[Click, ...] = ()
    heads: Path | None = None


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

    There are none where the prompt has exclude clicks alone; one that is empty only where all are.
    `no_gaps` says why the candidates have no gaps, for a person ("" where they have); `advise_from` are the gaps from which
    on advice is worth a person's act. `larger` is whether the larger model answered.
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
    """An answer refined: the refined `mask`, its predicted IoU, and how far both differ, over `window`.

    `uncertainty` (g, g) float32, 0 .. 1, is |probability of the answer - refined probability| per low-resolution pixel of
    the window padded to a square. Mask and map are None, and `reason` says why for a person, where there is no refiner or
    nothing to refine. `seconds` are those of the refining alone.
    """

    request_id: int
    mask: Mask | None
    predicted_iou: float
    uncertainty: FloatArray | None
    window: Window
    seconds: float
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """How unsure the shown mask of an answer is: each name asked for is in `numbers`, `maps` or both, or in `absent`.

    `numbers` by name, those of the heads by the heads' names. `maps` (g, g) are over the answer's window, not logits:
    "entropy" in bits, the others in probability. `seconds` of each measure alone, the encoded image and the answer given,
    and of "decoder", one bare pass over the prompt. `absent`: why a name has no value, for a person.
    """

    request_id: int
    numbers: Mapping[str, float]
    maps: Mapping[str, Logits]
    seconds: Mapping[str, float]
    absent: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Prefetched:
    """An image is encoded; its first click will be answered at once, until it is `Evicted` by its `image_key`.

    `encoded` is False where it was passed over, because reading it ahead would cost too much.
    """

    request_id: int
    path: Path
    image_key: str = ""
    encoded: bool = True


@dataclass(frozen=True, slots=True)
class Evicted:
    """Encoded images had to make room: their next first click has to wait. `image_keys` are those of `Image.key`."""

    image_keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class AdaptReport:
    """What became of one adaptation.

    `kept` says whether `version` was published; `reason` says why or why not, for a person. The three guard figures are
    mean IoU on held-back accepted objects (nan when there are none). `weights` are the published decoder's tensors as
    safetensors bytes (empty when dropped). `losses` has one value per optimiser step. `model` is the SHA-256 of the weights
    of the model that learned.
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
    """IoU with the accepted mask after click 1, 2, ... for the frozen and for the then published weights.

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

    `model` is the SHA-256 of the weights of the model that answers (after a restore request).
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
    """A request that could not be answered; `text` is for the person, `kind` is the request's class name."""

    request_id: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Where long work stands: `stage` in plain words ("encoding", "learning", "comparing with the original")."""

    stage: str
    fraction: float


Partial = Progress | Evicted
"""What may come before the reply to a request, any number of times. One that holds a result repeats the request's id."""

Reply = (
    Loaded
    | Answer
    | Refined
    | Measured
    | Prefetched
    | AdaptReport
    | TwinReport
    | Controlled
    | Forgotten
    | Failure
    | Partial
)
