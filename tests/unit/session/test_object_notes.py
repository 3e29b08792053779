"""Ignore regions, attributes and comments are stored and undone; what is ignored is neither learned nor counted."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from samtta_app.core.messages import AdaptRequest, ForgetRequest
from samtta_app.core.object_notes import NO_NOTE, ObjectNote, attributes_of, attributes_text, note_in
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import Person

NOTE = ObjectNote(attributes=(("stage", "late"), ("blurred", "")), comment="Ask Ada")


def test_a_note_is_stored_and_undone(person: Person, store: Store) -> None:
    one = person.accepts(60, 50)
    person.do(acts.Select(one.id), acts.DescribeObject(NOTE))
    assert store.annotations()[0].note == person.state.annotations[0].note == NOTE
    person.do(acts.DescribeObject(NOTE), acts.Undo())
    assert store.annotations()[0].note == person.state.annotations[0].note == NO_NOTE
    person.do(acts.Redo())
    assert store.annotations()[0].note == NOTE
    assert acts.act_of(acts.stored_act(acts.DescribeObject(NOTE))) == acts.DescribeObject(NOTE)


def test_a_note_needs_a_selected_object(person: Person) -> None:
    person.do(acts.DescribeObject(NOTE))
    assert "Select an object" in person.state.message.text


def test_a_note_stays_with_an_object_that_is_corrected_or_cut(person: Person) -> None:
    one = person.accepts(60, 50, clicks=3)
    person.do(
        acts.Select(one.id), acts.DescribeObject(NOTE), acts.PaintStroke(((60, 50), (90, 50)), 8.0), acts.Accept()
    )
    assert [a.note for a in person.state.annotations] == [NOTE]
    person.do(acts.CutObject((62, 0), (62, 95)))
    assert [a.note for a in person.state.annotations] == [NOTE, NOTE]


def test_an_ignore_region_is_drawn_like_an_object_and_not_learned(person: Person, store: Store) -> None:
    person.clicks(60, 50)
    person.do(acts.Accept(ignore=True))
    assert [a.note.ignore for a in store.annotations()] == [True]
    assert person.script.sent(AdaptRequest) == []
    assert (person.state.statistics.objects, store.records(), store.newest(5)) == (0, (), ())
    assert store.unlearned("") == ()
    person.do(acts.Undo(), acts.Redo())
    assert person.script.sent(AdaptRequest) == []


def test_an_object_becomes_an_ignore_region_and_an_object_again(person: Person, store: Store) -> None:
    one = person.accepts(60, 50)
    person.do(acts.Select(one.id), acts.DescribeObject(ObjectNote(ignore=True)))
    assert [r.object_id for r in person.script.sent(ForgetRequest)] == [one.id]
    assert person.state.statistics.objects == 0
    person.do(acts.NextImage(), acts.Undo())
    assert person.state.statistics.objects == 1
    assert [a.note.ignore for a in store.annotations("a.png")] == [False]
    assert store.project().ignored == frozenset()


def test_a_note_that_was_damaged_names_its_object(folder: Path) -> None:
    with Store.open(folder) as store:
        Person(store).starts().accepts(60, 50)
        home = store.home
    for bad in ("[]", "{", "7"):
        with sqlite3.connect(home / "project.db") as db:
            db.execute("UPDATE annotations SET note = ?", (bad,))
        db.close()
        with Store.open(folder) as store:
            assert store.annotations() == ()
            assert "object 1" in store.notice


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        (" stage = late ;; blurred; stage=early", (("stage", "early"), ("blurred", ""))),
        ("a=b=c; =x", (("a", "b=c"),)),
    ],
)
def test_attributes_are_read_as_they_are_written(text: str, found: tuple[tuple[str, str], ...]) -> None:
    assert attributes_of(text) == found
    assert attributes_of(attributes_text(found)) == found


@pytest.mark.parametrize("values", [None, 3, [], {"attributes": [1], "comment": 7}, {"attributes": {"x": [1]}}])
def test_a_note_of_another_kind_is_none(values: object) -> None:
    assert note_in(values) == NO_NOTE
