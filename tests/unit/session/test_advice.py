"""What the uncertainty heads advise, when they do, and what becomes of it."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from samtta_app.core.messages import PredictRequest, Request
from samtta_app.core.replies import Answer, Failure
from samtta_app.core.types import Candidate, Click, Gaps, Logits
from samtta_app.session import acts
from samtta_app.session.advice import Advice, advice
from samtta_app.session.project import migrations, schema
from samtta_app.session.project.store import Store
from samtta_app.session.statistics.statistics_export import CLICK_COLUMNS, write_statistics
from tests.unit.session.scripted import MIDDLE, WHOLE, Person, Script, accepted, candidate, record
from tests.unit.values import disc

WORTH = Gaps(0.05, 0.1, 0.08, math.nan)
NOTHING = Gaps(math.inf, math.inf, math.inf, math.nan)
MASK = disc(60, 50, 18)


def shown(gaps: Gaps | None, spot: bool = True) -> Candidate:
    """A mask whose map is uncertain in one place: cells 8 to 11 of 16, at the object's right edge."""
    entropy = np.zeros((16, 16), np.float32)
    if spot:
        entropy[4:9, 9:14] = 0.9
    found = candidate(MASK, 0.8)
    return replace(
        found, gaps=gaps, entropy=entropy, logits=Logits(found.logits.window, np.zeros((16, 16), np.float32))
    )


def advised(gaps: Gaps | None, count: int = 3, worth: Gaps | None = WORTH, larger: bool = False) -> Advice | None:
    return advice((shown(gaps),) * count, 0, (MIDDLE,), worth, larger=larger)


def test_the_largest_gain_that_is_worth_it_is_advised() -> None:
    assert advised(Gaps(0.06, 0.2, 0.1, 0.7)) == Advice("candidate", 0.2)
    assert advised(Gaps(0.3, 0.2, 0.1, 0.7)) == Advice("larger", 0.3)
    found = advised(Gaps(0.06, 0.05, 0.1, 0.7))
    assert found is not None
    assert (found.act, found.gain) == ("click", 0.1)


def test_what_is_not_worth_it_is_not_said() -> None:
    assert advised(Gaps(0.04, 0.09, 0.07, 0.7)) is None
    assert advised(Gaps(0.3, 0.3, 0.3, 0.7), worth=NOTHING) is None
    assert advised(Gaps(math.nan, 0.0, 0.0, 0.7)) is None


def test_without_heads_or_a_mask_nothing_is_said() -> None:
    assert advised(None) is None
    assert advised(Gaps(0.3, 0.3, 0.3, 0.7), worth=None) is None
    assert advice((), 0, (), WORTH, larger=False) is None
    empty = replace(shown(Gaps(0.3, 0.3, 0.3, 0.7)), mask=replace(MASK, bits=np.zeros((0, 0), bool)))
    assert advice((empty,), 0, (MIDDLE,), WORTH, larger=False) is None


def test_a_single_mask_has_no_other_candidate_and_the_larger_model_is_offered_once() -> None:
    assert advised(Gaps(0.06, 0.2, 0.0, 0.7), count=1) == Advice("larger", 0.06)
    assert advised(Gaps(0.06, 0.2, 0.0, 0.7), count=1, larger=True) is None


def test_one_more_click_has_a_place_in_the_uncertain_part() -> None:
    found = advised(Gaps(0.0, 0.0, 0.2, 0.7))
    assert found is not None
    assert found.place is not None
    side = WHOLE.side / 16
    assert 9 * side <= found.place.x < 14 * side
    assert 4 * side <= found.place.y < 9 * side
    assert found.text == "One more click may help: up to +20 %, where the ring is"
    sure = advice((shown(Gaps(0.0, 0.0, 0.2, 0.7), spot=False),), 0, (MIDDLE,), WORTH, larger=False)
    assert sure is not None
    assert sure.place is None


# --- in a session ---------------------------------------------------------------------------------------------------


class Headed(Script):
    """An engine whose model has heads; the larger model finds the whole disc."""

    gaps = Gaps(0.3, 0.2, 0.1, 0.6)

    def answer(self, request: Request) -> Answer:
        reply = super().answer(request)
        if not isinstance(reply, Answer):
            return reply
        found = tuple(replace(entry, gaps=self.gaps) for entry in reply.candidates)
        if request.larger:
            found = tuple(replace(entry, predicted_iou=0.99) for entry in found)
        return replace(reply, candidates=found, advise_from=WORTH, larger=request.larger)


@pytest.fixture
def advised_person(store: Store) -> Person:
    return Person(store, Headed()).starts()


def requests(person: Person) -> list[PredictRequest]:
    return [r for r in person.script.requests if isinstance(r, PredictRequest)]


