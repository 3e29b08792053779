"""Whatever is asked, nothing that is published changes, and the same question has the same answer: of every strategy."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from samtta_app.adapt.learner import Learner
from samtta_app.adapt.registry import STRATEGIES, strategy
from samtta_app.core.messages import AdaptRequest, MeasureRequest, PredictRequest, RefineRequest, Request, TwinRequest
from samtta_app.core.replies import AdaptReport, Answer, Measured, Reply, TwinReport
from samtta_app.core.types import Box, Candidate, Click, Image, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.model.model_registry import toy_model
from tests.unit.brisk import brisk
from tests.unit.values import example, picture

ON, OFF, THIRD, FOURTH = Click(60, 50, True), Click(9, 9, False), Click(70, 55, True), Click(30, 80, False)


@pytest.fixture(autouse=True)
def short_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replays of five clicks: what they change does not depend on their length."""
    monkeypatch.setattr("samtta_app.adapt.twin.TWIN_CLICKS", 5)


def digest(value: Any) -> str:
    """Of all bytes of all tensors inside, by their places."""
    found = hashlib.sha256()
    for part in parts(value):
        found.update(part)
    return found.hexdigest()


def parts(value: Any) -> Iterable[bytes]:
    if isinstance(value, torch.Tensor):
        yield f"{value.dtype}{tuple(value.shape)}".encode()
        yield value.detach().cpu().numpy().tobytes()
    elif isinstance(value, dict):
        for key in value:
            yield repr(key).encode()
            yield from parts(value[key])
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from parts(entry)
    elif is_dataclass(value):
        for field in fields(value):
            yield from parts(getattr(value, field.name))
    else:
        yield repr(value).encode()


KEEPING = [name for name in STRATEGIES if name != "schoen2024-asreleased"]
"""Strategies under which a question changes no weights; the released code keeps what a given-up object taught."""


def versions(learner: Learner) -> dict[int, str]:
    """What every version holds; the state of an optimiser that goes on through given-up objects is left out."""
    carried = not learner.strategy.in_order
    return {number: digest((k.tensors, k.carried if carried else None)) for number, k in learner._known.items()}


def taught(name: str) -> Engine:
    """An engine with two published versions, where the strategy publishes at all."""
    engine = Engine(toy_model(), adapting=brisk(name))
    for number in (1, 2):
        one = example(number, x=40 + 8 * number)
        run(engine, PredictRequest(number, one.image, Prompt(one.clicks), one.window))
        assert isinstance(run(engine, AdaptRequest(10 + number, one)), AdaptReport)
    return engine


