"""Trains the selector of a model's masks: a small network that learns their true IoU from the answers to many objects."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from samtta_app.errors import TrainingError
from samtta_app.model.backbone import SamModel
from samtta_app.model.selector import Selector, layer_shapes, save_selector
from samtta_app.train.data.labelled_images import LabelledImage
from samtta_app.train.output_files import check_places, written_at_the_end
from samtta_app.train.selector.selector_samples import Ranking, rankings
from samtta_app.train.training_sets import named_folders, read_masked_sets

log = logging.getLogger(__name__)

HELD_OUT_SHARE = 0.25
"""Objects of the test splits that are asked for, as a share of those of training."""
NOISE = 0.05
"""Standard deviation of noise on the scaled features: few objects teach, and each number is only about right."""
PEAK_RATE, DECAY_RATE = 3e-3, 0.02
"""Highest learning rate of AdamW, and its weight decay."""
AT_A_TIME = 32
"""Answers of a step."""
ASKING = 0.8
"""Share of the progress bar for asking the model; training takes seconds."""

_Told = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class SelectorPlan:
    """Number of objects that are asked for, passes over their answers, and the seed of objects, clicks and batches."""

    objects: int = 2000
    epochs: int = 40
    seed: int = 0


def train_selector(
    model: SamModel, datasets: Sequence[Path], out: Path, plan: SelectorPlan, told: _Told = lambda share, words: None
) -> Mapping[str, float]:
    """Write a selector for `model` to `out`; returns the figures on the test splits that are also in the file.

    The figures are the mean IoU after one click, after a box (0), and after more clicks. `rule` is the mask that SAM's
    rule shows, `chosen` the selector's, `best` the best one.

    Raises:
        DatasetError: a set has no masks, or no usable object.
        TrainingError: the file cannot be written, or the selector chooses no better than SAM's rule.
    """
    check_places(".safetensors", out)
    asked = replace(model, selector=None)
    held = max(round(plan.objects * HELD_OUT_SHARE), 1)
    share = ASKING / (plan.objects + held)
    learned = _answers(
        *(asked, read_masked_sets(datasets, "train", out.parent), plan.objects, plan.seed),
        lambda n, w: told(n * share, w),
        change=True,
    )
    tested = _answers(
        *(asked, read_masked_sets(datasets, "test", out.parent), held, plan.seed + 1),
        lambda n, w: told((plan.objects + n) * share, w),
        change=False,
    )
    told(ASKING, f"training on {len(learned)} answers")
    selector = fitted_selector(learned, plan)
    found = figures(selector, tested)
    if not found["chosen@1"] > found["rule@1"]:
        shown = f"{found['chosen@1']:.3f} against {found['rule@1']:.3f} IoU after one click"
        raise TrainingError(
            f"The selector chooses no better than predicted IoU ({shown}), so it is not written",
            out,
            "Give more data sets, or more --objects",
        )
    facts = {
        "data": ", ".join(named_folders(datasets)),
        "plan": json.dumps(asdict(plan)),
        "held_out": json.dumps(found),
    }
    written_at_the_end(lambda path: save_selector(selector, model, path, facts), out)
    return found


def _answers(
    model: SamModel,
    records: Sequence[Sequence[LabelledImage]],
    count: int,
    seed: int,
    told: _Told,
    *,
    change: bool,
) -> list[Ranking]:
    """The answers to `count` objects."""
    found: list[Ranking] = []
    for number in range(count):
        found.extend(rankings(model, records, number, seed, change=change))
        told(number + 1, f"asked for {number + 1} of {count} objects")
    if not found:
        raise TrainingError("The model answers no object with a mask", do="Give other data sets")
    return found


def fitted_selector(answers: Sequence[Ranking], plan: SelectorPlan) -> Selector:
    """A selector with the least squared error of the expected IoU; each answer weighs the same.

    A loss on the order alone, and both together, chose no better on sets left out.
    """
    rows = np.concatenate([answer.features for answer in answers])
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    generator = torch.Generator().manual_seed(plan.seed)
    layers: dict[str, Tensor] = {"mean": torch.from_numpy(mean), "scale": torch.from_numpy(scale)}
    for name, shape in layer_shapes().items():
        if name not in layers:
            bound = shape[0] ** -0.5 if len(shape) == 2 else 0.0
            layers[name] = ((torch.rand(shape, generator=generator) * 2 - 1) * bound).requires_grad_()
    selector = Selector(layers, {})
    trained = [layer for layer in layers.values() if layer.requires_grad]
    steps = plan.epochs * max(len(answers) // AT_A_TIME, 1)
    optimiser = torch.optim.AdamW(trained, PEAK_RATE, weight_decay=DECAY_RATE)
    falling = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.01, total_iters=steps)
    rng = np.random.default_rng(plan.seed)
    order: list[int] = []
    for _ in range(steps):
        if len(order) < AT_A_TIME:
            order = [*order, *rng.permutation(len(answers)).tolist()]
        batch, order = [answers[i] for i in order[:AT_A_TIME]], order[AT_A_TIME:]
        x = torch.from_numpy(np.concatenate([answer.features for answer in batch]))
        y = torch.from_numpy(np.concatenate([answer.truth for answer in batch]))
        weight = torch.from_numpy(np.concatenate([np.full(len(a.truth), 1 / len(a.truth), np.float32) for a in batch]))
        x = x + torch.randn(x.shape, generator=generator) * NOISE * layers["scale"]
        loss = ((torch.sigmoid(selector(x)) - y).square() * weight).sum() / len(batch)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        falling.step()
    # What is measured is what is written: float16.
    return Selector({name: layer.detach().half().float() for name, layer in layers.items()}, {})


def figures(selector: Selector, answers: Sequence[Ranking]) -> dict[str, float]:
    """Mean IoU of the shown mask after each number of clicks, 0 being a box: by SAM's rule, as chosen, and the best."""
    found: dict[str, float] = {}
    for steps in sorted({answer.steps for answer in answers} | {1}):
        of_step = [answer for answer in answers if answer.steps == steps]
        for name, pick in (
            ("rule", lambda answer: answer.rule),
            ("chosen", lambda answer: int(np.argmax(selector.expected(answer.features)))),
            ("best", lambda answer: int(answer.truth.argmax())),
        ):
            values = [float(answer.truth[pick(answer)]) for answer in of_step]
            found[f"{name}@{steps}"] = round(float(np.mean(values)), 4) if values else float("nan")
    return found
