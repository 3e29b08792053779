"""What was shown comes back at once, to the pixel and the logit; every stored act can be undone, and none blocks the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from samtta_app.core.masks import full
from samtta_app.core.messages import PredictRequest
from samtta_app.core.replies import Answer, Reply
from samtta_app.core.types import Candidate, Click, Logits, Prompt
from samtta_app.session import acts, review_acts
from samtta_app.session.acts import UserAct
from samtta_app.session.project.store import Store
from samtta_app.session.state import Preview
from samtta_app.session.workflow.draft import Draft
from samtta_app.session.workflow.history import HISTORY_BYTES, Accepted, History, Prompted
from tests.unit.session.scripted import HEIGHT, WHOLE, WIDTH, Person, Script, candidate, record
from tests.unit.session.test_undoing import redo, undo
from tests.unit.values import disc


@dataclass
class Moody(Script):
    """Never gives the same answer twice: whatever is computed again is another mask."""

    count: int = 0

    def _predict(self, request: PredictRequest) -> Reply:
        self.count += 1
        number = 3 if len(request.prompt.clicks) == 1 else 1
        found = tuple(self._found(self.count, k) for k in range(number))
        return Answer(request.id, WHOLE, found, 0, self.count, 0.04, request.twin)

    def _found(self, count: int, k: int) -> Candidate:
        values = np.full((8, 8), count + k / 4, np.float32)
        mask = disc(20 + count, 40 + k, 10 + k, HEIGHT, WIDTH)
        return Candidate(mask, Logits(WHOLE, values), 0.9 - 0.1 * k, values / 100, 0.1)


@pytest.fixture
def moody(store: Store) -> Person:
    return Person(store, Moody(), twin=False, learn=False).starts()


Shown = tuple[object, ...]


def shown(person: Person) -> Shown:
    """All that is on the screen of the object being annotated."""
    preview: Preview | None = person.state.preview
    if preview is None:
        return ()
    candidates = tuple(
        (full(c.mask, HEIGHT, WIDTH).tobytes(), c.logits.values.tobytes(), c.entropy.tobytes(), c.predicted_iou)
        for c in preview.candidates
    )
    return preview.clicks, preview.box, candidates, preview.chosen, preview.window, preview.weights_version


def asked(person: Person) -> int:
    return len(person.script.sent(PredictRequest))


def works(person: Person) -> list[Shown]:
    """Three clicks, another candidate after the first; what was shown after each."""
    found = [shown(person)]
    for k in range(3):
        person.clicks(30 + k, 40)
        if not k:
            person.do(acts.NextCandidate(2))
        found.append(shown(person))
    return found


def test_undo_and_redo_of_clicks_show_what_was_shown_and_ask_nothing(moody: Person) -> None:
    steps = works(moody)
    before = asked(moody)
    for k in (2, 1, 0):
        undo(moody)
        assert shown(moody) == steps[k]
    for k in (1, 2, 3):
        redo(moody)
        assert shown(moody) == steps[k]
    assert asked(moody) == before


def test_backspace_shows_the_mask_before_with_its_candidates(moody: Person) -> None:
    steps = works(moody)
    before = asked(moody)
    for k in (2, 1, 0):
        moody.do(acts.RemoveClick())
        assert shown(moody) == steps[k]
    assert asked(moody) == before
    moody.do(acts.RemoveClick())
    assert "no click" in moody.state.message.text


def test_backspace_of_a_click_that_is_not_answered_shows_what_was_there(moody: Person) -> None:
    works(moody)
    before = shown(moody)
    (request,) = moody.workflow.do(acts.PlaceClick(Click(90, 40, True)))
    moody.do(acts.RemoveClick())
    assert shown(moody) == before
    moody.does(moody.workflow.receive(moody.script.answer(request)))
    assert shown(moody) == before


@pytest.mark.parametrize("way", [acts.Cancel(), acts.Accept(), acts.NextImage(), review_acts.NextReview()])
def test_whatever_put_the_preview_away_undo_brings_it_and_its_steps_back(moody: Person, way: UserAct) -> None:
    moody.accepts()
    steps = works(moody)
    before = asked(moody)
    moody.do(way)
    assert shown(moody) == ()
    undo(moody)
    for k in (3, 2, 1, 0):
        assert shown(moody) == steps[k]
        undo(moody)
    assert asked(moody) == before


def test_the_next_click_is_fed_the_logits_of_the_step_that_came_back(moody: Person) -> None:
    works(moody)
    first_fed = moody.script.sent(PredictRequest)[1].prompt.logits.values  # type: ignore[attr-defined]
    moody.do(acts.Accept())
    undo(moody, 3)
    moody.clicks(99, 40)
    again = moody.script.sent(PredictRequest)[-1].prompt.logits.values  # type: ignore[attr-defined]
    assert again is first_fed


def test_an_object_that_came_back_is_stored_as_it_would_have_been(moody: Person, store: Store) -> None:
    works(moody)
    moody.do(acts.Accept())
    (first,) = store.annotations()
    undo(moody, 2)
    redo(moody)
    moody.do(acts.Accept())
    (second,) = store.annotations()
    assert full(second.mask, HEIGHT, WIDTH).tobytes() == full(first.mask, HEIGHT, WIDTH).tobytes()
    assert [r.iou for r in second.history] == [r.iou for r in first.history]


def test_an_undone_accept_has_the_class_that_it_had(moody: Person, store: Store) -> None:
    moody.do(acts.AddClass("leaf"))
    moody.accepts()
    moody.do(acts.SetClass(1))
    undo(moody)
    assert moody.state.current_class == 2
    moody.do(acts.Accept())
    assert store.annotations()[0].class_id == 2


# --- every stored act is in the list ----------------------------------------------------------------------------------


def test_a_new_class_can_be_undone_and_redone(person: Person, store: Store) -> None:
    person.do(acts.AddClass("leaf"))
    added = person.state.classes[-1]
    undo(person)
    assert [c.name for c in store.classes()] == [c.name for c in person.state.classes] == ["object"]
    assert person.state.current_class == 1
    redo(person)
    assert store.classes()[-1] == person.state.classes[-1] == added
    assert person.state.current_class == added.id


def test_a_new_name_can_be_undone_and_redone(person: Person, store: Store) -> None:
    person.do(acts.RenameClass(1, " cell "))
    undo(person)
    assert store.classes()[0].name == person.state.classes[0].name == "object"
    redo(person)
    assert store.classes()[0].name == person.state.classes[0].name == "cell"


def test_a_name_that_is_refused_or_the_same_is_no_step(person: Person) -> None:
    person.do(acts.RenameClass(1, "object"))
    person.do(acts.AddClass(""))
    assert not person.state.can_undo


def test_objects_of_an_undone_class_come_back_with_it(person: Person, store: Store) -> None:
    person.do(acts.AddClass("leaf"))
    person.accepts()
    undo(person, 3)
    assert len(store.classes()) == 1
    redo(person, 3)
    assert [a.class_id for a in store.annotations()] == [2]
    assert store.records()[0].class_name == "leaf"


def test_a_class_that_has_objects_stays_and_does_not_block_what_was_before(person: Person, store: Store) -> None:
    person.clicks(30, 20)
    person.do(acts.AddClass("leaf"))
    store.accept(person.accepts(), WIDTH, HEIGHT)  # another object of the class, which this run's list does not know
    undo(person, 3)
    assert len(store.classes()) == 2
    assert "leaf" in person.state.message.text
    undo(person)
    assert person.state.preview is None


def test_backspace_takes_the_click_and_not_the_class_that_was_added_after_it(person: Person) -> None:
    person.clicks(30, 20)
    person.clicks(34, 20)
    person.do(acts.AddClass("leaf"))
    person.do(acts.RemoveClick())
    assert [c.x for c in person.state.preview.clicks] == [30]
    assert len(person.state.classes) == 2


def test_an_answer_that_comes_after_a_class_was_added_is_kept_with_its_click(moody: Person) -> None:
    (request,) = moody.workflow.do(acts.PlaceClick(Click(30, 20, True)))
    moody.do(acts.AddClass("leaf"))
    moody.does(moody.workflow.receive(moody.script.answer(request)))
    moody.clicks(34, 20)
    before = asked(moody)
    moody.do(acts.Accept())
    undo(moody, 2)
    assert len(moody.state.preview.candidates) == 3
    undo(moody, 2)
    redo(moody)
    assert len(moody.state.preview.candidates) == 3
    assert asked(moody) == before


def test_a_second_look_can_be_undone_and_redone(store: Store) -> None:
    person = Person(store, learn=False, twin=False).starts()
    person.accepts()
    person.do(acts.Select(1))
    person.do(review_acts.ConfirmReview())
    assert store.records()[0].reviewed
    undo(person)
    assert not store.records()[0].reviewed
    assert person.state.selected == 1
    redo(person)
    assert store.records()[0].reviewed


# --- an image that cannot be read any more ------------------------------------------------------------------------------


def gone(person: Person, store: Store) -> None:
    """An object on a.png, which is damaged afterwards; b.png is open."""
    person.clicks(60, 50)
    person.do(acts.Accept(then_next=True))
    person.script.unreadable = {"a.png"}


def test_an_accept_on_a_damaged_image_is_undone_without_showing_it(person: Person, store: Store) -> None:
    gone(person, store)
    undo(person)
    assert store.annotations() == ()
    assert "a.png" in person.state.message.text
    assert "without showing" in person.state.message.text
    assert (person.state.index, person.state.image is not None) == (1, True)
    assert (person.state.images[0].status, person.state.images[0].objects) == ("unreadable", 0)
    assert person.state.statistics.objects == 0
    redo(person)
    assert len(store.annotations()) == 1
    assert person.state.images[0].objects == 1
    assert person.state.annotations == ()


def test_a_step_on_a_damaged_image_does_not_block_those_before(person: Person, store: Store) -> None:
    person.do(acts.NextImage())
    person.accepts(30, 30)
    person.do(acts.NextImage(-1))
    gone(person, store)
    undo(person, 2)
    assert store.annotations() == ()
    assert person.state.preview is not None
    assert person.state.index == 1


def test_a_preview_on_a_damaged_image_is_skipped_with_a_word(person: Person) -> None:
    person.do(acts.RenameClass(1, "cell"))
    person.clicks(60, 50)
    person.do(acts.NextImage())
    person.script.unreadable = {"a.png"}
    undo(person)
    assert "skipped" in person.state.message.text
    assert (person.state.index, person.state.preview) == (1, None)
    undo(person)
    assert person.state.classes[0].name == "object"


def test_a_deletion_and_a_class_change_on_an_image_that_left_the_list_are_undone(person: Person, store: Store) -> None:
    person.accepts()
    person.do(acts.AddClass("leaf"))
    person.do(acts.Select(1))
    person.do(acts.SetClass(2))
    person.do(acts.SetClass(1))
    person.do(acts.Select(1))
    person.do(acts.DeleteSelected())
    person.do(acts.NextImage())
    person.workflow._desk.change(images=person.state.images[1:], index=0)
    undo(person)
    assert [a.class_id for a in store.annotations()] == [1]
    undo(person)
    assert [a.class_id for a in store.annotations()] == [2]
    assert person.state.annotations == ()


# --- memory -----------------------------------------------------------------------------------------------------------


def drafted(size: int) -> Draft:
    """A draft whose candidate has logits and entropy of size x size."""
    values = np.zeros((size, size), np.float32)
    found = candidate(disc(60, 50, 18, HEIGHT, WIDTH), 0.9)
    found = Candidate(found.mask, Logits(WHOLE, values), 0.9, np.zeros_like(values), 0.1)
    preview = Preview((), None, Answer(0, WHOLE, (found,), 0, 0, 0.0), 0, WHOLE, False, (record(),))
    return Draft(preview, (), (0.0,), (found.mask,), 0.0, 0.0, Prompt(), WHOLE, None)


def test_the_oldest_entries_go_when_masks_and_logits_grow_too_large() -> None:
    one = drafted(64)
    size = 2 * 64 * 64 * 4 + one.masks[0].bits.nbytes  # type: ignore[union-attr]
    history = History(budget=3 * size)
    for k in range(5):
        entry = drafted(64)
        history.push(Accepted(f"{k}.png", None, entry, (Prompted(f"{k}.png", None, entry),)))  # type: ignore[arg-type]
    assert [entry.image for entry in history.done] == ["2.png", "3.png", "4.png"]
    assert history.done[-1].held == size  # type: ignore[union-attr]
    assert HISTORY_BYTES == 256 * 2**20