class Object:
    """One object that is clicked at, answer by answer, as a session does."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self.engine, self.image = engine, picture(seed)
        self.asked: list[tuple[PredictRequest, Candidate]] = []

    def clicks(self, *clicks: Click, box: Box | None = None, **changes: Any) -> Candidate:
        before = self.asked[-1][1] if self.asked else None
        prompt = Prompt(clicks, box, before.logits if before else None, 1)
        request = PredictRequest(1, self.image, prompt, before.logits.window if before else None, **changes)
        found = chosen(run(self.engine, request))
        if not changes:
            self.asked.append((request, found))
        return found


def chosen(reply: Reply) -> Candidate:
    assert isinstance(reply, Answer), reply
    return reply.candidates[reply.chosen]


def same(one: Candidate, other: Candidate) -> bool:
    alike = np.array_equal(one.logits.values, other.logits.values) and one.predicted_iou == other.predicted_iou
    return alike and (one.mask.x, one.mask.y) == (other.mask.x, other.mask.y)


def disturbed(engine: Engine, image: Image, shown: Candidate) -> None:
    """Everything that can be asked for besides: other objects, twins, refinements, measures, things left half-way."""
    for seed in (5, 6):
        other = Object(engine, seed)
        for k in range(1, 5):
            other.clicks(*(ON, OFF, THIRD, FOURTH)[:k])
    Object(engine, 1).clicks(box=Box(30, 30, 80, 80))
    again = Object(engine, 1)
    again.clicks(Click(61, 50, True))
    again.clicks(Click(61, 50, True), OFF)
    requests: list[Request] = [
        TwinRequest(2, example(1), 0),
        TwinRequest(3, example(2), engine.published.version),
        RefineRequest(4, image, Prompt((ON,)), None, shown),
        RefineRequest(5, image, Prompt((ON, OFF))),
        MeasureRequest(6, image, Prompt((ON,)), image.whole, ("entropy", "h_xp", "adapted", "ensemble")),
        PredictRequest(7, image, Prompt((ON,)), twin=True),
        PredictRequest(8, image, Prompt((ON,)), candidates=True),
    ]
    for request in requests:
        run(engine, request)
    half = engine.handle(PredictRequest(9, picture(9), Prompt((ON, OFF), None, shown.logits)))
    next(half)
    half.close()


@pytest.mark.parametrize("name", KEEPING)
def test_no_question_changes_a_version_or_the_next_answer(name: str) -> None:
    engine = taught(name)
    before, published = versions(engine.resources.learner), engine.published
    one = Object(engine, 1)
    for k in range(1, 5):
        one.clicks(*(ON, OFF, THIRD, FOURTH)[:k])
    disturbed(engine, one.image, one.asked[0][1])
    for request, found in (*one.asked, *reversed(one.asked)):
        assert same(chosen(run(engine, request)), found)
    assert versions(engine.resources.learner) == before
    assert (engine.published.version, engine.resources.learner._lineage[-1]) == (published.version, published.version)
    assert digest(dict(engine.published.tensors)) == digest(dict(published.tensors))


@pytest.mark.parametrize("name", [name for name in STRATEGIES if not STRATEGIES[name].in_order])
def test_two_engines_that_were_asked_different_things_learn_the_same(name: str) -> None:
    quiet, busy = taught(name), taught(name)
    disturbed(busy, picture(1), Object(busy, 1).clicks(ON))
    third = example(3, x=70)
    for engine in (quiet, busy):
        run(engine, PredictRequest(20, third.image, Prompt(third.clicks), third.window))
        assert isinstance(run(engine, AdaptRequest(21, third)), AdaptReport)
    assert quiet.published.version == busy.published.version
    assert digest(dict(quiet.published.tensors)) == digest(dict(busy.published.tensors))


@pytest.mark.parametrize(("name", "published"), [("schoen2024", 2), ("schoen2024-asreleased", 3)])
def test_a_given_up_object_moves_schoens_adam_and_as_released_its_weights(name: str, published: int) -> None:
    quiet, busy = taught(name), taught(name)
    for k in (1, 2):
        Object(busy, 5).clicks(*(ON, OFF)[:k])
    assert versions(quiet.resources.learner) == versions(busy.resources.learner)
    third = example(3, x=70)
    for engine in (quiet, busy):
        run(engine, PredictRequest(20, third.image, Prompt(third.clicks), third.window))
    assert quiet.published.version == 2
    assert busy.published.version == published
    assert digest(busy.resources.learner._knowledge.carried) != digest(quiet.resources.learner._knowledge.carried)


def test_what_schoens_clicks_teach_answers_their_own_object_only() -> None:
    engine = Engine(toy_model(), adapting=replace(STRATEGIES["schoen2024"], learning_rate=1e-2))
    one, other = Object(engine, 1), Object(engine, 2)
    frozen = Engine(toy_model(), adapting=strategy("frozen:single=1"))
    alone = Object(frozen, 1)
    assert same(one.clicks(ON), alone.clicks(ON))
    assert not np.array_equal(one.clicks(ON, OFF).logits.values, alone.clicks(ON, OFF).logits.values)
    assert same(other.clicks(ON), Object(frozen, 2).clicks(ON))
    assert engine.published.version == 0


def test_ours_learns_from_clicks_where_a_rate_is_given_and_only_for_their_object() -> None:
    rated = Engine(toy_model(), adapting=strategy("samtta:click_rate=1e-3"))
    plain = Engine(toy_model(), adapting=STRATEGIES["samtta"])
    one, other = Object(rated, 1), Object(plain, 1)
    assert same(one.clicks(ON), other.clicks(ON))
    assert not np.array_equal(one.clicks(ON, OFF).logits.values, other.clicks(ON, OFF).logits.values)
    assert same(Object(rated, 2).clicks(ON), Object(plain, 2).clicks(ON))
    assert rated.published.version == 0


def test_measures_and_twins_of_all_kinds_were_asked() -> None:
    engine = taught("samtta")
    shown = Object(engine, 1).clicks(ON)
    assert isinstance(run(engine, MeasureRequest(6, picture(1), Prompt((ON,)), None, ("entropy",))), Measured)
    assert isinstance(run(engine, TwinRequest(3, example(2), 0)), TwinReport)
    disturbed(engine, picture(1), shown)
