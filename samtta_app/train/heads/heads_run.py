"""Trains the uncertainty heads of a model from masks on file.

Rows come first, in shards that survive a stop; then the networks are trained.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset

from samtta_app.core.files import write_whole
from samtta_app.core.metrics import relative_auc
from samtta_app.errors import DatasetError, TrainingError
from samtta_app.model.backbone import SamModel
from samtta_app.model.fingerprint import fingerprint
from samtta_app.train.batches import one_thread
from samtta_app.train.data.labelled_images import LabelledImage, has_masks
from samtta_app.train.device import from_loader
from samtta_app.train.heads.heads_samples import GapRows, GapViews
from samtta_app.train.training_sets import named_folders, read_sets
from samtta_app.uncertainty.heads import GAP_NAMES, HEAD_NAMES, GapHeads, new_heads, save_heads

log = logging.getLogger(__name__)

SHARD = 24
"""Windows per shard: the most that a stop may lose."""
HELD_OUT = 0.1
"""Test windows as a share of the training windows."""
_BATCH = 512

_LEAST = 20
"""Minimum number of answers for a threshold."""

_Told = Callable[[float, str], None]
Tokens = Literal["both", "iou", "mask"]
"""What heads read: the IoU token and the mask's own, or one of them."""


@dataclass(frozen=True, slots=True)
class HeadsPlan:
    """Length and seed of a training.

    Args:
        windows: number of random windows, with up to three objects each.
        epochs: passes over the rows.
        rate: highest learning rate (AdamW, falling as a cosine).
        decay: weight decay.
        tokens: what the heads read; the others' weights are zero in the file.
        seed: of windows, clicks, first weights and batches.
    """

    windows: int = 2000
    epochs: int = 20
    rate: float = 1e-3
    decay: float = 1e-2
    tokens: Tokens = "both"
    seed: int = 0


def train_heads(
    model: SamModel,
    larger: SamModel | None,
    datasets: Sequence[Path],
    out: Path,
    plan: HeadsPlan,
    *,
    workers: int = 0,
    told: _Told = lambda share, words: None,
) -> Mapping[str, float]:
    """Write heads for `model` to `out`; returns the held-out figures that are also in the file.

    The rows are kept in a folder beside `out` until the end, so that the same command continues after a stop.

    Raises:
        DatasetError: a set has no masks, or no usable object.
        TrainingError: nothing can be learned from the rows, or the file cannot be written.
    """
    for folder in named_folders(datasets).values():
        if not has_masks(folder):
            raise DatasetError("The data set has no masks", folder, "Heads learn from masks: leave this set out")
    cache = out.with_suffix(".rows")
    rows, test = (
        collected(model, larger, datasets, split, cache, count, plan.seed, workers, _part(told, *part))
        for split, count, part in (
            ("train", plan.windows, (0.0, 0.85)),
            ("test", max(int(plan.windows * HELD_OUT), 2), (0.85, 0.93)),
        )
    )
    names = model.name, larger.name if larger else ""
    heads = fitted(rows, *names, plan, _part(told, 0.93, 0.97))
    published = fitted(rows.where(rows.clicks == 1), *names, plan, _part(told, 0.97, 1.0), best_slots)
    found = {**heads_figures(heads, test), **_told_best(heads_figures(published, test, best_slots))}
    facts = {
        "fingerprint": fingerprint(model),
        "data": ", ".join(named_folders(datasets)),
        "rows": str(len(rows)),
        "plan": json.dumps(asdict(plan)),
        "held_out": json.dumps(found),
        "thresholds": json.dumps(thresholds(heads, test)),
    }
    try:
        save_heads(heads, out, facts)
    except (OSError, ValueError) as e:
        raise TrainingError(f"The heads cannot be written: {e}", out, "Choose another --out") from e
    for path in cache.glob("*.npz"):
        path.unlink()
    cache.rmdir()
    return found


def collected(
    model: SamModel,
    larger: SamModel | None,
    datasets: Sequence[Path],
    split: str,
    cache: Path,
    windows: int,
    seed: int,
    workers: int,
    told: _Told,
) -> GapRows:
    """Rows of random windows of a split; rows that an earlier run stored in `cache` are read from there."""
    records = [of_set for of_set in read_sets(datasets, split, cache).values() if of_set]
    views = GapViews(model, larger, records, seed, change=split == "train")
    key = _key(model, larger, records, seed, split)
    cache.mkdir(parents=True, exist_ok=True)
    shards = [range(first, min(first + SHARD, windows)) for first in range(0, windows, SHARD)]
    places = [cache / f"{key}-{shard.start}-{shard.stop}.npz" for shard in shards]
    due = [(shard, place) for shard, place in zip(shards, places, strict=True) if not place.exists()]
    made = _made(views, [number for shard, _ in due for number in shard], workers)
    for done, (shard, place) in enumerate(due, start=len(shards) - len(due) + 1):
        try:
            rows = GapRows.joined([next(made) for _ in shard])
        except DatasetError as e:
            raise from_loader(e) from e
        write_whole(place, _packed(rows))
        told(done / len(shards), f"asking both models: {shard.stop} of {windows} windows of the {split} split")
    return GapRows.joined([_unpacked(place) for place in places])


