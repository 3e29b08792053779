"""LIT-LoRA: factors are trained on accepted masks with replay, the best snapshot is kept, and all of it can be stored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from samtta_app.adapt.memory import Memory, Remembered
from samtta_app.adapt.strategies.lit_lora import Adapter, LitLora, focal_dice
from samtta_app.adapt.strategies.lora import PROJECTIONS, merged_lora, new_factors
from samtta_app.adapt.strategy import Knowledge, Learned, Lesson
from samtta_app.core.types import Box, Click
from samtta_app.model.model_registry import toy_model
from samtta_app.model.weights import from_bytes, to_bytes
from tests.unit.adapt.test_strategy import SHIPPED, differ, done, encoded, half_a_disc, same, shown_iou

MODEL = toy_model()
ITEMS = [encoded(MODEL, k, x=20 + 10 * k)[0] for k in range(1, 9)]
KNOWN = Knowledge(MODEL.frozen.tensors)


def learned(strategy: LitLora, newest: Remembered, known: Knowledge = KNOWN, items: int = 1, seed: int = 0) -> Learned:
    return done(
        strategy.after_accept(
            MODEL, known, Lesson(newest, Memory(tuple(ITEMS[:items])), None, np.random.default_rng(seed))
        )
    )


def test_the_accepted_object_is_answered_better_and_only_the_projections_change() -> None:
    item, _ = half_a_disc(SHIPPED)
    known, strategy = Knowledge(SHIPPED.frozen.tensors), LitLora(new_rate=3e-3, passes=12, sure=1.0)
    result = done(strategy.after_accept(SHIPPED, known, Lesson(item, Memory((item,)), None, np.random.default_rng(0))))
    assert result.verdict.kept
    assert result.losses[-1] < 0.5 * result.losses[0]
    before, after = shown_iou(SHIPPED, known.tensors, item), shown_iou(SHIPPED, result.knowledge.tensors, item)
    assert after > before + 0.08
    changed = {k for k, v in result.knowledge.tensors.items() if not torch.equal(v, known.tensors[k])}
    assert changed
    assert all(PROJECTIONS.fullmatch(name) for name in changed)
    adapter: Adapter = result.knowledge.carried
    assert adapter.ious == {1: pytest.approx(after, abs=1e-6)}  # the snapshot is the one that was measured
    assert same(merged_lora(SHIPPED.frozen.tensors, adapter.factors, 1.0), result.knowledge.tensors)


def test_the_best_snapshot_is_never_worse_than_the_start() -> None:
    result = learned(LitLora(new_rate=5.0, passes=6), ITEMS[0])
    assert result.verdict.kept
    assert shown_iou(MODEL, result.knowledge.tensors, ITEMS[0]) >= shown_iou(MODEL, KNOWN.tensors, ITEMS[0])


@pytest.mark.parametrize(("items", "passes", "epochs"), [(1, 7, 7), (1, 1, 2), (1, 500, 12), (3, 9, 3)])
def test_passes_and_epochs_bound_the_work(items: int, passes: int, epochs: int) -> None:
    strategy = LitLora(passes=passes, new_epochs=12, tuned_epochs=12, sure=1.0)
    known = replace_ious(KNOWN, {2: 0.5, 3: 0.5})
    assert len(learned(strategy, ITEMS[0], known, items).losses) == epochs


def replace_ious(known: Knowledge, ious: dict[int, float]) -> Knowledge:
    return Knowledge(known.tensors, Adapter(new_factors(known.tensors, 4, np.random.default_rng(0)), ious))


def test_training_stops_early_once_sure_and_no_better() -> None:
    patient = LitLora(new_rate=0.0, passes=20, patience=3, sure=-1.0)
    assert len(learned(patient, ITEMS[0]).losses) == 4
    assert len(learned(replace(patient, sure=1.0), ITEMS[0]).losses) == 20


def test_the_objects_of_the_highest_training_iou_are_replayed() -> None:
    ious = {2: 0.9, 3: 0.1, 4: 0.8, 5: 0.7, 6: 0.95, 7: 0.6, 99: 1.0}
    result = learned(LitLora(passes=12), ITEMS[0], replace_ious(KNOWN, ious), items=8)
    found: Adapter = result.knowledge.carried
    assert found.ious[3] == 0.1  # not trained on: its figure is the old one
    assert 8 not in found.ious  # remembered while paused, never trained on
    assert 99 not in found.ious  # withdrawn
    replayed = {key for key in (2, 4, 5, 6, 7) if found.ious[key] != ious[key]}
    assert replayed == {2, 4, 5, 6, 7}


def test_later_objects_go_on_from_the_same_factors_at_the_lower_rate() -> None:
    first = learned(LitLora(new_rate=1e-2, passes=6), ITEMS[0])
    quiet = learned(LitLora(tuned_rate=0.0, passes=6), ITEMS[1], first.knowledge, items=2)
    assert same(quiet.knowledge.carried.factors, first.knowledge.carried.factors)
    assert set(quiet.knowledge.carried.ious) == {1, 2}
    moved = learned(LitLora(tuned_rate=1e-2, passes=6, sure=1.0), ITEMS[1], first.knowledge, items=2)
    assert len(moved.losses) == 3


def test_the_seed_decides_the_factors() -> None:
    strategy = LitLora(new_rate=1e-2, passes=4)
    one, two, other = (learned(strategy, ITEMS[0], seed=seed).knowledge for seed in (0, 0, 1))
    assert same(one.tensors, two.tensors)
    assert differ(one.carried.factors, other.carried.factors)


def test_what_is_stored_comes_back_bit_for_bit_with_factors_and_figures() -> None:
    strategy = LitLora(new_rate=1e-2, passes=4)
    known = learned(strategy, ITEMS[0]).knowledge
    tensors, facts = strategy.stored(known)
    read, found = from_bytes(3, to_bytes(tensors, "toy", facts), "toy", MODEL.frozen.tensors)
    back = strategy.restored(MODEL, read, found)
    assert same(back.tensors, known.tensors)
    assert same(back.carried.factors, known.carried.factors)
    assert back.carried.ious == known.carried.ious
    next_one, next_back = (learned(strategy, ITEMS[1], k, items=2).knowledge.tensors for k in (known, back))
    assert same(next_one, next_back)


def test_weights_without_factors_are_answered_with() -> None:
    back = LitLora().restored(MODEL, KNOWN.tensors, {"strategy": "other"})
    assert back.tensors is KNOWN.tensors
    assert back.carried is None
    assert LitLora().stored(back) == (KNOWN.tensors, {})


@pytest.mark.parametrize("rate", [float("inf"), 1e30])
def test_what_is_not_finite_is_dropped_with_the_reason(rate: float) -> None:
    result = learned(LitLora(new_rate=rate, passes=5), ITEMS[0])
    assert result.knowledge is KNOWN
    assert not result.verdict.kept
    assert "not finite" in result.verdict.reason
    assert np.isfinite(result.losses).all()


@pytest.mark.parametrize(
    ("clicks", "box"), [((), Box(42, 32, 78, 68)), ((Click(5, 5, False),), None), ((Click(60, 50, True),), None)]
)
def test_every_way_of_asking_is_learned_from(clicks: tuple[Click, ...], box: Box | None) -> None:
    result = learned(LitLora(new_rate=1e-2, passes=4, sure=1.0), replace(ITEMS[0], clicks=clicks, box=box))
    assert result.verdict.kept
    assert len(result.losses) == 4


def test_focal_and_dice_of_hand_worked_masks() -> None:
    whole = torch.tensor([[1, 0], [-1, -1]], dtype=torch.int8)
    logits = torch.zeros(1, 2, 2)
    focal = np.log(2) * 0.25 * (0.25 + 0.75) / 2  # (1 - p)^2 = 1/4, alpha .25 for the object and .75 for the rest
    assert focal_dice(logits, whole, 1.0, 0.0).item() == pytest.approx(focal)
    assert focal_dice(logits, whole, 0.0, 1.0).item() == pytest.approx(1 - (2 * 0.5 + 1) / (1 + 1 + 1))
    assert focal_dice(logits, whole, 20.0, 1.0).item() == pytest.approx(20 * focal + 1 / 3)
    logits[0, 1] = 50.0  # padding
    assert focal_dice(logits, whole, 0.0, 1.0).item() == pytest.approx(1 / 3)
    right = torch.tensor([[[20.0, -20.0], [0.0, 0.0]]])
    assert focal_dice(torch.cat([right, -right]), whole, 20.0, 1.0).tolist()[0] < 1e-4
