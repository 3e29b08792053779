"""Fine-tuning of a model's mask decoder with SAM's recipe; image encoder and prompt encoder stay unchanged.

Images without masks teach, too. The model's own proposals in them are weighted by certainty (Liu et al. 2024, SUM).
They are drawn as often as masks that a user made. A data set may have a task (SUM, section 3.2). Its first prompts are
answered with the task's vector, which is learned from zero on, at the decoder's rate.

A run in steps is the same from the same seed on a CPU, interrupted or not. A run in minutes ends by the clock.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from samtta_app.errors import TrainingError
from samtta_app.model.backbone import Backbone, SamModel
from samtta_app.model.stored_tasks import TASK_PREFIX
from samtta_app.model.weights import Tensors, trainable_copy, write_tensors
from samtta_app.train.decoder.decoder_files import (
    decoder_bytes,
    file_ending,
    model_digest,
    read_state,
    write_model,
)
from samtta_app.train.decoder.decoder_recipe import ROUNDS, interactive_rounds, sam_rate
from samtta_app.train.decoder.decoder_samples import (
    DecoderSample,
    FeatureStore,
    held_out,
    read_samples,
    sample_held_out_ious,
    samples_digest,
    targets_of,
)
from samtta_app.train.decoder.unlabelled import (
    NO_UNLABELLED,
    PseudoSample,
    UnlabelledSet,
    believing,
    propose,
    read_unlabelled,
    told_apart,
)
from samtta_app.train.device import training_out_of_memory
from samtta_app.train.interruption import Interruption, interruptible
from samtta_app.train.output_files import check_places

log = logging.getLogger(__name__)

DECODER_MEASUREMENTS = 8
"""Number of held-out measurements in a run, beside the start."""
DECODER_SAVE_SECONDS = 60.0
EMPTY_AFTER_SECONDS, EMPTY_AFTER_STEPS = 60.0, 10
"""A run stops when, after a minute, every mask of this many steps in a row was empty."""
_SMOOTHING = 0.05

HeldOut = tuple[float, float, float]
NO_TASKS: Mapping[Path, str] = {}


@dataclass(frozen=True, slots=True)
class DecoderPlan:
    """How to fine-tune: a length in steps or else in minutes, `images` per step with up to `masks` objects each.

    With `weigh`, each pixel of a proposal in an image without masks counts by its certainty. Without it, all pixels
    count fully, as in SUM's baseline. At most `photos` images of a set without masks are asked for proposals.

    The learning rate is an eighth of SAM's 8e-4. SAM's batches are some hundred times larger, and its decoder was
    trained from scratch. A trained decoder must not forget in its first steps.
    """

    steps: int | None = None
    minutes: float = 10.0
    rate: float = 1e-4
    images: int = 2
    masks: int = 8
    weight_decay: float = 0.1
    seed: int = 0
    weigh: bool = True
    photos: int = 100

    @property
    def draws(self) -> str:
        """Identifies what decides the samples and prompts of each step."""
        return f"{self.images} images of {self.masks} masks, seed {self.seed}{'' if self.weigh else ', all believed'}"

    def made_by_hand(self, step: int) -> int:
        """Number of a step's images with masks on file, if there are others: half; for odd numbers it alternates."""
        return (self.images + (step + 1) % 2) // 2


@dataclass(slots=True)
class DecoderReached:
    """Position of a run. Mutable, because it is the run's own counter. Figures are held-out IoU after 1, 3 and 5 clicks."""

    step: int = 0
    seconds: float = 0.0
    empty: int = 0
    """Steps in a row whose masks were all empty."""
    loss: float = 0.0
    """Running mean over steps."""
    before: HeldOut = (0.0, 0.0, 0.0)
    best: HeldOut = (0.0, 0.0, 0.0)
    best_step: int = 0
    """0 where nothing was better than the start."""

    def share(self, plan: DecoderPlan) -> float:
        """Completed share of the run, 0 .. 1."""
        return min(1.0, self.step / plan.steps if plan.steps else self.seconds / (60 * plan.minutes))


