"""Whatever a hand did in this run can be taken back, in order, and done again."""

from __future__ import annotations

import pytest

from samtta_app.core.messages import AdaptRequest, ForgetRequest, LoadRequest, PredictRequest, TwinRequest
from samtta_app.core.types import Click
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.statistics.statistics_export import statistics
from samtta_app.session.workflow.history import LEVELS
from tests.unit.session.scripted import Person, Script


def undo(person: Person, times: int = 1) -> None:
    for _ in range(times):
        person.do(acts.Undo())


def redo(person: Person, times: int = 1) -> None:
    for _ in range(times):
        person.do(acts.Redo())


def test_nothing_can_be_undone_at_first(person: Person) -> None:
    assert not person.state.can_undo
    assert not person.state.can_redo
    undo(person)
    assert "nothing to undo" in person.state.message.text
    redo(person)
    assert "nothing to redo" in person.state.message.text


def test_undo_takes_the_last_click_back_without_asking_the_engine(person: Person) -> None:
    person.clicks(30, 20)
    before = person.state.preview
    person.clicks(40, 20)
    asked = len(person.script.requests)
    undo(person)
    assert person.state.preview is before
    assert len(person.script.requests) == asked
    redo(person)
    assert len(person.state.preview.clicks) == 2
    assert not person.state.preview.waiting


def test_undo_of_the_first_click_leaves_no_preview(person: Person) -> None:
    person.clicks(30, 20)
    undo(person)
    assert person.state.preview is None
    assert person.state.can_redo
    redo(person)
    assert person.state.preview.candidate is not None


def test_the_answer_to_a_click_that_was_undone_is_dropped(person: Person) -> None:
    person.clicks(30, 20)
    before = person.state.preview
    (request,) = person.workflow.do(acts.PlaceClick(Click(40, 20, True)))
    undo(person)
    person.does(person.workflow.receive(person.script.answer(request)))
    assert person.state.preview is before


def test_redo_of_a_click_that_was_never_answered_asks_again(person: Person) -> None:
    person.clicks(30, 20)
    person.workflow.do(acts.PlaceClick(Click(40, 20, True)))
    undo(person)
    redo(person)
    assert len(person.state.preview.clicks) == 2
    assert not person.state.preview.waiting


def test_a_new_click_forgets_what_was_undone(person: Person) -> None:
    person.clicks(30, 20)
    person.clicks(40, 20)
    undo(person)
    person.clicks(50, 20)
    assert not person.state.can_redo
    assert [c.x for c in person.state.preview.clicks] == [30, 50]


def test_clicks_that_were_undone_are_not_in_the_stored_history_but_their_time_is(person: Person, store: Store) -> None:
    person.clicks(30, 20)
    person.clock.wait(3)
    person.clicks(40, 20)
    person.clock.wait(2)
    undo(person)
    person.clock.wait(1)
    person.do(acts.Accept())
    (found,) = store.annotations()
    assert len(found.history) == 1
    assert found.seconds == pytest.approx(6)


def test_undo_of_an_accept_withdraws_the_object_and_brings_the_preview_back(person: Person, store: Store) -> None:
    person.clicks(30, 20)
    person.clicks(33, 20)
    mask = person.state.preview.candidate.mask
    person.do(acts.Accept())
    undo(person)
    assert store.annotations() == ()
    assert person.state.annotations == ()
    assert person.state.images[0].objects == 0
    assert person.state.preview.candidate.mask is mask
    assert person.script.sent(ForgetRequest)[-1].object_id == 1  # type: ignore[attr-defined]
    assert person.state.statistics.objects == 0


def test_a_preview_that_came_back_can_be_mended_and_accepted(person: Person, store: Store) -> None:
    person.accepts(30, 20, clicks=2)
    undo(person)
    person.clicks(36, 20)
    person.do(acts.Accept())
    (found,) = store.annotations()
    assert found.id == 2
    assert len(found.history) == 3
    assert found.history[0].iou < found.history[1].iou < found.history[2].iou == 1.0


def test_steps_before_an_undone_accept_can_be_undone_too(person: Person) -> None:
    person.accepts(30, 20, clicks=3)
    undo(person, 2)
    assert len(person.state.preview.clicks) == 2
    assert not person.state.preview.waiting
    assert len(person.state.preview.history) == 2
    undo(person, 2)
    assert person.state.preview is None
    assert not person.state.can_undo


def test_redo_of_an_accept_accepts_the_same_object_again(person: Person, store: Store) -> None:
    saved = person.accepts(30, 20, clicks=3)
    undo(person, 4)
    redo(person, 4)
    assert person.state.preview is None
    assert person.state.annotations == (saved,)
    assert [a.id for a in store.annotations()] == [1]
    assert not person.state.can_redo
    assert person.script.sent(AdaptRequest)[-1].learn  # type: ignore[attr-defined]
    assert len(person.script.sent(TwinRequest)) == 1


def test_the_time_away_from_an_undone_object_does_not_count(person: Person, store: Store) -> None:
    person.clicks(30, 20)
    person.clock.wait(2)
    person.do(acts.Accept())
    person.clock.wait(1000)
    undo(person)
    person.clock.wait(3)
    person.do(acts.Accept())
    assert store.annotations()[0].seconds == pytest.approx(5)


def test_a_cancel_can_be_undone(person: Person) -> None:
    person.clicks(30, 20)
    person.clicks(33, 20)
    area = person.state.preview.candidate.mask.area
    person.do(acts.Cancel())
    assert person.state.preview is None
    undo(person)
    assert person.state.preview.candidate.mask.area == area
    redo(person)
    assert person.state.preview is None


