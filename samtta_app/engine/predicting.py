"""The answer to a prompt: which model is asked, which masks are offered, and what the learner is told."""

from __future__ import annotations

import time
from collections.abc import Generator

from samtta_app.adapt.strategy import Fitted
from samtta_app.core.messages import PredictRequest
from samtta_app.core.replies import Answer
from samtta_app.engine.resources import Resources, Work
from samtta_app.model.answers import WindowAnswer, answer_prompt, check_prompt
from samtta_app.model.weights import Weights
from samtta_app.uncertainty.heads import advice_from
from samtta_app.uncertainty.offered_masks import offered, worth_a_look


def predict(of: Resources, request: PredictRequest) -> Work:
    """Answer a prompt; a strategy that learns from clicks does so after the answer, which then comes as a partial reply.

    Raises:
        PromptError: the prompt is empty, or a click lies outside the image.
        UserError: there is no larger model to ask.
    """
    started = time.perf_counter()
    check_prompt(request.prompt, request.image.whole)
    if not request.prompt.includes:
        return _unanswerable(of, request)
    found, weights, fitted = yield from answered(of, request)
    seconds = time.perf_counter() - started
    candidates, chosen = offered(found, None if request.larger else of.click_heads), found.chosen
    if not request.candidates:
        candidates, chosen = worth_a_look(candidates, chosen)
    learning = not request.original
    if learning:
        features = yield from of.cache.features(request.image, found.window)
        of.learner.answered(request.prompt, features, fitted, [each.logits for each in candidates])
    answer = Answer(
        *(request.id, found.window, candidates, chosen, weights.version, seconds, request.twin),
        no_gaps=of.no_heads,
        advise_from=advice_from(of.heads, larger=of.larger is not None) if of.heads else None,
        larger=request.larger,
    )
    if not (learning and of.learner.strategy.clicks_teach):
        return answer
    yield answer
    yield from of.learner.teach()
    return None


def _unanswerable(of: Resources, request: PredictRequest) -> Answer:
    """The reply to exclude clicks alone: it has no mask, since the decoder would invent one."""
    version = 0 if request.original else of.learner.published.version
    window = request.window or request.image.whole
    return Answer(*(request.id, window, (), 0, version, 0.0, request.twin), no_gaps=of.no_heads, larger=request.larger)


def answered(of: Resources, request: PredictRequest) -> Generator[None, None, tuple[WindowAnswer, Weights, Fitted]]:
    """The answer and the weights that gave it; the learner is not told of it.

    Raises:
        PromptError, UserError: as in `predict`.
    """
    prompt = request.prompt
    check_prompt(prompt, request.image.whole)
    model, cache = of.second() if request.larger else (of.model, of.cache)
    weights, fitted = model.frozen, Fitted(model.frozen.tensors)
    if not request.original:
        weights, fitted = yield from of.learner.fitted(request.image.key, prompt)
    found = yield from answer_prompt(
        model,
        cache,
        weights,
        request.image,
        prompt,
        request.window,
        request.view,
        fitted.hints(request.image.key, prompt),
        candidates=request.candidates,
        single=of.learner.strategy.single,
        whole=request.whole,
    )
    return found, weights, fitted
