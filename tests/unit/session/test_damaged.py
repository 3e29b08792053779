"""One bad value or one flipped bit hides nothing else: what is whole is opened, shown, exported; what is not is named."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from samtta_app.core.replies import Controlled, TwinReport
from samtta_app.errors import ProjectError, StoreError
from samtta_app.formats import FORMATS
from samtta_app.session import acts
from samtta_app.session.object_records import GivenUpObject
from samtta_app.session.project.cells import LARGEST_NUMBER
from samtta_app.session.project.store import Store
from samtta_app.session.statistics.statistics_export import write_statistics
from tests.unit.session.scripted import HEIGHT, NAN, WIDTH, Person, accepted, folder_of, record, report

ROOT = Path(__file__).parents[3]


def project(folder: Path, objects: int = 3) -> Path:
    """A project with something in every table; its database."""
    with Store.open(folder) as store:
        store.add_class("leaf")
        for k in range(objects):
            saved = store.accept(
                accepted(("a.png", "b.png")[k % 2], history=(record(None), record())), WIDTH, HEIGHT, teaches=True
            )
            store.log_adaptation(report(saved.id, k + 1))
            store.log_twin(TwinReport(1, saved.id, k, (0.5, 0.92), (0.95,), 0.3))
        store.log_control(Controlled(1, "resume", objects, False))
        for why in ("cancelled", "left"):
            store.log_attempt(GivenUpObject(0, "a.png", "object", why, 2.5, "", (record(None), record(iou=NAN))))
        store.image_opened("a.png", WIDTH, HEIGHT, "128x96:0")
    return folder / ".samtta" / "project.db"


def spoil(database: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(database)) as db, db:
        assert db.execute(statement, values).rowcount > 0  # type: ignore[arg-type]


def used(folder: Path, out: Path) -> tuple[list[int], str]:
    """Open, resume, count and export a project; the objects that are exported, and what is said of the rest."""
    with Store.open(folder) as store:
        person = Person(store).starts()
        shown = store.project()
        for kind, form in FORMATS.items():
            if kind != "dataset" or shown.annotated:  # without objects there is no data set
                form.write(shown, out / kind)
        write_statistics(store, out / "figures")
        for k in range(len(person.state.images)):
            person.do(acts.OpenImage(k))
    found = json.loads((out / "coco" / "annotations/instances_default.json").read_text())
    json.loads((out / "figures" / "statistics.json").read_text())
    return [a["id"] for a in found["annotations"]], "\n".join([store.notice, *shown.remarks])


BAD: list[tuple[str, str, object]] = [
    ("annotations", "window", "[0, 0, 512"),
    ("annotations", "window", "[0, 0, 5, 5, 5]"),
    ("annotations", "window", "{}"),
    ("annotations", "window", "[" * 100_000),
    ("annotations", "window", '[0, 0, "a", 5]'),
    ("annotations", "window", "[0, 0, 1e9, 5]"),
    ("annotations", "window", f"[0, 0, {10**400}, 5]"),
    ("annotations", "window", "[0, 0, -5, 5]"),
    ("annotations", "window", b"\xff\xfe"),
    ("annotations", "window", 7),
    ("annotations", "box", "[1, 2, 3]"),
    ("annotations", "box", "[1, 2, 3, NaN]"),
    ("annotations", "box", "[1, 2, 3, null]"),
    ("annotations", "rle", b""),
    ("annotations", "rle", b"\xff" * 30),
    ("annotations", "rle", b"ooooooooooooooo"),
    ("annotations", "rle", "text"),
    ("annotations", "width", 3),
    ("annotations", "width", 10**15),
    ("annotations", "height", -1),
    ("annotations", "height", "high"),
    ("annotations", "x", -5),
    ("annotations", "x", 0.5),
    ("annotations", "class_id", 99),
    ("annotations", "class_id", LARGEST_NUMBER + 1),
    ("annotations", "weights_version", "old"),
    ("annotations", "predicted_iou", "good"),
    ("annotations", "uncertainty", 9e999),
    ("annotations", "seconds", "long"),
    ("annotations", "seconds", -1.0),
    ("annotations", "created", "yesterday"),
    ("annotations", "created", b"\x00"),
    ("annotations", "gaps", "[1, 2]"),
    ("annotations", "deleted", 5),
    ("annotations", "deleted", "no"),
    ("annotations", "reviewed", 2),
    ("annotations", "picture", b"\xff"),
    ("annotations", "control", 2),
    ("annotations", "control", "yes"),
]


@pytest.mark.parametrize(("table", "column", "value"), BAD, ids=[f"{c}-{k}" for k, (_, c, _) in enumerate(BAD)])
def test_an_object_with_one_bad_value_is_left_out_and_named_and_the_others_stay(
    folder: Path, tmp_path: Path, table: str, column: str, value: object
) -> None:
    database = project(folder)
    spoil(database, f"UPDATE {table} SET {column} = ? WHERE id = 2", value)
    objects, said = used(folder, tmp_path / "out")
    assert objects == [1, 3]
    assert "object 2" in said
    assert f" {column} is" in said or (column, value) == ("width", 3)  # then it is the run lengths that do not fit
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT count(*) FROM annotations").fetchone() == (3,)


ELSEWHERE: list[tuple[str, tuple[object, ...], str]] = [
    ("UPDATE steps SET window = ? WHERE annotation_id = 2 AND position = 1", ("[1",), "object 2, step 1: window"),
    ("UPDATE steps SET x = ? WHERE annotation_id = 2 AND position = 2", ("left",), "object 2, step 2: x"),
    ("UPDATE steps SET iou = ? WHERE annotation_id = 2", (7.5,), "object 2, step 1: iou"),
    ("UPDATE steps SET latency = ? WHERE annotation_id = 2", (b"\x01",), "object 2, step 1: latency"),
    ("UPDATE steps SET gaps = ? WHERE annotation_id = 2", ('["a", 1, 1, 1]',), "object 2, step 1: gaps"),
    ("UPDATE classes SET name = CAST(? AS TEXT) WHERE id = 2", (b"\xff\xfe",), "class 2: name"),
    ("UPDATE classes SET colour = ? WHERE id = 1", ("red",), "class 1: colour"),
    ("UPDATE adaptations SET losses = ? WHERE object_id = 2", ("[0.5,",), "report 2 of learning: losses"),
    ("UPDATE adaptations SET kept = ? WHERE object_id = 2", (9,), "report 2 of learning: kept"),
    ("UPDATE twins SET frozen = ? WHERE object_id = 2", ("0.5",), "replay of object 2: frozen"),
    ("UPDATE twins SET weights_version = ? WHERE object_id = 2", (b"2",), "replay of object 2: weights_version"),
    ("UPDATE weights SET sha256 = ? WHERE version = 2", (5,), "weights 2: sha256"),
    ("UPDATE attempts SET why = ? WHERE id = 2", ("bored",), "given-up object 2: why"),
    ("UPDATE attempts SET seconds = ? WHERE id = 2", (-1.0,), "given-up object 2: seconds"),
    ("UPDATE attempts SET image = ? WHERE id = 2", (b"\xff",), "given-up object 2: image"),
    ("UPDATE attempts SET class = ? WHERE id = 2", (b"\xff",), "given-up object 2: class"),
    ("UPDATE attempts SET created = ? WHERE id = 2", ("yesterday",), "given-up object 2: created"),
    ("UPDATE attempts SET object_id = ? WHERE id = 2", ("one",), "given-up object 2: object_id"),
    ("UPDATE attempts SET withdrawn = ? WHERE id = 2", (5,), "given-up object 2: withdrawn"),
    ("UPDATE attempts SET control = ? WHERE id = 2", (5,), "given-up object 2: control"),
    ("UPDATE attempt_steps SET x = ? WHERE attempt_id = 2 AND position = 2", ("l",), "given-up object 2, step 2: x"),
    ("UPDATE meta SET value = ? WHERE key = 'published'", ("newest",), 'meta "published"'),
    ("UPDATE meta SET value = CAST(? AS TEXT) WHERE key = 'last_image'", (b"\xff",), 'meta "last_image"'),
]


@pytest.mark.parametrize(("statement", "values", "named"), ELSEWHERE, ids=[named for *_, named in ELSEWHERE])
def test_a_bad_value_elsewhere_is_named_and_costs_no_object(
    folder: Path, tmp_path: Path, statement: str, values: tuple[object, ...], named: str
) -> None:
    spoil(project(folder), statement, *values)
    objects, said = used(folder, tmp_path / "out")
    assert objects == [1, 2, 3]
    assert named in said


def test_an_image_whose_size_is_damaged_is_shown_and_exported_in_the_size_of_its_file(folder: Path) -> None:
    spoil(project(folder), "UPDATE images SET width = ? WHERE name = 'b.png'", "wide")
    with Store.open(folder) as store:
        person = Person(store).starts()
        assert [entry.objects for entry in person.state.images] == [2, 1, 0]
        shown = store.project()
        assert [a.id for a in shown.annotations] == [1, 2, 3]
        assert any("'b.png'" in line and "wide" in line for line in shown.remarks)
        (image,) = (image for image in shown.images if image.name == "b.png")
        assert (image.width, image.height) == (WIDTH, HEIGHT)


def test_many_damaged_rows_are_counted_in_a_line_and_all_named_where_there_is_room(folder: Path) -> None:
    spoil(project(folder, 9), "UPDATE annotations SET window = 'x' WHERE id > 2")
    with Store.open(folder) as store:
        assert len(store.records()) == 2
        assert len(store.left_out) == 7
        assert "and 4 more" in store.notice
        assert sum(entry.objects for entry in store.images()) == 2


@pytest.mark.parametrize("command", ["stats", "export"])
def test_the_command_line_names_what_it_leaves_out(folder: Path, tmp_path: Path, command: str) -> None:
    spoil(project(folder), "UPDATE annotations SET window = '[0, 0, 512' WHERE id = 2")
    options = ["--format", "coco"] if command == "export" else []
    words = [sys.executable, "-m", "samtta_app", command, str(folder), *options, "--out", str(tmp_path / "out")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "object 2: window is '[0, 0, 512'" in done.stderr
    assert "Traceback" not in done.stderr


# --- damaged files ----------------------------------------------------------------------------------------------------


def test_a_page_of_zeros_costs_its_own_rows_only_and_the_file_stays(folder: Path, tmp_path: Path) -> None:
    database = project(folder, 60)
    content = bytearray(database.read_bytes())
    with closing(sqlite3.connect(database)) as db:
        size = db.execute("PRAGMA page_size").fetchone()[0]
        leaf = (
            db.execute("SELECT pageno FROM dbstat WHERE name = 'annotations' AND pagetype = 'leaf'").fetchall()[1][0]
            if _has_dbstat(db)
            else None
        )
    if leaf is None:
        pytest.skip("this SQLite does not say which page holds what")
    content[(leaf - 1) * size : leaf * size] = bytes(size)
    database.write_bytes(content)
    objects, said = used(folder, tmp_path / "out")
    assert 0 < len(objects) < 60
    assert "damaged" in said
    assert "annotations" in said
    assert database.read_bytes() == bytes(content)
    with Store.open(folder) as store:
        assert store.read_only
        with pytest.raises(StoreError, match="read-only"):
            store.accept(accepted(), WIDTH, HEIGHT)


def _has_dbstat(db: sqlite3.Connection) -> bool:
    return ("ENABLE_DBSTAT_VTAB",) in db.execute("PRAGMA compile_options").fetchall()


def test_classes_that_are_lost_take_no_object_with_them(folder: Path, tmp_path: Path) -> None:
    database = project(folder)
    with closing(sqlite3.connect(database)) as db:
        root, size = (
            db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'classes'").fetchone()[0],
            db.execute("PRAGMA page_size").fetchone()[0],
        )
    content = bytearray(database.read_bytes())
    content[(root - 1) * size : root * size] = b"\xff" * size
    database.write_bytes(content)
    objects, said = used(folder, tmp_path / "out")
    assert objects == [1, 2, 3]
    assert "classes: rows are missing" in said


def outcome(folder: Path, out: Path) -> str:
    """How a damaged project ends: opened, or refused in one text; anything else is a failure of the test."""
    said = ""
    try:
        used(folder, out)
    except ProjectError as error:
        said = str(error)
    assert not said or str(folder) in said
    return "refused" if said else "opened"


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_ends_in_an_opened_project_or_in_one_refusal(tmp_path: Path, seed: int) -> None:
    folder = folder_of(tmp_path / "images", "a.png", "b.png")
    database = project(folder, 4)
    content = bytearray(database.read_bytes())
    rng = np.random.default_rng(seed)
    places = np.flatnonzero(np.frombuffer(bytes(content), np.uint8))  # most of a small file is empty
    place = int(rng.choice(places)) if seed % 4 else int(rng.integers(len(content)))
    content[place] ^= 1 << int(rng.integers(8))
    database.write_bytes(content)
    assert outcome(folder, tmp_path / "out") in ("opened", "refused")
    assert shutil.disk_usage(tmp_path).free


@pytest.mark.parametrize("length", [0, 1, 15, 16, 99, 100, 511, 4095, 4096, 5000, 20_000, 60_000])
def test_a_file_that_was_cut_off_ends_in_an_opened_project_or_in_one_refusal(tmp_path: Path, length: int) -> None:
    folder = folder_of(tmp_path / "images", "a.png", "b.png")
    database = project(folder, 4)
    database.write_bytes(database.read_bytes()[:length])
    assert outcome(folder, tmp_path / "out") == ("opened" if length < 2 else "refused")  # SQLite takes a byte for none


@pytest.mark.parametrize("table", ["attempts", "attempt_steps"])
def test_given_up_objects_that_are_lost_take_no_object_with_them(folder: Path, tmp_path: Path, table: str) -> None:
    database = project(folder)
    with closing(sqlite3.connect(database)) as db:
        root, size = (
            db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0],
            db.execute("PRAGMA page_size").fetchone()[0],
        )
    content = bytearray(database.read_bytes())
    content[(root - 1) * size : root * size] = b"\xff" * size
    database.write_bytes(content)
    objects, said = used(folder, tmp_path / "out")
    assert objects == [1, 2, 3]
    assert f"{table}: rows are missing" in said


def test_what_is_whole_of_given_up_objects_is_read_from_a_damaged_project(folder: Path, tmp_path: Path) -> None:
    database = project(folder)
    with closing(sqlite3.connect(database)) as db:
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'controls'").fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
    content = bytearray(database.read_bytes())
    content[(root - 1) * size : root * size] = b"\xff" * size
    database.write_bytes(content)
    with Store.open(folder) as store:
        assert store.read_only
        assert [(a.why, len(a.steps)) for a in store.attempts()] == [("cancelled", 2), ("left", 2)]
