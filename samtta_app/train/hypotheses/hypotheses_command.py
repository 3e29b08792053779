"""Trains the hypotheses of a model on objects that have several plausible outlines, and writes them.

Source: Li et al. 2024 (A-SAM), equations 3 to 8. The encoder stays as it is.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from samtta_app.datasets.ambiguity import AmbiguousObject, ambiguous_objects
from samtta_app.datasets.folds import check_not_novel
from samtta_app.errors import DatasetError, ImageError, TrainingError
from samtta_app.model.backbone import SamModel
from samtta_app.model.hypotheses import save_hypotheses
from samtta_app.train.hypotheses.hypotheses_run import HypothesesPlan, HypothesesRun, hypotheses_figures
from samtta_app.train.hypotheses.hypotheses_samples import OpenSample, open_sample
from samtta_app.train.interruption import Interruption, interruptible
from samtta_app.train.output_files import check_places, written_at_the_end

HYPOTHESES_HELD_OUT = 0.2
"""Objects of the test splits, as a share of those of training."""

_SEEING = 0.5
"""Share of the progress bar for the model's view of the objects."""

_Told = Callable[[float, str], None]


def train_hypotheses(
    model: SamModel,
    datasets: Sequence[Path],
    out: Path,
    plan: HypothesesPlan,
    *,
    resume: Path | None = None,
    fresh: bool = False,
    told: _Told = lambda share, words: None,
) -> Mapping[str, float]:
    """Write hypotheses for `model` to `out`; returns the figures on the test splits that are also in the file.

    Figures: `ged` and `candidates` are the squared energy distance of 16 hypotheses and of the three candidates. `hm_iou` and
    `candidates_hm_iou` are HM-IoU with duplication. `alike` is the mean IoU among the hypotheses. A checkpoint is written
    every minute, to `resume` or else to `out` with the ending `.resume.pt`.

    Raises:
        DatasetError: a set has one outline for each object only, is kept for measuring, or has no usable object.
        CheckpointError: `resume` is unreadable, or of another model, other data or another plan.
        TrainingError: the file cannot be written, an earlier run's checkpoint is in the way, or the hypotheses are no
            better than the candidates.
        Interruption: Ctrl+C; the current step is completed and a checkpoint written.
    """
    checkpoint = resume or out.with_suffix(".resume.pt")
    check_places(".safetensors", out, checkpoint, going_on=fresh or resume is not None)
    for folder in datasets:
        check_not_novel(folder)
    half, names = _SEEING / 2, ", ".join(folder.resolve().name for folder in datasets)
    learned = seen_sets(model, datasets, "train", plan, plan.objects, lambda s, w: told(s * half, w))
    held = max(round(plan.objects * HYPOTHESES_HELD_OUT), 1)
    tested = seen_sets(model, datasets, "test", plan, held, lambda s, w: told(half + s * half, w))
    run = HypothesesRun(model, learned, plan, checkpoint, f"{names}: {sum(map(len, learned))} prompts")
    if resume is not None:
        run.resume(resume)
    with interruptible() as stop:
        nets = run.to_the_end(_stopping(told, run, stop))
    run.save()
    found = hypotheses_figures(model, nets, [sample for of_set in tested for sample in of_set], plan)
    if not found["ged"] < found["candidates"]:
        raise TrainingError(
            f"The hypotheses are no better than the three candidates "
            f"({found['ged']:.3f}, {found['candidates']:.3f}), so no file is written",
            out,
            "Give more data sets, or more --objects and --steps",
        )
    facts = {"data": names, "plan": json.dumps(asdict(plan)), "held_out": json.dumps(found)}
    written_at_the_end(lambda path: save_hypotheses(nets, model, path, facts), out)
    return found


def seen_sets(
    model: SamModel, datasets: Sequence[Path], split: str, plan: HypothesesPlan, most: int, told: _Told
) -> list[list[OpenSample]]:
    """The prompts of each set as the model sees them; see `set_shares` for their shares."""
    drawn = [ambiguous_objects(f, split, simulate=plan.simulate, most=most, seed=plan.seed) for f in datasets]
    total, done = max(sum(map(len, drawn)), 1), 0
    found: list[list[OpenSample]] = []
    for of_set in drawn:
        samples = []
        for number, each in enumerate(of_set):
            sample = _sample(model, each, plan.seed + number)
            samples += [sample] if sample is not None else []
            done += 1
            told(done / total, f"{split}: object {done} of {total}")
        found += [samples] if samples else []
    if not found:
        raise DatasetError("There is no usable object", ", ".join(map(str, datasets)), f"Check the split {split!r}")
    return found


def _stopping(told: _Told, run: HypothesesRun, stop: threading.Event) -> _Told:
    """Reports the progress of the training; Ctrl+C saves the run and ends it."""

    def tell(share: float, words: str) -> None:
        told(_SEEING + (1 - _SEEING) * share, words)
        if stop.is_set():
            run.save()
            raise Interruption(run.checkpoint, run.step)

    return tell


def _sample(model: SamModel, drawn: AmbiguousObject, seed: int) -> OpenSample | None:
    try:
        return open_sample(model, drawn, seed)
    except ImageError:
        return None  # as in every training, an image that cannot be read is left out
