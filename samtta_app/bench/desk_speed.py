"""How quick the window is: first paint, a folder of 100,000 images, panning, the brush, and memory, beside labelme.

Every part runs in a process of its own, labelme's in its own environment. The window's code is not imported here; a
child process runs it.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from samtta_app.bench import desk_peers
from samtta_app.datasets.samples.desk_images import write_small_images
from samtta_app.errors import UserError

DESK_PARTS = ("start", "many", "pan", "brush", "memory")
"""What is measured, in this order."""

STARTS = 3
"""Starts that are measured; the median counts, since the first one fills the system's caches."""

DESK_GOALS: dict[str, tuple[float, str]] = {
    "first_paint_seconds": (1.0, "of labelme's"),
    "open_seconds": (0.1, "of labelme's"),
    "pan_p50_ms": (1000 / 60, "ms"),
    "pan_most_ms": (50.0, "ms"),
    "brush_p50_ms": (16.0, "ms"),
    "memory_growth": (0.05, "of the memory at 100 objects"),
}
"""The most that each figure may be, as a ratio to labelme's or by itself."""


@dataclass(frozen=True, slots=True)
class DeskFigure:
    """One figure: samtta's value, labelme's where it was measured, and the goal; nan where there is none.

    `ratio` is samtta's value over labelme's.
    """

    name: str
    value: float
    labelme: float = math.nan
    goal: float = math.nan

    @property
    def ratio(self) -> float:
        """Samtta's value over labelme's; nan where that is not known."""
        return self.value / self.labelme if self.labelme else math.nan

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None where there is none, or where it needs labelme."""
        beside = self.name in DESK_GOALS and "labelme" in DESK_GOALS[self.name][1]
        measured = self.ratio if beside else self.value
        return None if math.isnan(self.goal) or math.isnan(measured) else measured <= self.goal


def measure_desk(
    *,
    images: int,
    masks: int,
    side: int,
    labelme: Path | None,
    parts: Sequence[str] = DESK_PARTS,
    told: Callable[[str], None] = lambda _: None,
) -> tuple[DeskFigure, ...]:
    """Run the parts one after the other.

    Args:
        images: in the folder that is opened.
        masks: on the image that is panned.
        side: of that image, in pixels.
        labelme: the interpreter that has labelme; None leaves it out.
        parts: which parts are run.
        told: hears which part runs.

    Raises:
        UserError: a part failed.
    """
    arguments = {"many": [images], "pan": [masks, side]}
    ours: dict[str, float] = {}
    theirs: dict[str, float] = {}
    for part in parts:
        told(f"samtta, {part}")
        ours |= (
            _started(_own_command(part)) if part == "start" else _ran([*_own_command(part), *arguments.get(part, [])])
        )
        if labelme is not None and part in ("start", "many"):
            told(f"labelme, {part}")
            theirs |= _of_labelme(labelme, part, images)
    return tuple(
        DeskFigure(name, value, theirs.get(name, math.nan), DESK_GOALS.get(name, (math.nan, ""))[0])
        for name, value in ours.items()
    )


def _own_command(part: str) -> list[object]:
    return [sys.executable, "-m", "samtta_app.gui.desk_parts", part]


def _of_labelme(python: Path, part: str, images: int) -> dict[str, float]:
    command: list[object] = [python, desk_peers.__file__, part]
    if part == "start":
        return _started(command)
    with TemporaryDirectory() as folder:
        write_small_images(Path(folder), images)
        return _ran([*command, folder])


def _started(command: Sequence[object]) -> dict[str, float]:
    """The median of some starts; the process is told when it was begun."""
    runs = [_ran([*command, repr(time.time())]) for _ in range(STARTS)]
    return sorted(runs, key=lambda run: run["first_paint_seconds"])[STARTS // 2]


def _ran(command: Sequence[object]) -> dict[str, float]:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"A part of the bench ended with {done.returncode}: {last}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
