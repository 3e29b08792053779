"""What is asked of Ray, and what becomes of its answers: with a stand-in that needs no cluster and can fail in every way."""

from __future__ import annotations

import logging
import os
import platform
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from samtta_app.core.messages import ReportProgress
from samtta_app.errors import ClusterError, UserError
from samtta_app.parallel import ray_workers, sent_files
from samtta_app.parallel.ray_workers import AHEAD, RETRIES, in_cluster, installed_version, ray_cluster
from samtta_app.parallel.worker_pool import WorkerPool
from samtta_app.parallel.workers import TaskEnding, WorkerTask


class LostError(Exception):
    """As Ray's own: a worker or machine died again and again."""


class ShortOfMemoryError(LostError):
    """As Ray's own: the machine killed a worker to save itself."""


class Reference:
    """Stands for a result that is made when it is asked for."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work


class StandIn(ModuleType):
    """Does a task when its result is asked for, and keeps count of what was under way."""

    def __init__(self) -> None:
        super().__init__("ray")
        self.cpus, self.gpus = 2.0, 0.0
        self.connected: dict[str, Any] = {}
        self.options: list[dict[str, Any]] = []
        self.put_values: list[object] = []
        self.under_way = self.most_under_way = 0
        self.cancelled = 0
        self.closed = False
        self.exceptions = SimpleNamespace(RayError=LostError, OutOfMemoryError=ShortOfMemoryError)
        self.machine: Callable[[], object] = lambda: (platform.python_version(), installed_version())
        self.machines = [{"Alive": True, "Resources": {"CPU": 2.0}, "NodeID": "a", "NodeManagerAddress": "10.0.0.1"}]
        self.fault: Exception | None = None

    def init(self, **given: Any) -> None:
        self.connected = given
        if self.fault is not None:
            raise self.fault

    def shutdown(self) -> None:
        self.closed = True

    def nodes(self) -> list[dict[str, Any]]:
        return self.machines

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": self.cpus, "GPU": self.gpus}

    def put(self, value: object) -> object:
        self.put_values.append(value)
        return Reference(lambda: value)

    def remote(self, *given: Any, **options: Any) -> Any:
        if not given:
            return lambda function: self.remote(function)
        function = given[0]

        def begin(*arguments: Any) -> object:
            asks_versions = function.__name__ == "versions"
            self.under_way += not asks_versions
            self.most_under_way = max(self.most_under_way, self.under_way)
            return Reference(self.machine if asks_versions else partial(function, *arguments))

        def chosen(**options: Any) -> object:
            self.options.append(options)
            return SimpleNamespace(remote=begin)

        return SimpleNamespace(options=chosen, remote=begin)

    def wait(self, waiting: Sequence[Any], **given: Any) -> tuple[list[Any], list[Any]]:
        number = given.get("num_returns", 1)
        return list(waiting[:1]) if number == 1 else list(waiting), []

    def get(self, reference: Any, timeout: float | None = None) -> object:
        found = reference.work()
        self.under_way -= isinstance(found, TaskEnding)
        return found

    def cancel(self, reference: object, force: bool) -> None:
        self.cancelled += 1


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "ray", stand_in)
    strategies = ModuleType("ray.util.scheduling_strategies")
    strategies.NodeAffinitySchedulingStrategy = lambda node, soft: ("on", node)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ray.util", ModuleType("ray.util"))
    monkeypatch.setitem(sys.modules, "ray.util.scheduling_strategies", strategies)
    monkeypatch.setattr(ray_workers, "_TAKEN", set())
    monkeypatch.setattr(os, "environ", dict(os.environ))
    return stand_in


def nothing(share: float, words: str) -> None:
    """Told to none."""


def double(k: int, told: ReportProgress) -> int:
    told(0.5, "half")
    return 2 * k


def fail(error: Exception, told: ReportProgress) -> None:
    raise error


def ran(ray: StandIn, tasks: Sequence[WorkerTask], **given: Any) -> tuple[tuple[str, str], ...]:
    return in_cluster(tasks, "auto", nothing, **given)


def test_results_come_back_and_the_cluster_is_left(ray: StandIn) -> None:
    kept: list[int] = []
    assert ran(ray, [WorkerTask(f"t{k}", 1, partial(double, k), keep=kept.append) for k in range(9)]) == ()
    assert sorted(kept) == [0, 2, 4, 6, 8, 10, 12, 14, 16]
    assert ray.connected["address"] == "auto"
    assert ray.connected["log_to_driver"] is False
    assert ray.closed


def test_no_more_are_under_way_than_the_cluster_has_room_for(ray: StandIn) -> None:
    made: list[int] = []

    def tasks() -> Iterator[WorkerTask]:
        for k in range(40):
            made.append(k)
            assert len(made) - len(kept) <= AHEAD * 2 + 1
            yield WorkerTask(f"t{k}", 1, partial(double, k), keep=kept.append)

    kept: list[int] = []
    assert in_cluster(tasks(), "auto", nothing, 40.0) == ()
    assert len(kept) == 40
    assert ray.most_under_way == AHEAD * 2


def test_fewer_workers_and_gpus_are_taken_where_that_is_said(ray: StandIn) -> None:
    tasks = [WorkerTask(f"t{k}", 1, partial(double, k)) for k in range(9)]
    ran(ray, tasks, most=1)
    assert ray.most_under_way == 1
    ray.gpus, ray.cpus, ray.most_under_way = 3.0, 64.0, 0
    assert WorkerPool(ray="auto", gpus=1.0).run(tasks, nothing) == ()
    assert ray.most_under_way == AHEAD * 3
    asked = ray.options[-1]
    assert (asked["num_cpus"], asked["num_gpus"], asked["max_retries"]) == (1, 1.0, RETRIES)
    assert asked["scheduling_strategy"] == "SPREAD"


def test_a_cluster_that_has_lost_all_machines_may_get_one_back(ray: StandIn) -> None:
    ray.cpus = 0.0
    kept: list[int] = []
    tasks = [WorkerTask(f"t{k}", 1, partial(double, k), keep=kept.append) for k in range(4)]
    assert ran(ray, tasks) == ()
    assert len(kept) == 4


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UserError("The image is torn", "a.png", "Copy it again"), "The image is torn (a.png). Copy it again."),
        (LostError("the node died"), "Its workers died again and again (LostError). The same command tries it again"),
        (
            ShortOfMemoryError("killed"),
            "A worker of the cluster ran out of memory. Give it more, or take smaller shards",
        ),
    ],
)
def test_a_task_that_cannot_be_done_is_a_failure_and_the_others_are_done(
    error: Exception, said: str, ray: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(error, LostError):
        real = StandIn.get

        def get(self: StandIn, reference: Any, timeout: float | None = None) -> object:
            found = real(self, reference, timeout)
            if found == TaskEnding(value=0):
                raise error
            return found

        monkeypatch.setattr(StandIn, "get", get)
        bad = WorkerTask("bad", 1, partial(double, 0))
    else:
        bad = WorkerTask("bad", 1, partial(fail, error))
    kept: list[int] = []
    good = [WorkerTask(f"t{k}", 1, partial(double, k), keep=kept.append) for k in (1, 2)]
    assert ran(ray, [bad, *good]) == (("bad", said),)
    assert sorted(kept) == [2, 4]


def test_what_is_under_way_is_cancelled_where_the_run_ends_early(ray: StandIn) -> None:
    def stop(found: int) -> None:
        raise KeyboardInterrupt

    tasks = [WorkerTask(f"t{k}", 1, partial(double, k), keep=stop) for k in range(9)]
    with pytest.raises(KeyboardInterrupt):
        ran(ray, tasks)
    assert ray.cancelled == AHEAD * 2 - 1
    assert ray.closed


def test_progress_is_told_by_finished_tasks(ray: StandIn) -> None:
    told: list[tuple[float, str]] = []
    tasks = [WorkerTask(f"t{k}", cost, partial(double, k)) for k, cost in enumerate((1, 3))]
    in_cluster(tasks, "auto", lambda *each: told.append(each))
    assert told == [(0.25, "t0: done"), (1.0, "t1: done")]


def test_files_are_sent_once_and_lie_on_the_machine_before_its_first_task(
    ray: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sent_files, "_PLACES", {})
    monkeypatch.setenv("SAMTTA_HOME", str(tmp_path / "home"))
    file = tmp_path / "mine.safetensors"
    file.write_bytes(b"weights")
    kept: list[str] = []

    def read(told: ReportProgress) -> str:
        return Path(sent_files.sent_place(str(file))).read_text()

    ran(ray, [WorkerTask(f"t{k}", 1, read, keep=kept.append) for k in range(5)], sent=(file,))
    assert kept == ["weights"] * 5
    assert ray.put_values == [{str(file): b"weights"}]
    (place,) = {*tmp_path.rglob("mine.safetensors")} - {file}
    assert place.parent.name == "models"


def test_a_worker_computes_with_one_thread_whatever_its_machine_was_started_with(
    ray: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_to: list[int] = []
    os.environ["OMP_NUM_THREADS"] = "8"
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(set_num_threads=set_to.append))
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    found: list[dict[str, str]] = []
    ran(ray, [WorkerTask(f"t{k}", 1, lambda told: dict(os.environ), keep=found.append) for k in range(2)])
    assert [each["OMP_NUM_THREADS"] for each in found] == ["1", "1"]
    assert set_to == [1]


def test_a_machine_whose_disk_is_full_says_so(ray: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(key: str, files: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ray_workers, "receive", full)
    ((name, said),) = ran(ray, [WorkerTask("t", 1, partial(double, 1))])
    assert (name, said) == ("t", f"The model cannot be put on {socket.gethostname()}: No space left on device")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            RuntimeError("Version mismatch: The cluster was started with:\n    Ray: 2.9.0\n    Python: 3.12.1"),
            "The cluster runs another version: Version mismatch: The cluster was started with: Ray: 2.9.0",
        ),
        (ConnectionError("Could not find any running Ray instance"), "There is no Ray cluster on this machine"),
        (RuntimeError("the session folder is gone"), "The Ray cluster cannot be used: the session folder is gone"),
        (TimeoutError("no answer"), "The Ray cluster cannot be used: no answer"),
    ],
)
def test_a_cluster_that_cannot_be_used_is_said_in_words(fault: Exception, said: str, ray: StandIn) -> None:
    ray.fault = fault
    with pytest.raises(ClusterError) as refused:
        ran(ray, [])
    assert said in str(refused.value)
    assert refused.value.do


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (("3.9.1", "0.1.0"), "A machine of the cluster has Python 3.9.1, samtta 0.1.0"),
        (
            (platform.python_version(), ""),
            f"A machine of the cluster has Python {platform.python_version()}, no samtta",
        ),
        ((platform.python_version(), "9.9"), "samtta 9.9; here are Python"),
    ],
)
def test_a_machine_without_the_extra_or_of_another_version_is_named(
    machine: tuple[str, str], said: str, ray: StandIn
) -> None:
    ray.machine = lambda: machine
    with pytest.raises(ClusterError) as refused:
        ran(ray, [])
    assert said in str(refused.value)
    assert "10.0.0.1" in str(refused.value)
    assert "samtta[cluster]" in refused.value.do
    assert ray.closed


def test_a_machine_that_gives_no_answer_is_named(ray: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    def silent() -> object:
        raise TimeoutError("after a minute")

    ray.machine = silent
    with caplog.at_level(logging.INFO), pytest.raises(ClusterError, match=r"gave no answer: TimeoutError \(10.0.0.1\)"):
        ran(ray, [])


def test_machines_that_are_gone_or_offer_no_processor_are_not_asked(ray: StandIn) -> None:
    ray.machines = [
        {"Alive": False, "Resources": {"CPU": 2.0}, "NodeID": "a", "NodeManagerAddress": "10.0.0.1"},
        {"Alive": True, "Resources": {}, "NodeID": "b", "NodeManagerAddress": "10.0.0.2"},
    ]
    with pytest.raises(ClusterError, match="No machine of the cluster offers a processor"):
        ran(ray, [])


@pytest.mark.parametrize(
    "address",
    ["", "host", "host:", ":6379", "host:0", "host:70000", "host:six", "ray://", "ray://host", "http://host"],
)
def test_what_is_no_address_is_refused_before_anything_is_asked(address: str, ray: StandIn) -> None:
    with pytest.raises(ClusterError, match="This is no address of a Ray cluster"), ray_cluster(address):
        pass
    assert ray.connected == {}


@pytest.mark.parametrize("front", ["", "ray://"])
def test_an_address_that_answers_is_connected_to(front: str, ray: StandIn) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"{front}127.0.0.1:{server.getsockname()[1]}"
        with ray_cluster(address) as found:
            assert found is ray
    assert ray.connected["address"] == address


def test_the_version_of_source_that_is_not_installed_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(ray_workers, "version", none)
    assert installed_version() == "source"