def _made(views: GapViews, numbers: Sequence[int], workers: int) -> Iterator[GapRows]:
    loader = DataLoader(
        Subset(views, numbers),
        batch_size=None,
        num_workers=workers,
        worker_init_fn=one_thread,
        multiprocessing_context="spawn" if workers else None,
    )
    return iter(loader)


def _key(
    model: SamModel, larger: SamModel | None, records: Sequence[Sequence[LabelledImage]], seed: int, split: str
) -> str:
    state = hashlib.sha256(f"{fingerprint(model)} {fingerprint(larger) if larger else ''} {seed} {split}".encode())
    for of_set in records:
        state.update(repr([(record.name, record.objects) for record in of_set]).encode())
    return state.hexdigest()[:12]


def _packed(rows: GapRows) -> bytes:
    file = io.BytesIO()
    np.savez(file, **{field.name: getattr(rows, field.name) for field in fields(GapRows)})
    return file.getvalue()


def _unpacked(path: Path) -> GapRows:
    with np.load(path) as found:
        return GapRows(*(found[field.name] for field in fields(GapRows)))


def _part(told: _Told, start: float, end: float) -> _Told:
    return lambda share, words: told(start + share * (end - start), words)


# --- networks -------------------------------------------------------------------------------------------------------


def targets(rows: GapRows) -> dict[str, NDArray[np.float32]]:
    """Name of each head -> (N,) target: IoUs, and gaps as clip(0.5 + gap, 0, 1) (section A.3)."""
    single = rows.clicks == 1
    best = np.where(single, rows.iou[:, 1:].max(1), rows.iou[:, 0])
    ious = {"iou": best, "iou_larger": rows.larger, "iou_dense": rows.dense, "iou_chosen": _shown(rows, rows.iou)}
    gaps = (rows.larger - best, best - ious["iou_chosen"], rows.dense - best)
    return {**ious, **{name: np.clip(0.5 + gap, 0, 1) for name, gap in zip(GAP_NAMES, gaps, strict=True)}}


def chosen_slots(rows: GapRows) -> NDArray[np.int64]:
    """Index (N,) of the shown mask: for one click the candidate of the highest predicted IoU, else the single mask."""
    return np.where(rows.clicks == 1, 1 + rows.predicted[:, 1:].argmax(1), 0)


