"""The frozen twin: a simulated user annotates an accepted object again, with weights that had not seen it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from samtta_app.adapt.strategy import AdaptationStrategy, Attempt, Knowledge
from samtta_app.core.clicks import next_click
from samtta_app.core.metrics import iou
from samtta_app.core.types import Click, Example, Prompt
from samtta_app.model.answers import MaskAnswer, answer_prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.cache import FeatureCache
from samtta_app.model.weights import Weights

TWIN_CLICKS, TWIN_TARGET = 30, 0.90
"""A replay ends after 30 clicks or at an IoU of .90, as the benchmark's goal 30@90 does."""


def twin_trajectory(
    model: SamModel, cache: FeatureCache, example: Example, adapting: AdaptationStrategy, known: Knowledge
) -> Generator[None, None, tuple[float, ...]]:
    """IoU after each click of RITM's simulated user against the accepted mask, from scratch, answered as a user is."""
    clicks: tuple[Click, ...] = ()
    found: MaskAnswer | None = None
    attempt: Attempt | None = None
    values: list[float] = []
    while len(values) < TWIN_CLICKS and (not values or values[-1] < TWIN_TARGET):
        click = next_click(example.mask, found.shown if found else None, clicks, example.image.whole)
        if click is None:
            break
        clicks = (*clicks, click)
        prompt = Prompt(clicks, None, found.feedback() if found else None, example.class_id, example.class_name)
        if attempt is not None:
            attempt = replace(attempt, taught=adapting.after_answer(model, attempt))
            yield
        fitted = yield from adapting.before_answer(model, known, attempt, prompt)
        weights, window = Weights(-1, fitted.tensors), found.window if found else None
        found = yield from answer_prompt(
            model,
            cache,
            weights,
            example.image,
            prompt,
            window,
            hints=fitted.hints(example.image.key, prompt),
            single=adapting.single,
        )
        features = yield from cache.features(example.image, found.window)
        attempt = Attempt(known, prompt, features, fitted.tensors, fitted.carried)
        values.append(iou(found.shown, example.mask))
        yield
    return tuple(values)
