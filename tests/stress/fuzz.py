"""Thousands of broken files, each opened as the program does: `python -m tests.stress.fuzz --count 2000 --seed 1`.

Each mutant is opened in a process of its own with a limit of memory and of time. Well is what opens, and what is refused with
a UserError.

Exit code 1: a traceback, a hang, more memory than allowed, a program started, the network asked, a file written outside the
folder, or a bad value that hides objects beside its own.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samtta_app.errors import UserError
from tests.stress import mutants
from tests.stress.children import Ending, Limits, Tell, resident, run_child, watch_starts, watch_writes
from tests.stress.figures import Broken, counting, named, numbers, show
from tests.stress.handed import KINDS, Kind, make_images

MB = 1_000_000
WELL = ("opened", "refused")
SWAPPED = 0.1
"""Share of mutants, once each way to break a file had its turn, that hold an image of another format."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What opening one small file may cost: MB of memory beyond the program's own, seconds of processor time."""

    memory: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a mutant: an outcome, its words, the peak of memory in bytes."""

    outcome: str
    words: str
    peak: int


# --- in the child ---------------------------------------------------------------------------------------------------------


def open_and_tell(kind: Kind, folder: Path, file: Path, objects: int, tell: Tell) -> None:
    """Open as the program does, and tell how that ended."""
    _settle_in(folder)
    _forbid(folder, tell)
    try:
        shown = kind.opens(folder, file)
    except UserError as error:
        short = any(isinstance(cause, MemoryError) for cause in _causes(error))
        tell({"outcome": "memory" if short else "refused", "words": str(error)})
    except SystemExit as end:
        tell({"outcome": "refused" if end.code == 2 else "opened", "words": ""})
    except MemoryError:
        tell({"outcome": "memory", "words": _last_line()})
    except BaseException:  # noqa: BLE001 - whatever it is, it is counted
        tell({"outcome": "traceback", "words": _last_line()})
    else:
        hidden = objects - (shown or 0)
        tell({"outcome": "hidden" if hidden > 0 else "opened", "words": f"{hidden} other objects are not shown"})


def _settle_in(folder: Path) -> None:
    """The person's own folders are inside."""
    warnings.simplefilter("ignore")
    os.environ["SAMTTA_HOME"] = str(folder / "home")
    os.environ |= {name: str(folder / "tmp") for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "MPLCONFIGDIR")}
    (folder / "tmp").mkdir(exist_ok=True)
    tempfile.tempdir = None


def _forbid(folder: Path, tell: Tell) -> None:
    """End this process before it starts a program, goes to the network or writes outside `folder`."""

    def reached(event: str, what: str) -> None:
        tell({"outcome": "reached", "words": f"{event} {what}"})
        os._exit(0)

    def written(event: str, path: str) -> None:
        if not path.startswith((str(folder), "/dev/")) and path != "/:memory:" and ":memory:" not in path:
            reached(event, path)

    watch_starts(reached)
    watch_writes(written)


def _causes(error: BaseException | None) -> list[BaseException]:
    found = []
    while error is not None:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _last_line() -> str:
    kind, error, trace = sys.exc_info()
    inside = [f for f in traceback.extract_tb(trace) if "samtta_app" in f.filename] or traceback.extract_tb(trace)
    where = f"{Path(inside[-1].filename).name}:{inside[-1].lineno}" if inside else ""
    return f"{kind.__name__ if kind else ''} at {where}: {str(error)[:100]!r}"


# --- in the parent --------------------------------------------------------------------------------------------------------


def mutant(kind: Kind, good: Path, folder: Path, rng: np.random.Generator, turn: int) -> tuple[Path, str, int]:
    """Copy the good files and break one; returns it, how it was broken, and how many objects must be shown."""
    shutil.copytree(good, folder)
    files = sorted(path for path in folder.glob(kind.files) if path.is_file())
    file = files[int(rng.integers(len(files)))]
    if kind.edit is not None:
        return file, kind.edit.__name__, kind.edit(rng, file)
    change = kind.mutators[turn % len(kind.mutators)]
    if turn >= len(kind.mutators) and rng.random() < SWAPPED:
        others = sorted(path for path in (good.parent / make_images.__name__).iterdir() if path.suffix != file.suffix)
        other = others[int(rng.integers(len(others)))]
        file.write_bytes(other.read_bytes())
        return file, f"{other.name} as", 0
    if change is mutants.not_a_file:
        mutants.not_a_file(rng, file)
    else:
        file.write_bytes(change(rng, file.read_bytes()))  # type: ignore[arg-type]
    return file, change.__name__, 0


