"""A click waits for one pass of the decoder at most while accepted objects are replayed."""

from __future__ import annotations

import pytest

from samtta_app.adapt.registry import STRATEGIES
from samtta_app.core.messages import AdaptRequest, TwinRequest
from samtta_app.core.types import Window
from samtta_app.engine.dispatch import Engine, run
from samtta_app.model import answers
from samtta_app.model.model_registry import toy_model
from tests.unit.values import example


def test_between_two_yields_of_a_replay_lies_one_pass_of_the_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(toy_model(), adapting=STRATEGIES["samtta"])
    run(engine, AdaptRequest(1, example(1)))
    passes: list[int] = []
    most = total = 0
    real = answers.decode

    def counted(*given: object, **named: object) -> object:
        passes.append(1)
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(answers, "decode", counted)
    monkeypatch.setattr(answers, "_elsewhere", lambda *given, **named: Window(10, 10, 80, 80))  # looks again, always
    asked = TwinRequest(2, example(2, 40, 40, 9), engine.published.version)
    run(engine, asked)  # from now on all is encoded, which gives way by itself
    passes.clear()
    work = engine.handle(asked)
    for _ in work:
        most, total = max(most, len(passes)), total + len(passes)
        passes.clear()
    assert most == 1
    assert total >= 3
