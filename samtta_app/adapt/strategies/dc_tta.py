"""Divide and conquer: each unit of clicks adapts its own copy; the copies are merged per object, then forgotten.

Source: Kim et al., "DC-TTA: Divide-and-Conquer Framework for Test-Time Adaptation of Interactive Segmentation", ICCV
2025 (arXiv 2506.23104). Only the abstract and reviews were available. Losses, rates, steps and thresholds are unknown;
those here are ours.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from samtta_app.adapt.strategy import Attempt, Fitted, Knowledge, NoAdaptation
from samtta_app.adapt.strategy_words import STRATEGY_WORDS
from samtta_app.core.types import Click, Prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.losses import click_loss
from samtta_app.model.predictor import ImageFeatures, decode, decode_prompt, embed
from samtta_app.model.weights import Tensors, all_finite, detached, trainable_copy


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """Positive clicks on the same part, and the decoder's tensors adapted to them and to every negative click."""

    positives: tuple[Click, ...]
    tensors: Tensors


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """`whole` answers for all positive clicks of the object; `parts` divide them. A single part is the whole itself."""

    whole: Unit
    parts: tuple[Unit, ...] = ()


@dataclass(frozen=True, slots=True)
class DcTta(NoAdaptation):
    """Units of clicks adapted separately and merged by averaging their task vectors (changes from the frozen weights).

    The frozen weights answer a new positive click together with all negative clicks. The click joins every unit whose
    mask overlaps that answer with an IoU above `joins`. Without such a unit it starts a new one, up to `units`. Beyond
    that it belongs to the whole only.

    Every unit takes `steps` Adam steps at `learning_rate`, continuing from its own tensors. The loss is the click loss
    plus `consistency` times the mean squared difference to the frozen weights' probabilities. All figures are ours,
    since the published ones are unknown.
    """

    name: str = "dc-tta"
    words: str = STRATEGY_WORDS["dc-tta"]
    fits: bool = True
    joins: float = 0.5
    units: int = 4
    steps: int = 2
    learning_rate: float = 1e-4
    consistency: float = 1.0

    def before_answer(
        self, model: SamModel, known: Knowledge, attempt: Attempt | None, prompt: Prompt
    ) -> Generator[None, None, Fitted]:
        """The merged tensors, from the second click on; yields after every step."""
        if attempt is None or len(prompt.clicks) < 2:
            return Fitted(known.tensors)
        yield
        features, before = attempt.features, attempt.carried or Units(Unit((), known.tensors))
        positives = tuple(click for click in prompt.clicks if click.positive)
        parts = self._divided(model, known.tensors, before, features, prompt)
        whole = yield from self._adapted(model, known.tensors, Unit(positives, before.whole.tensors), features, prompt)
        if len(parts) < 2:
            units = Units(whole, (Unit(positives, whole.tensors),) if parts else ())
        else:
            adapted = []
            for unit in parts:
                asked = _asked(unit.positives, prompt)
                adapted.append((yield from self._adapted(model, known.tensors, unit, features, asked)))
            units = Units(whole, tuple(adapted))
        trained = [whole] if len(parts) < 2 else [whole, *units.parts]
        tensors = averaged(known.tensors, [unit.tensors for unit in trained])
        return Fitted(tensors, units) if all_finite(tensors) else Fitted(known.tensors)

    def _divided(
        self, model: SamModel, frozen: Tensors, before: Units, features: ImageFeatures, prompt: Prompt
    ) -> tuple[Unit, ...]:
        """The parts after every new positive click has joined or started some."""
        parts = before.parts
        for click in prompt.clicks:
            if not click.positive or click in before.whole.positives:
                continue
            found = _bits(model, frozen, features, _asked((click,), prompt))
            fits = [
                overlap(found, _bits(model, unit.tensors, features, _asked(unit.positives, prompt))) > self.joins
                for unit in parts
            ]
            parts = tuple(
                replace(unit, positives=(*unit.positives, click)) if fit else unit
                for unit, fit in zip(parts, fits, strict=True)
            )
            if not any(fits) and len(parts) < self.units:
                parts = (*parts, Unit((click,), frozen))
        return parts

    def _adapted(
        self, model: SamModel, frozen: Tensors, unit: Unit, features: ImageFeatures, prompt: Prompt
    ) -> Generator[None, None, Unit]:
        """The unit after its steps; unchanged when a loss or a weight is not finite."""
        embedded = embed(model, features, prompt)
        with torch.no_grad():
            source = decode(model, frozen, features, embedded).logits[:1].sigmoid()
        copy = trainable_copy(unit.tensors)
        optimiser = torch.optim.Adam(list(copy.values()), lr=self.learning_rate)
        for _ in range(self.steps):
            optimiser.zero_grad(set_to_none=True)
            with torch.enable_grad():
                logits = decode(model, copy, features, embedded).logits[:1]
                near = F.mse_loss(logits.sigmoid(), source)
                loss = click_loss(logits, prompt.clicks, features.window).sum() + self.consistency * near
                if not torch.isfinite(loss):
                    return unit
                loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            yield
        return replace(unit, tensors=detached(copy)) if all_finite(copy) else unit


def averaged(frozen: Tensors, copies: Sequence[Tensors]) -> dict[str, Tensor]:
    """The frozen tensors plus the mean of the copies' task vectors (Ilharco et al. 2023), name by name."""
    return {
        name: tensor + torch.stack([copy[name] - tensor for copy in copies]).mean(0) for name, tensor in frozen.items()
    }


def overlap(one: Tensor, other: Tensor) -> float:
    """IoU of two boolean masks of one shape; 0 where both are empty, since they share no part."""
    either = int((one | other).sum())
    return int((one & other).sum()) / either if either else 0.0


def _asked(positives: tuple[Click, ...], prompt: Prompt) -> Prompt:
    """These positive clicks with every negative one of `prompt`, without a previous mask."""
    clicks = (*positives, *(click for click in prompt.clicks if not click.positive))
    return replace(prompt, clicks=clicks, logits=None)


def _bits(model: SamModel, tensors: Tensors, features: ImageFeatures, prompt: Prompt) -> Tensor:
    """The single mask (G, G) that answers `prompt`."""
    with torch.no_grad():
        return decode_prompt(model, tensors, features, prompt).logits[0] > 0
