"""Held-out figures: RITM's annotator on windows around objects, IoU at the window's full size after each click."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from samtta_app.errors import UserError
from samtta_app.model.backbones.compact import CompactSam, load_compact
from samtta_app.train.compact.click_rounds import Encoded, decode_rounds
from samtta_app.train.data.click_sampling import Clicks, worst_place
from samtta_app.train.data.crops import TrainingView, held_out_views
from samtta_app.train.data.labelled_images import image_paths, read_labelled


@dataclass(frozen=True, slots=True)
class Curve:
    """Figures of one set: IoU (objects, clicks), and the error of predicted IoU at all clicks."""

    ious: NDArray[np.float64]
    candidates: NDArray[np.float64]
    """(objects,) IoU of the best of the three candidates after click 1."""
    quality_error: float
    """Mean absolute error of the predicted IoU over all clicks."""
    obeyed: float
    """Share of clicks that the next mask obeys."""

    def at(self, click: int) -> float:
        """Mean IoU after a click, counted from 1."""
        return float(self.ious[:, min(click, self.ious.shape[1]) - 1].mean())


def _iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


def _whole(logits: torch.Tensor, size: int) -> NDArray[np.bool_]:
    return (F.interpolate(logits, size=(size, size), mode="bilinear", align_corners=False) > 0).cpu().numpy()


@torch.no_grad()
def click_through(
    model: CompactSam, view: TrainingView, clicks: int
) -> tuple[list[float], float, list[float], list[bool]]:
    """IoU after each click, best candidate's IoU at click 1, errors of predicted IoU, and obedience, for one object."""
    truth, size = view.masks[0] > 0, view.pixels.shape[0]
    device = model.pixel_mean.device
    encoded = Encoded.of(model, torch.from_numpy(view.pixels).permute(2, 0, 1)[None].to(device), 1)
    previous, predicted = None, np.zeros_like(truth)
    so_far = Clicks.none(1, device)
    taken = np.zeros((0, 2), np.int64)
    ious: list[float] = []
    errors: list[float] = []
    obeyed: list[bool] = []
    best = 0.0
    for number in range(clicks):
        x, y, label = worst_place(predicted, truth, taken, None)
        if label < 0:  # nothing is wrong any more, so the rest of the curve is constant
            ious.extend([ious[-1]] * (clicks - number))
            break
        taken = np.concatenate([taken, [[x, y]]])
        new = Clicks(
            torch.tensor([[[x, y]]], dtype=torch.float32, device=device),
            torch.full((1, 1), float(label), device=device),
        )
        so_far = so_far.plus(new)
        out = decode_rounds(model, encoded, so_far, None, previous)
        previous = out.masks[:, :1]
        masks = _whole(out.masks, size)[0]
        predicted = masks[0]
        ious.append(_iou(predicted, truth))
        errors.append(abs(ious[-1] - float(out.iou[0, 0])))
        obeyed.append(bool(predicted[y, x]) == bool(label))
        if number == 0:
            best = max(_iou(m, truth) for m in masks[1:])
    return ious, best, errors, obeyed


def measure_curve(model: CompactSam, views: Sequence[TrainingView], clicks: int) -> Curve:
    """The annotator's curve over windows, one object each."""
    model.eval()
    runs = [click_through(model, view, clicks) for view in views]
    return Curve(
        ious=np.array([run[0] for run in runs]),
        candidates=np.array([run[1] for run in runs]),
        quality_error=float(np.mean([e for run in runs for e in run[2]])),
        obeyed=float(np.mean([o for run in runs for o in run[3]])),
    )


def curve_failure_rate(curve: Curve, threshold: float) -> float:
    """FR_k@t: the share of objects that never reach the threshold."""
    return float((curve.ious.max(1) < threshold).mean())


def _line(name: str, curve: Curve) -> str:
    at = " ".join(f"@{k} {curve.at(k):.3f}" for k in (1, 2, 3, 5, 10, 20))
    return (
        f"{name:12} n={len(curve.ious):3} {at} best-of-3 @1 {curve.candidates.mean():.3f} "
        f"FR@85 {curve_failure_rate(curve, 0.85):.2f} |pIoU-IoU| {curve.quality_error:.3f} obeyed {curve.obeyed:.3f}\n"
    )


def evaluate_command(arguments: Sequence[str] | None = None) -> None:
    """`python -m samtta_app.train.compact.evaluate MODEL DATASET...`: one line of figures per set."""
    parser = argparse.ArgumentParser(description="Held-out figures of a compact model with RITM's clicker.")
    parser.add_argument("model", type=Path)
    parser.add_argument("datasets", type=Path, nargs="+")
    parser.add_argument("--objects", type=int, default=70)
    parser.add_argument("--clicks", type=int, default=20)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--zoom", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", default="test")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    cv2.setNumThreads(1)
    try:
        model = load_compact(given.model)
        paths = {folder: image_paths(folder, given.split) for folder in given.datasets}
    except (UserError, ValueError) as e:
        parser.error(str(e))
    figures = {}
    for folder in given.datasets:
        records = read_labelled(paths[folder])
        views = held_out_views(records, given.objects, given.size, given.seed, given.zoom)
        if not views:
            parser.error(f"{folder}: its split {given.split!r} has no usable image with an object")
        curve = measure_curve(model, views, given.clicks)
        figures[folder.name] = {
            "objects": len(views),
            "iou": [round(float(v), 4) for v in curve.ious.mean(0)],
            "best_candidate_at_1": round(float(curve.candidates.mean()), 4),
            "quality_error": round(curve.quality_error, 4),
            "obeyed": round(curve.obeyed, 4),
            "fr_85": round(curve_failure_rate(curve, 0.85), 4),
            "fr_90": round(curve_failure_rate(curve, 0.90), 4),
        }
        sys.stdout.write(_line(folder.name, curve))
        sys.stdout.flush()
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    evaluate_command()
