"""Control objects: drawn by the project's seed, answered by the frozen weights, unseen until the accept, and compared."""

from __future__ import annotations

import csv
import json
import math
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from samtta_app.core.messages import AdaptRequest, MeasureRequest, PredictRequest, TwinRequest
from samtta_app.errors import StoreError
from samtta_app.formats import FORMATS
from samtta_app.session import acts
from samtta_app.session.object_records import GivenUpObject, ObjectRecord
from samtta_app.session.project.cells import LARGEST_NUMBER
from samtta_app.session.project.control_draws import is_control
from samtta_app.session.project.store import Store
from samtta_app.session.state import ControlFigures, MeanDifference
from samtta_app.session.statistics import control_groups
from samtta_app.session.statistics.control_groups import (
    FAILED_CLICKS,
    FEWEST_FOR_CLICKS,
    FEWEST_FOR_SECONDS,
    mean_difference,
)
from samtta_app.session.statistics.figure_notes import CONTROLS_NOTE
from samtta_app.session.statistics.statistics_export import statistics, write_statistics
from samtta_app.session.statistics.tally import Tally
from samtta_app.session.workflow.overlays import BLINDED
from tests.unit.session.scripted import HEIGHT, NAN, WIDTH, Person, accepted, record

FIRST = Path(__file__).parent / "data" / "first"


@pytest.fixture
def study(store: Store) -> Person:
    """A session in which a half of the objects is drawn, with a known seed."""
    return in_study(store, 0.5)


def in_study(store: Store, share: float, seed: int = 5) -> Person:
    with store._writing():
        store._put("control_seed", str(seed))
    return Person(store, control_share=share).starts()


def drawn(seed: int, share: float, count: int) -> list[bool]:
    return [is_control(seed, number, share) for number in range(1, count + 1)]


def asked_frozen(person: Person) -> list[bool]:
    return [request.frozen for request in person.script.sent(PredictRequest)]  # type: ignore[attr-defined]


# --- the draw -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_the_share_of_control_objects_is_the_one_that_was_set(share: float) -> None:
    assert np.mean(drawn(3, share, 4000)) == pytest.approx(share, abs=0.02)


def test_a_larger_share_only_adds_control_objects_and_another_project_draws_others() -> None:
    few, many = drawn(3, 0.1, 500), drawn(3, 0.3, 500)
    assert all(more or not less for less, more in zip(few, many, strict=True))
    assert drawn(4, 0.3, 500) != many
    assert not any(drawn(3, 0.0, 500))


def test_every_object_is_answered_and_stored_by_its_draw(study: Person, store: Store) -> None:
    for k in range(8):
        study.accepts(30 + 8 * k, 50)
    expected = drawn(5, 0.5, 8)
    assert True in expected
    assert False in expected
    assert [a.control for a in store.annotations()] == [r.control for r in store.records()] == expected
    assert asked_frozen(study) == expected


def test_all_clicks_of_an_object_have_the_same_draw(study: Person) -> None:
    study.accepts(30, 20, clicks=3)
    study.accepts(60, 50, clicks=3)
    first, second = drawn(5, 0.5, 2)
    assert asked_frozen(study) == [first] * 3 + [second] * 3


def test_a_resumed_session_goes_on_with_the_same_draws(folder: Path) -> None:
    with Store.open(folder) as store:
        person = in_study(store, 0.5)
        for k in range(3):
            person.accepts(30 + 8 * k, 50)
    with Store.open(folder) as store:
        person = Person(store, control_share=0.5).starts()
        for k in range(5):
            person.accepts(30 + 8 * k, 70)
        assert [a.control for a in store.annotations()] == drawn(5, 0.5, 8)


def test_the_seed_is_made_once_and_kept(folder: Path) -> None:
    with Store.open(folder) as store:
        before = [store.draws_control(0.5) for _ in range(3)]
        seed = store._control_seed()
        assert 0 <= seed <= LARGEST_NUMBER
    with Store.open(folder) as store:
        assert store._control_seed() == seed
        assert [store.draws_control(0.5) for _ in range(3)] == before


