"""Training samples by number: the same seed and number give the same sample in every process."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from samtta_app.train.data.augment import Augmentation, augmented
from samtta_app.train.data.crops import GRID_CELLS, TrainingView, Zoom, visible_view
from samtta_app.train.data.labelled_images import LabelledImage
from samtta_app.train.scenes.synthetic import draw_scene

SYNTHETIC = "synthetic"
UNRELATED = frozenset({SYNTHETIC, "photos", "coco_photos", "open_images"})
"""Sets whose objects are of every kind: one says nothing about the next."""
IN_A_ROW = 4
"""So many samples come from the same set, so that a batch holds objects that can explain each other."""


@dataclass(frozen=True, slots=True)
class Batch:
    """B images with K targets each; prompts belong to targets and are in input pixels."""

    pixels: Tensor
    """(B, 3, S, S) uint8."""
    targets: Tensor
    """(B * K, S/4, S/4) float: the share of each low-res cell that the object covers."""
    clicks: Tensor
    """(B * K, 2) first clicks as x, y."""
    boxes: Tensor
    """(B * K, 4) tight boxes x0, y0, x1, y1 (inclusive)."""
    kinds: Tensor
    """(B,) number of each image's set; -1 where its objects have nothing to do with each other."""

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        parts = (self.pixels, self.targets, self.clicks, self.boxes, self.kinds)
        return Batch(*(part.to(device, non_blocking=True) for part in parts))


def split_batch(batch: Batch, count: int) -> list[Batch]:
    """At most `count` parts with about equal numbers of images, each with its targets."""
    images = batch.pixels.chunk(count)
    rows = [len(part) * batch.targets.shape[0] // batch.pixels.shape[0] for part in images]
    others = [torch.split(part, rows) for part in (batch.targets, batch.clicks, batch.boxes)]
    return [Batch(*parts) for parts in zip(images, *others, batch.kinds.chunk(count), strict=True)]


def sampled_first_click(mask: NDArray[np.uint8], rng: np.random.Generator) -> tuple[float, float]:
    """The innermost pixel with probability 1/2, else any pixel of the object."""
    rows, columns = np.nonzero(mask)
    if rng.random() < 0.5:
        x0, y0 = columns.min(), rows.min()
        part = np.pad(mask[y0 : rows.max() + 1, x0 : columns.max() + 1], 1)
        inside = cv2.distanceTransform(part, cv2.DIST_L2, 3)
        y, x = np.unravel_index(int(inside.argmax()), inside.shape)
        return float(x + x0 - 1), float(y + y0 - 1)
    i = rng.integers(rows.size)
    return float(columns[i]), float(rows[i])


def _first_clicks(
    view: TrainingView, masks: Sequence[NDArray[np.uint8]], rng: np.random.Generator
) -> list[tuple[float, float]]:
    """One first click for each mask; nested masks share one click in their common part."""
    if view.nested:
        shared = np.bitwise_and.reduce(view.masks)
        return [sampled_first_click(shared, rng)] * len(masks)
    return [sampled_first_click(mask, rng) for mask in masks]


def tight_box(mask: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 of a mask, inclusive."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1])


class SampleSource(Dataset[tuple[Tensor, ...]]):
    """Samples drawn from a mixture of sets and the synthetic generator."""

    def __init__(
        self,
        sets: Mapping[str, Sequence[LabelledImage]],
        mixture: Mapping[str, float],
        size: int,
        targets: int,
        seed: int,
        zoom: Zoom | None = None,
        augmentation: Augmentation | None = None,
    ) -> None:
        self.sets = sets
        self.names = [name for name in mixture if name == SYNTHETIC or sets.get(name)]
        shares = np.array([mixture[name] for name in self.names])
        if not shares.sum() > 0 or shares.min() < 0:
            raise ValueError(f"the mixture gives no share to any of the sets {', '.join(sets)}: {dict(mixture)}")
        self.shares = shares / shares.sum()
        self.material = [record for records in sets.values() for record in records]
        self.size, self.targets, self.seed = size, targets, seed
        self.zoom, self.augmentation = zoom or Zoom(), augmentation or Augmentation()

    def _set(self, index: int) -> int:
        """The set of a sample."""
        rng = np.random.default_rng((self.seed, 2, index // IN_A_ROW))
        return int(rng.choice(len(self.names), p=self.shares))

    def _view(self, name: str, rng: np.random.Generator) -> TrainingView:
        if name == SYNTHETIC:
            return draw_scene(self.material, self.size, self.targets, rng)
        return visible_view(self.sets[name], self.size, self.targets, self.zoom, rng, name)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        rng = np.random.default_rng((self.seed, index))
        kind = self._set(index)
        name = self.names[kind]
        view = augmented(self._view(name, rng), self.augmentation, rng)
        masks = [view.masks[i % len(view.masks)] for i in range(self.targets)]
        cells = self.size // GRID_CELLS
        low = [cv2.resize(m * np.uint8(255), (cells, cells), interpolation=cv2.INTER_AREA) for m in masks]
        return (
            torch.from_numpy(view.pixels),
            torch.from_numpy(np.stack(low)),
            torch.tensor(_first_clicks(view, masks, rng)),
            torch.tensor([tight_box(m) for m in masks]),
            torch.tensor(-1 if name in UNRELATED else kind),
        )


class EndlessNumbers(Sampler[list[int]]):
    """Batches of sample numbers from a given step on, so that a run resumes without replaying it."""

    def __init__(self, batch: int, first_step: int) -> None:
        self.batch, self.first_step = batch, first_step

    def __iter__(self) -> Iterator[list[int]]:
        step = self.first_step
        while True:
            yield list(range(step * self.batch, (step + 1) * self.batch))
            step += 1


def one_thread(_: int) -> None:
    """For a process that makes samples beside others: use one processor only."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def batches(source: SampleSource, batch: int, first_step: int, workers: int) -> Iterator[Batch]:
    """Endless batches, prepared by `workers` processes."""
    loader = DataLoader(
        source,
        batch_sampler=EndlessNumbers(batch, first_step),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=one_thread,
    )
    for pixels, targets, clicks, boxes, kinds in loader:
        yield Batch(
            pixels.permute(0, 3, 1, 2),
            targets.flatten(0, 1).float() / 255,
            clicks.flatten(0, 1).float(),
            boxes.flatten(0, 1).float(),
            kinds,
        )


def ahead(feed: Iterator[Batch], pool: ThreadPoolExecutor, *, pinned: bool) -> Iterator[Batch]:
    """The same batches, each fetched in `pool` during the work on the one before; page-locked for fast copies to a GPU."""

    def fetch() -> Batch:
        batch = next(feed)
        if not pinned:
            return batch
        return replace(batch, pixels=batch.pixels.pin_memory(), targets=batch.targets.pin_memory())

    coming = pool.submit(fetch)
    while True:
        batch = coming.result()
        coming = pool.submit(fetch)
        yield batch
