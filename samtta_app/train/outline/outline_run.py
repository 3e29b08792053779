"""Trains the outline network of a model on the answers that users would be shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from samtta_app.errors import TrainingError
from samtta_app.model.backbone import SamModel
from samtta_app.model.outline import Outline, click_spots, enlarged, normalised, save_outline
from samtta_app.train.data.labelled_images import LabelledImage
from samtta_app.train.outline.outline_samples import OutlineSample, answered_sample, new_outline
from samtta_app.train.output_files import check_places, written_at_the_end
from samtta_app.train.training_sets import named_folders, read_masked_sets

PATCH, PATCHES = 192, 6
"""Side of a training patch in input pixels, and patches of a step."""
OUTLINE_RATE = 2e-3
"""Highest learning rate of AdamW; it falls along half a cosine."""
EVERYWHERE, DOUBTFUL, WRONG = 0.2, 1.0, 1.0
"""Weights of a pixel: always, where the answer is unsure, and where it is wrong. Pixels far from outlines are many."""
DICE_WEIGHT = 0.5
OUTLINE_HELD_OUT = 0.25
"""Answers of the test splits, as a share of those of training."""
REACHED = 0.85
"""IoU of an object that is done, as in NoC@85."""
_ANSWERING = 0.5
"""Share of the progress bar for the model's answers."""

_Told = Callable[[float, str], None]
Patch = tuple[Tensor, Tensor, Tensor, Tensor]
"""Logits (1, p, p), picture (3, p, p), clicks (2, p, p) and the object's share (1, p, p)."""


@dataclass(frozen=True, slots=True)
class OutlinePlan:
    """Number of answers to learn from, steps, and the seed of objects, patches and first weights."""

    answers: int = 1500
    steps: int = 3000
    seed: int = 0


def train_outline(
    model: SamModel, datasets: Sequence[Path], out: Path, plan: OutlinePlan, told: _Told = lambda share, words: None
) -> Mapping[str, float]:
    """Write an outline network for `model` to `out`; returns the figures on the test splits that are also in the file.

    Figures: mean IoU `before` and `after`, and the share of answers of IoU .85 and more, `done_before` and `done_after`.

    Raises:
        DatasetError: a set has no masks, or no usable object.
        TrainingError: the file cannot be written, the model finds nothing, or the network makes outlines no better.
    """
    check_places(".safetensors", out)
    held = max(round(plan.answers * OUTLINE_HELD_OUT), 1)
    share = _ANSWERING / (plan.answers + held)
    learned = _samples(
        model,
        read_masked_sets(datasets, "train", out.parent),
        plan.answers,
        plan.seed,
        lambda n, w: told(n * share, w),
        change=True,
    )
    tested = _samples(
        *(model, read_masked_sets(datasets, "test", out.parent), held, plan.seed + 1),
        lambda n, w: told((plan.answers + n) * share, w),
        change=False,
    )
    outline = trained_outline(
        model, learned, plan, lambda done, words: told(_ANSWERING + (1 - _ANSWERING) * done, words)
    )
    found = outline_figures(model, outline, tested)
    if not (found["after"] > found["before"] and found["done_after"] >= found["done_before"]):
        raise TrainingError(
            f"The outlines get no better ({found['before']:.3f} -> {found['after']:.3f} IoU), so no file is written",
            out,
            "Give more data sets, or more --answers and --steps",
        )
    facts = {
        "data": ", ".join(named_folders(datasets)),
        "plan": json.dumps(asdict(plan)),
        "held_out": json.dumps(found),
    }
    written_at_the_end(lambda path: save_outline(outline, model, path, facts), out)
    return found


def _samples(
    model: SamModel,
    records: Sequence[Sequence[LabelledImage]],
    count: int,
    seed: int,
    told: _Told,
    *,
    change: bool,
) -> list[OutlineSample]:
    found = []
    for number in range(count):
        sample = answered_sample(model, records, number, seed, change=change)
        found += [sample] if sample is not None else []
        told(number + 1, f"answer {number + 1} of {count}")
    if not found:
        raise TrainingError("The model finds none of the objects", do="Give other data sets, or another model")
    return found


def _patch_of(model: SamModel, sample: OutlineSample) -> Patch:
    """A whole sample as tensors."""
    height, width = sample.target.shape
    spots = click_spots(sample.places, sample.signs, height, width)
    logits = enlarged(model, sample.logits[None])[:, :height, :width]
    return logits, normalised(sample.picture), spots, torch.from_numpy(sample.target)[None].float() / 255


