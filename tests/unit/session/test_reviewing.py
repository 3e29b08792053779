"""Masks of which little was expected come back for a second look, and expected IoUs are compared with what came true."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from samtta_app.core.calibration import FEWEST
from samtta_app.core.types import Gaps
from samtta_app.session import acts
from samtta_app.session.object_records import ObjectRecord
from samtta_app.session.project.store import Store
from samtta_app.session.statistics.review import NEWEST, REVIEW_BELOW, confirmed_answers, to_review, trust
from samtta_app.session.statistics.statistics_export import statistics
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
    person.do(acts.NextReview())
    assert (person.state.index, person.state.selected) == (1, queue[1])
    assert person.state.image is not None
    person.do(acts.NextReview())
    assert (person.state.index, person.state.selected) == (0, queue[0])
    person.do(acts.NextReview())
    assert person.state.selected == queue[1]


def test_a_mask_that_is_right_leaves_the_queue_for_good(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.do(acts.NextReview())
    person.do(acts.ConfirmReview())
    assert person.state.selected == queue[0]
    assert person.state.statistics.review == 1
    assert [entry.reviewed for entry in store.records()] == [False, True, False]
    person.do(acts.ConfirmReview())
    assert person.state.statistics.review == 0
    assert "No mask needs" in person.state.message.text
    again = Person(store, Script()).starts()
    assert again.state.statistics.review == 0


def test_a_deleted_mask_leaves_the_queue_and_undo_brings_it_back(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.do(acts.NextReview())
    person.do(acts.DeleteSelected())
    assert person.state.statistics.review == 1
    person.do(acts.Undo())
    assert person.state.statistics.review == 2


def test_a_preview_is_put_aside_for_the_review(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.clicks(60, 50)
    person.do(acts.NextReview())
    assert person.state.preview is None
    assert person.state.selected == queue[1]


def test_with_nothing_selected_nothing_is_confirmed(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    person.do(acts.ConfirmReview())
    assert person.state.message.text == "Select an object first"
    assert not any(entry.reviewed for entry in store.records())


def test_an_image_that_is_gone_is_named(store: Store, queue: tuple[int, ...]) -> None:
    person = Person(store, Script()).starts()
    gone = person.state.images[1].name
    person.workflow._desk.change(images=person.state.images[:1])
    person.do(acts.NextReview())
    assert gone in person.state.message.text
