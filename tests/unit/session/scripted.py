"""What the session's tests share: a folder of images, accepted objects, and an engine that answers by a fixed script."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from samtta_app.core.automatic import AutomaticMask, AutomaticSettings
from samtta_app.core.masks import bounding_box, middle_of
from samtta_app.core.messages import (
    AdaptRequest,
    AutomaticRequest,
    BoxesRequest,
    ControlRequest,
    EdgesRequest,
    ForgetRequest,
    HypothesesRequest,
    LoadRequest,
    MeasureRequest,
    PredictRequest,
    PrefetchRequest,
    RefineRequest,
    Request,
    RestoreRequest,
    StopRequest,
    ThumbnailRequest,
    TwinRequest,
)
from samtta_app.core.replies import (
    AdaptReport,
    Answer,
    AutomaticMasks,
    Controlled,
    Edges,
    Failure,
    Forgotten,
    Hypotheses,
    Loaded,
    Measured,
    Prefetched,
    Refined,
    Reply,
    SearchStopped,
    Thumbnailed,
    TwinReport,
)
from samtta_app.core.types import (
    Annotation,
    Box,
    Candidate,
    Click,
    ClickRecord,
    FloatArray,
    Image,
    Logits,
    Mask,
    Window,
)
from samtta_app.session import acts
from samtta_app.session.acts import UserAct
from samtta_app.session.project.store import Store
from samtta_app.session.workflow.workflow import Workflow
from tests.unit.values import disc

HEIGHT, WIDTH = 96, 128
WHOLE = Window(0, 0, WIDTH, HEIGHT)
NAN = float("nan")
MIDDLE = Click(60.0, 50.0, True)


def folder_of(folder: Path, *names: str) -> Path:
    """A folder with small grey PNGs of these names."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = cv2.imencode(".png", np.full((HEIGHT, WIDTH), 90, np.uint8))[1].tobytes()
    for name in names or ("a.png",):
        (folder / name).write_bytes(pixels)
    return folder


def record(click: Click | None = MIDDLE, iou: float = 1.0, seconds: float = 0.0) -> ClickRecord:
    return ClickRecord(click, seconds, 0.04, WHOLE, 0, 0.9, 0.1, iou)


def accepted(image: str = "a.png", mask: Mask | None = None, **changes: object) -> Annotation:
    """An object as it comes from a draft: no id, no date."""
    values: dict[str, object] = {
        "id": 0,
        "image_name": image,
        "class_id": 1,
        "mask": mask or disc(60, 50, 18, HEIGHT, WIDTH),
        "box": None,
        "history": (record(),),
        "window": WHOLE,
        "weights_version": 0,
        "predicted_iou": 0.9,
        "uncertainty": 0.1,
        "seconds": 1.5,
        "created": "",
    }
    return Annotation(**(values | changes))  # type: ignore[arg-type]


def report(object_id: int = 1, version: int = 1, *, kept: bool = True, request_id: int = 0) -> AdaptReport:
    weights = f"weights {version}".encode() if kept else b""
    return AdaptReport(request_id, object_id, kept, "because", version, (0.5, 0.4), 0.9, 0.8, NAN, 3, 4, 0.2, weights)


def candidate(mask: Mask, predicted_iou: float, window: Window = WHOLE) -> Candidate:
    grid = np.zeros((8, 8), np.float32)
    return Candidate(mask, Logits(window, grid), predicted_iou, grid, 1 - predicted_iou)


