"""Training of the compact model: sets in, a float16 safetensors file out, resumable to the step."""

import argparse
import copy
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from samtta_app.model.compact import CONFIGS, CompactSam, build_compact, save_compact
from samtta_app.train.checkpoint import Progress, read_checkpoint, save_checkpoint
from samtta_app.train.crops import View
from samtta_app.train.data import Batch, SampleSource, batches, split_batch
from samtta_app.train.evaluate import held_out_views, measure_curve
from samtta_app.train.pseudo import pseudo_records
from samtta_app.train.recipe import Recipe, Stage, read_recipe
from samtta_app.train.records import Record, has_masks, image_paths, read_records
from samtta_app.train.rounds import StepResult, interactive_step
from samtta_app.train.start import start_from

log = logging.getLogger(__name__)

EMPTY_AFTER = 150
"""Steps after which masks must not all be empty."""
HELD_OUT_OBJECTS = 24
HELD_OUT_CLICKS = 5

Gradients = tuple[torch.Tensor | None, ...]
Report = Callable[[Progress], None]


def read_sets(datasets: Sequence[Path], split: str, cache: Path) -> dict[str, list[Record]]:
    """Records of every dataset by folder name; photos get pseudo-masks, kept in `cache`."""
    sets = {}
    for folder in datasets:
        paths = image_paths(folder, split)
        sets[folder.name] = read_records(paths) if has_masks(folder) else pseudo_records(paths, cache / folder.name)
        log.info(
            "%s: %d images, %d objects",
            folder.name,
            len(sets[folder.name]),
            sum(len(record.objects) for record in sets[folder.name]),
        )
    if not any(sets.values()):
        raise ValueError(f"no usable image with an object in {', '.join(str(folder) for folder in datasets)}")
    return sets


def read_held_out(datasets: Sequence[Path]) -> dict[str, list[View]]:
    """Windows of the test splits of all sets with masks, at 256 pixels: quick, and the same through a run."""
    views = {}
    for folder in datasets:
        if has_masks(folder):
            records = read_records(image_paths(folder, "test")[:HELD_OUT_OBJECTS])
            views[folder.name] = held_out_views(records, HELD_OUT_OBJECTS, 256, seed=0)
    return {name: of_set for name, of_set in views.items() if of_set}


def make_optimiser(model: CompactSam, stage: Stage) -> torch.optim.AdamW:
    """AdamW over what the stage trains: the backbone slower, no decay on vectors."""
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        of_backbone = name.startswith("image_encoder.backbone.")
        frozen = of_backbone and name.removeprefix("image_encoder.backbone.").startswith(stage.frozen or ("-",))
        parameter.requires_grad_(not frozen)
        if not frozen:
            groups.setdefault((of_backbone, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "share": stage.backbone_share if slow else 1.0, "weight_decay": 0.01 * decayed}
            for (slow, decayed), parameters in groups.items()
        ],
        lr=stage.lr,
    )


def stage_share(stage: Stage, progress: Progress) -> float:
    """How much of a stage is over, 0..1, by its steps, else by its minutes."""
    if stage.steps:
        return min(1.0, progress.stage_step / stage.steps)
    return min(1.0, progress.stage_seconds / (60 * stage.minutes))


def learning_rate(stage: Stage, progress: Progress) -> float:
    """Cosine from `lr` to `lr_end`, after a linear warm-up."""
    falling = stage.lr_end + (stage.lr - stage.lr_end) * (1 + math.cos(math.pi * stage_share(stage, progress))) / 2
    return falling * min(1.0, (progress.stage_step + 1) / max(1, stage.warmup))


@torch.no_grad()
def update_ema(ema: CompactSam, model: CompactSam, decay: float, step: int) -> None:
    """Move the averaged weights towards the model's, in place; faster at the beginning."""
    weight = 1 - min(decay, (1 + step) / (10 + step))
    for average, value in zip(ema.state_dict().values(), model.state_dict().values(), strict=True):
        if average.is_floating_point():
            average.lerp_(value, weight)
        else:
            average.copy_(value)


