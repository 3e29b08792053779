"""An object that the frozen weights answer is answered as if nothing had been learned, and the learner is not told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from samtta_app.adapt.registry import STRATEGIES, strategy
from samtta_app.core.messages import AdaptRequest, MeasureRequest, PredictRequest
from samtta_app.core.replies import AdaptReport, Answer, Measured
from samtta_app.core.types import Candidate, Click, Logits, Prompt
from samtta_app.engine.dispatch import Engine, run
from samtta_app.model.model_registry import toy_model
from tests.unit.brisk import brisk
from tests.unit.values import example, picture

CLICKS = (Click(60, 50, True), Click(20, 20, False), Click(70, 60, True), Click(90, 20, False), Click(50, 60, True))


def learn(engine: Engine, number: int) -> AdaptReport:
    one = example(number, x=40 + 8 * number)
    run(engine, PredictRequest(number, one.image, Prompt(one.clicks), one.window))
    report = run(engine, AdaptRequest(10 + number, one))
    assert isinstance(report, AdaptReport)
    return report


def taught(name: str, **changes: bool) -> Engine:
    engine = Engine(toy_model(), adapting=replace(brisk(name), **changes))  # type: ignore[type-var]
    for number in (1, 2):
        learn(engine, number)
    return engine


def answers(engine: Engine, **changes: bool) -> list[Answer]:
    """The answers to one click, two clicks, ..., each with the logits of the one before."""
    image, given = picture(3), list[Answer]()
    for k in range(1, len(CLICKS) + 1):
        before = shown(given[-1]) if given else None
        logits: Logits | None = before.logits if before else None
        prompt = Prompt(CLICKS[:k], None, logits, 1)
        request = PredictRequest(k, image, prompt, before.logits.window if before else None, **changes)
        reply = run(engine, request)
        assert isinstance(reply, Answer)
        given.append(reply)
    return given


def shown(reply: Answer) -> Candidate:
    return reply.candidates[reply.chosen]


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_frozen_weights_answer_as_if_nothing_was_ever_learned(name: str) -> None:
    found = answers(taught(name), frozen=True)
    rule = "frozen:single=1" if STRATEGIES[name].single else "frozen"  # which mask answers is the method's, not learned
    expected = answers(Engine(toy_model(), adapting=strategy(rule)))
    for one, other in zip(found, expected, strict=True):
        assert (one.weights_version, one.window, one.twin) == (0, other.window, False)
        assert np.array_equal(shown(one).logits.values, shown(other).logits.values)
        assert np.array_equal(shown(one).mask.bits, shown(other).mask.bits)


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_learner_is_not_told_of_such_an_object(name: str) -> None:
    quiet, asked = taught(name), taught(name)
    answers(asked, frozen=True)
    ends = [learn(engine, 3) for engine in (quiet, asked)]
    assert ends[0].losses == ends[1].losses
    weights = [engine.published.tensors for engine in (quiet, asked)]
    assert all(np.array_equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_after_learning_the_frozen_answer_is_another_than_the_published_one() -> None:
    engine = taught("samtta", guarded=False)
    assert engine.published.version > 0
    plain, frozen = answers(engine)[0], answers(engine, frozen=True)[0]
    assert plain.weights_version == engine.published.version
    assert not np.array_equal(shown(plain).logits.values, shown(frozen).logits.values)


def test_exclude_clicks_alone_name_the_frozen_weights_too() -> None:
    reply = run(taught("samtta"), PredictRequest(1, picture(3), Prompt((CLICKS[1],)), frozen=True))
    assert isinstance(reply, Answer)
    assert (reply.candidates, reply.weights_version) == ((), 0)


def test_a_map_of_the_frozen_answer_is_of_the_frozen_weights() -> None:
    asked = MeasureRequest(1, picture(3), Prompt(CLICKS[:1]), None, ("score",), frozen=True)
    frozen, fresh, plain = (
        run(engine, request)
        for engine, request in (
            (taught("samtta"), asked),
            (Engine(toy_model(), adapting=STRATEGIES["frozen"]), asked),
            (taught("samtta", guarded=False), replace(asked, frozen=False)),
        )
    )
    assert isinstance(frozen, Measured)
    assert isinstance(fresh, Measured)
    assert isinstance(plain, Measured)
    assert frozen.numbers == fresh.numbers
    assert frozen.numbers != plain.numbers


@pytest.mark.parametrize(("change", "original"), [("twin", True), ("frozen", True), ("larger", True)])
def test_a_request_knows_whether_weights_that_never_learn_answer_it(change: str, original: bool) -> None:
    plain = PredictRequest(1, picture(3), Prompt(CLICKS[:1]))
    assert not plain.original
    assert replace(plain, **{change: True}).original is original
