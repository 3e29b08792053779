"""How fast COCO is written, and in how much memory, beside pycocotools' own loop and the exporter of `supervision`.

Every side runs in a process of its own, on the same masks. Ours starts from an annotation's cropped bitmap, theirs from a
bitmap of the whole image, as each program holds them; making either is not timed. Ours is also run with a tenth of the
masks: the difference says whether memory grows with their number.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from samtta_app.bench import format_peers
from samtta_app.bench.format_peers import MASKS_PER_IMAGE, PEER_MASKS, POOL, mask_pool, measured_writer
from samtta_app.core.masks import bounding_box, trimmed
from samtta_app.core.project import Project, ProjectClass, ProjectImage
from samtta_app.core.types import Annotation, Window
from samtta_app.errors import UserError
from samtta_app.formats.coco import COCO

_OWN = "samtta"
_OWN_SCRIPT = (
    "import sys, json, pathlib; from samtta_app.bench.format_speed import by_samtta;"
    "sys.stdout.write(json.dumps(by_samtta(int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3]))))"
)


@dataclass(frozen=True, slots=True)
class FormatFigure:
    """What one program needed: seconds of the clock and of the processor, masks per second of the latter, megabytes.

    Megabytes are those beyond its start, nan where they cannot be known.

    `ratio` is samtta's speed over this program's.
    """

    program: str
    masks: int
    seconds: float
    processor_seconds: float
    masks_per_second: float
    megabytes: float
    ratio: float = math.nan


def bench_project(masks: int, side: int, folder: Path) -> Project:
    """A project of so many objects, whose annotations are made of a pool when they are asked for."""
    pool = [trimmed(bits) for bits in mask_pool(side)]
    window = Window(0, 0, side, side)
    made = [
        Annotation(0, "", 1, mask, bounding_box(mask), (), window, 0, math.nan, math.nan, 0.0, "", source="bench")
        for mask in pool
    ]
    counts = [min(MASKS_PER_IMAGE, masks - first) for first in range(0, masks, MASKS_PER_IMAGE)]
    images = tuple(ProjectImage(f"{k}.png", side, side, k + 1, count) for k, count in enumerate(counts))
    firsts = {image.name: k * MASKS_PER_IMAGE for k, image in enumerate(images)}
    numbers = {image.name: image.objects for image in images}

    def of_image(name: str) -> tuple[Annotation, ...]:
        first = firsts[name]
        return tuple(replace(made[k % POOL], id=k + 1, image_name=name) for k in range(first, first + numbers[name]))

    return Project(folder, images, (ProjectClass(1, "object"),), of_image)


def by_samtta(masks: int, side: int, folder: Path) -> dict[str, Any]:
    """Our own writer, measured as the peers are."""
    project = bench_project(masks, side, folder)

    def write() -> None:
        COCO.write(project, folder / "out")

    return measured_writer(write, masks)


def measure_formats(
    masks: int, side: int, peers: dict[str, Path], told: Callable[[str], None] = lambda _: None
) -> tuple[FormatFigure, ...]:
    """Run every side one after the other.

    Args:
        masks: that each writes, up to what a peer can hold (`format_peers.PEER_MASKS`).
        side: of the images, in pixels.
        peers: the interpreter that runs each peer of `format_peers.PEERS`.
        told: hears which side runs.

    Raises:
        UserError: a side failed.
    """
    figures = []
    for number in (max(1, masks // 10), masks):
        told(f"{_OWN}, {number} masks")
        figures.append(_figure(_OWN, number, [sys.executable, "-c", _OWN_SCRIPT, str(number), str(side)]))
    for name, python in peers.items():
        number = min(masks, PEER_MASKS.get(name, masks))
        told(f"{name}, {number} masks")
        figures.append(_figure(name, number, [str(python), str(format_peers.__file__), name, str(number), str(side)]))
    ours = figures[1].masks_per_second
    return tuple(replace(each, ratio=ours / each.masks_per_second) for each in figures)


def _figure(program: str, masks: int, command: list[str]) -> FormatFigure:
    with TemporaryDirectory() as folder:
        place = folder if program == _OWN else f"{folder}/out.json"
        done = subprocess.run([*command, place], capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"{program} ended with {done.returncode}: {last}")
    found = json.loads(done.stdout.splitlines()[-1])
    figures = ("seconds", "processor_seconds", "masks_per_second", "megabytes")
    return FormatFigure(program, masks, *(float(found[key]) for key in figures))