def test_neither_giving_up_nor_undo_draws_again(store: Store) -> None:
    person = in_study(store, 0.5)
    for _ in range(4):
        person.clicks(30, 20)
        person.do(acts.Cancel())
    person.clicks(30, 20)
    person.do(acts.Accept(), acts.Undo(), acts.Accept())
    (first,) = store.annotations()
    assert {a.control for a in store.attempts()} == {first.control} == {drawn(5, 0.5, 1)[0]}


def test_a_damaged_seed_is_replaced_and_named(folder: Path) -> None:
    with Store.open(folder) as store:
        store.draws_control(0.5)
    database = folder / ".samtta" / "project.db"
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("UPDATE meta SET value = ? WHERE key = 'control_seed'", (b"\xff",))
    with Store.open(folder) as store:
        store.draws_control(0.5)
        assert "control_seed" in store.notice
    with Store.open(folder) as store:
        store.draws_control(0.5)
        assert store.notice == ""


@pytest.mark.parametrize("number", ["-3", "1e5", "9" * 30, "x"])
def test_a_seed_that_is_no_number_of_ours_is_replaced(store: Store, number: str) -> None:
    with store._writing():
        store._put("control_seed", number)
    assert store.draws_control(1.0)
    assert store._recall("control_seed", "") != number


# --- when nothing is drawn ----------------------------------------------------------------------------------------------


def test_without_a_share_nothing_is_drawn(person: Person, store: Store) -> None:
    person.accepts()
    assert store.annotations()[0].control is None
    assert asked_frozen(person) == [False]
    assert store._recall("control_seed", "none") == "none"
    assert person.state.statistics.controls == ControlFigures()


def test_where_nothing_is_learned_nothing_is_drawn(store: Store) -> None:
    person = Person(store, control_share=0.5, strategy="frozen").starts()
    person.accepts()
    assert store.annotations()[0].control is None


def test_a_project_that_cannot_be_written_draws_nothing_and_answers(folder: Path) -> None:
    with Store.open(folder), Store.open_to_read(folder) as reading:
        person = Person(reading, control_share=0.5).starts()
        person.clicks(30, 20)
        assert person.state.preview.candidate is not None
        assert asked_frozen(person) == [False]


def test_a_full_disk_at_the_first_draw_costs_no_click(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: float) -> bool:
        raise StoreError("The project could not be written: the disk is full")

    person = Person(store, control_share=0.5).starts()
    monkeypatch.setattr(store, "draws_control", full)
    person.accepts()
    assert store.annotations()[0].control is None


# --- unseen, and still a lesson -----------------------------------------------------------------------------------------


def control_now(store: Store, **options: object) -> Person:
    """A session whose next object is a control object."""
    return in_study(store, 0.5, next(s for s in range(99) if is_control(s, 1, 0.5)))


def test_what_is_accepted_of_a_control_object_still_teaches_and_is_replayed(store: Store) -> None:
    person = control_now(store)
    saved = person.accepts()
    assert saved.control
    assert [r.example.object_id for r in person.script.sent(AdaptRequest) if r.learn] == [1]  # type: ignore[attr-defined]
    assert len(person.script.sent(TwinRequest)) == 1


def test_the_original_models_answer_is_not_shown_beside_a_preview(store: Store) -> None:
    person = control_now(store)
    person.clicks(30, 20)
    person.do(acts.Show(compare=True))
    assert not person.state.display.compare
    assert person.state.message.text == BLINDED
    assert not any(r.twin for r in person.script.sent(PredictRequest))  # type: ignore[attr-defined]
    person.do(acts.Show(compare=False, masks=False))
    assert not person.state.display.masks


def test_a_map_of_what_was_learned_would_tell_and_is_not_shown(store: Store) -> None:
    person = control_now(store)
    person.clicks(30, 20)
    person.do(acts.Show(overlay="adapted"))
    assert person.state.overlay.reason == BLINDED
    assert person.script.sent(MeasureRequest) == []


@pytest.mark.parametrize("number", [1, 2])
def test_other_maps_are_of_the_weights_that_answered(store: Store, number: int) -> None:
    seed = next(s for s in range(99) if drawn(s, 0.5, 2) == [True, False])
    person = in_study(store, 0.5, seed)
    for _ in range(number - 1):
        person.accepts()
    person.clicks(90, 70)
    person.do(acts.Show(overlay="ensemble"))
    (asked,) = person.script.sent(MeasureRequest)
    assert asked.frozen is (number == 1)  # type: ignore[attr-defined]


