"""A refiner in training: a copy of a model's mask decoder and prompt encoder that learns to correct the model's answers.

A run in passes is the same from the same seed on a CPU, interrupted or not. A run in minutes ends by the clock.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from samtta_app.errors import TrainingError
from samtta_app.model.backbone import SamModel
from samtta_app.model.fingerprint import fingerprint
from samtta_app.model.losses import aware_loss, normalised_focal, soft_dice
from samtta_app.model.refiner import Refiner, of_tensors, refined, refiner_bytes, untrained
from samtta_app.model.weights import Tensors, all_finite, trainable_copy, write_tensors
from samtta_app.train.compact.round_loss import hard_iou
from samtta_app.train.data.labelled_images import LabelledImage
from samtta_app.train.decoder.decoder_files import read_state
from samtta_app.train.decoder.decoder_recipe import sam_rate
from samtta_app.train.refiner.refiner_samples import RefinerPair, pairs_of, pictures

log = logging.getLogger(__name__)

WINDOW_BYTES = 2 * 2**30
"""Maximum bytes of windows in memory; those beyond it are made again in every pass."""
ASIDE = 0.1
"""Share of the training images that only choose the best step; at least one where there are two."""
REFINER_MEASUREMENTS = 8
"""Number of such measurements in a run, beside the start."""
MEASURED = 0.05, 8, 64
"""Windows per measurement: a share of the training windows, a minimum and a maximum."""
REFINER_SAVE_SECONDS = 60.0
_SMOOTHING = 0.05
WEIGHT_DECAY = 0.01


@dataclass(frozen=True, slots=True)
class RefinerPlan:
    """Length and seed of a training.

    Args:
        windows: number of random training windows, with up to three objects each.
        epochs: passes over them.
        minutes: the length in place of `epochs`; measuring at the end is not counted.
        rate: highest learning rate; None is that of the model's architecture.
        batch: windows per step.
        least: IoU below which an answer is not trained on (SUM: 0.7).
        seed: of windows, clicks and their order.
    """

    windows: int = 2000
    epochs: int = 1
    minutes: float | None = None
    rate: float | None = None
    batch: int = 2
    least: float = 0.5
    seed: int = 0

    @property
    def draws(self) -> str:
        """Identifies what decides the pairs of each step."""
        return f"{self.windows} windows, {self.batch} a step, IoU {self.least}, seed {self.seed}"

    def count(self, of: tuple[float, int, int]) -> int:
        """Number of measured windows: a share of the training windows, with a minimum and a maximum."""
        share, least, most = of
        return min(max(int(self.windows * share), least), most)


@dataclass(slots=True)
class _Reached:
    """Position of a run. Mutable, because it is the run's own counter. Losses are means over pairs."""

    step: int = 0
    seconds: float = 0.0
    pairs: int = 0
    loss: float = 0.0
    """Running mean over steps."""
    before: float = 0.0
    best: float = 0.0
    """Loss on the images set aside, of the start and of the best refiner."""
    best_step: int = 0

    @property
    def words(self) -> str:
        """The text of a progress bar."""
        return f"step {self.step}, {self.pairs} pairs, loss {self.loss:.3f}, set aside {self.before:.3f} -> {self.best:.3f}"


