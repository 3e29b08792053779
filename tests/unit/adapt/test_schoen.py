"""Schön et al. 2024, mended and as released: what a click and an accepted mask teach, and what each defect does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_erosion

from samtta_app.adapt.memory import Memory
from samtta_app.adapt.strategies.adam_steps import balanced_cross_entropy, eroded, sampled_labels, step
from samtta_app.adapt.strategies.schoen2024 import Schoen2024, Schoen2024AsReleased
from samtta_app.adapt.strategy import Attempt, Fitted, Knowledge, Lesson
from samtta_app.core.masks import full
from samtta_app.core.types import Click, Prompt, Window
from samtta_app.model.model_registry import toy_model
from samtta_app.model.predictor import decode_prompt
from samtta_app.model.weights import Tensors
from tests.unit.adapt.test_strategy import SHIPPED, differ, done, encoded, half_a_disc, same, shown_iou

MODEL = toy_model()
ITEM, FEATURES = encoded(MODEL, 1)
OTHER, _ = encoded(MODEL, 2, x=90)
KNOWN = Knowledge(MODEL.frozen.tensors)
LOUD, LOUD_RELEASED = Schoen2024(learning_rate=1e-3), Schoen2024AsReleased(learning_rate=1e-3)
ON = Click(64, 48, True)  # cells of the toy model are 8 pixels: (64, 48) is where the nearest-neighbour grid reads
OFF = Click(61, 51, True)
NEXT = Click(100, 20, False)


def attempt(click: Click = OFF, known: Knowledge = KNOWN, fitted: Fitted | None = None) -> Attempt:
    fitted = fitted or Fitted(known.tensors, known.carried)
    return Attempt(known, Prompt((click,)), FEATURES, fitted.tensors, fitted.carried)


def clicked(strategy: Schoen2024, before: Attempt) -> Fitted:
    taught = replace(before, taught=strategy.after_answer(MODEL, before))
    return done(strategy.before_answer(MODEL, before.knowledge, taught, Prompt((*before.prompt.clicks, NEXT))))


def single(tensors: Tensors, click: Click) -> torch.Tensor:
    with torch.no_grad():
        return decode_prompt(MODEL, tensors, FEATURES, Prompt((click,))).logits[:1]


def test_the_first_answer_is_what_is_known() -> None:
    fitted = done(LOUD.before_answer(MODEL, KNOWN, None, Prompt((OFF,))))
    assert fitted.tensors is KNOWN.tensors


def test_a_click_that_did_not_finish_the_object_is_learned_before_the_next_answer() -> None:
    fitted = clicked(LOUD, attempt())
    loss = [LOUD._at_clicks(single(t, OFF), (OFF,), FEATURES).item() for t in (KNOWN.tensors, fitted.tensors)]
    assert loss[1] < loss[0]
    assert max(float((fitted.tensors[k] - v).abs().max()) for k, v in KNOWN.tensors.items()) <= 1.01e-3


def test_the_same_clicks_again_teach_nothing_twice() -> None:
    before = attempt()
    fitted = done(LOUD.before_answer(MODEL, KNOWN, before, before.prompt))
    assert fitted.tensors is before.tensors


def test_the_click_steps_share_one_adam_and_leave_the_earlier_state_alone() -> None:
    one = clicked(LOUD, attempt())
    kept = {k: v["exp_avg"].clone() for k, v in one.carried["state"].items()}
    two = clicked(LOUD, attempt(fitted=one))
    assert {float(v["step"]) for v in one.carried["state"].values()} == {1.0}
    assert {float(v["step"]) for v in two.carried["state"].values()} == {2.0}
    assert all(torch.equal(one.carried["state"][k]["exp_avg"], v) for k, v in kept.items())
    again = clicked(LOUD, attempt(fitted=one))
    assert same(two.tensors, again.tensors)


@pytest.mark.parametrize("strategy", [LOUD, LOUD_RELEASED])
def test_the_published_tensors_stay_bit_identical(strategy: Schoen2024) -> None:
    before = {k: v.clone() for k, v in MODEL.frozen.tensors.items()}
    fitted = clicked(strategy, attempt(ON))
    learned = done(
        strategy.after_accept(
            MODEL, KNOWN, Lesson(ITEM, Memory((OTHER, ITEM)), attempt(ON, fitted=fitted), np.random.default_rng(0))
        )
    )
    assert same(before, MODEL.frozen.tensors)
    assert differ(learned.knowledge.tensors, before)
    pointers = {v.data_ptr() for v in MODEL.frozen.tensors.values()}
    assert not pointers & {v.data_ptr() for v in learned.knowledge.tensors.values()}


@pytest.mark.parametrize("strategy", [LOUD, replace(LOUD, balanced=True)], ids=["as released", "balanced"])
def test_the_accepted_mask_is_learned(strategy: Schoen2024) -> None:
    item, features = half_a_disc(SHIPPED)
    known, losses = Knowledge(SHIPPED.frozen.tensors), list[float]()
    before = shown_iou(SHIPPED, known.tensors, item)
    for _ in range(2):
        own = Attempt(known, Prompt(item.clicks), features, known.tensors, known.carried)
        lesson = Lesson(item, Memory((item,)), own, np.random.default_rng(0))
        learned = done(strategy.after_accept(SHIPPED, known, lesson))
        assert learned.verdict.kept
        known, losses = learned.knowledge, [*losses, *learned.losses]
    assert shown_iou(SHIPPED, known.tensors, item) > before + 0.15
    assert len(losses) == 4
    assert losses[3] < losses[0] / 2
    assert losses == sorted(losses, reverse=True) or not strategy.balanced
    assert {float(v["step"]) for v in known.carried["state"].values()} == {4.0}


def test_an_accept_goes_back_to_the_objects_start_but_as_released_it_does_not() -> None:
    def weights(strategy: Schoen2024, click_steps: Fitted) -> Tensors:
        frozen_adam = Fitted(click_steps.tensors, None)
        own = attempt(fitted=frozen_adam)
        return done(
            strategy.after_accept(MODEL, KNOWN, Lesson(ITEM, Memory((ITEM,)), own, np.random.default_rng(0)))
        ).knowledge.tensors

    moved, unmoved = clicked(LOUD, attempt()), Fitted(KNOWN.tensors)
    assert same(weights(LOUD, moved), weights(LOUD, unmoved))
    assert differ(weights(LOUD_RELEASED, moved), weights(LOUD_RELEASED, unmoved))


def test_adam_goes_on_through_the_reset() -> None:
    own = attempt(fitted=clicked(LOUD, attempt()))
    learned = done(LOUD.after_accept(MODEL, KNOWN, Lesson(ITEM, Memory((ITEM,)), own, np.random.default_rng(0))))
    assert {float(v["step"]) for v in learned.knowledge.carried["state"].values()} == {3.0}


def test_weights_that_were_changed_meanwhile_are_not_overwritten_by_an_old_object() -> None:
    published = Knowledge({k: v + 0.01 for k, v in KNOWN.tensors.items()})
    own = replace(attempt(), taught=LOUD.after_answer(MODEL, attempt()))
    fitted = done(LOUD.before_answer(MODEL, published, own, Prompt((OFF, NEXT))))
    assert max(float((fitted.tensors[k] - v).abs().max()) for k, v in published.tensors.items()) <= 1.01e-3


def test_a_click_off_the_sampling_grid_has_a_gradient_here_and_none_as_released() -> None:
    def gradient(strategy: Schoen2024, click: Click, window: Window) -> torch.Tensor:
        logits = torch.zeros(1, 16, 16, requires_grad=True)
        strategy._at_clicks(logits, (click,), replace(FEATURES, window=window)).backward()
        assert logits.grad is not None
        return logits.grad[0]

    square = Window(0, 0, 128, 128)
    assert gradient(LOUD, OFF, square).abs().sum().item() == pytest.approx(0.5 / 256 / 2)  # as one cell among G x G
    assert gradient(replace(LOUD, balanced=True), OFF, square).abs().sum().item() == pytest.approx(0.25, abs=1e-5)
    assert gradient(LOUD_RELEASED, OFF, square).abs().max() == 0
    kept = gradient(LOUD_RELEASED, ON, square)
    assert kept[6, 8].item() == pytest.approx(-0.5 / 256 / 2)  # one cell among G x G, halved
    assert (kept != 0).sum() == 1


def test_padding_is_background_as_released_and_ignored_here() -> None:
    wide = Window(0, 0, 128, 96)
    logits = torch.zeros(1, 16, 16, requires_grad=True)
    LOUD_RELEASED._at_clicks(logits, (OFF,), replace(FEATURES, window=wide)).backward()
    assert logits.grad is not None
    assert (logits.grad[0, 12:] > 0).all()
    assert (logits.grad[0, :12] == 0).all()
    assert (LOUD._target(ITEM, (), FEATURES, 16)[12:] == -1).all()
    assert (LOUD_RELEASED._target(ITEM, (), FEATURES, 16)[12:] == 0).all()


def test_as_released_a_lost_click_still_moves_the_weights_on_momentum() -> None:
    square = replace(FEATURES, window=Window(0, 0, 128, 128))
    moved = LOUD_RELEASED.after_answer(MODEL, Attempt(KNOWN, Prompt((ON,)), square, KNOWN.tensors))
    assert moved is not None
    lost = Attempt(KNOWN, Prompt((OFF,)), square, moved.tensors, moved.carried)
    momentum = LOUD_RELEASED.after_answer(MODEL, lost)
    assert momentum is not None
    assert differ(momentum.tensors, moved.tensors)
    without = LOUD_RELEASED.after_answer(MODEL, replace(lost, carried=None))
    assert without is not None
    assert same(without.tensors, moved.tensors)


@pytest.mark.parametrize(
    ("height", "width", "share"), [(375, 500, 0.26), (480, 640, 0.16), (1024, 1024, 0.0625), (1080, 1920, 0.018)]
)
def test_most_clicks_lie_off_the_sampling_grid(height: int, width: int, share: float) -> None:
    seen = sampled_labels(np.ones((height, width), np.int8), 256, 0.0, 0).sum() / (height * width)
    assert seen == pytest.approx(share, rel=0.05)


def test_sampling_reads_the_first_or_the_middle_pixel_of_a_cell() -> None:
    labels = np.arange(32, dtype=np.int8).reshape(4, 8)
    assert sampled_labels(labels, 4, 0.0, -1).tolist() == [[0, 2, 4, 6], [16, 18, 20, 22], [-1] * 4, [-1] * 4]
    assert sampled_labels(labels, 4, 0.5, -1).tolist() == [[9, 11, 13, 15], [25, 27, 29, 31], [-1] * 4, [-1] * 4]
    nearest = torch.nn.functional.interpolate(torch.from_numpy(labels)[None, None].float(), size=(2, 4))
    assert sampled_labels(labels, 4, 0.0, -1)[:2].tolist() == nearest[0, 0].tolist()


@pytest.mark.parametrize("iterations", [0, 1, 4])
def test_erosion_is_scipys_binary_erosion_in_image_pixels(iterations: int) -> None:
    labels = eroded(ITEM, ITEM.extent, iterations)
    bits = full(ITEM.mask, 96, 128)
    expected = [bits, ~bits] if iterations == 0 else [binary_erosion(b, iterations=iterations) for b in (bits, ~bits)]
    assert np.array_equal(labels == 1, expected[0])
    assert np.array_equal(labels == 0, expected[1])
    part = eroded(ITEM, Window(40, 30, 50, 40), iterations)
    assert np.array_equal(part, labels[30:70, 40:90])


def test_a_click_in_the_eroded_band_is_labelled_after_all() -> None:
    edge = Click(60, 30, True)
    assert LOUD._target(ITEM, (), FEATURES, 16)[3, 7] == -1
    assert LOUD._target(ITEM, (edge,), FEATURES, 16)[3, 7] == 1
    outside = Click(-40, 33, True)
    assert np.array_equal(LOUD._target(ITEM, (outside,), FEATURES, 16), LOUD._target(ITEM, (), FEATURES, 16))


def test_object_and_background_weigh_the_same_and_unknown_cells_nothing() -> None:
    target = torch.full((4, 4), -1, dtype=torch.int8)
    target[0, 0], target[1:3] = 1, 0
    logits = torch.zeros(1, 4, 4, requires_grad=True)
    loss = balanced_cross_entropy(logits, target)
    loss.backward()
    assert loss.item() == pytest.approx(np.log(2))
    assert logits.grad is not None
    assert logits.grad[0, 0, 0].item() == pytest.approx(-0.25)
    assert logits.grad[0, 1:3].sum().item() == pytest.approx(0.25)
    assert logits.grad.abs().sum().item() == pytest.approx(0.5)
    assert balanced_cross_entropy(logits, torch.full((4, 4), -1)).item() == 0


def test_an_earlier_object_is_replayed_on_its_own_features_but_as_released_on_the_current_ones() -> None:
    own, current = LOUD._replayed_features(OTHER, FEATURES), LOUD_RELEASED._replayed_features(OTHER, FEATURES)
    assert torch.equal(own.embedding, OTHER.features.embedding.float())
    assert torch.equal(current.embedding, FEATURES.embedding)
    assert not torch.equal(own.embedding, FEATURES.embedding)


def test_the_fifo_holds_the_newest_objects_and_the_draw_is_seeded() -> None:
    strategy = Schoen2024(learning_rate=1e-3, replayed=1)
    older, _ = encoded(MODEL, 0, x=30)

    def taught(memory: Memory, seed: int) -> Tensors:
        work = strategy.after_accept(MODEL, KNOWN, Lesson(ITEM, memory, None, np.random.default_rng(seed)))
        learned = done(work)
        assert len(learned.losses) == 3
        return learned.knowledge.tensors

    near = OTHER
    assert same(taught(Memory((older, near, ITEM)), 0), taught(Memory((near, ITEM)), 1))
    assert differ(taught(Memory((older, near, ITEM)), 0), taught(Memory((older, ITEM)), 0))
    strategy = replace(strategy, replayed=5)
    assert same(taught(Memory((older, near, ITEM)), 3), taught(Memory((older, near, ITEM)), 3))


def test_what_is_not_finite_never_gets_out() -> None:
    state, loss = step(MODEL, KNOWN, FEATURES, Prompt((OFF,)), 1e-3, lambda x: x.sum() * float("nan"))
    assert state is KNOWN
    assert np.isnan(loss)
    wild = Schoen2024(learning_rate=float("inf"))
    assert clicked(wild, attempt()).tensors is KNOWN.tensors
    learned = done(wild.after_accept(MODEL, KNOWN, Lesson(ITEM, Memory((ITEM,)), None, np.random.default_rng(0))))
    assert learned.knowledge is KNOWN
    assert not learned.verdict.kept
    assert "not finite" in learned.verdict.reason
