"""The map of uncertainty that a person chose is asked for once per answer, after the clicks, and shown for no other answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from samtta_app.core.messages import AdaptRequest, MeasureRequest, PredictRequest, RefineRequest, Request
from samtta_app.core.replies import Answer, Failure, Measured, Refined
from samtta_app.core.types import Click, FloatArray, Image, Window
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.state import Overlay, OverlayKind
from samtta_app.session.workflow.overlays import (
    ENDLESS,
    LARGER,
    MEASURING,
    NO_MAP,
    SAME,
    TURNED,
    TWIN,
    UNLEARNED,
    following,
    overlay_of,
)
from tests.unit.session.scripted import NAN, WHOLE, Person, Script

GRID = np.arange(16, dtype=np.float32).reshape(4, 4)


def shown(person: Person) -> Overlay:
    """What the window shows of the map."""
    overlay = overlay_of(person.state)
    assert overlay is not None
    return overlay


def values(person: Person) -> FloatArray:
    found = shown(person).values
    assert found is not None, shown(person).reason
    return found


def sent(person: Person) -> list[Request]:
    """Everything that was asked for a map."""
    return [r for r in person.script.requests if isinstance(r, (RefineRequest, MeasureRequest))]


def looks_at(person: Person, kind: OverlayKind) -> None:
    person.do(acts.Show(overlay=kind))


# --- values -----------------------------------------------------------------------------------------------------------


def test_the_key_goes_through_all_maps_and_back_to_none() -> None:
    kinds: list[OverlayKind] = ["off"]
    for _ in range(8):
        kinds.append(following(kinds[-1], 1))
    assert kinds == ["off", "entropy", "refiner", "ensemble", "disagreement", "adapted", "lesson", "edges", "off"]
    assert [following(kind, -1) for kind in reversed(kinds[1:])] == list(reversed(kinds[:-1]))


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ((100.0, 200.0), 0.0),
        ((109.4, 200.0), 0.0),  # ten pixels to a cell: columns 100 .. 109 are the first
        ((109.6, 200.0), 1.0),
        ((100.0, 219.0), 4.0),
        ((139.4, 219.4), 7.0),
        ((99.5, 199.5), 0.0),
    ],
)
def test_a_value_is_that_of_the_cell_that_covers_the_point(point: tuple[float, float], value: float) -> None:
    overlay = Overlay("entropy", Window(100, 200, 40, 20), GRID)
    assert overlay.at(*point) == value


@pytest.mark.parametrize("point", [(99.4, 200), (139.5, 200), (100, 199), (100, 219.5), (NAN, NAN)])
def test_outside_its_window_and_in_the_padding_a_map_has_no_value(point: tuple[float, float]) -> None:
    assert Overlay("entropy", Window(100, 200, 40, 20), GRID).at(*point) is None


def test_where_there_is_no_map_there_is_no_value() -> None:
    assert Overlay("refiner", WHOLE, None, "There is no refiner").at(5, 5) is None
    assert Overlay("refiner", None, None, "There is no refiner").at(5, 5) is None


# --- entropy: it comes with the answer --------------------------------------------------------------------------------


def test_while_overlays_are_off_there_is_nothing(person: Person) -> None:
    person.clicks(60, 50)
    assert overlay_of(person.state) is None
    assert sent(person) == []


def test_entropy_is_the_candidates_own_and_asks_nothing(person: Person) -> None:
    looks_at(person, "entropy")
    assert shown(person).reason == NO_MAP
    person.clicks(60, 50)
    assert values(person) is person.state.preview.candidate.entropy
    assert shown(person).window == WHOLE
    person.do(acts.NextCandidate())
    assert values(person) is person.state.preview.candidates[1].entropy
    assert sent(person) == []


def test_before_the_first_answer_it_is_being_measured(person: Person) -> None:
    looks_at(person, "entropy")
    person.workflow.do(acts.PlaceClick(Click(60, 50, True)))
    assert shown(person).reason == MEASURING


def test_an_entropy_that_is_not_finite_is_absent_with_a_reason(person: Person) -> None:
    looks_at(person, "entropy")
    (request,) = person.workflow.do(acts.PlaceClick(Click(60, 50, True)))
    reply = person.script.answer(request)
    assert isinstance(reply, Answer)
    broken = replace(reply.candidates[0], entropy=np.full((8, 8), np.nan, np.float32))
    person.workflow.receive(replace(reply, candidates=(broken,)))
    assert (shown(person).values, shown(person).reason) == (None, ENDLESS)


def test_an_image_that_is_not_there_has_no_map(person: Person) -> None:
    looks_at(person, "entropy")
    person.workflow.do(acts.NextImage())
    assert person.state.image is None
    assert overlay_of(person.state) is None


# --- what the engine is asked -----------------------------------------------------------------------------------------


def test_the_refiner_is_asked_about_the_mask_on_the_screen(person: Person) -> None:
    person.clicks(60, 50)
    looks_at(person, "refiner")
    (request,) = sent(person)
    assert isinstance(request, RefineRequest)
    assert request.answer is person.state.preview.candidate
    assert (request.window, request.prompt.clicks) == (WHOLE, person.state.preview.clicks)
    assert isinstance(request.image, Image)
    assert values(person) is person.script.map


@pytest.mark.parametrize("kind", ["ensemble", "adapted"])
def test_the_other_maps_are_measured_in_the_answers_window(store: Store, kind: OverlayKind) -> None:
    person = Person(store, Script(version=3)).starts()
    person.clicks(60, 50)
    looks_at(person, kind)
    (request,) = sent(person)
    assert isinstance(request, MeasureRequest)
    assert (request.names, request.window) == ((kind,), WHOLE)
    assert request.prompt.clicks == person.state.preview.clicks
    assert values(person) is person.script.map
    assert shown(person).kind == kind


def test_each_answer_is_asked_about_once(person: Person) -> None:
    looks_at(person, "ensemble")
    person.clicks(60, 50)
    person.do(acts.Show(masks=False))
    person.do(acts.Show(opacity=0.4))
    person.do(acts.SetClass(1))
    assert len(sent(person)) == 1
    person.clicks(65, 50)
    assert len(sent(person)) == 2
    assert sent(person)[-1].prompt.clicks == person.state.preview.clicks  # type: ignore[union-attr]
    assert sent(person)[-1].prompt.logits is not None  # type: ignore[union-attr]


def test_a_click_goes_first_and_the_old_map_stays_with_the_old_mask(person: Person) -> None:
    looks_at(person, "refiner")
    person.clicks(60, 50)
    before = values(person)
    (asked,) = person.workflow.do(acts.PlaceClick(Click(65, 50, True)))
    assert isinstance(asked, PredictRequest)
    assert values(person) is before
    assert person.workflow.do(acts.Show(masks=False)) == ()
    person.script.map = np.full((8, 8), 0.5, np.float32)
    (refine,) = person.workflow.receive(person.script.answer(asked))
    assert isinstance(refine, RefineRequest)
    assert (shown(person).values, shown(person).reason) == (None, MEASURING)
    person.workflow.receive(person.script.answer(refine))
    assert values(person)[0, 0] == 0.5


def test_one_measurement_is_under_way_at_most_and_a_stale_one_is_dropped(person: Person) -> None:
    person.clicks(60, 50)
    (first,) = person.workflow.do(acts.Show(overlay="ensemble"))
    (click,) = person.workflow.do(acts.PlaceClick(Click(65, 50, True)))
    assert person.workflow.receive(person.script.answer(click)) == ()
    assert shown(person).reason == MEASURING
    (second,) = person.workflow.receive(person.script.answer(first))
    assert (shown(person).values, shown(person).reason) == (None, MEASURING)
    assert isinstance(second, MeasureRequest)
    assert second.prompt.clicks == person.state.preview.clicks
    person.workflow.receive(person.script.answer(second))
    assert values(person) is person.script.map
    before = person.state.overlay
    person.workflow.receive(Measured(first.id, {}, {}, {}, {"ensemble": "late"}))
    person.workflow.receive(Refined(999, None, NAN, None, WHOLE, 0.0, "late"))
    assert person.state.overlay is before


def test_a_map_that_is_not_wanted_any_more_is_not_shown(person: Person) -> None:
    person.clicks(60, 50)
    (first,) = person.workflow.do(acts.Show(overlay="ensemble"))
    assert person.workflow.do(acts.Show(overlay="refiner")) == ()
    assert shown(person) == shown(person)
    assert (shown(person).kind, shown(person).reason) == ("refiner", MEASURING)
    (second,) = person.workflow.receive(person.script.answer(first))
    assert isinstance(second, RefineRequest)
    person.workflow.do(acts.Show(overlay="off"))
    person.workflow.receive(person.script.answer(second))
    assert person.state.overlay is None


def test_accepting_cancelling_and_leaving_the_image_take_the_map_away(person: Person) -> None:
    looks_at(person, "refiner")
    for leave in (acts.Accept(), acts.Cancel(), acts.NextImage()):
        person.clicks(60, 50)
        assert values(person) is person.script.map
        person.do(leave)
        assert person.state.overlay is None


def test_undo_asks_again_about_the_answer_that_comes_back(person: Person) -> None:
    looks_at(person, "refiner")
    person.clicks(60, 50)
    person.clicks(65, 50)
    person.do(acts.Undo())
    assert [len(r.prompt.clicks) for r in sent(person)] == [1, 2, 1]  # type: ignore[union-attr]
    assert values(person) is person.script.map


def test_a_measurement_does_not_look_like_learning(person: Person) -> None:
    person.clicks(60, 50)
    (request,) = person.workflow.do(acts.Show(overlay="ensemble"))
    assert person.state.adaptation.activity == "idle"
    person.workflow.receive(person.script.answer(request))
    person.do(acts.Accept())
    assert [type(r) for r in person.script.requests].count(AdaptRequest) == 1
    assert person.state.adaptation.version == 1


# --- why there is no map ----------------------------------------------------------------------------------------------


def test_another_candidate_is_refined_anew_but_not_measured(person: Person) -> None:
    person.clicks(60, 50)
    looks_at(person, "refiner")
    person.do(acts.NextCandidate())
    assert [r.answer for r in sent(person)] == list(person.state.preview.candidates[:2])  # type: ignore[union-attr]
    looks_at(person, "ensemble")
    assert (shown(person).values, shown(person).reason) == (None, TURNED)
    assert len(sent(person)) == 2
    person.do(acts.NextCandidate(-1))
    assert values(person) is person.script.map


def test_what_was_not_adapted_cannot_differ_from_the_original(person: Person) -> None:
    person.clicks(60, 50)
    looks_at(person, "adapted")
    assert (shown(person).values, shown(person).reason) == (None, UNLEARNED)
    assert sent(person) == []
    person.do(acts.Accept())
    person.clicks(90, 50)
    assert person.state.preview.weights_version == 1
    assert values(person) is person.script.map


def test_learning_that_changes_nothing_says_so(store: Store) -> None:
    person = Person(store, Script(version=2, map=np.zeros((8, 8), np.float32))).starts()
    person.clicks(60, 50)
    looks_at(person, "adapted")
    assert (shown(person).values, shown(person).reason) == (None, SAME)
    looks_at(person, "ensemble")
    assert not values(person).any()  # clicks that agree everywhere are worth seeing


@pytest.mark.parametrize("kind", ["refiner", "ensemble"])
def test_the_engines_reason_is_shown_in_place_of_the_map(store: Store, kind: OverlayKind) -> None:
    person = Person(store, Script(no_map="The answer is empty")).starts()
    person.clicks(60, 50)
    looks_at(person, kind)
    assert (shown(person).values, shown(person).reason) == (None, "The answer is empty")
    assert person.state.message is None


@pytest.mark.parametrize("kind", ["refiner", "ensemble"])
def test_a_map_that_is_not_finite_is_absent_with_a_reason(store: Store, kind: OverlayKind) -> None:
    broken = np.full((8, 8), 0.25, np.float32)
    broken[3, 4] = np.inf
    person = Person(store, Script(map=broken)).starts()
    person.clicks(60, 50)
    looks_at(person, kind)
    assert (shown(person).values, shown(person).reason) == (None, ENDLESS)


@pytest.mark.parametrize(("kind", "request_type"), [("refiner", RefineRequest), ("ensemble", MeasureRequest)])
def test_a_question_that_cannot_be_answered_says_why_in_the_maps_place(
    store: Store, kind: OverlayKind, request_type: type
) -> None:
    person = Person(store, Script(refuse={request_type})).starts()
    person.clicks(60, 50)
    looks_at(person, kind)
    assert (shown(person).values, shown(person).reason) == (None, "It cannot be done.")
    assert person.state.message is None
    assert len(sent(person)) == 1


def test_a_failure_of_something_older_changes_nothing(person: Person) -> None:
    person.clicks(60, 50)
    looks_at(person, "refiner")
    before = person.state.overlay
    person.workflow.receive(Failure(sent(person)[0].id, "RefineRequest", "late"))
    assert person.state.overlay is before


@pytest.mark.parametrize("kind", ["refiner", "ensemble"])
def test_while_the_original_weights_answer_is_shown_a_map_of_the_other_is_not(
    person: Person, kind: OverlayKind
) -> None:
    person.clicks(60, 50)
    looks_at(person, kind)
    person.do(acts.Show(compare=True))
    assert (shown(person).values, shown(person).reason) == (None, TWIN)
    person.do(acts.Show(compare=False))
    assert values(person) is person.script.map
    assert len(sent(person)) == 1


def test_the_original_weights_answer_has_its_own_entropy_and_the_same_difference(store: Store) -> None:
    person = Person(store, Script(version=1)).starts()
    person.clicks(60, 50)
    looks_at(person, "adapted")
    person.do(acts.Show(compare=True))
    assert values(person) is person.script.map
    looks_at(person, "entropy")
    assert values(person) is person.state.preview.frozen.entropy


@pytest.mark.parametrize("kind", ["refiner", "ensemble", "adapted"])
def test_the_larger_models_answer_is_not_measured_by_this_model(person: Person, kind: OverlayKind) -> None:
    person.clicks(60, 50)
    person.do(acts.AskLarger())
    assert person.state.preview.larger
    looks_at(person, kind)
    assert (shown(person).values, shown(person).reason) == (None, LARGER)
    assert sent(person) == []


# --- opacity ----------------------------------------------------------------------------------------------------------


def test_the_opacity_is_kept_beside_the_choice_of_a_map(store: Store) -> None:
    person = Person(store, opacity=0.6).starts()
    assert (person.state.display.overlay, person.state.display.opacity) == ("off", 0.6)
    looks_at(person, "entropy")
    person.do(acts.Show(opacity=0.0))
    assert (person.state.display.overlay, person.state.display.opacity) == ("entropy", 0.0)
