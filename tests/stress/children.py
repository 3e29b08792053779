"""Forks of this process that work, are killed or limited, and tell what they did: a JSON value per line through a pipe.

A fork has all libraries loaded, so that hundreds of program runs cost a fraction of a second each. The process that forks
must stay idle itself (no thread, no open database), so everything is done in children.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a pool of threads would not survive a fork

Tell = Callable[[object], None]
Work = Callable[[Tell], None]

PATIENCE = 120.0
"""Seconds of wall time after which a child that is neither done nor killed counts as hanging."""

WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "sqlite3.connect"}
"""What Python announces before it changes files, besides opening one for writing."""

STARTS = {
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "socket.connect",
    "socket.getaddrinfo",
}
"""What Python announces before it starts another program or goes to the network."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use: bytes of memory beyond its parent's, seconds of processor time, seconds of wall time."""

    memory: int
    processor: int
    wall: float = PATIENCE


@dataclass(frozen=True, slots=True)
class Kill:
    """When a child is killed: so many seconds after it told its `lines`-th line (0: after its start)."""

    seconds: float
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended: what it told and when (seconds since its start; its end is last), the signal that ended it (0: none),
    its peak of memory in bytes, and whether it would have gone on for ever."""

    told: tuple[Any, ...]
    moments: tuple[float, ...]
    signal: int
    peak: int
    hung: bool

    @property
    def error(self) -> str:
        """The traceback of what ended the child, "" where it ended in order or was killed."""
        return next((str(value["error"]) for value in self.told if isinstance(value, dict) and "error" in value), "")


def run_child(work: Work, *, kill: Kill | None = None, limits: Limits | None = None) -> Ending:
    """Fork, let the child do `work`, kill it when it is time if it still lives then, and wait for its end."""
    gc.freeze()  # a collection in the child would copy every page that holds an object
    reading, writing = os.pipe()
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _live(work, writing, limits)
    os.close(writing)
    lines: list[tuple[float, bytes]] = []
    if kill is not None:
        ended = _hear(reading, lines, started + PATIENCE, kill.lines)
        in_time = ended or _hear(reading, lines, time.monotonic() + kill.seconds)
    else:
        in_time = _hear(reading, lines, started + (limits.wall if limits else PATIENCE))
    if not in_time:
        os.kill(pid, signal.SIGKILL)
        _hear(reading, lines, time.monotonic() + PATIENCE)
    os.close(reading)
    _, status, used = os.wait4(pid, 0)
    killer = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return Ending(
        tuple(json.loads(line) for _, line in lines if line.endswith(b"\n")),
        (*(moment - started for moment, _ in lines), time.monotonic() - started),
        killer,
        used.ru_maxrss * 1024,
        hung=killer == signal.SIGXCPU or (not in_time and kill is None),
    )


def _hear(reading: int, lines: list[tuple[float, bytes]], until: float, most: int = sys.maxsize) -> bool:
    """Take in lines, with the time at which each came, until there are `most`, or the time is over; True at the pipe's end."""
    while len(lines) < most and select.select([reading], [], [], max(until - time.monotonic(), 0))[0]:
        line = b""
        while not line.endswith(b"\n"):
            part = os.read(reading, 1)
            if not part:
                return True
            line += part
        lines.append((time.monotonic(), line))
    return False


def _live(work: Work, writing: int, limits: Limits | None) -> None:
    """The child's whole life."""

    def tell(value: object) -> None:
        os.write(writing, json.dumps(value).encode() + b"\n")

    try:
        sys.dont_write_bytecode = True
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        silence = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(silence, standard)
        if limits is not None:
            resource.setrlimit(resource.RLIMIT_AS, (_address_space() + limits.memory,) * 2)
            resource.setrlimit(resource.RLIMIT_CPU, (limits.processor, limits.processor + 2))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        work(tell)
    except BaseException:  # noqa: BLE001 - whatever ended the work is told
        tell({"error": traceback.format_exc()})
    finally:
        os._exit(0)


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def resident() -> int:
    """Bytes of this process that are in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


# --- watching what a child does to files ----------------------------------------------------------------------------------


def watch_writes(seen: Callable[[str, str], None]) -> None:
    """From now on call `seen(event, path)` before each change of a file by Python code of this process."""

    def hook(event: str, values: tuple[Any, ...]) -> None:
        if event in WRITES or (event == "open" and _for_writing(values)):
            for path in _paths(event, values):
                seen(event, path)

    sys.addaudithook(hook)


def watch_starts(seen: Callable[[str, str], None]) -> None:
    """From now on call `seen(event, what)` before this process starts a program or goes to the network."""
    sys.addaudithook(lambda event, values: seen(event, repr(values[:2])) if event in STARTS else None)


def die_at_write(folder: Path, number: int) -> Callable[[], int]:
    """Kill this process before its `number`-th change of a file below `folder` (0: never); returns the counter of changes."""
    count, inside = 0, str(folder)

    def seen(event: str, path: str) -> None:
        nonlocal count
        if path.startswith(inside):
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)

    watch_writes(seen)
    return lambda: count


def _for_writing(values: tuple[Any, ...]) -> bool:
    flags = values[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _paths(event: str, values: tuple[Any, ...]) -> list[str]:
    """The absolute paths that an event is about, also of SQLite's URIs; after them come folders' descriptors, -1 for none."""
    count = 2 if event in ("os.rename", "os.link", "os.symlink") else 1
    folders = {"os.rename": values[2:], "os.link": values[2:], "os.remove": values[1:], "os.rmdir": values[1:]}.get(
        event
    )
    folders = values[2:] if event == "os.mkdir" else folders
    found = []
    for k, value in enumerate(values[:count]):
        if isinstance(value, (str, bytes, os.PathLike)):
            base = folders[k] if folders and k < len(folders) and isinstance(folders[k], int) else -1
            inside = os.readlink(f"/proc/self/fd/{base}") if base >= 0 else ""
            named = unquote(urlsplit(text).path) if (text := os.fsdecode(value)).startswith("file:/") else text
            found.append(os.path.abspath(os.path.join(inside, named)))
    return found
