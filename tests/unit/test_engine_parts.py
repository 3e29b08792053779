"""Every request has one function that answers it, and what it says before its reply arrives in order."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import pytest

from samtta_app.core.messages import AdaptRequest, PredictRequest, PrefetchRequest, Request, TwinRequest
from samtta_app.core.replies import Evicted, Partial, Prefetched, Progress, Reply
from samtta_app.core.types import Click, Prompt
from samtta_app.engine.dispatch import HANDLERS, Engine, run
from samtta_app.engine.resources import Resources
from samtta_app.errors import UserError
from samtta_app.model.cache import Larger
from samtta_app.model.model_registry import toy_model
from tests.unit.values import example, picture


def parts(engine: Engine, request: Request) -> tuple[list[Partial], Reply]:
    told: list[Partial] = []
    return told, run(engine, request, told.append)


def stages(told: Iterable[Partial]) -> list[tuple[str, float]]:
    return [(part.stage, part.fraction) for part in told if isinstance(part, Progress)]


def test_every_request_has_one_function_that_answers_it() -> None:
    assert set(HANDLERS) == set(get_args(Request))
    assert len(set(HANDLERS.values())) == len(HANDLERS)


def test_partial_replies_are_replies() -> None:
    assert set(get_args(Partial)) <= set(get_args(Reply))


def test_learning_says_how_far_it_is_before_its_report() -> None:
    told, reply = parts(Engine(toy_model()), AdaptRequest(7, example(1)))
    said = stages(told)
    assert {stage for stage, _ in said} == {"learning"}
    assert [share for _, share in said] == sorted(share for _, share in said)
    assert not isinstance(reply, Progress)
    assert reply.request_id == 7  # type: ignore[union-attr]


def test_a_comparison_whose_sides_differ_says_when_the_second_begins() -> None:
    engine = Engine(toy_model(), adapting=None).fresh(0, "fbrs")
    told, _ = parts(engine, TwinRequest(8, example(1), 0))
    assert stages(told) == [("comparing with the original", 0.0), ("comparing with the original", 0.5)]


def test_what_had_to_make_room_is_told_last() -> None:
    engine = Engine(toy_model(), cache_bytes=1)
    assert parts(engine, PrefetchRequest(1, Path("a"), picture(1)))[0] == [Progress("encoding", 0.0)]
    told, reply = parts(engine, PrefetchRequest(2, Path("b"), picture(2)))
    assert told == [Progress("encoding", 0.0), Evicted(frozenset({picture(1).key}))]
    assert isinstance(reply, Prefetched)


def test_a_click_says_nothing_before_its_answer() -> None:
    told, _ = parts(Engine(toy_model()), PredictRequest(1, picture(), Prompt((Click(60, 50, True),))))
    assert told == []


def resources(larger: Larger | None = None) -> Resources:
    model = toy_model()
    engine = Engine(model, larger=larger)
    return engine.resources


def test_without_a_larger_model_asking_it_is_refused() -> None:
    with pytest.raises(UserError, match="no larger model"):
        resources().second()


def test_the_larger_model_has_encoded_images_of_its_own() -> None:
    second = toy_model(1)
    own = resources(Larger(lambda: second))
    model, cache = own.second()
    assert model is second
    assert cache is not own.cache


def test_what_can_be_made_again_is_dropped_at_once() -> None:
    own = resources(Larger(lambda: toy_model(1)))
    _, cache = own.second()
    for each in (own.cache, cache):
        list(each.features(picture(1), picture(1).whole))
    own.free()
    assert not own.cache.has(picture(1).key, picture(1).whole)
    assert not cache.has(picture(1).key, picture(1).whole)


def test_an_engine_that_runs_elsewhere_than_asked_says_why() -> None:
    assert Engine(toy_model()).device_refusal == ""
    engine = Engine(toy_model(), device_refusal="cuda cannot be used (no driver)")
    assert engine.description.endswith("on cpu: cuda cannot be used (no driver), so the processor answers")
