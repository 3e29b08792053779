"""From the first click to the accept: what is sent, what is shown, and what is stored."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from samtta_app.core.masks import full
from samtta_app.core.messages import AdaptRequest, LoadRequest, PredictRequest, PrefetchRequest, TwinRequest
from samtta_app.core.metrics import iou
from samtta_app.core.replies import Answer, Failure
from samtta_app.core.types import Box, Click, Mask, Window
from samtta_app.session import acts
from samtta_app.session.acts import Accept
from samtta_app.session.project.store import Store
from samtta_app.session.workflow.workflow import Workflow
from tests.unit.session.scripted import HEIGHT, WIDTH, Person, candidate
from tests.unit.values import disc


def predict(person: Person) -> list[PredictRequest]:
    return [r for r in person.script.requests if isinstance(r, PredictRequest)]


def test_the_first_click_lets_the_engine_choose_the_window(person: Person) -> None:
    view = Window(10, 10, 40, 40)
    (request,) = person.workflow.do(acts.PlaceClick(Click(30, 20, True), view))
    assert isinstance(request, PredictRequest)
    assert (request.window, request.view, request.prompt.logits) == (None, view, None)
    assert request.prompt.clicks == (Click(30, 20, True),)
    assert person.state.preview.waiting
    assert person.state.preview.candidate is None


def test_the_first_answer_has_three_candidates(person: Person) -> None:
    person.clicks(30, 20)
    assert len(person.state.preview.candidates) == 3
    assert not person.state.preview.waiting


def test_later_clicks_send_all_clicks_the_window_and_the_chosen_logits(person: Person) -> None:
    person.clicks(30, 20)
    person.do(acts.NextCandidate())
    chosen = person.state.preview.candidate
    person.clicks(50, 20, positive=False)
    request = predict(person)[-1]
    assert [c.positive for c in request.prompt.clicks] == [True, False]
    assert request.prompt.logits is chosen.logits
    assert request.window == person.state.preview.window


def test_a_box_and_clicks_mix_on_one_object(person: Person) -> None:
    person.boxes(20, 20, 60, 60)
    person.clicks(30, 30)
    prompt = predict(person)[-1].prompt
    assert prompt.box == Box(20, 20, 60, 60)
    assert len(prompt.clicks) == 1
    assert [r.click is None for r in person.state.preview.history] == [True, False]


def test_a_second_box_takes_the_place_of_the_first(person: Person) -> None:
    person.boxes(20, 20, 60, 60)
    person.boxes(70, 60, 30, 10)
    assert person.state.preview.box == Box(30, 10, 70, 60)
    assert len(person.state.preview.history) == 2


def test_a_box_is_cut_to_the_image(person: Person) -> None:
    person.boxes(-20, -5, 500, 40)
    assert person.state.preview.box == Box(0, 0, WIDTH - 1, 40)


@pytest.mark.parametrize("corners", [(10, 10, 11, 11), (-50, 10, -20, 40), (10, 10, 10, 10)])
def test_a_box_that_is_a_slip_or_outside_is_refused_with_a_word(person: Person, corners: tuple[float, ...]) -> None:
    assert person.workflow.do(acts.DrawBox(Box(*corners))) == ()
    assert person.state.preview is None
    assert "box" in person.state.message.text


@pytest.mark.parametrize(("x", "y"), [(-1, 5), (5, -0.6), (WIDTH, 5), (5, HEIGHT - 0.4)])
def test_a_click_outside_the_image_is_refused_with_a_word_and_nothing_is_sent(
    person: Person, x: float, y: float
) -> None:
    assert person.workflow.do(acts.PlaceClick(Click(x, y, True))) == ()
    assert person.state.preview is None
    assert "outside" in person.state.message.text
    assert not person.state.can_undo


def test_a_click_before_the_image_is_there_is_refused_with_a_word(store: Store) -> None:
    workflow = Workflow(store)
    workflow.start()
    assert workflow.do(acts.PlaceClick(Click(5, 5, True))) == ()
    assert workflow.do(acts.DrawBox(Box(1, 1, 9, 9))) == ()
    assert "not shown" in workflow.state.message.text  # type: ignore[union-attr]


def test_a_click_waits_for_the_answer_before_it_and_gives_its_logits_back(person: Person) -> None:
    (first,) = person.workflow.do(acts.PlaceClick(Click(30, 20, True)))
    assert person.workflow.do(acts.PlaceClick(Click(40, 20, True))) == ()
    answer = person.script.answer(first)
    (second,) = (r for r in person.workflow.receive(answer) if isinstance(r, PredictRequest))
    assert [click.x for click in second.prompt.clicks] == [30, 40]
    assert second.prompt.logits is answer.candidates[answer.chosen].logits
    assert person.state.preview.waiting
    assert person.workflow.receive(answer) == ()  # one that was taken already changes nothing
    person.does(person.workflow.receive(person.script.answer(second)))
    assert not person.state.preview.waiting
    assert all(math.isfinite(record.predicted_iou) for record in person.state.preview.history)


def test_an_answer_after_cancel_is_dropped(person: Person) -> None:
    (request,) = person.workflow.do(acts.PlaceClick(Click(30, 20, True)))
    person.do(acts.Cancel())
    assert person.workflow.receive(person.script.answer(request)) == ()
    assert person.state.preview is None


def test_the_old_mask_stays_on_the_screen_until_the_new_one_is_there(person: Person) -> None:
    person.clicks(30, 20)
    shown = person.state.preview.candidate
    person.workflow.do(acts.PlaceClick(Click(35, 20, True)))
    assert person.state.preview.candidate is shown


def test_a_prompt_that_cannot_be_answered_is_withdrawn_and_the_mask_before_stays(person: Person) -> None:
    person.clicks(30, 20)
    before = person.state.preview
    person.script.refuse = {PredictRequest}
    person.clicks(35, 20)
    assert person.state.preview is before
    assert person.state.message.text == "It cannot be done."
    person.script.refuse = set()
    person.clicks(36, 20)
    assert len(person.state.preview.clicks) == 2


def test_a_first_click_that_cannot_be_answered_leaves_no_preview(person: Person) -> None:
    person.script.refuse = {PredictRequest}
    person.clicks(30, 20)
    assert person.state.preview is None
    assert person.state.message.severity == "error"


def test_a_stale_failure_changes_nothing(person: Person) -> None:
    person.clicks(30, 20)
    before = person.state
    assert person.workflow.receive(Failure(9999, "PredictRequest", "old")) == ()
    assert person.state.preview is before.preview
    assert person.state.message is before.message


def test_tab_goes_through_the_candidates_and_around(person: Person) -> None:
    person.clicks(30, 20)
    seen = []
    for _ in range(3):
        person.do(acts.NextCandidate())
        seen.append(person.state.preview.chosen)
    person.do(acts.NextCandidate(-1))
    assert seen == [1, 2, 0]
    assert person.state.preview.chosen == 2
    assert person.state.preview.history[-1].predicted_iou == pytest.approx(0.7)


def test_a_prompt_says_which_class_is_annotated_and_a_lesson_which_one_was(person: Person) -> None:
    person.clicks(30, 20)
    person.do(acts.AddClass("leaf"))
    person.clicks(32, 20)
    assert [request.prompt.class_id for request in predict(person)] == [1, 2]
    person.do(acts.Accept())
    (lesson,) = (r for r in person.script.requests if isinstance(r, AdaptRequest))
    assert (lesson.learn, lesson.example.class_id) == (True, 2)


def test_another_class_is_told_to_the_memory_and_so_is_its_undo(person: Person) -> None:
    person.accepts()
    person.do(acts.AddClass("leaf"))
    person.do(acts.Select(person.state.annotations[0].id))
    person.do(acts.SetClass(1))
    person.do(acts.SetClass(2))
    person.do(acts.Undo())
    lessons = [r for r in person.script.requests if isinstance(r, AdaptRequest)]
    assert [(r.learn, r.example.class_id) for r in lessons] == [(True, 1), (False, 2), (False, 1)]


def test_holding_compare_asks_the_frozen_twin_the_same(person: Person) -> None:
    person.clicks(30, 20)
    shown = person.state.preview.candidate
    person.do(acts.Show(compare=True))
    request = predict(person)[-1]
    assert request.twin
    assert request.prompt is predict(person)[-2].prompt
    assert person.state.preview.frozen.mask.area > shown.mask.area
    assert person.state.preview.candidate is shown
    assert person.workflow.do(acts.Show(compare=False)) == ()
    assert person.workflow.do(acts.Show(compare=True)) == ()


def test_while_comparing_every_new_answer_is_compared(person: Person) -> None:
    person.do(acts.Show(compare=True))
    person.clicks(30, 20)
    assert person.state.preview.frozen is not None
    (request,) = person.workflow.do(acts.PlaceClick(Click(33, 20, True)))
    assert person.state.preview.frozen is None
    person.does(person.workflow.receive(person.script.answer(request)))
    assert person.state.preview.frozen is not None


def test_the_twins_answer_to_an_older_prompt_is_dropped(person: Person) -> None:
    person.clicks(30, 20)
    (twin,) = person.workflow.do(acts.Show(compare=True))
    person.workflow.do(acts.PlaceClick(Click(33, 20, True)))
    person.workflow.receive(person.script.answer(twin))
    assert person.state.preview.frozen is None


# --- accept -----------------------------------------------------------------------------------------------------------


def test_an_accept_is_in_the_store_and_on_the_screen(person: Person, store: Store) -> None:
    saved = person.accepts(60, 50, clicks=2)
    assert person.state.preview is None
    assert person.state.annotations == (saved,)
    assert (person.state.images[0].status, person.state.images[0].objects) == ("annotated", 1)
    (found,) = store.annotations("a.png")
    assert (full(found.mask, HEIGHT, WIDTH) == full(disc(60, 50, 12, HEIGHT, WIDTH), HEIGHT, WIDTH)).all()


def test_an_accept_is_replayed_with_the_weights_before_it_and_then_learned(person: Person) -> None:
    person.accepts(30, 30)
    person.clicks(60, 50)
    replay, learn = person.workflow.do(acts.Accept())
    assert isinstance(replay, TwinRequest)
    assert isinstance(learn, AdaptRequest)
    assert replay.weights_version == 1
    assert learn.learn
    assert replay.example.object_id == learn.example.object_id == 2
    assert learn.example.clicks == (Click(60, 50, True),)


@pytest.mark.parametrize(("learn", "twin"), [(False, False), (True, False), (False, True)])
def test_learning_and_the_twin_can_be_left_out(store: Store, learn: bool, twin: bool) -> None:
    person = Person(store, learn=learn, twin=twin).starts()
    person.accepts()
    assert bool(person.script.sent(AdaptRequest)) is learn
    assert bool(person.script.sent(TwinRequest)) is twin
    assert person.state.adaptation.activity == ("idle" if learn else "off")


def test_every_intermediate_masks_iou_with_the_accepted_mask_is_stored(person: Person, store: Store) -> None:
    person.accepts(60, 50, clicks=3)
    (found,) = store.annotations()
    masks = [disc(60, 50, radius, HEIGHT, WIDTH) for radius in (8, 12, 16)]
    assert [r.iou for r in found.history] == pytest.approx([iou(m, masks[-1]) for m in masks])
    assert found.history[-1].iou == 1.0


def test_the_candidate_that_was_chosen_is_what_counts_for_its_step(person: Person, store: Store) -> None:
    person.clicks(60, 50)
    person.do(acts.NextCandidate(2))
    person.do(acts.Accept())
    (found,) = store.annotations()
    assert found.mask.area == disc(60, 50, 11, HEIGHT, WIDTH).area
    assert (found.history[-1].iou, found.predicted_iou) == (1.0, pytest.approx(0.7))


def test_clicks_and_an_accept_that_are_typed_ahead_each_get_their_answer(person: Person, store: Store) -> None:
    requests = person.workflow.do(acts.PlaceClick(Click(60, 50, True)))
    assert person.workflow.do(acts.PlaceClick(Click(61, 50, True))) == ()
    assert person.workflow.do(acts.Accept()) == ()
    person.does(requests)
    (found,) = store.annotations()
    assert len(found.history) == 2
    assert all(math.isfinite(record.iou) for record in found.history)
    assert person.state.statistics.stream[0].person == 2


def test_working_time_leaves_out_idling(person: Person, store: Store) -> None:
    person.clicks(60, 50)
    person.clock.wait(2)
    person.clicks(61, 50)
    person.clock.wait(600)
    person.clicks(62, 50)
    person.clock.wait(1)
    person.do(acts.Accept())
    (found,) = store.annotations()
    assert found.seconds == pytest.approx(2 + 15 + 1)
    assert [r.seconds for r in found.history] == pytest.approx([0, 2, 17])


def test_latency_is_from_the_prompt_to_its_answer(person: Person) -> None:
    (request,) = person.workflow.do(acts.PlaceClick(Click(60, 50, True)))
    person.clock.wait(0.25)
    person.does(person.workflow.receive(person.script.answer(request)))
    assert person.state.preview.history[0].latency == pytest.approx(0.25)


def test_nothing_to_accept_says_so(person: Person, store: Store) -> None:
    assert person.workflow.do(acts.Accept()) == ()
    assert "no mask" in person.state.message.text
    assert store.annotations() == ()


def test_a_mask_that_does_not_know_the_last_click_is_accepted_when_it_does(person: Person, store: Store) -> None:
    person.clicks(60, 50)
    (request,) = person.workflow.do(acts.PlaceClick(Click(63, 50, True)))
    assert person.workflow.do(acts.Accept()) == ()
    assert store.annotations() == ()
    assert person.state.waiting == (Accept(),)
    person.does(person.workflow.receive(person.script.answer(request)))
    (found,) = store.annotations()
    assert [c.x for c in found.clicks] == [60, 63]


def test_an_empty_mask_is_not_accepted(person: Person, store: Store) -> None:
    (request,) = person.workflow.do(acts.PlaceClick(Click(60, 50, True)))
    empty = candidate(Mask(0, 0, np.zeros((1, 1), np.bool_)), 0.4)
    person.workflow.receive(Answer(request.id, Window(0, 0, WIDTH, HEIGHT), (empty,), 0, 0, 0.01))
    assert person.workflow.do(acts.Accept()) == ()
    assert "empty" in person.state.message.text
    assert store.annotations() == ()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_on_a_full_disk_the_preview_stays_and_enter_tries_again(person: Person, store: Store, folder: Path) -> None:
    import resource

    person.accepts(30, 30)
    person.clicks(60, 50)
    before = person.state
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((folder / ".samtta" / "project.db-wal").stat().st_size, hard))
    try:
        assert person.workflow.do(acts.Accept()) == ()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert person.state.preview is before.preview
    assert person.state.annotations == before.annotations
    assert person.state.images == before.images
    assert person.state.message.severity == "error"
    assert "try again" in person.state.message.text
    person.do(acts.Accept())
    assert len(store.annotations()) == 2
    assert person.state.message is None


def test_accept_and_next_goes_on_to_the_next_image(person: Person, store: Store) -> None:
    person.clicks(60, 50)
    person.do(acts.Accept(then_next=True))
    assert person.state.index == 1
    assert person.state.image.path.name == "b.png"
    assert person.state.annotations == ()
    assert person.script.sent(AdaptRequest)[-1].example.image.path.name == "a.png"  # type: ignore[attr-defined]
    assert len(store.annotations("a.png")) == 1


def test_a_refused_accept_does_not_go_on(person: Person) -> None:
    person.do(acts.Accept(then_next=True))
    assert person.state.index == 0


def test_an_accept_gets_the_current_class(person: Person, store: Store) -> None:
    person.do(acts.AddClass("leaf"))
    person.accepts()
    assert store.annotations()[0].class_id == person.state.current_class == 2


def test_states_are_values_that_do_not_change_afterwards(person: Person) -> None:
    before = person.state
    copy = replace(before)
    person.accepts()
    assert before == copy or before.annotations == ()
    assert before.preview is None
    assert person.state is not before


def test_only_the_open_images_pixels_are_asked_about(person: Person) -> None:
    person.do(acts.NextImage())
    person.clicks(10, 10)
    assert predict(person)[-1].image.path.name == "b.png"
    assert {type(r) for r in person.script.requests} == {LoadRequest, PrefetchRequest, PredictRequest}
