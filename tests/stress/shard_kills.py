"""Runs in shards that are killed again and again: `python -m tests.stress.shard_kills --count 20 --seed 1 [--ray]`.

Each round finds masks in a folder of small pictures, in shards of one image, by two processes. At a drawn moment it kills
the whole run, or one of its processes; sometimes it damages a file of what is there. The same command follows until it
ends. With --ray, two machines of a Ray cluster on this one do the work. At drawn moments, one dies and another joins.

Exit code 1: an image is lost or done twice, the results differ in a byte from those of one process, a temporary file stays,
or a run ends with a message that is not one of those expected.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import PIL.Image

from tests.unit.values import picture

IMAGES = 10
QUICK = ["--input-size", "128", "--device", "cpu", "--points-per-side", "4", "--pred-iou", "0.3", "--stability", "0.3"]
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}
"""Workers have one thread each; with more, the last bits of sums differ."""

LONGEST = 300.0
"""Seconds that a run may take before it counts as hanging; undisturbed it takes some twenty."""

Fault = Callable[[subprocess.Popen[bytes], Path, random.Random], str]
"""Disturbs a run, and says what it did."""


def kill_all(run: subprocess.Popen[bytes], out: Path, dice: random.Random) -> str:
    """The whole run goes; its processes follow by themselves."""
    run.kill()
    return "the run was killed"


def interrupt(run: subprocess.Popen[bytes], out: Path, dice: random.Random) -> str:
    """As a user does it."""
    run.send_signal(signal.SIGINT)
    return "Ctrl+C"


def kill_one(run: subprocess.Popen[bytes], out: Path, dice: random.Random) -> str:
    """One of its processes goes."""
    children = children_of(run.pid)
    if children:
        os.kill(dice.choice(children), signal.SIGKILL)
    return "a process was killed"


def damage(run: subprocess.Popen[bytes], out: Path, dice: random.Random) -> str:
    """The run goes, and a file of what it wrote is cut off or removed."""
    run.kill()
    run.wait()
    files = [path for folder in ("manifest", "shards") for path in (out / folder).glob("*.json*") if path.stem != "run"]
    if files:
        path = dice.choice(sorted(files))
        if dice.random() < 0.5:
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:-3])
    return "a file was damaged"


FAULTS: tuple[Fault, ...] = (kill_all, interrupt, kill_one, damage)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def children_of(process: int) -> list[int]:
    """The processes that another one has started, with theirs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) == process:
            child = int(path.parent.name)
            found += [child, *children_of(child)]
    return found


def files_of(folder: Path) -> dict[str, bytes]:
    """The content of all files below a folder, by name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def command(images: Path, out: Path, more: list[str]) -> list[str]:
    """The command line of a run."""
    run = [sys.executable, "-m", "samtta_app", "auto", str(images), "--out", str(out), "--shard", "1"]
    return [*run, *QUICK, *more]


def faults_found(out: Path, expected: dict[str, bytes], results: bytes) -> list[str]:
    """What is wrong with a finished run."""
    found = []
    have = files_of(out / "shards")
    if have != expected:
        names = sorted(name for name in have.keys() | expected.keys() if have.get(name) != expected.get(name))
        found.append(f"shards differ: {', '.join(names)}")
    if (out / "results.json").read_bytes() != results:
        found.append("results.json differs")
    left = [path.name for path in out.rglob(".*")]
    if left:
        found.append(f"temporary files stay: {', '.join(left)}")
    return found


def disturbed(
    images: Path, out: Path, dice: random.Random, more: list[str], fault: Fault | None = None
) -> tuple[list[str], Counter[str]]:
    """Run, disturb and run again until an undisturbed run ends; what went wrong, and what was done to it."""
    done, wrong = Counter[str](), list[str]()
    for disturbance in [*(fault or dice.choice(FAULTS) for _ in range(dice.randint(1, 3))), None]:
        with subprocess.Popen(
            command(images, out, more),
            env=ONE_THREAD,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as run:
            if disturbance is not None:
                end = time.monotonic() + dice.uniform(1.0, 25.0)
                while run.poll() is None and time.monotonic() < end:
                    time.sleep(0.05)
                if run.poll() is None:
                    done[disturbance(run, out, dice)] += 1
            try:
                _, errors = run.communicate(timeout=LONGEST)
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)
                return ["a run hangs"], done
        if run.returncode not in (0, 1, 130, -signal.SIGKILL):
            wrong.append(f"exit code {run.returncode}: {errors.decode(errors='replace')[-500:]}")
        if b"Traceback" in errors:
            wrong.append(f"a traceback: {errors.decode(errors='replace')[-500:]}")
    return wrong, done


@contextmanager
def dying_cluster(dice: random.Random, lives: float = 10.0) -> Iterator[tuple[str, Callable[[], int]]]:
    """A Ray cluster of two machines; its address, and how many machines died.

    One of them lives for `lives` to four times as many seconds, and then another joins.
    """
    from ray.cluster_utils import Cluster

    folder = tempfile.mkdtemp(prefix="sr")
    given: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={**given, "temp_dir": folder})
    ended, deaths = threading.Event(), list[float]()

    def kill_and_replace() -> None:
        machine = cluster.add_node(**given)
        while not ended.wait(dice.uniform(lives, 4 * lives)):
            cluster.remove_node(machine, allow_graceful=False)
            deaths.append(time.monotonic())
            machine = cluster.add_node(**given)

    killer = threading.Thread(target=kill_and_replace)
    killer.start()
    try:
        yield cluster.address, lambda: len(deaths)
    finally:
        ended.set()
        killer.join()
        cluster.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def rounds(count: int, seed: int, *, ray: bool) -> int:
    """Do so many rounds; the number of those that found something wrong."""
    dice, bad, did = random.Random(seed), 0, Counter[str]()
    with tempfile.TemporaryDirectory(prefix="samtta-shards-") as here:
        home = Path(here)
        images = home / "images"
        images.mkdir()
        for k in range(IMAGES):
            PIL.Image.fromarray(picture(k, discs=((40, 48, 20), (96, 40, 16))).pixels).save(images / f"im{k}.png")
        subprocess.run(command(images, home / "one", []), env=ONE_THREAD, check=True, stdout=subprocess.DEVNULL)
        expected, results = files_of(home / "one" / "shards"), (home / "one" / "results.json").read_bytes()
        with dying_cluster(dice) if ray else _this_machine() as (address, deaths):
            for number in range(count):
                out = home / f"round{number}"
                more = ["--ray", address] if ray else ["--jobs", "2"]
                wrong, done = disturbed(images, out, dice, more, interrupt if ray else None)
                did += done
                wrong += faults_found(out, expected, results) if not wrong else []
                bad += bool(wrong)
                for line in wrong:
                    say(f"round {number}: {line}")
            say(f"{count} rounds, {bad} bad, machines that died: {deaths()}")
    for what, times in sorted(did.items()):
        say(f"{what}: {times}")
    return bad


@contextmanager
def _this_machine() -> Iterator[tuple[str, Callable[[], int]]]:
    yield "", lambda: 0


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=10)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--ray", action="store_true")
    asked = options.parse_args()
    raise SystemExit(1 if rounds(asked.count, asked.seed, ray=asked.ray) else 0)
