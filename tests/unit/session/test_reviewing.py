"""Masks of which little was expected come back for a second look, and expected IoUs are compared with what came true."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from samtta_app.core.calibration import FEWEST
from samtta_app.core.types import Gaps
from samtta_app.session import acts, review_acts
from samtta_app.session.object_records import ObjectRecord
from samtta_app.session.project.store import Store
from samtta_app.session.statistics.review import NEWEST, REVIEW_BELOW, confirmed_answers, to_review, trust
from samtta_app.session.statistics.statistics_export import statistics
from samtta_app.session.workflow.reviewing import reason_of
from tests.unit.session.scripted import Person, Script, accepted, record


def thing(number: int, *expected: float, iou: float = 1.0, reviewed: bool = False) -> ObjectRecord:
    steps = tuple(replace(record(iou=iou), gaps=Gaps(0, 0, 0, value)) for value in expected)
    return ObjectRecord(number, "a.png", "object", "", 1.0, 0, steps, reviewed=reviewed)


def test_the_worst_come_first_and_good_ones_do_not_come() -> None:
    found = to_review([thing(1, 0.7), thing(2, 0.95), thing(3, 0.3), thing(4, 0.2, reviewed=True), thing(5)])
    assert [entry.object_id for entry in found] == [3, 1]


def test_the_last_answer_counts() -> None:
    assert to_review([thing(1, 0.2, 0.9)]) == ()
    assert len(to_review([thing(1, 0.9, 0.2)])) == 1


def test_calibration_decides_who_needs_a_look() -> None:
    """Heads that are always too modest: .5 expected, 1.0 true."""
    modest = [thing(number, 0.5, 0.5) for number in range(FEWEST)]
    assert len(to_review(modest[:-1])) == FEWEST - 1
    assert to_review(modest) == ()
    assert REVIEW_BELOW == 0.8


def test_an_object_of_which_nothing_is_known_is_not_asked_about() -> None:
    assert to_review([thing(1, math.nan)]) == ()


def test_only_the_newest_answers_count() -> None:
    found = confirmed_answers([thing(k, k / 1000, 0.9) for k in range(NEWEST + 5)])
    assert len(found) == NEWEST
    assert found[0] == (0.005, 1.0)


def test_the_answer_that_was_accepted_tells_nothing() -> None:
    """It is the mask that it is compared with, so it would agree whatever is true."""
    assert confirmed_answers([thing(1, 0.9)]) == ()
    assert confirmed_answers([thing(1, 0.2, 0.6, 0.9, iou=0.5)]) == ((0.2, 0.5), (0.6, 0.5))
    assert confirmed_answers([ObjectRecord(1, "a.png", "object", "", 1.0, 0, ())]) == ()


def test_without_heads_the_decoder_s_own_iou_is_compared() -> None:
    steps = (replace(record(iou=0.4), predicted_iou=0.9), record())
    bare = ObjectRecord(1, "a.png", "object", "", 1.0, 0, steps)
    assert confirmed_answers([bare]) == ((0.9, 0.4),)


def test_trust_before_and_after_calibration() -> None:
    found = trust([thing(k, 0.9, 0.9, iou=0.5) for k in range(60)])
    assert found.answers == 60
    assert found.raw_error == pytest.approx(0.4)
    assert found.calibrated_error == pytest.approx(0.2)  # half of the answers came before there were enough
    assert len(found.raw) == 1
    assert [entry.count for entry in found.calibrated] == [30, 30]
    assert statistics([]).trust.answers == 0
    assert math.isnan(statistics([]).trust.raw_error)


# --- in a session ---------------------------------------------------------------------------------------------------


def stored(store: Store, image: str, expected: float) -> int:
    return store.accept(accepted(image, gaps=None, history=(replace(record(), predicted_iou=expected),)), 128, 96).id


@pytest.fixture
def queue(store: Store) -> tuple[int, ...]:
    names = [entry.name for entry in store.images()]
    return tuple(stored(store, names[k], value) for k, value in ((0, 0.75), (1, 0.4), (0, 0.95)))


def test_the_queue_leads_across_images_and_selects(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    assert person.state.statistics.review == 2
    person.do(review_acts.NextReview())
    assert (person.state.index, person.state.selected) == (1, queue[1])
    assert person.state.image is not None
    person.do(review_acts.NextReview())
    assert (person.state.index, person.state.selected) == (0, queue[0])
    person.do(review_acts.NextReview())
    assert person.state.selected == queue[1]


def test_a_mask_that_is_right_leaves_the_queue_for_good(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.do(review_acts.NextReview())
    person.do(review_acts.ConfirmReview())
    assert person.state.selected == queue[0]
    assert person.state.statistics.review == 1
    assert [entry.reviewed for entry in store.records()] == [False, True, False]
    person.do(review_acts.ConfirmReview())
    assert person.state.statistics.review == 0
    assert "No mask needs" in person.state.message.text
    again = Person(store, Script()).starts()
    assert again.state.statistics.review == 0


def test_a_deleted_mask_leaves_the_queue_and_undo_brings_it_back(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.do(review_acts.NextReview())
    person.do(acts.DeleteSelected())
    assert person.state.statistics.review == 1
    person.do(acts.Undo())
    assert person.state.statistics.review == 2


def test_a_preview_is_put_aside_for_the_review(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.clicks(60, 50)
    person.do(review_acts.NextReview())
    assert person.state.preview is None
    assert person.state.selected == queue[1]


def test_with_nothing_selected_nothing_is_confirmed(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.do(review_acts.ConfirmReview())
    assert person.state.message.text == "Select an object first"
    assert not any(entry.reviewed for entry in store.records())


def test_an_image_that_is_gone_is_named(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    gone = person.state.images[1].name
    person.workflow._desk.change(images=person.state.images[:1])
    person.do(review_acts.NextReview())
    assert gone in person.state.message.text


# --- through the queue ------------------------------------------------------------------------------------------------


def test_the_queue_is_in_the_state_with_its_count_and_reasons(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    review = person.state.review
    assert (review.waiting, review.total, review.current, review.other) == (2, 3, None, "")
    assert [(item.object_id, item.image, item.reason) for item in review.items] == [
        (queue[1], "b.png", "outline"),
        (queue[0], "a.png", "outline"),
    ]
    assert [item.value for item in review.items] == [0.4, 0.75]
    person.do(review_acts.NextReview())
    assert person.state.review.current == 0
    assert person.state.review.chosen is person.state.review.items[0]
    person.do(acts.Select(None))
    assert person.state.review.current is None


def test_back_goes_the_other_way_round(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.do(review_acts.NextReview(-1))
    assert person.state.selected == queue[0], "the last one first"
    person.do(review_acts.NextReview(-1))
    assert person.state.selected == queue[1]
    person.do(review_acts.NextReview(-1))
    assert person.state.selected == queue[0]
    assert person.state.review.moves == 3


def test_an_object_that_was_selected_by_hand_is_where_the_queue_goes_on(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.do(acts.OpenImage(1), acts.Select(queue[1]))
    assert person.state.review.current == 0
    assert person.state.review.moves == 0, "the view is not led anywhere"
    person.do(review_acts.NextReview())
    assert person.state.selected == queue[0]


def test_wrong_deletes_and_leads_on_and_undo_brings_it_back(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.do(review_acts.NextReview(), review_acts.RejectReview())
    assert {a.id for a in store.annotations()} == {queue[0], queue[2]}
    assert (person.state.selected, person.state.review.waiting) == (queue[0], 1)
    person.do(acts.Undo())
    assert {a.id for a in store.annotations()} == set(queue)
    assert person.state.review.waiting == 2
    person.do(acts.Redo())
    assert person.state.review.waiting == 1


def test_a_correction_is_right_once_it_is_accepted_and_leads_on(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.do(review_acts.NextReview(), review_acts.FixReview())
    assert person.state.preview is not None
    assert person.state.preview.edits == queue[1]
    assert person.state.review.current == 0, "it is what is being corrected"
    person.clicks(70, 60)
    assert person.state.preview.edits == queue[1]
    person.do(acts.Accept())
    (fixed,) = [a for a in store.annotations() if queue[1] in a.replaces]
    assert store.confirmed() == {fixed.id}
    assert (person.state.selected, person.state.review.waiting) == (queue[0], 1)
    person.do(acts.Undo())
    assert {a.id for a in store.annotations()} == set(queue)
    assert person.state.review.waiting == 2
    person.do(acts.Redo())
    assert person.state.review.waiting == 1


def test_a_correction_that_is_dropped_leaves_the_mask_in_the_queue(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.do(review_acts.NextReview(), review_acts.FixReview(), acts.Cancel())
    assert person.state.selected == queue[1]
    assert person.state.review.waiting == 2
    person.accepts(20, 20)
    assert store.confirmed() == frozenset(), "no more a second look"


def test_an_accept_without_a_review_is_no_second_look(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.do(acts.Select(queue[0]), acts.EditSelected(), acts.PaintStroke(((60.0, 70.0), (62.0, 74.0)), 6.0))
    person.do(acts.Accept())
    assert store.confirmed() == frozenset()


@pytest.mark.parametrize("act", [review_acts.RejectReview(), review_acts.ConfirmReview()])
def test_without_a_selection_there_is_no_verdict(
    store: Store, queue: tuple[int, ...], act: review_acts.RejectReview | review_acts.ConfirmReview
) -> None:
    person = Person(store, Script()).starts()
    person.do(act)
    assert person.state.message.text == "Select an object first"
    assert len(store.annotations()) == 3


def test_an_image_that_is_gone_is_passed_over(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.workflow._desk.change(images=person.state.images[:1])
    person.do(review_acts.NextReview())
    assert person.state.selected == queue[0]
    assert "is gone" in person.state.message.text


def test_while_earlier_records_are_read_an_empty_queue_says_so(store: Store) -> None:
    person = Person(store, Script())
    person.does(person.workflow.start(at_once=False))
    person.do(review_acts.NextReview())
    assert "still being read" in person.state.message.text
    while person.workflow.read_on():
        pass
    person.do(review_acts.NextReview())
    assert "No mask needs" in person.state.message.text


def test_the_queue_comes_while_records_are_read(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script())
    person.does(person.workflow.start(at_once=False))
    while person.workflow.read_on():
        pass
    assert [item.object_id for item in person.state.review.items] == [queue[1], queue[0]]


# --- why --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gaps", "reason"),
    [
        (None, "outline"),
        (Gaps(0.0, 0.0, 0.0, 0.5), "outline"),
        (Gaps(0.04, 0.04, 0.04, 0.5), "outline"),
        (Gaps(0.0, 0.0, 0.2, 0.5), "clicks"),
        (Gaps(0.0, 0.2, 0.1, 0.5), "candidate"),
        (Gaps(0.3, 0.2, 0.1, 0.5), "larger"),
        (Gaps(math.nan, 0.2, 0.1, 0.5), "candidate"),
        (Gaps(math.nan, math.nan, math.nan, 0.5), "outline"),
        (Gaps(-0.2, -0.2, 0.05, 0.5), "clicks"),
    ],
)
def test_the_reason_is_what_would_gain_most(gaps: Gaps | None, reason: str) -> None:
    step = replace(record(), gaps=gaps)
    assert reason_of(ObjectRecord(1, "a.png", "object", "", 1.0, 0, (step,))) == reason


def test_an_object_without_steps_has_no_reason_but_its_outline() -> None:
    assert reason_of(ObjectRecord(1, "a.png", "object", "", 1.0, 0, ())) == "outline"
