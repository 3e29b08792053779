"""How the rate of `samtta auto` and `samtta encode` grows with the number of workers, and what each part costs.

Every number of workers does the same images, after one shard each that is not counted: it loads the model. The driver's
processor time says for how many workers one driver is enough.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from samtta_app.core.messages import ReportProgress
from samtta_app.errors import UserError
from samtta_app.parallel.image_places import ImagePlace
from samtta_app.parallel.shard_run import ShardResult, ShardWork
from samtta_app.parallel.worker_pool import WorkerPool
from samtta_app.parallel.workers import WorkerTask


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """One measurement.

    Args:
        work: "auto" or "encode".
        workers: at the same time.
        images: that were counted.
        seconds: that they took.
        rate: images per second.
        of_linear: the rate over that of one worker times the workers.
        driver_share: processor seconds of the driver per second.
        result_bytes: bytes of results per image.
        load: the machine's load average before, over its cores: above 0 it was busy with something else.
    """

    work: str
    workers: int
    images: int
    seconds: float
    rate: float
    of_linear: float
    driver_share: float
    result_bytes: float
    load: float


def measure_scaling(
    work: str,
    shard: ShardWork,
    images: Sequence[ImagePlace],
    pools: Sequence[tuple[int, WorkerPool]],
    size: int,
    told: Callable[[str], None],
) -> list[WorkerFigures]:
    """Measure each number of workers; the first is the base of the ratio.

    Args:
        work: its name.
        shard: what works on a shard.
        images: each pass does them in order, in shards of `size`.
        pools: numbers of workers, and what has so many.
        size: images of a shard.
        told: called with a line for each number of workers.

    Raises:
        UserError: a shard failed, or the cluster cannot be used.
    """
    found: list[WorkerFigures] = []
    for workers, pool in pools:
        told(f"{work}: {workers} {'worker' if workers == 1 else 'workers'}")
        warming = 2 * workers
        count = _Counter(warming)
        load = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 0.0
        parts = [images[k : k + size] for k in range(0, len(images), size)]
        parts = [*[images[:1]] * warming, *parts]
        tasks = [WorkerTask(f"shard {k}", 1.0, _Once(shard, part), keep=count.keep) for k, part in enumerate(parts)]
        failures = pool.run(tasks, lambda share, words: None)
        if failures:
            raise UserError(f"The measurement failed: {failures[0][1]}")
        base = found[0].rate / found[0].workers if found else count.rate / workers
        ratio = count.rate / (base * workers)
        share, size_each = count.processor / count.seconds, count.volume / max(count.images, 1)
        found.append(
            WorkerFigures(work, workers, count.images, count.seconds, count.rate, ratio, share, size_each, load)
        )
    return found


@dataclass(frozen=True, slots=True)
class _Once:
    """A shard's work as a task of its own: what cannot be done is a failure here."""

    shard: ShardWork
    images: Sequence[ImagePlace]

    def __call__(self, told: ReportProgress) -> tuple[int, ShardResult]:
        result = self.shard(self.images, "measured", told)
        if result.errors:
            raise UserError(next(iter(result.errors.values())).removesuffix("."))
        return len(self.images), result


class _Counter:
    """Counts from the moment that `warming` shards have ended: by then every worker has its model."""

    def __init__(self, warming: int) -> None:
        self._warming = warming
        self.images, self.volume = 0, 0
        self._began = self._ended = self._processor_began = self._processor_ended = 0.0

    def keep(self, found: tuple[int, ShardResult]) -> None:
        """A shard has ended."""
        now = time.perf_counter(), time.process_time()
        if self._warming:
            self._warming -= 1
            self._began, self._processor_began = now
            return
        self._ended, self._processor_ended = now
        self.images += found[0]
        self.volume += sum(map(len, found[1].files.values()))

    @property
    def seconds(self) -> float:
        """Seconds that the counted shards took."""
        return max(self._ended - self._began, 1e-9)

    @property
    def processor(self) -> float:
        """Processor seconds of the driver meanwhile."""
        return self._processor_ended - self._processor_began

    @property
    def rate(self) -> float:
        """Images per second."""
        return self.images / self.seconds
