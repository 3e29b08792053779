"""What a click under the pointer would show: one look in a window that is encoded already."""

from __future__ import annotations

import time

from samtta_app.core.messages import HoverRequest, PredictRequest
from samtta_app.core.replies import Hovered
from samtta_app.core.types import Prompt
from samtta_app.core.windows import first_window
from samtta_app.engine.predicting import fitted_weights
from samtta_app.engine.resources import Resources, Work
from samtta_app.model.answers import answer_prompt, check_prompt


def hover(of: Resources, request: HoverRequest) -> Work:
    """Answer a click that was not made; without a mask where no window around it is encoded.

    The learner is not told, and no closer look is taken: a real click may show more.

    Raises:
        PromptError: the click lies outside the image.
    """
    started = time.perf_counter()
    image = request.image
    prompt = Prompt((request.click,), class_id=request.class_id, class_name=request.class_name)
    check_prompt(prompt, image.whole)
    weights, fitted = yield from fitted_weights(of, PredictRequest(request.id, image, prompt))
    hints = fitted.hints(image.key, prompt)
    near = first_window(image.whole, request.view, prompt.clicks, None, hints.side)
    window = next((w for w in (near, image.whole) if of.cache.has(image.key, w)), None)
    if window is None:
        return Hovered(request.id, None, 0.0)
    found = yield from answer_prompt(
        *(of.model, of.cache, weights, image, prompt, window, None, hints),
        single=of.learner.strategy.single,
        first=True,
    )
    shown = found.shown
    return Hovered(request.id, shown if shown.area else None, time.perf_counter() - started)