class Run:
    """One training run: the model, its average, its optimiser and where it is."""

    def __init__(
        self, recipe: Recipe, size: str, out: Path, device: torch.device, threads: int, checkpoint: Path | None = None
    ) -> None:
        # One thread per shard of a batch, each with its own passes: they meet once in a step and not at every
        # operation, which is faster, and much faster beside other programs.
        self.shards = threads if device.type == "cpu" else 1
        self.pool = ThreadPoolExecutor(self.shards, initializer=torch.set_num_threads, initargs=(1,))
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        torch.manual_seed(recipe.seed)
        self.recipe, self.out, self.device = recipe, out, device
        self.model = build_compact(CONFIGS[size]).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.progress = Progress()
        self.mark = time.monotonic()
        self.checkpoint = checkpoint or out.with_suffix(".resume.pt")
        self.ema = copy.deepcopy(self.model).eval()
        self.optimiser = make_optimiser(self.model, recipe.stages[0])

    def begin(self, backbone: Path | None, head: Path | None) -> None:
        """Start anew, from starting weights if there are any."""
        if backbone is not None:
            start_from(self.model, backbone, head)
        self.ema.load_state_dict(self.model.state_dict())

    def resume(self, path: Path) -> None:
        """Go on where a checkpoint ended."""
        values = read_checkpoint(path, self.model.config)
        self.model.load_state_dict(values["model"])
        self.ema.load_state_dict(values["ema"])
        self.progress = Progress(**values["progress"])
        if self.progress.stage < len(self.recipe.stages):
            self.optimiser = make_optimiser(self.model, self.recipe.stages[self.progress.stage])
            if self.progress.stage_step:
                self.optimiser.load_state_dict(values["optimiser"])

    def save(self) -> None:
        """Write the checkpoint; where that fails, training goes on and the previous one stands."""
        try:
            save_checkpoint(self.checkpoint, self.model, self.ema, self.optimiser, self.progress)
        except (OSError, RuntimeError) as e:
            log.warning("%s was not written, the previous checkpoint stands: %s", self.checkpoint, e)

    def export(self) -> None:
        """Write the averaged weights as the model file."""
        notes = {"training": f"seed {self.recipe.seed}, step {self.progress.step}, {self.progress.masks} masks"}
        save_compact(self.ema, self.out, notes)

    def step(self, batch: Batch, stage: Stage) -> None:
        """One optimiser step."""
        p = self.progress
        rate = learning_rate(stage, p)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]
        self.model.train()
        trained = [q for group in self.optimiser.param_groups for q in group["params"]]
        shards = list(self.pool.map(lambda part: self._shard(part, trained), split_batch(batch, self.shards)))
        for parameter, parts in zip(trained, zip(*(grads for _, grads in shards), strict=True), strict=True):
            given = [part for part in parts if part is not None]
            parameter.grad = sum(given[1:], given[0]) / len(shards) if given else None
        norm = torch.nn.utils.clip_grad_norm_(trained, 1.0)
        if torch.isfinite(norm):  # a single broken batch must not end the run
            self.optimiser.step()
        else:
            log.warning("step %d skipped: its gradient is not finite", p.step)
        update_ema(self.ema, self.model, stage.ema, p.step)
        self._count([result for result, _ in shards], batch.targets.shape[0])

    def _shard(self, part: Batch, trained: Sequence[torch.nn.Parameter]) -> tuple[StepResult, Gradients]:
        # The same generator for every shard: as many rounds in each, so that none waits for another.
        rng = np.random.default_rng((self.recipe.seed, 1, self.progress.step))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            result = interactive_step(self.model, part.to(self.device), rng)
        gradients = torch.autograd.grad(result.loss, trained, allow_unused=True)
        return replace(result, loss=result.loss.detach()), gradients

    def _count(self, results: Sequence[StepResult], masks: int) -> None:
        p = self.progress
        now = time.monotonic()
        took, self.mark = now - self.mark, now
        loss, first, last, filled = (
            float(np.mean([getattr(r, name) for r in results])) for name in ("loss", "first_iou", "last_iou", "filled")
        )
        p.first_iou += (first - p.first_iou) * max(0.02, 1 / (p.step + 1))
        p.last_iou += (last - p.last_iou) * max(0.02, 1 / (p.step + 1))
        p.step, p.stage_step = p.step + 1, p.stage_step + 1
        p.masks += masks
        p.seconds, p.stage_seconds = p.seconds + took, p.stage_seconds + took
        if p.step == EMPTY_AFTER and filled == 0:
            raise ValueError("all masks are still empty after the first minute: the learning rate or the data is wrong")
        if p.step % 10 == 0:
            share = 100 * stage_share(self.recipe.stages[p.stage], p)
            log.info(
                "step %d stage %d (%.0f %%) loss %.3f iou first %.3f last %.3f filled %.2f | %.2f s, %d masks",
                *(p.step, p.stage, share, loss, p.first_iou, p.last_iou, filled, took, p.masks),
            )

    def held_out(self, views: Mapping[str, Sequence[View]]) -> None:
        """Measure the averaged weights on held-out windows and add the figures to the history."""
        row: dict[str, float] = {"step": self.progress.step, "seconds": self.progress.seconds}
        curves = self.pool.map(lambda of_set: measure_curve(self.ema, of_set, HELD_OUT_CLICKS), views.values())
        for name, curve in zip(views, curves, strict=True):
            row |= {f"{name}@{k}": round(curve.at(k), 4) for k in (1, 3, 5)}
        self.progress.history.append(row)
        log.info(
            "held out at step %d: %s",
            self.progress.step,
            " ".join(f"{key} {value:.3f}" for key, value in row.items() if "@" in key),
        )