def test_advice_stands_beside_the_answer_and_goes_with_the_next_click(advised_person: Person) -> None:
    person = advised_person
    person.clicks(60, 50)
    assert person.state.preview.advice == Advice("larger", 0.3)
    sent = person.workflow.do(acts.PlaceClick(Click(66, 50, True)))
    assert person.state.preview.advice is None
    person.does(sent)
    assert person.state.preview.advice is not None


def test_the_larger_model_answers_until_the_object_is_done_and_undo_goes_back(advised_person: Person) -> None:
    person = advised_person
    person.clicks(60, 50)
    before = person.state.preview.candidate
    person.do(acts.AskLarger())
    assert [r.larger for r in requests(person)] == [False, True]
    assert person.state.preview.larger
    assert person.state.preview.candidate.predicted_iou == 0.99
    assert len(person.state.preview.history) == 1
    assert person.state.preview.advice != Advice("larger", 0.3)
    assert person.workflow.do(acts.AskLarger()) == ()
    person.clicks(64, 50)
    assert requests(person)[-1].larger
    person.do(acts.Undo())
    person.do(acts.Undo())
    assert not person.state.preview.larger
    assert person.state.preview.candidate.predicted_iou == before.predicted_iou
    person.do(acts.Redo())
    assert person.state.preview.larger
    person.do(acts.Accept())
    person.clicks(30, 20)
    assert not requests(person)[-1].larger


def test_a_larger_model_that_cannot_answer_leaves_what_was_there(store: Store) -> None:
    class Without(Headed):
        def answer(self, request: Request) -> object:
            if isinstance(request, PredictRequest) and request.larger:
                return Failure(request.id, "PredictRequest", "There is no larger model")
            return super().answer(request)

    person = Person(store, Without()).starts()
    person.clicks(60, 50)
    person.do(acts.AskLarger())
    assert person.state.message.text == "There is no larger model"
    assert not person.state.preview.larger
    assert not person.state.preview.waiting
    assert person.state.preview.candidate is not None


def test_before_an_answer_nothing_can_be_asked_of_the_larger_model(advised_person: Person) -> None:
    assert advised_person.workflow.do(acts.AskLarger()) == ()
    advised_person.workflow.do(acts.PlaceClick(Click(60, 50, True)))
    assert advised_person.workflow.do(acts.AskLarger()) == ()


def test_another_candidate_has_advice_of_its_own(advised_person: Person) -> None:
    person = advised_person
    person.clicks(60, 50)
    person.do(acts.NextCandidate())
    assert person.state.preview.advice is not None


def test_what_was_expected_is_stored_with_the_object_and_each_step(advised_person: Person, store: Store) -> None:
    person = advised_person
    person.clicks(60, 50)
    person.clicks(64, 50)
    person.do(acts.Accept())
    (stored,) = store.annotations(store.images()[0].name)
    assert stored.gaps == Headed.gaps
    assert stored.expected_iou == 0.6
    assert [step.gaps for step in stored.history] == [Headed.gaps] * 2
    (one,) = store.records()
    assert [step.expected_iou for step in one.steps] == [0.6, 0.6]


def test_gaps_that_are_not_known_come_back_as_such(store: Store) -> None:
    unknown = Gaps(math.nan, 0.1, -0.2, 0.5)
    store.accept(accepted("a.png", gaps=unknown, history=(replace(record(), gaps=unknown), record())), 96, 128)
    (back,) = store.annotations("a.png")
    assert back.gaps is not None
    assert math.isnan(back.gaps.model)
    assert (back.gaps.task, back.gaps.prompt, back.gaps.iou) == (0.1, -0.2, 0.5)
    assert back.history[1].gaps is None
    assert back.history[1].expected_iou == back.history[1].predicted_iou


def test_a_project_of_before_gets_its_columns_and_keeps_its_objects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", migrations.MIGRATIONS[:1])
        db = schema.connect(tmp_path / "p.sqlite")
        db.execute("INSERT INTO images VALUES ('a.png', 10, 10)")
        columns = "image, class_id, x, y, width, height, rle, window, weights_version, seconds, created"
        db.execute(f"INSERT INTO annotations ({columns}) VALUES ('a.png', 1, 0, 0, 1, 1, x'00', '[]', 0, 1.0, '')")
        db.close()
    db = schema.connect(tmp_path / "p.sqlite")
    db.row_factory = sqlite3.Row
    row = db.execute("SELECT * FROM annotations").fetchone()
    assert (row["image"], row["gaps"]) == ("a.png", None)
    db.close()


def test_the_figures_of_a_step_have_its_gains(advised_person: Person, store: Store, tmp_path: Path) -> None:
    advised_person.clicks(60, 50)
    advised_person.do(acts.Accept())
    write_statistics(store, tmp_path / "out")
    header, row = (tmp_path / "out" / "clicks.csv").read_text().splitlines()
    assert tuple(header.split(",")) == CLICK_COLUMNS
    assert row.split(",")[-4:] == ["0.3", "0.2", "0.1", "0.6"]
