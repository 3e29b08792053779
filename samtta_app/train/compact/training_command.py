"""Training of the compact model: sets in, a float16 safetensors file out; a run can be resumed at any step."""

import argparse
import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2

from samtta_app.errors import SettingsError, UserError
from samtta_app.model.backbones.compact import CONFIGS
from samtta_app.train.batches import SampleSource
from samtta_app.train.checkpoint import RunCounter
from samtta_app.train.compact.compact_run import CompactRun
from samtta_app.train.compact.mixture import mixed_shares
from samtta_app.train.compact.progress import RunStanding
from samtta_app.train.compact.recipe import Recipe, read_recipe, shipped_recipe
from samtta_app.train.compact.schedule import stage_share
from samtta_app.train.data.crops import TrainingView
from samtta_app.train.data.labelled_images import LabelledImage, has_masks
from samtta_app.train.device import from_loader, training_device, training_out_of_memory
from samtta_app.train.interruption import Interruption, interruptible
from samtta_app.train.output_files import check_places
from samtta_app.train.training_sets import named_folders, read_held_out, read_sets

log = logging.getLogger(__name__)

_Report = Callable[[RunStanding], None]
Sets = Mapping[str, Sequence[LabelledImage]]
Views = Mapping[str, Sequence[TrainingView]]


class Timer:
    """Reports when something is due again, in minutes of training."""

    def __init__(self, minutes: float, seconds: float) -> None:
        self.every, self.last = 60 * minutes, seconds

    def due(self, seconds: float) -> bool:
        """Whether the time has come; if so, the timer restarts."""
        if seconds - self.last < self.every:
            return False
        self.last = seconds
        return True


def train_model(
    datasets: Sequence[Path],
    *,
    size: str,
    out: Path,
    recipe: Path | None = None,
    resume: Path | None = None,
    fresh: bool = False,
    start: Path | None = None,
    backbone: Path | None = None,
    head: Path | None = None,
    cache: Path | None = None,
    checkpoint: Path | None = None,
    device: str = "auto",
    threads: int = 2,
    minutes: float | None = None,
    report: _Report | None = None,
) -> RunCounter:
    """Train a compact model on folders in the layout of the data pack and write it to `out`.

    Args:
        datasets: folders; those without masks are photos.
        size: name of the model's size.
        out: the model file, `.safetensors`.
        recipe: default: the shipped one for a `start`, else for the size.
        resume: checkpoint to continue from, at the next step. On a CPU the result is the same as without a break.
        fresh: start again and overwrite an existing checkpoint.
        start: model to start with; one of a smaller size is widened.
        backbone: starting weights of the backbone, and `head` of the layers after it, where there is no `start`.
        cache: folder of pseudo-masks (default: `pseudo-masks` beside `out`).
        checkpoint: file to save to (default: `resume`, else `out` with the suffix `.resume.pt`).
        device: "auto", "cpu" or "cuda".
        threads: threads on a CPU. The sums in a step depend on their number in the last bit.
        minutes: total length to which the recipe's stages are scaled.
        report: called after every step.

    Raises:
        SettingsError: a recipe, size or device cannot be used.
        CheckpointError: a file to resume or start from cannot be used.
        DatasetError: data sets cannot be used.
        TrainingError: the output cannot be written, an earlier run's checkpoint is in the way, masks stay empty, or
            memory is too small.
        Interruption: Ctrl+C, once; a second one interrupts at once, without a new checkpoint.
    """
    plan = read_recipe(recipe or shipped_recipe("continue" if start else size), minutes)
    if size not in CONFIGS:
        raise SettingsError(f"There is no model of size {size!r}", do=f"Choose one of {', '.join(CONFIGS)}")
    named_folders(datasets)
    on = training_device(device)
    checkpoint = checkpoint or resume or out.with_suffix(".resume.pt")
    check_places(".safetensors", out, checkpoint, going_on=fresh or resume is not None)
    with CompactRun(plan, CONFIGS[size], on, threads, out, checkpoint) as run:
        if resume is not None:
            run.resume(resume)
        else:
            run.begin(start, backbone, head)
        sets, shares, views = _material(datasets, plan, cache or out.parent / "pseudo-masks")
        with interruptible() as stop:
            run_stages(run, sets, shares, views, stop, report)
    return run.progress