class Timer:
    """Says when something is due again, by minutes of training."""

    def __init__(self, minutes: float, seconds: float) -> None:
        self.every, self.last = 60 * minutes, seconds

    def due(self, seconds: float) -> bool:
        """Whether the time has come; if so, it starts anew."""
        if seconds - self.last < self.every:
            return False
        self.last = seconds
        return True


def run_stage(
    run: Run, stage: Stage, feed: Iterator[Batch], views: Mapping[str, Sequence[View]], report: Report | None
) -> None:
    """Train until a stage is over."""
    recipe, p = run.recipe, run.progress
    saving, exporting, measuring = (
        Timer(minutes, p.seconds)
        for minutes in (recipe.checkpoint_minutes, recipe.export_minutes, recipe.report_minutes)
    )
    run.mark = time.monotonic()  # from step to step: waiting for data and measuring count, or minutes mean nothing
    while stage_share(stage, p) < 1:
        run.step(next(feed), stage)
        if measuring.due(p.seconds):
            run.held_out(views)
        if saving.due(p.seconds):
            run.save()
        if exporting.due(p.seconds):
            run.export()
        if report is not None:
            report(p)


def train_model(
    datasets: Sequence[Path],
    *,
    size: str,
    out: Path,
    recipe: Path,
    resume: Path | None = None,
    backbone: Path | None = None,
    head: Path | None = None,
    cache: Path | None = None,
    checkpoint: Path | None = None,
    device: str = "cpu",
    threads: int = 2,
    minutes: float | None = None,
    report: Report | None = None,
) -> Progress:
    """Train a compact model on folders in the layout of the data pack and write it to `out`.

    `minutes` scales the recipe's stages to another length in all; `report` is called after every step.
    Raises `ValueError` for a recipe, checkpoint or dataset that cannot be used.
    """
    plan = read_recipe(recipe)
    if minutes is not None:
        if minutes <= 0 or not all(stage.minutes > 0 for stage in plan.stages):
            raise ValueError(f"{recipe}: only stages with minutes can be scaled to {minutes} minutes in all")
        share = minutes / sum(stage.minutes for stage in plan.stages)
        plan = replace(plan, stages=tuple(replace(s, minutes=s.minutes * share, steps=0) for s in plan.stages))
    if not datasets:
        raise ValueError("no dataset given: at least one folder with images and split.json is needed")
    out.parent.mkdir(parents=True, exist_ok=True)
    run = Run(plan, size, out, torch.device(device), threads, checkpoint)
    if resume is not None:
        run.resume(resume)
    else:
        run.begin(backbone, head)
    sets = read_sets(datasets, "train", cache or out.parent / "pseudo-masks")
    views = read_held_out(datasets)
    with run.pool:
        run_stages(run, sets, views, report)
    return run.progress


def run_stages(
    run: Run, sets: Mapping[str, Sequence[Record]], views: Mapping[str, Sequence[View]], report: Report | None
) -> None:
    """Train through all stages that are left."""
    plan = run.recipe
    while run.progress.stage < len(plan.stages):
        stage = plan.stages[run.progress.stage]
        log.info("stage %s from step %d", stage.name, run.progress.step)
        source = SampleSource(sets, plan.mixture, stage.size, stage.targets, plan.seed)
        if run.progress.stage_step == 0:
            run.optimiser = make_optimiser(run.model, stage)
        feed = batches(source, stage.images, run.progress.step, plan.workers)
        run_stage(run, stage, feed, views, report)
        run.held_out(views)
        run.progress.stage += 1
        run.progress.stage_step, run.progress.stage_seconds = 0, 0.0
        run.save()
        run.export()


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m samtta_app.train.loop DATASET... --size small --out FILE --recipe FILE`."""
    parser = argparse.ArgumentParser(description="Train the compact model.")
    parser.add_argument("datasets", type=Path, nargs="+")
    parser.add_argument("--size", choices=sorted(CONFIGS), default="small")
    for name in ("out", "recipe"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("resume", "backbone", "head", "cache", "checkpoint"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--minutes", type=float)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    train_model(**vars(given))


if __name__ == "__main__":
    main()