def proposed(x: int, y: int, radius: int, predicted_iou: float = 0.9, **changes: object) -> AutomaticMask:
    """A disc that a search finds."""
    mask = disc(x, y, radius, HEIGHT, WIDTH)
    box = bounding_box(mask)
    assert box is not None
    values = {"predicted_iou": predicted_iou, "stability": 0.9, "click": Click(*middle_of(mask), True), "window": WHOLE}
    return AutomaticMask(mask, box, **(values | changes))  # type: ignore[arg-type]


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Script:
    """An engine of discs about the first click (or the box), 8 pixels wide and 4 wider with every further click."""

    requests: list[Request] = field(default_factory=list)
    version: int = 0
    paused: bool = False
    unreadable: set[str] = field(default_factory=set)
    large: set[str] = field(default_factory=set)
    notices: dict[str, str] = field(default_factory=dict)
    refuse: set[type] = field(default_factory=set)
    publish: bool = True
    map: FloatArray = field(default_factory=lambda: np.full((8, 8), 0.25, np.float32))
    no_map: str = ""
    plausible: tuple[int, ...] = ()
    """How many of the hypotheses look like each card; the cards are discs of radius 8, 14, 20, ... at the click."""
    preferred: bool = False
    no_cards: str = ""
    proposed: tuple[AutomaticMask, ...] = ()
    """What a search by a grid finds."""

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        if type(request) in self.refuse:
            return Failure(request.id, type(request).__name__, "It cannot be done.")
        answers: dict[type, Callable[..., Reply]] = {
            LoadRequest: self._load,
            PrefetchRequest: self._prefetch,
            PredictRequest: self._predict,
            AdaptRequest: self._adapt,
            TwinRequest: lambda r: TwinReport(r.id, r.example.object_id, r.weights_version, (0.5, 0.9), (0.91,), 0.1),
            ForgetRequest: lambda r: Forgotten(r.id, r.object_id),
            RestoreRequest: self._restore,
            ControlRequest: self._control,
            RefineRequest: self._refine,
            MeasureRequest: self._measure,
            HypothesesRequest: self._hypotheses,
            AutomaticRequest: self._automatic,
            BoxesRequest: self._boxes,
            StopRequest: lambda request: SearchStopped(request.id),
            EdgesRequest: self._edges,
            ThumbnailRequest: lambda r: Thumbnailed(r.id, r.path, None),
        }
        return answers[type(request)](request)

    def _load(self, request: LoadRequest) -> Reply:
        if request.path.name in self.unreadable or not request.path.exists():
            return Failure(request.id, "LoadRequest", f"{request.path.name} cannot be read.")
        pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        notice = self.notices.get(request.path.name, "")
        return Loaded(request.id, Image(request.path.name, request.path, pixels, pixels, notice))

    def _prefetch(self, request: PrefetchRequest) -> Reply:
        if request.path.name in self.unreadable:
            return Failure(request.id, "PrefetchRequest", f"{request.path.name} cannot be read.")
        return Prefetched(request.id, request.path, encoded=request.path.name not in self.large or bool(request.image))

    def _predict(self, request: PredictRequest) -> Reply:
        clicks, box = request.prompt.clicks, request.prompt.box
        x, y = (clicks[0].x, clicks[0].y) if clicks else ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)  # type: ignore[union-attr]
        radius = 8 + 4 * (len(clicks) + (box is not None) - 1) + (1 if request.twin else 0)
        window = request.window or WHOLE
        sizes = (radius, radius - 3, radius + 3) if len(clicks) + (box is not None) == 1 else (radius,)
        found = tuple(
            candidate(disc(round(x), round(y), size, HEIGHT, WIDTH), 0.9 - 0.1 * k, window)
            for k, size in enumerate(sizes)
        )
        version = 0 if request.twin else self.version
        plausible = bool(self.plausible or self.no_cards) and not request.larger
        return Answer(
            *(request.id, window, found, 0, version, 0.04, request.twin), larger=request.larger, plausible=plausible
        )

    def _adapt(self, request: AdaptRequest) -> Reply:
        kept = request.learn and self.publish and not self.paused
        self.version += kept
        return report(request.example.object_id, self.version, kept=kept, request_id=request.id)

    def _restore(self, request: RestoreRequest) -> Reply:
        self.version = request.version if request.weights else self.version
        return Controlled(request.id, "restore", self.version, self.paused)

    def _control(self, request: ControlRequest) -> Reply:
        if request.action in ("pause", "resume"):
            self.paused = request.action == "pause"
        else:
            self.version = 0 if request.action == "reset" else max(self.version - 1, 0)
        return Controlled(request.id, request.action, self.version, self.paused)

    def _refine(self, request: RefineRequest) -> Reply:
        if self.no_map:
            return Refined(request.id, None, NAN, None, WHOLE, 0.0, self.no_map)
        assert request.answer is not None
        return Refined(request.id, request.answer.mask, 0.9, self.map, request.answer.logits.window, 0.01)

    def _measure(self, request: MeasureRequest) -> Reply:
        (name,) = request.names
        if self.no_map:
            return Measured(request.id, {}, {}, {}, {name: self.no_map})
        return Measured(request.id, {}, {name: Logits(request.window or WHOLE, self.map)}, {name: 0.01}, {})

    def _hypotheses(self, request: HypothesesRequest) -> Reply:
        if self.no_cards:
            return Hypotheses(request.id, request.window, (), 0, None, False, 0, 0.1, self.no_cards)
        clicks, box = request.prompt.clicks, request.prompt.box
        x, y = (clicks[0].x, clicks[0].y) if clicks else ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)  # type: ignore[union-attr]
        masks = [disc(round(x), round(y), 8 + 6 * k, HEIGHT, WIDTH) for k in range(len(self.plausible))]
        cards = tuple(
            replace(candidate(mask, 0.8, request.window), samples=count)
            for mask, count in zip(masks, self.plausible, strict=True)
        )
        total = sum(self.plausible)
        return Hypotheses(request.id, request.window, cards, total, self.map, self.preferred, self.version, 0.1)

    def _automatic(self, request: AutomaticRequest) -> Reply:
        settings = AutomaticSettings(pred_iou=0.7, stability=0.5)
        found = self.proposed
        if request.alike:
            found = tuple(replace(each, likeness=each.predicted_iou - 0.2) for each in found)
        return AutomaticMasks(request.id, found, settings, self.version, 0.5)

    def _boxes(self, request: BoxesRequest) -> Reply:
        found = tuple(
            replace(proposed(round((box.x0 + box.x1) / 2), round((box.y0 + box.y1) / 2), 6), asked=box)
            for box in request.boxes
        )
        return AutomaticMasks(request.id, found, None, self.version, 0.5)

    def _edges(self, request: EdgesRequest) -> Reply:
        strength = np.zeros((request.image.height, request.image.width), np.float32)
        strength[:, request.image.width // 2] = 0.5
        return Edges(request.id, strength, 3, self.version, 0.5)

    def sent(self, kind: type) -> list[Request]:
        return [request for request in self.requests if type(request) is kind]


class Person:
    """A workflow whose requests are answered at once, urgent ones first, until nothing is left."""

    def __init__(self, store: Store, script: Script | None = None, **options: object) -> None:
        self.clock = Clock()
        self.script = script or Script()
        self.workflow = Workflow(store, clock=self.clock, **options)  # type: ignore[arg-type]

    @property
    def state(self):  # type: ignore[no-untyped-def]
        return self.workflow.state

    def does(self, requests: tuple[Request, ...]) -> None:
        waiting = deque(requests)
        while waiting:
            urgent = next((r for r in waiting if r.lane == "urgent"), waiting[0])
            waiting.remove(urgent)
            waiting.extend(self.workflow.receive(self.script.answer(urgent)))

    def do(self, *todo: UserAct) -> None:
        for act in todo:
            self.does(self.workflow.do(act))

    def starts(self) -> Person:
        self.does(self.workflow.start())
        return self

    def clicks(self, x: float, y: float, positive: bool = True) -> None:
        self.do(acts.PlaceClick(Click(x, y, positive)))

    def boxes(self, *corners: float) -> None:
        self.do(acts.DrawBox(Box(*corners)))

    def accepts(self, x: float = 60, y: float = 50, clicks: int = 1) -> Annotation:
        """Annotates one object with so many clicks."""
        for k in range(clicks):
            self.clicks(x + k, y)
        self.do(acts.Accept())
        found: Annotation = self.state.annotations[-1]
        return found
