"""The program killed with SIGKILL again and again: `python -m tests.stress.kill --count 100 --seed 1`.

Each round copies a prepared folder, lets the real program work in it, kills it either at a drawn moment or right before a
drawn change of a file, opens the folder again and looks: is every acknowledged object there, to the pixel?

Exit code 1: an object was lost or changed, a row is half there, the database is damaged, the project does not open, a
temporary file stays after the next opening, an image was changed, or an export is neither the old nor the new one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from samtta_app.formats import FORMATS
from samtta_app.session.project import migrations, schema
from samtta_app.session.project.store import Store
from tests.stress.children import Ending, Kill, Tell, die_at_write, run_child
from tests.stress.figures import Broken, counting, named, numbers, show
from tests.stress.sittings import Headless, Windowed, digest, places
from tests.unit.session.real import pictures_in
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, folder_of
from tests.unit.values import disc

ACCEPTS = 5
"""Objects that a round accepts at most; the kill falls into this time."""

EXPORTED = 12
"""Images of the project that is exported."""

Kept = dict[int, str]
"""Id and digest of stored objects."""


@dataclass(frozen=True, slots=True)
class Phase:
    """What the program is doing when it is killed: `prepare` makes the folder, `work` is done in a copy of it."""

    prepare: Callable[[Path], None]
    work: Callable[[Tell, Path], None]


@dataclass(slots=True)
class Round:
    """One kill and what was found after it."""

    killed: bool = False
    acknowledged: int = 0
    broken: list[str] = field(default_factory=list)


# --- folders and work -----------------------------------------------------------------------------------------------------


def new_folder(folder: Path) -> None:
    """Images and no project."""
    pictures_in(folder, "a.png", "b.png")


def worked_in(folder: Path) -> None:
    """A project with three learned objects."""
    new_folder(folder)
    sitting = Headless(folder)
    for place in islice(places(), 3):
        sitting.accepts(*place)
    sitting.close()


def oldest_layout(folder: Path) -> None:
    """A project as the first version of the layout had it: eight objects with one click each."""
    new_folder(folder)
    home = folder / ".samtta"
    home.mkdir()
    with Store.open(folder, folder / "newer") as store:
        for k in range(8):
            store.accept(accepted("a.png", disc(20 + 10 * k, 50, 8, HEIGHT, WIDTH)), WIDTH, HEIGHT)
    with closing(sqlite3.connect(home / "project.db", isolation_level=None)) as db:
        schema.migrate(db, migrations.MIGRATIONS[:1])
        db.execute("ATTACH ? AS newer", (str(folder / "newer" / "project.db"),))
        for table in ("images", "annotations", "steps"):
            columns = ", ".join(row[1] for row in db.execute(f"PRAGMA main.table_info({table})"))
            db.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}")
    shutil.rmtree(folder / "newer")


def exported_before(folder: Path) -> None:
    """A project that was exported, and then changed on every image; one image has no object any more."""
    names = [f"{k}.png" for k in range(EXPORTED)]
    folder_of(folder, *names)
    with Store.open(folder) as store:
        saved = [store.accept(accepted(name, disc(40, 50, 9, HEIGHT, WIDTH)), WIDTH, HEIGHT) for name in names]
        _export(store, folder / "out")
        for name in names[1:]:
            store.accept(accepted(name, disc(90, 50, 14, HEIGHT, WIDTH)), WIDTH, HEIGHT)
        store.set_deleted(saved[0].id, True)


def accept_objects(tell: Tell, folder: Path) -> None:
    """Open the folder without a window and accept."""

    class Acknowledging(Headless):
        def acknowledge(self, stored):  # type: ignore[no-untyped-def]
            tell({"id": stored.id, "digest": digest(stored)})

    sitting = Acknowledging(folder)
    for place in islice(places(), ACCEPTS):
        sitting.accepts(*place)
    sitting.close()


def accept_in_window(tell: Tell, folder: Path) -> None:
    """Open the folder in the window and accept with mouse and keys."""
    sitting = Windowed(folder)
    for place in islice(places(), ACCEPTS):
        stored = sitting.accepts(*place)
        tell({"id": stored.id, "digest": digest(stored)})
    sitting.close()


def export_again(tell: Tell, folder: Path) -> None:
    """Export in the place of the older export."""
    with Store.open(folder) as store:
        _export(store, folder / "out")


PHASES: Mapping[str, Phase] = {
    "first opening": Phase(new_folder, accept_objects),
    "accept, learn": Phase(worked_in, accept_objects),
    "old layout": Phase(oldest_layout, accept_objects),
    "window": Phase(worked_in, accept_in_window),
    "export": Phase(exported_before, export_again),
}


def _export(store: Store, out: Path) -> None:
    for name, form in FORMATS.items():
        form.write(store.project(), out / name)


# --- looking --------------------------------------------------------------------------------------------------------------


def opened_again(tell: Tell, folder: Path) -> None:
    """Open the folder as the program does, leave it, then look at the database with SQLite alone."""
    sitting = Headless(folder)
    kept = {a.id: digest(a) for a in sitting.driver.store.annotations()}
    sitting.close()
    broken = []
    with closing(sqlite3.connect(folder / ".samtta" / "project.db")) as db:
        check = db.execute("PRAGMA integrity_check").fetchone()[0]
        if check != "ok":
            broken.append(f"damaged: {check}")
        half = """
            SELECT a.id FROM annotations a LEFT JOIN steps s ON s.annotation_id = a.id GROUP BY a.id
            HAVING count(s.position) = 0 OR max(s.position) != count(s.position)
        """
        rows = len(db.execute(half).fetchall()) + len(db.execute("PRAGMA foreign_key_check").fetchall())
        if rows:
            broken.append(f"half rows: {rows}")
    tell({"kept": sorted(kept.items()), "broken": broken, "stray": stray(folder)})


def stray(folder: Path) -> list[str]:
    """Temporary files below a project folder: hidden ones, and what SQLite and atomic writing leave half way."""
    found = [path for path in (folder / ".samtta").rglob("*") if path.is_file()]
    ends = (".tmp", ".part", "-journal", "-wal", "-shm")
    return sorted(p.name for p in found if p.name.startswith(".") or p.name.endswith(ends))


def content(folder: Path) -> dict[str, str]:
    """Every file that a person sees below a folder, with a digest."""
    files = [p for p in folder.rglob("*") if p.is_file()]
    seen = [p for p in files if not any(part.startswith(".") for part in p.relative_to(folder).parts)]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(seen)}


def look_at_exports(folder: Path, before: Path) -> list[str]:
    """Each export is the old one or the new one; one more export is the new one and leaves nothing else."""

    def fresh(tell: Tell) -> None:
        with Store.open(folder) as store:
            _export(store, folder / "fresh")

    broken = [ending.error] if (ending := run_child(fresh)).error else []
    for name in FORMATS:
        now, old, new = (content(f / name) for f in (folder / "out", before / "out", folder / "fresh"))
        if now not in (old, new):
            broken.append(f"the {name} export is neither the old nor the new one ({_difference(now, old, new)})")
    run_child(partial(export_again, folder=folder))
    if content(folder / "out") != content(folder / "fresh"):
        odd = sorted(content(folder / "out").items() ^ content(folder / "fresh").items())
        broken.append(f"after one more export it differs from a fresh one: {odd[0][0]}")
    left = [p.name for p in (folder / "out").rglob(".*")]
    if left:
        broken.append(f"after one more export {len(left)} hidden files or folders stay: {left[0]}")
    return broken


def _difference(now: dict[str, str], old: dict[str, str], new: dict[str, str]) -> str:
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    fresh = sum(now.get(name) == new.get(name) for name in changed)
    return f"{fresh} of {len(changed)} changed files are new"


# --- rounds ---------------------------------------------------------------------------------------------------------------


def work_in(phase: Phase, folder: Path, step: int, tell: Tell) -> None:
    """Work; die right before the `step`-th change of a file (0: live on), and tell in the end how many there were."""
    changes = die_at_write(folder, step)
    phase.work(tell, folder)
    tell({"changes": changes()})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A phase with its folder, the objects in it, when its work tells something and ends, and its changes of files."""

    phase: Phase
    folder: Path
    kept: Kept
    moments: tuple[float, ...]
    changes: int


