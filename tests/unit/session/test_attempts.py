"""Objects that were begun and given up are stored with every click, count as failed, and reach no export of masks."""

from __future__ import annotations

import csv
import json
import math
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from samtta_app.core.messages import PredictRequest
from samtta_app.core.types import Box, Click
from samtta_app.errors import StoreError
from samtta_app.formats import FORMATS
from samtta_app.session import acts, review_acts
from samtta_app.session.object_records import GivenUpObject, ObjectRecord
from samtta_app.session.project import migrations
from samtta_app.session.project.store import Store
from samtta_app.session.state import AttemptFigures
from samtta_app.session.statistics.figure_notes import ATTEMPTS_NOTE, TWINS_NOTE, figures_in_brief
from samtta_app.session.statistics.statistics_export import ATTEMPT_COLUMNS, CLICK_COLUMNS, statistics, write_statistics
from tests.unit.session.scripted import HEIGHT, NAN, WHOLE, WIDTH, Person, accepted, record

FIRST = Path(__file__).parent / "data" / "first"


def whys(store: Store) -> list[str]:
    return [attempt.why for attempt in store.attempts()]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# --- what is stored -----------------------------------------------------------------------------------------------------


def test_a_cancelled_object_is_stored_with_every_click_its_time_and_its_weights(person: Person, store: Store) -> None:
    person.accepts()  # version 1 answers from now on
    person.do(acts.AddClass("leaf"))
    person.boxes(20, 10, 40, 30)
    person.clock.wait(2)
    person.clicks(33, 20)
    person.clock.wait(3)
    person.clicks(35, 22, positive=False)
    person.clock.wait(1)
    person.do(acts.Cancel())
    (attempt,) = store.attempts()
    assert (attempt.why, attempt.image_name, attempt.class_name, attempt.object_id) == ("cancelled", "a.png", "leaf", 0)
    assert [step.click for step in attempt.steps] == [None, Click(33, 20, True), Click(35, 22, False)]
    assert [step.seconds for step in attempt.steps] == [0, 2, 5]
    assert [step.weights_version for step in attempt.steps] == [1, 1, 1]
    assert all(step.window == WHOLE and math.isnan(step.iou) for step in attempt.steps)
    assert attempt.seconds == pytest.approx(6)
    assert attempt.created
    box = store._db.execute("SELECT box FROM attempt_steps WHERE kind = 'box'").fetchone()[0]
    assert json.loads(box) == [20, 10, 40, 30]


def test_a_click_that_was_never_answered_is_stored_too(person: Person, store: Store) -> None:
    person.accepts()
    person.workflow.do(acts.PlaceClick(Click(30, 20, True)))
    person.do(acts.Cancel())
    (attempt,) = store.attempts()
    (step,) = attempt.steps
    assert (step.click, step.weights_version, step.window) == (Click(30, 20, True), 1, WHOLE)
    assert math.isnan(step.latency)
    assert math.isnan(step.predicted_iou)


@pytest.mark.parametrize(
    "act",
    [acts.NextImage(), acts.OpenImage(2), acts.NextUnreviewed(), review_acts.NextReview(), review_acts.ConfirmReview()],
)
def test_an_image_that_is_left_with_a_preview_leaves_an_attempt(
    person: Person, store: Store, act: acts.UserAct
) -> None:
    person.clicks(30, 20)
    person.do(act)
    assert whys(store) == ["left"]
    assert store.attempts()[0].image_name == "a.png"


def test_a_session_that_is_closed_with_a_preview_leaves_an_attempt(person: Person, store: Store) -> None:
    person.clicks(30, 20)
    person.workflow.end()
    person.workflow.end()
    assert whys(store) == ["closed"]


def test_a_session_that_is_closed_without_one_leaves_none(person: Person, store: Store) -> None:
    person.accepts()
    person.workflow.end()
    assert whys(store) == []


def test_an_object_that_is_deleted_right_after_its_accept_is_an_attempt(person: Person, store: Store) -> None:
    person.accepts(30, 20, clicks=2)
    person.do(acts.Select(1), acts.DeleteSelected())
    (attempt,) = store.attempts()
    assert (attempt.why, attempt.object_id, len(attempt.steps)) == ("deleted", 1, 2)
    assert attempt.steps[-1].iou == 1.0
    assert person.state.statistics.attempts.given_up == 1


