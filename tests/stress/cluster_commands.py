"""Every command with --ray beside one process: `python -m tests.stress.cluster_commands [--images N]`.

A Ray cluster of two machines on this one does what one process of one thread does: `auto` as COCO and as index PNGs,
`encode`, `export` in two formats, and `bench`. A last run is interrupted by Ctrl+C, and given again.

Exit code 1: a file differs in a byte, a command fails, or an interrupted one does not go on.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image

from samtta_app.session.project.store import Store
from tests.stress.shard_kills import ONE_THREAD, QUICK, dying_cluster, files_of, say
from tests.unit.session.scripted import accepted
from tests.unit.values import disc, picture

LONGEST = 600.0
"""Seconds that a command may take before it counts as hanging."""

DIFFERS_BY_NATURE = ("manifest/", "report", "settings.json")
"""Files of a run that hold times, machines or how it was called."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command line without its place of results; `one` are options of one process, `many` those of the cluster."""

    name: str
    words: tuple[str, ...]
    one: tuple[str, ...] = ()
    compared: str = ""


def made_images(folder: Path, count: int) -> Path:
    """Small pictures with discs, and a project with an object on each."""
    folder.mkdir()
    for k in range(count):
        PIL.Image.fromarray(picture(k, discs=((40, 48, 20), (96, 40, 16))).pixels).save(folder / f"im{k}.png")
    with Store.open(folder) as store:
        for k in range(count):
            store.accept(accepted(f"im{k}.png", disc(40 + k % 9, 48, 18)), 128, 96)
    return folder


def made_set(folder: Path, images: Path) -> Path:
    """The same pictures as a data set with masks, for the bench."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for path in sorted(images.glob("*.png"))[:2]:
        (folder / "images" / path.name).write_bytes(path.read_bytes())
        index = np.zeros((96, 128), np.uint8)
        mask = disc(40, 48, 20)
        height, width = mask.bits.shape
        index[mask.y : mask.y + height, mask.x : mask.x + width][mask.bits] = 1
        PIL.Image.fromarray(index).save(folder / "masks" / path.name)
    return folder


def commands(images: Path, data: Path) -> tuple[Command, ...]:
    """What is compared."""
    place, shard = str(images), ("--shard", "2")
    bench = ("bench", "run", str(data), "--objects", "2", "--goal", "2@85", "--split", "all")
    return (
        Command("auto", ("auto", place, *QUICK), shard),
        Command("auto-png", ("auto", place, *QUICK, "--format", "png"), shard),
        Command("encode", ("encode", place, *QUICK[:4]), shard),
        Command("export", ("export", place, "--format", "coco"), shard),
        Command("export-dataset", ("export", place, "--format", "dataset"), shard),
        Command("bench", bench, compared="frozen"),
    )


def finished(words: Sequence[str], out: Path) -> str:
    """Run a command to its end; "" or what went wrong."""
    done = subprocess.run(
        [sys.executable, "-m", "samtta_app", *words, "--out", str(out)],
        env=ONE_THREAD,
        capture_output=True,
        timeout=LONGEST,
        check=False,
    )
    return "" if done.returncode == 0 else f"exit code {done.returncode}: {done.stderr.decode(errors='replace')[-400:]}"


def compared(out: Path, which: str) -> Mapping[str, bytes]:
    """The files that must be equal: all but those that differ by nature; of a bench, the records of one strategy."""
    found = files_of(out)
    if which:
        return {name: data for name, data in found.items() if which in name and name.endswith(".jsonl")}
    return {name: data for name, data in found.items() if not name.startswith(DIFFERS_BY_NATURE)}


def unlike(command: Command, home: Path, address: str) -> str:
    """Run a command here and in the cluster; "" or how the results differ."""
    one, many = home / f"{command.name}-one", home / f"{command.name}-many"
    for words, out in (((*command.words, *command.one), one), ((*command.words, *command.one, "--ray", address), many)):
        fault = finished(words, out)
        if fault:
            return fault
    here, there = compared(one, command.compared), compared(many, command.compared)
    if command.compared:
        # a row of the bench holds the seconds of each click
        return "" if here.keys() == there.keys() and here else f"other records: {sorted(here)} and {sorted(there)}"
    names = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
    return f"files differ: {', '.join(names[:5])}" if names or not here else ""


def interrupted(images: Path, out: Path, address: str) -> str:
    """Ctrl+C in the middle, then the same command; "" or what went wrong."""
    words = ("auto", str(images), *QUICK, "--shard", "1", "--ray", address)
    with subprocess.Popen(
        [sys.executable, "-m", "samtta_app", *words, "--out", str(out)], env=ONE_THREAD, stderr=subprocess.PIPE
    ) as run:
        end = time.monotonic() + LONGEST
        while run.poll() is None and not list(out.glob("shards/*")) and time.monotonic() < end:
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=LONGEST)
    if run.returncode != 130 or b"the same command continues" not in errors:
        return f"exit code {run.returncode}: {errors.decode(errors='replace')[-400:]}"
    kept = {path.name: os.stat(path).st_mtime_ns for path in out.glob("shards/*")}
    fault = finished(words, out)
    now = {path.name: os.stat(path).st_mtime_ns for path in out.glob("shards/*")}
    again = [name for name, written in kept.items() if now.get(name) != written]
    return fault or (f"done twice: {', '.join(again)}" if again else "")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--images", type=int, default=6)
    options.add_argument("--only", default="", help="Name of one command.")
    asked = options.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="samtta-cluster-") as here:
        home = Path(here)
        pictures = made_images(home / "images", asked.images)
        data = made_set(home / "set", pictures)
        with dying_cluster(random.Random(0), lives=10_000.0) as (address, _):
            for command in commands(pictures, data):
                if asked.only in ("", command.name):
                    fault = unlike(command, home, address)
                    bad += bool(fault)
                    say(f"{command.name}: {fault or 'the same'}")
            if asked.only in ("", "interrupted"):
                fault = interrupted(pictures, home / "interrupted", address)
                bad += bool(fault)
                say(f"interrupted: {fault or 'goes on'}")
    raise SystemExit(1 if bad else 0)