def _cut(parts: Patch, rng: np.random.Generator) -> Patch:
    """A square about some pixel of an outline, mirrored at random; smaller pictures are padded as background."""
    logits, _, _, target = parts
    doubtful = ((target[0] > 0.05) & (target[0] < 0.95)) | ((logits[0] > 0) != (target[0] > 0.5))
    rows, columns = np.nonzero(doubtful.numpy())
    height, width = target.shape[-2:]
    k = int(rng.integers(len(rows))) if len(rows) else 0
    middle = (rows[k], columns[k]) if len(rows) else (height // 2, width // 2)
    y, x = (
        int(np.clip(at - rng.integers(PATCH), 0, max(length - PATCH, 0)))
        for at, length in zip(middle, (height, width), strict=True)
    )
    down, along = (bool(flip) for flip in rng.random(2) < 0.5)
    cut = []
    for i, part in enumerate(parts):
        piece = part[:, y : y + PATCH, x : x + PATCH]
        piece = F.pad(piece, (0, PATCH - piece.shape[2], 0, PATCH - piece.shape[1]), value=-10.0 if i == 0 else 0.0)
        cut.append(piece.flip([axis for axis, flip in ((1, down), (2, along)) if flip]))
    return cut[0], cut[1], cut[2], cut[3]


def outline_loss(new: Tensor, before: Tensor, target: Tensor) -> Tensor:
    """Weighted cross-entropy and Dice () of new logits (b, 1, p, p), for the logits before and the object's share."""
    doubt = 1 - (2 * torch.sigmoid(before) - 1).abs()
    weight = EVERYWHERE + DOUBTFUL * doubt + WRONG * ((before > 0) != (target > 0.5)).float()
    entropy = F.binary_cross_entropy_with_logits(new, target, reduction="none")
    p = torch.sigmoid(new)
    dice = 1 - (2 * (p * target).sum((1, 2, 3)) + 1) / ((p + target).sum((1, 2, 3)) + 1)
    return (entropy * weight).sum() / weight.sum() + DICE_WEIGHT * dice.mean()


def trained_outline(model: SamModel, samples: Sequence[OutlineSample], plan: OutlinePlan, told: _Told) -> Outline:
    """A network trained on patches along the outlines of the answers."""
    outline = new_outline(plan.seed)
    layers = [layer.requires_grad_() for layer in outline.layers.values()]
    optimiser = torch.optim.AdamW(layers, OUTLINE_RATE, weight_decay=1e-4)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.steps, OUTLINE_RATE / 100)
    rng = np.random.default_rng(plan.seed)
    for step in range(plan.steps):
        drawn = [_cut(_patch_of(model, samples[int(rng.integers(len(samples)))]), rng) for _ in range(PATCHES)]
        logits, picture, clicks, target = (torch.stack(parts) for parts in zip(*drawn, strict=True))
        loss = outline_loss(outline(logits, picture, clicks), logits, target)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        falling.step()
        told((step + 1) / plan.steps, f"step {step + 1} of {plan.steps}, loss {float(loss.detach()):.3f}")
    # What is measured is what is written: float16.
    return Outline({name: layer.detach().half().float() for name, layer in outline.layers.items()}, {})


def outline_figures(model: SamModel, outline: Outline, samples: Sequence[OutlineSample]) -> dict[str, float]:
    """Mean IoU at the input's resolution and the share of answers that are done, before and after."""
    rows = []
    for sample in samples:
        logits, picture, clicks, target = _patch_of(model, sample)
        height, width = target.shape[-2:]
        odd = (0, width % 2, 0, height % 2)
        with torch.no_grad():
            new = outline(*(F.pad(part[None], odd, mode="replicate") for part in (logits, picture, clicks)))[0]
        truth = target > 0.5
        rows.append([_iou(mask > 0, truth) for mask in (logits, new[:, :height, :width])])
    values = np.array(rows)
    means, done = values.mean(axis=0), (values >= REACHED).mean(axis=0)
    names = ("before", "after", "done_before", "done_after")
    return {name: round(float(value), 4) for name, value in zip(names, (*means, *done), strict=True)}


def _iou(one: Tensor, other: Tensor) -> float:
    return int((one & other).sum()) / max(int((one | other).sum()), 1)