@pytest.mark.parametrize("between", [[acts.AddClass("leaf")], [acts.PlaceClick(Click(90, 50, True)), acts.Accept()]])
def test_an_object_that_is_deleted_later_was_not_given_up(
    person: Person, store: Store, between: list[acts.UserAct]
) -> None:
    person.accepts(30, 20)
    person.do(*between)
    person.do(acts.Select(1), acts.DeleteSelected())
    assert whys(store) == []


def test_an_object_that_is_begun_again_at_the_same_place_is_a_new_attempt(person: Person, store: Store) -> None:
    for _ in range(2):
        person.clicks(30, 20)
        person.do(acts.Cancel())
    person.accepts(30, 20)
    assert whys(store) == ["cancelled", "cancelled"]
    assert person.state.statistics.attempts.user.objects == 3


def test_clicks_that_were_all_taken_back_are_no_attempt(person: Person, store: Store) -> None:
    person.clicks(30, 20)
    person.do(acts.RemoveClick(), acts.Cancel(), acts.NextImage())
    assert whys(store) == []


def test_escape_without_a_preview_gives_up_nothing(person: Person, store: Store) -> None:
    person.accepts()
    person.do(acts.Select(1), acts.Cancel())
    assert whys(store) == []


# --- undo and redo ------------------------------------------------------------------------------------------------------


def test_undo_of_a_cancel_takes_the_attempt_back_and_redo_brings_it_again(person: Person, store: Store) -> None:
    person.clicks(30, 20)
    person.do(acts.Cancel(), acts.Undo())
    assert whys(store) == []
    assert person.state.statistics.attempts.given_up == 0
    person.do(acts.Redo())
    assert whys(store) == ["cancelled"]
    assert person.state.statistics.attempts.given_up == 1
    person.do(acts.Undo(), acts.Accept())
    assert whys(store) == []
    assert person.state.statistics.attempts.user.objects == 1


def test_undo_of_a_deletion_takes_the_attempt_back_too(person: Person, store: Store) -> None:
    person.accepts()
    person.do(acts.Select(1), acts.DeleteSelected(), acts.Undo())
    assert (whys(store), len(store.annotations())) == ([], 1)
    person.do(acts.Redo())
    assert (whys(store), len(store.annotations())) == (["deleted"], 0)
    assert person.state.statistics == statistics(store.records(), store.attempts())


def test_an_accept_that_is_undone_and_then_cancelled_is_an_attempt(person: Person, store: Store) -> None:
    person.accepts(30, 20)
    person.do(acts.Undo(), acts.Cancel())
    assert whys(store) == ["cancelled"]


def test_an_attempt_that_was_left_comes_back_with_its_image(person: Person, store: Store) -> None:
    person.clicks(30, 20)
    person.do(acts.NextImage(), acts.Undo())
    assert (whys(store), person.workflow.state.index) == ([], 0)
    assert person.state.preview is not None


# --- where nothing can be stored ----------------------------------------------------------------------------------------


def test_on_a_full_disk_an_object_can_still_be_given_up_and_it_is_said(
    person: Person, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: GivenUpObject) -> GivenUpObject:
        raise StoreError("The project could not be written: the disk is full")

    person.clicks(30, 20)
    monkeypatch.setattr(store, "log_attempt", full)
    person.do(acts.Cancel())
    assert person.state.preview is None
    assert "missing in the figures" in person.state.message.text
    assert "disk is full" in person.state.message.text
    person.do(acts.Undo())
    assert person.state.preview is not None


