"""Simulated users: the next click of each mask of a batch, on the low-res grid."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from samtta_app.train.crops import GRID


@dataclass(frozen=True, slots=True)
class Clicks:
    """Clicks of a batch so far: coords (B, N, 2) in input pixels, labels (B, N) of 1, 0 and -1 (no click)."""

    coords: Tensor
    labels: Tensor

    @staticmethod
    def first(coords: Tensor) -> "Clicks":
        """One include click (B, 2) each."""
        return Clicks(coords[:, None], torch.ones(coords.shape[0], 1, device=coords.device))

    @staticmethod
    def none(batch: int, device: torch.device) -> "Clicks":
        """No click yet: the prompt is a box."""
        return Clicks(torch.zeros(batch, 0, 2, device=device), torch.zeros(batch, 0, device=device))

    def plus(self, other: "Clicks") -> "Clicks":
        """These clicks and then those."""
        return Clicks(torch.cat([self.coords, other.coords], 1), torch.cat([self.labels, other.labels], 1))


def _depth(region: NDArray[np.bool_]) -> NDArray[np.float32]:
    # Padded, so that the window's edge counts as the region's edge, as in RITM.
    padded = cv2.copyMakeBorder(region.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1], np.float32)


def worst_place(
    predicted: NDArray[np.bool_], truth: NDArray[np.bool_], taken: NDArray[np.int64], rng: np.random.Generator | None
) -> tuple[int, int, int]:
    """x, y and label of RITM's next click: the innermost place of the deepest error, never a cell clicked before.

    With a generator it is, two times in five, any place of the region of that sign. Label -1: no error is left.
    """
    missing, surplus = truth & ~predicted, predicted & ~truth
    missing[taken[:, 1], taken[:, 0]] = False
    surplus[taken[:, 1], taken[:, 0]] = False
    depths = _depth(missing), _depth(surplus)
    label = int(depths[0].max() >= depths[1].max())
    depth = depths[1 - label]
    if depth.max() <= 0:
        return 0, 0, -1
    if rng is not None and rng.random() < 0.4:
        rows, columns = np.nonzero(depth)
        i = rng.integers(rows.size)
        return int(columns[i]), int(rows[i]), label
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(x), int(y), label


def truths(targets: Tensor) -> Tensor:
    """Low-res truth as booleans: half covered, or half the most covered cell where an object is thinner than that."""
    highest = targets.amax((1, 2), keepdim=True)
    return targets > (highest / 2).clamp(max=0.5)


def next_clicks(logits: Tensor, targets: Tensor, so_far: Clicks, rng: np.random.Generator) -> Clicks:
    """One more click per mask for logits (B, g, g) against targets (B, g, g), as (B, 1) clicks."""
    predicted, truth = (logits > 0).cpu().numpy(), truths(targets).cpu().numpy()
    cells = predicted.shape[-1]
    taken = (so_far.coords / GRID).floor().long().clamp(0, cells - 1).cpu().numpy()
    places = [worst_place(p, t, c, rng) for p, t, c in zip(predicted, truth, taken, strict=True)]
    found = torch.tensor(places, dtype=torch.float32)
    jitter = torch.from_numpy(rng.uniform(-1.5, 1.5, (len(places), 2)).astype(np.float32))
    coords = (found[:, :2] * GRID + (GRID - 1) / 2 + jitter).round()
    device = so_far.coords.device
    return Clicks(coords[:, None].to(device), found[:, 2:].to(device))
