"""DC-TTA after the abstract: clicks are divided, every unit adapts a copy, the copies are merged, and nothing stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from samtta_app.adapt.memory import Memory
from samtta_app.adapt.strategies.dc_tta import DcTta, Unit, Units, averaged, overlap
from samtta_app.adapt.strategy import Attempt, Fitted, Knowledge, Lesson
from samtta_app.core.types import Click, Prompt
from samtta_app.model.losses import click_loss
from samtta_app.model.model_registry import toy_model
from samtta_app.model.predictor import decode_prompt
from samtta_app.model.weights import Tensors
from tests.unit.adapt.test_strategy import differ, done, encoded, same

MODEL = toy_model()
ITEM, FEATURES = encoded(MODEL, 1)
KNOWN = Knowledge(MODEL.frozen.tensors)
CLICKS = (Click(60, 50, True), Click(100, 20, False), Click(66, 56, True), Click(20, 80, True))
ONE = DcTta(joins=-1.0)  # every click joins
MANY = DcTta(joins=1.0)  # none does


def fitted(strategy: DcTta, count: int = 4, carried: Units | None = None, known: Knowledge = KNOWN) -> Fitted:
    before = Attempt(known, Prompt(CLICKS[: count - 1]), FEATURES, known.tensors, carried)
    return done(strategy.before_answer(MODEL, known, before, Prompt(CLICKS[:count])))


def cost(tensors: Tensors, clicks: tuple[Click, ...] = CLICKS) -> float:
    with torch.no_grad():
        logits = decode_prompt(MODEL, tensors, FEATURES, Prompt(clicks)).logits[:1]
    return float(click_loss(logits, clicks, FEATURES.window))


@pytest.mark.parametrize("strategy", [ONE, MANY])
def test_the_answer_follows_the_clicks(strategy: DcTta) -> None:
    result = fitted(replace(strategy, learning_rate=5e-3, steps=5))
    assert cost(result.tensors) < 0.95 * cost(KNOWN.tensors)


def test_clicks_that_mean_the_same_part_are_one_unit() -> None:
    units: Units = fitted(ONE).carried
    positives = tuple(c for c in CLICKS if c.positive)
    assert [unit.positives for unit in units.parts] == [positives]
    assert units.parts[0].tensors is units.whole.tensors


def test_clicks_that_mean_different_parts_are_units_of_their_own_up_to_the_limit() -> None:
    units: Units = fitted(MANY).carried
    assert [len(unit.positives) for unit in units.parts] == [1, 1, 1]
    assert len(units.whole.positives) == 3
    assert differ(units.parts[0].tensors, units.parts[1].tensors)
    limited: Units = fitted(replace(MANY, units=2)).carried
    assert len(limited.parts) == 2
    assert len(limited.whole.positives) == 3


def test_a_new_click_leaves_the_earlier_division_as_it_is() -> None:
    first = fitted(MANY, 3)
    second: Units = fitted(MANY, 4, first.carried).carried
    assert [unit.positives for unit in second.parts] == [(CLICKS[0],), (CLICKS[2],), (CLICKS[3],)]
    joined: Units = fitted(ONE, 4, first.carried).carried
    assert [unit.positives for unit in joined.parts] == [(CLICKS[0], CLICKS[3]), (CLICKS[2], CLICKS[3])]


def test_units_go_on_from_their_own_tensors() -> None:
    strategy = replace(ONE, learning_rate=1e-3)
    first = fitted(strategy, 2)
    on, afresh = fitted(strategy, 3, first.carried), fitted(strategy, 3)
    assert cost(on.tensors, CLICKS[:3]) < cost(afresh.tensors, CLICKS[:3])


def test_the_merged_tensors_are_the_mean_of_whole_and_parts() -> None:
    result = fitted(MANY, 3)
    units: Units = result.carried
    copies = [units.whole.tensors, *(unit.tensors for unit in units.parts)]
    assert len(copies) == 3
    for name, tensor in result.tensors.items():
        assert torch.allclose(tensor, sum(copy[name] for copy in copies) / 3, atol=1e-6)


def test_consistency_holds_the_answer_near_the_frozen_one() -> None:
    strategy = DcTta(learning_rate=1e-3, steps=10)

    def distance(weight: float) -> float:
        tensors = fitted(replace(strategy, consistency=weight), 2).tensors
        with torch.no_grad():
            one, two = (
                decode_prompt(MODEL, t, FEATURES, Prompt(CLICKS[:2])).logits[0] for t in (tensors, KNOWN.tensors)
            )
        return float((one.sigmoid() - two.sigmoid()).square().mean())

    assert distance(100.0) < 0.5 * distance(0.0)


def test_the_object_is_forgotten() -> None:
    result = fitted(ONE)
    assert differ(result.tensors, KNOWN.tensors)
    own = Attempt(KNOWN, Prompt(CLICKS), FEATURES, result.tensors, result.carried)
    learned = done(ONE.after_accept(MODEL, KNOWN, Lesson(ITEM, Memory((ITEM,)), own, np.random.default_rng(0))))
    assert learned.knowledge is KNOWN
    assert not learned.verdict.kept
    assert done(ONE.before_answer(MODEL, KNOWN, None, Prompt(CLICKS[:1]))).tensors is KNOWN.tensors


def test_the_fit_is_the_same_every_time_and_shares_nothing() -> None:
    before = {name: tensor.clone() for name, tensor in KNOWN.tensors.items()}
    one, two = fitted(MANY), fitted(MANY)
    assert same(one.tensors, two.tensors)
    assert same(before, KNOWN.tensors)
    assert not {t.data_ptr() for t in one.tensors.values()} & {t.data_ptr() for t in KNOWN.tensors.values()}


def test_an_object_of_exclude_clicks_alone_has_no_parts() -> None:
    clicks = (Click(100, 20, False), Click(20, 80, False))
    before = Attempt(KNOWN, Prompt(clicks[:1]), FEATURES, KNOWN.tensors)
    result = done(DcTta(learning_rate=1e-3).before_answer(MODEL, KNOWN, before, Prompt(clicks)))
    assert result.carried.parts == ()
    assert cost(result.tensors, clicks) < cost(KNOWN.tensors, clicks)


def test_task_vectors_are_averaged_by_hand() -> None:
    frozen = {"w": torch.tensor([1.0, 2.0])}
    copies = [{"w": torch.tensor([2.0, 2.0])}, {"w": torch.tensor([1.0, 6.0])}]
    assert averaged(frozen, copies)["w"].tolist() == [1.5, 4.0]
    assert averaged(frozen, copies[:1])["w"].tolist() == [2.0, 2.0]


def test_overlap_is_iou_and_nothing_in_common_for_empty_masks() -> None:
    one, other = torch.tensor([True, True, False]), torch.tensor([False, True, True])
    assert overlap(one, other) == pytest.approx(1 / 3)
    assert overlap(one, one) == 1.0
    assert overlap(~(one | other), one & ~one) == 0.0


@pytest.mark.parametrize("rate", [float("inf"), 1e30])
def test_what_is_not_finite_never_gets_out(rate: float) -> None:
    result = fitted(DcTta(learning_rate=rate, steps=3), 2)
    assert all(torch.isfinite(tensor).all() for tensor in result.tensors.values())
    assert same(result.tensors, KNOWN.tensors)
    broken = Knowledge({name: torch.full_like(tensor, float("nan")) for name, tensor in KNOWN.tensors.items()})
    assert fitted(DcTta(), 2, known=broken).tensors is broken.tensors


def test_a_unit_is_a_value() -> None:
    unit = Unit((CLICKS[0],), KNOWN.tensors)
    with pytest.raises(AttributeError):
        unit.positives = ()  # type: ignore[misc]