def test_undo_on_a_full_disk_changes_nothing(person: Person, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(attempt_id: int, withdrawn: bool) -> None:
        raise StoreError("The project could not be written: the disk is full")

    person.clicks(30, 20)
    person.do(acts.Cancel())
    monkeypatch.setattr(store, "withdraw_attempt", full)
    person.do(acts.Undo())
    assert person.state.preview is None
    assert person.state.statistics.attempts.given_up == 1
    assert "disk is full" in person.state.message.text


def test_a_read_only_project_counts_what_is_stored_and_lets_one_cancel(folder: Path, tmp_path: Path) -> None:
    with Store.open(folder) as store:
        store.log_attempt(attempt("cancelled"))
        reading = Store.open_to_read(folder)
        person = Person(reading).starts()
        assert person.state.statistics.attempts.given_up == 1
        person.clicks(30, 20)
        person.do(acts.Cancel())
        assert person.state.preview is None
        assert person.state.message is None
        reading.close()
        assert whys(store) == ["cancelled"]


# --- figures ------------------------------------------------------------------------------------------------------------


def attempt(why: str = "cancelled", steps: int = 1) -> GivenUpObject:
    made = tuple(record(iou=NAN) for _ in range(steps))
    return GivenUpObject(0, "a.png", "object", why, 2.5, "", made)  # type: ignore[arg-type]


def test_figures_are_given_for_accepted_objects_and_for_all_attempts() -> None:
    easy = ObjectRecord(1, "a", "o", "", 1.0, 0, (record(iou=0.86), record()), (0.95,), (0.5, 0.95), 1)
    hard = ObjectRecord(2, "a", "o", "", 1.0, 0, (record(iou=0.5), record(iou=0.87), record()))
    given_up = [GivenUpObject(k, "a", "o", "left", 2.5, "", (record(iou=NAN),)) for k in (1, 2)]
    figures = statistics((easy, hard), given_up)
    assert (figures.user.noc_85, figures.user.fr_20_85) == (1.5, 0.0)
    assert (figures.user.noc_90, figures.user.fr_30_90) == (2.5, 0.0)
    every = figures.attempts
    assert (every.given_up, every.user.objects) == (2, 4)
    assert (every.user.noc_85, every.user.fr_20_85) == ((1 + 2 + 20 + 20) / 4, 0.5)
    assert (every.user.noc_90, every.user.fr_30_90) == ((2 + 3 + 30 + 30) / 4, 0.5)
    assert (every.adapted.noc_85, every.adapted.fr_20_85) == ((2 + 20 + 20) / 3, 2 / 3)
    assert (every.frozen.noc_85, every.frozen.objects) == ((1 + 20 + 20) / 3, 3)
    assert (figures.person_clicks, figures.adapted.objects) == (1.5, 1)


def test_a_side_without_replays_has_no_figures_of_attempts_either() -> None:
    every = statistics((), [attempt()]).attempts
    assert (every.user.noc_85, every.user.fr_20_85) == (20.0, 1.0)
    assert every.adapted.objects == every.frozen.objects == 0
    assert math.isnan(every.adapted.noc_85)


def test_without_attempts_both_are_the_same() -> None:
    figures = statistics((ObjectRecord(1, "a", "o", "", 1.0, 0, (record(),), (0.95,), (0.95,), 1),))
    assert figures.attempts == AttemptFigures(0, figures.user, figures.adapted, figures.frozen)


def test_a_resumed_session_goes_on_with_the_same_figures(folder: Path) -> None:
    with Store.open(folder) as store:
        person = Person(store).starts()
        person.accepts()
        for _ in range(3):
            person.clicks(30, 20)
            person.do(acts.Cancel())
        before = person.state.statistics
        assert before == statistics(store.records(), store.attempts())
    with Store.open(folder) as store:
        assert Person(store).starts().state.statistics.attempts == before.attempts


def test_attempts_are_read_some_at_a_time(store: Store) -> None:
    for _ in range(5):
        store.log_attempt(attempt(steps=2))
    store.withdraw_attempt(3, True)
    assert [[a.id for a in some] for some in store.attempts_in_steps(2)] == [[1, 2], [4, 5]]
    assert all(len(a.steps) == 2 for a in store.attempts())


# --- exports ------------------------------------------------------------------------------------------------------------


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_statistics_carry_both_figures_the_attempts_and_what_must_be_said(store: Store, tmp_path: Path) -> None:
    store.accept(accepted(), WIDTH, HEIGHT)
    store.log_attempt(attempt("left", steps=3))
    write_statistics(store, tmp_path / "out")
    rows = table(tmp_path / "out" / "attempts.csv")
    assert [tuple(row) for row in rows] == [ATTEMPT_COLUMNS]
    assert [(row["why"], row["steps"], row["seconds"], row["object_id"]) for row in rows] == [
        ("left", "3", "2.500", "")
    ]
    clicks = table(tmp_path / "out" / "attempt_clicks.csv")
    assert tuple(clicks[0]) == ("attempt_id", *CLICK_COLUMNS[1:])
    assert [(row["attempt_id"], row["step"], row["positive"], row["iou"]) for row in clicks] == [
        ("1", str(k), "1", "") for k in (1, 2, 3)
    ]
    found = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert found["notes"][:2] == [TWINS_NOTE, ATTEMPTS_NOTE]
    assert (found["figures"]["user"]["noc_85"], found["figures"]["attempts"]["user"]["noc_85"]) == (1.0, 10.5)
    assert found["figures"]["attempts"]["given_up"] == 1
    assert [one["why"] for one in found["attempts"]] == ["left"]
    assert len(table(tmp_path / "out" / "objects.csv")) == len(table(tmp_path / "out" / "clicks.csv")) == 1


def test_a_second_export_replaces_the_tables_of_attempts(store: Store, tmp_path: Path) -> None:
    store.log_attempt(attempt())
    write_statistics(store, tmp_path / "out")
    store.withdraw_attempt(1, True)
    write_statistics(store, tmp_path / "out")
    assert table(tmp_path / "out" / "attempts.csv") == table(tmp_path / "out" / "attempt_clicks.csv") == []


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_of_attempts_reaches_an_export_of_masks(folder: Path, tmp_path: Path, kind: str) -> None:
    with Store.open(folder) as store:
        person = Person(store).starts()
        person.accepts(60, 50)
        FORMATS[kind].write(store.project(), tmp_path / "before")
        person.clicks(30, 20)
        person.do(acts.Cancel())
        person.accepts(90, 70)
        person.do(acts.Select(2), acts.DeleteSelected())
        person.clicks(20, 80)
        person.workflow.end()
        assert whys(store) == ["cancelled", "deleted", "closed"]
        FORMATS[kind].write(store.project(), tmp_path / "after")
    assert contents(tmp_path / "after") == contents(tmp_path / "before")


def test_one_line_says_both_figures() -> None:
    done = ObjectRecord(1, "a", "o", "", 1.0, 0, (record(),))
    assert figures_in_brief(statistics((done,), [attempt()])) == (
        "Your clicks to 85 % fit: 1.0 (0 % not reached) over accepted objects (1), "
        "10.5 (50 % not reached) over all attempts (2, given up: 1)"
    )
    assert "no figure over accepted objects (0)" in figures_in_brief(statistics(()))


# --- the table ----------------------------------------------------------------------------------------------------------


def test_an_older_project_gets_the_tables_and_loses_nothing(tmp_path: Path) -> None:
    shutil.copytree(FIRST / "images", tmp_path / "images")
    shutil.copytree(FIRST / "project", tmp_path / "images" / ".samtta")
    with Store.open(tmp_path / "images") as store:
        assert store.attempts() == ()
        before = store.records()
        store.log_attempt(attempt())
        assert (store.records(), whys(store)) == (before, ["cancelled"])
    with closing(sqlite3.connect(tmp_path / "images" / ".samtta" / "project.db")) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert "attempts" in [name for name, _ in migrations.MIGRATIONS]


def test_a_class_whose_only_object_was_given_up_can_be_removed(person: Person, store: Store) -> None:
    person.do(acts.AddClass("leaf"))
    person.clicks(30, 20)
    person.do(acts.Cancel())
    assert store.remove_class(2)
    assert [a.class_name for a in store.attempts()] == ["leaf"]


def test_a_given_up_object_teaches_nothing(person: Person) -> None:
    person.clicks(30, 20)
    person.do(acts.Cancel())
    assert {type(r) for r in person.script.requests} & {PredictRequest} == {PredictRequest}
    assert not [r for r in person.script.requests if type(r).__name__ in ("AdaptRequest", "TwinRequest")]


def test_the_box_of_an_object_is_kept_with_its_attempt(person: Person, store: Store) -> None:
    person.boxes(20, 10, 40, 30)
    person.do(acts.Accept(), acts.Select(1), acts.DeleteSelected())
    assert store.annotations() == ()
    (found,) = store._db.execute("SELECT box FROM attempt_steps").fetchall()
    assert Box(*json.loads(found["box"])) == Box(20, 10, 40, 30)
