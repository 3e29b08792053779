"""Trains the refiner of a model, which corrects the model's own answers towards the masks on file.

Source: Liu et al. 2024 (SUM), section 3.2.3 and appendix D. The loss is SAM's, 20 focal + 1 Dice + 1 squared error of
the predicted IoU, on the single mask. The image encoder is frozen: each window is encoded once, and kept in half
precision.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from samtta_app.errors import DatasetError, TrainingError
from samtta_app.model.backbone import SamModel
from samtta_app.model.refiner import of_tensors, refiner_bytes, save_refiner
from samtta_app.train.data.labelled_images import has_masks
from samtta_app.train.device import training_out_of_memory
from samtta_app.train.interruption import Interruption, interruptible
from samtta_app.train.output_files import check_places
from samtta_app.train.refiner.refiner_figures import held_out_figures
from samtta_app.train.refiner.refiner_run import RefinerPlan, RefinerRun, trained
from samtta_app.train.training_sets import named_folders, read_sets

TESTED = 0.1, 8, 100
"""Test windows for the figures in the file: a share of the training windows, a minimum and a maximum."""
TRAINING = 0.95
"""Share of the progress bar for the training; the rest is for the test split."""

_Told = Callable[[float, str], None]


def train_refiner(
    model: SamModel,
    datasets: Sequence[Path],
    out: Path,
    plan: RefinerPlan,
    *,
    resume: Path | None = None,
    fresh: bool = False,
    told: _Told = lambda share, words: None,
) -> Mapping[str, float]:
    """Write a refiner for `model` to `out`; returns the figures on the test splits that are also in the file.

    The file holds the refiner with the lowest loss on training images that were set aside; the test splits choose
    nothing. A checkpoint is written every minute, to `resume` or else to `out` with the ending `.resume.pt`.

    Raises:
        DatasetError: a set has no masks, or no usable object.
        CheckpointError: `resume` is unreadable, or of another model, other data or another plan.
        TrainingError: the output cannot be written, an earlier run's checkpoint is in the way, there is nothing to
            learn from, or memory is too small.
        Interruption: Ctrl+C; the current step is completed and a checkpoint written.
    """
    checkpoint = resume or out.with_suffix(".resume.pt")
    check_places(".safetensors", out, checkpoint, going_on=fresh or resume is not None)
    for folder in named_folders(datasets).values():
        if not has_masks(folder):
            raise DatasetError("The data set has no masks", folder, "A refiner learns from masks: leave this set out")
    records = [of_set for of_set in read_sets(datasets, "train", out.parent).values() if of_set]
    with interruptible() as stop:
        try:
            run = RefinerRun(model, records, plan, checkpoint)
            trained(run, resume, _stopping(told, 0.0, run, stop))
            run.save()
            best = refiner_bytes(of_tensors(run.best, {}))
            found = held_out_figures(
                model, best, datasets, plan.count(TESTED), plan.seed, _stopping(told, TRAINING, run, stop)
            )
        except (RuntimeError, MemoryError) as e:
            if not training_out_of_memory(e):
                raise
            raise TrainingError("There is not enough memory", do="Close other programs, or use --device cpu") from e
    facts = {
        "data": ", ".join(named_folders(datasets)),
        "plan": json.dumps(asdict(plan)),
        "run": json.dumps(asdict(run.reached)),
        "held_out": json.dumps(found),
    }
    try:
        save_refiner(best, model, out, facts)
    except (OSError, ValueError) as e:
        raise TrainingError(
            f"The refiner cannot be written: {e}", out, f"Make room, and go on with --resume {checkpoint}"
        ) from e
    return found


def _stopping(told: _Told, start: float, run: RefinerRun, stop: threading.Event) -> _Told:
    """Reports the progress of one of both parts: training starts at 0, testing at its end. Ctrl+C saves the run and ends it."""
    length = TRAINING if start == 0 else 1 - start

    def tell(share: float, words: str) -> None:
        told(start + length * share, words)
        if stop.is_set():
            run.save()
            raise Interruption(run.checkpoint, run.reached.step)

    return tell
