"""The machine while something is timed: kept busy on every core, and the memory of this process."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def all_cores_busy() -> Iterator[None]:
    """A process that spins on every core while the block runs."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
        for process in spinning:
            process.wait()


def begin_peak() -> float:
    """Current memory in bytes; restarts VmHWM's peak. nan where the system does not report it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # Linux resets the peak for "5"
    except OSError:
        return math.nan
    return memory_figure("VmRSS")


def busy_seconds() -> float:
    """Processor seconds that all programs of this machine have worked since its start; nan where that is not reported."""
    try:
        user, nice, system, _, _, *interrupts = Path("/proc/stat").read_text().splitlines()[0].split()[1:8]
    except (OSError, ValueError):
        return math.nan
    return sum(map(int, (user, nice, system, *interrupts))) / os.sysconf("SC_CLK_TCK")


def memory_figure(name: str) -> float:
    """A figure of this process's memory in bytes; nan where the system does not report it."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return math.nan
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), math.nan)
