"""Tasks on the machines of a Ray cluster (the extra `cluster`).

Ray places the tasks, replaces a worker or machine that dies, and does its task again. Here, a window of tasks is kept under
way, so that memory stays flat. Sources: docs.ray.io, "Ray Core", tasks and fault tolerance.
"""

from __future__ import annotations

import logging
import os
import platform
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

from samtta_app.core.messages import ReportProgress
from samtta_app.errors import ClusterError
from samtta_app.extras import extra_advice
from samtta_app.parallel.sent_files import read_to_send, receive, sent_key
from samtta_app.parallel.workers import (
    AHEAD,
    Failed,
    RunShares,
    TaskEnding,
    WorkerTask,
    attempted,
    keep_nothing,
)
from samtta_app.threads import single_thread

RETRIES = 3
"""A task whose worker or machine died is done again so many times; then it is its images that end it."""

BEAT_SECONDS = 1.0
"""Seconds after which the number of workers is looked at again: machines join and leave."""

ANSWER_SECONDS = 10.0
"""A cluster's address that has not answered after so long is not that of a cluster."""

log = logging.getLogger(__name__)


def in_cluster(
    tasks: Iterable[WorkerTask],
    address: str,
    tell: ReportProgress,
    whole: float | None = None,
    *,
    sent: tuple[Path, ...] = (),
    most: int = 0,
    gpus: float = 0.0,
) -> tuple[Failed, ...]:
    """Do the tasks in a Ray cluster, one per processor or GPU at the same time; their `work` must be picklable.

    Args:
        tasks: made one by one as they are needed, where `whole` is given.
        address: HOST:PORT, ray://HOST:PORT, or "auto".
        tell: called with the completed share and a few words.
        whole: the cost of all tasks; None adds it up.
        sent: files that every machine gets once.
        most: tasks at the same time at most; 0 for as many as the cluster has room for.
        gpus: of each worker.

    Raises:
        ClusterError: there is no cluster, it cannot be used, or Ray is not installed.
        UserError: a file cannot be sent.
        KeyboardInterrupt: Ctrl+C; running tasks are cancelled.
    """
    files = read_to_send(sent)
    with ray_cluster(address) as ray:
        progress = RunShares(tasks, tell, whole)
        key, shared = sent_key(files), ray.put(files)
        options = {"num_cpus": 1, "num_gpus": gpus, "max_retries": RETRIES, "scheduling_strategy": "SPREAD"}
        remote = ray.remote(max_calls=0)(_on_a_worker).options(**options)
        waiting: dict[Any, int] = {}

        def submit(index: int, task: WorkerTask) -> Any:  # noqa: ANN401 (a reference of Ray)
            return remote.remote(replace(task, keep=keep_nothing), key, [shared])

        try:
            while progress.filled(waiting, most or AHEAD * _room(ray, gpus), submit):
                if not ray.wait(list(waiting), timeout=BEAT_SECONDS)[0]:
                    continue
                ready, _ = ray.wait(list(waiting), num_returns=len(waiting), timeout=0)  # all that have ended
                for reference in ready:
                    progress.ended(waiting.pop(reference), _ending(ray, reference))
        finally:
            for reference in waiting:
                ray.cancel(reference, force=True)
    return progress.failures


