"""The engine: owns weights, memory, guard figures and caches; answers every request as a generator. No Qt, no threads.

Each `yield` is a place where a more urgent request may be served. Weights are values: adaptation trains a copy, the guard
publishes it as a new version or drops it, and every reply says which version made it.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from samtta_app.adapt.guard import Verdict, judge, scores
from samtta_app.adapt.loop import Learned, Learning, learn
from samtta_app.adapt.memory import Memory, Remembered, remember
from samtta_app.core.clicker import next_click
from samtta_app.core.images import read_image
from samtta_app.core.masks import bounding_box
from samtta_app.core.messages import (
    AdaptReport,
    AdaptRequest,
    Controlled,
    ControlRequest,
    Failure,
    ForgetRequest,
    Forgotten,
    Loaded,
    LoadRequest,
    Prediction,
    PredictRequest,
    Prefetched,
    PrefetchRequest,
    Progress,
    Reply,
    Request,
    RestoreRequest,
    TwinReport,
    TwinRequest,
)
from samtta_app.core.metrics import iou
from samtta_app.core.types import Candidate, Click, Example, Image, Logits, Prompt, Window
from samtta_app.core.windows import surroundings
from samtta_app.errors import PromptError, UserError
from samtta_app.model.answers import Answer, answer
from samtta_app.model.cache import FeatureCache
from samtta_app.model.sam import DEFAULT, SamModel, load_model
from samtta_app.model.weights import Weights, all_finite, from_bytes, published, to_bytes
from samtta_app.uncertainty.maps import entropy, mean_entropy

Work = Generator[Progress | None, None, Reply]

TWIN_CLICKS, TWIN_TARGET = 30, 0.90
VERSIONS_KEPT = 20
IMAGES_KEPT = 4

log = logging.getLogger(__name__)


def run(engine: Engine, request: Request) -> Reply:
    """Answer a request to the end, for callers without a worker (bench, tests)."""
    work = engine.handle(request)
    while True:
        try:
            next(work)
        except StopIteration as finished:
            reply: Reply = finished.value
            return reply


def open_engine(
    source: str | Path = DEFAULT, *, device: str = "auto", seed: int = 0, input_size: int | None = None
) -> Engine:
    """An engine on a shipped model, an official SAM or a weights file, for callers that must not know torch.

    Raises:
        CheckpointError: as in `load_model`.
    """
    return Engine(load_model(source, device, input_size), seed=seed)


class Engine:
    """One model, its published decoder weights and what they learned from.

    Args:
        model: the built model; its original decoder is version 0 and the frozen twin.
        seed: of every simulated click and replay draw; the same requests in the same order give the same weights (CPU,
            one process; between processes the last bits of torch's kernels may differ, and a click may move by a pixel).
        learning: hyper-parameters of one adaptation.
    """

    def __init__(self, model: SamModel, *, seed: int = 0, learning: Learning | None = None) -> None:
        self._model, self._seed, self._learning = model, seed, learning or Learning()
        self._cache = FeatureCache(model)
        self._images: OrderedDict[tuple[Path, int], Image] = OrderedDict()
        self._versions: OrderedDict[int, Weights] = OrderedDict({0: model.frozen})
        self._newest = 0
        self._lineage = [0]
        self._memory = Memory()
        self._scores: dict[int, dict[int, float]] = {}
        self._paused = False
        self._handlers: dict[type[Any], Callable[[Any], Work]] = {
            LoadRequest: self._load,
            PredictRequest: self._predict,
            PrefetchRequest: self._prefetch,
            AdaptRequest: self._adapt,
            ForgetRequest: self._forget,
            TwinRequest: self._twin,
            ControlRequest: self._control,
            RestoreRequest: self._restore,
        }

    @property
    def description(self) -> str:
        """The model, its size and its device, for people."""
        return f"{self._model.name} ({self._model.parameters / 1e6:.1f} M parameters) on {self._model.device}"

    @property
    def published(self) -> Weights:
        """The weights that answer now."""
        return self._versions[self._lineage[-1]]

    def fresh(self, seed: int) -> Engine:
        """An engine on the same model, sharing its encoded images, that has learned nothing: a bench's other session."""
        engine = Engine(self._model, seed=seed, learning=self._learning)
        engine._cache = self._cache
        return engine

    def handle(self, request: Request) -> Work:
        """Answer `request`; what a person can act on comes back as a Failure, never as an exception."""
        try:
            return (yield from self._handlers[type(request)](request))
        except UserError as e:
            return Failure(request.id, type(request).__name__, str(e))

    # --- images and predictions ---------------------------------------------------------------------------------------

    def _image(self, path: Path) -> Image:
        key = (path, path.stat().st_mtime_ns if path.exists() else 0)
        if key not in self._images:
            self._images[key] = read_image(path)
            while len(self._images) > IMAGES_KEPT:
                self._images.popitem(last=False)
        self._images.move_to_end(key)
        return self._images[key]

    def _load(self, request: LoadRequest) -> Work:
        yield None
        return Loaded(request.id, self._image(request.path))

    def _prefetch(self, request: PrefetchRequest) -> Work:
        image = request.image or self._image(request.path)
        yield Progress("encoding", 0.0)
        yield from self._cache.features(image, image.whole)
        return Prefetched(request.id, request.path)

    def _predict(self, request: PredictRequest) -> Work:
        started = time.perf_counter()
        prompt, extent = request.prompt, request.image.whole
        if not prompt.clicks and prompt.box is None:
            raise PromptError("There is nothing to answer: no click and no box", "", "Click on the object")
        if not all(extent.contains(c.x, c.y) for c in prompt.clicks):
            raise PromptError("The click lies outside the image", "", "Click on the image")
        weights = self._versions[0] if request.twin else self.published
        found = yield from answer(
            self._model, self._cache, weights, request.image, prompt, request.window, request.view
        )
        seconds = time.perf_counter() - started
        candidates = tuple(_candidates(found))
        return Prediction(request.id, found.window, candidates, found.chosen, weights.version, seconds, request.twin)

    # --- learning -----------------------------------------------------------------------------------------------------

    def _adapt(self, request: AdaptRequest) -> Work:
        started, example = time.perf_counter(), request.example
        box = bounding_box(example.mask)
        window = surroundings(example.window, box, example.clicks, example.image.whole) if box else example.window
        features = yield from self._cache.features(example.image, window)
        item = remember(example, features, self._model.size)
        if item is None:
            return self._dropped(request, started, "Not learned: the mask is empty or fills its whole window")
        self._memory = self._memory.add(item)
        held = item in self._memory.held_back
        if not request.learn:
            return self._dropped(request, started, "Remembered from before")
        if self._paused:
            return self._dropped(request, started, "Learning is paused; the object is remembered for later")
        if not self._memory.held_back or not self._memory.learned:
            return self._dropped(request, started, "Waiting for a second object to check against")
        yield Progress("learning", 0.0)
        start = self.published
        rng = np.random.default_rng([self._seed, example.object_id])
        learned = yield from self._learn(start, None if held else item, rng)
        return (yield from self._judged(request, started, start, learned))

    def _learn(
        self, start: Weights, newest: Remembered | None, rng: np.random.Generator
    ) -> Generator[Progress, None, Learned]:
        work = learn(self._model, start, newest, self._memory.learned, rng, self._learning)
        while True:
            try:
                yield Progress("learning", next(work))
            except StopIteration as finished:
                result: Learned = finished.value
                return result

    def _judged(self, request: AdaptRequest, started: float, start: Weights, learned: Learned) -> Work:
        if not all_finite(learned.tensors) or not np.isfinite(learned.losses).all():
            return self._dropped(request, started, "Dropped: the loss was not finite", learned.losses)
        held = self._memory.held_back
        mine: dict[int, float] = {}
        candidate = yield from scores(self._model, learned.tensors, held, mine)
        before = yield from scores(self._model, start.tensors, held, self._scores.setdefault(start.version, {}))
        frozen = yield from scores(self._model, self._model.frozen.tensors, held, self._scores.setdefault(0, {}))
        verdict = judge(candidate, before, frozen, len(held))
        if start.version != self.published.version:
            verdict = replace(verdict, kept=False, reason="Dropped: the weights were changed by hand meanwhile")
        if not verdict.kept:
            return self._dropped(request, started, verdict.reason, learned.losses, verdict)
        weights = self._publish(learned)
        self._scores[weights.version] = mine
        data = to_bytes(weights, self._model.name)
        return self._report(request, started, verdict, learned.losses, data)

    def _publish(self, learned: Learned) -> Weights:
        self._newest += 1
        weights = published(self._newest, learned.tensors)
        self._versions[weights.version] = weights
        self._lineage.append(weights.version)
        for version in list(self._versions)[1:-VERSIONS_KEPT]:  # the original is never dropped
            del self._versions[version]
            self._scores.pop(version, None)
            self._lineage = [v for v in self._lineage if v != version]
        return weights

    def _dropped(
        self,
        request: AdaptRequest,
        started: float,
        reason: str,
        losses: tuple[float, ...] = (),
        verdict: Verdict | None = None,
    ) -> AdaptReport:
        nan = float("nan")
        return self._report(request, started, verdict or Verdict(False, reason, nan, nan, nan), losses, b"")

    def _report(
        self, request: AdaptRequest, started: float, verdict: Verdict, losses: tuple[float, ...], data: bytes
    ) -> AdaptReport:
        return AdaptReport(
            request.id,
            request.example.object_id,
            verdict.kept,
            verdict.reason,
            self.published.version,
            losses,
            verdict.candidate,
            verdict.published,
            verdict.frozen,
            len(self._memory.held_back),
            len(self._memory),
            time.perf_counter() - started,
            data,
        )

    def _forget(self, request: ForgetRequest) -> Work:
        yield None
        self._memory = self._memory.without(request.object_id)
        return Forgotten(request.id, request.object_id)

    def _control(self, request: ControlRequest) -> Work:
        yield None
        if request.action in ("pause", "resume"):
            self._paused = request.action == "pause"
        elif request.action == "rollback" and len(self._lineage) > 1:
            self._lineage.pop()
        elif request.action == "reset":
            self._lineage = [0]
        return Controlled(request.id, request.action, self.published.version, self._paused)

    def _restore(self, request: RestoreRequest) -> Work:
        yield None
        weights = from_bytes(request.version, request.weights, self._model.name, self._model.frozen)
        self._versions[weights.version] = weights
        self._newest = max(self._newest, weights.version)
        self._lineage = [0, weights.version]
        return Controlled(request.id, "restore", weights.version, self._paused)

    # --- the frozen twin ----------------------------------------------------------------------------------------------

    def _twin(self, request: TwinRequest) -> Work:
        started = time.perf_counter()
        adapted_weights = self._versions.get(request.weights_version)
        if adapted_weights is None:
            raise UserError(
                f"Version {request.weights_version} is no longer kept, so the object cannot be compared", "", ""
            )
        yield Progress("comparing with the original", 0.0)
        frozen = yield from self._trajectory(request.example, self._versions[0])
        adapted = frozen
        if adapted_weights.version != 0:
            yield Progress("comparing with the original", 0.5)
            adapted = yield from self._trajectory(request.example, adapted_weights)
        return TwinReport(
            request.id,
            request.example.object_id,
            request.weights_version,
            frozen,
            adapted,
            time.perf_counter() - started,
        )

    def _trajectory(self, example: Example, weights: Weights) -> Generator[None, None, tuple[float, ...]]:
        """RITM's clicker against the accepted mask, from scratch, the way a person is answered."""
        clicks: tuple[Click, ...] = ()
        found: Answer | None = None
        values: list[float] = []
        while len(values) < TWIN_CLICKS and (not values or values[-1] < TWIN_TARGET):
            click = next_click(example.mask, found.shown if found else None, clicks, example.image.whole)
            if click is None:
                break
            clicks = (*clicks, click)
            prompt = Prompt(clicks, None, found.feedback() if found else None)
            window: Window | None = found.window if found else None
            found = yield from answer(self._model, self._cache, weights, example.image, prompt, window)
            values.append(iou(found.shown, example.mask))
            yield
        return tuple(values)


def _candidates(found: Answer) -> list[Candidate]:
    """The answer's masks with their uncertainty, as values without tensors."""
    maps, numbers = entropy(found.logits).cpu().numpy(), mean_entropy(found.logits).cpu().numpy()
    layers = found.logits.float().cpu().numpy()
    return [
        Candidate(mask, Logits(found.window, layers[i]), found.iou[i], maps[i], float(numbers[i]))
        for i, mask in enumerate(found.masks)
    ]
