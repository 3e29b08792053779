"""Hundreds of objects in one session: `python -m tests.stress.soak --objects 400`.

What grows is read at 50, 100, 200, 400 ... objects: memory, threads, open files, SQLite's journal, the time of an accept
(from the first click to the end of all that follows from the accept). With `--window` the real window is worked, offscreen.

Exit code 1: memory grows by more than allowed for each object, threads or open files become more, the journal is not bounded,
or an object that was accepted is not stored.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from samtta_app.session.project.store import Store
from tests.stress.children import Kill, Tell, resident, run_child
from tests.stress.figures import Broken, show
from tests.stress.sittings import TOY, Headless, Windowed, digest, places
from tests.unit.session.real import pictures_in

KB, MB = 1_000, 1_000_000
IMAGES = 4
FIRST_READING = 50
"""Objects after which caches and the replay memory have had their first filling."""

MOST = 6 * 3600.0
"""Seconds after which a session is given up."""

TIMED = 10
"""Accepts whose median is shown."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may grow: KB of memory for each object after the second reading, MB of SQLite's journal, open files."""

    memory: int
    journal: int = 20
    files: int = 3


def readings(objects: int) -> list[int]:
    """50, 100, 200, ... and `objects` itself; fewer than 100 objects are read at half and at the end."""
    found, at = [], min(FIRST_READING, objects // 2)
    while at < objects:
        found.append(at)
        at *= 2
    return [*found, objects]


def sit(folder: Path, asked: argparse.Namespace, tell: Tell) -> None:
    """Accept so many objects on a few images, in one session, and tell what is read on the way."""
    objects: int = asked.objects
    sitting = Windowed(folder) if asked.window else Headless(folder, model=asked.model, twin=asked.replay)
    seconds: list[float] = []
    kept: dict[int, str] = {}
    at = set(readings(objects))
    for number, place in enumerate(islice(places(), objects), start=1):
        if number % max(objects // IMAGES, 1) == 0 and number < objects:
            sitting.next_image()
        started = time.perf_counter()
        stored = sitting.accepts(*place)
        seconds.append(time.perf_counter() - started)
        kept[stored.id] = digest(stored)
        if number in at:
            sitting.settles()
            tell(_reading(folder, number, seconds))
    sitting.close()
    with Store.open(folder) as store:
        found = {a.id: digest(a) for a in store.annotations()}
    tell({"lost": sum(found.get(number) != value for number, value in kept.items())})


def _reading(folder: Path, number: int, seconds: list[float]) -> dict[str, float]:
    journal = folder / ".samtta" / "project.db-wal"
    return {
        "objects": number,
        "memory": resident(),
        "threads": len(os.listdir("/proc/self/task")),
        "Python's": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),
        "journal": journal.stat().st_size if journal.exists() else 0,
        "seconds": statistics.median(seconds[-TIMED:]),
    }


def broken_bounds(told: list[dict[str, float]], lost: int, bounds: Bounds) -> list[Broken]:
    """What grew more than it may, from the second reading on."""
    broken = [f"{lost} accepted objects are not stored"] if lost else []
    start, end = told[1 if len(told) > 2 else 0], told[-1]
    growth = (end["memory"] - start["memory"]) / (end["objects"] - start["objects"]) / KB
    if growth > bounds.memory:
        broken.append(f"memory grows by {growth:.0f} KB for each object, {bounds.memory} are allowed")
    for name, more in (("threads", 0), ("files", bounds.files)):
        if end[name] > start[name] + more:
            broken.append(f"{name}: {start[name]:.0f} at {start['objects']:.0f} objects, {end[name]:.0f} at the end")
    if end["journal"] > bounds.journal * MB:
        broken.append(f"the journal has {end['journal'] / MB:.0f} MB")
    return [Broken("session", what, "") for what in broken]


def main(words: list[str] | None = None) -> int:
    """Sit, read, print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.stress.soak", description=__doc__)
    parser.add_argument("--objects", type=int, default=400)
    parser.add_argument("--model", default=TOY, help='"toy", or a shipped model at 256 pixels')
    parser.add_argument("--window", action="store_true", help="work in the real window, offscreen (toy model)")
    parser.add_argument(
        "--replay", action=argparse.BooleanOptionalAction, default=True, help="as the statistics need it"
    )
    parser.add_argument("--growth", type=int, default=300, help="KB that each object may take")
    parser.add_argument("--report", type=Path, help="a JSON file for the broken promises")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="samtta-soak-") as base:
        folder = pictures_in(Path(base, "images"), *(f"{k}.png" for k in range(IMAGES)))
        os.environ["SAMTTA_HOME"] = str(Path(base, "home"))
        ending = run_child(lambda tell: sit(folder, asked, tell), kill=Kill(MOST))
    told = [value for value in ending.told if "objects" in value]
    if ending.error or ending.signal or "lost" not in ending.told[-1]:
        sys.stderr.write(f"{ending.error or ending}\n")
        return 1
    broken = broken_bounds(told, ending.told[-1]["lost"], Bounds(asked.growth))
    return show(f"{asked.objects} objects in one session", _rows(told), broken, asked.report)


def _rows(told: list[dict[str, float]]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for before, now in zip([told[0], *told], told, strict=False):
        more = now["objects"] - before["objects"]
        rows.append(
            {
                "objects": int(now["objects"]),
                "memory MB": f"{now['memory'] / MB:.0f}",
                "KB per object": f"{(now['memory'] - before['memory']) / more / KB:.0f}" if more else "",
                "threads": int(now["threads"]),
                "open files": int(now["files"]),
                "journal MB": f"{now['journal'] / MB:.1f}",
                f"s per accept (median of {TIMED})": now["seconds"],
            }
        )
    return rows


if __name__ == "__main__":
    sys.exit(main())
