"""The engine: owns weights, memory, guard figures and caches; answers every request as a generator. No Qt, no threads.

Each `yield` is a place where a more urgent request may be served. Weights are values: adaptation trains a copy, the guard
publishes it as a new version or drops it, and every reply says which version made it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from samtta_app.adapt.learner import Learner, LearningOutcome
from samtta_app.adapt.registry import DEFAULT_STRATEGY as DEFAULT_STRATEGY
from samtta_app.adapt.registry import strategy
from samtta_app.adapt.strategy import AdaptationStrategy, Fitted, Frozen
from samtta_app.adapt.twin import twin_trajectory
from samtta_app.core.masks import bounding_box
from samtta_app.core.messages import (
    AdaptReport,
    AdaptRequest,
    Controlled,
    ControlRequest,
    Evicted,
    Failure,
    ForgetRequest,
    Forgotten,
    Loaded,
    LoadRequest,
    MeasureRequest,
    Prediction,
    PredictRequest,
    Prefetched,
    PrefetchRequest,
    Progress,
    Refined,
    RefineRequest,
    Reply,
    Request,
    RestoreRequest,
    TwinReport,
    TwinRequest,
)
from samtta_app.core.types import Example, WaitingExample
from samtta_app.core.windows import varied
from samtta_app.errors import LargeImageError, UserError
from samtta_app.images.image_cache import ImageCache
from samtta_app.images.read_limits import READ_AHEAD_SHARE
from samtta_app.model.answers import Answer, answer_prompt, check_prompt
from samtta_app.model.cache import FEATURE_BYTES, FeatureCache, Larger
from samtta_app.model.loading import open_model, open_model_alone
from samtta_app.model.memory_shortage import give_back, out_of_memory
from samtta_app.model.refiner import Refiner, refined_reply, refiner_for, refining_window
from samtta_app.model.sam import DEFAULT_MODEL, SamModel, model_file
from samtta_app.model.weights import Weights
from samtta_app.uncertainty.heads import advice_from, for_clicks, heads_for, larger_for
from samtta_app.uncertainty.measures import Measuring, measured
from samtta_app.uncertainty.offered_masks import offered, worth_a_look

Work = Generator[Progress | Evicted | None, None, Reply]


SHORT = (
    "There is not enough memory for this; what was encoded ahead has been given up",
    "",
    "Close other programs and try again; if it stays so, choose a smaller model or the device cpu",
)
"""What a person is told when memory has run out."""

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
    source: str | Path = DEFAULT_MODEL,
    *,
    device: str = "auto",
    seed: int = 0,
    input_size: int | None = None,
    adapting: str = DEFAULT_STRATEGY,
    cache_bytes: int = FEATURE_BYTES,
    larger: str | Path | None = None,
) -> Engine:
    """An engine on a shipped model, an official SAM or a weights file, for callers that must not know torch.

    `larger` is a second such model, read when it is first asked; a file that is missing is refused at once. Where `device`
    ("auto", "cpu", "cuda", "mps") cannot be used, the processor answers and the engine's description says so.

    Raises:
        CheckpointError: as in `samtta_app.model.loading.opened`.
        UserError: there is no strategy named `adapting`.
    """
    chosen, second = strategy(adapting), None
    if larger is not None:
        second = Larger(partial(open_model_alone, model_file(larger), device))
    ready = open_model(source, device, input_size)
    return Engine(
        ready.model, seed=seed, adapting=chosen, cache_bytes=cache_bytes, larger=second, device_note=ready.note
    )


class Engine:
    """One model, its published decoder weights and what they learned from.

    Args:
        model: the built model; its original decoder is version 0 and the frozen twin.
        seed: of every simulated click and replay draw; the same requests in the same order give the same weights (CPU,
            one process; between processes the last bits of torch's kernels may differ, and a click may move by a pixel).
        adapting: the strategy, with its hyper-parameters (default: ours).
        cache_bytes: memory for encoded images, at most.
        larger: a second model, for those who ask for it.
        device_note: why the model is not on the device that was wished for.
    """

    def __init__(
        self,
        model: SamModel,
        *,
        seed: int = 0,
        adapting: AdaptationStrategy | None = None,
        cache_bytes: int = FEATURE_BYTES,
        larger: Larger | None = None,
        device_note: str = "",
    ) -> None:
        self._model, self._device_note = model, device_note
        self._cache, self._larger = FeatureCache(model, cache_bytes), larger
        self._images = ImageCache()
        self._heads, self._no_heads = heads_for(model)
        self._click_heads = for_clicks(self._heads) if self._heads else None
        if self._heads and larger is None:
            self._larger = larger_for(self._heads, model.device)
        self._refiner: Refiner | None = None
        self._learner = Learner(model, adapting or strategy(DEFAULT_STRATEGY), seed)
        self._handlers: dict[type[Any], Callable[[Any], Work]] = {
            LoadRequest: self._load,
            PredictRequest: self._predict,
            PrefetchRequest: self._prefetch,
            AdaptRequest: self._adapt,
            ForgetRequest: self._forget,
            TwinRequest: self._twin,
            ControlRequest: self._control,
            RestoreRequest: self._restore,
            RefineRequest: self._refine,
            MeasureRequest: self._measure,
        }

    @property
    def description(self) -> str:
        """The model, its size and its device, for people."""
        where = f"{self._model.device}: {self._device_note}" if self._device_note else f"{self._model.device}"
        return f"{self._model.name} ({self._model.parameters / 1e6:.1f} M parameters) on {where}"

    @property
    def published(self) -> Weights:
        """The weights that answer now."""
        return self._learner.published

    def fresh(self, seed: int, adapting: str | AdaptationStrategy | None = None) -> Engine:
        """An engine on the same model, sharing its encoded images, that has learned nothing: a bench's other session.

        Raises:
            UserError: there is no strategy named `adapting`.
        """
        chosen = strategy(adapting) if isinstance(adapting, str) else adapting
        engine = Engine(self._model, seed=seed, adapting=chosen or self._learner.strategy, larger=self._larger)
        engine._cache = self._cache
        return engine

    def handle(self, request: Request) -> Work:
        """Answer `request`; what a person can act on comes back as a Failure, never as an exception.

        Before the reply it tells which images are encoded no more. Where memory runs out, all that is encoded goes.
        """
        reply: Reply | None = None
        try:
            reply = yield from self._handlers[type(request)](request)
        except UserError as e:
            reply = Failure(request.id, type(request).__name__, str(e))
        except (MemoryError, RuntimeError) as e:
            if not out_of_memory(e):
                raise
        if reply is None:  # not inside `except`: the error's frames still hold the memory there
            self._free()
            reply = Failure(request.id, type(request).__name__, str(UserError(*SHORT)))
        gone = self._cache.evicted()
        if gone:
            yield Evicted(gone)
        return reply

    def _free(self) -> None:
        """Give up what can be made again."""
        self._cache.clear()
        self._images.clear()
        if self._larger is not None:
            self._larger.clear()
        give_back(self._model.device)

    # --- images and predictions ---------------------------------------------------------------------------------------

    def _seen(self, example: Example | WaitingExample) -> Generator[None, None, Example]:
        if isinstance(example, Example):
            return example
        return example.seen((yield from self._images.read(example.image.path)))

    def _load(self, request: LoadRequest) -> Work:
        return Loaded(request.id, (yield from self._images.read(request.path)))

    def _prefetch(self, request: PrefetchRequest) -> Work:
        try:
            image = request.image or (yield from self._images.read(request.path, READ_AHEAD_SHARE))
        except LargeImageError:
            return Prefetched(request.id, request.path, encoded=False)
        yield Progress("encoding", 0.0)
        yield from self._cache.features(image, image.whole)
        return Prefetched(request.id, request.path, image.key)

    def _predict(self, request: PredictRequest) -> Work:
        started = time.perf_counter()
        check_prompt(request.prompt, request.image.whole)
        if not request.prompt.includes:
            return self._unanswerable(request)
        found, weights, fitted = yield from self._answered(request)
        seconds = time.perf_counter() - started
        candidates, chosen = offered(found, None if request.larger else self._click_heads), found.chosen
        if not request.candidates:
            candidates, chosen = worth_a_look(candidates, chosen)
        if not (request.twin or request.larger):
            features = yield from self._cache.features(request.image, found.window)
            self._learner.answered(request.prompt, features, fitted, [each.logits for each in candidates])
        return Prediction(
            *(request.id, found.window, candidates, chosen, weights.version, seconds, request.twin),
            no_gaps=self._no_heads,
            advise_from=advice_from(self._heads, larger=self._larger is not None) if self._heads else None,
            larger=request.larger,
        )

    def _unanswerable(self, request: PredictRequest) -> Prediction:
        """What only says what is not meant has no mask; the decoder would make one up."""
        version = 0 if request.twin or request.larger else self.published.version
        window = request.window or request.image.whole
        return Prediction(
            *(request.id, window, (), 0, version, 0.0, request.twin), no_gaps=self._no_heads, larger=request.larger
        )

    def _answered(self, request: PredictRequest) -> Generator[None, None, tuple[Answer, Weights, Fitted]]:
        """The answer and what made it; the learner is not told."""
        prompt = request.prompt
        check_prompt(prompt, request.image.whole)
        model, cache = self._second if request.larger else (self._model, self._cache)
        weights, fitted = model.frozen, Fitted(model.frozen.tensors)
        if not (request.twin or request.larger):
            weights, fitted = yield from self._learner.fitted(request.image.key, prompt)
        found = yield from answer_prompt(
            model,
            cache,
            weights,
            request.image,
            prompt,
            request.window,
            request.view,
            fitted.offset,
            fitted.sizes.expected(request.image.key, prompt.class_id),
            candidates=request.candidates,
        )
        return found, weights, fitted

    @property
    def _second(self) -> tuple[SamModel, FeatureCache]:
        if self._larger is None:
            raise UserError("There is no larger model to ask", "", "Open one beside this one")
        return self._larger.model, self._larger.cache

    def _measure(self, request: MeasureRequest) -> Work:
        check_prompt(request.prompt, request.image.whole)
        known = self._learner.knowledge(self.published.version)
        fitted = yield from self._learner.strategy.before_answer(self._model, known, None, request.prompt)
        weights = Weights(self.published.version, fitted.tensors)
        knows = Measuring(self._model, self._cache, weights, self._larger, self._heads, self._no_heads)
        return (yield from measured(knows, request))

    def _refine(self, request: RefineRequest) -> Work:
        refiner, shown, reason = self._refiner, request.answer, ""
        if refiner is None:  # asked again each time: what is missing may have been put there meanwhile
            refiner, reason = refiner_for(self._model)
            self._refiner = refiner
        if refiner is None:
            window = shown.logits.window if shown else request.window or request.image.whole
            return Refined(request.id, None, float("nan"), None, window, 0.0, reason)
        if shown is None:
            asked = PredictRequest(request.id, request.image, request.prompt, request.window)
            found, _, _ = yield from self._answered(asked)
            shown = offered(found, None)[found.chosen]
        answered, extent = shown.logits.window, request.image.whole
        window = refining_window(self._model, answered, shown.mask, request.prompt, extent)
        features = yield from self._cache.features(request.image, window)
        return refined_reply(self._model, refiner, features, request, shown)

    # --- learning -----------------------------------------------------------------------------------------------------

    def _adapt(self, request: AdaptRequest) -> Work:
        started, example = time.perf_counter(), (yield from self._seen(request.example))
        box = bounding_box(example.mask)
        rng = np.random.default_rng(example.object_id)
        window = varied(box, example.clicks, example.image.whole, rng) if box else None
        window = window or example.window
        features = yield from self._cache.features(example.image, window)
        closeup = None
        if example.window.side < window.side:
            closeup = yield from self._cache.features(example.image, example.window)
        work = self._learner.learn(example, features, closeup, learn=request.learn)
        while True:
            try:
                yield Progress("learning", next(work))
            except StopIteration as finished:
                outcome: LearningOutcome = finished.value
                return self._report(request, started, outcome)

    def _report(self, request: AdaptRequest, started: float, outcome: LearningOutcome) -> AdaptReport:
        verdict = outcome.verdict
        return AdaptReport(
            request.id,
            request.example.object_id,
            verdict.kept,
            verdict.reason,
            self.published.version,
            outcome.losses,
            verdict.candidate,
            verdict.published,
            verdict.frozen,
            verdict.objects,
            len(self._learner.memory),
            time.perf_counter() - started,
            outcome.data,
            self._learner.model_sha256,
        )

    def _forget(self, request: ForgetRequest) -> Work:
        yield None
        self._learner.memory = self._learner.memory.without(request.object_id)
        return Forgotten(request.id, request.object_id)

    def _control(self, request: ControlRequest) -> Work:
        yield None
        self._learner.control(request.action)
        return Controlled(request.id, request.action, self.published.version, self._learner.paused)

    def _restore(self, request: RestoreRequest) -> Work:
        yield None
        learner = self._learner
        learner.restore(request.version, request.weights)
        return Controlled(request.id, "restore", learner.published.version, learner.paused, learner.model_sha256)

    # --- the frozen twin ----------------------------------------------------------------------------------------------

    def _twin(self, request: TwinRequest) -> Work:
        started, example = time.perf_counter(), (yield from self._seen(request.example))
        if request.weights:
            self._learner.keep(request.weights_version, request.weights)
        version = self._learner.kept(request.weights_version)  # in order: even a later one has not seen the object
        known = self._learner.knowledge(version)
        yield Progress("comparing with the original", 0.0)
        original = self._learner.knowledge(0)
        frozen = yield from twin_trajectory(self._model, self._cache, example, Frozen(), original)
        adapted = frozen
        if version != 0 or self._learner.strategy.fits:
            yield Progress("comparing with the original", 0.5)
            adapting = self._learner.strategy
            adapted = yield from twin_trajectory(self._model, self._cache, example, adapting, known)
        return TwinReport(
            request.id,
            request.example.object_id,
            version,
            frozen,
            adapted,
            time.perf_counter() - started,
        )
