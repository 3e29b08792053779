"""One training run: model, averaged model, optimiser and position; how a step is made, saved and measured."""

import gc
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors import SafetensorError

from samtta_app.errors import CheckpointError, TrainingError
from samtta_app.model.backbones.compact import CompactConfig, CompactSam, build_compact, save_compact
from samtta_app.train.batches import Batch, SampleSource, ahead, batches, split_batch
from samtta_app.train.checkpoint import RunCounter, read_checkpoint, save_checkpoint
from samtta_app.train.compact.click_rounds import StepResult, interactive_step
from samtta_app.train.compact.evaluate import measure_curve
from samtta_app.train.compact.progress import HELD_OUT_CLICKS, RunStanding, run_standing
from samtta_app.train.compact.recipe import Recipe, TrainingStage, on_device
from samtta_app.train.compact.schedule import (
    compact_optimiser,
    cosine_rate,
    quickened,
    stage_share,
    update_average,
    weight_average,
)
from samtta_app.train.compact.start_weights import start_from, start_from_model
from samtta_app.train.data.crops import TrainingView
from samtta_app.train.device import loader_workers, trains_in_bfloat16

log = logging.getLogger(__name__)

GPU_SHARDS = 4
"""Parts of a batch on a GPU: while some of them simulate clicks, the others compute."""
MAX_CLICKERS = 8
MAX_EMPTY_SECONDS, MAX_EMPTY_STEPS = 60.0, 30
"""A run stops when, after this time, this many steps in a row had only empty masks."""
Gradients = tuple[torch.Tensor | None, ...]