def _material(datasets: Sequence[Path], plan: Recipe, cache: Path) -> tuple[Sets, Mapping[str, float], Views]:
    """The training sets, their shares, and the held-out windows."""
    sets, views = read_sets(datasets, "train", cache), read_held_out(datasets)
    given = [name for name, records in sets.items() if records]
    photos = [name for name, folder in named_folders(datasets).items() if not has_masks(folder)]
    shares = mixed_shares(plan.mixture, plan.others, given, photos)
    log.info("shares: %s", ", ".join(f"{name} {share:.2f}" for name, share in shares.items()))
    return sets, shares, views


def run_stages(
    run: CompactRun,
    sets: Sets,
    shares: Mapping[str, float],
    views: Views,
    stop: threading.Event,
    report: _Report | None,
) -> None:
    """Train through all remaining stages, and write the model."""
    plan, p = run.recipe, run.progress
    if not p.history:
        run.held_out(views)
    while p.stage < len(run.stages):
        stage = run.stage
        log.info("stage %s from step %d: %d images of %d pixels", stage.name, p.step, stage.images, stage.size)
        source = SampleSource(sets, shares, stage.size, stage.targets, plan.seed, plan.zoom, plan.augmentation)
        if p.stage_step == 0:
            run.start_stage()
        run_stage(run, source, views, stop, report)
        run.held_out(views)
        p.stage, p.stage_step, p.stage_seconds = p.stage + 1, 0, 0.0
        run.save()
        run.export()
    run.export(last=True)


def run_stage(
    run: CompactRun, source: SampleSource, views: Views, stop: threading.Event, report: _Report | None
) -> None:
    """Train until a stage is over."""
    p, plan = run.progress, run.recipe
    lengths = (plan.checkpoint_minutes, plan.export_minutes, plan.report_minutes)
    saving, exporting, measuring = (Timer(minutes, p.seconds) for minutes in lengths)
    feed = run.feed(source)
    run.mark = time.monotonic()  # measuring and waiting for data count
    while stage_share(run.stage, p) < 1:
        if stop.is_set():
            run.save()
            raise Interruption(run.checkpoint, p.step)
        failed = False
        try:
            run.step(next(feed))
        except UserError as error:
            raise from_loader(error) from error
        except (RuntimeError, MemoryError, cv2.error) as error:
            if stop.is_set():  # the loader's processes receive Ctrl+C too
                continue
            if not training_out_of_memory(error):
                raise
            failed = True
        if failed:  # here the error no longer holds memory
            run.halve()
            feed = run.feed(source)
            continue
        if measuring.due(p.seconds):
            run.held_out(views)
        if saving.due(p.seconds):
            run.save()
        if exporting.due(p.seconds):
            run.export()
        if report is not None:
            report(run.standing)


def train_command(arguments: Sequence[str] | None = None) -> None:
    """`python -m samtta_app.train.compact.training_command`: as `samtta train model`, with a plain log."""
    parser = argparse.ArgumentParser(description="Train the compact model.")
    parser.add_argument("datasets", type=Path, nargs="+")
    parser.add_argument("--size", default="small")
    parser.add_argument("--out", type=Path, required=True)
    for name in ("recipe", "resume", "start", "backbone", "head", "cache", "checkpoint"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--minutes", type=float)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("samtta_app.train").setLevel(logging.DEBUG)
    try:
        train_model(**vars(given))
    except UserError as error:
        parser.exit(2, f"{error}\n")
    except Interruption as stopped:
        parser.exit(130, f"{stopped}\n")


if __name__ == "__main__":
    train_command(sys.argv[1:])
