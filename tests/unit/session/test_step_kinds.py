"""The project has room for other steps than clicks and boxes, and a project of before is taken over as it is."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest

from samtta_app.core.types import Box, Click, HandKind
from samtta_app.session.project import migrations, schema
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, record

FIRST = Path(__file__).parent / "data" / "first"
COLUMNS = "annotation_id, position, kind, x, y, positive, box, seconds, latency, window, weights_version, predicted_iou"


def steps(db: sqlite3.Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in db.execute(f"SELECT {COLUMNS}, uncertainty, iou, gaps FROM steps ORDER BY 1, 2")]


def applied(db: sqlite3.Connection) -> list[str]:
    return [row[0] for row in db.execute("SELECT name FROM migrations ORDER BY rowid")]


def before(folder: Path) -> Path:
    """A project of today's layout but for the last migration, with a click, an exclude and a box."""
    with pytest.MonkeyPatch.context() as older:
        kept = tuple(m for m in migrations.MIGRATIONS if m[0] != "step_kinds")
        older.setattr(schema, "MIGRATIONS", kept)
        with Store.open(folder) as store:
            history = (record(), record(Click(12.5, 7.0, False)), record(None))
            store.accept(accepted(history=history, box=Box(1.0, 2.0, 30.0, 40.0)), WIDTH, HEIGHT)
            store.accept(accepted(), WIDTH, HEIGHT)
    return folder / ".samtta" / "project.db"


def test_the_steps_of_a_project_of_before_stay_as_they_are(folder: Path) -> None:
    database = before(folder)
    with closing(sqlite3.connect(database)) as db:
        old = steps(db)
        assert "step_kinds" not in applied(db)
    with Store.open(folder) as store:
        assert steps(store._db) == old
        assert len(old) == 4
        assert [[r.kind for r in a.history] for a in store.annotations()] == [["click", "click", "box"], ["click"]]
    with closing(sqlite3.connect(database)) as db:
        assert applied(db)[-1] == "step_kinds"
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_the_first_project_is_taken_over_step_by_step(tmp_path: Path) -> None:
    shutil.copytree(FIRST / "images", tmp_path / "images")
    shutil.copytree(FIRST / "project", tmp_path / "images" / ".samtta")
    with closing(sqlite3.connect(tmp_path / "images" / ".samtta" / "project.db")) as db:
        old = [row[:-1] for row in db.execute(f"SELECT {COLUMNS}, uncertainty, iou, NULL FROM steps ORDER BY 1, 2")]
    with Store.open(tmp_path / "images") as store:
        assert [row[:-1] for row in steps(store._db)] == old


def insert(store: Store, kind: str) -> None:
    values = (1, 9, kind, 0.0, "[0, 0, 128, 96]", 0)
    store._db.execute(
        "INSERT INTO steps (annotation_id, position, kind, seconds, window, weights_version) VALUES (?, ?, ?, ?, ?, ?)",
        values,
    )


@pytest.mark.parametrize("kind", ["click", "box", "scribble", *get_args(HandKind)])
def test_every_kind_of_step_can_be_stored(store: Store, kind: str) -> None:
    store.accept(accepted(), WIDTH, HEIGHT)
    insert(store, kind)


def test_another_word_is_refused(store: Store) -> None:
    store.accept(accepted(), WIDTH, HEIGHT)
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        insert(store, "spell")


def test_a_step_that_this_version_cannot_read_is_named_and_its_object_stays(store: Store) -> None:
    store.accept(accepted(), WIDTH, HEIGHT)
    insert(store, "scribble")
    (found,) = store.annotations()
    assert len(found.history) == 1
    assert "scribble" in store.notice


def test_a_record_says_what_the_user_did() -> None:
    assert record().kind == "click"
    assert record(None).kind == "box"
