"""Strategies are found by name, and a wrong name is one message."""

from __future__ import annotations

import pytest

from samtta_app.adapt.registry import DEFAULT_STRATEGY, STRATEGIES, options, strategy
from samtta_app.adapt.strategies.default import Samtta
from samtta_app.adapt.strategies.per_class import PerClass
from samtta_app.errors import UserError

NAMES = [
    *("samtta", "samtta-per-class", "samtta-both", "sum"),
    *("schoen2024", "schoen2024-asreleased", "fbrs", "lit-lora", "dc-tta", "frozen"),
]


def test_every_strategy_is_known_by_its_own_name_the_default_first() -> None:
    assert list(STRATEGIES) == NAMES
    assert NAMES[0] == DEFAULT_STRATEGY
    assert [strategy(name).name for name in NAMES] == NAMES


def test_every_strategy_says_in_words_what_it_does_and_no_two_the_same() -> None:
    words = [each.words for each in STRATEGIES.values()]
    assert len(set(words)) == len(words)
    assert all(15 < len(text) < 100 and text[0].isupper() for text in words)
    assert "after the abstract" in strategy("dc-tta").words
    assert "comparison only" in strategy("schoen2024-asreleased").words


def test_a_strategy_is_a_value() -> None:
    for each in STRATEGIES.values():
        assert each == strategy(each.name)
        with pytest.raises((AttributeError, TypeError)):
            each.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("typed", "advice"), [("schon2024", "schoen2024"), ("lit_lora", "lit-lora"), ("zzz", "frozen")]
)
def test_a_wrong_name_is_one_message_with_advice(typed: str, advice: str) -> None:
    with pytest.raises(UserError, match=typed) as caught:
        strategy(typed)
    assert advice in str(caught.value)


def test_hyper_parameters_are_changed_by_name_also_those_of_what_lies_inside() -> None:
    changed = strategy("samtta:replayed=0,stride=1,guarded=0")
    assert isinstance(changed, Samtta)
    assert (changed.learning.replayed, changed.learning.stride, changed.guarded) == (0, 1.0, False)
    assert changed.name == "samtta:replayed=0,stride=1,guarded=0"
    inside = strategy("samtta-per-class:steps=2")
    assert isinstance(inside, PerClass)
    assert inside.ours.learning.steps == 2
    assert strategy("samtta") == Samtta()


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("samtta:replay=0", "There is no hyper-parameter named 'replay'"),
        ("samtta:replayed", "'' is no value for replayed"),
        ("samtta:replayed=few", "'few' is no value for replayed"),
        ("samtta:name=other", "There is no hyper-parameter named 'name'"),
        ("fbrs:learning_rate=1", "There are single, memory, evaluations"),
        ("samtta:", "There is no hyper-parameter named ''"),
        ("samtta:fits=2", "'2' is no value for fits.*0 or 1"),
        ("samtta:fits=true", "0 or 1"),
        ("samtta:steps=-1", "'-1' is no value"),
        ("samtta:steps=1.5", "a whole number"),
        ("samtta:stride=nan", "'nan' is no value"),
        ("samtta:stride=inf", "'inf' is no value"),
        ("samtta:fits=0,fits=1", "given twice"),
    ],
)
def test_a_wrong_hyper_parameter_is_one_message(typed: str, text: str) -> None:
    with pytest.raises(UserError, match=text):
        strategy(typed)


@pytest.mark.parametrize("name", ["frozen", "fbrs", "dc-tta", "lit-lora", "schoen2024", "schoen2024-asreleased"])
def test_an_option_that_changes_nothing_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="no hyper-parameter named 'fits'"):
        strategy(f"{name}:fits=0")


@pytest.mark.parametrize("name", ["samtta-per-class", "samtta-both"])
def test_whether_clicks_move_the_threshold_is_the_same_for_a_class(name: str) -> None:
    changed = strategy(f"{name}:fits=0")
    assert isinstance(changed, PerClass)
    assert (changed.fits, changed.ours.fits) == (False, False)


@pytest.mark.parametrize("name", NAMES)
def test_every_option_can_be_given_and_is_then_what_it_says(name: str) -> None:
    for key in options(STRATEGIES[name]):
        assert strategy(f"{name}:{key}=1") is not None
