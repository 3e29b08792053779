"""Simulated users: the next click of each mask of a batch, on the low-res grid."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from samtta_app.train.data.crops import GRID_CELLS

GROUPS = 8
"""Parts of a batch's masks for a thread pool."""

_Place = tuple[int, int, int]
"""Column, row and label of a click on the grid; label -1: no error is left."""


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

    def to(self, device: torch.device) -> "Clicks":
        """The same on another device; the host does not wait for it."""
        return Clicks(self.coords.to(device, non_blocking=True), self.labels.to(device, non_blocking=True))


def _depth(region: NDArray[np.bool_]) -> NDArray[np.float32]:
    # Padding makes the window's edge count as the region's edge, as in RITM.
    padded = cv2.copyMakeBorder(region.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1], np.float32)


def worst_place(
    predicted: NDArray[np.bool_], truth: NDArray[np.bool_], taken: NDArray[np.int64], rng: np.random.Generator | None
) -> _Place:
    """x, y and label of RITM's next click: the innermost place of the deepest error, never a cell clicked before.

    With a generator it is, in two of five cases, any place of the region of that sign. Label -1: no error is left.
    """
    return _place(predicted, truth, taken, (1.0, 0.0) if rng is None else tuple(rng.random(2)))


def _place(
    predicted: NDArray[np.bool_], truth: NDArray[np.bool_], taken: NDArray[np.int64], chance: Sequence[float]
) -> _Place:
    """As `worst_place`, for two numbers of 0..1 drawn before: the first allows any place, the second chooses it."""
    missing, surplus = truth & ~predicted, predicted & ~truth
    missing[taken[:, 1], taken[:, 0]] = False
    surplus[taken[:, 1], taken[:, 0]] = False
    depths = _depth(missing), _depth(surplus)
    label = int(depths[0].max() >= depths[1].max())
    depth = depths[1 - label]
    if depth.max() <= 0:
        return 0, 0, -1
    if chance[0] < 0.4:
        rows, columns = np.nonzero(depth)
        i = int(chance[1] * rows.size)
        return int(columns[i]), int(rows[i]), label
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(x), int(y), label


def truths(targets: Tensor) -> Tensor:
    """Low-res truth as booleans: at least half covered, or half the most covered cell for thinner objects.

    Booleans are returned unchanged.
    """
    if targets.dtype == torch.bool:
        return targets
    highest = targets.amax((1, 2), keepdim=True)
    return targets > (highest / 2).clamp(max=0.5)


def packed_bits(bits: Tensor) -> Tensor:
    """Booleans (B, h, w), w a multiple of 8, as bytes (B, h, w / 8), the first bit the highest."""
    shifts = torch.arange(7, -1, -1, dtype=torch.uint8, device=bits.device)
    eights = bits.to(torch.uint8).reshape(*bits.shape[:-1], bits.shape[-1] // 8, 8)
    return (eights << shifts).sum(-1, dtype=torch.uint8)


def on_host(bits: Tensor) -> NDArray[np.bool_]:
    """Booleans (B, h, w) as an array; from another device they are copied packed, an eighth of the bytes."""
    if bits.device.type == "cpu":
        return np.asarray(bits.numpy())
    return np.unpackbits(packed_bits(bits).cpu().numpy(), axis=-1).view(np.bool_)


def next_clicks(
    logits: Tensor, targets: Tensor, so_far: Clicks, rng: np.random.Generator, pool: Executor | None = None
) -> Clicks:
    """One more click per mask for logits (B, g, g) against targets (B, g, g), as (B, 1) clicks.

    If targets (or their `truths`) and clicks are on the host, only the predictions are copied from another device. The
    threads of a pool do not change the result, because all numbers are drawn before. OpenCV lets other threads run.
    """
    predicted, truth = on_host(logits > 0), truths(targets).cpu().numpy()
    cells = predicted.shape[-1]
    taken = (so_far.coords / GRID_CELLS).floor().long().clamp(0, cells - 1).cpu().numpy()
    chances = rng.random((len(predicted), 2))

    def places(rows: Sequence[int]) -> list[_Place]:
        return [_place(predicted[i], truth[i], taken[i], chances[i]) for i in rows]

    groups = [range(start, len(predicted), GROUPS) for start in range(GROUPS)]
    found = torch.zeros(len(predicted), 3)
    for rows, group in zip(groups, (pool.map if pool else map)(places, groups), strict=True):
        found[rows.start :: GROUPS] = torch.tensor(group, dtype=torch.float32).reshape(-1, 3)
    jitter = torch.from_numpy(rng.uniform(-1.5, 1.5, (len(found), 2)).astype(np.float32))
    coords = (found[:, :2] * GRID_CELLS + (GRID_CELLS - 1) / 2 + jitter).round()
    device = so_far.coords.device
    return Clicks(coords[:, None].to(device), found[:, 2:].to(device))