def test_a_deletion_can_be_undone_and_redone(person: Person, store: Store) -> None:
    for x in (30, 60, 90):
        person.accepts(x, 50)
    person.do(acts.Select(2))
    person.do(acts.DeleteSelected())
    assert [a.id for a in store.annotations()] == [1, 3]
    undo(person)
    assert [a.id for a in person.state.annotations] == [a.id for a in store.annotations()] == [1, 2, 3]
    assert not person.script.sent(AdaptRequest)[-1].learn  # type: ignore[attr-defined]
    redo(person)
    assert [a.id for a in person.state.annotations] == [1, 3]
    assert len(person.script.sent(ForgetRequest)) == 2


def test_the_figures_after_undo_and_redo_are_those_of_the_stored_records(person: Person, store: Store) -> None:
    for x in (30, 60, 90):
        person.accepts(x, 50)
    person.do(acts.AddClass("leaf"))
    person.do(acts.Select(2))
    person.do(acts.SetClass(2))
    person.do(acts.DeleteSelected())
    assert person.state.statistics == statistics(store.records())
    undo(person)
    assert [p.object_id for p in person.state.statistics.stream] == [1, 2, 3]
    assert person.state.statistics == statistics(store.records())


def test_a_replay_that_ends_while_its_object_is_withdrawn_is_not_lost(person: Person, store: Store) -> None:
    person.clicks(60, 50)
    replay, _ = person.workflow.do(acts.Accept())
    undo(person)
    person.does(person.workflow.receive(person.script.answer(replay)))
    assert person.state.statistics.stream == ()
    redo(person)
    assert person.state.statistics == statistics(store.records())
    assert person.state.statistics.stream[0].frozen == 2


def test_a_class_change_can_be_undone_and_redone(person: Person, store: Store) -> None:
    person.accepts()
    person.do(acts.AddClass("leaf"))
    person.do(acts.Select(1))
    person.do(acts.SetClass(2))
    undo(person)
    assert person.state.annotations[0].class_id == store.annotations()[0].class_id == 1
    redo(person)
    assert person.state.annotations[0].class_id == store.annotations()[0].class_id == 2


def test_undo_goes_back_to_the_image_where_it_was_done(person: Person, store: Store) -> None:
    person.clicks(30, 20)
    person.do(acts.Accept(then_next=True))
    undo(person)
    assert person.state.index == 0
    assert person.state.preview.candidate is not None
    assert store.annotations() == ()


def test_redo_goes_to_the_image_where_it_was_done(person: Person, store: Store) -> None:
    person.accepts(30, 20)
    undo(person)
    undo(person)
    person.do(acts.NextImage())
    redo(person, 2)
    assert person.state.index == 0
    assert len(store.annotations("a.png")) == 1


def test_leaving_an_image_puts_the_preview_aside_and_undo_brings_it_back(person: Person) -> None:
    person.clicks(30, 20)
    person.clicks(34, 20)
    person.do(acts.NextImage())
    assert person.state.preview is None
    undo(person)
    assert person.state.index == 0
    assert len(person.state.preview.clicks) == 2


def test_another_image_opened_meanwhile_ends_the_way_back(person: Person, store: Store) -> None:
    person.clicks(30, 20)
    person.do(acts.Accept(then_next=True))
    (back,) = person.workflow.do(acts.Undo())
    assert isinstance(back, LoadRequest)
    requests = person.workflow.do(acts.OpenImage(2))
    person.workflow.receive(person.script.answer(back))
    person.does(requests)
    assert person.state.index == 2
    assert len(store.annotations()) == 1


def test_an_undo_that_cannot_be_stored_changes_nothing(person: Person, store: Store) -> None:
    person.accepts()
    before = person.state
    store._db.execute("PRAGMA query_only = ON")
    undo(person)
    assert person.state.annotations == before.annotations
    assert person.state.preview is None
    assert person.state.message.severity == "error"
    assert person.state.can_undo
    store._db.execute("PRAGMA query_only = OFF")
    undo(person)
    assert person.state.annotations == ()


def test_at_least_fifty_levels_are_kept_and_not_without_bound(store: Store) -> None:
    person = Person(store, learn=False, twin=False).starts()
    for k in range(LEVELS + 5):
        person.accepts(10 + k % 100, 50)
    undone = 0
    while person.state.can_undo:
        undo(person)
        undone += 1
    assert undone == 2 * LEVELS  # every accept, and then its click
    assert LEVELS >= 50
    assert len(store.annotations()) == 5


def test_an_object_that_is_withdrawn_before_it_was_learned_is_forgotten_after(store: Store) -> None:
    person = Person(store, Script(), twin=False).starts()
    person.clicks(30, 20)
    (learn,) = person.workflow.do(acts.Accept())
    undo(person)
    person.does(person.workflow.receive(person.script.answer(learn)))
    kinds = [type(r) for r in person.script.requests]
    assert kinds[-1] is ForgetRequest
    assert kinds.count(ForgetRequest) == 2


def test_a_refused_redo_of_a_click_leaves_what_was_there(person: Person) -> None:
    person.clicks(30, 20)
    person.workflow.do(acts.PlaceClick(Click(40, 20, True)))
    undo(person)
    before = person.state.preview
    person.script.refuse = {PredictRequest}
    redo(person)
    assert person.state.preview is before
