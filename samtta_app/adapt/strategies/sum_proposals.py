"""Strategy `sum`: the model's own proposals teach beside the accepted masks, weighted by the refiner's certainty.

Source: Liu et al. 2024 (SUM). Every pixel of a user's mask counts fully. Each pixel of a pseudo-label counts by its
certainty. Prompts on a pseudo-label are drawn by certainty, too.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from samtta_app.adapt.loop import UnlabelledLoss
from samtta_app.adapt.memory import Remembered
from samtta_app.adapt.rounds import grid_to_image
from samtta_app.adapt.strategies.default import Samtta
from samtta_app.adapt.strategy import Knowledge, Lesson
from samtta_app.adapt.strategy_words import STRATEGY_WORDS
from samtta_app.core.clicks import sampled_click
from samtta_app.core.types import Click, Prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.losses import aware_loss
from samtta_app.model.predictor import ImageFeatures, decode_prompt
from samtta_app.model.proposals import cells, certainty, guesses
from samtta_app.model.refiner import Refiner, refiner_for
from samtta_app.model.weights import Tensors

_TRIES = 4
"""Places that are tried for each wanted proposal."""
SHARED = 0.1
"""Share of a proposal that may lie on the accepted object; a larger overlap contradicts the user."""


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """A mask that no user accepted, in the window of `features`.

    `target` (G, G) is 0 or 1; `certainty` (G, G) is 0 .. 1.
    """

    features: ImageFeatures
    target: Tensor
    certainty: Tensor

    def loss(self, model: SamModel, tensors: Tensors, rng: np.random.Generator) -> Tensor | None:
        """SUM's loss of the best candidate for a first click drawn by certainty; None where no pixel is certain."""
        bits = self.target.cpu().numpy() > 0
        place = sampled_click(bits, None, self.certainty.cpu().numpy(), rng)
        if place is None:
            return None
        x, y = grid_to_image(self.features.window, model.grid, int(place.x), int(place.y))
        features = self.features.to(torch.float32)
        decoded = decode_prompt(model, tensors, features, Prompt((Click(x, y, True),)))
        rows, columns = cells(model, features)
        target, certainty = self.target[:rows, :columns], self.certainty[:rows, :columns]
        shown = decoded.logits[1:, :rows, :columns]
        alpha = model.policy.focal_alpha
        return aware_loss(shown, decoded.iou[1:], target.expand_as(shown), certainty.expand_as(shown), alpha).min()


@dataclass(frozen=True, slots=True)
class Sum(Samtta):
    """samtta's own learning, and `proposals` pseudo-labels in the window of every accepted object."""

    name: str = "sum"
    words: str = STRATEGY_WORDS["sum"]
    proposals: int = 2

    def unlabelled(
        self, model: SamModel, known: Knowledge, lesson: Lesson
    ) -> Generator[float, None, tuple[UnlabelledLoss, ...]]:
        """Proposals of the weights that answer, beside the accepted object; none where the model has no refiner."""
        refiner = _refiner(model)
        found: list[UnlabelledLoss] = []
        for click in _places(model, lesson.newest, _TRIES * self.proposals, lesson.rng) if refiner else ():
            if len(found) == self.proposals or refiner is None:
                break
            proposal = _proposed(model, refiner, known.tensors, lesson.newest, click)
            yield 0.0
            if proposal is not None:
                found.append(proposal)
        return tuple(found)


@lru_cache(maxsize=2)
def _refiner(model: SamModel) -> Refiner | None:
    return refiner_for(model)[0]


def _places(model: SamModel, item: Remembered, count: int, rng: np.random.Generator) -> list[Click]:
    """Places in the window outside the accepted object."""
    free = np.argwhere((item.whole == 0).cpu().numpy())
    if not len(free):
        return []
    chosen = free[rng.choice(len(free), min(count, len(free)), replace=False)]
    points = (grid_to_image(item.features.window, model.grid, int(column), int(row)) for row, column in chosen)
    return [Click(x, y, True) for x, y in points]


def _proposed(model: SamModel, refiner: Refiner, tensors: Tensors, item: Remembered, click: Click) -> Proposal | None:
    """The answer to a click as a pseudo-label.

    None where the answer is unsure, unstable, of an implausible size, or elsewhere.
    """
    features = item.features.to(torch.float32)
    for guess in guesses(model, tensors, features, (click,), model.policy.limits):
        target = guess.logits > 0
        if float((target & (item.whole == 1)).sum()) > SHARED * float(target.sum()):
            continue
        certain = certainty(model, refiner, features, guess)
        if certain is not None:
            return Proposal(item.features, target.float(), certain)
    return None
