"""Figures that run along are equal, to the last bit, to those of the same records taken from the beginning."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samtta_app.core.metrics import failure_rate, number_of_clicks
from samtta_app.core.types import Gaps
from samtta_app.session import acts, review_acts
from samtta_app.session.object_records import ObjectRecord
from samtta_app.session.project.store import Store
from samtta_app.session.sort_keys import worst
from samtta_app.session.statistics.review import to_review, trust
from samtta_app.session.statistics.statistics_export import statistics
from samtta_app.session.statistics.tally import Tally
from samtta_app.session.workflow.workflow import Workflow
from tests.unit.session.scripted import HEIGHT, WIDTH, Person, accepted, record

SHARE = st.floats(0, 1) | st.just(math.nan)
TRAJECTORY = st.lists(st.floats(0, 1), max_size=31).map(tuple)


@st.composite
def things(draw: st.DrawFn) -> ObjectRecord:
    steps = tuple(
        replace(record(iou=draw(SHARE)), predicted_iou=draw(SHARE), gaps=Gaps(0, 0, 0, draw(SHARE)) if gaps else None)
        for gaps in draw(st.lists(st.booleans(), max_size=5))
    )
    twins = draw(st.none() | st.tuples(TRAJECTORY, TRAJECTORY | st.none()))
    return ObjectRecord(
        *(draw(st.integers(1, 12)), draw(st.sampled_from(["a.png", "b.png"])), "object", ""),
        *(draw(st.floats(0, 1e6) | st.just(math.nan)), 0, steps, *(twins or (None, None))),
        replayed_version=draw(st.integers(0, 2)),
        reviewed=draw(st.booleans()),
    )


def equal(one: object, other: object) -> bool:
    """Equality with nan equal to nan: the text of a float is exact."""
    return repr(one) == repr(other)


def test_an_object_of_which_nothing_is_known_does_not_change_the_order_of_the_others() -> None:
    """No number is greater or less than nan, so that a sort with one in it is none."""
    expected = {1: 0.4, 2: 0.1, 3: math.nan, 4: 0.3, 5: math.nan, 6: 0.2}
    records = [
        ObjectRecord(number, "a.png", "object", "", 1.0, 0, (replace(record(iou=1.0), predicted_iou=iou),))
        for number, iou in expected.items()
    ]
    assert [r.object_id for r in to_review(records)] == [2, 6, 4, 1]
    assert [r.object_id for r in Tally(records).queue()] == [2, 6, 4, 1]


@given(st.lists(things() | st.integers(1, 12), max_size=40))
def test_after_any_changes_the_figures_are_those_of_the_records_that_are_left(
    changes: list[ObjectRecord | int],
) -> None:
    tally, left = Tally(), dict[int, ObjectRecord]()
    for change in changes:
        if isinstance(change, int):
            tally.drop(change)
            left.pop(change, None)
        else:
            tally.put(change)
            left[change.object_id] = change
        tally.figures()  # what is kept from here must not go stale
    records = [left[number] for number in sorted(left)]
    assert equal(tally.figures(), statistics(records))
    assert equal(tally.figures().trust, trust(records))
    assert [r.object_id for r in tally.queue()] == [r.object_id for r in to_review(records)]
    assert tally.figures().review == len(to_review(records))
    assert {name: tally.worst(name) for name in tally.images() if tally.worst(name)} == worst(records)
    assert len(tally) == len(records)


@given(st.lists(things(), max_size=30, unique_by=lambda r: r.object_id))
def test_the_figures_are_the_means_of_the_definitions(records: list[ObjectRecord]) -> None:
    records.sort(key=lambda r: r.object_id)
    found = Tally(records).figures()
    replayed = [r for r in records if r.frozen is not None]
    frozen, adapted = [r.frozen or () for r in replayed], [r.adapted or () for r in replayed]
    for side, sequences in ((found.frozen, frozen), (found.adapted, adapted)):
        assert side.objects == len(replayed)
        assert equal(side.noc_85, number_of_clicks(sequences, 0.85, 20))
        assert equal(side.noc_90, number_of_clicks(sequences, 0.9, 30))
        assert equal(side.fr_20_85, failure_rate(sequences, 0.85, 20))
        assert equal(side.fr_30_90, failure_rate(sequences, 0.9, 30))
    seconds = np.mean([r.seconds for r in records]) if records else math.nan
    assert found.seconds_per_object == pytest.approx(seconds, nan_ok=True)


@given(st.lists(things(), max_size=30, unique_by=lambda r: r.object_id), st.randoms())
def test_the_order_in_which_records_are_read_does_not_matter(records: list[ObjectRecord], random: object) -> None:
    shuffled = list(records)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert equal(Tally(shuffled).figures(), Tally(sorted(records, key=lambda r: r.object_id)).figures())


def test_an_accept_looks_at_no_record_but_its_own_and_the_newest_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ten times the objects the same number of records is looked at: counted, not timed."""
    looked: list[int] = []
    real = ObjectRecord.__getattribute__

    def counted(self: ObjectRecord, name: str) -> object:
        looked.append(1)
        return real(self, name)

    def cost(objects: int) -> int:
        tally = Tally(ObjectRecord(k, f"{k}.png", "o", "", 1.0, 0, (record(), record())) for k in range(objects))
        tally.figures()
        monkeypatch.setattr(ObjectRecord, "__getattribute__", counted)
        looked.clear()
        tally.put(ObjectRecord(objects, "new.png", "o", "", 1.0, 0, (record(), record())))
        tally.figures()
        monkeypatch.undo()
        return len(looked)

    assert cost(20_000) == cost(2_000)


