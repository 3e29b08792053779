"""Masks are rated one at a time, in a drawn order, without what made them; ratings are stored, undone and counted."""

from __future__ import annotations

import csv
import json
import math
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from samtta_app.errors import StoreError
from samtta_app.session import acts, review_acts
from samtta_app.session.acts import UserAct
from samtta_app.session.object_records import ObjectRecord
from samtta_app.session.project import migrations, schema
from samtta_app.session.project.store import Store
from samtta_app.session.statistics.statistics_export import statistics, write_statistics
from samtta_app.session.workflow.rating import NOT_NOW
from tests.unit.session.scripted import HEIGHT, WIDTH, Person, Script, accepted, record

IMAGES = ("a.png", "b.png", "a.png", "c.png", "b.png")


def thing(number: int, rating: int | None, version: int = 0) -> ObjectRecord:
    return ObjectRecord(number, "a.png", "object", "", 1.0, version, (record(),), rating=rating)


@pytest.fixture
def ids(store: Store) -> tuple[int, ...]:
    """Five masks in three images, made by versions 0, 1, 2, 0 and 1."""
    made = [accepted(name, weights_version=k % 3) for k, name in enumerate(IMAGES)]
    return tuple(store.accept(each, WIDTH, HEIGHT).id for each in made)


@pytest.fixture
def rater(store: Store, ids: tuple[int, ...]) -> Person:
    return Person(store, Script(), learn=False).starts()


def stored(store: Store) -> dict[int, int | None]:
    return {entry.object_id: entry.rating for entry in store.records() if entry.rating is not None}


def order(person: Person, seed: int) -> list[int]:
    """The masks of a whole run, in their order; nothing is rated."""
    person.do(acts.StartRating(seed))
    rating = person.state.rating
    person.do(acts.StopRating())
    return [rating.object_id, *rating.left]


def text(person: Person) -> str:
    return person.state.message.text


# --- a run ------------------------------------------------------------------------------------------------------------


def test_every_mask_comes_once_in_an_order_that_the_seed_decides(rater: Person, ids: tuple[int, ...]) -> None:
    assert sorted(order(rater, 0)) == list(ids)
    assert order(rater, 0) == order(rater, 0)
    assert len({tuple(order(rater, seed)) for seed in range(6)}) > 1
    assert list(ids) not in [order(rater, seed) for seed in (0, 1)]


def test_each_mask_is_shown_alone_in_its_image(rater: Person, ids: tuple[int, ...]) -> None:
    rater.do(acts.StartRating())
    for _ in ids:
        state = rater.state
        assert state.image is not None
        assert [a.id for a in state.annotations] == [state.rating.object_id] == [state.selected]
        assert state.images[state.index].name == IMAGES[ids.index(state.selected)]
        rater.do(acts.Rate(5))
    assert rater.state.rating is None
    assert text(rater) == "Rated: 5 masks"
    assert len(rater.state.annotations) >= 1


def test_nothing_says_how_a_mask_was_made_or_how_good_it_may_be(rater: Person) -> None:
    named = [entry.worst for entry in rater.state.images]
    assert any(named)
    rater.do(acts.StartRating())
    for _ in range(5):
        (shown,) = rater.state.annotations
        assert shown.weights_version == 0
        assert math.isnan(shown.expected_iou)
        assert math.isnan(shown.uncertainty)
        assert shown.gaps is None
        assert shown.clicks == ()
        assert not any(entry.worst for entry in rater.state.images)
        assert rater.state.statistics.ratings is None
        assert rater.state is rater.state
        rater.do(acts.Turn())
    rater.do(acts.StopRating())
    assert [entry.worst for entry in rater.state.images] == named


def test_masks_of_every_version_are_mixed_and_what_is_stored_is_not_blinded(
    rater: Person, store: Store, ids: tuple[int, ...]
) -> None:
    rater.do(acts.StartRating())
    rater.do(*(acts.Rate(k) for k in (1, 2, 3, 4, 10)))
    assert sorted(stored(store).values()) == [1, 2, 3, 4, 10]
    assert [a.weights_version for a in store.annotations()] == [0, 1, 2, 0, 1]
    assert all(math.isfinite(a.predicted_iou) and a.clicks for a in store.annotations())


