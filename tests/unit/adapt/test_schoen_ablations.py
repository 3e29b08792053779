"""Every field of Schön et al.'s method changes what is learned, and each ablation does what its name says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from samtta_app.adapt.memory import Memory
from samtta_app.adapt.registry import options, strategy
from samtta_app.adapt.strategies.schoen2024 import SCHOEN_ABLATIONS, Schoen2024
from samtta_app.adapt.strategy import Attempt, Knowledge, Learned, Lesson
from samtta_app.core.types import Click, Prompt
from samtta_app.errors import UserError
from samtta_app.model.model_registry import toy_model
from samtta_app.model.weights import Tensors
from tests.unit.adapt.test_strategy import SHIPPED, differ, done, encoded, same

MODEL = toy_model()
ITEM, FEATURES = encoded(MODEL, 1)
OTHER, _ = encoded(MODEL, 2, x=90)
KNOWN = Knowledge(MODEL.frozen.tensors)
BOTH = Memory((OTHER, ITEM))
WHOLE = Schoen2024(learning_rate=1e-3)
EDGE = Click(60, 30, True)
"""On the object's edge, in the band that erosion leaves out."""
CHANGES = {
    "single": False,
    "learning_rate": 1e-4,
    "erosion": 0,
    "replayed": 0,
    "balanced": True,
    "click_steps": False,
    "object_steps": False,
    "resets": False,
    "clicks_in_mask": False,
    "confidence": 0.005,
}


def learned(chosen: Schoen2024, memory: Memory = BOTH) -> Learned:
    """An object of two clicks, accepted after the second answer."""
    first = Attempt(KNOWN, Prompt((Click(64, 48, True),)), FEATURES, KNOWN.tensors)
    first = replace(first, taught=chosen.after_answer(MODEL, first))
    prompt = Prompt((Click(64, 48, True), EDGE))
    fitted = done(chosen.before_answer(MODEL, KNOWN, first, prompt))
    second = Attempt(KNOWN, prompt, FEATURES, fitted.tensors, fitted.carried)
    return done(chosen.after_accept(MODEL, KNOWN, Lesson(ITEM, memory, second, np.random.default_rng(0))))


def moved(chosen: Schoen2024) -> Tensors:
    return learned(replace(chosen, learning_rate=1e-3)).knowledge.tensors


def test_every_option_is_tried_here() -> None:
    assert set(options(WHOLE)) == set(CHANGES)


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "single"])
def test_every_option_changes_what_is_learned(name: str) -> None:
    assert same(learned(WHOLE).knowledge.tensors, learned(WHOLE).knowledge.tensors)
    changed = replace(WHOLE, **{name: CHANGES[name]})
    assert differ(learned(changed).knowledge.tensors, learned(WHOLE).knowledge.tensors)


def test_without_replay_no_earlier_object_is_learned() -> None:
    none, five = (learned(replace(WHOLE, replayed=n)) for n in (0, 5))
    assert (len(none.losses), len(five.losses)) == (2, 3)
    alone = learned(replace(WHOLE, replayed=0), Memory((ITEM,)))
    assert same(none.knowledge.tensors, alone.knowledge.tensors)


def test_clicks_alone_leave_the_weights_at_the_objects_start_and_kept_they_do_not() -> None:
    clicks, kept = SCHOEN_ABLATIONS["schoen2024-clicks"], SCHOEN_ABLATIONS["schoen2024-clicks-kept"]
    assert same(moved(clicks), KNOWN.tensors)
    assert learned(clicks).knowledge.carried is not None
    assert differ(moved(kept), KNOWN.tensors)
    assert learned(clicks).losses == learned(kept).losses == ()


def test_the_accepted_mask_alone_takes_no_step_per_click() -> None:
    for name in ("schoen2024-mask", "schoen2024-clicks-in-mask"):
        ablation = SCHOEN_ABLATIONS[name]
        first = Attempt(KNOWN, Prompt((Click(64, 48, True),)), FEATURES, KNOWN.tensors)
        assert ablation.after_answer(MODEL, first) is None
        steps = learned(ablation).knowledge.carried["state"].values()
        assert {float(state["step"]) for state in steps} == {3.0}
    assert differ(moved(SCHOEN_ABLATIONS["schoen2024-mask"]), moved(SCHOEN_ABLATIONS["schoen2024-clicks-in-mask"]))


def test_the_confidence_filter_keeps_the_cells_that_are_sure() -> None:
    prompt = Prompt((Click(64, 48, True),))
    own = Attempt(KNOWN, prompt, FEATURES, KNOWN.tensors)
    lesson = Lesson(ITEM, Memory((ITEM,)), own, np.random.default_rng(0))
    every = WHOLE._cells(MODEL, lesson, ITEM, prompt, FEATURES)
    none = replace(WHOLE, confidence=0.5)._cells(MODEL, lesson, ITEM, prompt, FEATURES)
    some = replace(WHOLE, confidence=0.005)._cells(MODEL, lesson, ITEM, prompt, FEATURES)
    assert (none == -1).all()
    assert (every >= 0).sum() > (some >= 0).sum() > 0
    assert torch.equal(some[some >= 0], every[some >= 0])


def test_the_rate_is_the_backbones_own_unless_one_is_given() -> None:
    assert MODEL.policy.step_rate == 5e-8  # official SAM
    assert SHIPPED.policy.step_rate == 1e-5
    assert Schoen2024()._rate(MODEL) == 5e-8
    assert Schoen2024()._rate(SHIPPED) == 1e-5
    assert Schoen2024(learning_rate=1e-6)._rate(SHIPPED) == 1e-6


def test_ablations_are_strategies_by_name_and_take_options() -> None:
    for name, ablation in SCHOEN_ABLATIONS.items():
        assert strategy(name) is ablation
        assert ablation.in_order
    assert strategy("schoen2024-mask:erosion=2").erosion == 2  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="Did you mean schoen2024-mask"):
        strategy("schoen2024-mesk")
