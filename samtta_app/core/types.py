"""The values that cross the layers: clicks, masks, candidates, annotations.

One coordinate system: image pixels, x right, y down, (0, 0) is the centre of the top-left pixel. All values are frozen.
Arrays inside are never changed after construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from samtta_app.core.object_notes import NO_NOTE, ObjectNote
from samtta_app.core.planes import FIRST_PLANE, PlaneAxes, PlaneChoice
from samtta_app.errors import ImageError

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

HandKind = Literal["brush", "erase", "polygon", "shape", "merge", "split", "copy"]
"""How a user shapes a mask by hand: strokes, a polygon, a change of its shape, or other masks that it is made of."""

StepKind = Literal["click", "box", "scribble"] | HandKind
"""How a user shapes an object; there are no scribbles yet, and a project has room for them."""


@dataclass(frozen=True, slots=True)
class Click:
    """A signed point in image pixels; `positive` means "this belongs to the object"."""

    x: float
    y: float
    positive: bool


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in image pixels, corners included: x0 <= x1, y0 <= y1."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Window:
    """The part of an image that the model sees: columns x .. x + width - 1, rows y .. y + height - 1, inside the image."""

    x: int
    y: int
    width: int
    height: int

    @property
    def side(self) -> int:
        """Longer side in pixels; the shorter one is padded to it on the right or at the bottom."""
        return max(self.width, self.height)

    def contains(self, x: float, y: float) -> bool:
        """Whether the image point lies in the window."""
        return -0.5 <= x - self.x < self.width - 0.5 and -0.5 <= y - self.y < self.height - 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """A bitmap in an image: `bits` (h, w) bool with its top-left pixel at (x, y). Everything outside is background."""

    x: int
    y: int
    bits: BoolArray

    @property
    def area(self) -> int:
        """Number of object pixels."""
        return int(np.count_nonzero(self.bits))


@dataclass(frozen=True, slots=True, eq=False)
class Logits:
    """The decoder's low-resolution output for one window: `values` (g, g) float32 over the window padded to a square."""

    window: Window
    values: FloatArray


class ImageSource(Protocol):
    """An image in levels: level 0 is the image itself, each further one half the one before, odd sides rounded up."""

    def extent(self, level: int = 0) -> Window:
        """The whole image in pixels of a level."""

    def read(self, window: Window, level: int = 0) -> NDArray[np.uint8]:
        """The pixels (H, W, 3) RGB of a window, which is given in pixels of the level and lies inside its extent."""


class TileReader(ImageSource, Protocol):
    """An image that is read from its file by tile; every method may be called on any thread."""

    def value_at(self, x: int, y: int) -> NDArray[Any] | None:
        """The file's own values of a pixel, without reading the file; None where its tile was not read of late."""


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One image as it is shown and encoded.

    `pixels` is (H, W, 3) uint8 RGB, upright (EXIF applied). It is percentile-stretched where the file is deeper than 8
    bit or dark.

    `raw` is the file's own array (H, W) or (H, W, C) in its own dtype, for the value read-out.

    `key` identifies the content.

    `notice` is a sentence about parts of the file that are not shown (other pages, further channels), "" if none.

    `tiles` reads an image that is too large to be held whole; `pixels` and `raw` are empty then.
    `axes` are those that the file has beside rows, columns and channels. `scene` identifies the content while one of its
    channels is shown; "" where `key` does.
    """

    key: str
    path: Path
    pixels: NDArray[np.uint8]
    raw: NDArray[np.generic]
    notice: str = ""
    tiles: TileReader | None = None
    axes: PlaneAxes = ()
    scene: str = ""

    @property
    def height(self) -> int:
        """Rows."""
        return self.tiles.extent().height if self.tiles else int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return self.tiles.extent().width if self.tiles else int(self.pixels.shape[1])

    @property
    def whole(self) -> Window:
        """The window that shows the whole image."""
        return Window(0, 0, self.width, self.height)


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image that is read when needed; `key` identifies its content, "" where unknown; `planes` are what is read of it."""

    path: Path
    key: str = ""
    planes: PlaneChoice = FIRST_PLANE


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """All that a user said about one object: clicks in order, an optional box, and the logits of the previous answer.

    `class_id` is the class being annotated, None without classes. `class_name` is its name: a class that is called as
    a task of the model takes that task's prompt. `tidy` is whether crumbs and pinholes of its masks go.
    """

    clicks: tuple[Click, ...] = ()
    box: Box | None = None
    logits: Logits | None = None
    class_id: int | None = None
    class_name: str = ""
    tidy: bool = True

    @property
    def ambiguous(self) -> bool:
        """Whether part, whole and group are all possible: a single click and no box (SAM's rule for three masks)."""
        return len(self.clicks) == 1 and self.box is None

    @property
    def includes(self) -> bool:
        """Whether the prompt says what is meant: a box, an include click or an earlier mask. Exclude clicks alone do not."""
        return self.box is not None or self.logits is not None or any(click.positive for click in self.clicks)


