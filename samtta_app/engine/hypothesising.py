"""Plausible outlines for a prompt, after its plain answer (A-SAM)."""

from __future__ import annotations

import time

from samtta_app.core.messages import HypothesesRequest
from samtta_app.core.replies import Hypotheses
from samtta_app.core.rounding import in_half_precision, in_steps
from samtta_app.core.types import Candidate, Logits
from samtta_app.engine.resources import Resources, Work
from samtta_app.model.answers import check_prompt
from samtta_app.model.backbone import Look
from samtta_app.model.predictor import ImageFeatures
from samtta_app.model.sampling import SAMPLES, SampledCard, disagreement, sampled, sampled_cards, sampled_masks
from samtta_app.uncertainty.maps import entropy, mean_entropy

NO_HYPOTHESES = "This model has no hypotheses: `samtta train hypotheses` makes them"
ENDLESS_HYPOTHESES = "The hypotheses are not finite, so none can be shown"
NOTHING_PLAUSIBLE = "No hypothesis holds an object here: click on the object again, or draw a box around it"


def hypothesise(of: Resources, request: HypothesesRequest) -> Work:
    """Sample what is plausible for a prompt, in the window where it was answered.

    Raises:
        PromptError: the prompt is empty, or a click lies outside the image.
    """
    started = time.perf_counter()
    check_prompt(request.prompt, request.image.whole)
    nets, prompt, window = of.model.hypotheses, request.prompt, request.window
    if nets is None or not prompt.includes:
        return _none(request, 0, started, NO_HYPOTHESES if nets is None else NOTHING_PLAUSIBLE)
    weights, shift = of.model.frozen, None
    looks: tuple[Look, ...] = ()
    if not request.frozen:
        weights, fitted = yield from of.learner.unfitted(prompt)
        shift, looks = fitted.preferences.shift(prompt.class_id, nets), fitted.looks.of_class(prompt.class_id)
    features = yield from of.cache.features(request.image, window)
    found = yield from sampled(of.model, nets, weights.tensors, features, prompt, request.shown, shift, looks)
    if found is None:
        return _none(request, weights.version, started, ENDLESS_HYPOTHESES)
    yield None
    cards = tuple(_candidate(card, features) for card in sampled_cards(of.model, found, prompt))
    return Hypotheses(
        *(request.id, window, cards, SAMPLES, disagreement(found.logits), shift is not None, weights.version),
        time.perf_counter() - started,
        "" if cards else NOTHING_PLAUSIBLE,
        sampled_masks(of.model, found, prompt) if request.masks else (),
    )


def _none(request: HypothesesRequest, version: int, started: float, reason: str) -> Hypotheses:
    """The reply without cards, for a reason."""
    return Hypotheses(request.id, request.window, (), 0, None, False, version, time.perf_counter() - started, reason)


def _candidate(card: SampledCard, features: ImageFeatures) -> Candidate:
    """A card as a candidate like any other."""
    logits = card.logits[None]
    doubts = entropy(logits)
    return Candidate(
        card.mask,
        Logits(features.window, in_half_precision(card.logits.float().cpu().numpy())),
        card.iou,
        in_steps(doubts[0].cpu().numpy()),
        float(mean_entropy(logits, doubts)[0]),
        samples=card.count,
    )