def prepared(phase: Phase, base: Path) -> Prepared:
    """Make the phase's folder, and let its work be done once to the end in a copy."""
    folder, trial = base / "prepared", base / "trial"
    _orderly(run_child(lambda tell: phase.prepare(folder)))
    shutil.copytree(folder, trial)
    whole = _orderly(run_child(partial(_with_tell, phase, trial, 0)))
    kept: Kept = {}
    if (folder / ".samtta").exists():
        shutil.copytree(folder, base / "looked at")
        ending = _orderly(run_child(partial(opened_again, folder=base / "looked at")))
        kept = dict(ending.told[-1]["kept"])
    return Prepared(phase, folder, kept, whole.moments, whole.told[-1]["changes"])


def _with_tell(phase: Phase, folder: Path, step: int, tell: Tell) -> None:
    work_in(phase, folder, step, tell)


def _orderly(ending: Ending) -> Ending:
    if ending.error or ending.signal or ending.hung:
        raise RuntimeError(f"the preparation failed: {ending}")
    return ending


def one_round(ready: Prepared, folder: Path, rng: np.random.Generator) -> Round:
    """Kill once, at a drawn moment or a drawn change of a file, and look."""
    shutil.copytree(ready.folder, folder)
    step = int(rng.integers(1, ready.changes + 1)) if rng.random() < 0.5 else 0
    lines = int(rng.integers(len(ready.moments) - 1))
    span = ready.moments[lines] - (ready.moments[lines - 1] if lines else 0)
    kill = None if step else Kill(float(rng.uniform(0, span)), lines)
    ending = run_child(partial(_with_tell, ready.phase, folder, step), kill=kill)
    told = [value for value in ending.told if "id" in value]
    done = Round(killed=ending.signal != 0, acknowledged=len(told))
    if ending.error:
        done.broken.append(ending.error.splitlines()[-1])
    again = run_child(partial(opened_again, folder=folder))
    if again.error or not again.told:
        done.broken.append(f"does not open: {again.error.splitlines()[-1] if again.error else again}")
        return done
    found = again.told[-1]
    kept = dict(found["kept"])
    wanted = ready.kept | {value["id"]: value["digest"] for value in told}
    lost = [number for number, value in wanted.items() if kept.get(number) != value]
    done.broken += [f"lost: {len(lost)} of {len(wanted)} objects"] if lost else []
    done.broken += found["broken"]
    done.broken += [f"stray after opening: {name}" for name in found["stray"][:1]]
    if content(ready.folder).items() - content(folder).items() and ready.phase is not PHASES["export"]:
        done.broken.append("an image was changed")
    if ready.phase is PHASES["export"]:
        done.broken += look_at_exports(folder, ready.folder)
    return done


