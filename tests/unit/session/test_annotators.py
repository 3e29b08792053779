"""Who accepted an object, and who did what to it since: stored by the database itself, undone acts included, and exported."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from samtta_app.core.object_notes import ObjectNote
from samtta_app.errors import SettingsError, StoreError
from samtta_app.formats import FORMATS
from samtta_app.formats.export_choice import EVERYTHING, export_project
from samtta_app.formats.importers import ImportedObject
from samtta_app.session import acts, review_acts
from samtta_app.session.class_acts import MergeClass
from samtta_app.session.project import migrations, schema
from samtta_app.session.project.imported_objects import store_imported
from samtta_app.session.project.store import Store
from samtta_app.settings import Settings, annotator_of
from tests.unit.session.scripted import HEIGHT, WIDTH, Person, accepted
from tests.unit.values import disc


def deeds(store: Store, number: int) -> list[tuple[str, str]]:
    """What was done to an object since its accept."""
    return [(one.what, one.annotator) for one in store.object_acts(number)][1:]


@pytest.fixture
def signed(store: Store) -> Store:
    store.sign_as("anna")
    return store


# --- names ------------------------------------------------------------------------------------------------------------


def test_an_object_has_the_name_of_who_accepted_it(signed: Store) -> None:
    person = Person(signed).starts()
    first = person.accepts(40, 40)
    person.workflow.adjust(Settings(annotator="ben"))
    second = person.accepts(90, 60)
    assert (first.annotator, second.annotator) == ("anna", "ben")
    assert [a.annotator for a in signed.annotations()] == ["anna", "ben"]


def test_a_correction_has_the_name_of_who_corrected(signed: Store) -> None:
    person = Person(signed).starts()
    person.accepts(40, 40)
    person.workflow.adjust(Settings(annotator="ben"))
    person.do(acts.Select(1), acts.EditSelected(), acts.PaintStroke(((40.0, 52.0), (42.0, 56.0)), 6.0), acts.Accept())
    (corrected,) = signed.annotations()
    assert corrected.annotator == "ben"
    assert [a.annotator for a in signed.earlier(corrected)] == ["anna"]


def test_without_a_name_an_object_has_none(store: Store) -> None:
    assert store.annotator == ""
    assert Person(store).starts().accepts().annotator == ""


def test_imported_objects_have_the_name_of_who_imported_them(signed: Store) -> None:
    found = ImportedObject("a.png", (HEIGHT, WIDTH), "cell", disc(60, 50, 10, HEIGHT, WIDTH))
    store_imported(signed, [found], "coco: c.json")
    (one,) = signed.annotations()
    assert (one.annotator, one.source) == ("anna", "coco: c.json")


@pytest.mark.parametrize("name", ["Anna", "Änne Ø", "安娜", "a" * 100, "a b", "=1+1"])
def test_any_name_in_one_line_is_kept(store: Store, name: str) -> None:
    Person(store).workflow.adjust(Settings(annotator=name))
    assert store.annotator == name
    store.accept(accepted(), WIDTH, HEIGHT)
    assert store.annotations()[0].annotator == name


@pytest.mark.parametrize("name", ["a\nb", "\0", "a" * 101, "\x7f", "\t"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="annotator"):
        Settings(annotator=name)


def test_without_a_setting_it_is_the_login_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "carl")
    assert annotator_of(Settings()) == "carl"
    assert annotator_of(Settings(annotator="  ")) == "carl"
    assert annotator_of(Settings(annotator=" anna ")) == "anna"


@pytest.mark.parametrize("error", [OSError, KeyError, ImportError])
def test_without_a_login_name_it_is_none(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def unknown() -> str:
        raise error("no such user")

    monkeypatch.setattr("getpass.getuser", unknown)
    assert annotator_of(Settings()) == ""


def test_a_project_that_cannot_be_written_takes_no_name(signed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: str) -> None:
        raise StoreError("The disk is full")

    person = Person(signed)
    monkeypatch.setattr(signed, "sign_as", full)
    person.workflow.adjust(Settings(annotator="ben"))
    assert signed.annotator == "anna"


# --- what was done to an object ---------------------------------------------------------------------------------------


def test_every_kind_of_change_is_noted_and_so_is_undo(signed: Store) -> None:
    person = Person(signed).starts()
    one = person.accepts()
    assert deeds(signed, one.id) == []
    person.workflow.adjust(Settings(annotator="ben"))
    person.do(acts.AddClass("leaf"), acts.Select(one.id))
    for act, what, back in (
        (acts.SetClass(1), "", ""),
        (acts.SetClass(2), "class", "class"),
        (review_acts.ConfirmReview(), "reviewed", "unreviewed"),
        (acts.DescribeObject(ObjectNote(comment="odd")), "note", "note"),
        (acts.DescribeObject(ObjectNote(ignore=True)), "note", "note"),
        (acts.DeleteSelected(), "deleted", "returned"),
    ):
        before = deeds(signed, one.id)
        person.do(acts.Select(one.id), act)
        assert deeds(signed, one.id) == before + ([(what, "ben")] if what else [])
        if what:
            person.do(acts.Undo())
            assert deeds(signed, one.id) == [*before, (what, "ben"), (back, "ben")]


def test_each_has_the_time_at_which_it_was_done(signed: Store) -> None:
    one = signed.accept(accepted(), WIDTH, HEIGHT)
    signed.set_reviewed(one.id)
    first, deed = signed.object_acts(one.id)
    assert (first.what, first.annotator, first.created) == ("accepted", "anna", one.created)
    moment = datetime.fromisoformat(deed.created)
    assert moment.utcoffset() is not None
    assert 0 <= (moment - datetime.fromisoformat(one.created)).total_seconds() < 60


def test_what_changes_nothing_is_not_noted(signed: Store) -> None:
    one = signed.accept(accepted(), WIDTH, HEIGHT)
    signed.set_reviewed(one.id, False)
    signed.set_class(one.id, 1)
    signed.set_deleted(one.id, False)
    signed.set_note(one.id, ObjectNote())
    assert deeds(signed, one.id) == []


def test_objects_of_a_class_that_is_merged_are_noted_each(signed: Store) -> None:
    person = Person(signed).starts()
    person.do(acts.AddClass("leaf"))
    ones = [person.accepts(40, 40), person.accepts(90, 60)]
    person.do(MergeClass(2, 1))
    assert [deeds(signed, one.id) for one in ones] == [[("class", "anna")]] * 2


def test_an_act_that_fails_is_not_noted(signed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    one = signed.accept(accepted(), WIDTH, HEIGHT)

    def gone() -> None:
        raise StoreError("The disk was taken away")

    monkeypatch.setattr(signed, "_require_files", gone)
    with pytest.raises(StoreError):
        signed.set_reviewed(one.id)
    monkeypatch.undo()
    assert deeds(signed, one.id) == []


def test_the_selected_object_s_history_is_in_the_state(signed: Store) -> None:
    person = Person(signed).starts()
    one, other = person.accepts(40, 40), person.accepts(90, 60)
    person.do(acts.Select(one.id), review_acts.ConfirmReview(), acts.Select(one.id))
    assert [deed.what for deed in person.state.review.deeds] == ["accepted", "reviewed"]
    person.do(acts.Select(other.id))
    assert [deed.what for deed in person.state.review.deeds] == ["accepted"]
    person.do(acts.Select(None))
    assert person.state.review.deeds == ()


def test_a_corrected_object_has_the_history_of_the_masks_before_it(signed: Store) -> None:
    person = Person(signed).starts()
    person.accepts(40, 40)
    person.do(acts.Select(1), review_acts.ConfirmReview())
    for k, name in enumerate(("ben", "carl"), start=1):
        person.workflow.adjust(Settings(annotator=name))
        stroke = acts.PaintStroke(((40.0, 52.0), (42.0, 56.0 + 4 * k)), 6.0)
        person.do(acts.Select(k), acts.EditSelected(), stroke, acts.Accept())
    person.do(acts.Select(3), acts.DeleteSelected(), acts.Undo())
    found = {(deed.what, deed.annotator) for deed in signed.object_acts(3)}
    assert found == {
        ("accepted", "anna"),
        ("reviewed", "anna"),
        ("changed", "ben"),
        ("changed", "carl"),
        ("deleted", "carl"),
        ("returned", "carl"),
    }
    assert len(signed.object_acts(3)) == 6, "the masks before it were not deleted"


def test_a_history_that_cannot_be_read_is_empty_and_the_work_goes_on(signed: Store) -> None:
    person = Person(signed).starts()
    one = person.accepts()
    with signed.writing() as db:
        db.execute("UPDATE annotations SET replaces = '{not json' WHERE id = ?", (one.id,))
    with pytest.raises(StoreError):
        signed.object_acts(one.id)
    person.do(acts.Select(one.id))
    assert person.state.review.deeds == ()
    assert person.state.selected == one.id


def test_a_damaged_act_is_left_out_and_named(signed: Store) -> None:
    one = signed.accept(accepted(), WIDTH, HEIGHT)
    signed.set_reviewed(one.id)
    with signed.writing() as db:
        db.execute("INSERT INTO object_acts VALUES (7, ?, 'sung', 'anna', '2026-11-28T10:00:00+00:00')", (one.id,))
        db.execute("INSERT INTO object_acts VALUES (8, ?, 'class', 'anna', 'tomorrow')", (one.id,))
    assert deeds(signed, one.id) == [("reviewed", "anna")]
    assert "act 7 on an object" in signed.notice
    assert "act 8 on an object" in signed.notice


def test_a_damaged_choice_is_left_out_and_named(signed: Store) -> None:
    signed.log_choice((1, "2:x"), "a.png", "ben", "mine")
    with signed.writing() as db:
        db.execute("INSERT INTO compared_objects VALUES (9, 'ben', 'a.png', -4, 'x', 'mine', '', '', 0)")
    assert signed.choices("ben") == {(1, "2:x")}
    assert "choice 9" in signed.notice


# --- older projects ---------------------------------------------------------------------------------------------------


def older(folder: Path) -> None:
    """Make a project one of the version before annotators."""
    with closing(sqlite3.connect(folder / ".samtta" / "project.db")) as db, db:
        db.execute("DROP TRIGGER object_changed")
        for table in ("object_acts", "compared_objects"):
            db.execute(f"DROP TABLE {table}")
        db.execute("ALTER TABLE annotations DROP COLUMN annotator")
        db.execute("DELETE FROM migrations WHERE name = 'object_acts'")


def test_an_older_project_keeps_its_objects_without_a_name(folder: Path) -> None:
    with Store.open(folder) as store:
        store.sign_as("anna")
        store.accept(accepted(), WIDTH, HEIGHT)
    older(folder)
    with Store.open(folder) as store:
        assert [a.annotator for a in store.annotations()] == [""]
        store.set_reviewed(1)
        assert deeds(store, 1) == [("reviewed", "anna")]


def test_every_statement_of_the_migrations_is_whole() -> None:
    """A trigger has semicolons of its own."""
    for name, statements in migrations.MIGRATIONS:
        found = list(schema._each_statement(statements))
        assert all(sqlite3.complete_statement(each) for each in found), name
        assert "".join(found).replace(";", "").strip() == statements.replace(";", "").strip()
    triggers = [each for _, text in migrations.MIGRATIONS for each in schema._each_statement(text) if "TRIGGER" in each]
    assert len(triggers) == 1
    assert triggers[0].rstrip().endswith("END;")


def test_the_newest_table_s_rows_come_through_a_salvage(folder: Path) -> None:
    with Store.open(folder) as store:
        store.sign_as("anna")
        one = store.accept(accepted(), WIDTH, HEIGHT)
        store.set_reviewed(one.id)
        assert {"object_acts", "compared_objects"} <= set(migrations.TABLES)
        reader = store.reader()
        with reader() as beside:
            assert deeds(beside, one.id) == [("reviewed", "anna")]


# --- exports ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["coco", "coco-polygons"])
def test_coco_holds_the_annotator(signed: Store, tmp_path: Path, name: str) -> None:
    signed.image_opened("a.png", WIDTH, HEIGHT)
    signed.accept(accepted(), WIDTH, HEIGHT)
    signed.accept(replace(accepted(mask=disc(20, 20, 8, HEIGHT, WIDTH)), annotator="ben"), WIDTH, HEIGHT)
    files = export_project(signed.project(), FORMATS[name], tmp_path / "out", EVERYTHING)
    (file,) = [path for path in files if path.suffix == ".json"]
    found = json.loads(file.read_text())["annotations"]
    assert [one["samtta"]["annotator"] for one in found] == ["anna", "ben"]


def test_without_a_name_coco_has_no_such_field(store: Store, tmp_path: Path) -> None:
    store.image_opened("a.png", WIDTH, HEIGHT)
    store.accept(accepted(), WIDTH, HEIGHT)
    files = export_project(store.project(), FORMATS["coco"], tmp_path / "out", EVERYTHING)
    found = json.loads(files[0].read_text())["annotations"]
    assert "annotator" not in found[0]["samtta"]