def test_a_run_goes_on_with_what_is_not_rated_also_in_a_later_session(rater: Person, store: Store) -> None:
    rater.do(acts.StartRating(), acts.Rate(7), acts.Rate(8), acts.Cancel())
    assert text(rater) == "Rated: 2 masks"
    again = Person(store, Script(), learn=False).starts()
    again.do(acts.StartRating())
    assert len(again.state.rating.left) == 2
    again.do(*[acts.Rate(9)] * 3)
    assert sorted(stored(store).values()) == [7, 8, 9, 9, 9]
    again.do(acts.StartRating())
    assert text(again) == "Every mask is rated"
    assert again.state.rating is None


def test_a_mask_can_be_skipped_and_comes_last(rater: Person, store: Store) -> None:
    rater.do(acts.StartRating())
    first = rater.state.rating.object_id
    rater.do(acts.Turn())
    assert rater.state.rating.left[-1] == first
    rater.do(*[acts.Rate(4)] * 4)
    assert rater.state.rating.object_id == first
    rater.do(acts.Turn())
    assert rater.state.rating.object_id == first
    assert first not in stored(store)


@pytest.mark.parametrize(
    "act",
    [
        acts.Accept(),
        review_acts.NextReview(),
        review_acts.ConfirmReview(),
        acts.NextImage(),
        acts.OpenImage(1),
        acts.DeleteSelected(),
        acts.SetClass(1),
        acts.StartRating(3),
        acts.RemoveClick(),
        acts.Select(None),
    ],
    ids=repr,
)
def test_nothing_else_is_done_meanwhile(rater: Person, store: Store, act: UserAct) -> None:
    rater.do(acts.StartRating())
    before, objects = rater.state.rating, len(store.annotations())
    rater.do(act)
    assert rater.state.rating == before
    assert text(rater) == NOT_NOW
    assert len(store.annotations()) == objects


def test_a_click_begins_no_object_meanwhile(rater: Person) -> None:
    rater.do(acts.StartRating())
    rater.clicks(20, 20)
    assert rater.state.preview is None
    assert text(rater) == NOT_NOW


def test_a_preview_is_put_aside_and_can_be_taken_up_again_afterwards(rater: Person) -> None:
    rater.clicks(60, 50)
    rater.do(acts.StartRating())
    assert rater.state.preview is None
    rater.do(acts.StopRating(), acts.Undo())
    assert rater.state.preview is not None


def test_a_rating_outside_the_scale_or_outside_a_run_is_refused(rater: Person, store: Store) -> None:
    rater.do(acts.Rate(5))
    assert text(rater) == "No masks are being rated"
    rater.do(acts.StartRating(), acts.Rate(0))
    assert text(rater) == "Ratings go from 1 to 10"
    rater.do(acts.Rate(11))
    assert stored(store) == {}


def test_a_mask_that_is_not_on_the_screen_yet_is_not_rated(rater: Person, store: Store) -> None:
    rater.workflow.do(acts.OpenImage(2))
    requests = rater.workflow.do(acts.StartRating())
    assert rater.state.image is None
    rater.workflow.do(acts.Rate(5))
    assert text(rater) == "The mask is not on the screen yet"
    rater.does(requests)
    rater.do(acts.Rate(5))
    assert len(stored(store)) == 1


def test_images_that_are_gone_or_cannot_be_read_are_left_out(rater: Person, ids: tuple[int, ...]) -> None:
    rater.workflow._desk.change(images=rater.state.images[:2])
    rater.script.unreadable.add("b.png")
    rater.do(acts.StartRating())
    while rater.state.rating is not None:
        if rater.state.image is None:  # it turned out to be unreadable when it was opened
            assert "b.png" in text(rater)
            rater.do(acts.Rate(3))
            assert text(rater) == "The mask is not on the screen yet"
        rater.do(acts.Turn() if rater.state.image is None else acts.Rate(3))
    assert set(stored(rater.workflow.store)) == {ids[0], ids[2]}


