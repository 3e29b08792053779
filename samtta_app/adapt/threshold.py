"""The threshold offset: a click that shows the mask wrong moves the mask's threshold about it (`shifted`).

Without it every click fixes only its own surroundings. An outline that is wrong all around in the same way would take a
click for each piece. The offset is one step of gradient descent on the click's squared error with respect to a bias of
the logits. Source: f-BRS (Sofiiuk et al. 2020), with the last layer's bias alone. Clicks of both signs cancel.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from samtta_app.core.types import Click, Logits, Prompt

OFFSET_FROM = 4
"""Clicks from which the threshold moves; earlier ones settle which object is meant."""

RATE, MAX_OFFSET = 0.5, 3.0
"""RATE is the part of the newest click's error by which the logits about it move at click OFFSET_FROM.

Later clicks move them by less, in inverse proportion to their number (Robbins and Monro 1951). Otherwise the outline goes to
and fro at the end. MAX_OFFSET limits one click's effect.
"""


def offset(prompt: Prompt) -> float:
    """What to add to the logits at the newest click of `prompt`; 0 where its newest click agrees with the previous mask.

    The logits that `prompt` returns already contain the offsets of earlier clicks.
    """
    if len(prompt.clicks) < OFFSET_FROM or prompt.logits is None:
        return 0.0
    newest = prompt.clicks[-1]
    value = logit_at(prompt.logits, newest)
    if value is None or (value > 0) is newest.positive:
        return 0.0
    fading = OFFSET_FROM / len(prompt.clicks)
    return fading * float(np.clip(-RATE * value, -MAX_OFFSET, MAX_OFFSET))


def logit_at(logits: Logits, click: Click) -> float | None:
    """The logit at a click, bilinear between cell centres; None outside the window."""
    window, side = logits.window, logits.values.shape[-1]
    if not window.contains(click.x, click.y):
        return None
    cell = window.side / side
    at = [[(click.y - window.y + 0.5) / cell - 0.5], [(click.x - window.x + 0.5) / cell - 0.5]]
    return float(map_coordinates(logits.values, at, order=1, mode="nearest")[0])
