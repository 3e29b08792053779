"""What was learned outlives the window: weights and memory come back bit for bit, and learning goes on as if never closed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from samtta_app.adapt.memory import MEMORY_LIMIT, Remembered
from samtta_app.adapt.registry import STRATEGIES
from samtta_app.adapt.strategy import AdaptationStrategy
from samtta_app.core.masks import full
from samtta_app.core.messages import AdaptRequest
from samtta_app.core.types import Click
from samtta_app.model.model_registry import toy_model
from samtta_app.model.weights import all_finite
from samtta_app.session import acts
from samtta_app.session.project.store import Store
from samtta_app.session.workflow.lessons import MEMORY
from tests.unit.session.real import Nudging, Real, annotate, pictures_in, same, sitting
from tests.unit.session.scripted import Person

PLACES = ((40.0, 40.0), (90.0, 60.0))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return pictures_in(tmp_path / "pictures", "a.png", "b.png", "c.png")


def alike(one: Remembered, other: Remembered) -> bool:
    """Whether two remembered objects are the same object, seen the same way, bit for bit."""
    pixels = [full(item.mask, item.extent.height, item.extent.width) for item in (one, other)]
    return (
        (one.object_id, one.clicks, one.box, one.extent) == (other.object_id, other.clicks, other.box, other.extent)
        and one.features.window == other.features.window
        and torch.equal(one.features.embedding, other.features.embedding)
        and torch.equal(one.target, other.target)
        and torch.equal(one.whole, other.whole)
        and bool((pixels[0] == pixels[1]).all())
    )


# --- the same as never closed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "strategy", [Nudging(), "samtta", "samtta-both", "schoen2024"], ids=["nudging", "samtta", "both", "schoen2024"]
)
def test_a_closed_session_comes_back_bit_for_bit_and_learns_the_same_from_the_next_object(
    pictures: Path, tmp_path: Path, strategy: str | AdaptationStrategy
) -> None:
    with sitting(pictures, tmp_path / "one", strategy) as (person, never_closed):
        for image in (2, 0):
            annotate(person, image, *PLACES)
        before = never_closed.engine.published
        kept = never_closed.remembered
        assert before.version == 4 or strategy == "samtta"
        annotate(person, 2, (60.0, 20.0))
        after = never_closed.engine.published
    with sitting(pictures, tmp_path / "two", strategy) as (person, first):
        for image in (2, 0):
            annotate(person, image, *PLACES)
        assert same(first.engine.published.tensors, before.tensors)
    with sitting(pictures, tmp_path / "two", strategy) as (person, second):
        assert second.engine.published.version == before.version
        assert same(second.engine.published.tensors, before.tensors)
        assert second.ids == [item.object_id for item in kept]
        assert all(map(alike, second.remembered, kept))
        annotate(person, 2, (60.0, 20.0))
        assert second.engine.published.version == after.version
        assert same(second.engine.published.tensors, after.tensors)
        assert same(after.tensors, before.tensors) == (after.version == before.version)


def test_an_object_accepted_at_once_waits_until_the_older_ones_are_remembered(pictures: Path, tmp_path: Path) -> None:
    with sitting(pictures, tmp_path / "one") as (person, never_closed):
        for image in (0, 1):
            annotate(person, image, *PLACES)
        annotate(person, 1, (60.0, 20.0))
        expected = never_closed.engine.published
    with sitting(pictures, tmp_path / "two") as (person, _):
        for image in (0, 1):
            annotate(person, image, *PLACES)
    hasty = Real()
    with Store.open(pictures, tmp_path / "two") as store:
        person = Person(store, hasty, twin=False)  # type: ignore[arg-type]
        waiting = list(person.workflow.start())
        while person.state.image is None:  # only what shows the image is answered, nothing is remembered yet
            waiting += person.workflow.receive(hasty.answer(waiting.pop(0)))
        for x in (60.0, 63.0):
            (request,) = person.workflow.do(acts.PlaceClick(Click(x, 20.0, True)))
            waiting += person.workflow.receive(hasty.answer(request))
        older = person.workflow.do(acts.Accept())
        assert not any(isinstance(request, AdaptRequest) and request.learn for request in older)
        waiting += older
        assert len(hasty.remembered) < 4
        person.does(tuple(waiting))
        assert hasty.learned == [5]
        assert hasty.ids == [1, 2, 3, 4, 5]
        assert same(hasty.engine.published.tensors, expected.tensors)


def test_an_object_that_is_withdrawn_while_it_waits_is_never_learned(pictures: Path, tmp_path: Path) -> None:
    with sitting(pictures, tmp_path / "project") as (person, first):
        annotate(person, 0, *PLACES)
        annotate(person, 1, *PLACES)
        before = first.engine.published
    hasty = Real()
    with Store.open(pictures, tmp_path / "project") as store:
        person = Person(store, hasty, twin=False)  # type: ignore[arg-type]
        waiting = list(person.workflow.start())
        while person.state.image is None:
            waiting += person.workflow.receive(hasty.answer(waiting.pop(0)))
        (request,) = person.workflow.do(acts.PlaceClick(Click(60.0, 20.0, True)))
        waiting += person.workflow.receive(hasty.answer(request))
        waiting += person.workflow.do(acts.Accept())
        waiting += person.workflow.do(acts.Undo())
        person.does(tuple(waiting))
        assert hasty.learned == []
        assert hasty.ids == [1, 2, 3, 4]
        assert same(hasty.engine.published.tensors, before.tensors)


def test_objects_whose_image_is_gone_do_not_hold_up_learning(pictures: Path, tmp_path: Path) -> None:
    with sitting(pictures, tmp_path / "project") as (person, _):
        annotate(person, 0, *PLACES)
        annotate(person, 1, *PLACES)
    (pictures / "a.png").unlink()
    with sitting(pictures, tmp_path / "project") as (person, real):
        assert real.ids == [3, 4]
        annotate(person, person.state.index, (60.0, 20.0))
        assert real.learned == [5]


def test_undo_of_an_accept_leaves_the_memory_now_and_after_the_next_start(pictures: Path, tmp_path: Path) -> None:
    with sitting(pictures, tmp_path / "project") as (person, real):
        annotate(person, 0, *PLACES, (60.0, 20.0))
        person.do(acts.Undo())
        assert real.ids == [1, 2]
        person.do(acts.Redo())
        assert real.ids == [1, 2, 3]
        person.do(acts.Undo())
    with sitting(pictures, tmp_path / "project") as (_, real):
        assert real.ids == [1, 2]


# --- a full memory ----------------------------------------------------------------------------------------------------


def test_both_sides_of_the_line_agree_on_the_size_of_the_memory() -> None:
    assert MEMORY == MEMORY_LIMIT == 64


def test_a_full_memory_loses_its_oldest_and_is_the_same_after_the_next_start(pictures: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    real = Real(STRATEGIES["frozen"])  # learns nothing, remembers everything: only the memory counts here
    with Store.open(pictures, tmp_path / "project") as store:
        person = Person(store, real, twin=False).starts()  # type: ignore[arg-type]
        for _ in range(67):
            (place,) = ((float(x), float(y)) for x, y in [rng.integers(20, 76, 2)])
            annotate(person, person.state.index, place)
        ids = real.ids
        assert len(store.annotations()) == 67
        assert ids == list(range(4, 68))
        assert person.state.adaptation.memory_objects == 64
        person.do(acts.Undo())
        assert real.ids == list(range(3, 67))  # the newest that had no room came back
        person.do(acts.Redo())
        assert real.ids == ids
        person.do(acts.Undo())
        kept = real.remembered
    again = Real(STRATEGIES["frozen"])
    with Store.open(pictures, tmp_path / "project") as store:
        Person(store, again, twin=False).starts()  # type: ignore[arg-type]
        assert again.ids == list(range(3, 67))
        assert all(map(alike, again.remembered, kept))


# --- another strategy, another model ----------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["samtta", "schoen2024", "fbrs", "lit-lora"])
def test_weights_of_another_strategy_answer_and_learning_goes_on_from_them(
    pictures: Path, tmp_path: Path, other: str
) -> None:
    with sitting(pictures, tmp_path / "project") as (person, first):
        annotate(person, 0, PLACES[0])
        before = first.engine.published
    with sitting(pictures, tmp_path / "project", other) as (person, second):
        assert person.state.adaptation.strategy == other
        assert person.state.adaptation.version == before.version == 1
        assert same(second.engine.published.tensors, before.tensors)
        annotate(person, 0, PLACES[1])
        assert second.learned == [2]
        assert second.ids == [1, 2]
        assert all_finite(second.engine.published.tensors)


def test_frozen_answers_with_the_original_and_keeps_what_was_learned_for_later(pictures: Path, tmp_path: Path) -> None:
    with sitting(pictures, tmp_path / "project") as (person, first):
        annotate(person, 0, *PLACES)
        before = first.engine.published
    with sitting(pictures, tmp_path / "project", "frozen") as (person, frozen):
        assert person.state.adaptation.activity == "off"
        assert person.state.adaptation.version == 0
        assert person.state.message.text == f"The original model answers; version {before.version} stays in the project"
        annotate(person, 1, *PLACES)
        assert same(frozen.engine.published.tensors, toy_model().frozen.tensors)
        assert not any(isinstance(request, AdaptRequest) for request in frozen.requests)
        assert person.state.annotations[-1].weights_version == 0
        assert person.state.activity == ""
    with sitting(pictures, tmp_path / "project") as (person, again):
        assert same(again.engine.published.tensors, before.tensors)
        assert again.ids == [1, 2, 3, 4]


def test_weights_of_another_model_are_refused_with_both_names_and_the_original_answers(
    pictures: Path, tmp_path: Path
) -> None:
    with sitting(pictures, tmp_path / "project", model="leaves") as (person, first):
        annotate(person, 0, *PLACES)
        before = first.engine.published
    with sitting(pictures, tmp_path / "project", model="wounds") as (person, real):
        message = person.state.message
        assert message.severity == "warning"
        assert "'leaves'" in message.text
        assert "'wounds'" in message.text
        assert person.state.adaptation.version == 0
        person.clicks(40.0, 40.0)
        assert person.state.preview.weights_version == 0
        person.do(acts.Cancel())
        assert same(real.engine.published.tensors, toy_model().frozen.tensors)
        assert real.ids == [1, 2]
    with sitting(pictures, tmp_path / "project", model="leaves") as (person, again):
        assert person.state.message is None
        assert same(again.engine.published.tensors, before.tensors)
