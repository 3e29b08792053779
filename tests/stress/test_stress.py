"""The long checks in their short form, and that each of them sees what it is there to see."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from tests.stress import mutants
from tests.stress.children import Ending
from tests.stress.fuzz import Allowed, judged
from tests.stress.handed import KINDS, SETTINGS
from tests.stress.kill import PHASES, content, opened_again, stray, worked_in
from tests.stress.soak import MB, Bounds, broken_bounds, readings
from tests.unit.forks import Forks, forks

ROOT = Path(__file__).parents[2]
Broken = list[tuple[str, str, str]]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, limits and /proc of Linux")


@pytest.fixture(scope="module")
def program() -> Iterator[Forks]:
    """All long checks, loaded once."""
    with forks("tests.stress.fuzz", "tests.stress.kill", "tests.stress.soak") as loaded:
        yield loaded


def broken_promises(program: Forks, name: str, report: Path, *words: str) -> Broken:
    """Run a long check as a command; what it found: kind, what happened, how to see it again."""
    code = f"import sys; from tests.stress.{name} import main; sys.exit(main(sys.argv[1:]))"
    done = program.run(code, *words, "--report", report)
    assert report.exists(), done.said
    found: Broken = [tuple(one) for one in json.loads(report.read_text())]
    assert done.code == (1 if found else 0), done.said
    return found


@pytest.fixture(scope="module")
def kills(program: Forks, tmp_path_factory: pytest.TempPathFactory) -> Broken:
    report = tmp_path_factory.mktemp("kill") / "report.json"
    return broken_promises(program, "kill", report, "--count", str(len(PHASES)))


@pytest.fixture(scope="module")
def broken_files(program: Forks, tmp_path_factory: pytest.TempPathFactory) -> Broken:
    report = tmp_path_factory.mktemp("fuzz") / "report.json"
    return broken_promises(program, "fuzz", report, "--count", str(len(KINDS)))


@pytest.mark.parametrize("kind", PHASES)
def test_a_program_that_is_killed_keeps_every_acknowledged_object_and_leaves_nothing_half(
    kills: Broken, kind: str
) -> None:
    assert [one for one in kills if one[0] == kind] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_file_is_opened_or_refused_in_words_in_time_and_with_little_memory(
    broken_files: Broken, kind: str
) -> None:
    assert [one for one in broken_files if one[0] == kind] == []


def test_a_long_session_takes_little_memory_for_an_object_and_no_more_threads_or_files(
    program: Forks, tmp_path: Path
) -> None:
    words = ("--objects", "24", "--no-replay", "--growth", "2000")
    assert broken_promises(program, "soak", tmp_path / "report.json", *words) == []


# --- the checks see what they look for ------------------------------------------------------------------------------------


LIVES = """
import json, os, sqlite3, subprocess, sys, time
from pathlib import Path
from tests.stress.children import Kill, Limits, die_at_write, run_child, watch_starts, watch_writes

folder = Path(sys.argv[1])

def spin(tell):
    while True:
        pass

def fill(tell):
    bytearray(3_000_000_000)

def start(tell):
    watch_starts(lambda event, what: tell(event))
    subprocess.run(["true"])

def write(tell):
    watch_writes(lambda event, path: tell([event, Path(path).name]))
    (folder / "new").write_text("x")
    (folder / "new").rename(folder / "newer")
    descriptor = os.open(folder, os.O_RDONLY)
    os.remove("newer", dir_fd=descriptor)
    sqlite3.connect((folder / "odd name.db").as_uri() + "?mode=rwc", uri=True).close()
    (folder / "odd name.db").unlink()

def die(tell):
    die_at_write(folder, 2)
    for name in "abc":
        (folder / name).write_text("x")
        tell(name)

def speak(tell):
    tell("here")
    while True:
        pass

