"""The answer to a prompt: which model is asked, which masks are offered, and what the learner is told."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import replace

from samtta_app.adapt.strategy import Fitted
from samtta_app.core.messages import PredictRequest
from samtta_app.core.replies import Answer
from samtta_app.core.types import Candidate
from samtta_app.engine.resources import Resources, Work
from samtta_app.model.answers import MaskAnswer, answer_prompt, check_prompt
from samtta_app.model.weights import Weights
from samtta_app.uncertainty.heads import advice_from
from samtta_app.uncertainty.offered_masks import offered, worth_a_look


def predict(of: Resources, request: PredictRequest) -> Work:
    """Answer a prompt; a strategy that learns from clicks does so after the answer, which then comes as a partial reply.

    Where several windows are looked at, what the first one shows comes before, as a partial reply.

    Raises:
        PromptError: the prompt is empty, or a click lies outside the image.
        UserError: there is no larger model to ask.
    """
    started = time.perf_counter()
    check_prompt(request.prompt, request.image.whole)
    if not request.prompt.includes:
        return _unanswerable(of, request)
    weights, fitted = yield from fitted_weights(of, request)
    if of.model.selector is not None and request.window is None and request.prompt.ambiguous and not request.original:
        found = yield from _asked(of, request, weights, fitted, first=True)
        yield replace(_answer(of, request, found, weights, time.perf_counter() - started)[0], more=True)
    found = yield from _asked(of, request, weights, fitted)
    answer, candidates = _answer(of, request, found, weights, time.perf_counter() - started)
    learning = not request.original
    if learning:
        features = yield from of.cache.features(request.image, found.window)
        of.learner.answered(request.prompt, features, fitted, [each.logits for each in candidates])
    if not (learning and of.learner.strategy.clicks_teach):
        return answer
    yield answer
    yield from of.learner.teach()
    return None


def _answer(
    of: Resources, request: PredictRequest, found: MaskAnswer, weights: Weights, seconds: float
) -> tuple[Answer, tuple[Candidate, ...]]:
    """The reply, and all masks that it was chosen from."""
    candidates, chosen = offered(found, None if request.larger else of.click_heads), found.chosen
    shown = (candidates, chosen) if request.candidates else worth_a_look(candidates, chosen)
    answer = Answer(
        *(request.id, found.window, *shown, weights.version, seconds, request.twin),
        no_gaps=of.no_heads,
        advise_from=advice_from(of.heads, larger=of.larger is not None) if of.heads else None,
        larger=request.larger,
        plausible=of.model.hypotheses is not None and not request.larger,
    )
    return answer, shown[0]


def _unanswerable(of: Resources, request: PredictRequest) -> Answer:
    """The reply to exclude clicks alone: it has no mask, since the decoder would invent one."""
    version = 0 if request.original else of.learner.published.version
    window = request.window or request.image.whole
    return Answer(*(request.id, window, (), 0, version, 0.0, request.twin), no_gaps=of.no_heads, larger=request.larger)


def answered(of: Resources, request: PredictRequest) -> Generator[None, None, tuple[MaskAnswer, Weights, Fitted]]:
    """The answer and the weights that gave it; the learner is not told of it.

    Raises:
        PromptError, UserError: as in `predict`.
    """
    check_prompt(request.prompt, request.image.whole)
    weights, fitted = yield from fitted_weights(of, request)
    return (yield from _asked(of, request, weights, fitted)), weights, fitted


def fitted_weights(of: Resources, request: PredictRequest) -> Generator[None, None, tuple[Weights, Fitted]]:
    """The weights that answer a request, and what is known beside it."""
    if request.original:
        frozen = of.second()[0].frozen if request.larger else of.model.frozen
        return frozen, Fitted(frozen.tensors)
    return (yield from of.learner.fitted(request.image.key, request.prompt))


def _asked(
    of: Resources, request: PredictRequest, weights: Weights, fitted: Fitted, *, first: bool = False
) -> Generator[None, None, MaskAnswer]:
    """The answer under these weights; with `first`, in the first window only."""
    model, cache = of.second() if request.larger else (of.model, of.cache)
    return (
        yield from answer_prompt(
            *(model, cache, weights, request.image, request.prompt, request.window, request.view),
            fitted.hints(request.image.key, request.prompt),
            candidates=request.candidates,
            single=of.learner.strategy.single,
            whole=request.whole,
            first=first,
            others=request.others,
        )
    )