def main(words: list[str] | None = None) -> int:
    """Kill, look, print; returns the exit code."""
    asked = counting(__doc__, "kill", list(PHASES), 100).parse_args(words)
    names = asked.kind or list(PHASES)
    rounds: dict[str, list[Round]] = {name: [] for name in names}
    broken = []
    with tempfile.TemporaryDirectory(prefix="samtta-kill-") as base:
        os.environ["SAMTTA_HOME"] = str(Path(base, "home"))
        ready: dict[str, Prepared] = {}
        for number in numbers(asked):
            name = names[number % len(names)]
            if name not in ready:
                Path(base, name).mkdir()
                ready[name] = prepared(PHASES[name], Path(base, name))
            rng = np.random.default_rng((asked.seed, number))
            done = one_round(ready[name], Path(base, f"round {number}"), rng)
            shutil.rmtree(Path(base, f"round {number}"))
            rounds[name].append(done)
            again = f"--seed {asked.seed} --only {number}" + named(asked.kind)
            broken += [Broken(name, text, again) for text in done.broken]
    rows = [_row(name, found) for name, found in rounds.items()]
    return show(f"Kills, seed {asked.seed}", rows, broken, asked.report)


def _row(name: str, rounds: list[Round]) -> dict[str, object]:
    kinds = Counter(text.split(":")[0] for done in rounds for text in done.broken)
    return {
        "while": name,
        "rounds": len(rounds),
        "kills": sum(done.killed for done in rounds),
        "acknowledged": sum(done.acknowledged for done in rounds),
        "rounds with loss": kinds["lost"],
        "half rows": kinds["half rows"],
        "damaged": kinds["damaged"],
        "not opened": kinds["does not open"],
        "stray files": kinds["stray after opening"],
        "bad exports": sum(any("export" in text for text in done.broken) for done in rounds),
    }


if __name__ == "__main__":
    sys.exit(main())
