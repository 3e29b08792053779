"""What comes back from the engine: frozen replies, which repeat the id of their request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from samtta_app.core.automatic import AutomaticMask, AutomaticSettings
from samtta_app.core.types import (
    Candidate,
    FloatArray,
    Gaps,
    Image,
    Logits,
    Mask,
    Window,
)

SAMPLED_CARDS = 4
"""Plausible outlines that are shown at most: the eye takes in so many at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """An image file was read."""

    request_id: int
    image: Image


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The answer to a prompt, from the engine to the window: one to four candidates, of which one is `chosen`, in `window`.

    A prompt of exclude clicks alone has no candidates. An empty candidate occurs only where all are empty. `no_gaps`
    tells the user why the candidates have no gaps ("" where they have). `advise_from` holds the minimum gaps for
    showing advice. `larger` is whether the larger model answered. `more`: this is the first sight of a new object, and
    the answer to the same request follows. `plausible`: hypotheses can be drawn for it. `disagreement` is theirs once they
    were drawn (`Hypotheses`), and `samples` how many they are.
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
    more: bool = False
    plausible: bool = False
    samples: int = 0
    disagreement: Logits | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Hovered:
    """What a click under the pointer would show; None where that is not known at once, or nothing is found."""

    request_id: int
    mask: Mask | None
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnailed:
    """A small picture (h, w, 3) uint8 of a file; None where the file is too large or cannot be read."""

    request_id: int
    path: Path
    pixels: NDArray[np.uint8] | None


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
class Hypotheses:
    """Plausible outlines for a prompt, from the engine to the window: cards, those of most samples first.

    `samples` is how many hypotheses were drawn; each card says how many of them look like it. `disagreement` (g, g)
    float32, 0 .. 1, over `window` padded to a square: 4 p (1 - p), p the share of samples that hold the cell. `preferred`
    is whether accepted objects of the class moved the draw. Without cards, `reason` tells the user why. `masks` are those
    of all samples, where they were asked for.
    """

    request_id: int
    window: Window
    cards: tuple[Candidate, ...]
    samples: int
    disagreement: FloatArray | None
    preferred: bool
    weights_version: int
    seconds: float
    reason: str = ""
    masks: tuple[Mask, ...] = ()


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


@dataclass(frozen=True, slots=True, eq=False)
class AutomaticFound:
    """Masks that were just found, while more are looked for; the reply may leave some of them out.

    `share` of the work is done, 0 .. 1. `settings` are those that are used, None where boxes are answered.
    """

    request_id: int
    masks: tuple[AutomaticMask, ...]
    share: float
    settings: AutomaticSettings | None = None
    weights_version: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class AutomaticMasks:
    """Every mask that was found and stays; `weights_version` made them. `seconds` are those of the work, encoding included.

    `settings` are those that were used: accepted objects may have changed the request's. They are None where boxes were
    answered. `stopped`: the search was ended before its time.
    """

    request_id: int
    masks: tuple[AutomaticMask, ...]
    settings: AutomaticSettings | None
    weights_version: int
    seconds: float
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class SearchStopped:
    """A search will end at its next step."""

    request_id: int


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """The strength of edges in an image (H, W) float32, 0 .. 1, thin; `masks` is of how many masks they are."""

    request_id: int
    strength: FloatArray
    masks: int
    weights_version: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Prefetched:
    """An image is encoded; its first click is answered at once, until `Evicted` names its `image_key`.

    `encoded` is False where the image was skipped, because reading it ahead would cost too much. The key is ""
    then, but for an image that is so large that it is never encoded whole.
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


Partial = Progress | Evicted | Answer | AutomaticFound
"""What may come before the reply to a request, any number of times. One that holds a result repeats the request's id."""

Reply = (
    Loaded
    | Answer
    | Hovered
    | Thumbnailed
    | Refined
    | Measured
    | PseudoLabel
    | Hypotheses
    | AutomaticMasks
    | SearchStopped
    | Edges
    | Prefetched
    | AdaptReport
    | TwinReport
    | Controlled
    | Forgotten
    | Failure
    | Partial
)
