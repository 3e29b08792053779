"""LoRA on the decoder's attention, learned from accepted masks with replay: Live Interactive Training, for clicks.

Source: Yang et al., "Live Interactive Training", CVPR 2026 (arXiv 2603.26929), made for SAM 2 and video.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from safetensors.torch import load, save
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

from samtta_app.adapt.guard import Verdict
from samtta_app.adapt.memory import Remembered
from samtta_app.adapt.strategies.lora import merged_lora, new_factors
from samtta_app.adapt.strategy import Facts, Knowledge, Learned, Lesson, NoAdaptation
from samtta_app.adapt.strategy_words import STRATEGY_WORDS
from samtta_app.core.types import Prompt
from samtta_app.model.backbone import SamModel
from samtta_app.model.losses import true_iou
from samtta_app.model.predictor import chosen, decode_prompt
from samtta_app.model.weights import Tensors, all_finite, detached, trainable_copy

FACTORS, _IOUS = "lora", "ious"
_NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """The LoRA factors, named as in `lora.new_factors`, and the training IoU of each object that they were fitted to."""

    factors: Tensors
    ious: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class LitLora(NoAdaptation):
    """One LoRA expert, trained after every accept on the new object and on the stored ones of the highest training IoU.

    As published: rank 4, alpha 4, focal : Dice = 20 : 1, AdamW without weight decay. The learning rate is 1e-4 for the
    first object and 5e-5 for later ones, over 100 and 20 epochs. Once the training IoU is above `sure`, training stops
    after `patience` epochs. The best snapshot is kept.

    The published method has up to three experts, and the user chooses one. A click protocol has no such choice, so one
    expert is used.

    Ours: an epoch is one step over all samples. An object is asked with its first click. The best candidate and the
    single mask are trained (SAM's rule). Losses are taken on the decoder's grid. There is no dropout. `passes` limits
    the decodings per accept: about 2 s on two CPU cores with the default model.
    """

    name: str = "lit-lora"
    words: str = STRATEGY_WORDS["lit-lora"]
    rank: int = 4
    alpha: float = 4.0
    focal: float = 20.0
    dice: float = 1.0
    new_rate: float = 1e-4
    tuned_rate: float = 5e-5
    new_epochs: int = 100
    tuned_epochs: int = 20
    patience: int = 10
    sure: float = 0.6
    replayed: int = 5
    passes: int = 48

    def after_accept(self, model: SamModel, known: Knowledge, lesson: Lesson) -> Generator[float, None, Learned]:
        """Train the factors from where they are (fresh the first time) and merge the best snapshot into the original."""
        old: Adapter | None = known.carried
        ious = dict(old.ious) if old else {}
        newest, memory = lesson.newest, lesson.memory
        others = [item for item in memory.items if item.object_id != newest.object_id and item.object_id in ious]
        others.sort(key=lambda item: ious[item.object_id], reverse=True)
        samples = [newest, *others[: self.replayed]]
        start = old.factors if old else new_factors(model.frozen.tensors, self.rank, lesson.rng)
        best, found, losses = yield from self._trained(model, start, samples, fresh=old is None)
        tensors = detached(merged_lora(model.frozen.tensors, best, self.alpha / self.rank))
        if not all(map(math.isfinite, losses)) or not all_finite(tensors):
            verdict = Verdict(False, "Dropped: the loss was not finite", _NAN, _NAN, _NAN)
            return Learned(known, verdict, tuple(filter(math.isfinite, losses)))
        kept = {item.object_id for item in memory.items}
        ious = {key: value for key, value in {**ious, **found}.items() if key in kept}
        return Learned(
            Knowledge(tensors, Adapter(best, ious)), Verdict(True, "Kept: the best snapshot", _NAN, _NAN, _NAN), losses
        )

    def _trained(
        self, model: SamModel, start: Tensors, samples: Sequence[Remembered], *, fresh: bool
    ) -> Generator[float, None, tuple[Tensors, dict[int, float], tuple[float, ...]]]:
        """The factors of the highest mean training IoU (ties: the latest), its IoU per object, and one loss per epoch."""
        factors = trainable_copy(start)
        rate = self.new_rate if fresh else self.tuned_rate
        optimiser = torch.optim.AdamW(list(factors.values()), lr=rate, weight_decay=0.0)
        epochs = min(self.new_epochs if fresh else self.tuned_epochs, max(self.passes // len(samples), 2))
        best, found, top, waited = start, dict[int, float](), -1.0, 0
        losses: list[float] = []
        for epoch in range(epochs):
            optimiser.zero_grad(set_to_none=True)
            total, ious = 0.0, dict[int, float]()
            for index, item in enumerate(samples):
                loss, ious[item.object_id] = self._backward(model, factors, item, len(samples))
                total += loss
                yield (epoch * len(samples) + index + 1) / (epochs * len(samples))
            losses.append(total)
            mean = sum(ious.values()) / len(ious)
            waited = 0 if mean > top else waited + 1
            if not math.isfinite(total):
                break
            if mean >= top:
                best, found, top = detached(factors), ious, mean
            if waited >= self.patience and top > self.sure:
                break
            optimiser.step()
        return best, found, tuple(losses)

    def _backward(self, model: SamModel, factors: Tensors, item: Remembered, samples: int) -> tuple[float, float]:
        """Add the gradients of one object; returns its share of the loss and the IoU of the mask that a user would see."""
        prompt = Prompt(item.clicks, item.box, class_name=item.class_name)
        if item.clicks and item.clicks[0].positive and item.box is None:
            prompt = replace(prompt, clicks=item.clicks[:1])
        with torch.enable_grad():
            tensors = merged_lora(model.frozen.tensors, factors, self.alpha / self.rank)
            decoded = decode_prompt(model, tensors, item.features.to(torch.float32), prompt)
            costs = focal_dice(decoded.logits, item.whole, self.focal, self.dice)
            loss = (costs[0] + (costs[1:].min() if prompt.ambiguous else 0.0)) / samples
            loss.backward()  # type: ignore[no-untyped-call]
        shown = chosen(decoded, prompt)
        return float(loss.detach()), float(true_iou(decoded.logits[shown : shown + 1], item.whole)[0])

    def pseudo_label(self, model: SamModel, item: Remembered) -> Tensor | None:
        """The mask without the band along its outline."""
        return item.target

    def stored(self, known: Knowledge) -> tuple[Tensors, Facts]:
        """The merged tensors; the factors (safetensors in base64) and training IoUs as facts."""
        adapter: Adapter | None = known.carried
        if adapter is None:
            return known.tensors, {}
        plain = {name: tensor.detach().cpu().contiguous() for name, tensor in adapter.factors.items()}
        return known.tensors, {
            FACTORS: base64.b64encode(save(plain)).decode("ascii"),
            _IOUS: json.dumps({str(key): value for key, value in adapter.ious.items()}),
        }

    def restored(self, model: SamModel, tensors: Tensors, facts: Facts) -> Knowledge:
        """What was stored.

        Weights of another strategy answer until the first accept; learning then starts from the original.
        """
        if FACTORS not in facts:
            return Knowledge(tensors)
        factors = {name: tensor.to(model.device) for name, tensor in load(base64.b64decode(facts[FACTORS])).items()}
        ious = {int(key): float(value) for key, value in json.loads(facts[_IOUS]).items()}
        merged_lora(model.frozen.tensors, factors, 0.0)  # fails where the factors belong to other weights
        return Knowledge(tensors, Adapter(factors, ious))


def focal_dice(logits: Tensor, whole: Tensor, focal: float, dice: float) -> Tensor:
    """Weighted focal (Lin et al. 2017; alpha .25, gamma 2) plus Dice loss per mask: logits (m, G, G) -> (m,).

    `whole` (G, G) holds 1 object, 0 background, -1 not counted (padding). The focal term is the mean over counted cells.
    """
    known = whole >= 0
    truth = (whole == 1).to(logits.dtype)[known].expand(logits.shape[0], -1)
    values = logits[:, known]
    p = torch.sigmoid(values)
    overlap = 1 - (2 * (p * truth).sum(1) + 1) / ((p + truth).sum(1) + 1)
    spread: Tensor = sigmoid_focal_loss(values, truth, alpha=0.25, gamma=2.0, reduction="none")
    return focal * spread.mean(1) + dice * overlap
