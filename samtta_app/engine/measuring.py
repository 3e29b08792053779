"""How unsure an answer is: by the measures, and by refining it."""

from __future__ import annotations

from samtta_app.core.messages import MeasureRequest, PredictRequest, RefineRequest
from samtta_app.core.replies import Refined
from samtta_app.engine.predicting import answered
from samtta_app.engine.resources import Resources, Work
from samtta_app.model.answers import check_prompt
from samtta_app.model.refiner import refined_reply, refining_window
from samtta_app.uncertainty.measures import Measuring, measured
from samtta_app.uncertainty.offered_masks import offered


def measure_map(of: Resources, request: MeasureRequest) -> Work:
    """Answer by the published weights, and measure how unsure the answer is.

    Raises:
        PromptError: the prompt is empty, or a click lies outside the image.
        UserError, CheckpointError: as in `samtta_app.uncertainty.measures.measured`.
    """
    check_prompt(request.prompt, request.image.whole)
    weights = of.model.frozen
    if not request.frozen:
        weights, _ = yield from of.learner.unfitted(request.prompt)
    single = of.learner.strategy.single
    knows = Measuring(of.model, of.cache, weights, of.larger, of.heads, of.no_heads, single)
    return (yield from measured(knows, request))


def refine_answer(of: Resources, request: RefineRequest) -> Work:
    """Refine an answer, and say where both differ.

    Raises:
        PromptError: the prompt is empty, or a click lies outside the image.
    """
    shown = request.answer
    refiner, reason = of.refiner()
    if refiner is None:
        window = shown.logits.window if shown else request.window or request.image.whole
        return Refined(request.id, None, float("nan"), None, window, 0.0, reason)
    if shown is None:
        asked = PredictRequest(request.id, request.image, request.prompt, request.window)
        found, _, _ = yield from answered(of, asked)
        shown = offered(found, None)[found.chosen]
    extent = request.image.whole
    window = refining_window(of.model, shown.logits.window, shown.mask, request.prompt, extent)
    features = yield from of.cache.features(request.image, window)
    return refined_reply(of.model, refiner, features, request, shown)