# --- read in steps ----------------------------------------------------------------------------------------------------


def filled(store: Store, objects: int) -> None:
    for k in range(objects):
        store.accept(accepted(f"{'abc'[k % 3]}.png"), WIDTH, HEIGHT)


def test_records_read_in_steps_are_all_of_them_in_order(store: Store) -> None:
    filled(store, 11)
    store.set_deleted(4, True)
    steps = list(store.records_in_steps(size=3))
    assert [len(some) for some in steps] == [3, 3, 3, 1]
    assert [r for some in steps for r in some] == list(store.records())


def test_while_records_are_read_nothing_is_claimed_and_then_everything(store: Store) -> None:
    filled(store, 7)
    workflow = Workflow(store)
    workflow.start(at_once=False)
    workflow._desk._unread = workflow._desk._read(size=3)
    assert workflow.read_on()
    assert workflow.state.statistics.sentence == "Reading the records of earlier objects: 3 of 7"
    assert workflow.state.statistics.objects == 0
    while workflow.read_on():
        pass
    assert workflow.state.statistics == statistics(store.records())
    assert [entry.worst for entry in workflow.state.images] == [
        worst(store.records())[n] for n in ("a.png", "b.png", "c.png")
    ]
    assert not workflow.read_on()


def test_what_is_done_while_records_are_read_is_in_the_figures(store: Store) -> None:
    filled(store, 9)
    person = Person(store, learn=False, twin=False)
    person.does(person.workflow.start(at_once=False))
    person.workflow._desk._unread = person.workflow._desk._read(size=4)
    person.workflow.read_on()
    person.accepts()  # 10
    for number in (1, 7):  # one that was read, one that was not
        person.do(acts.Select(number))
        person.do(acts.DeleteSelected())
    person.do(acts.Undo())
    person.do(acts.Select(4))
    person.do(review_acts.ConfirmReview())
    while person.workflow.read_on():
        pass
    assert [p.object_id for p in person.state.statistics.stream] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert person.state.statistics == statistics(store.records())


def test_a_review_before_all_records_are_read_says_so(store: Store) -> None:
    filled(store, 3)
    person = Person(store)
    person.does(person.workflow.start(at_once=False))
    person.do(review_acts.NextReview())
    assert "still being read" in person.state.message.text