def test_there_may_be_nothing_to_rate(person: Person) -> None:
    person.do(acts.StartRating())
    assert text(person) == "There is no mask to rate yet"
    assert person.state.rating is None


def test_a_project_that_cannot_be_written_is_not_rated(rater: Person) -> None:
    rater.workflow._desk.change(read_only=True)
    rater.do(acts.StartRating())
    assert "read-only" in text(rater)


def test_records_that_are_still_being_read_are_waited_for(store: Store, ids: tuple[int, ...]) -> None:
    early = Person(store, Script(), learn=False)
    early.does(early.workflow.start(at_once=False))
    early.do(acts.StartRating())
    assert "still being read" in text(early)


# --- undo and redo ----------------------------------------------------------------------------------------------------


def test_undo_takes_a_rating_back_and_shows_its_mask_again(rater: Person, store: Store) -> None:
    rater.do(acts.StartRating())
    before = rater.state.rating
    rater.do(acts.Rate(2))
    rater.do(acts.Undo())
    assert rater.state.rating == before
    assert rater.state.selected == before.object_id
    assert rater.state.image is not None
    assert stored(store) == {}
    rater.do(acts.Redo())
    assert stored(store) == {before.object_id: 2}
    assert rater.state.rating.object_id == before.left[0]
    assert rater.state.rating.done == 1


def test_an_undone_rating_can_be_given_another_value(rater: Person, store: Store) -> None:
    rater.do(acts.StartRating(), acts.Rate(2), acts.Undo(), acts.Rate(9))
    assert list(stored(store).values()) == [9]


def test_in_a_run_nothing_but_ratings_is_undone(rater: Person, store: Store) -> None:
    rater.accepts(30, 40)
    rater.do(acts.StartRating(), acts.Undo())
    assert text(rater) == "There is no rating to undo"
    rater.do(acts.Redo())
    assert text(rater) == "There is no rating to redo"
    assert len(store.annotations()) == 6
    rater.do(acts.StopRating(), acts.Undo())
    assert len(store.annotations()) == 5


def test_after_a_run_its_ratings_are_undone_like_other_acts(rater: Person, store: Store) -> None:
    rater.do(acts.StartRating(), acts.Rate(2), acts.Rate(3), acts.StopRating())
    rater.do(acts.Undo())
    assert list(stored(store).values()) == [2]
    rater.do(acts.Undo(), acts.Redo(), acts.Redo())
    assert list(stored(store).values()) == [2, 3]


