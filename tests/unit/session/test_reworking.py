"""Accepted objects are changed, merged, cut and copied; what was there before stays stored, and undo brings it back."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from samtta_app.core.masks import full
from samtta_app.core.messages import AdaptRequest, ForgetRequest, PredictRequest
from samtta_app.core.types import Click
from samtta_app.errors import StoreError
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.workflow import annotating, reworking
from tests.unit.session.scripted import HEIGHT, WIDTH, Person


def stroke(*points: tuple[float, float], erase: bool = False) -> acts.PaintStroke:
    return acts.PaintStroke(points, 8.0, erase)


def masks(store: Store) -> list[np.ndarray]:
    return [full(a.mask, HEIGHT, WIDTH) for a in store.annotations("a.png")]


def ids(person: Person) -> list[int]:
    return [a.id for a in person.state.annotations]


# --- changed --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        acts.PlaceClick(Click(66, 50, True)),
        stroke((60, 50), (110, 50)),
        stroke((60, 50), erase=True),
        acts.Reshape("grow"),
        acts.DrawPolygon((((10.0, 10.0), (60.0, 10.0), (30.0, 60.0)),)),
    ],
    ids=["click", "brush", "eraser", "shape", "polygon"],
)
def test_what_follows_a_selection_changes_that_object(person: Person, store: Store, change: acts.UserAct) -> None:
    old = person.accepts(60, 50, clicks=2)
    before = masks(store)[0]
    person.do(acts.Select(old.id), change)
    assert person.state.preview.edits == old.id
    assert person.state.preview.clicks[:2] == old.clicks
    person.do(acts.Accept())
    (new,) = store.annotations()
    assert new.id != old.id
    assert new.replaces == (old.id,)
    assert (masks(store)[0] != before).any()
    (earlier,) = store.earlier(new)
    assert (full(earlier.mask, HEIGHT, WIDTH) == before).all()
    assert len(earlier.history) == 2
    assert ids(person) == [new.id]


def test_a_corrected_object_is_learned_and_the_earlier_mask_forgotten(person: Person) -> None:
    old = person.accepts(60, 50)
    person.do(acts.Select(old.id), stroke((60, 50), (110, 50)), acts.Accept())
    assert [r.object_id for r in person.script.sent(ForgetRequest)] == [old.id]
    newest = person.script.sent(AdaptRequest)[-1]
    assert newest.learn
    assert newest.example.object_id == person.state.annotations[0].id
    assert newest.example.clicks == old.clicks
    assert person.state.statistics.objects == 1


def test_a_click_on_a_selected_object_gives_its_mask_and_clicks_to_the_model(person: Person) -> None:
    old = person.accepts(60, 50)
    person.do(acts.Select(old.id))
    person.clicks(90, 50)
    prompt = person.script.sent(PredictRequest)[-1].prompt
    assert prompt.clicks == (*old.clicks, Click(90, 50, True))
    assert prompt.logits is not None
    assert prompt.logits.values.max() > 0


def test_the_history_says_what_the_earlier_mask_was_worth(person: Person, store: Store) -> None:
    old = person.accepts(60, 50, clicks=3)
    person.do(acts.Select(old.id), stroke((60, 50), (110, 50)), acts.Accept())
    history = store.annotations()[0].history
    assert [r.kind for r in history] == ["click", "click", "click", "brush"]
    assert all(math.isnan(r.iou) for r in history[:2])
    assert 0.5 < history[2].iou < 1.0
    assert history[3].iou == 1.0


def test_working_time_goes_on_where_it_ended(person: Person, store: Store) -> None:
    person.clicks(60, 50)
    person.clock.wait(3)
    person.do(acts.Accept())
    old = store.annotations()[0]
    person.clock.wait(1000)
    person.do(acts.Select(old.id), acts.EditSelected())
    person.clock.wait(4)
    person.do(stroke((60, 50), (110, 50)), acts.Accept())
    assert store.annotations()[0].seconds == pytest.approx(old.seconds + 4)


def test_esc_leaves_an_object_as_it_was_and_undo_takes_the_change_up_again(person: Person, store: Store) -> None:
    old = person.accepts(60, 50)
    person.do(acts.Select(old.id), stroke((60, 50), (110, 50)), acts.Cancel())
    assert person.state.preview is None
    assert person.state.selected == old.id
    assert store.annotations()[0].id == old.id
    assert store.attempts() == ()
    person.do(acts.Undo())
    assert person.state.preview.edits == old.id
    person.do(acts.Accept())
    assert store.annotations()[0].replaces == (old.id,)


def test_an_object_that_was_not_changed_is_not_stored_again(person: Person, store: Store) -> None:
    old = person.accepts(60, 50)
    person.do(acts.EditSelected())
    assert person.state.preview.edits == old.id
    done = person.state.can_undo
    person.do(acts.Accept())
    assert person.state.message.text == annotating.UNCHANGED
    assert ids(person) == [old.id]
    assert person.state.can_undo == done
    assert person.state.selected == old.id


def test_undo_and_redo_exchange_the_masks_to_the_pixel(person: Person, store: Store) -> None:
    old = person.accepts(60, 50)
    first = masks(store)[0]
    person.do(acts.Select(old.id), stroke((60, 50), (110, 50)), acts.Accept())
    second = masks(store)[0]
    person.do(acts.Undo())
    assert ids(person) == [old.id]
    assert (masks(store)[0] == first).all()
    assert person.state.preview.edits == old.id
    person.do(acts.Redo())
    assert (masks(store)[0] == second).all()
    person.do(acts.Undo(), acts.Undo())
    assert person.state.preview is None
    assert ids(person) == [old.id]


def test_it_keeps_its_class_and_can_get_another(person: Person, store: Store) -> None:
    person.do(acts.AddClass("leaf"))
    old = person.accepts(60, 50)
    person.do(acts.SetClass(1), acts.Select(old.id), stroke((60, 50), (90, 50)), acts.Accept())
    assert store.annotations()[0].class_id == 2
    person.do(acts.Select(ids(person)[0]), stroke((60, 50), (99, 50)), acts.SetClass(1), acts.Accept())
    assert store.annotations()[0].class_id == 1


def test_what_cannot_be_stored_changes_nothing(person: Person, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    old = person.accepts(60, 50)
    person.do(acts.Select(old.id), stroke((60, 50), (110, 50)))

    def refuse(*_: object, **__: object) -> None:
        raise StoreError("The disk is full", "here", "Make room")

    with monkeypatch.context() as full_disk:
        full_disk.setattr(store, "accept_all", refuse)
        person.do(acts.Accept())
    assert "full" in person.state.message.text
    assert ids(person) == [old.id]
    person.do(acts.Accept())
    assert store.annotations()[0].replaces == (old.id,)


def test_a_chain_of_corrections_is_kept_over_a_restart(person: Person, folder: Path) -> None:
    person.accepts(60, 50)
    for x in (90, 100, 110):
        person.do(acts.EditSelected(), stroke((60, 50), (x, 50)), acts.Accept())
    person.workflow.store.close()
    with Store.open(folder) as again:
        (newest,) = again.annotations()
        assert len(again.earlier(newest)) == 3
        assert not again.notice


# --- merged, cut, copied ----------------------------------------------------------------------------------------------------


def test_two_objects_become_one_and_two_again(person: Person, store: Store) -> None:
    one, other = person.accepts(40, 50), person.accepts(80, 50)
    both = masks(store)[0] | masks(store)[1]
    person.do(acts.Select(one.id), acts.MergeObjects(other.id))
    (merged,) = store.annotations()
    assert (masks(store)[0] == both).all()
    assert merged.replaces == (one.id, other.id)
    assert [r.kind for r in merged.history] == ["click", "merge"]
    assert person.state.selected == merged.id
    assert person.state.statistics.objects == 1
    assert {r.object_id for r in person.script.sent(ForgetRequest)} == {one.id, other.id}
    person.do(acts.Undo())
    assert ids(person) == [one.id, other.id]
    person.do(acts.Redo())
    assert ids(person) == [merged.id]


@pytest.mark.parametrize("other", [1, 77])
def test_an_object_merges_with_another_only(person: Person, store: Store, other: int) -> None:
    one = person.accepts(40, 50)
    person.do(acts.Select(one.id), acts.MergeObjects(other))
    assert person.state.message.text == reworking.NO_OTHER
    assert len(store.annotations()) == 1


def test_a_line_cuts_the_object_under_it_and_loses_no_pixel(person: Person, store: Store) -> None:
    one = person.accepts(60, 50, clicks=3)
    before = masks(store)[0]
    person.do(acts.CutObject((61.0, 10.0), (61.0, 90.0)))
    left, right = masks(store)
    assert ((left | right) == before).all()
    assert not (left & right).any()
    assert [a.replaces for a in store.annotations()] == [(one.id,), (one.id,)]
    assert [r.kind for r in store.annotations()[0].history][-1] == "split"
    person.do(acts.Undo())
    assert ids(person) == [one.id]
    person.do(acts.Redo())
    assert len(ids(person)) == 2


def test_a_line_beside_the_object_cuts_nothing(person: Person, store: Store) -> None:
    one = person.accepts(60, 50)
    person.do(acts.CutObject((2.0, 2.0), (3.0, 90.0)))
    assert person.state.message.text == reworking.NONE_SELECTED
    person.do(acts.Select(one.id), acts.CutObject((2.0, 2.0), (3.0, 90.0)))
    assert person.state.message.text == reworking.NOT_CUT
    assert len(store.annotations()) == 1


def test_a_duplicate_is_shown_beside_and_stored_with_enter(person: Person, store: Store) -> None:
    one = person.accepts(60, 50)
    person.do(acts.Select(one.id), acts.Duplicate())
    assert len(store.annotations()) == 1
    assert person.state.preview.edits is None
    person.do(acts.Accept())
    first, second = store.annotations()
    assert (second.mask.x - first.mask.x, second.mask.y - first.mask.y) == (10, 10)
    assert second.replaces == ()
    assert [r.kind for r in second.history] == ["copy"]


def test_a_copy_lies_on_the_next_image_until_it_is_accepted(person: Person, store: Store) -> None:
    one = person.accepts(60, 50)
    person.do(acts.Select(one.id), acts.CopyToNext())
    assert person.state.index == 1
    assert (full(person.state.preview.candidate.mask, HEIGHT, WIDTH) == masks(store)[0]).all()
    person.do(acts.Accept())
    assert [a.image_name for a in store.annotations()] == ["a.png", "b.png"]
    person.do(acts.OpenImage(2), acts.NextImage(-1))
    assert person.state.preview is None


def test_after_the_last_image_there_is_nothing_to_copy_to(person: Person) -> None:
    person.do(acts.OpenImage(2))
    one = person.accepts(60, 50)
    person.do(acts.Select(one.id), acts.CopyToNext())
    assert person.state.index == 2
    assert person.state.selected == one.id


@pytest.mark.parametrize("act", [acts.EditSelected(), acts.Duplicate(), acts.CopyToNext()])
def test_without_an_object_nothing_happens_but_a_word(person: Person, act: acts.UserAct) -> None:
    person.do(act)
    assert person.state.message.text == reworking.NONE_SELECTED
    assert person.state.index == 0


def test_undo_reaches_a_merge_on_another_image(person: Person, store: Store) -> None:
    one, other = person.accepts(40, 50), person.accepts(80, 50)
    person.do(acts.Select(one.id), acts.MergeObjects(other.id), acts.OpenImage(1), acts.Undo())
    assert person.state.index == 0
    assert [a.id for a in store.annotations()] == [one.id, other.id]


# --- merged by keys alone -------------------------------------------------------------------------------------------------


def test_two_objects_are_merged_by_keys_alone(person: Person, store: Store) -> None:
    one, other = person.accepts(40, 50), person.accepts(80, 50)
    person.do(acts.SelectNext(1), acts.JoinSelected())
    assert person.state.joining == one.id
    person.do(acts.SelectNext(1), acts.JoinSelected())
    (made,) = store.annotations()
    assert made.replaces == (one.id, other.id)
    assert person.state.joining is None
    person.do(acts.Undo())
    assert ids(person) == [one.id, other.id]


def test_merging_by_keys_is_dropped_by_escape_and_needs_two_objects(person: Person) -> None:
    person.do(acts.JoinSelected())
    assert person.state.message.text == reworking.NONE_SELECTED
    one = person.accepts(40, 50)
    person.do(acts.Select(one.id), acts.JoinSelected(), acts.JoinSelected())
    assert person.state.joining == one.id
    person.do(acts.Cancel())
    assert person.state.joining is None
    assert ids(person) == [one.id]