def tune_decoder(
    model: SamModel,
    net: Backbone,
    datasets: Sequence[Path],
    out: Path,
    plan: DecoderPlan,
    *,
    tasks: Mapping[Path, str] = NO_TASKS,
    resume: Path | None = None,
    fresh: bool = False,
    report: Callable[[DecoderReached], None] | None = None,
    told: Callable[[str], None] = lambda words: None,
) -> DecoderReached:
    """Fine-tune the mask decoder of `model` on the train splits of `datasets` and write the whole model to `out`.

    From sets without masks it learns `model`'s proposals, drawn 1:1 with images that have masks (SUM).

    The file holds the decoder that did best on the test splits, or the starting one if none was better. The held-out
    figures therefore never fall; they are slightly optimistic, because they choose. An official SAM is written in the
    official layout, the compact model as safetensors. A checkpoint is written every minute, to `resume` or else to
    `out` with the ending `.resume.pt`.

    Args:
        net: the network of `model` as it is to be written (see `net_in_file`).
        tasks: of the data sets that have one. Their vectors begin as those of `model`, or at zero, and are in the file.
        resume: a checkpoint to continue from; only length and learning rate may differ from before.
        fresh: start again and overwrite an existing checkpoint.
        report: called before the first step and after every step.
        told: called with words about the work before the first step.

    Raises:
        DatasetError: a data set cannot be used, none has masks, or nothing is proposed in those without.
        CheckpointError: `resume` is unreadable, or of another model, other data or another plan.
        TrainingError: the output cannot be written, or an earlier run's checkpoint is in the way. Or masks stay empty,
            memory is too small, or there is no refiner to weigh proposals.
        ExportError: `out` could not be written in the end; the checkpoint stays.
        Interruption: Ctrl+C; the current step is completed and a checkpoint written.
    """
    checkpoint = resume or out.with_suffix(".resume.pt")
    check_places(file_ending(model), out, checkpoint, going_on=fresh or resume is not None)
    labelled, photos = told_apart(datasets)
    refiner = believing(model) if photos and plan.weigh else None
    train, test = (
        {str(folder): read_samples(folder, split, model, tasks.get(folder, "")) for folder in labelled}
        for split in ("train", "test")
    )
    store = FeatureStore(model)
    try:
        unlabelled = propose(model, refiner, store, read_unlabelled(photos, plan.photos), told)
        run = DecoderRun(model, train, test, plan, checkpoint, unlabelled, store)
        with interruptible() as stop:
            _run_to_the_end(run, resume, stop, report or (lambda _: None))
    except (RuntimeError, MemoryError) as e:
        if not training_out_of_memory(e):
            raise
        raise TrainingError("There is not enough memory", do="Close other programs, or use --device cpu") from e
    notes = f"mask decoder fine-tuned with SAM's recipe, {run.reached.best_step} steps"
    write_model(net, run.best, out, notes, {**model.backbone.tasks, **run.best_tasks})
    return run.reached


def _run_to_the_end(
    run: DecoderRun, resume: Path | None, stop: threading.Event, report: Callable[[DecoderReached], None]
) -> None:
    if resume is None:
        run.begin()
    else:
        run.resume(resume)
    report(run.reached)
    while run.reached.share(run.plan) < 1:
        if stop.is_set():
            run.save()
            raise Interruption(run.checkpoint, run.reached.step)
        run.advance()
        report(run.reached)
    run.save()


