"""Learning trains a copy, lowers the loss on what was accepted, and repeats itself for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from samtta_app.adapt.loop import Trained, TrainingConfig, learn
from samtta_app.adapt.memory import Memory, Remembered, remember_object
from samtta_app.adapt.rounds import correction, first_click_on, grid_iou, grid_to_image, trajectory
from samtta_app.core.masks import holds
from samtta_app.core.types import Box, Click, Prompt, Window
from samtta_app.model.losses import prompt_loss
from samtta_app.model.model_registry import toy_model
from samtta_app.model.predictor import decode_prompt, encode
from samtta_app.model.weights import Tensors, all_finite
from tests.unit.adapt.test_strategy import differ, done, encoded, same
from tests.unit.values import example

MODEL = toy_model()
FROZEN = MODEL.frozen.tensors
QUICK = TrainingConfig(steps=2, replayed=1, rounds=1)
ONE, TWO, THREE = (encoded(MODEL, number, x)[0] for number, x in ((1, 60), (2, 40), (3, 90)))
NEAR = Window(30, 20, 60, 60)


def in_two_windows() -> Remembered:
    """An object of four clicks that was mended in a narrower window."""
    clicks = (Click(60, 50, True), Click(40, 30, False), Click(66, 56, True), Click(80, 70, False))
    one = replace(example(1), clicks=clicks)
    wide, near = (done(encode(MODEL, one.image, window)) for window in (one.window, NEAR))
    item = remember_object(one, wide, MODEL.size, near)
    assert item is not None
    return item


def broken(item: Remembered) -> Remembered:
    """The object with features that are not finite: decoding them gives a loss that is not."""
    return replace(
        item, features=replace(item.features, embedding=torch.full_like(item.features.embedding, float("nan")))
    )


def taught(
    newest: Remembered,
    memory: tuple[Remembered, ...] = (),
    learning: TrainingConfig = QUICK,
    *,
    seed: int = 0,
    **start: Tensors,
) -> Trained:
    work = learn(MODEL, start.get("start", FROZEN), newest, Memory(memory), np.random.default_rng(seed), learning)
    return done(work)


def yields(newest: Remembered, memory: tuple[Remembered, ...], learning: TrainingConfig) -> list[float]:
    return list(learn(MODEL, FROZEN, newest, Memory(memory), np.random.default_rng(0), learning))


def distance(one: Tensors, other: Tensors) -> float:
    return sum(float((one[name] - other[name]).abs().sum()) for name in one)


@contextmanager
def asked_points() -> Iterator[list[int]]:
    """The number of clicks of every prompt that the real prompt encoder is given."""
    counts: list[int] = []

    def seen(_: nn.Module, __: Any, given: dict[str, Any]) -> None:
        counts.append(given["points"][0].shape[1])

    hook = MODEL.net.prompt_encoder.register_forward_pre_hook(seen, with_kwargs=True)
    yield counts
    hook.remove()


# --- the copy ---------------------------------------------------------------------------------------------------------


def test_only_the_copy_changes() -> None:
    before = {key: value.clone() for key, value in MODEL.net.state_dict().items()}
    learned = taught(ONE, (TWO,))
    assert same(before, MODEL.net.state_dict())
    assert differ(learned.tensors, FROZEN)
    assert not any(tensor.requires_grad for tensor in learned.tensors.values())


def test_weights_that_learning_starts_from_stay_as_they_are() -> None:
    start = taught(ONE).tensors
    kept = {name: tensor.clone() for name, tensor in start.items()}
    assert differ(taught(TWO, start=start).tensors, start)
    assert same(start, kept)


def test_the_copy_gets_better_at_what_it_was_shown() -> None:
    learned = taught(ONE, (), TrainingConfig(steps=40, rounds=2, learning_rate=2e-2, stride=1.0, anchor=0.0))
    before, after = (np.mean(trajectory(MODEL, tensors, ONE, 4)) for tensors in (FROZEN, learned.tensors))
    assert after > before + 0.2
    assert np.mean(learned.losses[-5:]) < np.mean(learned.losses[:5])


def test_the_same_seed_gives_the_same_weights() -> None:
    one, two, other = (taught(ONE, (ONE, TWO, THREE), seed=seed).tensors for seed in (5, 5, 6))
    assert same(one, two)
    assert differ(one, other)


def test_the_first_loss_is_that_of_the_objects_own_clicks_before_any_step() -> None:
    learned = taught(ONE)
    features, prompt = ONE.features.to(torch.float32), Prompt(ONE.clicks)
    with torch.no_grad():
        decoded = decode_prompt(MODEL, FROZEN, features, prompt)
        expected = prompt_loss(decoded.logits, decoded.iou, ONE.target, ONE.clicks, features.window, ambiguous=True)
    assert len(learned.losses) == 2
    assert learned.losses[0] == pytest.approx(float(expected), rel=1e-6)


def test_without_replay_the_memory_is_not_looked_at() -> None:
    alone, beside = (taught(ONE, memory, replace(QUICK, replayed=0)) for memory in ((), (broken(TWO),)))
    assert same(alone.tensors, beside.tensors)
    assert alone.losses == beside.losses


def test_half_the_stride_lands_half_way() -> None:
    start = taught(TWO, seed=3).tensors
    whole, half, none = (
        taught(ONE, (TWO,), replace(QUICK, stride=stride), start=start).tensors for stride in (1.0, 0.5, 0.0)
    )
    assert differ(whole, start)
    assert all(torch.allclose(half[name], (start[name] + whole[name]) / 2, atol=1e-8) for name in start)
    assert same(half, {name: start[name].lerp(whole[name], 0.5) for name in start})
    assert same(none, start)


def test_the_anchor_pulls_towards_the_original_from_wherever_learning_starts() -> None:
    away = {name: tensor + 0.1 for name, tensor in FROZEN.items()}
    free, held, bound = (
        taught(ONE, (), replace(QUICK, stride=1.0, anchor=anchor), start=away).tensors for anchor in (0.0, 0.5, 1.0)
    )
    assert distance(held, FROZEN) < 0.4 * distance(free, FROZEN)  # two steps leave about a quarter
    assert same(bound, dict(FROZEN))


def test_a_loss_that_is_not_finite_ends_the_training_before_its_step() -> None:
    learned = taught(broken(ONE), (TWO,), replace(QUICK, steps=9))
    assert len(learned.losses) == 1
    assert not np.isfinite(learned.losses[0])
    assert same(learned.tensors, dict(FROZEN))


def test_a_broken_object_in_memory_ends_the_training_with_finite_weights() -> None:
    good = tuple(replace(TWO, object_id=number) for number in range(4, 12))
    learned = taught(ONE, (*good, broken(THREE)), replace(QUICK, steps=40))
    assert 1 < len(learned.losses) < 40
    assert np.isfinite(learned.losses[:-1]).all()
    assert not np.isfinite(learned.losses[-1])
    assert all_finite(learned.tensors)


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_the_newest_object_is_never_drawn_again_from_memory() -> None:
    learning = replace(QUICK, steps=2, replayed=2)
    assert yields(ONE, (ONE,), learning) == [0.5, 1.0]
    assert yields(ONE, (ONE, TWO), learning) == [0.25, 0.5, 0.75, 1.0]
    stale = broken(ONE)
    assert same(taught(ONE, (stale,)).tensors, taught(ONE).tensors)


def test_no_more_objects_are_replayed_than_asked_for_and_none_twice() -> None:
    shares = yields(ONE, (ONE, TWO, THREE), replace(QUICK, steps=1, replayed=1))
    assert shares == [0.5, 1.0]
    assert len(yields(ONE, (ONE, TWO, THREE), replace(QUICK, steps=1, replayed=9))) == 3


@pytest.mark.parametrize("rounds", [1, 3])
def test_corrections_follow_the_first_click(rounds: int) -> None:
    with asked_points() as counts:
        taught(ONE, (), replace(QUICK, steps=2, rounds=rounds))
    assert counts == list(range(1, rounds + 1)) * 2


def test_lessons_are_given_in_the_wider_window_only() -> None:
    item = in_two_windows()
    assert item.closeup is not None
    learned = taught(replace(item, clicks=item.clicks[:1], closeup=broken(item.closeup)), (), replace(QUICK, steps=6))
    assert np.isfinite(learned.losses).all()
    with asked_points() as counts:
        taught(replace(item, clicks=item.clicks[:1]), (), replace(QUICK, steps=6))
    assert counts == [1] * 6


# --- simulated clicks -------------------------------------------------------------------------------------------------


def test_the_middle_of_a_grid_cell_in_image_pixels() -> None:
    # 16 cells over 64 pixels: cell 0 holds pixels 10 .. 13, whose middle is 11.5
    assert grid_to_image(Window(10, 20, 64, 64), 16, 0, 2) == (11.5, 29.5)


def test_a_fresh_first_click_lies_on_the_object_not_at_its_edge() -> None:
    rng = np.random.default_rng(0)
    middle = first_click_on(ONE)
    assert middle is not None
    assert abs(middle.x - 60) < 5
    assert abs(middle.y - 50) < 5
    places = {(c.x, c.y) for c in (first_click_on(ONE, rng) for _ in range(20)) if c is not None}
    assert len(places) > 3
    assert all(holds(ONE.mask, x, y) for x, y in places)


def test_an_object_that_fills_no_cell_has_no_first_click_and_no_trajectory() -> None:
    nothing = replace(ONE, whole=torch.zeros_like(ONE.whole))
    assert first_click_on(nothing) is None
    assert trajectory(MODEL, FROZEN, nothing, 4) == []


def test_a_correction_adds_one_click_in_the_largest_error_and_feeds_the_logits_back() -> None:
    right = torch.where(ONE.whole == 1, 5.0, -5.0)
    shown = right.clone()
    shown[:, :3] = 5.0
    prompt = correction(ONE, shown, Prompt((Click(60, 50, True),)))
    assert prompt is not None
    assert prompt.clicks[1].positive is False
    assert prompt.clicks[1].x < 3 * 128 / 16
    assert prompt.logits is not None
    assert np.array_equal(prompt.logits.values, shown.numpy())
    assert correction(ONE, right, prompt) is None


def test_a_correction_of_an_empty_answer_clicks_on_the_object_but_never_twice_in_one_cell() -> None:
    empty = torch.full_like(ONE.whole, -5, dtype=torch.float32)
    first = correction(ONE, empty, Prompt((Click(5, 5, False),)))
    assert first is not None
    second = correction(ONE, empty, first)
    assert second is not None
    places = [(c.x, c.y) for c in second.clicks[1:]]
    assert len(set(places)) == 2
    assert all(c.positive and holds(ONE.mask, c.x, c.y) for c in second.clicks[1:])


def test_a_trajectory_has_one_value_per_click() -> None:
    values = trajectory(MODEL, FROZEN, ONE, 4)
    assert len(values) == 4
    assert all(0 <= v <= 1 for v in values)


def test_iou_on_the_grid_leaves_padding_out() -> None:
    whole = np.array([[1, 1, 0], [0, 0, -1]], dtype=np.int8)
    assert grid_iou(np.array([[True, False, True], [False, False, True]]), whole) == pytest.approx(1 / 3)
    assert grid_iou(np.zeros((2, 3), dtype=bool), np.zeros((2, 3), dtype=np.int8)) == 1.0


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
