"""Learning trains a copy, lowers the loss on what was accepted, and repeats itself for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from samtta_app.adapt.guard import judge, score, scores
from samtta_app.adapt.loop import Learned, Learning, learn
from samtta_app.adapt.memory import Remembered, remember
from samtta_app.adapt.rounds import correction, first_click, trajectory
from samtta_app.core.masks import holds
from samtta_app.core.types import Box, Click, Prompt
from samtta_app.model.predictor import encode
from samtta_app.model.sam import SamModel, toy_model
from tests.unit.values import example

MODEL = toy_model()


def remembered(object_id: int, x: int = 60, model: SamModel = MODEL) -> Remembered:
    one = example(object_id, x=x)
    work = encode(model, one.image, one.window)
    while True:
        try:
            next(work)
        except StopIteration as done:
            item = remember(one, done.value, model.size)
            assert item is not None
            return item


def finish(newest: Remembered | None, replay: list[Remembered], learning: Learning, seed: int = 0) -> Learned:
    work = learn(MODEL, MODEL.frozen, newest, replay, np.random.default_rng(seed), learning)
    while True:
        try:
            share = next(work)
            assert 0 < share <= 1
        except StopIteration as done:
            result: Learned = done.value
            return result


def test_only_the_copy_changes() -> None:
    before = {key: value.clone() for key, value in MODEL.net.state_dict().items()}
    learned = finish(remembered(1), [remembered(2, 80)], Learning(steps=2))
    after = MODEL.net.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert any(not torch.equal(learned.tensors[key], value) for key, value in MODEL.frozen.tensors.items())


def test_the_copy_gets_better_at_what_it_was_shown() -> None:
    item = remembered(1)
    learned = finish(item, [], Learning(steps=40, learning_rate=2e-3, anchor=0.0))
    assert score(MODEL, learned.tensors, item) > score(MODEL, MODEL.frozen.tensors, item) + 0.2
    assert learned.losses[-1] < learned.losses[0]


def test_the_same_seed_gives_the_same_weights() -> None:
    items = [remembered(1), remembered(2, 40), remembered(3, 90)]
    one, two = (finish(items[0], items, Learning(steps=3), seed=5) for _ in range(2))
    assert all(torch.equal(one.tensors[key], two.tensors[key]) for key in one.tensors)
    other = finish(items[0], items, Learning(steps=3), seed=6)
    assert any(not torch.equal(one.tensors[key], other.tensors[key]) for key in one.tensors)


def test_the_anchor_pulls_towards_the_original() -> None:
    def distance(anchor: float) -> float:
        learned = finish(remembered(1), [], Learning(steps=5, learning_rate=1e-3, anchor=anchor))
        return sum(float((learned.tensors[k].detach() - v).abs().sum()) for k, v in MODEL.frozen.tensors.items())

    assert distance(0.5) < 0.6 * distance(0.0)


def test_a_loss_that_is_not_finite_ends_the_training() -> None:
    learned = finish(remembered(1), [], Learning(steps=9, learning_rate=float("inf")))
    assert len(learned.losses) < 9
    assert not np.isfinite(learned.losses[-1])


def test_nothing_to_replay_and_a_held_back_object_teach_nothing() -> None:
    learned = finish(None, [], Learning(steps=2))
    assert all(torch.allclose(learned.tensors[k], v, atol=1e-6) for k, v in MODEL.frozen.tensors.items())


def test_a_fresh_first_click_lies_on_the_object_not_at_its_edge() -> None:
    item = remembered(1)
    rng = np.random.default_rng(0)
    middle = first_click(item)
    assert middle is not None
    assert abs(middle.x - 60) < 5
    assert abs(middle.y - 50) < 5
    places = {(c.x, c.y) for c in (first_click(item, rng) for _ in range(20)) if c is not None}
    assert len(places) > 3
    assert all(holds(item.mask, x, y) for x, y in places)


def test_a_correction_adds_one_click_in_the_largest_error_and_feeds_the_logits_back() -> None:
    item = remembered(1)
    shown = torch.where(item.whole == 1, 5.0, -5.0)
    shown[:, :3] = 5.0
    prompt = correction(item, shown, Prompt((Click(60, 50, True),)))
    assert prompt is not None
    assert prompt.clicks[1].positive is False
    assert prompt.clicks[1].x < 3 * 128 / 16
    assert prompt.logits is not None
    assert correction(item, torch.where(item.whole == 1, 5.0, -5.0), prompt) is None


def test_a_trajectory_has_one_value_per_click() -> None:
    values = trajectory(MODEL, MODEL.frozen.tensors, remembered(1), 4)
    assert len(values) == 4
    assert all(0 <= v <= 1 for v in values)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (Prompt((Click(1, 1, True),)), True),
        (Prompt((Click(1, 1, True), Click(2, 2, True))), False),
        (Prompt((Click(1, 1, True),), Box(0, 0, 3, 3)), False),
    ],
)
def test_only_a_single_click_is_ambiguous(prompt: Prompt, expected: bool) -> None:
    assert prompt.ambiguous is expected


@pytest.mark.parametrize(
    ("candidate", "before", "frozen", "kept", "word"),
    [
        (0.80, 0.80, 0.80, True, "Kept"),
        (0.81, 0.80, 0.70, True, "Kept"),
        (0.79, 0.80, 0.70, False, "worse than before"),
        (0.81, 0.80, 0.82, False, "worse than the original"),
        (float("nan"), 0.8, 0.8, False, "finite"),
    ],
)
def test_the_guard_keeps_only_what_is_no_worse(
    candidate: float, before: float, frozen: float, kept: bool, word: str
) -> None:
    verdict = judge(candidate, before, frozen, 3)
    assert verdict.kept is kept
    assert word in verdict.reason


def test_guard_scores_that_are_known_are_not_computed_again() -> None:
    items = [remembered(1), remembered(2, 40)]
    known = {1: 0.25}
    work = scores(MODEL, MODEL.frozen.tensors, items, known)
    steps = 0
    while True:
        try:
            next(work)
            steps += 1
        except StopIteration as done:
            mean = done.value
            break
    assert steps == 1
    assert mean == pytest.approx((0.25 + known[2]) / 2)