limits = Limits(memory=1_000_000_000, processor=1)
endings = [run_child(work, limits=limits) for work in (spin, fill, start, write, die)]
endings.append(run_child(speak, kill=Kill(0.1, lines=1)))
json.dump([[e.told, e.signal, e.hung, e.error.splitlines()[-1:]] for e in endings], sys.stdout)
"""


def test_a_child_that_hangs_takes_memory_starts_a_program_writes_or_is_killed_is_told_apart(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIVES, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    spin, fill, start, write, die, speak = json.loads(done.stdout)
    assert spin[2]
    assert fill[3] == ["MemoryError"]
    assert start[0][0] == "subprocess.Popen"
    wanted = [["open", "new"], ["os.rename", "new"], ["os.rename", "newer"], ["os.remove", "newer"]]
    wanted += [["sqlite3.connect", "odd name.db"], ["os.remove", "odd name.db"]]
    assert write[0] == wanted
    assert (die[0], die[1]) == (["a"], 9)
    assert speak == [["here"], 9, False, []]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


def test_a_lost_object_a_changed_mask_and_a_half_row_are_seen_after_a_kill(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    worked_in(folder)
    told: list[dict[str, object]] = []
    opened_again(told.append, folder)  # type: ignore[arg-type]
    with closing(sqlite3.connect(folder / ".samtta" / "project.db")) as db, db:
        db.execute("DELETE FROM steps WHERE annotation_id = 1")
        db.execute("UPDATE annotations SET x = x + 1 WHERE id = 2")
        db.execute("UPDATE annotations SET deleted = 1 WHERE id = 3")
    (folder / ".samtta" / "weights" / "half.part").write_bytes(b"")
    opened_again(told.append, folder)  # type: ignore[arg-type]
    before, after = (dict(one["kept"]) for one in told)  # type: ignore[call-overload]
    assert [number for number, value in before.items() if after.get(number) != value] == [2, 3]
    assert told[0]["broken"] == []
    assert told[1]["broken"] == ["half rows: 1"]
    assert "half.part" in stray(folder)


def test_the_content_of_a_folder_is_what_a_person_sees(tmp_path: Path) -> None:
    (tmp_path / ".stage").mkdir()
    for name in ("a.txt", ".hidden", ".stage/b.txt"):
        (tmp_path / name).write_text("x")
    assert list(content(tmp_path)) == ["a.txt"]


@pytest.mark.parametrize(
    ("ending", "outcome"),
    [
        (Ending(({"outcome": "refused", "words": ""},), (), 0, 50 * MB, False), "refused"),
        (Ending(({"outcome": "refused", "words": ""},), (), 0, 500 * MB, False), "memory"),
        (Ending(({"outcome": "traceback", "words": ""},), (), 0, 500 * MB, False), "traceback"),
        (Ending((), (), 24, 0, True), "hang"),
        (Ending((), (), 11, 0, False), "crash"),
    ],
)
def test_a_mutant_is_judged_by_how_its_process_ended(ending: Ending, outcome: str) -> None:
    assert judged(ending, 10 * MB, Allowed(100, 10)).outcome == outcome


def reading(objects: int, **changes: float) -> dict[str, float]:
    return {"objects": objects, "memory": 500.0 * MB, "threads": 4, "files": 12, "journal": MB, **changes}


@pytest.mark.parametrize(
    ("lost", "last", "words"),
    [
        (0, reading(400), ""),
        (2, reading(400), "2 accepted objects are not stored"),
        (0, reading(400, memory=800.0 * MB), "memory grows by 1000 KB"),
        (0, reading(400, threads=5), "threads: 4 at 100 objects, 5 at the end"),
        (0, reading(400, files=30), "files: 12 at 100 objects, 30 at the end"),
        (0, reading(400, journal=90 * MB), "the journal has 90 MB"),
    ],
)
def test_what_grows_in_a_session_is_seen(lost: int, last: dict[str, float], words: str) -> None:
    told = [reading(50, memory=300.0 * MB, threads=2), reading(100), last]
    found = [one.what for one in broken_bounds(told, lost, Bounds(300))]
    assert found == [] if not words else found[0].startswith(words)


def test_a_session_is_read_at_doubling_numbers_and_at_its_end() -> None:
    assert readings(400) == [50, 100, 200, 400]
    assert readings(450) == [50, 100, 200, 400, 450]
    assert readings(20) == [10, 20]


# --- broken files are broken as they say ----------------------------------------------------------------------------------


MUTATORS = [*mutants.BYTES, *mutants.IMAGES, mutants.large_ids]


@pytest.mark.parametrize("change", MUTATORS, ids=lambda change: change.__name__)
def test_the_same_draw_breaks_a_file_in_the_same_way(change: mutants.Mutator) -> None:
    good = bytes(range(256)) * 4
    one, other = (change(np.random.default_rng(5), good) for _ in range(2))
    assert one == other
    assert one != good


@pytest.mark.parametrize("change", [mutants.large_png, mutants.large_gif, mutants.large_bmp, mutants.large_tiff])
def test_a_small_file_claims_to_be_large(change: mutants.Mutator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", None)
    data = change(np.random.default_rng(0), b"")
    assert len(data) < 5 * MB
    if change is mutants.large_tiff:
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            height, width = tiff.pages[0].shape[:2]  # type: ignore[union-attr]
    else:
        with PIL.Image.open(io.BytesIO(data)) as file:
            width, height = file.size
    assert width * height > 80_000_000


@pytest.mark.parametrize(
    ("change", "good"),
    [
        (mutants.json_value, b'{"a": ["b", 2]}'),
        (mutants.json_line, b'{"a": 1}\n{"b": 2}'),
        (mutants.toml_value, SETTINGS.encode()),
        (mutants.ini_value, b"[General]\ngeometry=@ByteArray(\\0)\nrecent=/a, /b"),
    ],
)
def test_values_are_replaced_dropped_or_added(change: mutants.Mutator, good: bytes) -> None:
    changed = {change(np.random.default_rng(seed), good) for seed in range(60)}
    assert len(changed) > 10
    assert good not in changed


def test_in_the_place_of_a_file_is_something_else(tmp_path: Path) -> None:
    found = set()
    for seed in range(40):
        path = tmp_path / f"{seed}.toml"
        path.write_text("x = 1")
        mutants.not_a_file(np.random.default_rng(seed), path)
        found.add("folder" if path.is_dir() else "pipe" if path.is_fifo() else os.readlink(path)[-7:])
    assert {"folder", "pipe", "nowhere", "ev/zero"} < found


def test_a_header_of_tensors_is_changed_and_the_tensors_stay() -> None:
    header = json.dumps({"__metadata__": {"config": '{"dim": 32}'}, "w": {"dtype": "F32"}}).encode()
    good = len(header).to_bytes(8, "little") + header + b"tensors"
    for seed in range(40):
        changed = mutants.safetensors_header(np.random.default_rng(seed), good)
        length = int.from_bytes(changed[:8], "little")
        assert changed[8 + length :] == b"tensors"


def test_a_cell_is_changed_and_the_objects_that_do_not_hang_on_it_are_counted(tmp_path: Path) -> None:
    worked_in(tmp_path / "images")
    file = tmp_path / "images" / ".samtta" / "project.db"
    good, seen = file.read_bytes(), set()
    for seed in range(30):
        file.write_bytes(good)
        seen.add(mutants.edit_cell(np.random.default_rng(seed), file))
        assert file.read_bytes() != good
    assert seen <= {0, 2, 3}
    assert {2, 3} <= seen
