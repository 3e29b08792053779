"""Classes get colours and an order, are merged and deleted; every such act is stored, and undo takes it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from samtta_app.core.messages import PredictRequest
from samtta_app.session import acts
from samtta_app.session.class_acts import (
    ChangeClass,
    DeleteClass,
    MergeClass,
    MoveClass,
    OfClasses,
    OntologyClass,
    TakeClasses,
)
from samtta_app.session.project.store import Store
from samtta_app.session.state import OWN_COLOUR, LabelClass
from samtta_app.session.workflow.class_editing import moved_class, with_ontology
from tests.unit.session.scripted import Person

ONE, TWO, THREE = LabelClass(1, "object", 0), LabelClass(2, "leaf", 1), LabelClass(3, "stem", 2)


@pytest.fixture
def person(store: Store) -> Person:
    made = Person(store).starts()
    made.do(acts.AddClass("leaf"), acts.AddClass("stem"))
    return made


def names(person: Person) -> list[str]:
    return [c.name for c in person.state.classes]


@pytest.mark.parametrize(
    ("act", "after"),
    [
        (ChangeClass(2, OWN_COLOUR + 0x123456), (ONE, LabelClass(2, "leaf", OWN_COLOUR + 0x123456), THREE)),
        (ChangeClass(2, tidy=False), (ONE, LabelClass(2, "leaf", 1, tidy=False), THREE)),
        (MoveClass(3, -1), (ONE, THREE, TWO)),
        (MoveClass(1, 9), (TWO, THREE, ONE)),
        (DeleteClass(2), (ONE, THREE)),
        (MergeClass(2, 3), (ONE, THREE)),
        (
            TakeClasses((OntologyClass("stem", 7), OntologyClass("root"))),
            (LabelClass(3, "stem", 7), LabelClass(4, "root", 3), ONE, TWO),
        ),
    ],
    ids=["colour", "tidy", "up", "down", "delete", "merge", "file"],
)
def test_an_act_on_classes_is_stored_undone_and_redone(
    person: Person, store: Store, act: OfClasses, after: tuple[LabelClass, ...]
) -> None:
    before, current = person.state.classes, person.state.current_class
    assert before == (ONE, TWO, THREE)
    person.do(act)
    assert person.state.classes == store.classes() == after
    assert person.state.current_class in {c.id for c in after}
    person.do(acts.Undo())
    assert person.state.classes == store.classes() == before
    assert person.state.current_class == current
    person.do(acts.Redo())
    assert person.state.classes == store.classes() == after
    assert acts.act_of(acts.stored_act(act)) == act


def test_merged_classes_give_their_objects_and_take_them_back(person: Person, store: Store) -> None:
    person.do(acts.SetClass(2))
    kept, gone = person.accepts(60, 50), person.accepts(20, 20)
    person.do(acts.Select(gone.id), acts.DeleteSelected(), MergeClass(2, 1))
    assert [a.class_id for a in person.state.annotations] == [1]
    assert [r.class_name for r in store.records()] == ["object"]
    assert person.state.current_class == 1
    person.do(acts.Undo(), acts.Undo())
    assert [(a.id, a.class_id) for a in person.state.annotations] == [(kept.id, 2), (gone.id, 2)]
    assert [(a.id, a.class_id) for a in store.annotations()] == [(kept.id, 2), (gone.id, 2)]


def test_a_class_with_objects_stays_and_says_what_to_do(person: Person, store: Store) -> None:
    person.do(acts.SetClass(2))
    person.accepts(60, 50)
    person.do(DeleteClass(2))
    assert "merge it" in person.state.message.text
    assert names(person) == ["object", "leaf", "stem"]
    person.clicks(20, 20)
    person.do(DeleteClass(2))
    assert "leaf" in names(person)


def test_the_last_class_stays(person: Person) -> None:
    person.do(DeleteClass(3), DeleteClass(2), DeleteClass(1))
    assert names(person) == ["object"]
    assert "at least one class" in person.state.message.text


@pytest.mark.parametrize("act", [MergeClass(2, 2), MergeClass(2, 9), DeleteClass(9), MoveClass(9, 1), MoveClass(1, -1)])
def test_what_changes_nothing_is_no_step_to_undo(person: Person, act: OfClasses) -> None:
    person.do(act, acts.Undo())
    assert names(person) == ["object", "leaf"]


def test_a_class_that_is_not_tidied_asks_for_masks_as_they_are(person: Person) -> None:
    person.do(ChangeClass(3, tidy=False))
    person.clicks(60, 50)
    assert [r.prompt.tidy for r in person.script.sent(PredictRequest)] == [False]
    person.do(acts.Cancel(), acts.SetClass(1))
    person.clicks(60, 50)
    assert person.script.sent(PredictRequest)[-1].prompt.tidy


def test_the_order_is_there_in_the_next_run(folder: Path) -> None:
    with Store.open(folder) as store:
        Person(store).starts().do(acts.AddClass("leaf"), MoveClass(2, -1), acts.AddClass("stem"))
    with Store.open(folder) as store:
        assert [c.name for c in store.classes()] == ["leaf", "object", "stem"]


def test_names_may_go_from_one_class_to_another(store: Store) -> None:
    store.add_class("leaf")
    swapped = (LabelClass(1, "leaf", 0), LabelClass(2, "object", 1))
    store.put_classes(swapped)
    assert store.classes() == swapped


def test_a_file_that_names_a_class_twice_adds_it_once() -> None:
    wanted = (OntologyClass("leaf", 5), OntologyClass("leaf", 6))
    assert with_ontology((ONE,), wanted) == (LabelClass(2, "leaf", 5), ONE)
    assert moved_class((ONE, TWO), 7, 1) == (ONE, TWO)