def test_without_control_objects_the_comparison_is_there(person: Person) -> None:
    person.clicks(30, 20)
    person.do(acts.Show(compare=True))
    assert person.state.preview.frozen is not None


# --- the comparison -----------------------------------------------------------------------------------------------------


def one(number: int, clicks: int, seconds: float, control: bool | None) -> ObjectRecord:
    return ObjectRecord(number, "a", "o", "", seconds, 0, (record(),) * clicks, control=control)


def groups(learned: int, control: int) -> list[ObjectRecord]:
    """Learning needs 2 or 3 clicks, the original 5 or 6."""
    made = [one(k, 2 + k % 2, 4.0 + k % 3, False) for k in range(learned)]
    return made + [one(1000 + k, 5 + k % 2, 9.0 + k % 3, True) for k in range(control)]


def test_both_groups_are_compared_by_clicks_and_seconds() -> None:
    found = statistics(groups(60, 30)).controls
    assert (found.learned.objects, found.control.objects) == (60, 30)
    assert (found.learned.clicks, found.control.clicks) == (2.5, 5.5)
    assert (found.learned.seconds, found.control.seconds) == (5.0, 10.0)
    assert found.clicks.value == -3.0
    assert -3.4 < found.clicks.low < -3.0 < found.clicks.high < -2.6
    assert found.seconds.low < -5.0 < found.seconds.high < -4.0
    assert found.sentence == "Learning saves clicks, by 30 control objects"


def test_objects_without_a_draw_are_in_no_group() -> None:
    undrawn = [one(5000 + k, 20, 99.0, None) for k in range(50)]
    assert statistics([*undrawn, *groups(60, 30)]).controls == statistics(groups(60, 30)).controls
    assert statistics(undrawn).controls == ControlFigures()


@pytest.mark.parametrize(("learned", "control"), [(200, FEWEST_FOR_CLICKS - 1), (FEWEST_FOR_CLICKS - 1, 40), (0, 1)])
def test_with_few_objects_in_a_group_it_says_so_and_claims_nothing(learned: int, control: int) -> None:
    found = statistics(groups(learned, control)).controls
    assert found.sentence == (
        f"Not enough objects yet: {control} control objects, {learned} others; each group needs {FEWEST_FOR_CLICKS}"
    )
    assert math.isnan(found.clicks.low)
    assert math.isnan(found.seconds.low)


def test_seconds_need_more_objects_than_clicks() -> None:
    few = statistics(groups(99, FEWEST_FOR_SECONDS - 1)).controls
    assert math.isfinite(few.clicks.low)
    assert math.isnan(few.seconds.low)
    assert math.isfinite(statistics(groups(99, FEWEST_FOR_SECONDS)).controls.seconds.low)


def test_it_says_when_learning_costs_clicks_and_when_nothing_is_clear() -> None:
    turned = [one(r.object_id, len(r.steps), r.seconds, not r.control) for r in groups(60, 30)]
    assert statistics(turned).controls.sentence.startswith("Learning costs clicks")
    alike = [one(k, 1 + k % 7, 5.0, k % 2 == 0) for k in range(84)]
    assert statistics(alike).controls.sentence.startswith("No clear difference in clicks")


def test_objects_that_are_all_alike_give_no_interval() -> None:
    alike = [one(k, 2, 5.0, k % 2 == 0) for k in range(80)]
    found = statistics(alike).controls
    assert found.sentence.startswith("Too little spread to tell")
    assert math.isnan(found.clicks.low)


def test_given_up_objects_count_in_their_group_with_the_limit() -> None:
    vain = [GivenUpObject(k, "a", "o", "left", 60.0, "", (record(iou=NAN),), control=True) for k in range(1, 11)]
    found = statistics(groups(60, 30), vain).controls
    assert found.control.objects == 40
    assert found.control.clicks == (30 * 5.5 + 10 * FAILED_CLICKS) / 40
    assert found.control.seconds == (30 * 10.0 + 10 * 60.0) / 40


