"""How torch waits and how many threads it takes, said by environment variables before it is loaded.

OpenMP's threads spin while they wait for each other: alone that saves microseconds, beside other programs each waiting thread
holds a processor that another needs, and a click takes ten times as long. What a person has set stays as it is.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, MutableMapping
from pathlib import Path

PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
"""Sleep instead of spinning: for every OpenMP, and for Intel's and LLVM's, which listen to a name of their own."""

WAITING = {*PASSIVE, "GOMP_SPINCOUNT"}
"""Whoever has set one of these has chosen how to wait."""

_NUMBER = "OMP_NUM_THREADS"


def wait_passively(environment: MutableMapping[str, str]) -> None:
    """Have threads that wait sleep, unless the person chose otherwise. Not for training, which it slows by a fifth."""
    if WAITING.isdisjoint(environment):
        environment.update(PASSIVE)


def choose_number(environment: MutableMapping[str, str], wanted: int = 0) -> None:
    """Take `wanted` threads; with 0, what the environment says, else as many as there are processor cores to use."""
    if wanted:
        environment[_NUMBER] = str(wanted)
    elif _NUMBER not in environment:
        cores = usable_cores()
        if cores:
            environment[_NUMBER] = str(cores)


def usable_cores(system: Path = Path("/sys"), process: Path = Path("/proc/self")) -> int:
    """Physical cores that this process may use, not more than its control group is given; 0 where that is not known.

    Two threads of one core get in each other's way in torch's arithmetic; threads beyond a group's quota are stopped for
    the rest of every period, and the others wait for them.
    """
    if not hasattr(os, "sched_getaffinity"):
        return 0
    allowed = os.sched_getaffinity(0)
    cores = {_siblings(system, number) for number in allowed}
    return max(1, math.floor(min(len(cores), _quota(system, process))))


def _siblings(system: Path, number: int) -> str:
    """What names the core of a processor; each is its own where that is not known."""
    topology = system / "devices/system/cpu" / f"cpu{number}" / "topology"
    texts = (_text(topology / name) for name in ("core_cpus_list", "thread_siblings_list"))
    return next((text for text in texts if text), f"cpu {number}")


def _quota(system: Path, process: Path) -> float:
    """Processors' worth of time that the process's control groups allow, of both versions; infinite without a limit."""
    groups = [line.split(":", 2) for line in _text(process / "cgroup").splitlines() if line.count(":") >= 2]
    least = math.inf
    for _, controllers, path in groups:
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = system / "fs/cgroup" / ("cpu" if controllers else "")
        for folder in _upwards(root, path):
            limits = _text(folder / "cpu.max").split() or [
                _text(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period")
            ]
            least = min(least, _share(limits))
    return least


def _upwards(root: Path, path: str) -> Iterable[Path]:
    """The folders of a group and of those around it, down to the root of all."""
    place = Path(os.path.normpath(root / path.strip("/")))
    while place.is_relative_to(root):
        yield place
        place = place.parent


def _share(limits: list[str]) -> float:
    try:
        quota, period = (int(text) for text in limits)
    except ValueError:  # "max", or no such file
        return math.inf
    return quota / period if quota > 0 and period > 0 else math.inf


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