class DecoderRun:
    """The decoder in training, its optimiser, the best so far and the run's position; `model` itself never changes."""

    def __init__(
        self,
        model: SamModel,
        train: Mapping[str, Sequence[DecoderSample]],
        test: Mapping[str, Sequence[DecoderSample]],
        plan: DecoderPlan,
        checkpoint: Path,
        unlabelled: UnlabelledSet = NO_UNLABELLED,
        store: FeatureStore | None = None,
    ) -> None:
        self.model, self.plan, self.checkpoint = model, plan, checkpoint
        self.folders = ", ".join(train)
        self.samples = [sample for samples in train.values() for sample in samples]
        self.proposed = unlabelled.samples
        self.asked = {name: held_out(samples) for name, samples in test.items()}
        self.task_of = {name: samples[0].task for name, samples in train.items() if samples[0].task}
        data = samples_digest(train) + samples_digest(test) + unlabelled.digest
        data += "".join(f" {name} is {task}" for name, task in self.task_of.items())
        self.belongs = {"model": model_digest(model), "data": data, "plan": plan.draws}
        self.store = store or FeatureStore(model)
        self.tensors = trainable_copy(model.frozen.tensors)
        zero = torch.zeros(model.backbone.width)
        start = {task: model.backbone.tasks.get(task, zero).to(model.device) for task in self.task_of.values()}
        self.tasks = trainable_copy(start)
        self.best: Tensors = model.frozen.tensors
        self.best_tasks: Tensors = start
        self.trained = {**self.tensors, **{f"{TASK_PREFIX}{task}": vector for task, vector in self.tasks.items()}}
        self.optimiser = decoder_optimiser(self.trained, plan)
        self.reached = DecoderReached()
        self.saved, self.mark = 0.0, time.monotonic()

    def begin(self) -> None:
        """Measure the figures of the start."""
        self.reached.before = self.reached.best = self._figures(self.best, self.best_tasks)
        self.mark = time.monotonic()

    def resume(self, path: Path) -> None:
        """Continue where a checkpoint ended.

        Raises:
            CheckpointError: unreadable, or of another model, other data or another plan.
        """
        values = read_state(path, self.belongs)
        with torch.no_grad():
            for now, then in ((self.tensors, values["tensors"]), (self.tasks, values.get("tasks", {}))):
                for name, tensor in now.items():
                    tensor.copy_(then[name])
        self.best, self.best_tasks = (
            {name: tensor.to(self.model.device) for name, tensor in values.get(part, {}).items()}
            for part in ("best", "best_tasks")
        )
        self.optimiser.load_state_dict(values["optimiser"])
        self.reached = DecoderReached(**values["reached"])
        self.saved, self.mark = self.reached.seconds, time.monotonic()

    def save(self) -> None:
        """Write the checkpoint. If that fails, training continues and the previous checkpoint stays."""
        values = {
            "belongs": self.belongs,
            "tensors": {name: tensor.detach() for name, tensor in self.tensors.items()},
            "tasks": {name: tensor.detach() for name, tensor in self.tasks.items()},
            "best": dict(self.best),
            "best_tasks": dict(self.best_tasks),
            "optimiser": self.optimiser.state_dict(),
            "reached": asdict(self.reached),
        }
        try:
            write_tensors(self.checkpoint, values)
        except (OSError, RuntimeError) as e:  # torch reports a full disk as a RuntimeError
            log.warning("%s was not written, the previous checkpoint stands: %s", self.checkpoint, e)
        self.saved = self.reached.seconds

    def advance(self) -> None:
        """One step, and what is due after it: the held-out figures, the checkpoint."""
        measured = int(DECODER_MEASUREMENTS * self.reached.share(self.plan))
        self._step()
        if int(DECODER_MEASUREMENTS * self.reached.share(self.plan)) > measured:
            self._measure()
            self._count_time()
        if self.reached.seconds - self.saved >= DECODER_SAVE_SECONDS:
            self.save()

    def _step(self) -> None:
        reached, plan = self.reached, self.plan
        rng = np.random.default_rng((plan.seed, reached.step))
        for group in self.optimiser.param_groups:
            group["lr"] = sam_rate(plan.rate, reached.step, reached.share(plan))
        self.optimiser.zero_grad()
        drawn = self._drawn(rng)
        results = [self._backward(sample, len(drawn), rng) for sample in drawn]
        loss, filled = sum(loss for loss, _ in results), any(filled for _, filled in results)
        norms = torch.stack([t.grad.norm() for t in self.trained.values() if t.grad is not None])
        if torch.isfinite(norms).all():  # one failed batch must not end the run
            self.optimiser.step()
            reached.loss += (loss - reached.loss) * max(_SMOOTHING, 1 / (reached.step + 1))
        else:
            log.warning("step %d skipped: its gradient is not finite", reached.step)
        reached.step += 1
        reached.empty = 0 if filled else reached.empty + 1
        self._count_time()
        if reached.seconds >= EMPTY_AFTER_SECONDS and reached.empty >= EMPTY_AFTER_STEPS:
            raise TrainingError(
                "All masks that the decoder draws are still empty after the first minute",
                self.folders,
                "Check that the masks fit the images, or try a tenth of the learning rate",
            )

    def _drawn(self, rng: np.random.Generator) -> list[DecoderSample | PseudoSample]:
        """The samples of this step: equal numbers with masks on file and with proposals, if both exist."""
        by_hand = self.plan.made_by_hand(self.reached.step) if self.proposed else self.plan.images
        wanted = ((self.samples, by_hand), (self.proposed, self.plan.images - by_hand))
        return [
            samples[i]
            for samples, count in wanted
            if count
            for i in rng.choice(len(samples), min(count, len(samples)), replace=False)
        ]

    def _backward(
        self, sample: DecoderSample | PseudoSample, images: int, rng: np.random.Generator
    ) -> tuple[float, bool]:
        """Add the gradients of one sample's eleven rounds.

        Returns its share of the step's loss, and whether any mask was not empty.
        """
        count = len(sample.objects) if isinstance(sample, DecoderSample) else len(sample.masks)
        picked = rng.choice(count, min(self.plan.masks, count), replace=False)
        features = self.store.features(sample.image, sample.window)
        if isinstance(sample, DecoderSample):
            targets = targets_of(self.model, sample, features, [sample.objects[i] for i in picked])
            task = self.tasks.get(sample.task)
        else:
            targets, task = sample.targets(picked, self.model.device), None
        total, filled = 0.0, False
        for one in interactive_rounds(self.model, self.tensors, features, targets, rng, task):
            loss = one.loss / (ROUNDS * images)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
            filled = filled or bool((one.logits > 0).any())
        return total, filled

    def _measure(self) -> None:
        tensors, tasks = (decoder_bytes(self.model, of_run) for of_run in (self.tensors, self.tasks))
        figures = self._figures(tensors, tasks)
        if sum(figures) > sum(self.reached.best):
            self.best, self.best_tasks = tensors, tasks
            self.reached.best, self.reached.best_step = figures, self.reached.step

    def _figures(self, tensors: Tensors, tasks: Tensors) -> HeldOut:
        """Held-out IoU of a decoder; first clicks of a set that has a task are answered with its vector."""
        under = {name: tasks[task] for name, task in self.task_of.items()}
        return sample_held_out_ious(self.model, tensors, self.store, self.asked, under)

    def _count_time(self) -> None:
        now = time.monotonic()
        self.reached.seconds, self.mark = self.reached.seconds + now - self.mark, now


def decoder_optimiser(tensors: Tensors, plan: DecoderPlan) -> torch.optim.AdamW:
    """AdamW (.9, .999) as in SAM, with its weight decay on matrices only: norms and biases have no reason to shrink."""
    matrices = [tensor for tensor in tensors.values() if tensor.ndim > 1]
    vectors = [tensor for tensor in tensors.values() if tensor.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": plan.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=plan.rate, betas=(0.9, 0.999))
