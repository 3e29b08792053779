"""The one fast weight: a click that shows the mask wrong moves the mask's threshold, for the rest of the object.

Without it every click mends its own surroundings only, and an object whose outline is wrong all around in the same way takes
a click for each piece of it. The offset is a step of gradient descent on the click's squared error with respect to a bias of
the mask's logits (f-BRS, Sofiiuk et al. 2020, with the last layer's bias alone), so clicks of both signs cancel.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from samtta_app.core.types import Click, Logits, Prompt

OFFSET_FROM = 4
"""Clicks from which it moves: the first ones settle which object is meant."""

RATE, MAX_OFFSET = 0.5, 3.0
"""The part of the newest click's error by which all logits move, and the most that one click moves them."""


def offset(prompt: Prompt) -> float:
    """What to add to the logits of the answer to `prompt`; 0 where its newest click confirms the mask before.

    The offsets of earlier clicks are in the logits that `prompt` gives back already.
    """
    if len(prompt.clicks) < OFFSET_FROM or prompt.logits is None:
        return 0.0
    newest = prompt.clicks[-1]
    value = logit_at(prompt.logits, newest)
    if value is None or (value > 0) is newest.positive:
        return 0.0
    return float(np.clip(-RATE * value, -MAX_OFFSET, MAX_OFFSET))


def logit_at(logits: Logits, click: Click) -> float | None:
    """The logit at a click, bilinear between cell centres; None outside the window."""
    window, side = logits.window, logits.values.shape[-1]
    if not window.contains(click.x, click.y):
        return None
    cell = window.side / side
    at = [[(click.y - window.y + 0.5) / cell - 0.5], [(click.x - window.x + 0.5) / cell - 0.5]]
    return float(map_coordinates(logits.values, at, order=1, mode="nearest")[0])
