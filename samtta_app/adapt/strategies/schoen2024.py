"""The method that samtta builds on: the whole mask decoder takes one Adam step per click and three per accepted object.

Source: Schön et al., "Adapting the Segment Anything Model During Usage in Novel Situations", CVPR-W 2024 (arXiv
2404.08421). Figures that the paper leaves open are from the same authors' released WSESeg code (arXiv 2407.09288).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from samtta_app.adapt.guard import Verdict
from samtta_app.adapt.memory import Remembered
from samtta_app.adapt.strategy import Attempt, Facts, Fitted, Knowledge, Learned, Lesson, NoAdaptation
from samtta_app.adapt.strategy_words import STRATEGY_WORDS
from samtta_app.core.masks import IGNORE, full
from samtta_app.core.types import Click, Prompt, Window
from samtta_app.model.backbone import SamModel
from samtta_app.model.losses import click_loss
from samtta_app.model.predictor import ImageFeatures, decode_prompt
from samtta_app.model.weights import EXTRA, Tensors, all_finite, detached, trainable_copy

_Labels = NDArray[np.int8]
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Schoen2024(NoAdaptation):
    """The method without the defects of its released code; the single mask (token 0) is trained, nothing is regularised.

    After every click that did not finish the object: one step on the clicks, taken just before the next answer. After
    an accept, the weights go back to the object's start. Three steps follow: on the eroded mask, on a random earlier
    object with its own features, and on the eroded mask again.

    What clicks teach answers later clicks of the same object only. The published weights change with an accept only.
    Adam's state is carried through all of it, stored with the weights, and never reset.

    `learning_rate`: the paper's is unknown. The code's default is 1e-6; its WSESeg tables used 5e-8 for SAM ViT-B. Of
    1e-6, 1e-5, 1e-4 and 1e-3 the compact model gained most from 1e-5 (four changed training sets, `packaging/BENCHMARKS.md`).

    `erosion`: iterations with a 3 x 3 cross in image pixels (default 5, tables 4).

    `replayed`: length of the FIFO.
    """

    name: str = "schoen2024"
    words: str = STRATEGY_WORDS["schoen2024"]
    fits: bool = True
    learning_rate: float = 1e-5
    erosion: int = 4
    replayed: int = 5

    def before_answer(
        self, model: SamModel, known: Knowledge, attempt: Attempt | None, prompt: Prompt
    ) -> Generator[None, None, Fitted]:
        """One step on all clicks of the last answer; a new click means that the answer was not good enough."""
        state = _present(known, attempt)
        if attempt is not None and 0 < len(attempt.prompt.clicks) < len(prompt.clicks):
            yield
            loss_of = partial(self._at_clicks, clicks=attempt.prompt.clicks, features=attempt.features)
            state, _ = step(model, state, attempt.features, attempt.prompt, self.learning_rate, loss_of)
        return Fitted(state.tensors, state.carried)

    def after_accept(self, model: SamModel, known: Knowledge, lesson: Lesson) -> Generator[float, None, Learned]:
        """Two steps on the eroded mask under the last prompt, and between them one on an earlier object.

        The memory keeps clicks and box but no logits, so the earlier object is asked without a previous mask.
        """
        newest, attempt = lesson.newest, lesson.attempt
        features, prompt = newest.features.to(torch.float32), Prompt(newest.clicks, newest.box)
        if attempt is not None:
            features, prompt = attempt.features, attempt.prompt
        steps = [(features, prompt, newest)] * 2
        older = [item for item in lesson.memory.items if item.object_id != newest.object_id][-self.replayed :]
        if older:
            item = older[int(lesson.rng.integers(len(older)))]
            steps.insert(1, (self._replayed_features(item, features), Prompt(item.clicks, item.box), item))
        state = self._start(known, attempt)
        losses: list[float] = []
        for index, (seen, asked, item) in enumerate(steps):
            target = torch.from_numpy(self._target(item, asked.clicks, seen, model.grid)).to(model.device)
            loss_of = partial(self._on_target, target=target)
            state, loss = step(model, state, seen, asked, self.learning_rate, loss_of)
            if not math.isfinite(loss):
                return Learned(
                    known, Verdict(False, "Dropped: the loss was not finite", _NAN, _NAN, _NAN), tuple(losses)
                )
            losses.append(loss)
            yield (index + 1) / len(steps)
        return Learned(state, Verdict(True, "Kept: this method does not check itself", _NAN, _NAN, _NAN), tuple(losses))

    def stored(self, known: Knowledge) -> tuple[Tensors, Facts]:
        """The weights and Adam's state."""
        return with_state(known), {}

    def restored(self, model: SamModel, tensors: Tensors, facts: Facts) -> Knowledge:
        """The same knowledge again, bit for bit."""
        return from_state(tensors, self.learning_rate)

    # --- what the released code does differently ----------------------------------------------------------------------

    def _start(self, known: Knowledge, attempt: Attempt | None) -> Knowledge:
        """The weights of the object's start, with the optimiser's current state."""
        return Knowledge(known.tensors, _present(known, attempt).carried)

    def _at_clicks(self, logits: Tensor, clicks: Sequence[Click], features: ImageFeatures) -> Tensor:
        return click_loss(logits, clicks, features.window).sum() / 2

    def _on_target(self, logits: Tensor, target: Tensor) -> Tensor:
        return balanced_cross_entropy(logits, target)

    def _target(self, item: Remembered, clicks: Sequence[Click], features: ImageFeatures, grid: int) -> _Labels:
        target = sampled_labels(eroded(item, features.window, self.erosion), grid, 0.5, IGNORE)
        window, cell = features.window, features.window.side / grid
        for click in clicks:
            row, column = (
                math.floor(at) for at in ((click.y - window.y + 0.5) / cell, (click.x - window.x + 0.5) / cell)
            )
            if 0 <= row < grid and 0 <= column < grid:
                target[row, column] = click.positive
        return target

    def _replayed_features(self, item: Remembered, current: ImageFeatures) -> ImageFeatures:
        return item.features.to(torch.float32)


