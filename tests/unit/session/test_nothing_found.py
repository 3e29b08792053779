"""Where there is nothing to accept, nothing is offered: a line says what to do, and the clicks stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from samtta_app.core.messages import PredictRequest, Request
from samtta_app.core.replies import Answer, Reply
from samtta_app.core.types import Click, Mask
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from tests.unit.session.scripted import Person, Script, folder_of

EMPTY = Mask(0, 0, np.zeros((1, 1), dtype=np.bool_))


class Honest(Script):
    """Answers exclude clicks alone with nothing, as the engine does; with `blind`, every mask is empty."""

    blind = False

    def answer(self, request: Request) -> Reply:
        reply = super().answer(request)
        if not isinstance(request, PredictRequest) or not isinstance(reply, Answer):
            return reply
        if not request.prompt.includes:
            return replace(reply, candidates=(), chosen=0)
        if self.blind:
            return replace(reply, candidates=tuple(replace(c, mask=EMPTY) for c in reply.candidates))
        return reply


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    with Store.open(folder_of(tmp_path / "images")) as store:
        yield Person(store, Honest()).starts()


def asked(person: Person) -> PredictRequest:
    newest = person.script.sent(PredictRequest)[-1]
    assert isinstance(newest, PredictRequest)
    return newest


def test_a_lone_exclude_click_offers_nothing_and_says_what_to_do(person: Person) -> None:
    person.clicks(60, 50, positive=False)
    preview = person.state.preview
    assert (preview.candidates, preview.waiting, preview.candidate) == ((), False, None)
    assert preview.clicks == (Click(60, 50, False),)
    assert "click on the object" in person.state.message.text
    person.do(acts.Accept())
    assert person.state.annotations == ()
    assert person.state.preview is not None


def test_the_excluded_click_stays_for_the_next_include_click(person: Person) -> None:
    person.clicks(60, 50, positive=False)
    person.clicks(30, 40)
    assert asked(person).prompt.clicks == (Click(60, 50, False), Click(30, 40, True))
    assert asked(person).prompt.logits is None
    assert asked(person).window is None
    assert len(person.state.preview.candidates) == 1
    person.do(acts.Accept())
    (saved,) = person.state.annotations
    assert saved.clicks == (Click(60, 50, False), Click(30, 40, True))


def test_a_box_after_it_works_too_and_undo_goes_back(person: Person) -> None:
    person.clicks(60, 50, positive=False)
    person.boxes(20, 20, 60, 60)
    assert person.state.preview.candidate is not None
    person.do(acts.Undo())
    assert person.state.preview.candidate is None
    person.do(acts.Undo())
    assert person.state.preview is None


def test_where_all_candidates_are_empty_none_is_shown(person: Person) -> None:
    person.script.blind = True  # type: ignore[attr-defined]
    person.clicks(60, 50)
    assert person.state.preview.candidates == ()
    assert "nothing here" in person.state.message.text
    person.do(acts.Accept())
    assert person.state.annotations == ()
    person.script.blind = False  # type: ignore[attr-defined]
    person.clicks(61, 50)
    assert person.state.preview.candidate is not None
    person.do(acts.Accept())
    assert len(person.state.annotations) == 1


def test_comparing_with_the_original_weights_has_nothing_to_compare(person: Person) -> None:
    person.do(acts.Show(compare=True))
    person.clicks(60, 50, positive=False)
    assert not asked(person).twin
    assert person.state.preview.frozen is None
    person.clicks(30, 40)
    assert person.state.preview.frozen is not None


@pytest.mark.parametrize("kind", ["entropy", "refiner", "ensemble", "adapted"])
def test_no_map_is_asked_for(person: Person, kind: str) -> None:
    person.do(acts.Show(overlay=kind))
    before = len(person.script.requests)
    person.clicks(60, 50, positive=False)
    assert len(person.script.requests) == before + 1