class CompactRun:
    """One training run; a context manager, since it has threads."""

    def __init__(
        self, recipe: Recipe, config: CompactConfig, device: torch.device, threads: int, out: Path, checkpoint: Path
    ) -> None:
        on_gpu = device.type == "cuda"
        # One thread per shard of a batch, each with its own passes. Shards then wait for each other once per step and
        # not at every operation. This is faster, and much faster beside other programs.
        self.shards = threads if device.type == "cpu" else GPU_SHARDS
        self.pool = ThreadPoolExecutor(self.shards, initializer=torch.set_num_threads, initargs=(1,))
        # On the CPU a pool for clicks would only take time from the shards.
        self.clickers = ThreadPoolExecutor(min(MAX_CLICKERS, os.cpu_count() or 1)) if on_gpu else None
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        torch.manual_seed(recipe.seed)
        torch.backends.cudnn.benchmark = on_gpu
        self.recipe, self.out, self.checkpoint, self.device = recipe, out, checkpoint, device
        self.half = trains_in_bfloat16(device)
        self.model = build_compact(config).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.progress = RunCounter()
        self.mark = time.monotonic()
        self.empty_steps = 0
        self.average = weight_average(self.model)
        self.optimiser = compact_optimiser(self.model, recipe.stages[0])

    def __enter__(self) -> "CompactRun":
        return self

    def __exit__(self, *_: object) -> None:
        for pool in (self.pool, self.clickers):
            if pool is not None:
                pool.shutdown(cancel_futures=True)

    @property
    def stages(self) -> tuple[TrainingStage, ...]:
        """The recipe's stages with the batch sizes for this device and memory."""
        return on_device(self.recipe.stages, self.device.type, halved=self.progress.halved)

    @property
    def stage(self) -> TrainingStage:
        """The current stage."""
        return self.stages[self.progress.stage]

    @property
    def ema(self) -> CompactSam:
        """The averaged model, which is shipped."""
        average: CompactSam = self.average.module
        return average

    @property
    def standing(self) -> RunStanding:
        """Progress of the run, for users."""
        return run_standing(self.stages, self.progress)

    # --- beginning and ending -------------------------------------------------------------------------------------------

    def begin(self, start: Path | None, backbone: Path | None, head: Path | None) -> None:
        """Start the training again, from a trained model or from starting weights if given.

        Raises:
            CheckpointError: a file cannot be used.
        """
        try:
            if start is not None:
                start_from_model(self.model, start)
            elif backbone is not None:
                start_from(self.model, backbone, head)
        except (ValueError, OSError, KeyError, SafetensorError) as e:
            advice = "Give another file, or none"
            raise CheckpointError(f"The starting weights cannot be used: {e}", start or backbone or "", advice) from e
        self.ema.load_state_dict(self.model.state_dict())

    def resume(self, path: Path) -> None:
        """Continue where a checkpoint ended.

        Raises:
            CheckpointError: it cannot be used, or its run had another recipe.
        """
        read = read_checkpoint(path, self.model.config)
        self.progress = read.progress
        try:
            self.model.load_state_dict(read.model)
            self.ema.load_state_dict(read.ema)
            if self.progress.stage < len(self.stages):
                self.start_stage()
                if self.progress.stage_step:
                    self.optimiser.load_state_dict(read.optimiser)
        except (RuntimeError, ValueError, KeyError) as e:
            raise CheckpointError(
                "The checkpoint does not fit the recipe: its stage trains other layers",
                path,
                "Repeat the command that the run was started with, and add --resume",
            ) from e

    def start_stage(self) -> None:
        """Start the current stage with a new optimiser for the parameters that it trains."""
        self.optimiser = compact_optimiser(self.model, self.stage)

    def save(self) -> None:
        """Write the checkpoint. If that fails, training continues and the previous checkpoint stays."""
        try:
            save_checkpoint(self.checkpoint, self.model, self.ema, self.optimiser, self.progress)
        except (OSError, RuntimeError, MemoryError) as e:
            log.warning("%s was not written, the previous checkpoint stands: %s", self.checkpoint, e)

    def export(self, *, last: bool = False) -> None:
        """Write the averaged weights as the model file. A failure is an error only with `last`.

        Raises:
            TrainingError: the file cannot be written (a full disk, for example), or a weight is not finite; an older
                file stays.
        """
        notes = {"training": f"seed {self.recipe.seed}, step {self.progress.step}, {self.progress.masks} masks"}
        try:
            save_compact(self.ema, self.out, notes)
        except (OSError, ValueError) as e:
            if last:
                advice = f"Make room, and write it with --resume {self.checkpoint}"
                raise TrainingError(f"The model was not written: {e}", self.out, advice) from e
            log.warning("%s was not written yet, training goes on: %s", self.out, e)

    # --- steps ----------------------------------------------------------------------------------------------------------

    def feed(self, source: SampleSource) -> Iterator[Batch]:
        """Batches for the current stage, from the current step on."""
        workers = loader_workers(self.recipe.workers, self.device)
        feed = batches(source, self.stage.images, self.progress.step, workers)
        return ahead(feed, self.clickers, pinned=True) if self.clickers is not None else feed

    def step(self, batch: Batch) -> None:
        """One optimiser step.

        Raises:
            TrainingError: masks have been empty for too long.
        """
        p, stage = self.progress, self.stage
        rate = cosine_rate(stage, p)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]
        self.model.train()
        trained = [q for group in self.optimiser.param_groups for q in group["params"]]
        results, gradients = self._shards(batch, trained)
        for parameter, parts in zip(trained, zip(*gradients, strict=True), strict=True):
            given = [part for part in parts if part is not None]
            parameter.grad = sum(given[1:], given[0]) if given else None
        norm = torch.nn.utils.clip_grad_norm_(trained, 1.0)
        if torch.isfinite(norm):  # one failed batch must not end the run
            with quickened(self.model, stage.likeness_share):
                self.optimiser.step()
        else:
            log.warning("step %d skipped: its gradient is not finite", p.step)
        update_average(self.average, self.model, stage.ema, p.step)
        self._count(results, batch.targets.shape[0])

    def _shards(self, batch: Batch, trained: Sequence[torch.nn.Parameter]) -> tuple[list[StepResult], list[Gradients]]:
        parts = split_batch(batch, self.shards)
        shares = [len(part.targets) / len(batch.targets) for part in parts]
        futures = [self.pool.submit(self._shard, *each, trained) for each in zip(parts, shares, strict=True)]
        wait(futures)  # wait for all shards before raising, so no thread keeps running
        done = [future.result() for future in futures]
        return [result for result, _ in done], [gradients for _, gradients in done]

    def _shard(self, part: Batch, share: float, trained: Sequence[torch.nn.Parameter]) -> tuple[StepResult, Gradients]:
        # The same generator for every shard gives equal numbers of rounds, so no shard waits for another.
        rng = np.random.default_rng((self.recipe.seed, 1, self.progress.step))
        # The cache of cast weights is off, because shards would share it. Weights cast without gradient by one would
        # lack it in another.
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half, cache_enabled=False):
            result = interactive_step(self.model, part, rng, self.clickers)
        gradients = torch.autograd.grad(result.loss * share, trained, allow_unused=True)
        return replace(result, loss=result.loss.detach()), gradients

    def _count(self, results: Sequence[StepResult], masks: int) -> None:
        p = self.progress
        now = time.monotonic()
        took, self.mark = now - self.mark, now
        loss, first, last, filled = (
            float(np.mean([float(getattr(r, name)) for r in results]))
            for name in ("loss", "first_iou", "last_iou", "filled")
        )
        p.first_iou += (first - p.first_iou) * max(0.02, 1 / (p.step + 1))
        p.last_iou += (last - p.last_iou) * max(0.02, 1 / (p.step + 1))
        p.step, p.stage_step = p.step + 1, p.stage_step + 1
        p.masks += masks
        p.seconds, p.stage_seconds = p.seconds + took, p.stage_seconds + took
        self._refuse_emptiness(filled)
        if p.step % 10 == 0:
            share = 100 * stage_share(self.stage, p)
            log.debug(
                "step %d stage %d (%.0f %%) loss %.3f iou first %.3f last %.3f filled %.2f | %.2f s, %d masks",
                *(p.step, p.stage, share, loss, p.first_iou, p.last_iou, filled, took, p.masks),
            )

    def _refuse_emptiness(self, filled: float) -> None:
        self.empty_steps = 0 if filled > 0 else self.empty_steps + 1
        if self.empty_steps >= MAX_EMPTY_STEPS and self.progress.seconds >= MAX_EMPTY_SECONDS:
            raise TrainingError(
                f"All masks of the last {self.empty_steps} steps are empty, so the model learns nothing",
                do="Check that the masks belong to the images, lower lr in the recipe, "
                "or start with a trained model: --fresh --start samtta-small",
            )

    def halve(self) -> None:
        """Continue with half as many images in a batch, once.

        Raises:
            TrainingError: it was halved before, or has a single image; a checkpoint is saved first.
        """
        gc.collect()  # gradients of the failed step
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        before = self.stage
        if self.progress.halved or before.images < 2:
            self.save()
            raise TrainingError(
                f"There is not enough memory for {before.images} images of {before.size} pixels in a batch",
                do="Close other programs, or lower images (gpu_images on a GPU) or size in the recipe, "
                f"and go on with --resume {self.checkpoint}",
            )
        self.progress.halved = True
        log.warning(
            "not enough memory: from step %d on a batch has %d images instead of %d",
            *(self.progress.step, self.stage.images, before.images),
        )

    def held_out(self, views: Mapping[str, Sequence[TrainingView]]) -> None:
        """Measure the averaged weights on held-out windows and add the figures to the history."""
        row: dict[str, float] = {"step": self.progress.step, "seconds": self.progress.seconds}
        curves = self.pool.map(lambda of_set: measure_curve(self.ema, of_set, max(HELD_OUT_CLICKS)), views.values())
        for name, curve in zip(views, curves, strict=True):
            row |= {f"{name}@{k}": round(curve.at(k), 4) for k in HELD_OUT_CLICKS}
        self.progress.history.append(row)
        figures = " ".join(f"{key} {value:.3f}" for key, value in row.items() if "@" in key)
        log.info("held out at step %d: %s", self.progress.step, figures or "no objects")