def judged(ending: Ending, before: int, allowed: Allowed) -> Found:
    """What a child's end says of the mutant."""
    peak = max(ending.peak - before, 0)
    told = next((value for value in ending.told if "outcome" in value), None)
    if ending.hung:
        return Found("hang", f"not done in {allowed.seconds} s of processor time, or in {6 * allowed.seconds} s", peak)
    if told is None:
        return Found("crash", ending.error.splitlines()[-1] if ending.error else f"signal {ending.signal}", peak)
    if told["outcome"] in WELL and peak > allowed.memory * MB:
        return Found("memory", f"{peak / MB:.0f} MB", peak)
    return Found(told["outcome"], told["words"], peak)


def try_one(
    kind: Kind, good: Path, folder: Path, rng: np.random.Generator, turn: int, allowed: Allowed
) -> tuple[Found, str]:
    """Make a mutant and open it; returns what was found and how the mutant was made."""
    file, how, objects = mutant(kind, good, folder, rng, turn)
    return opened(kind, folder, file, objects, allowed), f"{how} {file.name}"


def opened(kind: Kind, folder: Path, file: Path, objects: int, allowed: Allowed) -> Found:
    """Open a folder in a child; what became of it."""
    limits = Limits(4 * allowed.memory * MB, allowed.seconds, 6.0 * allowed.seconds)

    def work(tell: Tell) -> None:
        open_and_tell(kind, folder, file, objects, tell)

    return judged(run_child(work, limits=limits), resident(), allowed)


def make_good(kind: Kind, folder: Path, allowed: Allowed) -> None:
    """Write the good files, in a child, where they are not there yet, and see that they open.

    Raises:
        RuntimeError: they could not be made, or do not open.
    """

    def work(tell: Tell) -> None:
        folder.mkdir(parents=True)
        _settle_in(folder)
        kind.make(folder)
        shutil.rmtree(folder / "tmp")

    ending = run_child(work) if not folder.exists() else None
    if ending is not None and (ending.error or ending.signal):
        raise RuntimeError(f"no good files: {ending.error or ending}")
    for file in sorted(folder.glob(kind.files)) if kind.good else ():
        trial = folder.with_name("trial")
        shutil.copytree(folder, trial)
        found = opened(kind, trial, trial / file.relative_to(folder), 0, allowed)
        shutil.rmtree(trial)
        if found.outcome != "opened":
            raise RuntimeError(f"{file.name} is good and does not open: {found}")


def main(words: list[str] | None = None) -> int:
    """Break, open, print; returns the exit code."""
    parser = counting(__doc__, "fuzz", list(KINDS), 2000)
    parser.add_argument("--memory", type=int, default=1000, help="MB that opening one of these small files may take")
    parser.add_argument("--seconds", type=int, default=10, help="processor time that it may take")
    asked = parser.parse_args(words)
    names, allowed = asked.kind or list(KINDS), Allowed(asked.memory, asked.seconds)
    results: dict[str, list[Found]] = {name: [] for name in names}
    broken: dict[tuple[str, str], Broken] = {}
    with tempfile.TemporaryDirectory(prefix="samtta-fuzz-") as base:
        _fake_programs(Path(base, "programs"))
        goods = {name: Path(base, "good", KINDS[name].make.__name__) for name in ("image", *names)}
        for name, good in goods.items():
            make_good(KINDS[name], good, allowed)
        for number in numbers(asked):
            name, folder = names[number % len(names)], Path(base, f"mutant {number}")
            rng = np.random.default_rng((asked.seed, number))
            found, how = try_one(KINDS[name], goods[name], folder, rng, number // len(names), allowed)
            shutil.rmtree(folder)
            results[name].append(found)
            if found.outcome not in WELL:
                again = f"({how}) --seed {asked.seed} --only {number}" + named(asked.kind)
                what = f"{found.outcome}: {found.words}"
                broken.setdefault((name, what.split(": '")[0]), Broken(name, what, again))
    rows = [_row(name, found) for name, found in results.items()]
    return show(f"Mutants, seed {asked.seed}", rows, list(broken.values()), asked.report)


def _fake_programs(folder: Path) -> None:
    """A `gs` that does nothing, so that whoever looks for an interpreter finds one."""
    folder.mkdir()
    (folder / "gs").write_text("#!/bin/sh\n")
    (folder / "gs").chmod(0o755)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


def _row(name: str, found: list[Found]) -> dict[str, object]:
    outcomes = Counter(one.outcome for one in found)
    columns = {"opened": "opened", "refused": "refused", "traceback": "tracebacks", "crash": "crashes", "hang": "hangs"}
    columns |= {"memory": "memory", "reached": "reached out", "hidden": "objects hidden"}
    counts = {column: outcomes[outcome] for outcome, column in columns.items()}
    return {"kind": name, "mutants": len(found), **counts, "peak MB": max((one.peak for one in found), default=0) // MB}


if __name__ == "__main__":
    sys.exit(main())
