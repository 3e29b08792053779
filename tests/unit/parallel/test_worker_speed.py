"""The rate of workers: what is counted, what only warms up, and the ratio to linear."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count

import pytest

from samtta_app.bench import worker_speed
from samtta_app.bench.worker_speed import measure_scaling
from samtta_app.core.messages import ReportProgress
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
    """A second for each look at the time, a quarter of it on the driver's processor."""
    seconds, processor = count(), count(0.0, 0.25)
    monkeypatch.setattr(worker_speed.time, "perf_counter", lambda: float(next(seconds)))
    monkeypatch.setattr(worker_speed.time, "process_time", lambda: next(processor))


@pytest.mark.usefixtures("clock")
def test_the_first_shards_warm_up_and_the_others_count() -> None:
    said: list[str] = []
    pools = [(1, THIS_PROCESS), (2, THIS_PROCESS), (4, THIS_PROCESS)]
    first, second, third = measure_scaling("auto", working, IMAGES, pools, 2, said.append)
    assert said == ["auto: 1 worker", "auto: 2 workers", "auto: 4 workers"]
    for row in (first, second, third):
        assert (row.work, row.images, row.seconds, row.rate) == ("auto", 8, 4.0, 2.0)
        assert row.result_bytes == 100.0
        assert row.driver_share == 0.25
        assert row.load >= 0.0
    assert [row.of_linear for row in (first, second, third)] == [1.0, 0.5, 0.25]


@pytest.mark.usefixtures("clock")
def test_the_first_number_of_workers_is_the_base() -> None:
    pools = [(2, THIS_PROCESS), (1, THIS_PROCESS)]
    first, second = measure_scaling("encode", working, IMAGES, pools, 4, lambda words: None)
    assert (first.workers, first.of_linear) == (2, 1.0)
    assert (second.workers, second.of_linear) == (1, 2.0)


def test_an_image_that_fails_ends_the_measurement_with_its_reason() -> None:
    with pytest.raises(UserError, match="The measurement failed: It is torn"):
        measure_scaling("auto", failing, IMAGES, [(1, THIS_PROCESS)], 2, lambda words: None)


def test_a_pool_that_fails_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(
        self: WorkerPool, tasks: Iterable[WorkerTask], tell: ReportProgress, whole: float | None = None
    ) -> tuple[Failed, ...]:
        return (("shard 0", "Its workers died"),)

    monkeypatch.setattr(WorkerPool, "run", lose)
    with pytest.raises(UserError, match="The measurement failed: Its workers died"):
        measure_scaling("auto", working, IMAGES, [(1, THIS_PROCESS)], 2, lambda words: None)