@dataclass(frozen=True, slots=True)
class Schoen2024AsReleased(Schoen2024):
    """The same with the defects of the released code, for comparison only; do not annotate with it.

    The weights do not go back to the object's start on an accept. A click is a single image pixel, averaged over all G
    x G cells; it survives only where the nearest-neighbour grid reads it. Padding is labelled background. An earlier
    object's clicks and mask are replayed on the current image's features. The released code also returns the previous
    mask as 0 and 1; that is up to the caller and does not change what is learned.
    """

    name: str = "schoen2024-asreleased"
    words: str = STRATEGY_WORDS["schoen2024-asreleased"]
    fits: bool = True
    learning_rate: float = 1e-6

    def _start(self, known: Knowledge, attempt: Attempt | None) -> Knowledge:
        return _present(known, attempt)

    def _at_clicks(self, logits: Tensor, clicks: Sequence[Click], features: ImageFeatures) -> Tensor:
        labels = np.full((features.window.height, features.window.width), IGNORE, dtype=np.int8)
        _put(labels, clicks, features.window)
        target = torch.from_numpy(sampled_labels(labels, logits.shape[-1], 0.0, 0)).to(logits.device)
        return self._on_target(logits, target)

    def _on_target(self, logits: Tensor, target: Tensor) -> Tensor:
        entropy = F.binary_cross_entropy_with_logits(logits, _truth(logits, target), reduction="none")
        return (entropy * (target >= 0)).mean() / 2

    def _target(self, item: Remembered, clicks: Sequence[Click], features: ImageFeatures, grid: int) -> _Labels:
        labels = eroded(item, features.window, self.erosion)
        _put(labels, clicks, features.window)
        return sampled_labels(labels, grid, 0.0, 0)

    def _replayed_features(self, item: Remembered, current: ImageFeatures) -> ImageFeatures:
        return replace(item.features, embedding=current.embedding, skips=current.skips)


def with_state(known: Knowledge) -> dict[str, Tensor]:
    """The weights, and Adam's state (a state dict's, by position and name) as extra tensors."""
    state = known.carried["state"] if known.carried else {}
    extra = {f"{EXTRA}{k}.{name}": torch.as_tensor(value) for k, one in state.items() for name, value in one.items()}
    return {**known.tensors, **extra}