def _shown(rows: GapRows, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The value (N, 4) -> (N,) of the shown mask."""
    return np.take_along_axis(values, chosen_slots(rows)[:, None], axis=1)[:, 0]


def best_slots(rows: GapRows) -> NDArray[np.int64]:
    """The truly best candidate (N,), as in the published training and evaluation, for answers to one click."""
    return np.asarray(1 + rows.iou[:, 1:].argmax(1), np.int64)


def inputs(rows: GapRows, slots: NDArray[np.int64]) -> Tensor:
    """[IoU token, mask token] (N, 2C) of one mask of each row."""
    mask = np.take_along_axis(rows.tokens, (1 + slots)[:, None, None], axis=1)[:, 0]
    return torch.from_numpy(np.concatenate([rows.tokens[:, 0], mask], axis=1).astype(np.float32))


def fitted(
    rows: GapRows,
    model: str,
    larger: str,
    plan: HeadsPlan,
    told: _Told,
    slots: Callable[[GapRows], NDArray[np.int64]] = chosen_slots,
) -> GapHeads:
    """Train all heads together, each on its own mean squared error, from the tokens of one mask of each row (`slots`).

    Raises:
        TrainingError: there are no rows.
    """
    if not len(rows):
        raise TrainingError("There is nothing to learn the heads from", "", "Give sets with objects")
    x, truth = inputs(rows, slots(rows)), targets(rows)
    read = _read(plan.tokens, x.shape[1])
    x *= read
    y = torch.from_numpy(np.stack([truth[name] for name in HEAD_NAMES]).astype(np.float32))
    names = tuple(name for name in HEAD_NAMES if bool(torch.isfinite(y[HEAD_NAMES.index(name)]).all()))
    y = y[[HEAD_NAMES.index(name) for name in names]]
    heads = new_heads(x.shape[1], model, larger, plan.seed, names)
    layers = {name: value.requires_grad_() for name, value in heads.layers.items()}
    optimiser = torch.optim.AdamW(layers.values(), lr=plan.rate, weight_decay=plan.decay)
    steps = plan.epochs * -(-len(x) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.rate, total_steps=steps, pct_start=0.05)
    generator = torch.Generator().manual_seed(plan.seed)
    for epoch in range(plan.epochs):
        total = 0.0
        for batch in torch.split(torch.randperm(len(x), generator=generator), _BATCH):
            losses = F.mse_loss(heads(x[batch]), y[:, batch], reduction="none").mean(1)
            optimiser.zero_grad()
            losses.sum().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += float(losses.detach().mean()) * len(batch)
        told((epoch + 1) / plan.epochs, f"epoch {epoch + 1} of {plan.epochs}, mean squared error {total / len(x):.4f}")
    with torch.no_grad():
        layers["w1"] *= read[:, None]
    return GapHeads(names, {name: value.detach() for name, value in layers.items()}, model, larger, {})


def _read(tokens: Tokens, width: int) -> Tensor:
    """Mask over [IoU token, mask token] (width,): 1 for what is read, 0 for the rest."""
    read = torch.ones(width)
    if tokens != "both":
        read[slice(width // 2) if tokens == "mask" else slice(width // 2, None)] = 0
    return read


WORTH = 0.05
"""Minimum gain in IoU that is worth a user's action."""
SURE = 0.5
"""Minimum share of advice that must gain WORTH."""


def thresholds(heads: GapHeads, rows: GapRows) -> dict[str, float]:
    """For each gap the lowest prediction from which advice is right: at least SURE of it gains WORTH.

    The threshold is at least WORTH. It is infinite, and no advice is given, where no prediction is good enough. The
    task gap uses answers to one click only.
    """
    found: dict[str, float] = {}
    truth = targets(rows)
    with torch.no_grad():
        said = {name: value.numpy() for name, value in heads.predicted(inputs(rows, chosen_slots(rows))).items()}
    for gap in GAP_NAMES:
        if gap not in said:
            continue
        meant = rows.clicks == 1 if gap == "task_gap" else np.ones(len(rows), bool)
        order = np.argsort(-said[gap][meant], kind="stable")
        predicted, gained = said[gap][meant][order], truth[gap][meant][order] - 0.5
        right = np.cumsum(gained >= WORTH) / np.arange(1, len(order) + 1)
        last = np.append(predicted[1:] < predicted[:-1], True)  # of those with the same prediction
        good = np.flatnonzero((right >= SURE) & last & (np.arange(len(order)) >= _LEAST - 1) & (predicted >= WORTH))
        found[gap] = float(predicted[good[-1]]) if len(good) else float("inf")
    return found


def heads_figures(
    heads: GapHeads, rows: GapRows, slots: Callable[[GapRows], NDArray[np.int64]] = chosen_slots
) -> dict[str, float]:
    """Relative area under the curve of each gap on answers to one click, from the tokens of one mask (`slots`)."""
    rows = rows.where(rows.clicks == 1)
    if not len(rows):
        return {}
    with torch.no_grad():
        said = {name: value.numpy() for name, value in heads.predicted(inputs(rows, slots(rows))).items()}
    truth = targets(rows)
    corrections = {
        "model_gap": (truth["iou"], truth["iou_larger"]),
        "task_gap": (truth["iou_chosen"], truth["iou"]),
        "prompt_gap": (truth["iou"], truth["iou_dense"]),
    }
    found = {
        "objects": float(len(set(rows.object.tolist()))),
        "pearson": _pearson(said["iou_chosen"], truth["iou_chosen"]),
    }
    score = 1 - _shown(rows, rows.predicted)
    for gap, (base, corrected) in corrections.items():
        if gap in said and np.isfinite(corrected).all():
            for name in (gap, f"{gap}_difference"):
                found[name] = relative_auc(said[name], base, corrected)
            found[f"{gap}_score"] = relative_auc(score, base, corrected)
    return found


def _told_best(found: Mapping[str, float]) -> dict[str, float]:
    """Figures of heads that are told which candidate is truly best, which is unknown during annotation."""
    return {f"{gap}_told_best": found[gap] for gap in GAP_NAMES if gap in found}


def _pearson(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if min(np.ptp(a), np.ptp(b)) > 1e-6 else float("nan")
