"""The method that samtta builds on: the whole mask decoder takes one Adam step per click and three per accepted object.

Source: Schön et al., "Adapting the Segment Anything Model During Usage in Novel Situations", CVPR-W 2024 (arXiv
2404.08421). The paper's page gives no rates, steps or orders. They are from the same authors' released code of their
WSESeg paper (arXiv 2407.09288).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from samtta_app.adapt.guard import Verdict
from samtta_app.adapt.memory import Remembered
from samtta_app.adapt.strategies.adam_steps import (
    Labels,
    balanced_cross_entropy,
    eroded,
    from_state,
    mean_at_clicks,
    mean_cross_entropy,
    put_in_cells,
    put_in_pixels,
    sampled_labels,
    step,
    with_state,
)
from samtta_app.adapt.strategy import Attempt, Facts, Fitted, Knowledge, Learned, Lesson, NoAdaptation
from samtta_app.adapt.strategy_words import STRATEGY_WORDS
from samtta_app.core.masks import IGNORE
from samtta_app.core.types import Click, Prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.losses import click_loss
from samtta_app.model.predictor import ImageFeatures, decode_prompt
from samtta_app.model.weights import Tensors

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Schoen2024(NoAdaptation):
    """The method without the defects of its released code; the single mask (token 0) answers and is trained.

    After every click that did not finish the object: one step on the clicks so far. It follows the answer, and the next
    click waits for it. At the end of an object the weights go back to its start, whether it was accepted or given up.
    An accept then teaches three steps: on the eroded mask, on a random earlier object with its own features, and on the
    eroded mask again. The published weights change with an accept only.

    Adam's state is carried through all of it, stored with the weights, and never reset. Nothing is regularised.

    `learning_rate`: 0 takes the backbone's own (`Policy.step_rate`).

    `erosion`: iterations with a 3 x 3 cross in image pixels; 4 as in the released tables (the code's default is 5).

    `replayed`: length of the FIFO of earlier objects; 0 replays none.

    `balanced`: object and background weigh the same; the released loss is a plain mean over the cells.

    For ablations: `click_steps` and `object_steps` switch off one half each. `resets` False keeps what clicks taught.
    `clicks_in_mask` writes the clicks into the accepted mask's labels. `confidence` above 0 keeps only the cells whose
    probability differs by more than that from 0.5.
    """

    name: str = "schoen2024"
    words: str = STRATEGY_WORDS["schoen2024"]
    fits: bool = True
    single: bool = True
    learning_rate: float = 0.0
    erosion: int = 4
    replayed: int = 5
    balanced: bool = False
    click_steps: bool = True
    object_steps: bool = True
    resets: bool = True
    clicks_in_mask: bool = True
    confidence: float = 0.0

    @property
    def in_order(self) -> bool:
        """The published loop does one thing after the other."""
        return True

    @property
    def clicks_teach(self) -> bool:
        """Clicks teach, unless that is switched off."""
        return self.click_steps

    def before_answer(
        self, model: SamModel, known: Knowledge, attempt: Attempt | None, prompt: Prompt
    ) -> Generator[None, None, Fitted]:
        """What the clicks before the newest one taught; a first click is answered by what is known."""
        went_on = attempt is not None and len(attempt.prompt.clicks) < len(prompt.clicks)
        state = _taught(known, attempt) if went_on else _answering(known, attempt)
        return Fitted(state.tensors, state.carried)
        yield

    def after_answer(self, model: SamModel, attempt: Attempt) -> Knowledge | None:
        """One step on all clicks of the answer."""
        if not (self.click_steps and attempt.prompt.clicks):
            return None
        state, features = Knowledge(attempt.tensors, attempt.carried), attempt.features
        loss_of = partial(self._at_clicks, clicks=attempt.prompt.clicks, features=features)
        return step(model, state, features, attempt.prompt, self._rate(model), loss_of)[0]

    def given_up(self, known: Knowledge, attempt: Attempt) -> Knowledge:
        """The weights of the object's start, with Adam's state after its clicks."""
        return self._ended(known, _taught(known, attempt))

    def after_accept(self, model: SamModel, known: Knowledge, lesson: Lesson) -> Generator[float, None, Learned]:
        """Two steps on the eroded mask under the last prompt, and between them one on an earlier object.

        The memory keeps clicks and box but no logits, so the earlier object is asked without a previous mask.
        """
        state = self._ended(known, _answering(known, lesson.attempt))
        losses: list[float] = []
        steps = self._steps(model, lesson) if self.object_steps else ()
        for index, (seen, asked, item) in enumerate(steps):
            target = self._cells(model, lesson, item, asked, seen)
            state, loss = step(model, state, seen, asked, self._rate(model), partial(self._on_target, target=target))
            if not math.isfinite(loss):
                return Learned(
                    known, Verdict(False, "Dropped: the loss was not finite", _NAN, _NAN, _NAN), tuple(losses)
                )
            losses.append(loss)
            yield (index + 1) / len(steps)
        return Learned(state, Verdict(True, "Kept: this method does not check itself", _NAN, _NAN, _NAN), tuple(losses))

    def pseudo_label(self, model: SamModel, item: Remembered) -> Tensor | None:
        """Object and background, each eroded, with the clicks' cells."""
        if not self.object_steps:
            return None
        return torch.from_numpy(self._target(item, item.clicks, item.features, model.grid))

    def stored(self, known: Knowledge) -> tuple[Tensors, Facts]:
        """The weights and Adam's state."""
        return with_state(known), {}

    def restored(self, model: SamModel, tensors: Tensors, facts: Facts) -> Knowledge:
        """The same knowledge again, bit for bit."""
        return from_state(tensors)

    # --- one step -------------------------------------------------------------------------------------------------------

    def _rate(self, model: SamModel) -> float:
        return self.learning_rate or model.policy.step_rate

    def _steps(self, model: SamModel, lesson: Lesson) -> Sequence[tuple[ImageFeatures, Prompt, Remembered]]:
        """Features, prompt and object of every step of a lesson."""
        newest, attempt = lesson.newest, lesson.attempt
        features, prompt = (
            newest.features.to(torch.float32),
            Prompt(newest.clicks, newest.box, class_name=newest.class_name),
        )
        if attempt is not None:
            features, prompt = attempt.features, attempt.prompt
        steps = [(features, prompt, newest)] * 2
        others = [item for item in lesson.memory.items if item.object_id != newest.object_id]
        older = others[-self.replayed :] if self.replayed else []
        if older:
            item = older[int(lesson.rng.integers(len(older)))]
            steps.insert(
                1,
                (
                    self._replayed_features(item, features),
                    Prompt(item.clicks, item.box, class_name=item.class_name),
                    item,
                ),
            )
        return steps

    def _cells(
        self, model: SamModel, lesson: Lesson, item: Remembered, prompt: Prompt, features: ImageFeatures
    ) -> Tensor:
        """The labels (G, G) of one step: 1 object, 0 background, -1 unknown."""
        target = torch.from_numpy(self._target(item, prompt.clicks, features, model.grid)).to(model.device)
        if not self.confidence:
            return target
        attempt = lesson.attempt if item is lesson.newest else None
        tensors = attempt.tensors if attempt is not None else model.frozen.tensors
        with torch.no_grad():
            p = torch.sigmoid(decode_prompt(model, tensors, features, prompt).logits[0])
        return torch.where((p - 0.5).abs() > self.confidence, target, torch.full_like(target, IGNORE))

    # --- what the released code does differently ----------------------------------------------------------------------

    def _ended(self, known: Knowledge, state: Knowledge) -> Knowledge:
        """What is known at the end of an object whose clicks led to `state`."""
        return Knowledge(known.tensors, state.carried) if self.resets else state

    def _at_clicks(self, logits: Tensor, clicks: Sequence[Click], features: ImageFeatures) -> Tensor:
        if self.balanced:
            return click_loss(logits, clicks, features.window).sum() / 2
        return mean_at_clicks(logits, clicks, features.window)

    def _on_target(self, logits: Tensor, target: Tensor) -> Tensor:
        return (balanced_cross_entropy if self.balanced else mean_cross_entropy)(logits, target)

    def _target(self, item: Remembered, clicks: Sequence[Click], features: ImageFeatures, grid: int) -> Labels:
        target = sampled_labels(eroded(item, features.window, self.erosion), grid, 0.5, IGNORE)
        if self.clicks_in_mask:
            put_in_cells(target, clicks, features.window)
        return target

    def _replayed_features(self, item: Remembered, current: ImageFeatures) -> ImageFeatures:
        return item.features.to(torch.float32)


@dataclass(frozen=True, slots=True)
class Schoen2024AsReleased(Schoen2024):
    """The same with the defects of the released code, for comparison only; do not annotate with it.

    The weights do not go back to the object's start. A click is a single image pixel; it survives only where the
    nearest-neighbour grid reads it. Padding is labelled background. An earlier object's clicks and mask are replayed on
    the current image's features. The released code also returns the previous mask as 0 and 1, which is the caller's part.
    """

    name: str = "schoen2024-asreleased"
    words: str = STRATEGY_WORDS["schoen2024-asreleased"]
    fits: bool = True
    single: bool = True
    resets: bool = False

    def _at_clicks(self, logits: Tensor, clicks: Sequence[Click], features: ImageFeatures) -> Tensor:
        labels = np.full((features.window.height, features.window.width), IGNORE, dtype=np.int8)
        put_in_pixels(labels, clicks, features.window)
        target = torch.from_numpy(sampled_labels(labels, logits.shape[-1], 0.0, 0)).to(logits.device)
        return self._on_target(logits, target)

    def _target(self, item: Remembered, clicks: Sequence[Click], features: ImageFeatures, grid: int) -> Labels:
        labels = eroded(item, features.window, self.erosion)
        if self.clicks_in_mask:
            put_in_pixels(labels, clicks, features.window)
        return sampled_labels(labels, grid, 0.0, 0)

    def _replayed_features(self, item: Remembered, current: ImageFeatures) -> ImageFeatures:
        return replace(item.features, embedding=current.embedding, skips=current.skips)


SCHOEN_ABLATIONS: Mapping[str, Schoen2024] = {
    each.name: each
    for each in (
        Schoen2024(name="schoen2024-clicks", words="Clicks teach, accepted masks do not", object_steps=False),
        Schoen2024(
            name="schoen2024-clicks-kept",
            words="Clicks teach for good, accepted masks do not",
            object_steps=False,
            resets=False,
        ),
        Schoen2024(
            name="schoen2024-mask", words="Accepted masks teach, clicks do not", click_steps=False, clicks_in_mask=False
        ),
        Schoen2024(
            name="schoen2024-clicks-in-mask",
            words="Accepted masks teach, with the clicks written into them",
            click_steps=False,
        ),
        Schoen2024(name="schoen2024-uneroded", words="Accepted masks teach as they are", erosion=0),
        Schoen2024(
            name="schoen2024-confident", words="Accepted masks teach where they are sure", erosion=0, confidence=0.45
        ),
        Schoen2024(name="schoen2024-unreplayed", words="Without replay of an earlier object", replayed=0),
        Schoen2024(name="schoen2024-balanced", words="Object and background weigh the same", balanced=True),
    )
}
"""The rows of the released code's ablation, and `balanced`, by name; its confidence filter keeps |p - 0.5| > 0.45."""


def _answering(known: Knowledge, attempt: Attempt | None) -> Knowledge:
    """What gave the last answer; the published knowledge if its weights changed since (an accept, a rollback)."""
    if attempt is None or attempt.knowledge.tensors is not known.tensors:
        return known
    return Knowledge(attempt.tensors, attempt.carried)


def _taught(known: Knowledge, attempt: Attempt | None) -> Knowledge:
    """What is known after the last answer's clicks were learned from, if they were."""
    if attempt is None or attempt.taught is None or attempt.knowledge.tensors is not known.tensors:
        return _answering(known, attempt)
    return attempt.taught
