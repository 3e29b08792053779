"""The rate of workers: what is counted, what only warms up, and the ratio to linear."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Sequence
from itertools import count

import pytest

from samtta_app.bench import worker_speed
from samtta_app.bench.busy_machine import busy_seconds
from samtta_app.bench.worker_speed import measure_scaling
from samtta_app.core.messages import ReportProgress
from samtta_app.engine.model_speed import arithmetic_threads
from samtta_app.errors import UserError
from samtta_app.parallel.image_places import ImagePlace
from samtta_app.parallel.shard_run import ShardResult
from samtta_app.parallel.worker_pool import THIS_PROCESS, WorkerPool
from samtta_app.parallel.workers import Failed, WorkerTask

IMAGES = tuple(ImagePlace(f"im{k}.png", f"im{k}.png") for k in range(8))


def working(images: Sequence[ImagePlace], key: str, told: ReportProgress) -> ShardResult:
    return ShardResult({key: bytes(100 * len(images))})


def failing(images: Sequence[ImagePlace], key: str, told: ReportProgress) -> ShardResult:
    return ShardResult({}, {images[0].name: "It is torn."})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second for each look at the time. All looks at processors give a quarter, those at the machine two."""
    seconds, processor, machine = count(), count(0.0, 0.25), count(0.0, 2.0)
    monkeypatch.setattr(worker_speed.time, "perf_counter", lambda: float(next(seconds)))
    monkeypatch.setattr(worker_speed.time, "process_time", lambda: next(processor))
    monkeypatch.setattr(worker_speed, "busy_seconds", lambda: next(machine))


@pytest.mark.usefixtures("clock")
def test_the_first_shards_warm_up_and_the_others_count() -> None:
    pools = [(1, THIS_PROCESS), (2, THIS_PROCESS), (4, THIS_PROCESS)]
    first, second, third = measure_scaling("auto", working, IMAGES, pools, 2)
    for row in (first, second, third):
        assert (row.work, row.images, row.seconds, row.rate) == ("auto", 8, 4.0, 2.0)
        assert row.result_bytes == 100.0
        assert row.by_processor == 1.0, "a shard takes the same processor time, however many workers there are"
        assert row.driver_share == 0.75
        assert row.others == 2.0 - 0.75 - 0.25
        assert row.threads == arithmetic_threads()
        assert row.cores == os.cpu_count()
    assert [row.of_linear for row in (first, second, third)] == [1.0, 0.5, 0.25]
    assert [row.worker_share for row in (first, second, third)] == [0.25, 0.125, 0.0625]


@pytest.mark.usefixtures("clock")
def test_the_first_number_of_workers_is_the_base() -> None:
    pools = [(2, THIS_PROCESS), (1, THIS_PROCESS)]
    first, second = measure_scaling("encode", working, IMAGES, pools, 4)
    assert (first.workers, first.of_linear) == (2, 1.0)
    assert (second.workers, second.of_linear) == (1, 2.0)


def test_an_image_that_fails_ends_the_measurement_with_its_reason() -> None:
    with pytest.raises(UserError, match="The measurement failed: It is torn"):
        next(measure_scaling("auto", failing, IMAGES, [(1, THIS_PROCESS)], 2))


def test_a_pool_that_fails_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(
        self: WorkerPool, tasks: Iterable[WorkerTask], tell: ReportProgress, whole: float | None = None
    ) -> tuple[Failed, ...]:
        return (("shard 0", "Its workers died"),)

    monkeypatch.setattr(WorkerPool, "run", lose)
    with pytest.raises(UserError, match="The measurement failed: Its workers died"):
        next(measure_scaling("auto", working, IMAGES, [(1, THIS_PROCESS)], 2))


def test_what_other_programs_hold_is_known_where_the_machine_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_speed, "busy_seconds", lambda: float("nan"))
    (row,) = measure_scaling("auto", working, IMAGES, [(1, THIS_PROCESS)], 2)
    assert math.isnan(row.others)
    if sys.platform == "linux":
        before = busy_seconds()
        assert before > 0
        assert busy_seconds() >= before
