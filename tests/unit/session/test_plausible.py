"""Plausible outlines come after the answer, beside it, and once; several of them can be kept for one object."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from samtta_app.core.masks import from_rle, full
from samtta_app.core.messages import HypothesesRequest, PredictRequest
from samtta_app.core.metrics import iou
from samtta_app.core.replies import Hypotheses
from samtta_app.core.types import Click
from samtta_app.formats.coco import COCO
from samtta_app.regular_files import read_json
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.workflow.overlays import UNDRAWN, overlay_of
from samtta_app.session.workflow.plausible import FROM_LARGER, NO_ANSWER, NO_MORE
from tests.unit.session.scripted import HEIGHT, WIDTH, Person, Script, accepted
from tests.unit.values import disc


@pytest.fixture
def person(store: Store) -> Person:
    """A first click is answered by a disc of radius 8; the cards have radius 8, 14 and 20."""
    return Person(store, Script(plausible=(9, 4, 3))).starts()


def at(x: float, y: float) -> Click:
    return Click(x, y, True)


def preferring(person: Person) -> Hypotheses:
    """A click is answered, and the reply to the hypotheses is given back: another card than the answer's comes first."""
    (ask,) = person.workflow.do(acts.PlaceClick(at(60, 50)))
    (draw,) = person.workflow.receive(person.script.answer(ask))
    reply = person.script.answer(draw)
    assert isinstance(reply, Hypotheses)
    return replace(reply, cards=reply.cards[::-1])


def drawn(person: Person) -> list[HypothesesRequest]:
    return person.script.sent(HypothesesRequest)  # type: ignore[return-value]


def test_after_a_first_click_the_cards_are_plausible_outlines_with_their_shares(person: Person) -> None:
    person.clicks(60, 50)
    preview = person.state.preview
    assert [card.samples for card in preview.candidates] == [9, 4, 3, 0], "the last one is the decoder's own"
    assert preview.answer.samples == 16
    assert preview.chosen == 0
    assert iou(preview.candidate.mask, disc(60, 50, 8, HEIGHT, WIDTH)) == 1
    assert preview.candidate.predicted_iou == 0.9, "the outline on the screen is the answer itself, not a sample"
    assert len(drawn(person)) == 1


def test_an_answer_that_no_sample_is_like_stays_on_the_screen_and_comes_last(store: Store) -> None:
    person = Person(store, Script(plausible=(9, 4)))
    person.starts().boxes(40, 30, 80, 70)  # answered by radius 8
    person.do(acts.Cancel())
    script = person.script
    script.plausible = (9,)
    person.clicks(60, 50)
    assert [card.samples for card in person.state.preview.candidates] == [9, 0, 0]
    person.clicks(70, 50)  # radius 12, not like radius 8
    person.do(acts.DrawHypotheses())
    preview = person.state.preview
    assert [card.samples for card in preview.candidates] == [9, 0]
    assert preview.chosen == 1
    assert iou(preview.candidate.mask, disc(60, 50, 12, HEIGHT, WIDTH)) == 1


def test_later_clicks_draw_none_unless_they_are_asked_for(person: Person) -> None:
    person.clicks(60, 50)
    person.clicks(64, 50)
    assert len(drawn(person)) == 1
    assert all(card.samples is None for card in person.state.preview.candidates)
    person.do(acts.DrawHypotheses())
    assert len(drawn(person)) == 2
    assert len(drawn(person)[1].prompt.clicks) == 2
    person.do(acts.DrawHypotheses())
    assert len(drawn(person)) == 2, "once for each answer"


def test_a_preference_changes_the_outline_and_the_record_of_the_step(store: Store) -> None:
    person = Person(store, Script(plausible=(1, 15), preferred=True)).starts()
    person.workflow.receive(preferring(person))
    preview = person.state.preview
    assert preview.chosen == 0
    assert preview.candidate.samples == 15
    assert preview.history[-1].predicted_iou == 0.9, "no sample has more in common with all: as sure as the answer"


def test_a_preference_changes_nothing_where_the_user_chose_already(store: Store) -> None:
    person = Person(store, Script(plausible=(1, 15), preferred=True)).starts()
    late = preferring(person)
    person.do(acts.NextCandidate())
    shown = person.state.preview.candidate
    person.workflow.receive(late)
    assert person.state.preview.candidate.mask is shown.mask
    assert person.state.preview.candidate.samples == 0


def test_outlines_of_an_answer_that_is_gone_change_nothing(person: Person) -> None:
    (ask,) = person.workflow.do(acts.PlaceClick(at(60, 50)))
    (draw,) = person.workflow.receive(person.script.answer(ask))
    late = person.script.answer(draw)
    (again,) = person.workflow.do(acts.PlaceClick(at(64, 50)))
    person.workflow.receive(late)
    assert isinstance(again, PredictRequest)
    assert person.state.preview.waiting
    assert all(card.samples is None for card in person.state.preview.candidates)
    person.does(person.workflow.receive(person.script.answer(again)))
    assert len(person.state.preview.candidates) == 1