@contextmanager
def ray_cluster(address: str) -> Iterator[ModuleType]:
    """Ray, connected to a cluster in which every machine can work; disconnected at the end.

    Raises:
        ClusterError: there is no cluster, it cannot be used, or Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no report to anyone without being asked
    try:
        import ray
    except ImportError as error:
        raise ClusterError("Ray is not installed here", do=extra_advice("cluster")) from error
    _answers(address)
    try:
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError, OSError, TimeoutError) as error:
        raise _unusable(address, error) from error
    try:
        _every_machine_can(ray)
        yield ray
    finally:
        ray.shutdown()


def installed_version() -> str:
    """The version of samtta that is installed here; "source" where its source runs without."""
    try:
        return version("samtta")
    except PackageNotFoundError:
        return "source"


def _answers(address: str) -> None:
    """Look for the cluster before Ray does, which would wait for a minute.

    Raises:
        ClusterError: the address is none, or nothing answers there.
    """
    if address == "auto":
        return
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (colon and host and port.isdigit() and 0 < int(port) < 65_536):
        do = "Give HOST:PORT as ray start --head says it, or auto"
        raise ClusterError("This is no address of a Ray cluster", address, do)
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except OSError as error:
        what = f"No Ray cluster answers at this address: {error.strerror or error}"
        raise ClusterError(what, address, "Start one with ray start --head, and open its port") from error


def _unusable(address: str, error: Exception) -> ClusterError:
    text = " ".join(str(error).split())
    if "mismatch" in text.lower():
        do = "Install the same versions of Ray and Python on all machines"
        return ClusterError(f"The cluster runs another version: {text[:300]}", address, do)
    if address == "auto" and isinstance(error, ConnectionError):
        do = "Start one with ray start --head, or give its address with --ray HOST:PORT"
        return ClusterError("There is no Ray cluster on this machine", "", do)
    return ClusterError(f"The Ray cluster cannot be used: {text[:300]}", address, "Look at ray status there")


def _every_machine_can(ray: ModuleType) -> None:
    """Ask each machine for its versions, before work goes there.

    Raises:
        ClusterError: a machine lacks samtta or has another version of it, or none answers.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    own = platform.python_version(), installed_version()

    def versions() -> tuple[str, str]:  # travels by value: samtta need not be there
        import platform as there

        try:
            from samtta_app.parallel.ray_workers import installed_version as installed
        except ImportError:
            return there.python_version(), ""
        return there.python_version(), installed()

    asked = {}
    for node in ray.nodes():
        if node["Alive"] and node["Resources"].get("CPU", 0) >= 1:
            place = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            asked[node["NodeManagerAddress"]] = ray.remote(versions).options(scheduling_strategy=place).remote()
    if not asked:
        raise ClusterError("No machine of the cluster offers a processor", "", "Look at ray status there")
    for host, reference in asked.items():
        try:
            found = ray.get(reference, timeout=60)
        except Exception as error:
            log.info("a machine of the cluster gave no answer", exc_info=True)
            what = f"A machine of the cluster gave no answer: {type(error).__name__}"
            raise ClusterError(what, host, "Look at ray status there") from error
        if found != own:
            there = f"Python {found[0]}, " + (f"samtta {found[1]}" if found[1] else "no samtta")
            what = f"A machine of the cluster has {there}; here are Python {own[0]}, samtta {own[1]}"
            raise ClusterError(what, host, "Install samtta[cluster] of the same version on all machines")


def _room(ray: ModuleType, gpus: float) -> int:
    """Tasks that the cluster can work on at the same time, 1 at least: a machine may come back."""
    found = ray.cluster_resources()
    room = found.get("CPU", 0)
    return max(1, int(min(room, found.get("GPU", 0) / gpus) if gpus else room))


_TAKEN: set[str] = set()
"""In a worker: keys of what was sent and lies on this machine."""


def _on_a_worker(task: WorkerTask, key: str, shared: list[Any]) -> TaskEnding:
    """In a worker: take what was sent, and do the task."""
    import ray

    if key not in _TAKEN:
        single_thread()  # Ray sets it too, but not where the machine was started with another number
        files: Mapping[str, bytes] = ray.get(shared[0])
        try:
            receive(key, files)
        except OSError as error:
            return TaskEnding(f"The model cannot be put on {socket.gethostname()}: {error.strerror}")
        _TAKEN.add(key)
    return attempted(task, lambda share, words: None)


def _ending(ray: ModuleType, reference: object) -> TaskEnding:
    try:
        ending: TaskEnding = ray.get(reference)
        return ending
    except ray.exceptions.OutOfMemoryError:
        return TaskEnding("A worker of the cluster ran out of memory. Give it more, or take smaller shards")
    except ray.exceptions.RayError as error:
        log.info("a task was lost", exc_info=True)
        return TaskEnding(f"Its workers died again and again ({type(error).__name__}). The same command tries it again")