def test_more_clicks_than_the_limit_count_as_the_limit() -> None:
    assert statistics([one(1, 34, 5.0, True)]).controls.control.clicks == FAILED_CLICKS


def test_an_object_whose_time_is_unknown_is_in_no_group() -> None:
    assert statistics([one(1, 3, NAN, True)]).controls == ControlFigures()


def test_the_figures_do_not_depend_on_the_order_and_go_back_when_an_object_goes() -> None:
    records = groups(60, 30)
    tally = Tally(reversed(records))
    before = tally.figures().controls
    assert before == statistics(records).controls
    tally.put(one(7777, 20, 300.0, True))
    assert tally.figures().controls != before
    tally.drop(7777)
    assert tally.figures().controls == before


def test_the_groups_are_compared_again_only_where_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    compare = control_groups.compare_groups
    monkeypatch.setattr(
        "samtta_app.session.statistics.tally.compare_groups",
        lambda efforts: compared.append(1) or compare(efforts),  # type: ignore[func-returns-value]
    )
    tally = Tally(groups(20, 20))
    for _ in range(3):
        tally.figures()
        tally.put(one(1, 3, 5.0, False))  # as it was
    assert len(compared) == 1


def test_the_interval_is_that_of_the_textbook_on_many_objects() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(3, 1, 400), rng.normal(5, 2, 400)
    found = mean_difference(left, right)
    error = math.sqrt(left.var(ddof=1) / 400 + right.var(ddof=1) / 400)
    assert found.value == left.mean() - right.mean()
    assert (found.value - found.low) / error == pytest.approx(1.96, abs=0.15)
    assert (found.high - found.value) / error == pytest.approx(1.96, abs=0.15)


def test_large_groups_are_drawn_block_by_block_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(3, 1, 50), rng.normal(5, 2, 50)
    whole = mean_difference(left, right)
    monkeypatch.setattr(control_groups, "_BLOCK", 700)
    assert mean_difference(left, right) == whole


def test_one_object_in_a_group_gives_no_interval() -> None:
    found = mean_difference(np.array([1.0, 1.0]), np.array([2.0, 2.0]))
    assert found.value == -1.0
    assert math.isnan(found.low)
    assert isinstance(found, MeanDifference)


# --- what is stored and exported ----------------------------------------------------------------------------------------


def test_the_statistics_export_says_which_objects_were_controls(store: Store, tmp_path: Path) -> None:
    for control in (None, False, True):
        store.accept(accepted(control=control), WIDTH, HEIGHT)
    store.log_attempt(GivenUpObject(0, "a.png", "object", "left", 2.5, "", (record(iou=NAN),), control=True))
    write_statistics(store, tmp_path / "out")
    for name, expected in (("objects", ["", "0", "1"]), ("attempts", ["1"])):
        with (tmp_path / "out" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            assert [row["control"] for row in csv.DictReader(file)] == expected
    found = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert found["figures"]["controls"]["control"]["objects"] == 2
    assert found["figures"]["controls"]["sentence"].startswith("Not enough objects yet")
    assert CONTROLS_NOTE in found["notes"]


@pytest.mark.parametrize("kind", FORMATS)
def test_an_export_of_masks_does_not_say_which_model_answered(folder: Path, tmp_path: Path, kind: str) -> None:
    with Store.open(folder) as store:
        store.accept(accepted(control=True), WIDTH, HEIGHT)
        FORMATS[kind].write(store.project(), tmp_path / "control")
        with store._writing():
            store._db.execute("UPDATE annotations SET control = NULL")
        FORMATS[kind].write(store.project(), tmp_path / "plain")
    files = [{p.name: p.read_bytes() for p in (tmp_path / n).rglob("*") if p.is_file()} for n in ("control", "plain")]
    assert files[0] == files[1]


def test_objects_of_an_older_project_have_no_draw(tmp_path: Path) -> None:
    shutil.copytree(FIRST / "images", tmp_path / "images")
    shutil.copytree(FIRST / "project", tmp_path / "images" / ".samtta")
    with Store.open(tmp_path / "images") as store:
        assert {r.control for r in store.records()} == {None}
        assert {a.control for a in store.annotations()} == {None}