def test_a_chosen_card_is_what_is_accepted_and_undo_brings_the_cards_back(person: Person) -> None:
    person.clicks(60, 50)
    person.do(acts.NextCandidate(), acts.Accept())
    (saved,) = person.state.annotations
    assert iou(saved.mask, disc(60, 50, 14, HEIGHT, WIDTH)) == 1
    person.do(acts.Undo())
    assert [card.samples for card in person.state.preview.candidates] == [9, 4, 3, 0]
    assert person.state.preview.chosen == 1


def test_a_model_without_hypotheses_says_so_when_asked_and_nothing_else_changes(store: Store) -> None:
    person = Person(store, Script()).starts()
    person.do(acts.DrawHypotheses())
    assert person.state.message.text == NO_ANSWER
    person.clicks(60, 50)
    assert drawn(person) == []
    person.do(acts.DrawHypotheses())
    assert person.state.message.text == NO_MORE
    person.do(acts.AskLarger(), acts.DrawHypotheses())
    assert person.state.message.text == FROM_LARGER


def test_where_nothing_can_be_drawn_the_answer_stays_and_only_who_asked_is_told(store: Store) -> None:
    person = Person(store, Script(no_cards="The hypotheses are not finite")).starts()
    person.clicks(60, 50)
    assert person.state.message is None
    assert len(person.state.preview.candidates) == 3
    person.clicks(64, 50)
    person.do(acts.DrawHypotheses())
    assert person.state.message.text == "The hypotheses are not finite"


def test_an_engine_that_fails_to_draw_is_only_told_to_who_asked(person: Person) -> None:
    person.script.refuse = {HypothesesRequest}
    person.clicks(60, 50)
    assert person.state.message is None
    person.clicks(64, 50)
    person.do(acts.DrawHypotheses())
    assert person.state.message.text == "It cannot be done."


def test_the_map_of_disagreement_comes_with_the_outlines(person: Person) -> None:
    person.do(acts.Show(overlay="disagreement"))
    person.clicks(60, 50)
    shown = overlay_of(person.state)
    assert shown is not None
    assert shown.values is person.script.map
    person.clicks(64, 50)
    shown = overlay_of(person.state)
    assert shown is not None
    assert (shown.values, shown.reason) == (None, UNDRAWN)


# --- several outlines of one object -----------------------------------------------------------------------------------


def test_kept_outlines_are_stored_with_the_object_and_survive_closing(person: Person, store: Store) -> None:
    person.clicks(60, 50)
    person.do(acts.NextCandidate(), acts.KeepAlternative())
    person.do(acts.NextCandidate(), acts.KeepAlternative(), acts.KeepAlternative(), acts.NextCandidate(-2))
    person.do(acts.Accept())
    store.close()
    with Store.open(store.folder) as again:
        (saved,) = again.annotations("a.png")
    assert iou(saved.mask, disc(60, 50, 8, HEIGHT, WIDTH)) == 1
    assert [iou(mask, disc(60, 50, 14, HEIGHT, WIDTH)) for mask in saved.alternatives] == [1]


def test_the_accepted_outline_is_no_alternative_of_itself(person: Person) -> None:
    person.clicks(60, 50)
    person.do(acts.KeepAlternative(), acts.Accept())
    assert person.state.annotations[-1].alternatives == ()


def test_undo_of_a_click_keeps_what_was_kept_and_cancel_drops_it(person: Person) -> None:
    person.clicks(60, 50)
    person.do(acts.KeepAlternative())
    person.clicks(64, 50)
    assert len(person.state.preview.alternatives) == 1
    person.do(acts.Cancel())
    person.clicks(60, 50)
    assert person.state.preview.alternatives == ()


def test_coco_holds_the_alternatives_in_a_field_of_their_own(store: Store, tmp_path: Path) -> None:
    other = disc(60, 50, 24, HEIGHT, WIDTH)
    store.accept(accepted(alternatives=(other,)), WIDTH, HEIGHT, teaches=False)
    store.accept(accepted("b.png"), WIDTH, HEIGHT, teaches=False)
    COCO.write(store.project(), tmp_path / "out")
    first, second = read_json(tmp_path / "out" / "annotations/instances_default.json")["annotations"]
    (runs,) = first["samtta"]["alternatives"]
    assert runs["size"] == [HEIGHT, WIDTH]
    found = from_rle(runs["counts"].encode(), HEIGHT, WIDTH)
    assert np.array_equal(full(found, HEIGHT, WIDTH), full(other, HEIGHT, WIDTH))
    assert "alternatives" not in second["samtta"]


@pytest.mark.parametrize(
    "value", ['"x"', "[1]", '[[0, 0, 2, 2, "zz"]]', '[[-1, 0, 2, 2, "04"]]', '[[0, 0, 900000, 900000, "04"]]', "{"]
)
def test_a_damaged_column_is_named_and_its_object_left_out(store: Store, value: str) -> None:
    store.accept(accepted(alternatives=(disc(60, 50, 24, HEIGHT, WIDTH),)), WIDTH, HEIGHT, teaches=False)
    store._db.execute("UPDATE annotations SET alternatives = ?", (value,))
    store.close()
    with Store.open(store.folder) as again:
        assert again.annotations("a.png") == ()
        assert "alternatives" in again.notice
