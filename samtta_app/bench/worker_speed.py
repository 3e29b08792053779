"""How the rate of `samtta auto` and `samtta encode` grows with the number of workers, and what each part costs.

Every number of workers does the same images, after one shard each that is not counted: it loads the model. Workers have one
thread each, whatever their number. Their processor time for an image does not grow while they wait for other programs. Its
ratio says whether workers hold each other up, on a busy machine too. The driver's says for how many workers one is enough.
"""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from samtta_app.bench.busy_machine import busy_seconds
from samtta_app.core.messages import ReportProgress
from samtta_app.engine.model_speed import arithmetic_threads
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
        by_processor: the same by processor seconds of an image: what other programs hold is not counted.
        threads: of each worker.
        worker_share: cores that each worker had; below 1 it waited.
        driver_share: processor seconds of the driver per second.
        result_bytes: bytes of results per image.
        others: cores of this machine that other programs held meanwhile; nan where that is not reported.
        cores: of this machine.
    """

    work: str
    workers: int
    images: int
    seconds: float
    rate: float
    of_linear: float
    by_processor: float
    threads: int
    worker_share: float
    driver_share: float
    result_bytes: float
    others: float
    cores: int


def measure_scaling(
    work: str,
    shard: ShardWork,
    images: Sequence[ImagePlace],
    pools: Sequence[tuple[int, WorkerPool]],
    size: int,
) -> Iterator[WorkerFigures]:
    """Measure each number of workers; the first is the base of the ratios.

    Args:
        work: its name.
        shard: what works on a shard.
        images: each pass does them in order, in shards of `size`.
        pools: numbers of workers, and what has so many.
        size: images of a shard.

    Raises:
        UserError: a shard failed, or the cluster cannot be used.
    """
    base: tuple[float, float] | None = None
    for workers, pool in pools:
        warming = 2 * workers
        count = _Counter(warming)
        parts = [images[k : k + size] for k in range(0, len(images), size)]
        parts = [*[images[:1]] * warming, *parts]
        tasks = [WorkerTask(f"shard {k}", 1.0, _Once(shard, part), keep=count.keep) for k, part in enumerate(parts)]
        failures = pool.run(tasks, lambda share, words: None)
        if failures:
            raise UserError(f"The measurement failed: {failures[0][1]}")
        base = base or (count.rate / workers, count.worked / count.images)
        yield count.figures(work, workers, *base)


@dataclass(frozen=True, slots=True)
class _Counted:
    """A shard that was done: its images, and where, with how many threads and processor seconds."""

    images: int
    result: ShardResult
    machine: str
    threads: int
    worked: float


@dataclass(frozen=True, slots=True)
class _Once:
    """A shard's work as a task of its own: what cannot be done is a failure here."""

    shard: ShardWork
    images: Sequence[ImagePlace]

    def __call__(self, told: ReportProgress) -> _Counted:
        before = time.process_time()
        result = self.shard(self.images, "measured", told)
        if result.errors:
            raise UserError(next(iter(result.errors.values())).removesuffix("."))
        worked = time.process_time() - before
        return _Counted(len(self.images), result, socket.gethostname(), arithmetic_threads(), worked)


class _Counter:
    """Counts from the moment that `warming` shards have ended: by then every worker has its model."""

    def __init__(self, warming: int) -> None:
        self._warming = warming
        self.images, self.volume, self.threads = 0, 0, 0
        self.worked, self._here = 0.0, 0.0
        self._began = self._ended = (0.0, 0.0, 0.0)

    def keep(self, found: _Counted) -> None:
        """A shard has ended."""
        now = time.perf_counter(), time.process_time(), busy_seconds()
        if self._warming:
            self._warming -= 1
            self._began = now
            return
        self._ended = now
        self.images += found.images
        self.volume += sum(map(len, found.result.files.values()))
        self.threads = max(self.threads, found.threads)
        self.worked += found.worked
        self._here += found.worked if found.machine == socket.gethostname() else 0.0

    @property
    def seconds(self) -> float:
        """Seconds that the counted shards took."""
        return max(self._ended[0] - self._began[0], 1e-9)

    @property
    def rate(self) -> float:
        """Images per second."""
        return self.images / self.seconds

    def figures(self, work: str, workers: int, rate: float, worked: float) -> WorkerFigures:
        """What was counted, beside one worker's `rate` and the processor seconds `worked` that an image cost it."""
        driver, busy = (self._ended[k] - self._began[k] for k in (1, 2))
        others = (busy - driver - self._here) / self.seconds
        return WorkerFigures(
            work=work,
            workers=workers,
            images=self.images,
            seconds=self.seconds,
            rate=self.rate,
            of_linear=self.rate / (rate * workers),
            by_processor=worked * self.images / max(self.worked, 1e-9),
            threads=self.threads,
            worker_share=self.worked / self.seconds / workers,
            driver_share=driver / self.seconds,
            result_bytes=self.volume / max(self.images, 1),
            others=others if math.isnan(others) else max(others, 0.0),
            cores=os.cpu_count() or 1,
        )
