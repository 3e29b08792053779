"""The engine: takes every request to the function that answers it, as a generator. No Qt, no threads.

Each `yield` is a place where a more urgent request may be served. Weights are values: adaptation trains a copy, and the
guard publishes it as a new version or drops it. Every reply says which version made it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from samtta_app.adapt.learner import Learner
from samtta_app.adapt.registry import DEFAULT_STRATEGY as DEFAULT_STRATEGY
from samtta_app.adapt.registry import strategy
from samtta_app.adapt.strategy import AdaptationStrategy
from samtta_app.core.automatic import AutomaticSettings
from samtta_app.core.messages import (
    AdaptRequest,
    AutomaticRequest,
    BoxesRequest,
    ControlRequest,
    EdgesRequest,
    ForgetRequest,
    HoverRequest,
    HypothesesRequest,
    LoadRequest,
    MeasureRequest,
    PredictRequest,
    PrefetchRequest,
    PseudoLabelRequest,
    RefineRequest,
    Request,
    RestoreRequest,
    StopRequest,
    ThumbnailRequest,
    TwinRequest,
)
from samtta_app.core.replies import Answer, Evicted, Failure, Partial, Reply
from samtta_app.engine import (
    automatic_finding,
    encoding,
    hovering,
    hypothesising,
    learning,
    measuring,
    predicting,
    replaying,
)
from samtta_app.engine.resources import Resources, Work
from samtta_app.errors import UserError
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FEATURE_BYTES, FeatureCache, Larger
from samtta_app.model.fast_encoder import FAST_DEVICE
from samtta_app.model.feature_files import FeatureFiles
from samtta_app.model.hypotheses import hypotheses_for, load_hypotheses
from samtta_app.model.loading import open_model, open_model_alone
from samtta_app.model.memory_shortage import out_of_memory
from samtta_app.model.model_registry import DEFAULT_MODEL, model_file
from samtta_app.model.outline import outline_for
from samtta_app.model.selector import selector_for
from samtta_app.model.weights import Weights
from samtta_app.phrases import Phrase

DESCRIPTION = "{model} ({size} M parameters) on {device}"
"""Says which model answers, in the window and in the log."""

INSTEAD = "{device}: {refusal}, so the processor answers"

SHORT = (
    "There is not enough memory for this; images encoded ahead were dropped",
    "",
    "Close other programs and try again; if that does not help, choose a smaller model or the device cpu",
)
"""Shown to the user when memory has run out."""

HANDLERS: Mapping[type[Any], Callable[[Resources, Any], Work]] = {
    LoadRequest: encoding.load,
    PrefetchRequest: encoding.prefetch,
    ThumbnailRequest: encoding.make_thumbnail,
    PredictRequest: predicting.predict,
    HoverRequest: hovering.hover,
    MeasureRequest: measuring.measure_map,
    RefineRequest: measuring.refine_answer,
    HypothesesRequest: hypothesising.hypothesise,
    AutomaticRequest: automatic_finding.find_masks,
    BoxesRequest: automatic_finding.find_in_boxes,
    StopRequest: automatic_finding.stop_finding,
    EdgesRequest: automatic_finding.find_edges,
    AdaptRequest: learning.adapt,
    ForgetRequest: learning.forget,
    PseudoLabelRequest: learning.pseudo_label,
    ControlRequest: learning.control,
    RestoreRequest: learning.restore,
    TwinRequest: replaying.replay,
}
"""The function that answers each kind of request."""


def run(engine: Engine, request: Request, tell: Callable[[Partial], None] = lambda _: None) -> Reply:
    """Answer a request to the end, for callers without a worker (bench, tests); `tell` gets the partial replies.

    A partial reply that was the answer is returned, and not told.
    """
    work = engine.handle(request)
    answer: Reply | None = None
    while True:
        try:
            part = next(work)
        except StopIteration as finished:
            reply: Reply | None = finished.value or answer
            assert reply is not None, "a request was answered by neither its end nor a partial reply"
            return reply
        if isinstance(part, Answer):
            answer = part
        elif part is not None:
            tell(part)


def open_engine(
    source: str | Path = DEFAULT_MODEL,
    *,
    device: str = "auto",
    seed: int = 0,
    input_size: int | None = None,
    adapting: str = DEFAULT_STRATEGY,
    cache_bytes: int = FEATURE_BYTES,
    larger: str | Path | None = None,
    tidy: bool | None = None,
    hypotheses: Path | None = None,
    features: Path | None = None,
    feature_bytes: int = 0,
) -> Engine:
    """An engine on a shipped model, an official SAM or a weights file, for callers that must not know torch.

    `larger` is a second such model, loaded when it is first asked. A missing file is refused at once. Where `device`
    ("auto", "cpu", "openvino", "cuda", "mps") cannot be used, the processor answers and the engine's description says so.
    `tidy` is whether crumbs and pinholes go. None leaves the masks of official SAMs as they are, so that figures compare.
    `hypotheses` is a file to use instead of the model's own. `features` is a folder where encoded images are kept for later
    runs, `feature_bytes` of them at most.

    Raises:
        CheckpointError: as in `samtta_app.model.loading.open_model`.
        UserError: there is no strategy named `adapting`.
    """
    chosen, second = strategy(adapting), None
    if larger is not None:
        second = Larger(partial(open_model_alone, model_file(larger), device))
    ready = open_model(source, device, input_size)
    tidies = ready.model.policy.closer_look if tidy is None else tidy
    model = replace(
        ready.model,
        tidy=tidies,
        selector=selector_for(ready.model),
        outline=outline_for(ready.model),
        hypotheses=load_hypotheses(hypotheses, ready.model) if hypotheses else hypotheses_for(ready.model),
    )
    files = FeatureFiles(features, model, feature_bytes) if features and feature_bytes else None
    cache = FeatureCache(model, cache_bytes, files)
    return Engine(model, seed=seed, adapting=chosen, cache=cache, larger=second, device_refusal=ready.refusal)


class Engine:
    """One model, its published decoder weights and what they learned from.

    Args:
        model: the built model; its original decoder is version 0 and the frozen twin.
        seed: of every simulated click and replay draw. In one process on the CPU, the same requests in the same order give
            the same weights. Between processes the last bits of torch's kernels may differ, and a click may move by a pixel.
        adapting: the strategy, with its hyper-parameters (default: ours).
        cache: encoded images; None makes a new cache of `cache_bytes` bytes at most.
        larger: a second, larger model that answers when the user asks for it.
        device_refusal: why the model is not on the requested device.
    """

    def __init__(
        self,
        model: SamModel,
        *,
        seed: int = 0,
        adapting: AdaptationStrategy | None = None,
        cache_bytes: int = FEATURE_BYTES,
        cache: FeatureCache | None = None,
        larger: Larger | None = None,
        device_refusal: str = "",
    ) -> None:
        learner = Learner(model, adapting or strategy(DEFAULT_STRATEGY), seed)
        self.device_refusal = device_refusal
        kept = FeatureCache(model, cache_bytes) if cache is None else cache
        self.resources = Resources(model, learner, kept, larger)

    @property
    def description(self) -> str:
        """The model, its size and its device, as shown to the user."""
        model = self.resources.model
        refusal, device = self.device_refusal, FAST_DEVICE if model.encoder else f"{model.device}"
        where = Phrase(INSTEAD, device=device, refusal=Phrase.of(refusal)) if refusal else device
        return Phrase(DESCRIPTION, model=model.name, size=f"{model.parameters / 1e6:.1f}", device=where)

    @property
    def in_order(self) -> bool:
        """Whether a click waits for what the acts before it teach."""
        return self.resources.learner.strategy.in_order

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks whose prompts are in the model's file: a class of such a name takes the prompt."""
        return tuple(self.resources.model.backbone.tasks)

    @property
    def automatic_settings(self) -> AutomaticSettings:
        """How automatic masks of this model are chosen by default; those of official SAMs as SAM's generator does."""
        return automatic_finding.own_settings(self.resources)

    @property
    def published(self) -> Weights:
        """The weights that answer now."""
        return self.resources.learner.published

    def fresh(self, seed: int, adapting: str | AdaptationStrategy | None = None) -> Engine:
        """An engine on the same model and its encoded images that has learned nothing: for another session of a bench.

        Raises:
            UserError: there is no strategy named `adapting`.
        """
        chosen = strategy(adapting) if isinstance(adapting, str) else adapting
        own = self.resources
        chosen = chosen or own.learner.strategy
        return Engine(own.model, seed=seed, adapting=chosen, cache=own.cache, larger=own.larger)

    def rested(self) -> Engine:
        """An engine on the same model and encoded images that answers with what was learned here, and learns no more."""
        own = self.resources
        resting = Engine(own.model, adapting=own.learner.strategy, cache=own.cache, larger=own.larger)
        resting.resources.learner = own.learner.rested()
        return resting

    def handle(self, request: Request) -> Work:
        """Answer `request`; what a user can act on comes back as a Failure, never as an exception.

        Partial replies come before the reply; the last one names images that are no longer encoded. Where memory runs
        out, all encoded images are dropped.
        """
        own, reply, short = self.resources, None, False
        try:
            reply = yield from HANDLERS[type(request)](own, request)
        except UserError as e:
            reply = Failure(request.id, type(request).__name__, str(e))
        except (MemoryError, RuntimeError) as e:
            if not out_of_memory(e):
                raise
            short = True
        if short:  # not inside `except`: the error's frames still hold the memory there
            own.free()
            reply = Failure(request.id, type(request).__name__, str(UserError(*SHORT)))
        gone = own.cache.evicted()
        if gone:
            yield Evicted(gone)
        return reply