def from_state(tensors: Tensors, learning_rate: float) -> Knowledge:
    """The knowledge that `with_state` was given, bit for bit.

    Raises:
        ValueError, KeyError: the state belongs to other weights.
    """
    own = {name: tensor for name, tensor in tensors.items() if not name.startswith(EXTRA)}
    state: dict[int, dict[str, Tensor]] = {}
    for name in tensors.keys() - own.keys():
        k, key = name.removeprefix(EXTRA).split(".")
        state.setdefault(int(k), {})[key] = tensors[name]
    if not state:
        return Knowledge(own)
    like = dict(enumerate(own.values()))
    for place, value in ((place, value) for place, one in state.items() for value in one.values()):
        if value.dtype != like[place].dtype or (value.ndim and value.shape != like[place].shape):
            raise ValueError("the optimiser's state is of other weights")
    fresh = torch.optim.Adam(list(trainable_copy(own).values()), lr=learning_rate).state_dict()
    return Knowledge(own, {**fresh, "state": dict(sorted(state.items()))})


def step(
    model: SamModel,
    state: Knowledge,
    features: ImageFeatures,
    prompt: Prompt,
    learning_rate: float,
    loss_of: Callable[[Tensor], Tensor],
) -> tuple[Knowledge, float]:
    """One Adam step of the decoder on the single mask's loss; `state.carried` is Adam's state dict (None: a new Adam).

    Args:
        loss_of: maps logits (1, G, G) to a scalar.

    Returns:
        New knowledge that shares no memory with `state`, and the loss before the step. Where the loss or the new
        weights are
        not finite, `state` itself.
    """
    tensors = trainable_copy(state.tensors)
    optimiser = torch.optim.Adam(list(tensors.values()), lr=learning_rate)
    if state.carried is not None:
        optimiser.load_state_dict(copy.deepcopy(state.carried))
    with torch.enable_grad():
        loss = loss_of(decode_prompt(model, tensors, features, prompt).logits[:1])
        if not torch.isfinite(loss):
            return state, _NAN
        loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    if not all_finite(tensors):
        return state, _NAN
    return Knowledge(detached(tensors), copy.deepcopy(optimiser.state_dict())), float(loss.detach())


def balanced_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Half the sum of the mean cross-entropies over object and over background.

    Logits (1, G, G), target (G, G) of 1, 0, -1.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, _truth(logits, target), reduction="none")[0]
    parts = [entropy[target == value].mean() for value in (1, 0) if (target == value).any()]
    return torch.stack(parts).sum() / 2 if parts else entropy.sum() * 0


def eroded(item: Remembered, window: Window, iterations: int) -> _Labels:
    """The accepted mask's labels in `window`'s image pixels: object and background eroded, -1 between them.

    As `scipy.ndimage.binary_erosion` with its defaults: a 3 x 3 cross, and the image's frame counts as a boundary.
    """
    bits = full(item.mask, item.extent.height, item.extent.width).astype(np.uint8)
    labels = np.full(bits.shape, IGNORE, dtype=np.int8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    for value, part in ((1, bits), (0, 1 - bits)):
        core = cv2.erode(part, cross, iterations=iterations, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        labels[core > 0] = value
    return labels[window.y : window.y + window.height, window.x : window.x + window.width].copy()


def sampled_labels(labels: _Labels, grid: int, place: float, padding: int) -> _Labels:
    """Window labels (h, w) read at one pixel per cell of the padded grid (G, G); the window fills its longer side.

    Args:
        place: where in the cell: 0 its first pixel (`torch.nn.functional.interpolate`, "nearest"), 0.5 its middle.
        padding: the label outside the window.
    """
    height, width = labels.shape
    rows, columns = (max(int(n * grid / max(height, width) + 0.5), 1) for n in (height, width))
    row = ((np.arange(rows) + place) * height / rows).astype(int)
    column = ((np.arange(columns) + place) * width / columns).astype(int)
    out = np.full((grid, grid), padding, dtype=np.int8)
    out[:rows, :columns] = labels[np.ix_(row, column)]
    return out


def _put(labels: _Labels, clicks: Sequence[Click], window: Window) -> None:
    for click in clicks:
        row, column = round(click.y) - window.y, round(click.x) - window.x
        if 0 <= row < window.height and 0 <= column < window.width:
            labels[row, column] = click.positive


def _truth(logits: Tensor, target: Tensor) -> Tensor:
    return (target == 1).to(logits.dtype).expand_as(logits)


def _present(known: Knowledge, attempt: Attempt | None) -> Knowledge:
    """The weights after the object's clicks; the published ones if they have changed since (an accept, a rollback)."""
    if attempt is None or attempt.knowledge is not known:
        return known
    return Knowledge(attempt.tensors, attempt.carried)
