"""States made by hand, and a controller that only remembers what it was asked: what the views' tests are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PySide6.QtCore import QObject, Signal

from samtta_app.core.masks import trimmed
from samtta_app.core.replies import AdaptReport, Answer
from samtta_app.core.types import Annotation, Candidate, Click, ClickRecord, Image, Logits, Mask, Window
from samtta_app.gui.controller import Controller
from samtta_app.session.acts import UserAct
from samtta_app.session.state import (
    Adaptation,
    Display,
    ImageEntry,
    ImageStatus,
    LabelClass,
    Preview,
    SideFigures,
    State,
    Statistics,
    StreamPoint,
)

CLASSES = (LabelClass(1, "cell", 0), LabelClass(2, "debris", 1), LabelClass(3, "nucleus", 2))
WORDS = {"samtta": "Learns from accepted objects", "fbrs": "Fits every object", "frozen": "Nothing is learned"}
STATUSES: tuple[ImageStatus, ...] = ("annotated", "annotated", "encoded", "todo", "unreadable", "todo")


def disc(x: int, y: int, radius: int, height: int = 96, width: int = 128) -> Mask:
    """A filled disc."""
    rows, columns = np.mgrid[:height, :width]
    return trimmed((rows - y) ** 2 + (columns - x) ** 2 <= radius**2)


def picture(height: int = 96, width: int = 128) -> Image:
    """A grey ramp with a bright disc."""
    columns = np.linspace(40, 120, width, dtype=np.uint8)
    pixels = np.repeat(np.repeat(columns[None, :, None], height, axis=0), 3, axis=2)
    mask = disc(60, 50, 18, height, width)
    rows, span = mask.bits.shape
    pixels[mask.y : mask.y + rows, mask.x : mask.x + span][mask.bits] = (220, 210, 190)
    return Image("picture", Path("picture.png"), pixels, pixels[..., 0].astype(np.uint16) * 16)


def candidate(mask: Mask, window: Window, predicted_iou: float = 0.9, uncertainty: float = 0.1) -> Candidate:
    """A candidate with a smooth entropy map around its outline."""
    rows, columns = np.mgrid[:64, :64] * (window.side / 64)
    height, width = mask.bits.shape
    away = np.hypot((columns - mask.x - width / 2) / width, (rows - mask.y - height / 2) / height) * 2 - 1
    entropy = np.exp(-((away * 4) ** 2)).astype(np.float32)
    return Candidate(mask, Logits(window, -away.astype(np.float32)), predicted_iou, entropy, uncertainty)


def preview(image: Image, masks: Sequence[Mask], *, waiting: bool = False) -> Preview:
    """An object being annotated, with one candidate per mask (none yet where there is no mask)."""
    found = tuple(candidate(m, image.whole, 0.93 - 0.08 * k, 0.08 + 0.06 * k) for k, m in enumerate(masks))
    middle = masks[0] if masks else disc(60, 50, 18)
    height, width = middle.bits.shape
    click = Click(middle.x + width / 2, middle.y + height / 2, True)
    answer = Answer(1, image.whole, found, 0, 3, 0.1) if found else None
    return Preview((click,), None, answer, 0, image.whole, waiting)


def annotation(number: int, mask: Mask, image: Image, class_id: int = 1, clicks: int = 2) -> Annotation:
    """An accepted object."""
    height, width = mask.bits.shape
    click = Click(mask.x + width / 2, mask.y + height / 2, True)
    step = ClickRecord(click, 1.0, 0.05, image.whole, number // 3, 0.9, 0.1, 0.88)
    return Annotation(
        number, "cells_01.png", class_id, mask, None, (step,) * clicks, image.whole, number // 3, 0.9,
        round(0.03 + 0.02 * number, 2), 4.2, "2025-01-01T00:00:00",
    )  # fmt: skip


def report(kept: bool = True, version: int = 4) -> AdaptReport:
    """What became of one adaptation."""
    reason = "Kept: no worse on 6 objects" if kept else "Dropped: worse than before on 6 objects (0.871 < 0.902)"
    return AdaptReport(9, 12, kept, reason, version, (0.61, 0.44, 0.31), 0.912, 0.902, 0.861, 6, 14, 1.9)


def stream(length: int = 40) -> tuple[StreamPoint, ...]:
    """Learning that helps: the frozen side needs about seven clicks, the adapted one fewer and fewer."""
    rng = np.random.default_rng(0)
    frozen = np.clip(rng.poisson(6.5, length) + 1, 1, 20)
    adapted = np.clip(np.round(frozen - rng.uniform(0, 5, length) * np.linspace(0, 1, length)), 1, 20).astype(int)
    return tuple(StreamPoint(k, int(f), int(a), int(f)) for k, (f, a) in enumerate(zip(frozen, adapted, strict=True)))


def statistics(length: int = 40) -> Statistics:
    """Figures to go with `stream`."""
    sentence = "Learning helps: 4.2 clicks per object over the last 20, 6.9 without it"
    if length < 10:
        sentence = f"Too early to tell: {length} objects"
    adapted = SideFigures(length, 4.6, 7.2, 0.05, 0.1) if length else SideFigures(0, *[float("nan")] * 4)
    frozen = SideFigures(length, 6.9, 10.4, 0.15, 0.2) if length else SideFigures(0, *[float("nan")] * 4)
    return Statistics(
        length,
        4.9 if length else float("nan"),
        8.4 if length else float("nan"),
        adapted,
        frozen,
        stream(length),
        sentence,
    )


def entries(folder: Path, statuses: Sequence[ImageStatus] = STATUSES) -> tuple[ImageEntry, ...]:
    """Rows of the image list."""
    return tuple(
        ImageEntry(
            f"cells_{k:02}.png", folder / f"cells_{k:02}.png", status, 7 * (status == "annotated"),
            "The file is truncated" if status == "unreadable" else "",
        )
        for k, status in enumerate(statuses, start=1)
    )  # fmt: skip


def scene(folder: Path = Path("dishes"), **changes: object) -> State:
    """A session in the middle of its work: an image with two objects, nothing under way; `changes` replaces fields."""
    image = picture()
    fields: dict[str, object] = {
        "folder": folder,
        "project": folder / ".samtta",
        "images": entries(folder),
        "index": 0,
        "image": image,
        "annotations": (annotation(1, disc(30, 30, 12), image), annotation(2, disc(90, 60, 20), image, 2, 5)),
        "selected": None,
        "classes": CLASSES,
        "current_class": 1,
        "preview": None,
        "adaptation": Adaptation("idle", 4, (report(),), 14, can_roll_back=True),
        "statistics": statistics(),
        "display": Display(),
        "message": None,
        "can_undo": True,
        "can_redo": False,
        "read_only": False,
        "activity": "",
    }
    return State(**(fields | changes))  # type: ignore[arg-type]


@contextmanager
def no_objects() -> Iterator[SimpleNamespace]:
    """What is stored in a project without objects, as far as statistics ask for it."""
    yield SimpleNamespace(records=lambda: (), attempts=lambda: ())


class Recorder(QObject):
    """Stands for the controller where a view is tested by itself: has its state, and notes every act, and other calls by name.

    A name that the real class (`of`) does not have is an AttributeError here, too.
    """

    state_changed = Signal(object)
    drawn = Signal(object)
    described = Signal(str)
    exported = Signal(object)
    shapes_read = Signal(object)
    hover_answered = Signal(object)
    thumbnailed = Signal(object)
    leaving = Signal()
    moved = Signal(Path)
    description = "toy on cpu"
    tasks: tuple[str, ...] = ()

    def __init__(self, state: State, of: type[QObject] = Controller) -> None:
        super().__init__()
        self.state = state
        self._of = of
        self.calls: list[object] = []
        self.answers: dict[str, object] = {}

    def do(self, act: UserAct) -> None:
        self.calls.append(act)

    def last_view(self) -> None:
        """No image was looked at before; asking changes nothing, so it is no call."""

    def __getattr__(self, name: str) -> object:
        getattr(self._of, name)

        def note(*values: object, **named: object) -> object:
            self.calls.append((name, *values, *named.items()))
            answer = self.answers.get(name)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return note

    def become(self, state: State) -> None:
        """Take a new state, as the real one does."""
        self.state = state
        self.state_changed.emit(state)
        self.drawn.emit(state)