@dataclass(frozen=True, slots=True)
class Gaps:
    """Predicted gains in IoU, -0.5 .. 0.5 each (UncertainSAM), and the mask's expected IoU, 0 .. 1.

    `model`: from a larger model (nan where none is known); `task`: from another candidate; `prompt`: from eight clicks.
    """

    model: float
    task: float
    prompt: float
    iou: float


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One mask that answers a prompt.

    `entropy` (g, g) float32 in bits, 0 .. 1, is the entropy of the mask probability per low-resolution pixel of
    `logits.window`. `uncertainty`, 0 .. 1, is its mean weighted by the mask probability (USAM, section A.6). `gaps` is
    None where the model has no uncertainty heads, and for candidates that predicted IoU does not choose. `samples` is how
    many hypotheses look like it, None for the decoder's own masks.
    """

    mask: Mask
    logits: Logits
    predicted_iou: float
    entropy: FloatArray
    uncertainty: float
    gaps: Gaps | None = None
    samples: int | None = None

    @property
    def expected_iou(self) -> float:
        """The IoU that is expected of the mask: the heads' where the model has them, else the decoder's own."""
        return self.gaps.iou if self.gaps else self.predicted_iou


@dataclass(frozen=True, slots=True)
class ClickRecord:
    """One step of an object's history; `iou` is the shown mask's IoU with the accepted mask (nan before the accept).

    `click` is None where the step was the box or by hand; `hand` says how the mask was drawn then. `seconds` counts from the
    object's first step, `latency` from the prompt to its answer (nan by hand).
    """

    click: Click | None
    seconds: float
    latency: float
    window: Window
    weights_version: int
    predicted_iou: float
    uncertainty: float
    iou: float
    gaps: Gaps | None = None
    hand: HandKind | None = None

    @property
    def kind(self) -> StepKind:
        """What the user did."""
        return self.hand or ("box" if self.click is None else "click")

    @property
    def expected_iou(self) -> float:
        """Expected IoU of the mask: from the heads where the model has them, else the decoder's own prediction."""
        return self.gaps.iou if self.gaps else self.predicted_iou


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """An accepted mask with its label and history; `id` is the store's row, `seconds` is working time without idling.

    `picture` identifies size and content of the picture that it was accepted on ("" if unknown). `control` says whether
    the frozen weights answered it as a control object; None where nothing was drawn. `alternatives` are other outlines that
    are as plausible to the annotator. `replaces` are the ids of earlier masks that this one took the place of.
    `source` names the file that it was imported from, "" for one that was drawn here. `note` is what the annotator says of it.
    `annotator` is who accepted it, "" where that is unknown.
    """

    id: int
    image_name: str
    class_id: int
    mask: Mask
    box: Box | None
    history: tuple[ClickRecord, ...]
    window: Window
    weights_version: int
    predicted_iou: float
    uncertainty: float
    seconds: float
    created: str
    gaps: Gaps | None = None
    picture: str = ""
    control: bool | None = None
    alternatives: tuple[Mask, ...] = ()
    replaces: tuple[int, ...] = ()
    source: str = ""
    note: ObjectNote = NO_NOTE
    annotator: str = ""

    @property
    def expected_iou(self) -> float:
        """Expected IoU of the mask: from the heads where the model has them, else the decoder's own prediction."""
        return self.gaps.iou if self.gaps else self.predicted_iou

    @property
    def clicks(self) -> tuple[Click, ...]:
        """The clicks that made it, in order."""
        return tuple(record.click for record in self.history if record.click is not None)

    @property
    def strokes(self) -> int:
        """How many of its steps were done by hand."""
        return sum(record.hand is not None for record in self.history)


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """What the learner may know of one accepted object: image, window, accepted mask, clicks, box, class. No ground truth."""

    object_id: int
    image: Image
    window: Window
    mask: Mask
    clicks: tuple[Click, ...]
    box: Box | None
    class_id: int | None = None
    class_name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class WaitingExample:
    """An Example whose image is read when its turn comes, because a queue of images would not fit in memory."""

    object_id: int
    image: ImageFile
    window: Window
    mask: Mask
    clicks: tuple[Click, ...]
    box: Box | None
    class_id: int | None = None
    class_name: str = ""

    def seen(self, image: Image) -> Example:
        """The example with its image.

        Raises:
            ImageError: the image is not the one that the object was accepted on.
        """
        if self.image.key not in ("", image.scene or image.key):
            raise ImageError("The image was replaced after an object was accepted on it", image.path, "Put it back")
        named = self.class_id, self.class_name
        return Example(self.object_id, image, self.window, self.mask, self.clicks, self.box, *named)
