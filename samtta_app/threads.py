"""How torch waits and how many threads it uses, set by environment variables before it is loaded.

OpenMP's threads spin while they wait for each other. Alone that saves microseconds. Beside other programs each waiting
thread holds a processor that another needs, and a click takes ten times as long. Variables that the user has set stay
unchanged.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, MutableMapping
from pathlib import Path

PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
"""Sleep instead of spinning: for every OpenMP, and for Intel's and LLVM's, which have their own variable."""

WAITING = {*PASSIVE, "GOMP_SPINCOUNT"}
"""If the user has set one of these, the way of waiting is already chosen."""

_NUMBER = "OMP_NUM_THREADS"

OWN_NUMBER = os.environ.get(_NUMBER, "").partition(",")[0]
"""What the user had set before samtta set it; "" where that was nothing."""

SINGLE = {_NUMBER: "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}
"""One thread of arithmetic: for torch with every OpenMP, for MKL and OpenBLAS under it and numpy, and for OpenCV."""


def wait_passively(environment: MutableMapping[str, str]) -> None:
    """Let waiting threads sleep, unless the user chose otherwise. Not for training, which it slows by a fifth."""
    if WAITING.isdisjoint(environment):
        environment.update(PASSIVE)


def choose_number(environment: MutableMapping[str, str], wanted: int = 0) -> None:
    """Use `wanted` threads; with 0, the environment's number, else the number of usable processor cores."""
    if wanted:
        environment[_NUMBER] = str(wanted)
    elif _NUMBER not in environment:
        cores = usable_cores()
        if cores:
            environment[_NUMBER] = str(cores)


def compute_with(wanted: int) -> None:
    """Let this process compute with `wanted` threads from now on; with 0, with the user's own number or one for each core.

    Where torch is loaded it changes on the thread that calls, and on those that begin later.
    """
    if not wanted and not OWN_NUMBER and _NUMBER not in os.environ:
        return  # torch has found a number by itself
    own = int(OWN_NUMBER) if OWN_NUMBER.isdecimal() else 0
    number = wanted or own or usable_cores() or os.cpu_count() or 1
    os.environ[_NUMBER] = str(number)
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != number:
        torch.set_num_threads(number)


def single_thread() -> None:
    """Let this process compute with one thread from now on, also in what is loaded already."""
    os.environ.update(SINGLE)
    for name, setting in (("torch", "set_num_threads"), ("cv2", "setNumThreads")):
        if name in sys.modules:
            getattr(sys.modules[name], setting)(1)


def usable_cores(system: Path = Path("/sys"), process: Path = Path("/proc/self")) -> int:
    """Physical cores that this process may use, at most those of its control group; 0 where that is not known.

    Two threads of one core slow each other down in torch's arithmetic. Threads beyond a group's quota are stopped for
    the rest of every period, and the others wait for them.
    """
    if not hasattr(os, "sched_getaffinity"):
        return 0
    allowed = os.sched_getaffinity(0)
    cores = {_siblings(system, number) for number in allowed}
    return max(1, math.floor(min(len(cores), _quota(system, process))))


def _siblings(system: Path, number: int) -> str:
    """The name of a processor's core; where it is not known, each processor counts as its own core."""
    topology = system / "devices/system/cpu" / f"cpu{number}" / "topology"
    texts = (_text(topology / name) for name in ("core_cpus_list", "thread_siblings_list"))
    return next((text for text in texts if text), f"cpu {number}")


def _quota(system: Path, process: Path) -> float:
    """Processor time that the process's control groups allow, in processors, for both versions; infinite without a limit."""
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
    """The folders of a group and of its parents, up to the root of all."""
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