class RefinerRun:
    """The refiner in training, its optimiser, the best so far and the run's position; `model` itself never changes.

    Raises:
        DatasetError, TrainingError: no object is visible, or no answer is good enough to learn from.
    """

    def __init__(
        self, model: SamModel, records: Sequence[Sequence[LabelledImage]], plan: RefinerPlan, checkpoint: Path
    ) -> None:
        self.model, self.plan, self.checkpoint = model, plan, checkpoint
        learned, aside = parted(records, plan.seed)
        self.windows = pictures(model, learned, plan.seed, change=True)
        self.belongs = {"model": fingerprint(model), "data": labelled_digest(records), "plan": plan.draws}
        measured = pictures(model, aside, plan.seed + 1, change=False)
        self.aside = [pairs_of(model, measured, i, plan.least) for i in range(plan.count(MEASURED))]
        self.kept: dict[int, tuple[RefinerPair, ...]] = {}
        self.held = 0
        self.tensors = trainable_copy(untrained(model).tensors)
        self.best: Tensors = untrained(model).tensors
        self.peak = plan.rate or model.policy.refiner_rate
        self.optimiser = torch.optim.AdamW(self.tensors.values(), lr=self.peak, weight_decay=WEIGHT_DECAY)
        self.reached = _Reached()
        self.saved, self.mark = 0.0, time.monotonic()

    @property
    def per_pass(self) -> int:
        """Steps of one pass over the windows."""
        return -(-self.plan.windows // self.plan.batch)

    @property
    def share(self) -> float:
        """Completed share of the run, 0 .. 1."""
        if self.plan.minutes is not None:
            return min(1.0, self.reached.seconds / (60 * self.plan.minutes))
        return min(1.0, self.reached.step / (self.per_pass * self.plan.epochs))

    def begin(self) -> None:
        """Measure the loss of the start."""
        self.reached.before = self.reached.best = self.measured(of_tensors(self.best, {}))
        self.mark = time.monotonic()

    def resume(self, path: Path) -> None:
        """Continue where a checkpoint ended.

        Raises:
            CheckpointError: unreadable, or of another model, other data or another plan.
        """
        values = read_state(path, self.belongs)
        with torch.no_grad():
            for name, tensor in self.tensors.items():
                tensor.copy_(values["tensors"][name])
        self.best = {name: tensor.to(self.model.device) for name, tensor in values["best"].items()}
        self.optimiser.load_state_dict(values["optimiser"])
        self.reached = _Reached(**values["reached"])
        self.saved, self.mark = self.reached.seconds, time.monotonic()

    def save(self) -> None:
        """Write the checkpoint. If that fails, training continues and the previous checkpoint stays."""
        values = {
            "belongs": self.belongs,
            "tensors": {name: tensor.detach() for name, tensor in self.tensors.items()},
            "best": dict(self.best),
            "optimiser": self.optimiser.state_dict(),
            "reached": asdict(self.reached),
        }
        try:
            write_tensors(self.checkpoint, values)
        except (OSError, RuntimeError) as e:  # torch reports a full disk as a RuntimeError
            log.warning("%s was not written, the previous checkpoint stands: %s", self.checkpoint, e)
        self.saved = self.reached.seconds

    def advance(self) -> None:
        """One step, and what is due after it: the loss on what was set aside, the checkpoint."""
        due = int(REFINER_MEASUREMENTS * self.share)
        self._step()
        if int(REFINER_MEASUREMENTS * self.share) > due:
            self._measure()
        if self.reached.seconds - self.saved >= REFINER_SAVE_SECONDS:
            self.save()

    def _step(self) -> None:
        reached, plan = self.reached, self.plan
        for group in self.optimiser.param_groups:
            group["lr"] = sam_rate(self.peak, reached.step, self.share)
        of_pass, place = divmod(reached.step, self.per_pass)
        order = np.random.default_rng((plan.seed, of_pass)).permutation(plan.windows)
        drawn = [self._pairs(int(number)) for number in order[place * plan.batch : (place + 1) * plan.batch]]
        count = sum(len(pairs) for pairs in drawn)
        self.optimiser.zero_grad()
        refiner, total = of_tensors(self.tensors, {}), 0.0
        for pair in (pair for pairs in drawn for pair in pairs):
            loss = pair_loss(self.model, refiner, pair)
            (loss / count).backward()  # type: ignore[no-untyped-call]
            total += loss.item() / count
        gradients = {name: tensor.grad for name, tensor in self.tensors.items() if tensor.grad is not None}
        if count and all_finite(gradients):  # one failed batch must not end the run
            self.optimiser.step()
            reached.loss += (total - reached.loss) * max(_SMOOTHING, 1 / (reached.step + 1))
        elif count:
            log.warning("step %d skipped: its gradient is not finite", reached.step)
        reached.step += 1
        reached.pairs += count
        self._count_time()
        if reached.step >= self.per_pass and not reached.pairs:
            raise TrainingError(
                f"No answer in {plan.windows} windows is good enough to be refined (IoU {plan.least})",
                do="Give sets that the model knows, or train the model first",
            )

    def _pairs(self, number: int) -> tuple[RefinerPair, ...]:
        if number in self.kept:
            return self.kept[number]
        made = pairs_of(self.model, self.windows, number, self.plan.least)
        size = sum(pair.nbytes for pair in made)
        if self.held + size <= WINDOW_BYTES:
            self.kept[number] = made
            self.held += size
        return made

    def measured(self, refiner: Refiner) -> float:
        """Mean loss over the pairs that were set aside; 0 without any, so that the last refiner counts as the best."""
        with torch.no_grad():
            found = [pair_loss(self.model, refiner, pair).item() for pairs in self.aside for pair in pairs]
        return float(np.mean(found)) if found else 0.0

    def _measure(self) -> None:
        refiner = refiner_bytes(of_tensors(self.tensors, {}))
        loss = self.measured(refiner)
        if loss <= self.reached.best:
            self.best, self.reached.best, self.reached.best_step = refiner.tensors, loss, self.reached.step
        self._count_time()

    def _count_time(self) -> None:
        now = time.monotonic()
        self.reached.seconds, self.mark = self.reached.seconds + now - self.mark, now


def trained(run: RefinerRun, resume: Path | None, told: Callable[[float, str], None]) -> None:
    """Start, or continue from the checkpoint `resume`, to the end of the plan.

    `told` is called at the start and after every step.

    Raises:
        CheckpointError: as in `RefinerRun.resume`.
        TrainingError: no answer is good enough to learn from.
    """
    if resume is None:
        run.begin()
    else:
        run.resume(resume)
    told(run.share, run.reached.words)
    while run.share < 1:
        run.advance()
        told(run.share, run.reached.words)


def pair_loss(model: SamModel, refiner: Refiner, pair: RefinerPair) -> Tensor:
    """The loss () of a pair, the one that trained the model itself; differentiable in the refiner's tensors.

    For SAM's own architecture it is 20 focal + 1 Dice + 1 squared error of the predicted IoU. SAM's focal loss weighs
    the background three times as much as the object. The masks of a compact model, trained without it, would shrink.
    """
    logits, iou = refined(model, refiner, pair.features.to(torch.float32), pair.prompt, pair.logits, pair.box)
    rows, columns = pair.target.shape
    shown, target = logits[:rows, :columns], pair.target.float()
    if not model.policy.normalised_focal:
        return aware_loss(shown, iou, target)
    drawn, wanted = shown[None, None], target[None, None]
    mask = normalised_focal(drawn, wanted) + soft_dice(drawn, wanted)
    return mask.squeeze() + (iou - hard_iou(drawn.detach(), wanted[0])[0, 0]) ** 2


def parted(
    records: Sequence[Sequence[LabelledImage]], seed: int
) -> tuple[list[Sequence[LabelledImage]], list[Sequence[LabelledImage]]]:
    """The images of each set to learn from, and those set aside: a tenth, at least one.

    A set of one image uses the same image for both.
    """
    rng = np.random.default_rng(seed)
    learned: list[Sequence[LabelledImage]] = []
    aside: list[Sequence[LabelledImage]] = []
    for of_set in records:
        mixed = [of_set[i] for i in rng.permutation(len(of_set))]
        count = max(1, round(ASIDE * len(mixed)))
        aside.append(mixed[:count])
        learned.append(mixed[count:] or mixed)
    return learned, aside


def labelled_digest(records: Sequence[Sequence[LabelledImage]]) -> str:
    """A short text that identifies images and objects."""
    state = hashlib.sha256()
    for of_set in records:
        state.update(repr([(record.name, record.pixels.shape, record.objects) for record in of_set]).encode())
    return state.hexdigest()[:16]