def test_where_a_rating_cannot_be_stored_the_mask_stays(rater: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    rater.do(acts.StartRating())
    before = rater.state.rating

    def fail(*_: object) -> None:
        raise StoreError("The disk is full")

    monkeypatch.setattr(Store, "rate", fail)
    rater.do(acts.Rate(4))
    assert "disk is full" in text(rater)
    assert rater.state.rating == before


def test_a_deleted_object_takes_its_rating_with_it_and_undo_brings_both_back(rater: Person, store: Store) -> None:
    rater.do(acts.StartRating(), acts.Rate(6), acts.StopRating())
    (rated,) = stored(store)
    rater.do(acts.OpenImage([e.name for e in rater.state.images].index(IMAGES[rated - 1])), acts.Select(rated))
    rater.do(acts.DeleteSelected())
    assert rater.state.statistics.ratings is None
    rater.do(acts.Undo())
    assert stored(store) == {rated: 6}
    assert rater.state.statistics.ratings is not None


# --- figures ----------------------------------------------------------------------------------------------------------


def test_ratings_are_counted_by_the_version_that_made_the_mask() -> None:
    values = [(6, 0), (8, 0), (9, 1), (10, 3), (8, 3)]
    found = statistics([thing(k, value, version) for k, (value, version) in enumerate(values)]).ratings
    assert found is not None
    assert (found.frozen.ratings, found.frozen.mean) == (2, 7.0)
    assert (found.adapted.ratings, found.adapted.mean) == (3, 9.0)
    assert found.difference.mean == 2.0
    assert [(version, mean.ratings, mean.mean) for version, mean in found.versions] == [(0, 2, 7), (1, 1, 9), (3, 2, 9)]
    assert math.isnan(found.difference.low)


def test_without_a_rating_there_is_no_figure() -> None:
    assert statistics([thing(1, None)]).ratings is None
    assert statistics(()).ratings is None


def test_a_rating_that_changes_is_counted_once(rater: Person) -> None:
    rater.do(acts.StartRating(), acts.Rate(2), acts.Undo(), acts.Rate(10), acts.StopRating())
    found = rater.state.statistics.ratings
    assert found.frozen.ratings + found.adapted.ratings == 1
    assert {each.mean for _, each in found.versions} == {10.0}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_exports_hold_every_rating_and_the_means(store: Store, ids: tuple[int, ...], tmp_path: Path) -> None:
    for number in range(12):
        store.rate(store.accept(accepted(weights_version=4), WIDTH, HEIGHT).id, 8 + number % 2)
    store.rate(ids[0], 3)
    write_statistics(store, tmp_path)
    objects = table(tmp_path / "objects.csv")
    assert [row["rating"] for row in objects[:6]] == ["3", "", "", "", "", "8"]
    means = {row["masks_of"]: row for row in table(tmp_path / "ratings.csv")}
    assert list(means) == ["frozen", "adapted", "adapted - frozen", "version 0", "version 4"]
    assert (means["frozen"]["ratings"], means["frozen"]["mean"], means["frozen"]["low"]) == ("1", "3", "")
    assert (means["adapted"]["ratings"], means["adapted"]["mean"]) == ("12", "8.5")
    assert 8 < float(means["adapted"]["low"]) < 8.5 < float(means["adapted"]["high"]) < 9
    assert means["adapted - frozen"]["mean"] == "5.5"
    plain = json.loads((tmp_path / "statistics.json").read_text())
    assert plain["figures"]["ratings"]["adapted"]["mean"] == 8.5
    assert plain["figures"]["ratings"]["frozen"]["low"] is None


def test_without_ratings_the_table_is_empty(store: Store, ids: tuple[int, ...], tmp_path: Path) -> None:
    write_statistics(store, tmp_path)
    assert table(tmp_path / "ratings.csv") == []


# --- on disk ----------------------------------------------------------------------------------------------------------


def test_a_project_of_before_gets_room_for_ratings(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as older:
        older.setattr(schema, "MIGRATIONS", tuple(m for m in migrations.MIGRATIONS if m[0] != "ratings"))
        with closing(schema.in_memory()) as db:
            schema.migrate(db, schema.MIGRATIONS)
            assert schema.table_layout(db, "ratings") == []
        before = Store.open(folder)
        number = before.accept(accepted(), WIDTH, HEIGHT).id
        before.close()
    with Store.open(folder) as store:
        store.rate(number, 10)
        assert stored(store) == {number: 10}
        assert len(store.annotations()) == 1


def test_a_value_that_was_never_given_is_left_out_and_named(folder: Path) -> None:
    with Store.open(folder) as store:
        number = store.accept(accepted(), WIDTH, HEIGHT).id
        store.rate(number, 5)
    with closing(sqlite3.connect(folder / ".samtta" / "project.db")) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("UPDATE ratings SET value = 11")
        db.commit()
    with Store.open(folder) as store:
        assert [entry.rating for entry in store.records()] == [None]
        assert f"rating of object {number}" in store.notice
        assert len(store.annotations()) == 1


def test_a_record_carries_its_rating(store: Store, ids: tuple[int, ...]) -> None:
    store.rate(ids[1], 4)
    store.rate(ids[1], 9)
    assert stored(store) == {ids[1]: 9}
    store.rate(ids[1], None)
    assert stored(store) == {}
    assert replace(store.records()[0], rating=3).rating == 3
