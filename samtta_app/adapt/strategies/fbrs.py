"""Feature back-propagating refinement: a scale and a bias per channel are fitted to each object's clicks, then forgotten.

Source: Sofiiuk et al., "f-BRS: Rethinking Backpropagating Refinement for Interactive Segmentation", CVPR 2020 (arXiv
2001.10331). Figures are from the code released with RITM (Sofiiuk et al. 2022).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import fmin_l_bfgs_b
from torch import Tensor

from samtta_app.adapt.strategy import Attempt, Fitted, Knowledge, NoAdaptation
from samtta_app.adapt.strategy_words import STRATEGY_WORDS
from samtta_app.core.types import Click, Prompt, Window
from samtta_app.model.backbone import Embedded, SamModel
from samtta_app.model.predictor import ImageFeatures, decode, embed
from samtta_app.model.threshold_shift import logits_at
from samtta_app.model.weights import Tensors, all_finite, detached

WEIGHT, BIAS = "output_upscaling.0.weight", "output_upscaling.0.bias"
"""The first up-scaling convolution (transposed: in, out, 2, 2), whose output channels are scaled and shifted."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fbrs(NoAdaptation):
    """From the second click on, L-BFGS moves the current answer towards the clicks; nothing is learned for the next object.

    The search ends early once every click is satisfied. All figures are the released ones.

    `memory`: pairs that L-BFGS remembers (m).

    `evaluations`: maximum number of loss evaluations.

    `network_clicks`: the decoder gets at most the first 8 clicks while fitting; the loss uses all clicks.

    `weight`: factor of the regulariser |scale - 1|^2 + `bias_weight` |bias|^2.
    """

    name: str = "fbrs"
    words: str = STRATEGY_WORDS["fbrs"]
    fits: bool = True
    memory: int = 20
    evaluations: int = 20
    network_clicks: int = 8
    weight: float = 1e-3
    bias_weight: float = 10.0

    def before_answer(
        self, model: SamModel, known: Knowledge, attempt: Attempt | None, prompt: Prompt
    ) -> Generator[None, None, Fitted]:
        """The tensors fitted to all clicks in the last answer's window; the fit starts where the last one ended."""
        if attempt is None or len(prompt.clicks) < 2:
            return Fitted(known.tensors)
        yield
        start: Vector = attempt.carried
        if start is None:
            start = np.zeros(2 * known.tensors[BIAS].numel())
        fit = _Fit(self, model, known.tensors, attempt.features, prompt, start)
        with suppress(_Enough):
            fmin_l_bfgs_b(fit, start, m=self.memory, maxfun=self.evaluations, factr=0.0, pgtol=1e-8)
        tensors = detached(scaled(known.tensors, torch.from_numpy(fit.best)))
        return Fitted(tensors, fit.best) if all_finite(tensors) else Fitted(known.tensors)


class _Enough(Exception):  # noqa: N818 (no error: scipy has no other way to be stopped between two evaluations)
    """The search is over."""


class _Fit:
    """The function that L-BFGS minimises: (scale - 1, bias) (2 C,) to loss and gradient. It remembers the best point seen."""

    def __init__(
        self, settings: Fbrs, model: SamModel, tensors: Tensors, features: ImageFeatures, prompt: Prompt, start: Vector
    ) -> None:
        self.best, self._least, self._left = start, math.inf, settings.evaluations
        self._settings, self._model, self._tensors = settings, model, tensors
        self._features, self._clicks = features, prompt.clicks
        self._embedded: Embedded = embed(
            model, features, replace(prompt, clicks=prompt.clicks[: settings.network_clicks])
        )

    def __call__(self, place: Vector) -> tuple[float, Vector]:
        """Loss and gradient.

        Raises:
            _Enough: all clicks are satisfied, all evaluations are used, or something is not finite.
        """
        self._left -= 1
        variables = torch.from_numpy(place.copy()).requires_grad_(True)
        with torch.enable_grad():
            decoded = decode(self._model, scaled(self._tensors, variables), self._features, self._embedded)
            errors = click_errors(decoded.logits[0], self._clicks, self._features.window)
            scale, bias = variables.chunk(2)
            size = scale.square().sum() + self._settings.bias_weight * bias.square().sum()
            loss = sum(part.square().mean() for part in errors) + self._settings.weight * size.to(decoded.logits)
            (gradient,) = torch.autograd.grad(loss, variables)
        value = float(loss.detach())
        if not math.isfinite(value) or not torch.isfinite(gradient).all():
            raise _Enough
        if value < self._least:
            self.best, self._least = place.copy(), value
        if self._left <= 0 or all(float(part.detach().max()) < 0.5 for part in errors):
            raise _Enough
        return value, gradient.numpy()


def scaled(tensors: Tensors, variables: Tensor) -> dict[str, Tensor]:
    """All `tensors`, with the first up-scaling's output y changed to (1 + s) y + b per channel; variables (2 C,) = s, b."""
    scale, bias = variables.to(tensors[BIAS]).chunk(2)
    return {
        **tensors,
        WEIGHT: tensors[WEIGHT] * (1 + scale)[None, :, None, None],
        BIAS: tensors[BIAS] * (1 + scale) + bias,
    }


def click_errors(logits: Tensor, clicks: Sequence[Click], window: Window) -> list[Tensor]:
    """|label - probability| on 3 x 3 image pixels about each click; logits (G, G).

    Returns one tensor (9 n,) for each sign that occurs.
    """
    around = [(dx, dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    errors = []
    for positive in (True, False):
        places = [(c.x + dx, c.y + dy) for c in clicks if c.positive is positive for dx, dy in around]
        if places:
            values = logits_at(logits[None], places, window)[0]
            errors.append(torch.sigmoid(-values if positive else values))
    return errors
